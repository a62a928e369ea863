"""Scenes: things on a background, drawn, with the truth about every thing that can be seen.

A `Thing` says what is wanted and where; a `Scene` draws its things from back to front and knows, for each, the box, outline and words of the part that
is seen. All coordinates are pixels of ``scene.image``: x to the right, y down, origin top left, boxes xyxy with the far edges exclusive.
"""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from . import living, made
from .backgrounds import BACKGROUNDS, Backdrop, paint
from .outline import box_of, outlines
from .pen import COLOURS, Pen, tone
from .signs import FONTS, SIGN_KINDS, draw_sign

_DRAWN = {kind.name: kind for kind in (*made.KINDS, *living.KINDS)}
KINDS: tuple[str, ...] = (*_DRAWN, *SIGN_KINDS)
"""Every kind of thing of the world; the last three carry text."""
HELD_OUT: tuple[str, ...] = ("cactus", "teapot")
"""Kinds that are in the world but that the mini checkpoint never saw: they are there to be taught."""
WORDS: tuple[str, ...] = tuple(
    "STOP GO OPEN CAFE HOTEL TAXI BUS ZOO PARK EXIT SALE MILK BOOK FISH SHOP BAKERY MUSEUM SCHOOL STATION HELLO WELCOME BEACH FIRE POLICE PIZZA "
    "BREAD COFFEE TEA ICE SLOW WAY OUT FARM PORT HARBOUR MARKET FLOWERS TOYS BIKE BOAT SUN MOON NEWS POST BANK CINEMA MUSIC GARDEN".split()
)
SHARE_SEEN = 2 / 3
"""A thing of a random scene is never covered by more than a third."""


@dataclass(frozen=True)
class Thing:
    """What to draw and where.

    Attributes:
        kind: one of `KINDS`.
        colour: one of the nine colours.
        at: centre as fractions (x, y) of the picture's width and height.
        size: longer side of the thing as a fraction of the picture's shorter side.
        mirrored: faces left instead of right (things with text are never mirrored).
        tilt: degrees, counter-clockwise.
        stretch: width is multiplied by this.
        text: the words of a sign, banner or number plate; a line break makes two lines.
        font: one of `signs.FONTS`; None takes the first.
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
            raise ValueError(f"There is no kind {self.kind!r}; choose one of: {', '.join(KINDS)}.")
        if self.colour not in COLOURS:
            raise ValueError(f"There is no colour {self.colour!r}; choose one of: {', '.join(COLOURS)}.")
        if bool(self.text) != (self.kind in SIGN_KINDS):
            raise ValueError(f"Text belongs on {', '.join(SIGN_KINDS)} and only there; got kind {self.kind!r} with text {self.text!r}.")
        if not 0.02 <= self.size <= 2:
            raise ValueError(f"size is a fraction of the picture's shorter side, from 0.02 to 2; got {self.size}.")


@dataclass(frozen=True)
class Seen:
    """The part of a thing that is seen, in pixels of the scene's image.

    Attributes:
        thing: what was asked for; ``kind``, ``colour`` and ``text`` are repeated here.
        box: (x0, y0, x1, y1) around the seen part.
        polygons: outlines of the seen part, one (k, 2) float array a piece, largest first, clockwise, without the closing point.
        quads: one (4, 2) float array for each line of text, clockwise from the text's top left.
        letters: ((character, x, y), …), the centre of every letter.
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


@dataclass(frozen=True)
class Weather:
    """How the camera saw it: factors for brightness, contrast and saturation, blur radius and noise in grey levels, JPEG quality (0 = none)."""

    brightness: float = 1.0
    contrast: float = 1.0
    saturation: float = 1.0
    blur: float = 0.0
    noise: float = 0.0
    jpeg: int = 0


