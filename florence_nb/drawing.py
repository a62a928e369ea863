"""An `Answer` as a picture: boxes, quads, masks and labels, with the words in a strip below. Plain Pillow, no
figures.

A label always has the same colour, in every picture and every session. Each line has a dark rim and each name
stands on a plate, so that both can be read on light and on dark pictures. Lessons 05 to 09 use `show` after
every answer.
"""

from __future__ import annotations

import base64
import io
import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any, cast

import numpy as np
from PIL import Image, ImageColor, ImageDraw

from .answers import Answer, Region
from .errors import InputError
from .fonts import clean, fitted, font_for, wrapped
from .images import open_image
from .locations import LOC, from_loc
from .tasks import TASKS

Colour = tuple[int, int, int]
Palette = Sequence["str | Colour"] | Mapping[str, "str | Colour"]

# Twelve colours that stay apart for everybody: of any two, CIEDE2000 is 10 or more, also for eyes without
# one of the three kinds of cones. All carry black letters; the dark rim of the lines sets them off from
# light pictures.
PALETTE: tuple[str, ...] = (
    "#ff001a", "#66ffcc", "#b34dff", "#ffe64d", "#339980", "#ffb3e6", "#ccb31a", "#b399ff", "#e68099",
    "#80cc80", "#b36699", "#e64d66",
)  # fmt: skip

# With this salt the thirty kinds of the drawn world spread evenly: no colour serves more than three of them.
LABEL_SALT = 13116
_SMOOTH = 2
_STRIP = (247, 247, 244)
_INK = (28, 30, 36)
_FAINT = (96, 100, 110)
_WARN = (156, 74, 0)
_PAD = 10


class Drawing(Image.Image):
    """A picture that a notebook shows together with ``alt``, a sentence for who cannot see it."""

    alt = ""

    def _repr_html_(self) -> str:
        return img(self, self.alt)

    def _repr_png_(self) -> None:
        return None  # the JPEG is smaller


def described(picture: Image.Image, alt: str) -> Drawing:
    """The same picture with a sentence for who cannot see it."""
    picture.__class__ = Drawing  # Pillow has no way to make an image of a subclass
    drawing = cast(Drawing, picture)
    drawing.alt = alt
    return drawing


def img(picture: Image.Image, alt: str) -> str:
    """The picture as an ``<img>`` of its own size that shrinks with the page."""
    return (
        f'<img src="data:image/jpeg;base64,{jpeg(picture)}" width="{picture.width}"'
        f' alt="{escape(alt, quote=True)}">'
    )


