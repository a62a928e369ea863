"""Pixels to ``<loc_…>`` tokens and back. Florence-2 cuts width and height into 1000 bins each: ``<loc_0>`` to
``<loc_999>``.

Going there loses up to half a bin (0.32 px in a picture of 640 px). Lesson 05 shows the round trip.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from .errors import InputError

BINS = 1000
# At most four digits: a longer run of digits is no location, and int() would refuse thousands of them.
LOC = re.compile(r"<loc_([0-9]{1,4})>")


def to_loc(box: Sequence[float] | np.ndarray, image_size: tuple[int, int]) -> str:
    """A box, or any points, as location tokens.

    Args:
        box: ``(x1, y1, x2, y2)``, or any even number of values ``x, y, x, y, …``, in pixels, origin top left.
            Nested sequences such as a quad of shape (4, 2) are read in order.
        image_size: ``(width, height)`` in pixels.

    Returns:
        One ``<loc_n>`` per number, n = floor(x / width * 1000), kept within 0 … 999.

    Raises:
        InputError: an odd number of values, none at all, one that is not finite, or shares from 0 to 1.
    """
    try:
        values = np.asarray(box, dtype=np.float64).ravel()
    except (TypeError, ValueError):
        raise InputError(f"to_loc needs numbers x, y, x, y, … in pixels, not {box!r}.") from None
    if not len(values) or len(values) % 2:
        raise InputError(f"to_loc needs pairs x, y, but got {len(values)} number{'s' * (len(values) != 1)}.")
    if not np.isfinite(values).all():
        raise InputError("to_loc got a number that is not finite: give positions in pixels.")
    check_pixels(values, image_size)
    # Times 1000 before the division: whole pixels then land in the exact bin, while 0.29 * 1000 would fall
    # just below 290.
    bins = np.floor(values * BINS / _sides(len(values), image_size)).clip(0, BINS - 1).astype(int)
    return "".join(f"<loc_{b}>" for b in bins)


def check_pixels(values: np.ndarray, image_size: tuple[int, int]) -> None:
    """Raises InputError for two or more points that all lie within the picture's first pixel: those are
    shares of its width and height, from 0 to 1, as YOLO and others write them.
    """
    if len(values) >= 4 and 0 <= values.min() and 0 < values.max() <= 1 and min(check_size(image_size)) > 8:
        width, height = image_size
        raise InputError(
            f"These positions from {values.min():g} to {values.max():g} are shares of the picture, and pixels"
            f" are needed: multiply x by its width ({width}) and y by its height ({height})."
        )


def from_loc(text: str, image_size: tuple[int, int]) -> np.ndarray:
    """The location tokens in a text as pixels: the centre of each bin.

    Args:
        text: any text; what is no ``<loc_…>`` token is passed over.
        image_size: ``(width, height)`` in pixels.

    Returns:
        float32 of shape (n,), always flat: ``x, y, x, y, …`` in order of appearance, (n + 0.5) * width / 1000
        for x. Use ``.reshape(-1, 4)`` for boxes and ``.reshape(-1, 2)`` for points.

    Raises:
        InputError: a token past ``<loc_999>``, which the vocabulary does not have.
    """
    if not isinstance(text, str):
        raise InputError(f"from_loc needs a string with <loc_…> tokens, not {type(text).__name__}.")
    bins = [int(number) for number in LOC.findall(text)]
    if bins and max(bins) >= BINS:
        raise InputError(f"There is no token <loc_{max(bins)}>: locations end at <loc_999>.")
    return centres(bins, image_size).astype(np.float32)


def centres(bins: Sequence[int], image_size: tuple[int, int]) -> np.ndarray:
    """Bin centres of alternating x and y bins, float64 of shape (n,), rounded to 4 decimals (exact for whole
    pixel sizes).
    """
    return np.round((np.asarray(bins, dtype=np.float64) + 0.5) * _sides(len(bins), image_size) / BINS, 4)


def check_size(image_size: tuple[int, int]) -> tuple[int, int]:
    """``(width, height)`` as ints. Raises InputError unless it is two whole numbers above zero."""
    try:
        width, height = (int(side) for side in image_size)
    except (TypeError, ValueError, OverflowError):
        raise InputError(
            f"image_size is (width, height) in pixels, such as image.size, not {image_size!r}."
        ) from None
    if width < 1 or height < 1:
        raise InputError(f"image_size is (width, height) in pixels, at least 1 each, not {image_size!r}.")
    return width, height


def _sides(count: int, image_size: tuple[int, int]) -> np.ndarray:
    return np.resize(np.asarray(check_size(image_size), dtype=np.float64), count)