@dataclass(frozen=True)
class Scene:
    """Things on a background.

    Args:
        wanted: the things from back to front.
        background: one of `backgrounds.BACKGROUNDS`.
        size: width and height of the picture in pixels.
        seed: fixes the look of the background and the noise.
        weather: how the camera saw it.
    """

    wanted: tuple[Thing, ...] = ()
    background: str = "field"
    size: tuple[int, int] = (384, 288)
    seed: int = 0
    weather: Weather = field(default_factory=Weather)

    def __post_init__(self) -> None:
        if self.background not in BACKGROUNDS:
            raise ValueError(f"There is no background {self.background!r}; choose one of: {', '.join(BACKGROUNDS)}.")
        object.__setattr__(self, "wanted", tuple(self.wanted))

    @cached_property
    def _drawn(self) -> tuple[Image.Image, np.ndarray, tuple[Seen, ...]]:
        return _draw(self)

    @cached_property
    def image(self) -> Image.Image:
        """The picture, RGB."""
        return _weathered(self._drawn[0], self.weather, self.seed)

    @property
    def owner(self) -> np.ndarray:
        """(height, width) uint8: 0 for background, else 1 + the index in ``things`` of the thing that is seen there."""
        return self._drawn[1]

    @property
    def things(self) -> tuple[Seen, ...]:
        """Every thing of which something is seen, from back to front."""
        return self._drawn[2]

    def answer(self, task_prompt: str, text_input=None, *, rng: random.Random | None = None) -> str:
        """The raw string that a perfect model would produce; see `truth.answer`."""
        from .truth import answer

        return answer(self, task_prompt, text_input, rng=rng)


@lru_cache(maxsize=1024)
def sprite(kind: str, colour: str, pixels: int = 256) -> Image.Image:
    """The thing alone on a transparent sheet, RGBA, cropped to what is painted; ``pixels`` is the longer side before cropping."""
    drawn = _DRAWN[kind]
    pen = Pen(drawn.width, drawn.height, pixels)
    drawn.draw(pen, tone(colour))
    picture = pen.picture()
    return picture.crop(picture.getchannel("A").point(lambda a: 255 * (a > 100)).getbbox())


def home_of(kind: str) -> str:
    """Where a kind belongs: ground, sky, water or table."""
    return SIGN_KINDS[kind] if kind in SIGN_KINDS else _DRAWN[kind].home


def _draw(scene: Scene) -> tuple[Image.Image, np.ndarray, tuple[Seen, ...]]:
    picture = _backdrop(scene.background, scene.seed, scene.size).image.copy()
    width, height = scene.size
    owner = np.zeros((height, width), np.uint8)
    prints = []
    for number, thing in enumerate(scene.wanted, 1):
        stamp, quads, letters = _stamp(thing, scene.size)
        x, y = round(thing.at[0] * width - stamp.width / 2), round(thing.at[1] * height - stamp.height / 2)
        picture.paste(stamp, (x, y), stamp)
        solid = np.asarray(stamp.getchannel("A")) > 127
        x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + stamp.width, width), min(y + stamp.height, height)
        if x0 < x1 and y0 < y1:
            owner[y0:y1, x0:x1][solid[y0 - y : y1 - y, x0 - x : x1 - x]] = number
        moved = tuple(quad + (x, y) for quad in quads)
        prints.append((thing, int(solid.sum()), moved, tuple((c, a + x, b + y) for c, a, b in letters)))
    seen = []
    for number, (thing, area, quads, letters) in enumerate(prints, 1):
        mask = owner == number
        if mask.sum() < max(8, 0.02 * area):
            owner[mask] = 0
            continue
        owner[mask] = len(seen) + 1
        seen.append(Seen(thing, box_of(mask), outlines(mask), quads, letters, float(mask.sum() / max(area, 1))))
    return picture, owner, tuple(seen)


@lru_cache(maxsize=8)
def _backdrop(background: str, seed: int, size: tuple[int, int]) -> Backdrop:
    return paint(background, random.Random(seed), size)


def _stamp(thing: Thing, size: tuple[int, int]):
    """The thing at its final size: an RGBA picture, the quads of its text and the centres of its letters, in pixels of that picture."""
    return _stamped(replace(thing, at=(0.5, 0.5)), size)


@lru_cache(maxsize=256)
def _stamped(thing: Thing, size: tuple[int, int]):
    longest = max(4.0, thing.size * min(size))
    if thing.kind in SIGN_KINDS:
        drawn = draw_sign(thing.kind, thing.text.split("\n"), thing.colour, thing.font or FONTS[0], max(24, round(longest)), -thing.tilt)
        return _scaled_sign(drawn, longest)
    picture = sprite(thing.kind, thing.colour)
    if thing.mirrored:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    scale = longest / max(picture.width * thing.stretch, picture.height)
    wanted = (max(2, round(picture.width * thing.stretch * scale)), max(2, round(picture.height * scale)))
    picture = picture.resize(wanted, Image.Resampling.BILINEAR, reducing_gap=2.0)
    if thing.tilt:
        picture = picture.rotate(thing.tilt, Image.Resampling.BICUBIC, expand=True)
        picture = picture.crop(picture.getchannel("A").point(lambda a: 255 * (a > 100)).getbbox())
    return picture, (), ()


