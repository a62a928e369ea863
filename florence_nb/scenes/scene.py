"""Scenes: things on a background, drawn, with the truth about every thing that can be seen.

A `Thing` says what is wanted and where; a `Scene` draws its things from back to front and knows, for each, the box, outline and
words of the part that is seen. All coordinates are pixels of ``scene.image``: x to the right, y down, origin top left, boxes xyxy
with the far edges exclusive.
"""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from ..errors import InputError
from ..locations import check_size
from . import living, made
from .backgrounds import BACKGROUNDS, HOMES, Backdrop, paint
from .outline import box_of, outlines
from .pen import COLOURS, Pen, tone
from .signs import FONTS, SIGN_KINDS, SignPicture, check_board, draw_sign

_DRAWN = {kind.name: kind for kind in (*made.KINDS, *living.KINDS)}
KINDS: tuple[str, ...] = (*_DRAWN, *SIGN_KINDS)
"""Every kind of thing of the world; the last three carry text."""
HELD_OUT: tuple[str, ...] = ("cactus", "teapot")
"""Kinds that are in the world but that the mini checkpoint never saw: they are there to be taught."""
WORDS: tuple[str, ...] = tuple(
    "STOP GO OPEN CAFE HOTEL TAXI BUS ZOO PARK EXIT SALE MILK BOOK FISH SHOP BAKERY MUSEUM SCHOOL STATION HELLO WELCOME BEACH FIRE "
    "POLICE PIZZA BREAD COFFEE TEA ICE SLOW WAY OUT FARM PORT HARBOUR MARKET FLOWERS TOYS BIKE BOAT SUN MOON NEWS POST BANK CINEMA "
    "MUSIC GARDEN".split()
)
CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
"""What may be written."""
SHARE_SEEN = 2 / 3
"""Of a thing of a random scene at least so much is seen, unless it is the only one."""
MOST_THINGS = 255


@dataclass(frozen=True)
class Thing:
    """What to draw and where.

    Attributes:
        kind: one of `KINDS`.
        colour: one of the nine colours.
        at: centre as fractions (x, y) of the picture's width and height.
        size: longer side of the thing as a fraction of the picture's shorter side, before it is tilted (with text: after).
        mirrored: faces left instead of right (things with text are never mirrored).
        tilt: degrees, counter-clockwise; things with text: -15 to 15.
        stretch: the width is multiplied by this while ``size`` stays (things with text are never stretched).
        text: the words of a sign, banner or number plate, A-Z and 0-9; a line break makes two lines.
        font: one of `signs.FONTS`; None takes the first.

    Raises:
        InputError: no such kind, colour or font; text where none belongs, none where some does, or text that cannot be written; a
            number out of its range.
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
                f"Text belongs on {', '.join(SIGN_KINDS)} and only there; got kind {self.kind!r} with text {self.text!r}."
            )
        if self.text:
            check_board(self.text.split("\n"), self.font or FONTS[0], self.tilt)
        self._check_numbers()

    def _check_numbers(self) -> None:
        if len(self.at) != 2 or not all(-1 <= place <= 2 for place in self.at):
            raise InputError(f"at is the centre as fractions (x, y) of the picture, from -1 to 2; got {self.at}.")
        if not 0.02 <= self.size <= 2:
            raise InputError(f"size is a fraction of the picture's shorter side, from 0.02 to 2; got {self.size}.")
        if not 0.25 <= self.stretch <= 4:
            raise InputError(f"stretch is a factor from 0.25 to 4; got {self.stretch}.")
        if not -360 <= self.tilt <= 360:
            raise InputError(f"tilt is in degrees, from -360 to 360; got {self.tilt}.")


@dataclass(frozen=True, eq=False)
class Seen:
    """The part of a thing that is seen, in pixels of the scene's image. Only the very same one counts as equal.

    Attributes:
        thing: what was asked for; ``kind``, ``colour`` and ``text`` are repeated here.
        box: (x0, y0, x1, y1) around the seen part.
        polygons: outlines of the seen part, one (k, 2) float array a piece, largest first, clockwise, without the closing point.
        quads: one (4, 2) float array for each line of text, clockwise from the text's top left, whether covered or not.
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


