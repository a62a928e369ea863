"""The three kinds of things that carry text: signs, banners and number plates.

A text thing is laid out around its words: the letters fill the board and the board's shape follows them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from PIL import Image, ImageDraw, ImageFont

from ..errors import InputError
from ..fonts import bundled
from .pen import COLOURS, Tone, tone

SIGN_KINDS: dict[str, str] = {"sign": "ground", "banner": "sky", "number plate": "ground"}
"""Kind -> home, in the sense of `Kind.home`."""

FONTS: tuple[str, ...] = (
    "DejaVuSans-Bold",
    "DejaVuSansMono-Bold",
    "DejaVuSerif-Bold",
    "DejaVuSans",
    "STIXGeneralBol",
)
"""Fonts for `draw_sign`; they come with matplotlib."""

WORDS: tuple[str, ...] = tuple(
    "STOP GO OPEN CAFE HOTEL TAXI BUS ZOO PARK EXIT SALE MILK BOOK FISH SHOP BAKERY MUSEUM SCHOOL STATION"
    " HELLO WELCOME BEACH FIRE POLICE PIZZA BREAD COFFEE TEA ICE SLOW WAY OUT FARM PORT HARBOUR MARKET"
    " FLOWERS TOYS BIKE BOAT SUN MOON NEWS POST BANK CINEMA MUSIC GARDEN".split()
)
CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
"""What may be written."""

Point = tuple[float, float]
Quad = tuple[Point, Point, Point, Point]

_TEXT = re.compile(r"[A-Z0-9]{1,8}( [A-Z0-9]{1,8})?")
_OVERSAMPLING = 2
_DARK_INK, _WHITE_INK = (28, 26, 36), (252, 252, 250)
_LIGHT_BOARDS = ("white", "yellow", "orange", "pink")
_WOOD, _WOOD_LINE = (150, 104, 64), (84, 54, 36)
_STEEL, _STEEL_LIGHT, _STEEL_LINE = (150, 156, 166), (206, 210, 216), (66, 70, 80)


@dataclass(frozen=True)
class SignPicture:
    """A drawn text thing.

    Attributes:
        image: RGBA, cropped to its visible part.
        quads: one quad per line of text: four corners in pixels of ``image`` (origin top left), clockwise
            from the top left of the text as it is read. Tight around the ink in height; in width it holds the
            blank that belongs to the outer letters.
        letters: (character, x, y) for every letter of every line, the letter's middle in pixels of ``image``.
    """

    image: Image.Image
    quads: tuple[Quad, ...]
    letters: tuple[tuple[str, float, float], ...] = ()


@dataclass(frozen=True)
class _Style:
    """One kind's board: free room beside the text and above and below it, in cap heights, and the narrowest
    allowed aspect.
    """

    beside: float
    above: float
    aspect: float


_STYLES = {
    "sign": _Style(0.42, 0.36, 1.0),
    "banner": _Style(0.42, 0.34, 1.5),
    "number plate": _Style(0.72, 0.42, 1.5),
}
_LINE_GAP = 0.42


@dataclass(frozen=True)
class _Layout:
    """Text on a board of ``width`` x ``height`` paint pixels: the font; per line its words, pen position and
    ink box.
    """

    width: int
    height: int
    font: ImageFont.FreeTypeFont
    lines: tuple[tuple[str, Point, tuple[float, float, float, float]], ...]


def draw_sign(
    kind: str, lines: Sequence[str], colour: str, font: str, pixels: int, tilt: float
) -> SignPicture:
    """Draw a text thing.

    Args:
        kind: one of `SIGN_KINDS`.
        lines: one or two lines of text, each one or two words of 1-8 characters A-Z and 0-9.
        colour: the board's colour, one of `COLOURS`.
        font: one of `FONTS`.
        pixels: width of the board in pixels, without tails; at least 8.
        tilt: degrees clockwise by which the whole thing is turned, -15 to 15.

    Raises:
        InputError: an argument is none of the above.
    """
    if kind not in SIGN_KINDS or colour not in COLOURS:
        raise InputError(
            f"There is no {colour!r} {kind!r}: kinds are {', '.join(SIGN_KINDS)}, colours"
            f" {', '.join(COLOURS)}."
        )
    check_board(lines, font, tilt)
    if pixels < 8:
        raise InputError(f"A board is at least 8 pixels wide, not {pixels}.")
    layout = _lay_out(kind, tuple(lines), font, pixels * _OVERSAMPLING)
    sheet, corner = _BOARDS[kind](layout, tone(colour))
    _write(sheet, corner, layout, _DARK_INK if colour in _LIGHT_BOARDS else _WHITE_INK)
    quads = [_quad(box, corner) for _, _, box in layout.lines]
    return _finish(sheet, quads, _letters(layout, corner), tilt)


def check_board(lines: Sequence[str], font: str, tilt: float) -> None:
    """Raises InputError unless `draw_sign` can write these lines in this font at this tilt."""
    if font not in FONTS:
        raise InputError(f"There is no font {font!r}; choose one of: {', '.join(FONTS)}.")
    if isinstance(lines, str) or not 1 <= len(lines) <= 2:
        raise InputError(f"A sign has one or two lines of text, not {lines!r}.")
    for line in lines:
        if not _TEXT.fullmatch(line):
            raise InputError(
                f"A line is one or two words of 1-8 characters A-Z and 0-9; {line!r} cannot be written."
            )
    if not -15 <= tilt <= 15:
        raise InputError(f"A thing with text is tilted by -15 to 15 degrees, not {tilt}.")


@lru_cache(maxsize=512)
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(bundled(name), size, layout_engine=ImageFont.Layout.BASIC)


@cache
def _cap_height(name: str) -> float:
    """Height of a capital letter as a share of the font size."""
    return -_font(name, 200).getbbox("H", anchor="ls")[1] / 200


def _lay_out(kind: str, lines: tuple[str, ...], font: str, width: int) -> _Layout:
    style, cap = _STYLES[kind], _cap_height(font)
    reference = _font(font, 100)
    ink = max(x1 - x0 for x0, _, x1, _ in (reference.getbbox(line, anchor="ls") for line in lines)) / 100
    caps = len(lines) + _LINE_GAP * (len(lines) - 1) + 2 * style.above
    size = max(5, int(min(width / (ink + 2 * style.beside * cap), width / (style.aspect * caps * cap))))
    letters = _font(font, size)
    placed = []
    for i, line in enumerate(lines):
        x0, y0, x1, y1 = letters.getbbox(line, anchor="ls")
        x = round((width - x0 - x1) / 2)
        y = round((style.above + 1 + i * (1 + _LINE_GAP)) * cap * size)
        placed.append((line, (x, y), (x + x0, y + y0, x + x1, y + y1)))
    return _Layout(width, round(caps * cap * size), letters, tuple(placed))


def _write(sheet: Image.Image, corner: Point, layout: _Layout, ink: tuple[int, int, int]) -> None:
    brush = ImageDraw.Draw(sheet)
    for words, (x, y), _ in layout.lines:
        brush.text((corner[0] + x, corner[1] + y), words, font=layout.font, fill=ink, anchor="ls")


def _quad(box: tuple[float, float, float, float], corner: Point) -> Quad:
    x0, y0, x1, y1 = box[0] + corner[0], box[1] + corner[1], box[2] + corner[0], box[3] + corner[1]
    return (x0, y0), (x1, y0), (x1, y1), (x0, y1)


def _letters(layout: _Layout, corner: Point) -> list[tuple[str, Point]]:
    """Every letter with its middle on the sheet."""
    found: list[tuple[str, Point]] = []
    for words, (x, _), (_, y0, _, y1) in layout.lines:
        ends = [layout.font.getlength(words[: i + 1]) for i in range(len(words))]
        for letter, start, end in zip(words, [0.0, *ends], ends, strict=False):
            if letter != " ":
                found.append((letter, (corner[0] + x + (start + end) / 2, corner[1] + (y0 + y1) / 2)))
    return found


def _finish(
    sheet: Image.Image, quads: list[Quad], letters: list[tuple[str, Point]], tilt: float
) -> SignPicture:
    """Turn the sheet, its quads and letters, reduce all to final pixels and crop to what is visible."""
    middle = (sheet.width / 2, sheet.height / 2)
    # One conversion to colours multiplied by alpha serves both steps; Pillow would otherwise convert there
    # and back in each.
    sheet = sheet.convert("RGBa")
    if tilt:
        sheet = sheet.rotate(-tilt, Image.Resampling.BILINEAR, expand=True)
    shift = (sheet.width / 2, sheet.height / 2)
    image = sheet.reduce(_OVERSAMPLING).convert("RGBA")
    crop = image.getbbox() or (0, 0, *image.size)
    cos, sin = math.cos(math.radians(tilt)), math.sin(math.radians(tilt))

    def place(point: Point) -> Point:
        x, y = point[0] - middle[0], point[1] - middle[1]
        turned = (x * cos - y * sin + shift[0], x * sin + y * cos + shift[1])
        return turned[0] / _OVERSAMPLING - crop[0], turned[1] / _OVERSAMPLING - crop[1]

    placed = tuple(tuple(place(p) for p in quad) for quad in quads)
    return SignPicture(image.crop(crop), placed, tuple((letter, *place(at)) for letter, at in letters))  # type: ignore[arg-type]


def _plate(
    brush: ImageDraw.ImageDraw, box: tuple[float, float, float, float], shades: Tone, line: int, radius: int
) -> None:
    """A rounded board with an outline, a light edge at the top left and a dark one at the bottom right."""
    x0, y0, x1, y1 = box
    inner = max(0, radius - line)
    _rounded(brush, box, radius, shades.line)
    _rounded(brush, (x0 + line, y0 + line, x1 - line, y1 - line), inner, shades.dark)
    _rounded(brush, (x0 + line, y0 + line, x1 - 2 * line, y1 - 2 * line), inner, shades.light)
    _rounded(brush, (x0 + 2 * line, y0 + 2 * line, x1 - 2 * line, y1 - 2 * line), inner, shades.base)


def _rounded(
    brush: ImageDraw.ImageDraw,
    box: tuple[float, float, float, float],
    radius: int,
    fill: tuple[int, int, int],
) -> None:
    # Layers of a very small board can have no room left.
    if box[2] >= box[0] and box[3] >= box[1]:
        brush.rounded_rectangle(box, radius, fill=fill)


def _blank(width: float, height: float) -> Image.Image:
    return Image.new("RGBA", (math.ceil(width), math.ceil(height)), (0, 0, 0, 0))


def _line(layout: _Layout) -> int:
    """Thickness of an outline in paint pixels."""
    return max(2 if layout.height > 24 else 1, round(min(layout.width / 55, layout.height / 16)))


def _sign(layout: _Layout, shades: Tone) -> tuple[Image.Image, Point]:
    w, h, line = layout.width, layout.height, _line(layout)
    post = max(0.22 * w, 0.45 * h)
    sheet = _blank(w, h + post)
    brush = ImageDraw.Draw(sheet)
    thick = 0.075 * w
    for x in (0.2 * w, 0.8 * w) if w > 1.7 * h else (0.5 * w,):
        brush.rectangle(
            (x - thick / 2, h / 2, x + thick / 2, h + post), fill=_WOOD, outline=_WOOD_LINE, width=line
        )
        brush.rectangle((x - thick / 2, h, x + thick / 2, h + 0.14 * post), fill=_WOOD_LINE)
    _plate(brush, (0, 0, w - 1, h - 1), shades, line, round(0.13 * h))
    return sheet, (0, 0)


def _banner(layout: _Layout, shades: Tone) -> tuple[Image.Image, Point]:
    w, h, line = layout.width, layout.height, _line(layout)
    tail, drop, fold = max(0.1 * w, 0.2 * h), 0.22 * h, max(0.04 * w, 0.08 * h)
    sheet = _blank(w + 2 * tail, h + drop)
    brush = ImageDraw.Draw(sheet)
    foot = h + drop - line
    ribbon = [
        (line, drop),
        (tail + fold, drop),
        (tail + fold, foot),
        (line, foot),
        (tail * 0.55, h / 2 + drop),
    ]
    turn = [(tail, h - line), (tail + fold, h - line), (tail + fold, foot)]
    for points, fill in ((ribbon, shades.dark), (turn, shades.line)):
        _shape(brush, points, fill, shades.line, line)
        _shape(brush, [(sheet.width - 1 - x, y) for x, y in points], fill, shades.line, line)
    _plate(brush, (tail, 0, tail + w - 1, h - 1), shades, line, 0)
    return sheet, (tail, 0)


def _shape(brush: ImageDraw.ImageDraw, points: list[Point], fill, outline, width: int) -> None:
    brush.polygon(points, fill=fill)
    brush.line(points + points[:2], fill=outline, width=width, joint="curve")


def _number_plate(layout: _Layout, shades: Tone) -> tuple[Image.Image, Point]:
    w, h, line = layout.width, layout.height, _line(layout)
    sheet = _blank(w, h)
    brush = ImageDraw.Draw(sheet)
    radius = round(0.17 * h)
    _rounded(brush, (0, 0, w - 1, h - 1), radius, _STEEL_LINE)
    _rounded(brush, (line, line, w - 1 - line, h - 1 - line), max(0, radius - line), _STEEL_LIGHT)
    inset = round(2.2 * line)
    _plate(
        brush, (inset, inset, w - 1 - inset, h - 1 - inset), shades, max(1, line // 2), max(0, radius - inset)
    )
    gap = min(box[0] for _, _, box in layout.lines)
    bolt = 0.045 * h + 0.5 * line
    x = min(max(inset + 2.4 * line, gap * 0.55), inset + 0.13 * h + 2 * line)
    for at in (x, w - x):
        box = (at - bolt, h / 2 - bolt, at + bolt, h / 2 + bolt)
        brush.ellipse(box, fill=_STEEL_LIGHT, outline=_STEEL_LINE, width=max(1, line // 2))
    return sheet, (0, 0)


_BOARDS = {"sign": _sign, "banner": _banner, "number plate": _number_plate}
