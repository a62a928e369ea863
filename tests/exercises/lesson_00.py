"""Answers to the exercises of lesson 00: RIGHT must pass, WRONG must get a sentence with these words."""

from florence_nb.tasks import TASKS

from .helpers import perfect

PROMPTS = ["<CAPTION>", "<DETAILED_CAPTION>", "<MORE_DETAILED_CAPTION>"]
ANSWERS = [perfect("harbour", prompt) for prompt in PROMPTS]
TEXTS = [answer.text for answer in ANSWERS]
BOXES = [prompt for prompt, task in TASKS.items() if "boxes" in task.gives]
MASK = "<REFERRING_EXPRESSION_SEGMENTATION>"


def grid(picture: str, thing: str, colour: str) -> list:
    return [
        perfect(picture, "<OD>"),
        perfect(picture, "<DENSE_REGION_CAPTION>"),
        perfect(picture, MASK, f"the {thing}"),
        perfect(picture, MASK, f"the {colour} {thing}"),
    ]


SNOW = grid("snow", "robot", "pink")
CAPTIONS = [perfect("snow", "<CAPTION>"), perfect("snow", "<DETAILED_CAPTION>")]

RIGHT = {
    "00.1": {"texts": TEXTS, "answers": ANSWERS, "a dictionary by prompt": dict(zip(PROMPTS, TEXTS))},
    "00.2": {
        "a list": BOXES,
        "in another order": sorted(BOXES),
        "rows of the table": [TASKS[prompt] for prompt in BOXES],
        "a dictionary": {prompt: TASKS[prompt] for prompt in BOXES},
    },
    "00.3": {
        "boxes and masks": SNOW,
        "two rows": [CAPTIONS, SNOW[:2]],
        "the whole image and masks": (*CAPTIONS, *SNOW[2:]),
        "the harbour": grid("harbour", "cat", "black"),
    },
}
WRONG = {
    "00.1": {
        "one text": (TEXTS[0], "square brackets"),
        "one prompt three times": ([TEXTS[0]] * 3, "the same text"),
        "from long to short": (TEXTS[::-1], "the shortest comes first"),
        "two only": (TEXTS[1:], "your list holds 2 texts"),
        "raw strings": ([answer.raw for answer in ANSWERS], "answer.text"),
        "dictionaries": ([answer.parsed for answer in ANSWERS], "dictionary with '<CAPTION>'"),
        "numbers of words": ([9, 24, 50], "this is a number"),
        "the street": (
            [perfect("street", prompt).text for prompt in PROMPTS],
            "tells of the picture 'street'",
        ),
    },
    "00.2": {
        "exactly boxes": ([p for p in BOXES if TASKS[p].gives == "boxes"], "'boxes or polygons'"),
        "quads, too": ([*BOXES, "<OCR_WITH_REGION>"], "gives quads"),
        "masks, too": ([*BOXES, MASK], "gives polygons"),
        "all fifteen": (list(TASKS), "and 7 more do not belong"),
        "titles": ([TASKS[prompt].title for prompt in BOXES], "titles"),
        "without brackets": ([prompt.strip("<>") for prompt in BOXES], "angle brackets"),
        "what is taken": ([p for p, task in TASKS.items() if task.takes == "region"], "0 of 5 prompts"),
        "one prompt": ("<OD>", "square brackets"),
        "how many": (5, "this is a number"),
        "none": ([], "no prompt in your list"),
    },
    "00.3": {
        "three": (SNOW[:3], "you give 3 answers"),
        "upside down": ([*SNOW[2:], *SNOW[:2]], "down in space"),
        "left and right": ([SNOW[1], SNOW[0], SNOW[2], SNOW[3]], "finer words belong on the right"),
        "columns for rows": ([SNOW[0], SNOW[2], SNOW[1], SNOW[3]], "both are of one kind"),
        "the street again": (grid("street", "car", "yellow"), "another drawing"),
        "two pictures": ([*SNOW[:2], *grid("harbour", "cat", "black")[2:]], "different pictures"),
        "a mask of nothing": ([*SNOW[:3], perfect("snow", MASK, "the red car")], "bottom right is empty"),
        "texts": ([answer.raw for answer in SNOW], "this is a text"),
        "the picture that shows it": (perfect("snow", "<OD>").image, "this is a picture"),
    },
}
