"""Random crops, so that no picture is ever seen twice alike.

A part of the picture, or a little more than it, is stretched to the whole; light, contrast and noise change.
Nothing is turned or mirrored, since letters would not survive it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image

from ..scenes import VisibleThing
from .pool import INSTANCE_GRID, Facts
from .sizes import SIDE

SMALLEST, LARGEST = 0.75, 1.12
"""Sides of the crop as a share of the picture's; what lies beyond the picture is grey."""
LIGHT, CONTRAST, NOISE = 18.0, 0.2, 5.0
"""By how much brightness (of 255) and contrast (a share) change at most, and the largest deviation of the
noise.
"""

CropBox = tuple[int, int, int, int]


def random_crop_box(size: tuple[int, int], rng: np.random.Generator) -> CropBox:
    """x0, y0, x1, y1 in pixels of a picture of that size; its shape is near to the picture's."""
    sides = np.clip(rng.uniform(SMALLEST, LARGEST) * rng.uniform(0.92, 1.08, 2), SMALLEST, LARGEST)
    starts = np.minimum(0, 1 - sides) + rng.random(2) * np.abs(1 - sides)
    x0, y0, x1, y1 = (round(float(v)) for v in np.concatenate([starts, starts + sides]) * (*size, *size))
    return x0, y0, x1, y1


def random_crop(
    picture: np.ndarray, instances: np.ndarray, facts: Facts, crop: CropBox, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, Facts]:
    """Picture, instances and facts as seen through the crop.

    In the facts, boxes end at the crop's edges; quads and letters may lie beyond them, and outlines are
    left as they were.
    """
    x0, y0, x1, y1 = _fractions(crop, facts.size)
    move = (x1 - x0, 0.0, x0 * SIDE, 0.0, y1 - y0, y0 * SIDE)
    whole, grey = Image.fromarray(picture), (127, 127, 127)
    moved = whole.transform(
        (SIDE, SIDE), Image.Transform.AFFINE, move, Image.Resampling.BICUBIC, fillcolor=grey
    )
    pixels = np.asarray(moved, np.float32)
    pixels = (pixels - 127) * (1 + rng.uniform(-CONTRAST, CONTRAST)) + 127 + rng.uniform(-LIGHT, LIGHT)
    pixels += rng.standard_normal((SIDE, SIDE, 1), np.float32) * rng.uniform(0, NOISE)
    return (
        np.clip(pixels, 0, 255).astype(np.uint8),
        _moved_owners(instances, (x0, y0, x1, y1)),
        _moved_facts(facts, crop),
    )


def _fractions(crop: CropBox, size: tuple[int, int]) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = crop
    return x0 / size[0], y0 / size[1], x1 / size[0], y1 / size[1]


def _moved_owners(instances: np.ndarray, part: tuple[float, float, float, float]) -> np.ndarray:
    x0, y0, x1, y1 = part
    middles = (np.arange(INSTANCE_GRID) + 0.5) / INSTANCE_GRID
    columns, rows = (
        np.floor((first + middles * (last - first)) * INSTANCE_GRID).astype(int)
        for first, last in ((x0, x1), (y0, y1))
    )
    inside = ((rows >= 0) & (rows < INSTANCE_GRID))[:, None] & ((columns >= 0) & (columns < INSTANCE_GRID))
    return np.where(
        inside, instances[rows.clip(0, INSTANCE_GRID - 1)][:, columns.clip(0, INSTANCE_GRID - 1)], 0
    ).astype(instances.dtype)


def _moved_facts(facts: Facts, crop: CropBox) -> Facts:
    left, top, right, bottom = crop

    def moved(thing: VisibleThing) -> VisibleThing:
        x0, x1 = (min(max(x, left), right) - left for x in thing.box[::2])
        y0, y1 = (min(max(y, top), bottom) - top for y in thing.box[1::2])
        quads = tuple(quad - (left, top) for quad in thing.quads)
        return replace(
            thing,
            box=(x0, y0, x1, y1),
            quads=quads,
            letters=tuple((c, x - left, y - top) for c, x, y in thing.letters),
        )

    return Facts(tuple(map(moved, facts.things)), facts.background, (right - left, bottom - top))
