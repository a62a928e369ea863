"""Compares masks and outlines with the ground truth of a scene; known mistakes are named by undoing them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..answers import Answer, box_corners
from ..geometry import WELL_PLACED, mask_iou, rasterize
from ..scenes import Scene, VisibleThing
from .boxes import check_gallery, ious, matched, missing, the
from .first_look import answers_in
from .refusals import MayBeTheModel, NotYet
from .values import SQUEEZED, mask_of, masks_of, outlines_of
from .words import counted

MaskUndo = Callable[[list[np.ndarray], list[np.ndarray]], list[np.ndarray]]
"""Masks and outlines as given to masks as they were meant; none where this mistake could not be made."""


def check_mask(answer: Any, scene: Scene, thing: VisibleThing, least: float = 0.6) -> str:
    """Whether a mask, or polygons, cover a thing; returns its IoU in words.

    Raises:
        NotYet: it does not. Known mistakes are named.
    """
    mask, truth = mask_of(answer, scene.size), mask_of(thing.polygons, scene.size)
    iou = mask_iou(mask, truth)
    if iou >= least:
        return f"your mask and the true one agree with an IoU of {iou:.2f}."
    check_gallery(answer, scene)
    if mask_iou(~mask, truth) >= least:
        raise NotYet("True and False are exchanged: True is where the thing is.")
    if mask_iou(mask, mask_of([box_corners(thing.box)], scene.size)) >= 0.8:
        raise NotYet("this is the whole box: the outline of the thing inside it is wanted.")
    for other in scene.things:
        if other is not thing and mask_iou(mask, mask_of(other.polygons, scene.size)) >= least:
            raise MayBeTheModel(f"this is the mask of {the(other)}, not of {the(thing)}.")
    outlines, fits = _all_outlines(answer), {}
    for words, undo in mask_undoings(scene.size).items():
        undone = undo([mask], outlines)
        fits[words] = mask_iou(np.any(undone, axis=0), truth) if undone else 0.0
    best = max(fits, key=lambda words: fits[words])
    if fits[best] >= least:
        raise NotYet(best)
    raise MayBeTheModel(
        f"your mask and the true one agree with an IoU of {iou:.2f}; at least {least:g} is wanted."
    )


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
        for part in answers_in(answer):
            check_gallery(part, scene)
        outlines, undoings = _all_outlines(answer), mask_undoings(scene.size).items()
        fits = {words: ious(undo(masks, outlines), truths, mask_iou, least) for words, undo in undoings}
        best = max(fits, key=lambda words: sum(fits[words].values()))
        mistake = best if len(fits[best]) >= need else _mask_mistake(masks, truths)
        if mistake:
            raise NotYet(mistake)
        raise MayBeTheModel(
            f"{len(found)} of {counted(len(wanted), 'thing')} found (an outline counts from an IoU of"
            f" {least:g}){missing(found, wanted)}."
        )
    return f"{len(found)} of {counted(len(wanted), 'outline')} found{missing(found, wanted)}."


def mask_undoings(size: tuple[int, int]) -> dict[str, MaskUndo]:
    """What learners do to masks and outlines, as sentences, each with its opposite; ``size`` is (width,
    height).
    """
    sides, (wide, high) = np.array(size, float), size
    return {
        "your mask is upside down: row 0 is the top of the picture.": lambda masks, _: [
            mask[::-1] for mask in masks
        ],
        "your mask is mirrored: column 0 is the left of the picture.": lambda masks, _: [
            mask[:, ::-1] for mask in masks
        ],
        "your outline is in bins, 0 to 999, and pixels are wanted: fnb.from_loc.": _changing(
            size, lambda corners: (corners + 0.5) * sides / 1000
        ),
        "your outline is in shares, 0 to 1: multiply x by the width and y by the height.": _changing(
            size, lambda corners: corners * sides
        ),
        "x and y of your outline are exchanged: x comes first in each corner.": _changing(
            size, lambda corners: corners[:, ::-1]
        ),
        "width and height are exchanged: image.size is (width, height).": _changing(
            size, lambda corners: corners * [wide / high, high / wide]
        ),
        f"your outline is in pixels of the picture squeezed to {SQUEEZED} × {SQUEEZED}, which the model sees:"
        " give pixels of the picture itself.": _changing(size, lambda corners: corners * sides / SQUEEZED),
    }


def _changing(size: tuple[int, int], change: Callable[[np.ndarray], np.ndarray]) -> MaskUndo:
    """An undoing that changes the corners of every outline."""
    return lambda _, outlines: [rasterize([change(corners)], size) for corners in outlines]


def _all_outlines(given: Any) -> list[np.ndarray]:
    """Every outline in answers, or in nested lists."""
    if isinstance(given, Answer):
        return outlines_of(given.polygons) or []
    if isinstance(given, (list, tuple)) and any(isinstance(part, Answer) for part in given):
        return [outline for part in given for outline in _all_outlines(part)]
    return outlines_of(given) or []


def _covered(masks: Sequence[np.ndarray], truths: Sequence[np.ndarray], least: float) -> list[int]:
    """Indices of the truths that have a mask of their own."""
    return matched(masks, truths, mask_iou, least)


def _mask_mistake(masks: Sequence[np.ndarray], truths: Sequence[np.ndarray]) -> str | None:
    """The sentence of the mistake that was made, if it is a known one."""
    if not masks:
        return None
    if len(masks) > 1 and all(mask_iou(masks[0], mask) > 0.9 for mask in masks[1:]):
        return f"all {len(masks)} outlines are of the same thing: ask about each box in turn."
    if mask_iou(masks[0], np.any(truths, axis=0)) > 0.6:
        return "all things are in one mask: keep an outline for each thing."
    return None