@dataclass(frozen=True)
class Weather:
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
        weather: how the camera saw it.

    Raises:
        InputError: no such background, an impossible size, or something that is no `Thing`.
    """

    wanted: tuple[Thing, ...] = ()
    background: str = "field"
    size: tuple[int, int] = (384, 288)
    seed: int = 0
    weather: Weather = field(default_factory=Weather)

    def __post_init__(self) -> None:
        if self.background not in BACKGROUNDS:
            raise InputError(f"There is no background {self.background!r}; choose one of: {', '.join(BACKGROUNDS)}.")
        object.__setattr__(self, "wanted", tuple(self.wanted))
        object.__setattr__(self, "size", check_size(self.size))
        strange = [thing for thing in self.wanted if not isinstance(thing, Thing)]
        if strange:
            raise InputError(f"A scene is made of things such as Thing('car', 'red'), not of {strange[0]!r}.")
        if len(self.wanted) > MOST_THINGS:
            raise InputError(f"A scene has at most {MOST_THINGS} things, not {len(self.wanted)}.")

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

    def answer(self, task_prompt: str, text_input: Any = None, *, rng: random.Random | None = None) -> str:
        """The raw string that a perfect model would produce; see `truth.answer`."""
        from .truth import answer

        return answer(self, task_prompt, text_input, rng=rng)


@lru_cache(maxsize=1024)
def sprite(kind: str, colour: str, pixels: int = 256) -> Image.Image:
    """The thing alone on a transparent sheet, RGBA, cropped to what is painted; ``pixels`` is the longer side before cropping."""
    drawn = _DRAWN[kind]
    pen = Pen(drawn.width, drawn.height, pixels)
    drawn.draw(pen, tone(colour))
    return _cropped(pen.picture())


def home_of(kind: str) -> str:
    """Where a kind belongs: ground, sky, water or table."""
    return SIGN_KINDS[kind] if kind in SIGN_KINDS else _DRAWN[kind].home


class _Stamp(NamedTuple):
    """A thing at its final size: an RGBA picture, the (4, 2) quads of its text and the centres of its letters, in pixels of it."""

    picture: Image.Image
    quads: tuple[np.ndarray, ...] = ()
    letters: tuple[tuple[str, float, float], ...] = ()


def _draw(scene: Scene) -> tuple[Image.Image, np.ndarray, tuple[Seen, ...]]:
    picture = _backdrop(scene.background, scene.seed, scene.size).image.copy()
    owner = np.zeros((picture.height, picture.width), np.uint8)
    corners = [_paste(picture, owner, number, thing) for number, thing in enumerate(scene.wanted, 1)]
    seen: list[Seen] = []
    for number, (thing, corner) in enumerate(zip(scene.wanted, corners), 1):
        mask = owner == number
        stamp = _stamp(thing, scene.size)
        area = int(_solid(stamp).sum())
        if mask.sum() < max(8, 0.02 * area):
            owner[mask] = 0
            continue
        owner[mask] = len(seen) + 1
        seen.append(_seen(thing, mask, area, stamp, corner))
    return picture, owner, tuple(seen)


def _solid(stamp: _Stamp) -> np.ndarray:
    return np.asarray(stamp.picture.getchannel("A")) > 127


def _paste(picture: Image.Image, owner: np.ndarray, number: int, thing: Thing) -> tuple[int, int]:
    """Puts a thing on the picture and its number on ``owner``; returns where its stamp's top left corner lies."""
    stamp = _stamp(thing, picture.size)
    wide, high = stamp.picture.size
    x, y = round(thing.at[0] * picture.width - wide / 2), round(thing.at[1] * picture.height - high / 2)
    picture.paste(stamp.picture, (x, y), stamp.picture)
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + wide, picture.width), min(y + high, picture.height)
    if x0 < x1 and y0 < y1:
        owner[y0:y1, x0:x1][_solid(stamp)[y0 - y : y1 - y, x0 - x : x1 - x]] = number
    return x, y


