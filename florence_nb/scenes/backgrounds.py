"""The six places of the drawn world: calm, pale backgrounds that know where things may stand.

Places are given as fractions of the picture, x to the right and y down, so that one description serves every
size and aspect.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from ..errors import InputError
from ..locations import check_size
from .pen import hue_shift

HOMES: dict[str, tuple[str, ...]] = {
    "field": ("ground", "sky"),
    "beach": ("ground", "sky", "water"),
    "night street": ("ground", "sky"),
    "room": ("ground", "table"),
    "snow": ("ground", "sky"),
    "harbour": ("ground", "sky", "water"),
}
"""The homes that each place has, see `Backdrop.zones`."""
BACKGROUNDS: tuple[str, ...] = tuple(HOMES)

RGB = tuple[int, int, int]
Zones = dict[str, tuple[float, float]]

_WHITE: RGB = (255, 255, 255)


@dataclass(frozen=True)
class Backdrop:
    """A painted place.

    Attributes:
        image: RGB, in the size asked for.
        horizon: height of the horizon (indoors: of the line between wall and floor), a fraction of the
            picture's height.
        zones: home -> (lowest, highest) fraction of the picture's height where the bottom of a thing of that
            home may be, counted from the top. Homes are "ground", "sky", "water" and "table"; every place has
            "ground", the others only where they make sense.
    """

    image: Image.Image
    horizon: float
    zones: Zones


def paint(name: str, rng: random.Random, size: tuple[int, int]) -> Backdrop:
    """Paint one of the `BACKGROUNDS`, with variety from ``rng``, in ``size`` = (width, height) pixels.

    Raises:
        InputError: the name is unknown or a side is shorter than one pixel.
    """
    if name not in _PAINTERS:
        raise InputError(f"There is no background {name!r}; choose one of: {', '.join(BACKGROUNDS)}.")
    size = check_size(size)
    sheet = _Sheet(rng, size)
    horizon, zones = _PAINTERS[name](sheet, rng)
    return Backdrop(sheet.picture(), horizon, zones)


class _Sheet:
    """A picture being painted, twice as large as asked for unless it is large anyway. Coordinates are
    fractions of its sides.

    All colours are seen in one light: a small common turn of hue and change of brightness, drawn from
    ``rng``.
    """

    def __init__(self, rng: random.Random, size: tuple[int, int]):
        self._reduce = 2 if max(size) <= 800 else 1
        self.w, self.h = size[0] * self._reduce, size[1] * self._reduce
        self._image = Image.new("RGB", (self.w, self.h))
        self._brush = ImageDraw.Draw(self._image)
        self._unit = min(self.w, self.h) / 100
        self._turn, self._gain = rng.uniform(-0.025, 0.025), rng.uniform(0.93, 1.04)
        self._seen: dict[RGB, RGB] = {}

    def picture(self) -> Image.Image:
        return self._image.reduce(self._reduce) if self._reduce > 1 else self._image

    def light(self, rgb: RGB) -> RGB:
        """The colour as it is seen in this picture's light."""
        if rgb not in self._seen:
            red, green, blue = (min(255, round(c * self._gain)) for c in hue_shift(rgb, self._turn))
            self._seen[rgb] = (red, green, blue)
        return self._seen[rgb]

    def gradient(
        self,
        top: float,
        bottom: float,
        colours: Sequence[RGB],
        glow: tuple[float, float, float] | None = None,
    ) -> None:
        """Fill a band with colours that flow from ``top`` to ``bottom``; ``glow`` = (x, y in the band,
        strength 0-1).
        """
        y0, y1 = round(top * self.h), round(bottom * self.h)
        stops = np.array([self.light(c) for c in colours], np.float32)
        at = np.linspace(0, len(stops) - 1, 16)
        rows = np.stack([np.interp(at, np.arange(len(stops)), stops[:, c]) for c in range(3)], 1)
        grid = np.repeat(rows[:, None], 16 if glow else 1, 1)
        if glow:
            yy, xx = np.mgrid[0:1:16j, 0:1:16j]
            near = glow[2] * np.exp(-((xx - glow[0]) ** 2 + (yy - glow[1]) ** 2) / 0.12)
            grid += (np.array((255, 250, 232)) - grid) * near[..., None]
        band = Image.fromarray(grid.astype(np.uint8)).resize(
            (self.w, max(1, y1 - y0)), Image.Resampling.BILINEAR
        )
        self._image.paste(band, (0, y0))

    def shape(self, points: Sequence[tuple[float, float]], colour: RGB) -> None:
        self._brush.polygon([(x * self.w, y * self.h) for x, y in points], fill=self.light(colour))

    def rect(self, x0: float, y0: float, x1: float, y1: float, colour: RGB) -> None:
        self._brush.rectangle(
            (x0 * self.w, y0 * self.h, max(x0, x1) * self.w, max(y0, y1) * self.h), fill=self.light(colour)
        )

    def bar(self, x0: float, y0: float, x1: float, y1: float, colour: RGB) -> None:
        """A rectangle with round ends."""
        box = (x0 * self.w, y0 * self.h, x1 * self.w, y1 * self.h)
        self._brush.rounded_rectangle(box, min(box[3] - box[1], box[2] - box[0]) / 2, fill=self.light(colour))

    def line(self, points: Sequence[tuple[float, float]], colour: RGB, thick: float = 0.6) -> None:
        """An open line, ``thick`` in percent of the picture's shorter side."""
        at = [(x * self.w, y * self.h) for x, y in points]
        self._brush.line(at, fill=self.light(colour), width=max(1, round(thick * self._unit)))

    def dot(self, x: float, y: float, radius: float, colour: RGB, flat: float = 1.0) -> None:
        """A filled spot, ``radius`` in percent of the shorter side, its height ``flat`` times its width."""
        cx, cy, r = x * self.w, y * self.h, radius * self._unit
        self._brush.ellipse((cx - r, cy - r * flat, cx + r, cy + r * flat), fill=self.light(colour))


