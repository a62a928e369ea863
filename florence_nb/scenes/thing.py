"""Things: what is asked for, what of it is seen, and how each looks alone on a transparent sheet.

All coordinates are pixels of a scene's picture: x to the right, y down, origin top left, boxes xyxy with the
far edges exclusive.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np
from PIL import Image

from ..errors import InputError
from . import living, made
from .pen import COLOURS, Pen, tone
from .signs import FONTS, SIGN_KINDS, SignPicture, check_board, draw_sign

_DRAWN = {kind.name: kind for kind in (*made.KINDS, *living.KINDS)}
KINDS: tuple[str, ...] = (*_DRAWN, *SIGN_KINDS)
"""Every kind of thing of the world; the last three carry text."""
HELD_OUT: tuple[str, ...] = ("cactus", "teapot")
"""Kinds that are in the world but that the mini checkpoint never saw: they are there to be taught."""


@dataclass(frozen=True)
class Thing:
    """What to draw and where.

    Attributes:
        kind: one of `KINDS`.
        colour: one of the nine colours.
        at: centre as fractions (x, y) of the picture's width and height.
        size: longer side of the thing as a fraction of the picture's shorter side, before it is tilted (with
            text: after).
        mirrored: faces left instead of right (things with text are never mirrored).
        tilt: degrees, counter-clockwise; things with text: -15 to 15.
        stretch: the width is multiplied by this while ``size`` stays (things with text are never stretched).
        text: the words of a sign, banner or number plate, A-Z and 0-9; a line break makes two lines.
        font: one of `signs.FONTS`; None takes the first.

    Raises:
        InputError: no such kind, colour or font; text where none belongs, none where some does, or text that
            cannot be written; a number out of its range.
    """

    kind: str
    colour: str
    at: tuple[float, float] = (0.5, 0.5)
    size: float = 0.4
    mirrored: bool = False
    tilt: float = 0.0
    stretch: float = 1.0
    text: str = ""
    font: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"There is no kind {self.kind!r}; choose one of: {', '.join(KINDS)}.")
        if self.colour not in COLOURS:
            raise InputError(f"There is no colour {self.colour!r}; choose one of: {', '.join(COLOURS)}.")
        if bool(self.text) != (self.kind in SIGN_KINDS):
            raise InputError(
                f"Text belongs on {', '.join(SIGN_KINDS)} and only there; got kind {self.kind!r} with text"
                f" {self.text!r}."
            )
        if self.text:
            check_board(self.text.split("\n"), self.font or FONTS[0], self.tilt)
        self._check_numbers()

    def _check_numbers(self) -> None:
        if len(self.at) != 2 or not all(-1 <= place <= 2 for place in self.at):
            raise InputError(
                f"at is the centre as fractions (x, y) of the picture, from -1 to 2; got {self.at}."
            )
        if not 0.02 <= self.size <= 2:
            raise InputError(
                f"size is a fraction of the picture's shorter side, from 0.02 to 2; got {self.size}."
            )
        if not 0.25 <= self.stretch <= 4:
            raise InputError(f"stretch is a factor from 0.25 to 4; got {self.stretch}.")
        if not -360 <= self.tilt <= 360:
            raise InputError(f"tilt is in degrees, from -360 to 360; got {self.tilt}.")


@dataclass(frozen=True, eq=False)
class VisibleThing:
    """The part of a thing that is seen, in pixels of the scene's image. Only the very same one counts as
    equal.

    Attributes:
        thing: what was asked for; ``kind``, ``colour`` and ``text`` are repeated here.
        box: (x0, y0, x1, y1) around the seen part.
        polygons: outlines of the seen part, one (k, 2) float array a piece, largest first, clockwise, without
            the closing point.
        quads: one (4, 2) float array for each line of text, clockwise from the text's top left, whether
            covered or not.
        letters: ((character, x, y), …), the centre of every letter, whether covered or not.
        share: how much of the thing is seen, 0 … 1 (what lies outside the picture counts as unseen).
    """

    thing: Thing
    box: tuple[float, float, float, float]
    polygons: tuple[np.ndarray, ...]
    quads: tuple[np.ndarray, ...]
    letters: tuple[tuple[str, float, float], ...]
    share: float

    @property
    def kind(self) -> str:
        return self.thing.kind

    @property
    def colour(self) -> str:
        return self.thing.colour

    @property
    def text(self) -> str:
        return self.thing.text

    @property
    def polygon(self) -> np.ndarray:
        """The outline of the largest seen piece, (k, 2)."""
        return self.polygons[0]

    @property
    def quad(self) -> np.ndarray | None:
        """The corners of the first line of text, (4, 2), or None."""
        return self.quads[0] if self.quads else None


class SceneFacts(Protocol):
    """What `truth` and `words` need of a scene: its things from back to front, its background, its size in
    pixels.
    """

    @property
    def things(self) -> tuple[VisibleThing, ...]: ...

    @property
    def background(self) -> str: ...

    @property
    def size(self) -> tuple[int, int]: ...


@lru_cache(maxsize=1024)
def sprite(kind: str, colour: str, pixels: int = 256) -> Image.Image:
    """The thing alone on a transparent sheet, RGBA, cropped to what is painted; ``pixels`` is the longer side
    before cropping.
    """
    drawn = _DRAWN[kind]
    pen = Pen(drawn.width, drawn.height, pixels)
    drawn.draw(pen, tone(colour))
    return _cropped(pen.picture())


def home_of(kind: str) -> str:
    """Where a kind belongs: ground, sky, water or table."""
    return SIGN_KINDS[kind] if kind in SIGN_KINDS else _DRAWN[kind].home


class Stamp(NamedTuple):
    """A thing at its final size: an RGBA picture, the (4, 2) quads of its text and the centres of its
    letters, in pixels of it.
    """

    picture: Image.Image
    quads: tuple[np.ndarray, ...] = ()
    letters: tuple[tuple[str, float, float], ...] = ()


def stamp_of(thing: Thing, size: tuple[int, int]) -> Stamp:
    return _stamped(replace(thing, at=(0.5, 0.5)), size)


@lru_cache(maxsize=256)
def _stamped(thing: Thing, size: tuple[int, int]) -> Stamp:
    longest = max(4.0, thing.size * min(size))
    if thing.text:
        pixels = max(24, round(longest))
        lines = thing.text.split("\n")
        return _scaled_sign(
            draw_sign(thing.kind, lines, thing.colour, thing.font or FONTS[0], pixels, -thing.tilt), longest
        )
    picture = sprite(thing.kind, thing.colour)
    if thing.mirrored:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    scale = longest / max(picture.width * thing.stretch, picture.height)
    wanted = (max(2, round(picture.width * thing.stretch * scale)), max(2, round(picture.height * scale)))
    picture = picture.resize(wanted, Image.Resampling.BILINEAR, reducing_gap=2.0)
    if thing.tilt:
        picture = _cropped(picture.rotate(thing.tilt, Image.Resampling.BICUBIC, expand=True))
    return Stamp(picture)


def _cropped(picture: Image.Image) -> Image.Image:
    """Cut to what is painted."""
    return picture.crop(picture.getchannel("A").point(lambda a: 255 * (a > 100)).getbbox())


def _scaled_sign(drawn: SignPicture, longest: float) -> Stamp:
    factor = longest / max(drawn.image.size)
    size = (max(2, round(drawn.image.width * factor)), max(2, round(drawn.image.height * factor)))
    ratio = np.array([size[0] / drawn.image.width, size[1] / drawn.image.height])
    quads = tuple(np.asarray(quad, float) * ratio for quad in drawn.quads)
    letters = tuple((c, x * ratio[0], y * ratio[1]) for c, x, y in drawn.letters)
    return Stamp(drawn.image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0), quads, letters)