def jpeg(picture: Image.Image, quality: int = 88) -> str:
    """An RGB picture as JPEG in base64."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return base64.b64encode(file.getvalue()).decode()


def alt_text(answer: Answer | Exception) -> str:
    """An answer in a sentence, for who cannot see the picture."""
    if isinstance(answer, Exception):
        return str(answer) or type(answer).__name__
    if answer.labels:
        names = ", ".join(label or "a region without a name" for label in answer.labels[:12])
        return f"Answer to {answer.task} drawn on the picture: {names}" + (
            " and more." if len(answer.labels) > 12 else "."
        )
    return f"Answer to {answer.task}: {answer.text or 'nothing found'}"


def show(
    answer: Answer | Exception,
    image: Any = None,
    *,
    width: int = 480,
    palette: Palette | None = None,
) -> Image.Image:
    """The answer drawn on its picture.

    Args:
        answer: of `run_example` or `parse`; or an error of `run_many`, whose sentence is shown.
        image: anything `open_image` takes; None: the picture of the answer, or a blank sheet if it has none.
            A picture of another size than ``answer.image_size`` is fine: places are scaled to it.
        width: of the result in pixels, 100 or more. A very tall picture becomes narrower and is set on a
            sheet of this width.
        palette: colours to use instead of `PALETTE`, as Pillow names them or as (r, g, b); or a dictionary
            that gives some labels a colour of their own.

    Returns:
        A new RGB image; a notebook shows it with an alternative text. Under the picture stands what was read
        or said, "nothing found", and each note of the answer.

    Raises:
        InputError: a width under 100, an empty palette or an unknown colour, or no image.
    """
    if not isinstance(width, int) or width < 100:
        raise InputError(f"width is the width of the result in whole pixels, at least 100, not {width!r}.")
    return described(_drawn(answer, image, width, _painter(palette)), alt_text(answer))


def show_all(
    answers: Sequence[Answer | Exception],
    columns: int | None = None,
    *,
    width: int = 960,
    palette: Palette | None = None,
) -> Image.Image:
    """Answers side by side, row by row, each with its prompt above; RGB, at most ``width`` pixels wide.

    Args:
        answers: at least one; in the place of an error of `run_many` its sentence is shown.
        columns: how many in a row; None: three, or fewer if there are fewer answers or no room.

    Raises:
        InputError: no answers, or no room for so many columns (100 pixels each).
    """
    answers = list(answers)
    if not answers:
        raise InputError("show_all needs at least one answer.")
    most = (width + _PAD) // (100 + _PAD)
    columns = min(3, len(answers), max(most, 1)) if columns is None else columns
    if not 1 <= columns <= most:
        raise InputError(
            f"There is no room for {columns} columns in {width} pixels: use 1 to {most}, or a larger width."
        )
    cell = (width - _PAD * (columns - 1)) // columns
    heads = [_head_words(answer) if isinstance(answer, Answer) else [] for answer in answers]
    strips = [_strip(words, cell) if words else None for words in heads]
    rows, colour = [], _painter(palette)
    for first in range(0, len(answers), columns):  # pictures of a row begin at one height
        part = slice(first, first + columns)
        high = max((strip.height for strip in strips[part] if strip), default=0)
        rows.append(
            [
                _drawn(answer, None, cell, colour, strip and _padded_to(strip, high))
                for answer, strip in zip(answers[part], strips[part], strict=True)
            ]
        )
    heights = [max(picture.height for picture in row) for row in rows]
    sheet = Image.new(
        "RGB", (cell * columns + _PAD * (columns - 1), sum(heights) + _PAD * (len(rows) - 1)), "white"
    )
    for r, row in enumerate(rows):
        for c, picture in enumerate(row):
            sheet.paste(picture, (c * (cell + _PAD), sum(heights[:r]) + r * _PAD))
    return described(sheet, " ".join(map(alt_text, answers)))


def colour_of(label: str, palette: Palette | None = None) -> Colour:
    """The colour of a label, (r, g, b): chosen by a checksum of its letters, so the same always and
    everywhere.
    """
    return _painter(palette)(label, 0)


def _painter(palette: Palette | None) -> Callable[[str, int], Colour]:
    """A function: label and index of a region → colour. Nameless regions take the colours in turn."""
    own, listed = (palette, None) if isinstance(palette, Mapping) else ({}, palette)
    try:
        fixed = {label: _rgb(colour) for label, colour in own.items()}
        colours = [_rgb(colour) for colour in (PALETTE if listed is None else listed)]
        if not colours:
            raise ValueError
    except (TypeError, ValueError):
        raise InputError(
            f"A palette is a list of colours such as '#1f8fff', 'red' or (255, 0, 0), not {palette!r}."
        ) from None
    return lambda label, index: fixed.get(label) or colours[_key(label, index) % len(colours)]


def _key(label: str, index: int) -> int:
    return zlib.crc32(f"{LABEL_SALT}{label.casefold()}".encode("utf-8", "replace")) if label else index


def _rgb(colour: str | Colour) -> Colour:
    r, g, b = ImageColor.getrgb(colour)[:3] if isinstance(colour, str) else (int(value) for value in colour)
    if not all(0 <= value <= 255 for value in (r, g, b)):
        raise ValueError
    return r, g, b


@dataclass
class _Mark:
    """One region to draw: closed outlines in pixels of the result, each (k, 2)."""

    outlines: list[np.ndarray]
    name: str
    colour: Colour
    kind: str

    def corners(self) -> tuple[float, float, float, float]:
        points = np.concatenate(self.outlines)
        return (*points.min(axis=0), *points.max(axis=0))

    def moved(self, shift: tuple[int, int]) -> _Mark:
        return replace(self, outlines=[outline + shift for outline in self.outlines])

    def area(self) -> float:
        x1, y1, x2, y2 = self.corners()
        return (x2 - x1) * (y2 - y1)


def _drawn(
    answer: Answer | Exception,
    image: Any,
    width: int,
    colour: Callable[[str, int], Colour],
    head: Image.Image | None = None,
) -> Image.Image:
    """The picture with its marks, below ``head``, above a strip of words."""
    if isinstance(answer, Exception):
        return _strip([(str(answer) or type(answer).__name__, _WARN)], width)
    if not isinstance(answer, Answer):
        raise InputError(f"What is shown is an Answer of run_example or parse, not {type(answer).__name__}.")
    picture = _picture(answer, image, width)
    marks = _marks(answer, np.array(picture.size) / answer.image_size, colour)
    picture = _named(_paint(picture, marks, _asked_region(answer, picture.size)), marks, width)
    foot = _foot_words(answer)
    parts = [part for part in (head, picture, _strip(foot, width) if foot else None) if part]
    sheet = Image.new("RGB", (width, sum(part.height for part in parts)), _STRIP)
    top = 0
    for part in parts:
        sheet.paste(part, (0, top))
        top += part.height
    return sheet


def _padded_to(strip: Image.Image, height: int) -> Image.Image:
    sheet = Image.new("RGB", (strip.width, height), _STRIP)
    sheet.paste(strip, (0, 0))
    return sheet


def _picture(answer: Answer, image: Any, width: int) -> Image.Image:
    """The picture to draw on, scaled to the width, but at most one and a half times as high as wide."""
    source = answer.image if image is None else image
    opened = open_image(source) if source is not None else Image.new("RGB", (8, 8), (226, 228, 232))
    w, h = opened.size if source is not None else answer.image_size
    scale = min(width / w, 1.5 * width / h)
    size = (max(1, round(w * scale)), max(1, round(h * scale)))
    return opened.resize(
        size, Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC, reducing_gap=3.0
    )


def _marks(answer: Answer, scale: np.ndarray, colour: Callable[[str, int], Colour]) -> list[_Mark]:
    return [_mark(region, scale, colour(region.label, index)) for index, region in enumerate(answer.regions)]


def _mark(region: Region, scale: np.ndarray, colour: Colour) -> _Mark:
    score = "" if region.score is None else f"{region.score:.2f}"
    name = " ".join(filter(None, (clean(region.label), score)))
    outlines = [part * scale for part in region.outlines]
    return _Mark(outlines, name, colour, region.kind)


def _asked_region(answer: Answer, size: tuple[int, int]) -> np.ndarray | None:
    """The region that was asked about as (x1, y1, x2, y2) in pixels of the result."""
    if TASKS[answer.task].takes != "region" or answer.text_input is None:
        return None
    if isinstance(answer.text_input, str):
        return from_loc(answer.text_input, size) if len(LOC.findall(answer.text_input)) == 4 else None
    return np.asarray(answer.text_input, dtype=float) * np.tile(np.array(size) / answer.image_size, 2)


def _paint(picture: Image.Image, marks: list[_Mark], region: np.ndarray | None) -> Image.Image:
    """Masks, then outlines, large before small. Drawn at twice the size and shrunk, so that slanted lines are
    smooth.
    """
    big = (picture.width * _SMOOTH, picture.height * _SMOOTH)
    layer = Image.new("RGBA", big, (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    marks = sorted(marks, key=_Mark.area, reverse=True)
    for mark in marks:
        if mark.kind == "polygon":
            _fill(layer, mark)
    for mark in marks:
        for outline in mark.outlines:
            _line(draw, _inside(outline, picture.size), mark.colour)
    if region is not None:
        _dashes(draw, _inside(region.reshape(2, 2), picture.size))
    layer = layer.resize(picture.size, Image.Resampling.BOX)
    return Image.alpha_composite(picture.convert("RGBA"), layer).convert("RGB")


def _inside(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Kept a pixel within the picture, so that a line along its edge is seen in full; in pixels of the
    layer.
    """
    limit = np.array(size, dtype=float)
    return np.clip(points, np.minimum(1, limit / 2), np.maximum(limit - 1, limit / 2)) * _SMOOTH


