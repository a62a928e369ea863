"""Answers to the exercises of lesson 03: RIGHT must pass, WRONG must get a sentence with these words."""

import dataclasses

import torch

from florence_nb.tasks import TASKS

from .helpers import perfect

SENTENCE = TASKS["<DENSE_REGION_CAPTION>"].sentence
PICTURES = ["street", "snow", "cars"]


def written(limit: int, tokens: int = 17, picture: str = "snow", task: str = "<OD>", **more):
    """An answer with so many new tokens, which a first one starts."""
    ids = tuple(range(tokens + 1))
    return perfect(picture, task, settings={"max_new_tokens": limit}, token_ids=ids, **more)


def captions(beams: int, task: str = "<DETAILED_CAPTION>", pictures=PICTURES) -> list:
    return [perfect(picture, task, settings={"num_beams": beams}) for picture in pictures]


ONE, FIVE = captions(1), captions(5)
SHORT = [dataclasses.replace(answer, text=answer.text[:40]) for answer in ONE]
SHORT_FIVE = [dataclasses.replace(answer, settings={"num_beams": 5}) for answer in SHORT]

RIGHT = {
    "03.1": {"the sentence": SENTENCE, "with its ends": f"<s>{SENTENCE}</s>", "typed": SENTENCE.lower()[:-1]},
    "03.2": {"three things": written(17), "in a list": [written(17)], "a shorter draft": written(12, 12)},
    "03.3": {
        "five are better": (SHORT, FIVE, "five"),
        "no difference": [ONE, FIVE, "neither"],
        "one is better": (ONE, SHORT_FIVE, "One"),
    },
}
WRONG = {
    "03.1": {
        "the prompt": ("<DENSE_REGION_CAPTION>", "never sees"),
        "of another prompt": (TASKS["<OD>"].sentence, "the sentence for <OD>"),
        "with the slots": ("<image>" * 145 + f"<s>{SENTENCE}</s>", "145 slots"),
        "ids": (torch.tensor([0, 5, 2]), "decode"),
        "the processor's dictionary": ({"input_ids": 1, "pixel_values": 2}, "dictionary with 'input_ids'"),
        "own words": ("Describe the regions.", "no task prompt stands for"),
    },
    "03.2": {
        "cut": (written(12, 12, truncated=True), "cut after 12 tokens"),
        "one too many": (written(18), "one too many"),
        "far too many": (written(1024), "1024 tokens were allowed"),
        "the number": (17, "this is a number"),
        "another picture": (written(27, 27, "street"), "'street'"),
        "another task": (written(17, 17, task="<CAPTION>"), "<CAPTION>"),
        "parsed": (perfect("snow", "<OD>"), "does not tell its tokens"),
        "two": ([written(17), written(17)], "2 answers"),
        "the raw string": (written(17).raw, "this is a text"),
    },
    "03.3": {
        "judged wrongly": ((SHORT, FIVE, "one"), "You say 'one'"),
        "no judgement": ((ONE, FIVE), "three parts"),
        "another word": ((ONE, FIVE, "both"), "not 'both'"),
        "a number": ((ONE, FIVE, 5), "this is a number"),
        "two pictures": ((ONE[:2], FIVE[:2], "neither"), "there are 2"),
        "one picture thrice": ((ONE[:1] * 3, FIVE[:1] * 3, "neither"), "there are 1"),
        "different pictures": ((ONE, FIVE[::-1], "neither"), "same pictures"),
        "two prompts": ((captions(1, "<CAPTION>"), FIVE, "five"), "only the beams"),
        "boxes": ((captions(1, "<OD>"), captions(5, "<OD>"), "neither"), "no captions"),
        "three beams": ((ONE, captions(3), "neither"), "made with 3"),
        "the lists exchanged": ((FIVE, ONE, "neither"), "made with 5"),
        "texts": (([a.text for a in ONE], [a.text for a in FIVE], "neither"), "this is a text"),
    },
}
