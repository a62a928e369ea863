"""The drawn world for the page: pictures that the package draws, and what the page needs to put them together
and to know the truth.

A thing in any of its nine colours is made of two pictures: where it is painted in its colour, and in shades
of it, each pixel is ``share * colour + rest``. So one share (a grey picture) and one rest (red, green, blue)
serve all nine. A few kinds have marks of another colour on white or black; those are kept as they are.
"""

from __future__ import annotations

import io
from functools import cache
from typing import Any

import numpy as np
from PIL import Image, features

from ..fonts import bundled
from ..scenes import COLOURS, GALLERY, HELD_OUT, KINDS
from ..scenes import words as says
from ..scenes.pen import tone
from ..scenes.scene import backdrop
from ..scenes.signs import CHARACTERS, FONTS, SIGN_KINDS
from ..scenes.thing import home_of, sprite

ATLAS_WIDTH = 1536
FAR_OFF = 12
"""A colour whose pixels are further than so many levels from ``share * colour + rest`` gets its own
picture.
"""
_FITTED = ("red", "yellow", "blue", "purple")

Tile = tuple[int, int, int, int]


@cache
def world() -> dict[str, Any]:
    """Kinds, colours, places and scenes, as plain values. Tiles are x, y, width, height in the atlas."""
    return {
        "KINDS": {kind: home_of(kind) for kind in KINDS},
        "HELD_OUT": HELD_OUT,
        "SIGN_KINDS": list(SIGN_KINDS),
        "COLOURS": {colour: tone(colour).__dict__ for colour in COLOURS},
        "ATLAS": f"things.{_format()}",
        "TILES": _atlas()[1],
        "ATLAS_HEIGHT": _atlas()[0].height // 2,
        "SIZE": next(iter(GALLERY.values())).size,
        "SCENES": {name: _scene(name) for name in GALLERY},
        "GLYPHS": _glyphs(),
        "BACKGROUND_NOUNS": says.BACKGROUND_NOUNS,
        "PHRASE": says.PHRASE.pattern.replace("(?P<", "(?<"),
        "NAMED_IN_TEXT": says.NAMED_IN_TEXT.pattern.replace("(?P<", "(?<"),
        "SINGULAR": says.SINGULAR,
    }


@cache
def pictures() -> dict[str, bytes]:
    """File name -> bytes: the atlas of all things, and the empty place of each scene."""
    found = {"things": _encoded(_atlas()[0], lossless=True)}
    for name, scene in GALLERY.items():
        place = backdrop(scene.background, scene.seed, scene.size).image
        found[f"place-{name}"] = _encoded(place, lossless=False)
    return {f"{name}.{_format()}": content for name, content in found.items()}


def _format() -> str:
    return "webp" if features.check("webp") else "png"


def _encoded(picture: Image.Image, *, lossless: bool) -> bytes:
    file = io.BytesIO()
    how = {"lossless": lossless, "quality": 100 if lossless else 93, "method": 4}
    picture.save(file, _format(), **(how if _format() == "webp" else {"optimize": True}))
    return file.getvalue()


def _scene(name: str) -> dict[str, Any]:
    scene = GALLERY[name]
    things = [
        {
            "kind": thing.kind,
            "colour": thing.colour,
            "at": thing.at,
            "size": thing.size,
            "mirrored": thing.mirrored,
            "tilt": thing.tilt,
            "text": thing.text,
        }
        for thing in scene.wanted
    ]
    zones = backdrop(scene.background, scene.seed, scene.size).zones
    return {
        "background": scene.background,
        "picture": f"place-{name}.{_format()}",
        "zones": zones,
        "things": things,
    }


@cache
def _atlas() -> tuple[Image.Image, dict[str, Tile]]:
    """The upper half holds the rests (RGB), the lower half the shares (red) and the opacities (green); and
    where each tile is: by kind, or by "kind colour".
    """
    drawn = _tiles()
    places, height = _shelves({name: rest.shape[:2] for name, (rest, _, _) in drawn.items()})
    sheet = np.zeros((2 * height, ATLAS_WIDTH, 3), np.uint8)
    for name, (rest, share, opacity) in drawn.items():
        x, y, w, h = places[name]
        seen = opacity > 0
        sheet[y : y + h, x : x + w] = rest * seen[..., None]
        sheet[height + y : height + y + h, x : x + w, 0] = share * seen
        sheet[height + y : height + y + h, x : x + w, 1] = opacity
    return Image.fromarray(sheet), places


def _tiles() -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Name -> rest (h, w, 3), share (h, w) and opacity (h, w), uint8."""
    found = {}
    for kind in KINDS:
        if kind in SIGN_KINDS:
            continue
        drawn = {colour: np.asarray(sprite(kind, colour)) for colour in COLOURS}
        rest, share = _fit(drawn)
        opacity = drawn["red"][..., 3]
        found[kind] = rest, share, opacity
        for colour, pixels in drawn.items():
            made = np.round(share[..., None] / 255 * np.array(COLOURS[colour]) + rest)
            if np.abs(made - pixels[..., :3])[opacity > 0].max() > FAR_OFF:
                found[f"{kind} {colour}"] = pixels[..., :3], np.zeros_like(share), pixels[..., 3]
    return found


def _fit(drawn: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Least squares over a few colours: one share for all three channels, one rest for each."""
    colours = np.array([COLOURS[colour] for colour in _FITTED], float)[:, None, None]
    pixels = np.stack([drawn[colour][..., :3] for colour in _FITTED]).astype(float)
    spread, moved = colours - colours.mean(0), pixels - pixels.mean(0)
    share = (spread * moved).sum((0, 3)) / (spread**2).sum((0, 3))
    rest = pixels.mean(0) - share[..., None] * colours.mean(0)
    return rest.round().clip(0, 255).astype(np.uint8), (255 * share).round().clip(0, 255).astype(np.uint8)


def _shelves(sizes: dict[str, tuple[int, ...]]) -> tuple[dict[str, Tile], int]:
    """Tiles in rows, high ones first."""
    places: dict[str, Tile] = {}
    x = y = row = 0
    for name, (h, w) in sorted(sizes.items(), key=lambda item: -item[1][0]):
        if x + w > ATLAS_WIDTH:
            x, y, row = 0, y + row, 0
        places[name], x, row = (x, y, w, h), x + w, max(row, h)
    return places, y + row


def _glyphs() -> dict[str, Any]:
    """The letters of signs as outlines (SVG paths, y up), with advance and ink box, in thousandths of the
    font's size.
    """
    from fontTools.pens.boundsPen import BoundsPen
    from fontTools.pens.svgPathPen import SVGPathPen
    from fontTools.pens.transformPen import TransformPen
    from fontTools.ttLib import TTFont

    font = TTFont(bundled(FONTS[0]))
    scale = 1000 / font["head"].unitsPerEm
    shapes, names = font.getGlyphSet(), font.getBestCmap()
    found = {}
    for letter in CHARACTERS + " ":
        glyph = shapes[names[ord(letter)]]
        path, box = SVGPathPen(shapes, ntos=lambda v: f"{v:.0f}"), BoundsPen(shapes)
        for pen in (path, box):
            glyph.draw(TransformPen(pen, (scale, 0, 0, scale, 0, 0)))
        found[letter] = {
            "path": path.getCommands(),
            "advance": round(glyph.width * scale),
            "box": [round(v) for v in box.bounds or (0, 0, 0, 0)],
        }
    return found
