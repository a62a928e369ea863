"""Checks of lesson 00: what Florence-2 is."""

from collections.abc import Mapping
from typing import Any

from ..scenes import GALLERY
from ..tasks import TASKS, Task
from .boxes import found_in
from .pictures import picture_of
from .refusals import MayBeTheModel, NotYet, WrongForm
from .registry import checks
from .values import answers_of, kind_of, text_of
from .words import check_words, counted, named_in, some

_LEVELS = ("the whole image", "boxes", "masks")
_CELLS = ("top left", "top right", "bottom left", "bottom right")


@checks("00.1")
def three_captions(answer: Any) -> str:
    texts, scene = _three_texts(answer), GALLERY["harbour"]
    words = [len(text.split()) for text in texts]
    if len(set(texts)) < 3:
        raise NotYet("two of your captions are the same text: each length has a prompt of its own.")
    if words != sorted(set(words)):
        raise NotYet(f"your captions have {some(words)} words: the shortest comes first.")
    named = [named_in(text, scene) for text in texts]
    best = max(GALLERY, key=lambda name: sum(named_in(text, GALLERY[name]) for text in texts))
    if named[-1] < 2:
        score = f"the longest caption names {named[-1]} of {len(scene.things)} things of 'harbour'"
        if named_in(texts[-1], GALLERY[best]) >= 2:
            raise NotYet(f"{score}: it tells of the picture {best!r}.")
        raise MayBeTheModel(f"{score}.")
    return (
        f"{some(words)} words; they name {some(named)} of {len(scene.things)} things with the right colour."
    )


def _three_texts(answer: Any) -> list[str]:
    parts = list(answer.values()) if isinstance(answer, Mapping) else answer
    if not isinstance(parts, (list, tuple)):
        raise WrongForm(f"three captions in square brackets are wanted; this is {kind_of(answer)}.")
    texts = [text_of(part) for part in parts]
    if len(texts) != 3:
        raise NotYet(f"three captions are wanted, and your list holds {counted(len(texts), 'text')}.")
    return texts


@checks("00.2")
def prompts_that_give_boxes(answer: Any) -> str:
    rows = isinstance(answer, (list, tuple))
    given = [one.prompt if isinstance(one, Task) else one for one in answer] if rows else answer
    words = [one for one in given if isinstance(one, str)] if rows else []
    if set(words) & {task.title for task in TASKS.values()}:
        raise WrongForm("these are titles; the prompts are wanted, such as '<OD>': task.prompt.")
    if set(words) & {prompt.strip("<>") for prompt in TASKS}:
        raise WrongForm("a prompt has its angle brackets: '<OD>', not 'OD'.")
    wanted = [prompt for prompt, task in TASKS.items() if "boxes" in task.gives]
    only = [prompt for prompt, task in TASKS.items() if task.gives == "boxes"]
    if sorted(words) == sorted(only):
        raise NotYet(
            f"{len(only)} of {len(wanted)} prompts found; the one that is missing gives 'boxes or polygons',"
            " and so boxes, too."
        )
    slips = {prompt: f"gives {task.gives}" for prompt, task in TASKS.items()}
    return check_words(given, wanted, "prompt", slips)


@checks("00.3")
def a_grid(answer: Any) -> str:
    cells = answers_of(answer)
    if len(cells) != 4:
        raise WrongForm(f"four answers are wanted, row by row; you give {counted(len(cells), 'answer')}.")
    for cell, place in zip(cells, _CELLS):
        if not (cell.text.strip() or len(cell.boxes) or len(cell.quads) or cell.polygons):
            raise MayBeTheModel(f"the answer {place} is empty: ask for something that is in the picture.")
    picture = _one_picture(cells)
    levels = [_level(cell) for cell in cells]
    rows = levels[::2]
    if rows != levels[1::2]:
        raise NotYet(
            f"the top row has {_LEVELS[levels[0]]} and {_LEVELS[levels[1]]}, the bottom row"
            f" {_LEVELS[levels[2]]} and {_LEVELS[levels[3]]}: in one row, both are of one kind."
        )
    if rows[0] >= rows[1]:
        raise NotYet(
            f"the top row has {_LEVELS[rows[0]]} and the bottom row {_LEVELS[rows[1]]}: it shall go down in"
            " space, from the whole image to boxes, or from boxes to masks."
        )
    words = [_words(cell) for cell in cells]
    for row, (left, right) in (("top", words[:2]), ("bottom", words[2:])):
        if left >= right:
            raise MayBeTheModel(
                f"in the {row} row there are {left:.3g} words on the left and {right:.3g} on the right: the"
                " finer words belong on the right."
            )
    return (
        f"{picture!r} goes from {_LEVELS[rows[0]]} down to {_LEVELS[rows[1]]}, and from {words[0]:.3g} to"
        f" {words[1]:.3g} and from {words[2]:.3g} to {words[3]:.3g} words{_found(cells, picture)}."
    )


def _one_picture(cells: list[Any]) -> str:
    pictures = [picture_of(cell) for cell in cells]
    if len(set(pictures)) > 1:
        raise NotYet(f"these answers are about different pictures, {some(sorted(set(pictures)))}: take one.")
    if not pictures[0]:
        raise NotYet("this picture is no drawing of fnb.samples(), and mini knows nothing else.")
    if pictures[0] == "street":
        raise NotYet("the street has its grid already: take another drawing of fnb.samples().")
    return pictures[0]


def _level(cell: Any) -> int:
    """0 for the whole image, 1 for regions, 2 for pixels."""
    if cell.polygons:
        return 2
    return int(len(cell.boxes) + len(cell.quads) > 0 or TASKS[cell.task].takes == "region")


def _words(cell: Any) -> float:
    """How many words there are: in the text, on average in a label, or in what a mask was asked for."""
    if cell.polygons:
        return len(str(cell.text_input or "").split())
    if cell.labels:
        return sum(len(label.split()) for label in cell.labels) / len(cell.labels)
    return len(cell.text.split())


def _found(cells: list[Any], picture: str) -> str:
    scene = GALLERY[picture]
    found = [found_in(cell, scene) for cell in cells if cell.task == "<OD>"]
    return f"; {found[0]} of {counted(len(scene.things), 'thing')} have a box" if found else ""