def _mix(one: RGB, other: RGB, share: float) -> RGB:
    return tuple(round(a + (b - a) * share) for a, b in zip(one, other, strict=True))  # type: ignore[return-value]


def _ridge(rng: random.Random, y: float, swing: float, waves: float = 1.5) -> list[tuple[float, float]]:
    """A soft wavy line across the picture around height ``y``, from left to right."""
    a, b, f = rng.uniform(0, 6.3), rng.uniform(0, 6.3), waves * rng.uniform(0.7, 1.3)
    return [
        (i / 24, y + swing * (0.7 * math.sin(a + 6.28 * f * i / 24) + 0.3 * math.sin(b + 14 * f * i / 24)))
        for i in range(25)
    ]


def _below(ridge: list[tuple[float, float]], bottom: float = 1.0) -> list[tuple[float, float]]:
    """The closed shape between a ridge and the height ``bottom``."""
    return [*ridge, (1.0, bottom), (0.0, bottom)]


def _clouds(sheet: _Sheet, rng: random.Random, top: float, bottom: float, colour: RGB, count: int) -> None:
    """Long flat clouds, each a few bars of different length."""
    for _ in range(count):
        x, y, length, thick = (
            rng.uniform(-0.1, 1),
            rng.uniform(top, bottom),
            rng.uniform(0.16, 0.36),
            rng.uniform(0.016, 0.026),
        )
        for row in range(rng.choice((2, 3))):
            left = x + rng.uniform(-0.3, 0.3) * length
            sheet.bar(
                left,
                y + row * thick * 0.9,
                left + length * rng.uniform(0.5, 1),
                y + (row + 1) * thick,
                colour,
            )


def _tufts(sheet: _Sheet, rng: random.Random, top: float, colour: RGB, count: int) -> None:
    """Blades of grass in threes, larger towards the bottom."""
    for _ in range(count):
        x, y = rng.random(), rng.uniform(top, 1)
        size = 0.008 + 0.02 * (y - top) / (1 - top)
        for lean in (-0.6, 0, 0.6):
            sheet.line([(x, y), (x + lean * size, y - size)], colour, 0.5)


def _ripples(
    sheet: _Sheet, rng: random.Random, top: float, bottom: float, colours: Sequence[RGB], count: int
) -> None:
    """Short level strokes on water, longer towards the bottom."""
    for _ in range(count):
        near = rng.random()
        x, y, length = (
            rng.uniform(-0.05, 1),
            top + (bottom - top) * near,
            (0.03 + 0.08 * near) * rng.uniform(0.5, 1.3),
        )
        sheet.line([(x, y), (x + length, y)], rng.choice(colours), 0.5 + 0.5 * near)


