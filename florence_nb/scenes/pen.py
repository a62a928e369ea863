"""The pen with which every thing of the drawn world is drawn.

A kind is drawn once, large, on a transparent picture; scenes only scale, mirror and paste it. Coordinates are
design units: the longer side of a kind's sheet is 100, origin top left, x to the right, y down.
"""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (216, 44, 44),
    "orange": (244, 138, 32),
    "yellow": (248, 212, 48),
    "green": (52, 158, 72),
    "blue": (44, 106, 212),
    "purple": (138, 70, 180),
    "pink": (246, 140, 188),
    "white": (244, 244, 240),
    "black": (50, 50, 56),
}
"""The nine colours of the world, sRGB."""

OVERSAMPLING = 3


@dataclass(frozen=True)
class Tone:
    """One colour with its relatives, each an ``(r, g, b)`` tuple: what a kind is painted with."""

    base: tuple[int, int, int]
    light: tuple[int, int, int]
    dark: tuple[int, int, int]
    line: tuple[int, int, int]


def tone(colour: str) -> Tone:
    """The tone of one of the nine `COLOURS`; KeyError names an unknown one."""
    base = COLOURS[colour]
    return Tone(
        base, _mix(base, (255, 255, 255), 0.35), _mix(base, (20, 20, 50), 0.3), _mix(base, (20, 16, 30), 0.62)
    )


def _mix(one: Sequence[int], other: Sequence[int], share: float) -> tuple[int, int, int]:
    return tuple(round(a + (b - a) * share) for a, b in zip(one, other))  # type: ignore[return-value]


def hue_shift(rgb: tuple[int, int, int], turn: float) -> tuple[int, int, int]:
    """The colour with its hue turned by ``turn`` of a full circle."""
    h, l, s = colorsys.rgb_to_hls(*(c / 255 for c in rgb))
    return tuple(round(255 * c) for c in colorsys.hls_to_rgb((h + turn) % 1, l, s))  # type: ignore[return-value]


class Pen:
    """Paints shapes in design units on a transparent picture.

    Args:
        width, height: size of the sheet in design units; the longer one is 100.
        pixels: length in pixels of the finished picture's longer side.

    Every shape takes ``fill`` and ``line`` colours as ``(r, g, b)`` or ``(r, g, b, a)`` (a = 255 is opaque)
    and ``thick``, the width of the line in units. With ``inside=True`` a shape is blended only onto what is
    painted already, never onto the transparent ground: that is how shading, windows and eyes keep inside the
    outline.
    """

    def __init__(self, width: float, height: float, pixels: int = 256):
        self.width, self.height = width, height
        self._scale = pixels * OVERSAMPLING / max(width, height)
        size = (round(width * self._scale), round(height * self._scale))
        self._picture = Image.new("RGBA", size, (0, 0, 0, 0))
        self._final = (max(1, size[0] // OVERSAMPLING), max(1, size[1] // OVERSAMPLING))

    def picture(self) -> Image.Image:
        """The finished RGBA picture, smoothed."""
        return self._picture.resize(self._final, Image.Resampling.BOX)

    def polygon(self, points, fill=None, line=None, thick: float = 1.6, inside: bool = False) -> None:
        """A closed polygon through ``points``, a sequence of (x, y)."""
        at = self._at(points)

        def draw(brush):
            if fill is not None:
                brush.polygon(at, fill=fill)
            if line is not None:
                self._stroke(brush, at + at[:2], line, thick)

        self._paint(draw, inside)

    def path(self, points, line, thick: float = 1.6, inside: bool = False) -> None:
        """An open line with round joints and ends."""
        at = self._at(points)
        self._paint(lambda brush: self._stroke(brush, at, line, thick), inside)

    def ellipse(self, x0, y0, x1, y1, fill=None, line=None, thick: float = 1.6, inside: bool = False) -> None:
        """The ellipse that fits into the box."""
        box = self._box(x0, y0, x1, y1)
        self._paint(
            lambda brush: brush.ellipse(box, fill=fill, outline=line, width=self._px(thick) if line else 1),
            inside,
        )

    def rect(
        self,
        x0,
        y0,
        x1,
        y1,
        fill=None,
        line=None,
        thick: float = 1.6,
        radius: float = 0,
        inside: bool = False,
    ) -> None:
        """A rectangle, its corners rounded by ``radius`` units."""
        box = self._box(x0, y0, x1, y1)
        self._paint(
            lambda brush: brush.rounded_rectangle(
                box,
                self._px(radius) if radius else 0,
                fill=fill,
                outline=line,
                width=self._px(thick) if line else 1,
            ),
            inside,
        )

    def arc(self, x0, y0, x1, y1, start, end, line, thick: float = 1.6, inside: bool = False) -> None:
        """A curved line along an ellipse, angles in degrees clockwise from three o'clock."""
        box = self._box(x0, y0, x1, y1)
        self._paint(lambda brush: brush.arc(box, start, end, fill=line, width=self._px(thick)), inside)

    def _px(self, units: float) -> int:
        return max(1, round(units * self._scale))

    def _at(self, points) -> list[tuple[float, float]]:
        return [(x * self._scale, y * self._scale) for x, y in points]

    def _box(self, x0, y0, x1, y1) -> tuple[float, float, float, float]:
        return tuple(v * self._scale for v in (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)))  # type: ignore[return-value]

    def _stroke(self, brush, at, line, thick) -> None:
        width = self._px(thick)
        brush.line(at, fill=line, width=width, joint="curve")
        r = width / 2
        for x, y in (at[0], at[-1]):
            brush.ellipse((x - r, y - r, x + r, y + r), fill=line)

    def _paint(self, draw, inside: bool) -> None:
        layer = Image.new("RGBA", self._picture.size, (0, 0, 0, 0))
        draw(ImageDraw.Draw(layer))
        box = layer.getbbox()
        if box is None:
            return
        layer = layer.crop(box)
        if inside:
            layer.putalpha(
                ImageChops.multiply(layer.getchannel("A"), self._picture.crop(box).getchannel("A"))
            )
        self._picture.alpha_composite(layer, box[:2])


def smooth(points, closed: bool = True, steps: int = 8) -> list[tuple[float, float]]:
    """A smooth (Catmull-Rom) curve through ``points``, as a list of points: for bodies, petals, tails."""
    n = len(points)
    out = []
    spans = range(n) if closed else range(n - 1)
    for i in spans:
        if closed:
            p0, p1, p2, p3 = (points[(i + k) % n] for k in (-1, 0, 1, 2))
        else:
            p0, p1, p2, p3 = (points[min(max(i + k, 0), n - 1)] for k in (-1, 0, 1, 2))
        for s in range(steps):
            t = s / steps
            out.append(
                tuple(
                    0.5
                    * (
                        2 * b
                        + (c - a) * t
                        + (2 * a - 5 * b + 4 * c - d) * t * t
                        + (3 * b - a - 3 * c + d) * t**3
                    )
                    for a, b, c, d in zip(p0, p1, p2, p3)
                )
            )
    if not closed:
        out.append(tuple(points[-1]))
    return out