def _seen(thing: Thing, mask: np.ndarray, area: int, stamp: _Stamp, corner: tuple[int, int]) -> Seen:
    quads = tuple(quad + corner for quad in stamp.quads)
    letters = tuple((letter, x + corner[0], y + corner[1]) for letter, x, y in stamp.letters)
    return Seen(thing, box_of(mask), outlines(mask), quads, letters, float(mask.sum() / max(area, 1)))


@lru_cache(maxsize=8)
def _backdrop(background: str, seed: int, size: tuple[int, int]) -> Backdrop:
    return paint(background, random.Random(seed), size)


def _stamp(thing: Thing, size: tuple[int, int]) -> _Stamp:
    return _stamped(replace(thing, at=(0.5, 0.5)), size)


@lru_cache(maxsize=256)
def _stamped(thing: Thing, size: tuple[int, int]) -> _Stamp:
    longest = max(4.0, thing.size * min(size))
    if thing.text:
        pixels = max(24, round(longest))
        lines = thing.text.split("\n")
        return _scaled_sign(draw_sign(thing.kind, lines, thing.colour, thing.font or FONTS[0], pixels, -thing.tilt), longest)
    picture = sprite(thing.kind, thing.colour)
    if thing.mirrored:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    scale = longest / max(picture.width * thing.stretch, picture.height)
    wanted = (max(2, round(picture.width * thing.stretch * scale)), max(2, round(picture.height * scale)))
    picture = picture.resize(wanted, Image.Resampling.BILINEAR, reducing_gap=2.0)
    if thing.tilt:
        picture = _cropped(picture.rotate(thing.tilt, Image.Resampling.BICUBIC, expand=True))
    return _Stamp(picture)


def _cropped(picture: Image.Image) -> Image.Image:
    """Cut to what is painted."""
    return picture.crop(picture.getchannel("A").point(lambda a: 255 * (a > 100)).getbbox())


def _scaled_sign(drawn: SignPicture, longest: float) -> _Stamp:
    factor = longest / max(drawn.image.size)
    size = (max(2, round(drawn.image.width * factor)), max(2, round(drawn.image.height * factor)))
    ratio = np.array([size[0] / drawn.image.width, size[1] / drawn.image.height])
    quads = tuple(np.asarray(quad, float) * ratio for quad in drawn.quads)
    letters = tuple((c, x * ratio[0], y * ratio[1]) for c, x, y in drawn.letters)
    return _Stamp(drawn.image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0), quads, letters)


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


@dataclass(frozen=True)
class _Lot:
    """What a thing is drawn from by lot: the allowed kinds, the place, the picture's size in pixels, the number of things."""

    rng: random.Random
    allowed: tuple[str, ...]
    place: Backdrop
    size: tuple[int, int]
    count: int


def random_scene(
    seed: int,
    *,
    kinds: Sequence[str] | None = None,
    most: int = 7,
    size: tuple[int, int] | None = None,
    signs: float = 0.35,
    clean: bool = False,
) -> Scene:
    """A scene drawn by lot.

    Args:
        seed: the same seed gives the same scene.
        kinds: what may appear; all but the held-out kinds when None.
        most: number of things at most (at least one appears).
        size: (width, height) in pixels; drawn by lot when None.
        signs: how likely each thing is to be one that carries text, where ``kinds`` allows it, in scenes that have text: in 55 %
            of all, or in every one where ``signs`` is above 0.5.
        clean: no blur, noise, contrast or JPEG.

    Raises:
        InputError: ``kinds`` is empty or holds something that is no kind.
    """
    rng = random.Random(seed)
    allowed = _allowed(kinds)
    size = size or _random_size(rng)
    background = rng.choice(_places_for(allowed))
    look = rng.randrange(2**31)
    lot = _Lot(rng, allowed, _backdrop(background, look, size), size, rng.choices(range(1, 8), (10, 17, 20, 18, 14, 12, 9))[0])
    weather = Weather() if clean else _random_weather(rng)
    wanted = _random_things(lot, min(lot.count, most), signs if rng.random() < 0.55 or signs > 0.5 else 0.0)
    wanted = wanted or [_random_thing(replace(lot, count=1), signs) or _any_thing(allowed)]
    wanted.sort(key=lambda t: t.at[1] + _half(t, size)[1])
    return _uncovered(Scene(tuple(wanted), background, size, look, weather))