def _fill(layer: Image.Image, mark: _Mark) -> None:
    """Each mask is laid over the ones before it, so that both show where two overlap."""
    one = Image.new("RGBA", layer.size, (*mark.colour, 0))
    draw = ImageDraw.Draw(one)
    for outline in mark.outlines:
        draw.polygon([tuple(p) for p in outline * _SMOOTH], fill=(*mark.colour, 110))
    layer.alpha_composite(one)


def _line(draw: ImageDraw.ImageDraw, points: np.ndarray, colour: Colour) -> None:
    closed = [tuple(p) for p in (*points, points[0], points[1])]
    draw.line(closed, fill=(0, 0, 0, 160), width=4 * _SMOOTH, joint="curve")
    draw.line(closed, fill=(*colour, 255), width=2 * _SMOOTH, joint="curve")


def _dashes(draw: ImageDraw.ImageDraw, corners: np.ndarray) -> None:
    """A white and black dashed rectangle: the question, as the coloured lines are the answer."""
    (x1, y1), (x2, y2) = corners
    path = [(x1, y1), (x2, y1), (x2, y2), (x1, y2), (x1, y1)]
    for (ax, ay), (bx, by) in zip(path, path[1:], strict=False):
        draw.line([(ax, ay), (bx, by)], fill=(0, 0, 0, 220), width=2 * _SMOOTH)
        length, dash = math.hypot(bx - ax, by - ay), 6 * _SMOOTH
        for start in np.arange(0, length, 2 * dash):
            a, b = start / length, min(1, (start + dash) / length)
            ends = [(ax + (bx - ax) * t, ay + (by - ay) * t) for t in (a, b)]
            draw.line(ends, fill=(255, 255, 255, 255), width=2 * _SMOOTH)