def _scaled_sign(drawn, longest: float):
    factor = longest / max(drawn.image.size)
    size = (max(2, round(drawn.image.width * factor)), max(2, round(drawn.image.height * factor)))
    ratio = np.array([size[0] / drawn.image.width, size[1] / drawn.image.height])
    quads = tuple(np.asarray(quad, float) * ratio for quad in drawn.quads)
    letters = tuple((c, x * ratio[0], y * ratio[1]) for c, x, y in drawn.letters)
    return drawn.image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0), quads, letters


def _weathered(picture: Image.Image, weather: Weather, seed: int) -> Image.Image:
    for factor, enhancer in (
        (weather.brightness, ImageEnhance.Brightness),
        (weather.contrast, ImageEnhance.Contrast),
        (weather.saturation, ImageEnhance.Color),
    ):
        if factor != 1:
            picture = enhancer(picture).enhance(factor)
    if weather.blur:
        picture = picture.filter(ImageFilter.GaussianBlur(weather.blur))
    if weather.noise:
        grain = np.random.default_rng(seed).standard_normal((picture.height, picture.width, 1), np.float32) * weather.noise
        picture = Image.fromarray(np.clip(np.asarray(picture, np.float32) + grain, 0, 255).astype(np.uint8))
    if weather.jpeg:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=weather.jpeg)
        picture = Image.open(file).convert("RGB")
    return picture


_ASPECTS = ((1, 1), (1, 1), (4, 3), (4, 3), (3, 2), (16, 9), (3, 4), (2, 3), (9, 16), (2, 1))


def random_scene(
    seed: int, *, kinds: Sequence[str] | None = None, most: int = 7, size: tuple[int, int] | None = None, signs: float = 0.35, clean: bool = False
) -> Scene:
    """A scene drawn by lot.

    Args:
        seed: the same seed gives the same scene.
        kinds: what may appear; all but the held-out kinds when None.
        most: number of things at most (at least one appears).
        size: (width, height) in pixels; drawn by lot when None.
        signs: how likely each thing is to be one that carries text, where ``kinds`` allows it.
        clean: no blur, noise, contrast or JPEG.
    """
    rng = random.Random(seed)
    allowed = tuple(kinds) if kinds is not None else tuple(k for k in KINDS if k not in HELD_OUT)
    size = size or _random_size(rng)
    background = rng.choice(BACKGROUNDS)
    look = rng.randrange(2**31)
    zones = _backdrop(background, look, size)
    count = rng.choices(range(1, 8), (10, 17, 20, 18, 14, 12, 9))[0]
    wanted: list[Thing] = []
    scene = Scene((), background, size, look, Weather() if clean else _random_weather(rng))
    with_text = rng.random() < 0.55
    for _ in range(min(count, most)):
        for _try in range(12):
            thing = _random_thing(rng, allowed, zones, size, count, signs if with_text else 0.0)
            if thing and _fits(thing, wanted, size):
                wanted.append(thing)
                break
    wanted = sorted(wanted or [_random_thing(rng, allowed, zones, size, 1, signs) or Thing("ball", "red")], key=lambda t: t.at[1] + _half(t, size)[1])
    return _uncovered(replace(scene, wanted=tuple(wanted)))


def _uncovered(scene: Scene) -> Scene:
    """The scene without the things that are covered too much."""
    while True:
        seen = scene.things
        bad = [s for s in seen if s.share < SHARE_SEEN or _text_covered(scene, s)]
        lost = len(seen) < len(scene.wanted)
        if (not bad and not lost) or len(scene.wanted) == 1:
            return scene
        gone = {id(bad[0].thing)} if bad else {id(t) for t in scene.wanted} - {id(s.thing) for s in seen}
        scene = replace(scene, wanted=tuple(t for t in scene.wanted if id(t) not in gone) or scene.wanted[-1:])


def _text_covered(scene: Scene, seen: Seen) -> bool:
    """Whether any letter lies under another thing or outside the picture."""
    number = scene.things.index(seen) + 1
    height, width = scene.owner.shape
    return any(not (2 <= x < width - 2 and 2 <= y < height - 2) or scene.owner[int(y), int(x)] != number for _, x, y in seen.letters)


