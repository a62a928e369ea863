"""Scenes: things on a background, drawn, with the truth about every thing that can be seen.

A `Thing` says what is wanted and where; a `Scene` draws its things from back to front and knows, for each,
the box, outline and words of the part that is seen.
"""

from __future__ import annotations

import io
import random
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from ..errors import InputError
from ..locations import check_size
from . import truth
from .backgrounds import BACKGROUNDS, Backdrop, paint
from .outline import box_of, outlines
from .thing import Stamp, Thing, VisibleThing, stamp_of

MAX_THINGS = 255


@dataclass(frozen=True)
class CameraEffects:
    """How the camera saw a scene; applied in the order of the attributes.

    Attributes:
        brightness, contrast, saturation: factors as in ``PIL.ImageEnhance``; 1 changes nothing.
        blur: radius of a Gaussian blur in pixels; 0 is none.
        noise: standard deviation of grey noise, in levels of 0 to 255; 0 is none.
        jpeg: quality, 1 to 95, of a JPEG that the picture is saved as and read from; 0 is none.
    """

    brightness: float = 1.0
    contrast: float = 1.0
    saturation: float = 1.0
    blur: float = 0.0
    noise: float = 0.0
    jpeg: int = 0


@dataclass(frozen=True)
class Scene:
    """Things on a background. It is drawn when something of it is first asked for.

    Attributes:
        wanted: the `Thing`s asked for, from back to front; ``things`` are those of which something is seen.
        background: one of `backgrounds.BACKGROUNDS`.
        size: width and height of the picture in pixels.
        seed: fixes the look of the background and the noise.
        effects: how the camera saw it.

    Raises:
        InputError: no such background, an impossible size, or something that is no `Thing`.
    """

    wanted: tuple[Thing, ...] = ()
    background: str = "field"
    size: tuple[int, int] = (384, 288)
    seed: int = 0
    effects: CameraEffects = field(default_factory=CameraEffects)

    def __post_init__(self) -> None:
        if self.background not in BACKGROUNDS:
            raise InputError(
                f"There is no background {self.background!r}; choose one of: {', '.join(BACKGROUNDS)}."
            )
        object.__setattr__(self, "wanted", tuple(self.wanted))
        object.__setattr__(self, "size", check_size(self.size))
        strange = [thing for thing in self.wanted if not isinstance(thing, Thing)]
        if strange:
            raise InputError(f"A scene is made of things such as Thing('car', 'red'), not of {strange[0]!r}.")
        if len(self.wanted) > MAX_THINGS:
            raise InputError(f"A scene has at most {MAX_THINGS} things, not {len(self.wanted)}.")

    @cached_property
    def _drawn(self) -> tuple[Image.Image, np.ndarray, tuple[VisibleThing, ...]]:
        return _draw(self)

    @cached_property
    def image(self) -> Image.Image:
        """The picture, RGB."""
        return _with_effects(self._drawn[0], self.effects, self.seed)

    @property
    def instance_map(self) -> np.ndarray:
        """(height, width) uint8: 0 for background, else 1 + the index in ``things`` of the thing that is seen
        there.
        """
        return self._drawn[1]

    @property
    def things(self) -> tuple[VisibleThing, ...]:
        """Every thing of which something is seen, from back to front."""
        return self._drawn[2]

    def answer(self, task_prompt: str, text_input: Any = None, *, rng: random.Random | None = None) -> str:
        """The raw string that a perfect model would produce; see `truth.answer`."""
        return truth.answer(self, task_prompt, text_input, rng=rng)


def _draw(scene: Scene) -> tuple[Image.Image, np.ndarray, tuple[VisibleThing, ...]]:
    picture = backdrop(scene.background, scene.seed, scene.size).image.copy()
    instance_map = np.zeros((picture.height, picture.width), np.uint8)
    corners = [_paste(picture, instance_map, number, thing) for number, thing in enumerate(scene.wanted, 1)]
    seen: list[VisibleThing] = []
    for number, (thing, corner) in enumerate(zip(scene.wanted, corners), 1):
        mask = instance_map == number
        stamp = stamp_of(thing, scene.size)
        area = int(_solid(stamp).sum())
        if mask.sum() < max(8, 0.02 * area):
            instance_map[mask] = 0
            continue
        instance_map[mask] = len(seen) + 1
        seen.append(_seen(thing, mask, area, stamp, corner))
    return picture, instance_map, tuple(seen)


def _solid(stamp: Stamp) -> np.ndarray:
    return np.asarray(stamp.picture.getchannel("A")) > 127


def _paste(picture: Image.Image, instance_map: np.ndarray, number: int, thing: Thing) -> tuple[int, int]:
    """Puts a thing on the picture and its number on ``instance_map``; returns where its stamp's top left
    corner lies.
    """
    stamp = stamp_of(thing, picture.size)
    wide, high = stamp.picture.size
    x, y = round(thing.at[0] * picture.width - wide / 2), round(thing.at[1] * picture.height - high / 2)
    picture.paste(stamp.picture, (x, y), stamp.picture)
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + wide, picture.width), min(y + high, picture.height)
    if x0 < x1 and y0 < y1:
        instance_map[y0:y1, x0:x1][_solid(stamp)[y0 - y : y1 - y, x0 - x : x1 - x]] = number
    return x, y


def _seen(thing: Thing, mask: np.ndarray, area: int, stamp: Stamp, corner: tuple[int, int]) -> VisibleThing:
    quads = tuple(quad + corner for quad in stamp.quads)
    letters = tuple((letter, x + corner[0], y + corner[1]) for letter, x, y in stamp.letters)
    return VisibleThing(thing, box_of(mask), outlines(mask), quads, letters, float(mask.sum() / max(area, 1)))


@lru_cache(maxsize=8)
def backdrop(background: str, seed: int, size: tuple[int, int]) -> Backdrop:
    return paint(background, random.Random(seed), size)


def _with_effects(picture: Image.Image, effects: CameraEffects, seed: int) -> Image.Image:
    for factor, enhancer in (
        (effects.brightness, ImageEnhance.Brightness),
        (effects.contrast, ImageEnhance.Contrast),
        (effects.saturation, ImageEnhance.Color),
    ):
        if factor != 1:
            picture = enhancer(picture).enhance(factor)
    if effects.blur:
        picture = picture.filter(ImageFilter.GaussianBlur(effects.blur))
    if effects.noise:
        grain = (
            np.random.default_rng(seed).standard_normal((picture.height, picture.width, 1), np.float32)
            * effects.noise
        )
        picture = Image.fromarray(np.clip(np.asarray(picture, np.float32) + grain, 0, 255).astype(np.uint8))
    if effects.jpeg:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=effects.jpeg)
        picture = Image.open(file).convert("RGB")
    return picture