_DAYS: tuple[tuple[RGB, RGB], ...] = (
    ((176, 212, 236), (226, 238, 240)),
    ((186, 206, 232), (246, 228, 212)),
    ((196, 216, 226), (232, 236, 230)),
    ((178, 196, 222), (240, 214, 204)),
    ((206, 214, 220), (228, 230, 228)),
)
"""Skies by day, morning, evening and under cloud: colour at the top and at the horizon."""

_NIGHTS = (
    ((74, 84, 118), (124, 132, 158)),
    ((84, 80, 116), (146, 132, 156)),
    ((72, 92, 116), (120, 144, 156)),
)
_WINTER_DAYS = (
    ((182, 200, 220), (222, 226, 232)),
    ((196, 200, 216), (236, 222, 222)),
    ((166, 182, 206), (208, 214, 226)),
)


def _day_sky(sheet: _Sheet, rng: random.Random, horizon: float) -> tuple[RGB, RGB]:
    """Paint a sky down to the horizon; return its two colours."""
    top, low = rng.choice(_DAYS)
    sheet.gradient(
        0,
        min(1.0, horizon + 0.05),
        (top, low),
        (rng.uniform(0, 1), rng.uniform(0.1, 0.9), rng.uniform(0.2, 0.6)),
    )
    cloud = _mix(_mix(top, low, 0.5), _WHITE, rng.uniform(0.25, 0.55))
    _clouds(sheet, rng, 0.04, horizon * 0.75, cloud, rng.randint(0, 5))
    return top, low


def _field(sheet: _Sheet, rng: random.Random) -> tuple[float, Zones]:
    horizon = rng.uniform(0.46, 0.58)
    _, haze = _day_sky(sheet, rng, horizon)
    meadow = rng.choice(((178, 204, 150), (196, 206, 150), (166, 198, 160), (212, 206, 158), (188, 208, 168)))
    for back in range(rng.randint(1, 3), 0, -1):
        hill = _mix(_mix(meadow, (150, 180, 170), 0.4), haze, 0.12 + 0.2 * back)
        sheet.shape(_below(_ridge(rng, horizon - 0.035 * back, 0.03 + 0.012 * back, 0.7 + 0.4 * back)), hill)
    crest = _ridge(rng, horizon + 0.005, 0.01, 0.8)
    sheet.shape(_below(crest), _mix(meadow, haze, 0.15))
    sheet.gradient(horizon + 0.02, 1, (_mix(meadow, haze, 0.15), meadow, _mix(meadow, (120, 156, 110), 0.3)))
    _FIELD_FLOORS[rng.randrange(len(_FIELD_FLOORS))](sheet, rng, horizon + 0.02, meadow)
    _tufts(sheet, rng, horizon + 0.06, _mix(meadow, (110, 150, 100), 0.45), rng.randint(8, 26))
    return horizon, {"ground": (horizon + 0.08, 0.98), "sky": (0.15, horizon - 0.06)}


def _path(sheet: _Sheet, rng: random.Random, top: float, meadow: RGB) -> None:
    x, end, half = rng.uniform(0.2, 0.8), rng.uniform(0, 1), rng.uniform(0.08, 0.2)
    sand, left, right = _mix(meadow, (226, 208, 176), 0.6), [], []
    for i in range(13):
        t = i / 12
        middle = x + (end - x) * t * t + 0.05 * math.sin(5 * t) * (1 - t)
        left.append((middle - 0.008 - half * t**1.5, top + (1 - top) * t))
        right.append((middle + 0.008 + half * t**1.5, top + (1 - top) * t))
    sheet.shape([*left, *right[::-1]], sand)


def _furrows(sheet: _Sheet, rng: random.Random, top: float, meadow: RGB) -> None:
    x, colour = rng.uniform(0, 1), _mix(meadow, (140, 168, 116), 0.22)
    for i in range(-9, 10):
        foot = x + i * 0.24
        sheet.shape([(x + i * 0.06, top), (x + i * 0.06 + 0.02, top), (foot + 0.09, 1), (foot, 1)], colour)


def _patches(sheet: _Sheet, rng: random.Random, top: float, meadow: RGB) -> None:
    for y in sorted(rng.uniform(top + 0.03, 0.95) for _ in range(3)):
        sheet.shape(
            _below(_ridge(rng, y, 0.02, 0.8)),
            _mix(meadow, rng.choice(((140, 172, 120), (226, 222, 180))), 0.2),
        )


_FIELD_FLOORS = (_path, _furrows, _patches)