def _random_size(rng: random.Random) -> tuple[int, int]:
    w, h = rng.choice(_ASPECTS)
    short = rng.choice((256, 288, 288, 320))
    scale = short / min(w, h)
    return round(w * scale), round(h * scale)


def _random_weather(rng: random.Random) -> Weather:
    if rng.random() < 0.4:
        return Weather()
    return Weather(
        round(rng.uniform(0.75, 1.15), 2),
        round(rng.uniform(0.8, 1.2), 2),
        round(rng.uniform(0.75, 1.25), 2),
        round(rng.uniform(0.3, 0.9), 2) if rng.random() < 0.3 else 0.0,
        round(rng.uniform(2, 9), 1) if rng.random() < 0.35 else 0.0,
        rng.randint(45, 90) if rng.random() < 0.35 else 0,
    )


def random_text(rng: random.Random) -> str:
    """Words for a sign: a known word, letters and digits by lot (1 to 8), two short words, or two lines."""
    lot = rng.random()
    if lot < 0.35:
        return rng.choice(WORDS)
    if lot < 0.75:
        return "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", k=rng.randint(1, 8)))
    short = [w for w in WORDS if len(w) <= 4] + ["".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", k=rng.randint(1, 4))) for _ in range(20)]
    return (" " if lot < 0.87 else "\n").join(rng.choices(short, k=2))


def _random_thing(rng, allowed, zones: Backdrop, size, count: int, signs: float) -> Thing | None:
    texted = [k for k in allowed if k in SIGN_KINDS]
    plain = [k for k in allowed if k not in SIGN_KINDS and (home_of(k) in zones.zones or home_of(k) == "table")]
    pool = texted if texted and (not plain or rng.random() < signs) else plain
    if not pool:
        return None
    kind = rng.choice(pool)
    colour = rng.choice(tuple(COLOURS))
    home = home_of(kind) if home_of(kind) in zones.zones else "ground"
    top = 0.6 if count <= 3 else 0.45
    wide = size[0] / min(size)
    extent = min(0.62, float(np.exp(rng.uniform(np.log(0.1), np.log(top)))) * max(wide, size[1] / min(size)) ** 0.5)
    text = font = None
    tilt = rng.choice((0.0, 0.0, rng.uniform(-8, 8)))
    if kind in SIGN_KINDS:
        text, font = random_text(rng), rng.choice(FONTS)
        longest = max(map(len, text.split("\n")))
        extent = wide * rng.uniform(max(0.14, 0.055 * longest), max(0.36, min(0.72, 0.1 * longest)))
        tilt = rng.choice((0.0, 0.0, rng.uniform(-15, 15), rng.uniform(-15, 15)))
    thing = Thing(
        kind, colour, (0.5, 0.5), round(extent, 3), text is None and rng.random() < 0.5, round(tilt, 1), round(rng.uniform(0.88, 1.14), 2), text or "", font
    )
    half_w, half_h = _half(thing, size)
    low, high = zones.zones[home]
    bottom = rng.uniform(low, high)
    if half_w > 0.49 or bottom < 2 * half_h + 0.01:
        return None
    return replace(thing, at=(round(rng.uniform(half_w + 0.005, 0.995 - half_w), 3), round(bottom - half_h, 3)))


def _half(thing: Thing, size: tuple[int, int]) -> tuple[float, float]:
    """Half the width and height of a thing as fractions of the picture's."""
    stamp = _stamp(thing, size)[0]
    return stamp.width / size[0] / 2, stamp.height / size[1] / 2


def _fits(thing: Thing, others: Sequence[Thing], size: tuple[int, int]) -> bool:
    """Whether the thing's box covers no other box, and is covered by none, by more than 40 %; things with text keep clear of all."""
    for other in others:
        shared = _shared(thing, other, size)
        if shared > (0.02 if thing.text or other.text else 0.4):
            return False
    return True


def _shared(one: Thing, other: Thing, size: tuple[int, int]) -> float:
    (aw, ah), (bw, bh) = _half(one, size), _half(other, size)
    across = min(one.at[0] + aw, other.at[0] + bw) - max(one.at[0] - aw, other.at[0] - bw)
    down = min(one.at[1] + ah, other.at[1] + bh) - max(one.at[1] - ah, other.at[1] - bh)
    return max(0.0, across) * max(0.0, down) / (4 * min(aw * ah, bw * bh))
