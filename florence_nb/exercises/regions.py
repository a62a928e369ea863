"""Compares boxes and masks with the ground truth of a scene, and names a mistake by undoing it: where the
answer fits after the opposite of a known mistake, that mistake was made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from ..answers import Answer, box_corners
from ..geometry import WELL_PLACED, box_iou, mask_iou, match
from ..scenes import GALLERY, Scene, VisibleThing
from ..scenes.words import name_of
from .exercise import NotYet
from .values import boxes_of, mask_of, masks_of
from .words import counted

SQUEEZED = 288
"""Side in pixels of the square that mini squeezes every picture to."""
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
        raise NotYet(_mistake(boxes, scene, wanted, need, least) or _missed(found, wanted))
    if len(boxes) > len(wanted) + 2:
        raise NotYet(f"there are {len(boxes)} boxes for {counted(len(wanted), 'thing')}: too many.")
    return f"{len(found)} of {counted(len(wanted), 'thing')} found{_missing(found, wanted)}."


def check_mask(answer: Any, scene: Scene, thing: VisibleThing, least: float = 0.6) -> str:
    """Whether a mask, or polygons, cover a thing; returns its IoU in words.

    Raises:
        NotYet: it does not. Known mistakes are named.
    """
    mask, truth = mask_of(answer, scene.size), mask_of(thing.polygons, scene.size)
    iou = mask_iou(mask, truth)
    if iou >= least:
        return f"your mask and the true one agree with an IoU of {iou:.2f}."
    if mask_iou(~mask, truth) >= least:
        raise NotYet("True and False are exchanged: True is where the thing is.")
    if mask_iou(mask, mask_of([box_corners(thing.box)], scene.size)) >= 0.8:
        raise NotYet("this is the whole box: the outline of the thing inside it is wanted.")
    for other in scene.things:
        if other is not thing and mask_iou(mask, mask_of(other.polygons, scene.size)) >= least:
            raise NotYet(f"this is the mask of {_the(other)}, not of {_the(thing)}.")
    for words, undone in _undone_masks(mask, answer, scene.size):
        if mask_iou(undone, truth) >= least:
            raise NotYet(words)
    raise NotYet(f"your mask and the true one agree with an IoU of {iou:.2f}; at least {least:g} is wanted.")


def check_masks(
    answer: Any,
    scene: Scene,
    wanted: Sequence[VisibleThing],
    need: int | None = None,
    least: float = WELL_PLACED,
) -> str:
    """Whether masks, one for each thing, cover the wanted things of a scene; returns what was found, in
    words.

    Args:
        answer: anything that `values.masks_of` reads.
        need: how many of them must be found; None is all.
        least: IoU from which a mask counts.

    Raises:
        NotYet: too few are found. Known mistakes are named.
    """
    masks, truths = masks_of(answer, scene.size), [mask_of(thing.polygons, scene.size) for thing in wanted]
    found, need = _covered(masks, truths, least), len(wanted) if need is None else need
    boxes = [mask_of([box_corners(thing.box)], scene.size) for thing in wanted]
    if len(_covered(masks, boxes, 0.95)) >= need > len(_covered(masks, truths, 0.95)):
        raise NotYet("these are whole boxes: the outline of the thing inside each is wanted.")
    if len(found) < need:
        raise NotYet(
            _mask_mistake(masks, truths)
            or f"{len(found)} of {counted(len(wanted), 'thing')} found (an outline counts from an IoU of"
            f" {least:g}){_missing(found, wanted)}."
        )
    return f"{len(found)} of {counted(len(wanted), 'outline')} found{_missing(found, wanted)}."


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
    labelled = list(zip(answer.labels, answer.boxes))
    ious = [
        (box_iou(box, thing.box), i, j)
        for i, (label, box) in enumerate(labelled)
        for j, thing in enumerate(scene.things)
        if label.strip().lower() == name(thing)
    ]
    return sum(iou >= WELL_PLACED for _, _, iou in match(ious))


def _found(boxes: np.ndarray, wanted: Sequence[VisibleThing], least: float) -> list[int]:
    """Indices of the wanted things that have a box of their own."""
    return _matched(boxes, [thing.box for thing in wanted], box_iou, least)


def _matched(given: Iterable[Any], truths: Sequence[Any], iou_of: Callable, least: float) -> list[int]:
    """Indices of the truths that have one of the given boxes or masks for themselves."""
    ious = [(iou_of(one, true), i, j) for i, one in enumerate(given) for j, true in enumerate(truths)]
    return [j for _, j, iou in match(ious) if iou >= least]


def _mistake(
    boxes: np.ndarray, scene: Scene, wanted: Sequence[VisibleThing], need: int, least: float
) -> str | None:
    """The sentence of the mistake that was made, if it is a known one."""
    sure = _another_thing(boxes, scene, wanted, 0.8)  # before an undoing fits by chance
    if sure:
        return sure
    for words, undo in undoings(scene.size).items():
        if len(_found(undo(boxes), wanted, least)) >= need:
            return words
    for name, other in GALLERY.items():
        if other is not scene and len(_found(boxes, other.things, least)) >= max(2, need):
            return f"these are boxes of another picture, {name!r}."
    return _another_thing(boxes, scene, wanted, least) or _shifted(boxes, wanted)


def _another_thing(
    boxes: np.ndarray, scene: Scene, wanted: Sequence[VisibleThing], least: float
) -> str | None:
    """The sentence for boxes that are all around things that were not asked for."""
    rest = [thing for thing in scene.things if thing not in wanted]
    found = _found(boxes, rest, least)
    if not rest or len(found) < len(boxes):
        return None
    alike = rest[found[0]].kind in {thing.kind for thing in wanted}
    return (
        f"a box is around another thing, {_the(rest[found[0]]) if alike else f'the {rest[found[0]].kind}'}."
    )


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
    return f"{score} (a box counts from an IoU of 0.5){_missing(found, wanted)}."


def _missing(found: list[int], wanted: Sequence[VisibleThing]) -> str:
    names = [_the(thing) for j, thing in enumerate(wanted) if j not in found]
    return f"; {' and '.join(names)} {'is' if len(names) == 1 else 'are'} missing" if names else ""


def _the(thing: VisibleThing) -> str:
    return f"the {name_of(thing)}"


def _undone_masks(mask: np.ndarray, answer: Any, size: tuple[int, int]) -> Iterator[tuple[str, np.ndarray]]:
    """Known mistakes with masks, each with the mask that was meant."""
    yield "your mask is upside down: row 0 is the top of the picture.", mask[::-1]
    yield "your mask is mirrored: column 0 is the left of the picture.", mask[:, ::-1]
    polygons = getattr(answer, "polygons", answer)
    if isinstance(polygons, (list, tuple)):
        whole = mask_of(_changed(polygons, lambda points: points * size / 1000), size)
        yield "your outline is in bins, 0 to 999, and pixels are wanted: fnb.from_loc.", whole
        whole = mask_of(_changed(polygons, lambda points: points * size), size)
        yield "your outline is in shares, 0 to 1: multiply x by the width and y by the height.", whole
        whole = mask_of(_changed(polygons, lambda points: points[:, ::-1]), size)
        yield "x and y of your outline are exchanged: x comes first in each corner.", whole


def _changed(polygons: Any, change: Callable[[np.ndarray], np.ndarray]) -> Any:
    """Nested lists of outlines (k, 2), each of them changed."""
    if isinstance(polygons, (list, tuple)):
        return [_changed(part, change) for part in polygons]
    return change(np.asarray(polygons, float))


def _covered(masks: Sequence[np.ndarray], truths: Sequence[np.ndarray], least: float) -> list[int]:
    """Indices of the truths that have a mask of their own."""
    return _matched(masks, truths, mask_iou, least)


def _mask_mistake(masks: Sequence[np.ndarray], truths: Sequence[np.ndarray]) -> str | None:
    """The sentence of the mistake that was made, if it is a known one."""
    if not masks:
        return "there is no outline in your answer yet."
    if len(masks) > 1 and all(mask_iou(masks[0], mask) > 0.9 for mask in masks[1:]):
        return f"all {len(masks)} outlines are of the same thing: ask about each box in turn."
    if mask_iou(masks[0], np.any(truths, axis=0)) > 0.6:
        return "all things are in one mask: keep an outline for each thing."
    return None
