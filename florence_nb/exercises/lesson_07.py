"""Checks of lesson 07: reading text."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..answers import Answer
from ..scenes import GALLERY, Scene, VisibleThing
from ..scenes.truth import lines_of
from .boxes import check_boxes
from .pictures import check_picture
from .refusals import MayBeTheModel, NotYet, WrongForm
from .registry import checks
from .values import answer_of, boxes_of, pair_of, short, text_of, words_of
from .words import counted, misread, some, wrong_letters

_SMALL, _MOST = "HARBOUR", 2
_ALIKE, _SIGNS = set("0O1I5S8B"), 3


@checks("07.1")
def line_by_line(answer: Any) -> str:
    if hasattr(answer, "raw"):
        raise WrongForm("this is the answer: its text, cut at the line breaks, is wanted.")
    if isinstance(answer, (str, Mapping)):
        text_of(answer)
        raise WrongForm("this is one text: cut it at the line breaks, which are written \\n.")
    lines, true = [line.strip() for line in words_of(answer)], _lines(GALLERY["signs"])
    if len(lines) != len(true):
        _check_cut(lines, true)
        raise MayBeTheModel(f"{counted(len(lines), 'line')} in your list, and {len(true)} in the picture.")
    other = next((name for name, scene in GALLERY.items() if name != "signs" and _same(lines, scene)), "")
    if other:
        raise NotYet(f"these lines stand in another picture, {other!r}.")
    off = sum(min(wrong_letters(line, each) for line in lines) for each in true)
    count = sum(map(len, true))
    if off > count // 3:
        raise MayBeTheModel(f"{off} of {counted(count, 'letter')} are wrong: is this the picture 'signs'?")
    score = f"{off or 'none'} of {counted(count, 'letter')} wrong (a blank counts as one)"
    return f"{counted(len(lines), 'line')}; {score}."


def _lines(scene: Scene) -> list[str]:
    return [line for line, _ in lines_of(scene)]


def _same(lines: Sequence[str], scene: Scene) -> bool:
    return set(lines) <= set(_lines(scene))


def _check_cut(lines: Sequence[str], true: Sequence[str]) -> None:
    """Raises NotYet for a text that was cut at wrong places."""
    if not lines:
        raise NotYet("your list is empty: one text for each line is wanted.")
    if all(len(line) <= 1 for line in lines):
        raise NotYet("these are single letters: list(…) takes a text apart; .split cuts it.")
    if len(lines) > 1 and sorted(" ".join(lines).split()) == sorted(" ".join(true).split()):
        raise NotYet(f"these are {len(lines)} words, not lines: .split() cuts at blanks, too.")
    if any("\n" in line for line in lines):
        raise NotYet("a text in your list still holds several lines: cut it at the line breaks.")


@checks("07.2")
def upright_boxes(answer: Any) -> str:
    scene = GALLERY["signs"]
    quads = answer.quads if isinstance(answer, Answer) and len(answer.quads) else answer
    boxes, lines = boxes_of(quads), _written(scene)
    for corner, words in (
        (1, "the first four numbers of a quad are its two top corners: the bottom corners count as well."),
        (2, "you use two corners of each quad; where text is tilted, the box must hold all four."),
    ):
        two = [np.concatenate([quad[0], quad[corner]]) for _, quad in lines_of(scene)]
        near = [min(np.abs(box - each).max() for box in boxes) < 8 for each in two]
        if sum(near) == len(two):
            raise NotYet(words)
    try:
        return check_boxes(boxes, scene, lines)
    except NotYet:
        check_not_signs(boxes, scene)
        raise


def check_not_signs(boxes: np.ndarray, scene: Scene) -> None:
    """Raises NotYet for boxes around whole signs."""
    try:
        check_boxes(boxes, scene, scene.things, least=0.8)
    except NotYet:
        return
    raise NotYet("these are the boxes of the whole signs: those of the text on them are wanted.")


def _written(scene: Scene) -> list[VisibleThing]:
    """Every line of text as if it were a thing of its own, with the box around its quad."""
    return [
        replace(thing, box=(*quad.min(axis=0), *quad.max(axis=0)))
        for thing in scene.things
        for quad in thing.quads
    ]


@checks("07.3")
def too_small(answer: Any) -> str:
    read = text_of(answer)
    if not read:
        raise MayBeTheModel("nothing was read: cut the sign out and enlarge the piece.")
    other = next((name for name, scene in GALLERY.items() if _same(read.split("\n"), scene)), "")
    if other:
        raise NotYet(f"this stands in another picture, {other!r}.")
    off, count = wrong_letters(read, _SMALL), len(_SMALL)
    if off >= count - 2:
        raise MayBeTheModel(
            f"{short(read)}: {off} letters wrong, as in the whole picture. Read the enlarged piece."
        )
    if off > _MOST:
        raise MayBeTheModel(f"{short(read)}: {off} letters wrong. Leave more room around the sign.")
    return f"{read!r}, with {off or 'none'} of {counted(count, 'letter')} wrong."


@checks("07.4")
def letters_alike(answer: Any) -> str:
    if isinstance(answer, Answer) or not isinstance(answer, (list, tuple)):
        raise WrongForm("a list of pairs (scene, answer) is wanted.")
    if len(answer) == 2 and isinstance(answer[0], Scene):
        raise WrongForm(f"this is one pair: give a list of {_SIGNS} or more.")
    pairs = [_reading(pair) for pair in answer]
    if len(pairs) < _SIGNS:
        raise NotYet(f"{counted(len(pairs), 'sign')} so far: give {_SIGNS} or more.")
    written = "".join(true for true, _ in pairs)
    mixed = Counter(slip for true, read in pairs for slip in misread(read, true))
    score = f"{counted(len(pairs), 'sign')} with {counted(len(written), 'letter')}"
    told = [f"{one} for {other} ({count}×)" for (other, one), count in mixed.most_common() if one and other]
    lost = sum(count for (other, one), count in mixed.items() if not (one and other))
    told += [f"{counted(lost, 'letter')} left out or added"] if lost else []
    return f"{score}; read wrongly: {some(told, 4)}." if told else f"{score}, all read: do smaller ones fail?"


def _reading(pair: Any) -> tuple[str, str]:
    """What a scene's signs say, and what was read, without line breaks and blanks."""
    scene, said = pair_of(pair, "the scene and the answer")
    if isinstance(said, Scene):
        raise WrongForm("the scene comes first, then the answer.")
    if not isinstance(scene, Scene):
        raise WrongForm("each pair begins with the scene itself: it knows what the sign says.")
    said = answer_of(said)
    check_picture(said, scene, "its scene")
    if said.task != "<OCR>":
        raise NotYet(f"this is an answer to {said.task}: ask <OCR>.")
    true = "".join("".join(_lines(scene)).split())
    if not set(true) & _ALIKE:
        letters = " ".join(sorted(_ALIKE))
        what = repr(true) if true else "a picture without text"
        raise NotYet(f"{what} has none of the letters that look alike: {letters}.")
    return true, "".join(said.text.split())