def _beach(sheet: _Sheet, rng: random.Random) -> tuple[float, Zones]:
    horizon, shore = rng.uniform(0.34, 0.44), rng.uniform(0.6, 0.68)
    _, haze = _day_sky(sheet, rng, horizon)
    sea = rng.choice(((138, 186, 206), (134, 194, 196), (150, 178, 210)))
    sand = rng.choice(((236, 222, 190), (230, 214, 186), (240, 226, 206)))
    sheet.gradient(horizon, shore + 0.06, (_mix(sea, haze, 0.25), sea, _mix(sea, (226, 240, 232), 0.35)))
    strokes = (_mix(sea, _WHITE, 0.35), _mix(sea, (90, 140, 176), 0.2))
    _ripples(sheet, rng, horizon + 0.01, shore - 0.02, strokes, rng.randint(20, 44))
    edge = _ridge(rng, shore, 0.014, 1.2)
    for drop, colour in (
        (-0.012, _mix(sea, _WHITE, 0.7)),
        (0.006, _mix(sand, (186, 170, 146), 0.4)),
        (0.04, sand),
    ):
        sheet.shape(_below([(x, y + drop) for x, y in edge]), colour)
    sheet.gradient(shore + 0.09, 1, (sand, _mix(sand, (206, 184, 146), 0.35)))
    _sand_marks(sheet, rng, shore + 0.1, sand)
    return horizon, {
        "ground": (shore + 0.09, 0.98),
        "sky": (0.14, horizon - 0.05),
        "water": (horizon + 0.07, shore - 0.03),
    }


def _sand_marks(sheet: _Sheet, rng: random.Random, top: float, sand: RGB) -> None:
    dark = _mix(sand, (176, 152, 116), 0.4)
    for _ in range(rng.randint(20, 50)):
        grain = rng.choice((dark, _mix(sand, _WHITE, 0.5)))
        sheet.dot(rng.random(), rng.uniform(top, 1), rng.uniform(0.25, 0.5), grain, 0.6)
    if rng.random() < 0.6:
        _footprints(sheet, rng, top + 0.02, dark)


def _footprints(sheet: _Sheet, rng: random.Random, top: float, colour: RGB) -> None:
    """A trail that comes nearer, step by step left and right of its line."""
    x, drift = rng.uniform(0.1, 0.9), rng.uniform(-0.5, 0.5)
    for i in range(9):
        t = (i / 9) ** 1.3
        side = (0.008 + 0.016 * t) * (-1) ** i
        sheet.dot(x + drift * t + side, top + (1 - top) * t, 0.5 + 0.9 * t, colour, 0.55)


def _night_street(sheet: _Sheet, rng: random.Random) -> tuple[float, Zones]:
    horizon = rng.uniform(0.56, 0.64)
    top, low = rng.choice(_NIGHTS)
    sheet.gradient(0, horizon, (top, low), (rng.uniform(0, 1), rng.uniform(0, 1), rng.uniform(0, 0.16)))
    for _ in range(rng.randint(0, 50)):
        star = _mix(low, (236, 236, 220), rng.choice((0.3, 0.5, 0.7, 0.9)))
        sheet.dot(rng.random(), rng.uniform(0, horizon * 0.6), rng.uniform(0.2, 0.4), star)
    _skyline(sheet, rng, horizon, _mix(low, (110, 120, 146), 0.5), 0.3, None)
    _skyline(sheet, rng, horizon, _mix(top, (112, 120, 142), 0.55), 0.22, _mix(low, (236, 220, 160), 0.7))
    kerb = horizon + rng.uniform(0.08, 0.12)
    sheet.gradient(horizon, 1, ((128, 132, 146), (138, 142, 154)))
    sheet.gradient(kerb, 1, ((106, 110, 126), (116, 120, 134), (100, 104, 120)))
    sheet.rect(0, kerb - 0.006, 1, kerb + 0.006, (164, 168, 178))
    _road_marks(sheet, rng, horizon, kerb)
    return horizon, {"ground": (horizon + 0.06, 0.98), "sky": (0.14, 0.42)}