def random_page(seed: int) -> Scene:
    """A picture full of small boards, row under row, for practising reading; the same seed gives the same page."""
    rng = random.Random(seed)
    size = _random_size(rng)
    background, look, weather = rng.choice(tuple(BACKGROUNDS)), rng.randrange(2**31), _random_weather(rng)
    found: list[Thing] = []
    top = rng.uniform(0, 0.06)
    while top < 0.9:
        left, deepest = rng.uniform(0, 0.1), 0.0
        while left < 0.9:
            thing = _random_board(rng, size)
            half_w, half_h = _half(thing, size)
            if left + 2 * half_w > 0.995 or top + 2 * half_h > 0.995:
                break
            found.append(replace(thing, at=(round(left + half_w, 3), round(top + half_h, 3))))
            left, deepest = left + 2 * half_w + rng.uniform(0.01, 0.06), max(deepest, 2 * half_h)
        top += (deepest or 0.05) + rng.uniform(0.005, 0.03)
    return _uncovered(Scene(tuple(found) or (_any_thing(("sign",)),), background, size, look, weather))


def _random_board(rng: random.Random, size: tuple[int, int]) -> Thing:
    text = random_text(rng)
    widest, tilt = _random_board_pose(rng, text, size)
    extent = min(widest, rng.uniform(0.055, 0.09) * size[0] / min(size) * max(3, *map(len, text.split("\n"))))
    kind, colour, font = rng.choice(tuple(SIGN_KINDS)), rng.choice(tuple(COLOURS)), rng.choice(FONTS)
    return Thing(kind, colour, size=round(extent, 3), tilt=round(tilt, 1), text=text, font=font)


def _allowed(kinds: Sequence[str] | None) -> tuple[str, ...]:
    if kinds is None:
        return tuple(kind for kind in KINDS if kind not in HELD_OUT)
    strange = [kind for kind in kinds if kind not in KINDS]
    if strange or not kinds:
        what = f"There is no kind {strange[0]!r}" if strange else "kinds is empty"
        raise InputError(f"{what}; choose one or more of: {', '.join(KINDS)}.")
    return tuple(kinds)


def _places_for(kinds: Sequence[str]) -> tuple[str, ...]:
    """The backgrounds where at least one of the kinds may be; text and what belongs on a table may be on any ground."""
    homes = {"ground" if kind in SIGN_KINDS or home_of(kind) == "table" else home_of(kind) for kind in kinds}
    return tuple(name for name in BACKGROUNDS if homes & {*HOMES[name]})


def _any_thing(kinds: Sequence[str]) -> Thing:
    kind = "ball" if "ball" in kinds else kinds[0]
    return Thing(kind, "red", text="GO" if kind in SIGN_KINDS else "")


def _random_things(lot: _Lot, count: int, signs: float) -> list[Thing]:
    """Up to ``count`` things that fit beside each other, each given twelve tries."""
    found: list[Thing] = []
    for _ in range(count):
        for _try in range(12):
            thing = _random_thing(lot, signs)
            if thing and _fits(thing, found, lot.size):
                found.append(thing)
                break
    return found


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
    return any(
        not (2 <= x < width - 2 and 2 <= y < height - 2) or scene.owner[int(y), int(x)] != number for _, x, y in seen.letters
    )


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
        return "".join(rng.choices(CHARACTERS, k=rng.randint(1, 8)))
    short = [w for w in WORDS if len(w) <= 4] + ["".join(rng.choices(CHARACTERS, k=rng.randint(1, 4))) for _ in range(20)]
    return (" " if lot < 0.87 else "\n").join(rng.choices(short, k=2))