Rectangle = tuple[int, int, int, int]
Corners = tuple[float, float, float, float]
_WEIGHTS = {"quad": 2.0, "polygon": 1.0, "box": 0.5}
"""How bad it is to lay a plate over a region: letters are worse than a mask, a mask than a box."""
_GAP = {"quad": 3}
"""Pixels between a plate and its region: the corners of a line of text lie close to its letters."""


def _named(picture: Image.Image, marks: list[_Mark], width: int) -> Image.Image:
    """The picture on a sheet that has room for the plates; small regions first: these have the fewest places
    to put a name.
    """
    sheet = Image.new("RGB", (width, max(picture.height, 40)), _STRIP)
    shift = (width - picture.width) // 2, (sheet.height - picture.height) // 2
    sheet.paste(picture, shift)
    draw = ImageDraw.Draw(sheet)
    size = _font_size(width, 13 if len(marks) <= 12 else 11 if len(marks) <= 30 else 9)
    taken: list[Rectangle] = []
    covered = [(_core(mark.moved(shift)), _WEIGHTS[mark.kind]) for mark in marks]
    for mark in sorted(marks, key=_Mark.area):
        if not mark.name:
            continue
        font = font_for(mark.name, size)
        text = fitted(mark.name, font, width - 8)
        w, h = math.ceil(font.getlength(text)) + 8, size + 6
        plate = _place(mark.moved(shift), (w, h), sheet.size, taken, covered)
        taken.append(plate)
        x, y, right, bottom = plate
        draw.rectangle((x, y, right - 1, bottom - 1), fill=mark.colour)
        draw.text((x + 4, y + h / 2), text, font=font, fill=_readable_on(mark.colour), anchor="lm")
    return sheet


def _core(mark: _Mark) -> Corners:
    """What no plate should hide: a plate may touch the rim of a region."""
    x1, y1, x2, y2 = mark.corners()
    return x1 + 2, y1 + 2, x2 - 2, y2 - 2