def _skyline(
    sheet: _Sheet, rng: random.Random, foot: float, wall: RGB, height: float, lit: RGB | None
) -> None:
    """A row of flat-roofed blocks; with ``lit`` they have windows, some of them lit."""
    x = rng.uniform(-0.1, 0)
    while x < 1:
        width, top = rng.uniform(0.13, 0.26), foot - height * rng.uniform(0.5, 1.45)
        colour = _mix(wall, (92, 98, 126), rng.uniform(0, 0.35))
        sheet.rect(x, top, x + width, foot, colour)
        if lit:
            _windows(sheet, rng, (x, top, x + width, foot), colour, lit)
        x += width + rng.choice((0, 0, 0.03))


def _windows(
    sheet: _Sheet, rng: random.Random, wall: tuple[float, float, float, float], colour: RGB, lit: RGB
) -> None:
    x0, y0, x1, y1 = wall
    columns, rows = max(2, round((x1 - x0) / 0.05)), max(2, round((y1 - y0) / 0.065))
    dark, share = _mix(colour, (60, 66, 96), 0.3), rng.uniform(0.1, 0.4)
    for i in range(columns):
        for j in range(rows):
            x, y = x0 + (x1 - x0) * (i + 0.3) / columns, y0 + (y1 - y0) * (j + 0.3) / rows
            pane = lit if rng.random() < share else dark
            sheet.rect(x, y, x + 0.42 * (x1 - x0) / columns, y + 0.5 * (y1 - y0) / rows, pane)


def _road_marks(sheet: _Sheet, rng: random.Random, horizon: float, kerb: float) -> None:
    """Paving joints, and the broken middle line of the road."""
    for i in range(rng.randint(6, 10)):
        x = i / 9
        sheet.line([(x, horizon), (x + (x - 0.5) * 0.12, kerb)], (116, 120, 136), 0.4)
    y, start, dash = kerb + (1 - kerb) * rng.uniform(0.45, 0.6), rng.uniform(-0.2, 0), rng.uniform(0.1, 0.16)
    for i in range(6):
        x = start + i * dash * 2
        sheet.shape(
            [(x + 0.01, y), (x + dash + 0.01, y), (x + dash, y + 0.022), (x, y + 0.022)], (152, 156, 164)
        )


def _room(sheet: _Sheet, rng: random.Random) -> tuple[float, Zones]:
    horizon = rng.uniform(0.68, 0.74)
    wall = rng.choice(
        ((224, 214, 200), (206, 218, 216), (214, 212, 224), (228, 216, 210), (212, 220, 204), (222, 222, 218))
    )
    walls = (_mix(wall, _WHITE, 0.15), _mix(wall, (150, 146, 150), 0.1))
    sheet.gradient(0, horizon, walls, (rng.random(), rng.random(), 0.3))
    _WALLPAPERS[rng.randrange(len(_WALLPAPERS))](sheet, rng, horizon, _mix(wall, (160, 150, 150), 0.16))
    if rng.random() < 0.7:
        _window(sheet, rng, wall)
    sheet.rect(0, horizon - 0.022, 1, horizon, _mix(wall, _WHITE, 0.5))
    _floor(sheet, rng, horizon)
    table = _table(sheet, rng, horizon)
    return horizon, {"ground": (0.9, 0.98), "table": table}


def _stripes(sheet: _Sheet, rng: random.Random, bottom: float, colour: RGB) -> None:
    step = rng.uniform(0.06, 0.12)
    for i in range(math.ceil(1 / step)):
        sheet.rect(i * step, 0, (i + 0.45) * step, bottom, colour)


def _panels(sheet: _Sheet, rng: random.Random, bottom: float, colour: RGB) -> None:
    rail = bottom - rng.uniform(0.2, 0.3)
    sheet.rect(0, rail, 1, bottom, colour)
    sheet.rect(0, rail - 0.008, 1, rail + 0.008, _mix(colour, _WHITE, 0.4))


def _specks(sheet: _Sheet, rng: random.Random, bottom: float, colour: RGB) -> None:
    step = rng.uniform(0.08, 0.11)
    for row in range(math.ceil(bottom / step)):
        for column in range(math.ceil(1 / step) + 1):
            sheet.dot((column + row % 2 / 2) * step, (row + 0.5) * step, 0.6, colour)


_WALLPAPERS: tuple[Callable[[_Sheet, random.Random, float, RGB], None], ...] = (_stripes, _panels, _specks)