def _random_thing(lot: _Lot, signs: float) -> Thing | None:
    """One thing somewhere; None where the lot falls on one for which there is no room or no home."""
    rng = lot.rng
    kind = _random_kind(lot, signs)
    if kind is None:
        return None
    colour = rng.choice(tuple(COLOURS))
    extent, tilt = _random_pose(lot)
    text, font = "", None
    if kind in SIGN_KINDS:
        text, font = random_text(rng), rng.choice(FONTS)
        extent, tilt = _random_board_pose(rng, text, lot.size)
    mirrored = not text and rng.random() < 0.5
    stretch = round(rng.uniform(0.88, 1.14), 2)
    return _placed(Thing(kind, colour, (0.5, 0.5), round(extent, 3), mirrored, round(tilt, 1), stretch, text, font), lot)


def _random_kind(lot: _Lot, signs: float) -> str | None:
    texted = [k for k in lot.allowed if k in SIGN_KINDS]
    plain = [k for k in lot.allowed if k not in SIGN_KINDS and (home_of(k) in lot.place.zones or home_of(k) == "table")]
    pool = texted if texted and (not plain or lot.rng.random() < signs) else plain
    return lot.rng.choice(pool) if pool else None


def _random_pose(lot: _Lot) -> tuple[float, float]:
    """Size as in `Thing.size`, smaller where there are many, and tilt in degrees."""
    largest = 0.6 if lot.count <= 3 else 0.45
    longer = max(lot.size) / min(lot.size)
    extent = min(0.62, float(np.exp(lot.rng.uniform(np.log(0.1), np.log(largest)))) * longer**0.5)
    return extent, lot.rng.choice((0.0, 0.0, lot.rng.uniform(-8, 8)))


def _random_board_pose(rng: random.Random, text: str, size: tuple[int, int]) -> tuple[float, float]:
    """The same for a thing with text: long lines need room."""
    longest = max(map(len, text.split("\n")))
    extent = size[0] / min(size) * rng.uniform(max(0.14, 0.055 * longest), max(0.36, min(0.72, 0.1 * longest)))
    return extent, rng.choice((0.0, 0.0, rng.uniform(-15, 15), rng.uniform(-15, 15)))


def _placed(thing: Thing, lot: _Lot) -> Thing | None:
    """The thing somewhere in its home, wholly inside the picture; None where there is no room."""
    half_w, half_h = _half(thing, lot.size)
    home = home_of(thing.kind)
    low, high = lot.place.zones[home if home in lot.place.zones else "ground"]
    bottom = lot.rng.uniform(low, high)
    if half_w > 0.49 or bottom < 2 * half_h + 0.01:
        return None
    return replace(thing, at=(round(lot.rng.uniform(half_w + 0.005, 0.995 - half_w), 3), round(bottom - half_h, 3)))


def _half(thing: Thing, size: tuple[int, int]) -> tuple[float, float]:
    """Half the width and height of a thing as fractions of the picture's."""
    picture = _stamp(thing, size).picture
    return picture.width / size[0] / 2, picture.height / size[1] / 2


def _fits(thing: Thing, others: Sequence[Thing], size: tuple[int, int]) -> bool:
    """Whether the thing shares at most 40 % of the smaller box with each other one; things with text keep clear of all."""
    return all(_shared(thing, other, size) <= (0.02 if thing.text or other.text else 0.4) for other in others)


def _shared(one: Thing, other: Thing, size: tuple[int, int]) -> float:
    """What two boxes share, as a part of the smaller one."""
    (aw, ah), (bw, bh) = _half(one, size), _half(other, size)
    across = min(one.at[0] + aw, other.at[0] + bw) - max(one.at[0] - aw, other.at[0] - bw)
    down = min(one.at[1] + ah, other.at[1] + bh) - max(one.at[1] - ah, other.at[1] - bh)
    return max(0.0, across) * max(0.0, down) / (4 * min(aw * ah, bw * bh))
