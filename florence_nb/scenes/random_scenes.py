"""Scenes drawn at random: `random_scene` for lessons, training and evaluation, `random_page` and
`random_crowd` for practice.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import InputError
from .backgrounds import BACKGROUNDS, HOMES, Backdrop
from .pen import COLOURS
from .scene import CameraEffects, Scene, backdrop
from .signs import CHARACTERS, FONTS, SIGN_KINDS, WORDS
from .thing import HELD_OUT, KINDS, Thing, VisibleThing, home_of, stamp_of

SHARE_SEEN = 2 / 3
"""Of a thing of a random scene at least so much is seen, unless it is the only one."""
_ASPECTS = ((1, 1), (1, 1), (4, 3), (4, 3), (3, 2), (16, 9), (3, 4), (2, 3), (9, 16), (2, 1))


@dataclass(frozen=True)
class Sampler:
    """What a random thing is drawn from: the allowed kinds, the backdrop, the picture's size in pixels, the
    number of things.
    """

    rng: random.Random
    allowed: tuple[str, ...]
    backdrop: Backdrop
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
    """A scene drawn at random.

    Args:
        seed: the same seed gives the same scene.
        kinds: what may appear; all but the held-out kinds when None.
        most: number of things at most (at least one appears).
        size: (width, height) in pixels; drawn at random when None.
        signs: how likely each thing is to be one that carries text, where ``kinds`` allows it, in scenes that
            have text: in 55 % of all, or in every one where ``signs`` is above 0.5.
        clean: no blur, noise, contrast or JPEG.

    Raises:
        InputError: ``kinds`` is empty or holds something that is no kind.
    """
    rng = random.Random(seed)
    allowed = _allowed(kinds)
    size = size or _random_size(rng)
    background = rng.choice(_places_for(allowed))
    look = rng.randrange(2**31)
    sampler = Sampler(
        rng,
        allowed,
        backdrop(background, look, size),
        size,
        rng.choices(range(1, 8), (10, 17, 20, 18, 14, 12, 9))[0],
    )
    effects = CameraEffects() if clean else _random_effects(rng)
    wanted = _random_things(
        sampler, min(sampler.count, most), signs if rng.random() < 0.55 or signs > 0.5 else 0.0
    )
    wanted = wanted or [_random_thing(replace(sampler, count=1), signs) or _any_thing(allowed)]
    wanted.sort(key=lambda t: t.at[1] + _half(t, size)[1])
    return _uncovered(Scene(tuple(wanted), background, size, look, effects))


def random_page(seed: int) -> Scene:
    """A picture full of small boards, row under row, for practising reading; the same seed gives the same
    page.
    """
    rng = random.Random(seed)
    size = _random_size(rng)
    background, look, effects = rng.choice(tuple(BACKGROUNDS)), rng.randrange(2**31), _random_effects(rng)
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
    return _uncovered(Scene(tuple(found) or (_any_thing(("sign",)),), background, size, look, effects))


def random_crowd(seed: int) -> Scene:
    """A scene in which most things are of one or two kinds; the same seed gives the same scene."""
    rng = random.Random(seed)
    trained = [kind for kind in KINDS if kind not in HELD_OUT]
    repeated, others = (
        rng.sample(trained, rng.choice((1, 1, 2))),
        rng.sample(trained, rng.choice((0, 1, 2, 3))),
    )
    return random_scene(seed, kinds=[*repeated * 3, *others], most=rng.choice((4, 5, 6, 7, 7)))


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
    """The backgrounds where at least one of the kinds may be; text and what belongs on a table may be on any
    ground.
    """
    homes = {"ground" if kind in SIGN_KINDS or home_of(kind) == "table" else home_of(kind) for kind in kinds}
    return tuple(name for name in BACKGROUNDS if homes & {*HOMES[name]})


def _any_thing(kinds: Sequence[str]) -> Thing:
    kind = "ball" if "ball" in kinds else kinds[0]
    return Thing(kind, "red", text="GO" if kind in SIGN_KINDS else "")


def _random_things(sampler: Sampler, count: int, signs: float) -> list[Thing]:
    """Up to ``count`` things that fit beside each other, each given twelve tries."""
    found: list[Thing] = []
    for _ in range(count):
        for _try in range(12):
            thing = _random_thing(sampler, signs)
            if thing and _fits(thing, found, sampler.size):
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
        scene = replace(
            scene, wanted=tuple(t for t in scene.wanted if id(t) not in gone) or scene.wanted[-1:]
        )


def _text_covered(scene: Scene, seen: VisibleThing) -> bool:
    """Whether any letter lies under another thing or outside the picture."""
    number = scene.things.index(seen) + 1
    height, width = scene.instance_map.shape
    return any(
        not (2 <= x < width - 2 and 2 <= y < height - 2) or scene.instance_map[int(y), int(x)] != number
        for _, x, y in seen.letters
    )


def _random_size(rng: random.Random) -> tuple[int, int]:
    w, h = rng.choice(_ASPECTS)
    short = rng.choice((256, 288, 288, 320))
    scale = short / min(w, h)
    return round(w * scale), round(h * scale)


def _random_effects(rng: random.Random) -> CameraEffects:
    if rng.random() < 0.4:
        return CameraEffects()
    return CameraEffects(
        round(rng.uniform(0.75, 1.15), 2),
        round(rng.uniform(0.8, 1.2), 2),
        round(rng.uniform(0.75, 1.25), 2),
        round(rng.uniform(0.3, 0.9), 2) if rng.random() < 0.3 else 0.0,
        round(rng.uniform(2, 9), 1) if rng.random() < 0.35 else 0.0,
        rng.randint(45, 90) if rng.random() < 0.35 else 0,
    )


def random_text(rng: random.Random) -> str:
    """Words for a sign: a known word, random letters and digits (1 to 8), two short words, or two lines."""
    share = rng.random()
    if share < 0.35:
        return rng.choice(WORDS)
    if share < 0.75:
        return "".join(rng.choices(CHARACTERS, k=rng.randint(1, 8)))
    short = [w for w in WORDS if len(w) <= 4] + [
        "".join(rng.choices(CHARACTERS, k=rng.randint(1, 4))) for _ in range(20)
    ]
    return (" " if share < 0.87 else "\n").join(rng.choices(short, k=2))


def _random_thing(sampler: Sampler, signs: float) -> Thing | None:
    """One thing somewhere; None where there is no room or no home for it."""
    rng = sampler.rng
    kind = _random_kind(sampler, signs)
    if kind is None:
        return None
    colour = rng.choice(tuple(COLOURS))
    extent, tilt = _random_pose(sampler)
    text, font = "", None
    if kind in SIGN_KINDS:
        text, font = random_text(rng), rng.choice(FONTS)
        extent, tilt = _random_board_pose(rng, text, sampler.size)
    mirrored = not text and rng.random() < 0.5
    stretch = round(rng.uniform(0.88, 1.14), 2)
    return _placed(
        Thing(kind, colour, (0.5, 0.5), round(extent, 3), mirrored, round(tilt, 1), stretch, text, font),
        sampler,
    )


def _random_kind(sampler: Sampler, signs: float) -> str | None:
    texted = [k for k in sampler.allowed if k in SIGN_KINDS]
    plain = [
        k
        for k in sampler.allowed
        if k not in SIGN_KINDS and (home_of(k) in sampler.backdrop.zones or home_of(k) == "table")
    ]
    pool = texted if texted and (not plain or sampler.rng.random() < signs) else plain
    return sampler.rng.choice(pool) if pool else None


def _random_pose(sampler: Sampler) -> tuple[float, float]:
    """Size as in `Thing.size`, smaller where there are many, and tilt in degrees."""
    largest = 0.6 if sampler.count <= 3 else 0.45
    longer = max(sampler.size) / min(sampler.size)
    extent = min(0.62, float(np.exp(sampler.rng.uniform(np.log(0.1), np.log(largest)))) * longer**0.5)
    return extent, sampler.rng.choice((0.0, 0.0, sampler.rng.uniform(-8, 8)))


def _random_board_pose(rng: random.Random, text: str, size: tuple[int, int]) -> tuple[float, float]:
    """The same for a thing with text: long lines need room."""
    longest = max(map(len, text.split("\n")))
    extent = (
        size[0] / min(size) * rng.uniform(max(0.14, 0.055 * longest), max(0.36, min(0.72, 0.1 * longest)))
    )
    return extent, rng.choice((0.0, 0.0, rng.uniform(-15, 15), rng.uniform(-15, 15)))


def _placed(thing: Thing, sampler: Sampler) -> Thing | None:
    """The thing somewhere in its home, wholly inside the picture; None where there is no room."""
    half_w, half_h = _half(thing, sampler.size)
    home = home_of(thing.kind)
    low, high = sampler.backdrop.zones[home if home in sampler.backdrop.zones else "ground"]
    bottom = sampler.rng.uniform(low, high)
    if half_w > 0.49 or bottom < 2 * half_h + 0.01:
        return None
    return replace(
        thing, at=(round(sampler.rng.uniform(half_w + 0.005, 0.995 - half_w), 3), round(bottom - half_h, 3))
    )


def _half(thing: Thing, size: tuple[int, int]) -> tuple[float, float]:
    """Half the width and height of a thing as fractions of the picture's."""
    picture = stamp_of(thing, size).picture
    return picture.width / size[0] / 2, picture.height / size[1] / 2


def _fits(thing: Thing, others: Sequence[Thing], size: tuple[int, int]) -> bool:
    """Whether the thing shares at most 40 % of the smaller box with each other one; things with text keep
    clear of all.
    """
    return all(_shared(thing, other, size) <= (0.02 if thing.text or other.text else 0.4) for other in others)


def _shared(one: Thing, other: Thing, size: tuple[int, int]) -> float:
    """What two boxes share, as a part of the smaller one."""
    (aw, ah), (bw, bh) = _half(one, size), _half(other, size)
    across = min(one.at[0] + aw, other.at[0] + bw) - max(one.at[0] - aw, other.at[0] - bw)
    down = min(one.at[1] + ah, other.at[1] + bh) - max(one.at[1] - ah, other.at[1] - bh)
    return max(0.0, across) * max(0.0, down) / (4 * min(aw * ah, bw * bh))