def _window(sheet: _Sheet, rng: random.Random, wall: RGB) -> None:
    x, width, top, bottom = (
        rng.uniform(0.05, 0.6),
        rng.uniform(0.26, 0.36),
        rng.uniform(0.04, 0.1),
        rng.uniform(0.36, 0.46),
    )
    frame, sky = _mix(wall, _WHITE, 0.6), rng.choice(((198, 220, 232), (226, 222, 222), (176, 188, 208)))
    sheet.rect(x - 0.015, top - 0.015, x + width + 0.015, bottom + 0.015, frame)
    sheet.rect(x, top, x + width, bottom, sky)
    hill = [
        (x, bottom),
        (x, bottom - 0.06),
        (x + width / 2, bottom - 0.09),
        (x + width, bottom - 0.05),
        (x + width, bottom),
    ]
    sheet.shape(hill, _mix(sky, (160, 190, 160), 0.4))
    sheet.rect(x + width / 2 - 0.006, top, x + width / 2 + 0.006, bottom, frame)
    sheet.rect(x, (top + bottom) / 2 - 0.006, x + width, (top + bottom) / 2 + 0.006, frame)
    sheet.rect(x - 0.03, bottom + 0.01, x + width + 0.03, bottom + 0.03, _mix(frame, (150, 140, 140), 0.2))
    if rng.random() < 0.6:
        cloth = _mix(wall, rng.choice(((220, 190, 180), (180, 200, 210), (200, 210, 180))), 0.6)
        for edge, way in ((x - 0.04, 1), (x + width + 0.04, -1)):
            inner = [(edge + way * 0.11, top - 0.03), (edge + way * 0.05, bottom)]
            sheet.shape([(edge, top - 0.03), *inner, (edge, bottom + 0.02)], cloth)


def _floor(sheet: _Sheet, rng: random.Random, horizon: float) -> None:
    wood = rng.choice(((206, 186, 160), (190, 176, 162), (196, 192, 188), (212, 198, 178)))
    sheet.gradient(horizon, 1, (_mix(wood, (120, 100, 90), 0.12), wood))
    joint, vanish = _mix(wood, (120, 100, 84), 0.25), rng.uniform(0.3, 0.7)
    for i in range(-12, 13):
        sheet.line([(vanish + i * 0.08, horizon), (vanish + i * 0.13, 1)], joint, 0.35)
    for _ in range(rng.randint(0, 3)):
        y = rng.uniform(horizon + 0.02, 0.98)
        sheet.line([(0, y), (1, y)], joint, 0.35)


def _table(sheet: _Sheet, rng: random.Random, horizon: float) -> tuple[float, float]:
    """A table as wide as the picture; returns where things may stand on it."""
    back = horizon - rng.uniform(0.1, 0.14)
    front = back + rng.uniform(0.11, 0.14)
    left, right = rng.choice(((0.0, 1.0), (0.03, 0.97), (-0.1, 0.98), (0.02, 1.1)))
    top = rng.choice(((198, 168, 136), (184, 152, 124), (214, 194, 164), (204, 180, 160), (176, 160, 148)))
    dark = _mix(top, (96, 72, 60), 0.35)
    for x in (left + 0.05, right - 0.09):
        sheet.rect(x, front, x + 0.04, 0.93, dark)
    sheet.shape([(left + 0.03, back), (right - 0.03, back), (right, front), (left, front)], top)
    sheet.line([(left + 0.03, back), (right - 0.03, back)], _mix(top, _WHITE, 0.4), 0.5)
    sheet.rect(left, front, right, front + 0.022, _mix(top, (96, 72, 60), 0.2))
    sheet.rect(left + 0.03, front + 0.022, right - 0.03, front + 0.05, dark)
    return back + 0.3 * (front - back), front - 0.12 * (front - back)


