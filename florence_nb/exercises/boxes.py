"""Compares boxes with the ground truth of a scene, and names a mistake by undoing it: where the answer fits
after the opposite of a known mistake, that mistake was made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ..answers import Answer
from ..geometry import WELL_PLACED, box_iou, match
from ..scenes import GALLERY, Scene, VisibleThing
from ..scenes.words import name_of
from .pictures import picture_of
from .refusals import MayBeTheModel, NotYet
from .values import SQUEEZED, boxes_of
from .words import counted, some

_SURE = 0.7
"""IoU from which one box alone fits well enough to name a mistake, or a picture, by it."""
Undo = Callable[[np.ndarray], np.ndarray]
"""Boxes (n, 4) as given to boxes as they were meant."""


def undoings(size: tuple[int, int]) -> dict[str, Undo]:
    """What learners do to boxes, as sentences, each with its opposite; ``size`` is (width, height)."""
    sides = np.array([*size, *size], float)
    wide, high = size
    return {
        "your boxes are in bins, 0 to 999, and pixels are wanted: fnb.from_loc.": lambda b: (
            (b + 0.5) * sides / 1000
        ),
        "your boxes are shares, 0 to 1: multiply x by the width and y by the height.": lambda b: b * sides,
        "you give x, y, width, height: the right and bottom edge are wanted last.": lambda b: np.c_[
            b[:, :2], b[:, :2] + b[:, 2:]
        ],
        "you give the centre, width and height; the four edges are wanted.": lambda b: np.c_[
            b[:, :2] - b[:, 2:] / 2, b[:, :2] + b[:, 2:] / 2
        ],
        "x and y are exchanged: left comes first, then top.": lambda b: b[:, [1, 0, 3, 2]],
        "the corners are exchanged: top left comes first, then bottom right.": lambda b: b[:, [2, 3, 0, 1]],
        "the order is left, top, right, bottom; you give left, right, top, bottom.": lambda b: b[
            :, [0, 2, 1, 3]
        ],
        "y grows downwards: 0 is the top of the picture.": lambda b: np.c_[
            b[:, 0], high - b[:, 3], b[:, 2], high - b[:, 1]
        ],
        "width and height are exchanged: image.size is (width, height).": lambda b: (
            b * [wide / high, high / wide, wide / high, high / wide]
        ),
        f"your boxes are pixels of the picture squeezed to {SQUEEZED} × {SQUEEZED}, which the model sees:"
        " give pixels of the picture itself.": lambda b: b * sides / SQUEEZED,
    }


def check_boxes(
    answer: Any,
    scene: Scene,
    wanted: Sequence[VisibleThing],
    need: int | None = None,
    least: float = WELL_PLACED,
) -> str:
    """Whether boxes find the wanted things of a scene; returns what was found, in words.

    Args:
        answer: anything that `values.boxes_of` reads.
        need: how many of them must be found; None is all. Give the learner the benefit where mini may err.
        least: IoU from which a box counts.

    Raises:
        NotYet: too few are found, or there are far more boxes than things. Known mistakes are named.
    """
    boxes, need = boxes_of(answer), len(wanted) if need is None else need
    found = _found(boxes, wanted, least)
    if len(found) < need:
        check_gallery(answer, scene)
        mistake = _mistake(boxes, scene, wanted, need, least)
        if mistake:
            raise NotYet(mistake)
        raise MayBeTheModel(_another_thing(boxes, scene, wanted, least) or _missed(found, wanted))
    if len(boxes) > len(wanted) + 2:
        raise MayBeTheModel(f"there are {len(boxes)} boxes for {counted(len(wanted), 'thing')}: too many.")
    return f"{len(found)} of {counted(len(wanted), 'thing')} found{missing(found, wanted)}."


def places_found(answer: Answer, scene: Scene) -> int:
    """How many things of a scene have a box of their own in an answer, whatever is written on it."""
    return len(_found(answer.boxes, scene.things, WELL_PLACED))


def found_in(answer: Any, scene: Scene) -> int:
    """How many things of a scene have a box of their own in an `Answer`, with the right name on it."""
    return named_found(answer, scene, lambda thing: thing.kind)


def named_found(answer: Answer, scene: Scene, name: Callable[[VisibleThing], str]) -> int:
    """How many things of a scene an answer finds: the right label, and a box that overlaps the true one
    well.
    """
    labels = [label.strip().lower() for label in answer.labels]
    return len(labelled_found(labels, answer.boxes, scene.things, name))


def labelled_found(
    labels: Sequence[Any],
    boxes: Iterable[Any],
    things: Sequence[VisibleThing],
    name: Callable[[VisibleThing], Any],
) -> list[int]:
    """Indices of the things that have a box of their own with their label on it; one box, x1, y1, x2, y2, for
    each label.
    """
    pairs = [
        (box_iou(box, thing.box), i, j)
        for i, (label, box) in enumerate(zip(labels, boxes))
        for j, thing in enumerate(things)
        if label == name(thing)
    ]
    return [j for _, j, iou in match(pairs) if iou >= WELL_PLACED]


def _found(boxes: np.ndarray, wanted: Sequence[VisibleThing], least: float) -> list[int]:
    """Indices of the wanted things that have a box of their own."""
    return matched(boxes, [thing.box for thing in wanted], box_iou, least)


def matched(given: Iterable[Any], truths: Sequence[Any], iou_of: Callable, least: float) -> list[int]:
    """Indices of the truths that have one of the given boxes or masks for themselves."""
    return list(ious(given, truths, iou_of, least))


def ious(given: Iterable[Any], truths: Sequence[Any], iou_of: Callable, least: float) -> dict[int, float]:
    """The IoU of each truth, by its index, with the given box or mask that it has for itself."""
    pairs = [(iou_of(one, true), i, j) for i, one in enumerate(given) for j, true in enumerate(truths)]
    return {j: iou for _, j, iou in match(pairs) if iou >= least}


def check_gallery(answer: Any, scene: Scene) -> None:
    """Raises NotYet for an answer about another picture of the gallery."""
    name = picture_of(answer) if isinstance(answer, Answer) else ""
    if name and GALLERY[name] is not scene:
        raise NotYet(f"this is an answer about another picture, {name!r}.")


def _mistake(
    boxes: np.ndarray, scene: Scene, wanted: Sequence[VisibleThing], need: int, least: float
) -> str | None:
    """The sentence of the mistake that was made, if it is a known one."""
    if _another_thing(boxes, scene, wanted, 0.8):  # before an undoing fits by chance
        return None
    return (
        _undone(boxes, scene, wanted, need, least if need > 1 else max(least, _SURE))
        or _elsewhere(boxes, scene)
        or _shifted(boxes, wanted)
    )


def _undone(
    boxes: np.ndarray, scene: Scene, wanted: Sequence[VisibleThing], need: int, least: float
) -> str | None:
    """The sentence of the undoing that fits best."""
    truths = [thing.box for thing in wanted]
    fits = {words: ious(undo(boxes), truths, box_iou, least) for words, undo in undoings(scene.size).items()}
    best = max(fits, key=lambda words: sum(fits[words].values()))
    return best if len(fits[best]) >= need else None


def _elsewhere(boxes: np.ndarray, scene: Scene) -> str | None:
    """The sentence for boxes that fit another picture of the gallery."""
    for name, other in GALLERY.items():
        if other is not scene and len(_found(boxes, other.things, _SURE)) >= max(2, len(boxes) - 1):
            return f"these are boxes of another picture, {name!r}."
    return None


def _another_thing(
    boxes: np.ndarray, scene: Scene, wanted: Sequence[VisibleThing], least: float
) -> str | None:
    """The sentence for boxes that are all around things that were not asked for."""
    rest = [thing for thing in scene.things if thing not in wanted]
    found = _found(boxes, rest, least)
    if not rest or len(found) < len(boxes):
        return None
    alike = rest[found[0]].kind in {thing.kind for thing in wanted}
    return f"a box is around another thing, {the(rest[found[0]]) if alike else f'the {rest[found[0]].kind}'}."


def _shifted(boxes: np.ndarray, wanted: Sequence[VisibleThing]) -> str | None:
    """The sentence for one box of the right size at another place."""
    if len(boxes) != 1 or len(wanted) != 1:
        return None
    off = (boxes[0].reshape(2, 2).sum(axis=0) - np.reshape(wanted[0].box, (2, 2)).sum(axis=0)) / 2
    if box_iou(boxes[0] - [*off, *off], wanted[0].box) < 0.6:
        return None
    return (
        f"the box has the right size, but lies {off[0]:+.0f} pixels off in x and {off[1]:+.0f} in y: what is"
        " found in a piece counts from the corner of that piece."
    )


def _missed(found: list[int], wanted: Sequence[VisibleThing]) -> str:
    score = f"{len(found)} of {counted(len(wanted), 'thing')} found"
    return f"{score} (a box counts from an IoU of {WELL_PLACED:g}){missing(found, wanted)}."


def missing(found: list[int], wanted: Sequence[VisibleThing]) -> str:
    names = [the(thing) for j, thing in enumerate(wanted) if j not in found]
    return f"; {some(names, 5)} {'is' if len(names) == 1 else 'are'} missing" if names else ""


def the(thing: VisibleThing) -> str:
    return f"the {name_of(thing)}"
