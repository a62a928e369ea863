"""An empty page in the place of a photograph that may not be passed on, or was left behind."""

from __future__ import annotations

from PIL import Image, ImageDraw

from ..fonts import clean, fitted, font_for

_PAPER, _RULE, _FRAME = (222, 225, 226), (210, 214, 216), (150, 158, 164)
_INK, _FAINT = (52, 60, 68), (98, 107, 115)


def empty_page(size: tuple[int, int], title: str) -> Image.Image:
    """A sheet of the photograph's size with its title, for boxes and masks to be drawn on.

    Args:
        size: ``(width, height)`` in pixels. title: a line about the photograph.

    Returns:
        RGB, grey paper with a faint rule at every tenth of its width.
    """
    width, height = size
    page = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(page)
    thin = max(1, round(width / 640))
    for index in range(1, 10 * max(width, height) // width + 1):
        place = round(index * width / 10)
        draw.line([(place, 0), (place, height)], fill=_RULE, width=thin)
        draw.line([(0, place), (width, place)], fill=_RULE, width=thin)
    draw.rectangle((0, 0, width - 1, height - 1), outline=_FRAME, width=thin)
    _words(draw, size, clean(title))
    return page


def _words(draw: ImageDraw.ImageDraw, size: tuple[int, int], title: str) -> None:
    """Two lines at the lower left, where they are seldom in the way of a box."""
    width, height = size
    letters = max(9, round(width / 34))
    if height < 5 * letters:
        return
    room, left, low = width - 2 * letters, letters, height - letters
    large, small = font_for(title, letters), font_for("", round(letters * 0.8))
    about = f"photograph not included · {width} × {height} pixels"
    draw.text((left, low), fitted(about, small, room), font=small, fill=_FAINT, anchor="ls")
    draw.text((left, low - letters * 1.3), fitted(title, large, room), font=large, fill=_INK, anchor="ls")