def _font_size(width: int, size: int) -> int:
    return max(9, round(size * min(max(width / 480, 0.8), 2.0)))


def _place(
    mark: _Mark,
    plate: tuple[int, int],
    size: tuple[int, int],
    taken: list[Rectangle],
    covered: list[tuple[Corners, float]],
) -> Rectangle:
    """Of several places at the region, all within the picture, the one that hides the least of other plates
    and of what the plates name; the first of equal ones.
    """
    w, h = plate
    spots = [_kept(x, y, plate, size) for x, y in _spots(mark, w, h)]

    def hidden(spot: Rectangle) -> float:
        plates = sum(_shared(spot, other) for other in taken)
        return 10 * plates + sum(weight * _shared(spot, corners) for corners, weight in covered)

    return min(spots, key=hidden)


def _spots(mark: _Mark, w: int, h: int) -> list[tuple[float, float]]:
    gap = _GAP.get(mark.kind, 0)
    x1, y1, x2, y2 = mark.corners() + np.array([-gap, -gap, gap, gap])
    middle = ((x1 + x2 - w) / 2, (y1 + y2 - h) / 2)
    outside = [(x1, y1 - h), (x2 - w, y1 - h), (x1, y2), (x2 - w, y2)]
    inside = [(x1, y1), (x2 - w, y1), (x1, y2 - h), (x2 - w, y2 - h)]
    down = [(x1, y) for y in np.arange(y1 + h, y2, h)]
    beside = [(x2, y1), (x1 - w, y1), (x2, y2 - h), (x1 - w, y2 - h)]
    further = [(x1, y1 - 2 * h), (x1, y2 + h), (x1, y1 - 3 * h), (x1, y2 + 2 * h)]
    return outside + beside + inside + [middle] + down + further


def _kept(x: float, y: float, plate: tuple[int, int], size: tuple[int, int]) -> Rectangle:
    left = round(min(max(x, 0), max(size[0] - plate[0], 0)))
    top = round(min(max(y, 0), max(size[1] - plate[1], 0)))
    return left, top, left + plate[0], top + plate[1]


def _shared(a: Corners, b: Corners) -> float:
    return max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))


def _readable_on(colour: Colour) -> str:
    """Black or white, whichever has more contrast (relative luminance of WCAG 2)."""
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (c / 255 for c in colour)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "black" if (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) else "white"


def _head_words(answer: Answer) -> list[tuple[str, Colour]]:
    asked = (
        answer.text_input
        if isinstance(answer.text_input, str) and TASKS[answer.task].takes == "phrase"
        else ""
    )
    return [(answer.task, _FAINT)] + ([(f"“{asked}”", _FAINT)] if asked else [])


def _foot_words(answer: Answer) -> list[tuple[str, Colour]]:
    notes = [(f"Note: {note}", _WARN) for note in answer.notes]
    if TASKS[answer.task].gives == "text":
        return [(answer.text or "No words came back.", _INK if answer.text else _FAINT)] + notes
    if answer.labels:
        return notes
    asked = (
        f" for “{answer.text_input}”"
        if isinstance(answer.text_input, str) and TASKS[answer.task].takes == "phrase"
        else ""
    )
    return [(f"Nothing found{asked}.", _FAINT)] + notes


def _strip(words: list[tuple[str, Colour]], width: int) -> Image.Image:
    """Words on a light ground, wrapped, at most twelve lines each."""
    size = _font_size(width, 14)
    step = round(size * 1.4)
    lines = []
    for text, colour in words:
        font = font_for(text, size)
        lines += [(line, font, colour) for line in wrapped(text, font, width - 2 * _PAD, most=12)]
    strip = Image.new("RGB", (width, step * len(lines) + _PAD), _STRIP)
    draw = ImageDraw.Draw(strip)
    for i, (line, font, colour) in enumerate(lines):
        draw.text((_PAD, _PAD / 2 + step * (i + 0.5)), line, font=font, fill=colour, anchor="lm")
    return strip