def _snow(sheet: _Sheet, rng: random.Random) -> tuple[float, Zones]:
    horizon = rng.uniform(0.46, 0.58)
    top, low = rng.choice(_WINTER_DAYS)
    sheet.gradient(0, horizon + 0.05, (top, low), (rng.random(), rng.random(), 0.4))
    _clouds(sheet, rng, 0.04, horizon * 0.7, _mix(low, _WHITE, 0.3), rng.randint(0, 3))
    _peaks(sheet, rng, horizon, _mix(low, (160, 176, 200), 0.6))
    ground = rng.choice(((222, 230, 238), (214, 226, 236), (226, 228, 238)))
    sheet.shape(_below(_ridge(rng, horizon - 0.01, 0.025, 1)), _mix(ground, (170, 188, 212), 0.25))
    sheet.shape(_below(_ridge(rng, horizon + 0.02, 0.014, 0.8)), _mix(ground, (180, 196, 218), 0.1))
    sheet.gradient(
        horizon + 0.05, 1, (_mix(ground, (180, 196, 218), 0.1), ground, _mix(ground, (180, 196, 218), 0.2))
    )
    for y in (rng.uniform(horizon + 0.1, 0.95) for _ in range(rng.randint(1, 3))):
        sheet.line(_ridge(rng, y, 0.014, 0.7), _mix(ground, (170, 190, 216), 0.4), 0.9)
    if rng.random() < 0.6:
        _footprints(sheet, rng, horizon + 0.1, _mix(ground, (150, 172, 204), 0.55))
    for _ in range(rng.choice((0, 30, 70))):
        sheet.dot(rng.random(), rng.random(), rng.uniform(0.3, 0.7), (248, 250, 252))
    return horizon, {"ground": (horizon + 0.08, 0.98), "sky": (0.15, horizon - 0.06)}


def _peaks(sheet: _Sheet, rng: random.Random, foot: float, colour: RGB) -> None:
    """A far mountain chain, one jagged line."""
    wide = max(1.0, sheet.h / sheet.w)
    x, points = -0.1 * wide, []
    while x < 1.1:
        points += [(x, foot - rng.uniform(0.02, 0.05)), (x + 0.1 * wide, foot - rng.uniform(0.06, 0.17))]
        x += rng.uniform(0.2, 0.3) * wide
    sheet.shape([(points[0][0], foot + 0.05), *points, (points[-1][0], foot + 0.05)], colour)


def _harbour(sheet: _Sheet, rng: random.Random) -> tuple[float, Zones]:
    horizon, quay = rng.uniform(0.36, 0.46), rng.uniform(0.68, 0.74)
    _, haze = _day_sky(sheet, rng, horizon)
    water = rng.choice(((134, 168, 186), (126, 172, 178), (146, 166, 190)))
    if rng.random() < 0.7:
        sheet.shape(
            _below(_ridge(rng, horizon - 0.05, 0.03, 1), horizon + 0.01), _mix((150, 176, 170), haze, 0.45)
        )
    _skyline(sheet, rng, horizon, _mix((170, 172, 178), haze, 0.35), rng.uniform(0.05, 0.1), None)
    sheet.gradient(horizon, quay, (_mix(water, haze, 0.3), water, _mix(water, (90, 130, 150), 0.2)))
    sheet.rect(0, horizon - 0.008, 1, horizon + 0.012, _mix((150, 150, 152), haze, 0.25))
    strokes = (_mix(water, _WHITE, 0.3), _mix(water, (80, 124, 150), 0.2))
    _ripples(sheet, rng, horizon + 0.03, quay - 0.01, strokes, rng.randint(24, 50))
    _quay(sheet, rng, quay)
    return horizon, {
        "ground": (quay + 0.06, 0.98),
        "sky": (0.14, horizon - 0.06),
        "water": (horizon + 0.08, quay - 0.03),
    }


def _quay(sheet: _Sheet, rng: random.Random, top: float) -> None:
    """A landing stage: stone slabs or planks in front of the water."""
    stone = rng.choice(((196, 192, 186), (188, 180, 168), (206, 194, 176), (182, 188, 192)))
    sheet.gradient(top, 1, (_mix(stone, _WHITE, 0.12), stone, _mix(stone, (130, 124, 124), 0.15)))
    joint, vanish = _mix(stone, (110, 106, 106), 0.3), rng.uniform(0.3, 0.7)
    rows = (0.0,) if rng.random() < 0.5 else (0.0, 0.25, 0.58)
    for i in range(-14, 15):
        sheet.line([(vanish + i * 0.09, top), (vanish + i * 0.16, 1)], joint, 0.4)
    for row in rows:
        sheet.line([(0, top + (1 - top) * row), (1, top + (1 - top) * row)], joint, 0.5)
    sheet.rect(0, top - 0.008, 1, top + 0.012, _mix(stone, _WHITE, 0.35))
    sheet.rect(0, top - 0.02, 1, top - 0.008, _mix(stone, (90, 90, 100), 0.5))


_PAINTERS: dict[str, Callable[[_Sheet, random.Random], tuple[float, Zones]]] = {
    "field": _field,
    "beach": _beach,
    "night street": _night_street,
    "room": _room,
    "snow": _snow,
    "harbour": _harbour,
}
