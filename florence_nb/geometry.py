"""How well two regions agree: one truth for lessons, widgets and evaluation. Boxes are ``x1, y1, x2, y2`` in
pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image, ImageDraw

WELL_PLACED = 0.5
"""The least IoU of a region that counts as found."""


def box_iou(one: Sequence[float] | np.ndarray, other: Sequence[float] | np.ndarray) -> float:
    """Intersection over union of two boxes ``(x1, y1, x2, y2)``, 0 to 1; 0 where both are empty."""
    across = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    down = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    both = (
        (one[2] - one[0]) * (one[3] - one[1]) + (other[2] - other[0]) * (other[3] - other[1]) - across * down
    )
    return float(across * down / both) if both > 0 else 0.0


def match(ious: Iterable[tuple[float, int, int]]) -> list[tuple[int, int, float]]:
    """Pairs regions greedily, the best IoU first, each region used once.

    Args:
        ious: (IoU, index in one list, index in the other) of all pairs that are allowed.

    Returns:
        (index in the one, index in the other, IoU) of each pair, best first.
    """
    kept: list[tuple[int, int, float]] = []
    for iou, i, j in sorted(ious, reverse=True):
        if all(i != one and j != other for one, other, _ in kept):
            kept.append((i, j, iou))
    return kept


def rasterize(polygons: Iterable[np.ndarray], size: tuple[int, int]) -> np.ndarray:
    """What polygons cover, as a bool mask (height, width).

    Args:
        polygons: (k, 2) arrays of x, y in pixels, where a pixel's edges are whole numbers. Fewer than three
            points cover nothing.
        size: ``(width, height)`` of the picture.
    """
    picture = Image.new("1", size)
    brush = ImageDraw.Draw(picture)
    for polygon in polygons:
        if len(polygon) >= 3:
            # For Pillow a whole number is the middle of a pixel, here it is an edge.
            brush.polygon([tuple(point) for point in np.asarray(polygon, float) - 0.5], fill=1)
    return np.asarray(picture)


def mask_iou(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union of two bool masks of one shape, 0 to 1; 1 where both are empty."""
    union = (one | other).sum()
    return float((one & other).sum() / union) if union else 1.0
