"""From a mask of pixels to boxes and outlines."""

from __future__ import annotations

import numpy as np
from contourpy import FillType, contour_generator

SMALLEST_PIECE = 0.06
"""Pieces smaller than this share of the largest one are left out of an outline."""


def box_of(mask: np.ndarray) -> tuple[float, float, float, float]:
    """The box (x0, y0, x1, y1) around the true pixels of an (h, w) mask, far edges exclusive."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def outlines(mask: np.ndarray, tolerance: float = 0.018, most: int = 18) -> tuple[np.ndarray, ...]:
    """The outlines of the pieces of an (h, w) mask, largest first.

    Each is a float (k, 2) array of x, y in pixels (a pixel's edges are whole numbers), clockwise as seen,
    beginning at the corner nearest the picture's top left, without holes and without the closing point, at
    most ``most`` points, simplified by ``tolerance`` (Douglas-Peucker, a share of the piece's diagonal).
    """
    x0, y0, x1, y1 = (int(v) for v in box_of(mask))
    padded = np.pad(mask[y0:y1, x0:x1].astype(np.float32), 1)
    filled = contour_generator(z=padded, fill_type=FillType.OuterOffset).filled(0.5, np.inf)
    rings = [points[: offsets[1] - 1] for points, offsets in zip(*filled)]
    areas = [_area(ring) for ring in rings]
    largest = max(map(abs, areas))
    kept = sorted(
        (p for p in zip(areas, rings) if abs(p[0]) >= SMALLEST_PIECE * largest), key=lambda p: -abs(p[0])
    )
    shift = np.array([x0 - 0.5, y0 - 0.5])
    return tuple(_simple(ring if area > 0 else ring[::-1], tolerance, most) + shift for area, ring in kept)


def resample_outline(outline: np.ndarray, count: int = 20) -> np.ndarray:
    """The outline told by (count, 2) points that follow each other in about even steps, from the same
    beginning.

    A point stands on the sharpest corner that is at most half a step away along the outline, else on the
    outline itself. So the nth point of two like outlines is in like places, however many corners they have:
    that can be learned.
    """
    ring = np.vstack([outline, outline[:1]])
    way = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(ring, axis=0).T))])
    step = way[-1] / count
    come, go = outline - np.roll(outline, 1, axis=0), np.roll(outline, -1, axis=0) - outline
    turn = np.abs(np.arctan2(come[:, 0] * go[:, 1] - come[:, 1] * go[:, 0], (come * go).sum(axis=1)))
    sharp = turn * np.minimum(np.hypot(*come.T), np.hypot(*go.T))
    at = np.arange(count) * step
    points = np.stack([np.interp(at, way, ring[:, 0]), np.interp(at, way, ring[:, 1])], axis=1)
    for n in range(1, count):
        near = np.flatnonzero(np.abs(way[1:-1] - at[n]) <= step / 2) + 1
        if len(near):
            points[n] = outline[near[sharp[near].argmax()]]
    return points


def _area(ring: np.ndarray) -> float:
    """Signed area; positive is clockwise as seen (y grows downwards)."""
    x, y = ring[:, 0], ring[:, 1]
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def _simple(ring: np.ndarray, tolerance: float, most: int) -> np.ndarray:
    ring = np.roll(ring, -int(np.argmin(ring.sum(axis=1))), axis=0)
    far = int(np.argmax(((ring - ring[0]) ** 2).sum(axis=1)))
    reach = float(np.hypot(*np.ptp(ring, axis=0))) * tolerance
    while True:
        kept = np.concatenate(
            [_peucker(ring[: far + 1], reach)[:-1], _peucker(np.vstack([ring[far:], ring[:1]]), reach)[:-1]]
        )
        if len(kept) <= most:
            return kept if len(kept) >= 3 else ring[:: max(1, len(ring) // 4)]
        reach *= 1.25


def _peucker(line: np.ndarray, reach: float) -> np.ndarray:
    """Douglas-Peucker: the line without the points that stray less than ``reach`` from it."""
    keep = np.zeros(len(line), bool)
    keep[[0, -1]] = True
    spans = [(0, len(line) - 1)]
    while spans:
        a, b = spans.pop()
        if b - a < 2:
            continue
        way = line[b] - line[a]
        rest = line[a + 1 : b] - line[a]
        length = np.hypot(*way)
        stray = (
            np.abs(way[0] * rest[:, 1] - way[1] * rest[:, 0]) / length
            if length
            else np.hypot(rest[:, 0], rest[:, 1])
        )
        worst = int(np.argmax(stray))
        if stray[worst] > reach:
            keep[a + 1 + worst] = True
            spans += [(a, a + 1 + worst), (a + 1 + worst, b)]
    return line[keep]
