"""The 15 prompts of Florence-2 as one table, and the text that each becomes. Everything else reads this
table.

A task prompt such as ``<OD>`` is no token: the processor replaces it by an English sentence before the
tokenizer sees it. The sentences are those of ``Florence2Processor`` in transformers. Lesson 03 shows the
replacement step by step.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from .errors import InputError
from .locations import LOC, check_pixels, to_loc

Takes = Literal["nothing", "phrase", "region"]
Gives = Literal["text", "boxes", "quads", "polygons", "boxes or polygons"]
Group = Literal["caption", "detection", "grounding", "ocr", "segmentation", "region"]


@dataclass(frozen=True)
class Task:
    """One prompt of Florence-2.

    Attributes:
        prompt: what you write, such as ``"<OD>"``.
        title: what people call the task.
        sentence: what the model reads in its place; ``{input}`` marks the place of the phrase or region.
        takes: the ``text_input`` it needs.
        gives: what the answer holds.
        group: for menus.
        example: a ``text_input`` to try: "" where none is taken; for a region, four ``<loc_…>`` tokens.
    """

    prompt: str
    title: str
    sentence: str
    takes: Takes
    gives: Gives
    group: Group
    example: str = ""


SMALLEST_SIDE = 2
"""A region is at least so many pixels wide and high, where the picture is."""
_REGION = "<loc_250><loc_250><loc_750><loc_750>"

_ROWS = (
    Task("<CAPTION>", "caption", "What does the image describe?", "nothing", "text", "caption"),
    Task(
        "<DETAILED_CAPTION>",
        "detailed caption",
        "Describe in detail what is shown in the image.",
        "nothing",
        "text",
        "caption",
    ),
    Task(
        "<MORE_DETAILED_CAPTION>",
        "more detailed caption",
        "Describe with a paragraph what is shown in the image.",
        "nothing",
        "text",
        "caption",
    ),
    Task(
        "<OD>",
        "object detection",
        "Locate the objects with category name in the image.",
        "nothing",
        "boxes",
        "detection",
    ),
    Task(
        "<DENSE_REGION_CAPTION>",
        "dense region caption",
        "Locate the objects in the image, with their descriptions.",
        "nothing",
        "boxes",
        "detection",
    ),
    Task(
        "<REGION_PROPOSAL>",
        "region proposal",
        "Locate the region proposals in the image.",
        "nothing",
        "boxes",
        "detection",
    ),
    Task("<OCR>", "reading text", "What is the text in the image?", "nothing", "text", "ocr"),
    Task(
        "<OCR_WITH_REGION>",
        "reading text with places",
        "What is the text in the image, with regions?",
        "nothing",
        "quads",
        "ocr",
    ),
    Task(
        "<CAPTION_TO_PHRASE_GROUNDING>",
        "phrase grounding",
        "Locate the phrases in the caption: {input}",
        "phrase",
        "boxes",
        "grounding",
        "a red car next to a house",
    ),
    Task(
        "<REFERRING_EXPRESSION_SEGMENTATION>",
        "referring segmentation",
        "Locate {input} in the image with mask",
        "phrase",
        "polygons",
        "segmentation",
        "the red car",
    ),
    Task(
        "<OPEN_VOCABULARY_DETECTION>",
        "open-vocabulary detection",
        "Locate {input} in the image.",
        "phrase",
        "boxes or polygons",
        "grounding",
        "car",
    ),
    Task(
        "<REGION_TO_SEGMENTATION>",
        "region to mask",
        "What is the polygon mask of region {input}",
        "region",
        "polygons",
        "segmentation",
        _REGION,
    ),
    Task(
        "<REGION_TO_CATEGORY>",
        "region to category",
        "What is the region {input}?",
        "region",
        "text",
        "region",
        _REGION,
    ),
    Task(
        "<REGION_TO_DESCRIPTION>",
        "region to description",
        "What does the region {input} describe?",
        "region",
        "text",
        "region",
        _REGION,
    ),
    Task(
        "<REGION_TO_OCR>",
        "region to text",
        "What text is in the region {input}?",
        "region",
        "text",
        "region",
        _REGION,
    ),
)

_TABLE = {task.prompt: task for task in _ROWS}
_PUBLISHED = frozenset(_TABLE)
TASKS: Mapping[str, Task] = MappingProxyType(_TABLE)

# All added tokens of the tokenizer except <loc_…>, plus <image>. <and> is the one that a phrase may hold:
# "car<and>bus". ("desciption" is spelt so in the vocabulary.)
_PAIRED = (
    "od",
    "ocr",
    "cap",
    "ncap",
    "dcap",
    "grounding",
    "seg",
    "region_cap",
    "region_to_desciption",
    "proposal",
    "poly",
)
SPECIAL_TOKENS = frozenset(
    ["<s>", "</s>", "<pad>", "<unk>", "<mask>", "<image>", "<sep>", "<and>"]
    + [f"<{slash}{w}>" for w in _PAIRED for slash in ("", "/")]
)


def add_task(task: Task) -> Task:
    """Adds a row of your own to the table, for a model that you taught it; the same prompt again replaces it.

    The processor knows the fifteen published prompts only, so `build_prompt` writes the sentence of yours
    itself. A row lasts as long as the program: one that loads your checkpoint adds it again.

    Raises:
        InputError: it is no `Task`, its prompt is not of the form ``<NAME>``, or is published, or its
            sentence has no ``{input}`` where it takes something.
    """
    if not isinstance(task, Task) or not re.fullmatch(r"<[A-Z][A-Z_]*>", task.prompt):
        raise InputError(f"A new task is a Task with a prompt such as '<COUNT>', not {task!r}.")
    if task.prompt in _PUBLISHED:
        raise InputError(f"{task.prompt} is one of the published task prompts: give yours another name.")
    if ("{input}" in task.sentence) != (task.takes != "nothing"):
        raise InputError(
            f"The sentence of {task.prompt} has {{input}} exactly where it takes something, and it takes"
            f" {task.takes}: change one of them."
        )
    _TABLE[task.prompt] = task
    return task


def get_task(prompt: str) -> Task:
    """The row of the table for a task prompt such as ``"<OD>"``; blanks around it do no harm.

    Raises:
        InputError: for anything else. It names the one that was probably meant, because transformers
            itself takes an unknown one for plain text and answers nonsense without a word.
    """
    if not isinstance(prompt, str):
        raise InputError(
            f"A task prompt is a string such as '<OD>', not {type(prompt).__name__}. The task prompts:"
            f" {_names()}."
        )
    stripped = prompt.strip()
    if stripped in TASKS:
        return TASKS[stripped]
    for known in TASKS:
        if stripped.startswith(known):
            raise InputError(
                f"Only {known} is the task prompt; {_rest(TASKS[known], stripped[len(known) :].strip())}."
            )
    raise InputError(
        f"There is no task prompt {prompt!r}{_did_you_mean(stripped)} The task prompts: {_names()}."
    )


def build_prompt(
    task_prompt: str, text_input: str | Sequence[float] | np.ndarray | None, image_size: tuple[int, int]
) -> str:
    """The text to hand to the processor: the task prompt, followed by the phrase or by four ``<loc_…>``
    tokens. For a task of your own (`add_task`), which the processor does not know, its sentence.

    Args:
        task_prompt: one of the 15 task prompts, or your own.
        text_input: None or "" where the task takes nothing; a phrase; or a region ``(x1, y1, x2, y2)`` in
            pixels of the image (origin top left), also as a string of four ``<loc_…>`` tokens.
        image_size: ``(width, height)`` in pixels.

    Raises:
        InputError: the input does not fit the task; a region is inverted, empty, outside the picture or not
            finite; a phrase is blank or holds special tokens.
    """
    task = get_task(task_prompt)
    given = _given(task, text_input, image_size)
    if task.prompt not in _PUBLISHED:
        return task.sentence.replace("{input}", given)
    return task.prompt + given


def _given(task: Task, text_input: Any, image_size: tuple[int, int]) -> str:
    if task.takes == "nothing":
        return _no_text(task, text_input)
    if text_input is None or (isinstance(text_input, str) and not text_input.strip()):
        raise InputError(f"{task.prompt} needs text_input: {_wanted(task)}.")
    if task.takes == "phrase":
        return _phrase(task, text_input)
    return _region(task, text_input, image_size)


def _names() -> str:
    return ", ".join(TASKS)


def _rest(task: Task, rest: str) -> str:
    return f"leave {rest!r} out" if task.takes == "nothing" else f"give the rest as text_input={rest!r}"


def _did_you_mean(stripped: str) -> str:
    bare = {name.strip("<>"): name for name in TASKS}
    guess = re.sub(r"[\s\-]+", "_", stripped.strip("<> ").upper())
    near = difflib.get_close_matches(guess, bare, n=2, cutoff=0.6)
    if near and near[0] == guess:
        near = near[:1]
    return f": did you mean {' or '.join(bare[name] for name in near)}?" if near else "."


def _wanted(task: Task) -> str:
    if task.takes == "phrase":
        return f"a phrase such as {task.example!r}"
    return "a region (x1, y1, x2, y2) in pixels of the image"


def _no_text(task: Task, text_input: Any) -> str:
    if text_input is None or (isinstance(text_input, str) and not text_input.strip()):
        return ""
    takers = ", ".join(other.prompt for other in TASKS.values() if other.takes != "nothing")
    raise InputError(
        f"{task.prompt} takes no text_input: leave it out, or use a task that takes one ({takers})."
    )


def _phrase(task: Task, text_input: Any) -> str:
    if not isinstance(text_input, str):
        raise InputError(f"{task.prompt} needs {_wanted(task)}, not {type(text_input).__name__}.")
    if any("\ud800" <= letter <= "\udfff" for letter in text_input):
        raise InputError(
            f"The phrase for {task.prompt} holds half a character (a surrogate, such as an emoji cut in two):"
            " write it anew."
        )
    if token := _special_token(text_input):
        raise InputError(
            f"A phrase for {task.prompt} is plain words, but this one holds the special token {token}: take"
            " it out."
        )
    return text_input.strip()


def _special_token(phrase: str) -> str:
    """The first special token in a phrase, but for ``<and>``; "" if there is none."""
    known = [token for token in (*sorted(SPECIAL_TOKENS - {"<and>"}), *TASKS) if token in phrase]
    places = [f"<loc_{number}>" for number in LOC.findall(phrase)[:1]]
    return next(iter(known + places), "")


def _region(task: Task, text_input: Any, image_size: tuple[int, int]) -> str:
    if isinstance(text_input, str):
        return _region_from_tokens(task, text_input)
    try:
        box = np.asarray(text_input, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{task.prompt} needs {_wanted(task)}, not {text_input!r}.") from None
    if box.shape != (4,):
        got = (
            f"{box.size} numbers"
            if box.ndim == 1
            else f"an array of shape {box.shape}: ask for one region at a time"
        )
        raise InputError(f"{task.prompt} needs {_wanted(task)}, not {got}.")
    _check_region(box, image_size)
    return to_loc(box, image_size)


def _check_region(box: np.ndarray, image_size: tuple[int, int]) -> None:
    shown = "(" + ", ".join(f"{v:g}" for v in box) + ")"
    if not np.isfinite(box).all():
        raise InputError(f"The region {shown} holds a number that is not finite: give four pixel positions.")
    check_pixels(box, image_size)
    if fault := _fault(box, image_size):
        raise InputError(f"The region {shown} {fault}.")


def _fault(box: np.ndarray, image_size: tuple[int, int]) -> str:
    """What is wrong with a region in pixels, and the way out; "" if nothing."""
    (width, height), (x1, y1, x2, y2) = image_size, box
    if x1 >= x2 or y1 >= y2:
        order = "is empty or inverted: (x1, y1) is the top left and must be less than (x2, y2)"
        return order + _as_corners(box, image_size)
    if x1 < 0 or y1 < 0 or x2 > width or y2 > height:
        return f"leaves the picture, which is {width} pixels wide and {height} high: cut it to fit"
    if x2 - x1 < min(SMALLEST_SIDE, width) or y2 - y1 < min(SMALLEST_SIDE, height):
        return (
            f"is {x2 - x1:g} by {y2 - y1:g} pixels, too small to hold anything: give the corners of something"
        )
    return ""


def _as_corners(box: np.ndarray, image_size: tuple[int, int]) -> str:
    """The corners of what may be x, y, width, height."""
    x, y, w, h = box
    if min(x, y) < 0 or min(w, h) <= 0 or x + w > image_size[0] or y + h > image_size[1]:
        return ""
    return f"; if it is x, y, width, height, give ({x:g}, {y:g}, {x + w:g}, {y + h:g})"


def _region_from_tokens(task: Task, text: str) -> str:
    bins = [int(number) for number in LOC.findall(text)]
    if LOC.sub("", text).strip() or len(bins) != 4:
        raise InputError(
            f"{task.prompt} needs {_wanted(task)}, or a string of exactly four <loc_…> tokens, not {text!r}."
        )
    if max(bins) > 999:
        raise InputError(f"There is no token <loc_{max(bins)}>: locations end at <loc_999>.")
    if bins[0] > bins[2] or bins[1] > bins[3]:
        raise InputError(f"The region {text.strip()!r} is inverted: the order is x1, y1, x2, y2.")
    return "".join(f"<loc_{b}>" for b in bins)
