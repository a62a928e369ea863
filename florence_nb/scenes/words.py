"""Words about scenes: captions at three granularities, and what a phrase means.

A phrase is built from ``(largest | smallest) (colour) kind (on the left | on the right | next to the (colour) kind)``, with or without an article,
in singular or plural.
"""

from __future__ import annotations

import random
import re
from collections import Counter

from .pen import COLOURS
from .scene import KINDS, Seen

PLACES = {"field": "field", "beach": "beach", "night street": "street", "room": "room", "snow": "snow", "harbour": "harbour"}
"""One word for each background."""
WHERE = {
    "field": "in a green field",
    "beach": "on a beach",
    "night street": "on a street at night",
    "room": "in a room",
    "snow": "in the snow",
    "harbour": "in a harbour",
}
NUMBERS = ("no", "a", "two", "three", "four", "five", "six", "seven")
_PLURALS = {"fish": "fish", "bus": "buses", "butterfly": "butterflies"}


def plural(kind: str) -> str:
    """The word for several of a kind."""
    return _PLURALS.get(kind, kind + "s")


def article(words: str) -> str:
    """The words with ``a`` or ``an`` before them."""
    return ("an " if words[0] in "aeio" or words.startswith("umbrella") else "a ") + words


_SINGULAR = {plural(kind): kind for kind in KINDS}
_KIND = "|".join(sorted({*KINDS, *_SINGULAR}, key=len, reverse=True))
_COLOUR = "|".join(COLOURS)
_THINGS = rf"(?:(?:a|an|the|{'|'.join(NUMBERS[2:])}) )?(?:(?P<extreme>largest|biggest|smallest) )?(?:(?P<colour>{_COLOUR}) )?(?P<kind>{_KIND})\b"
_WHICH = rf"(?: (?P<side>on the left|on the right)| next to (?:a|an|the) (?:(?P<near_colour>{_COLOUR}) )?(?P<near_kind>{_KIND})\b)?"
_NAMED_IN_TEXT = re.compile(r"\b" + _THINGS, re.IGNORECASE)
_PHRASE = re.compile(_THINGS + _WHICH, re.IGNORECASE)


def phrases_in(text: str) -> list[str]:
    """Every phrase of a text that names things, once each, in order and as it is written, without what tells where (``next to …``)."""
    return list(dict.fromkeys(match.group() for match in _NAMED_IN_TEXT.finditer(text)))


def size_of(thing: Seen) -> float:
    """Area of a thing's box in square pixels."""
    return (thing.box[2] - thing.box[0]) * (thing.box[3] - thing.box[1])


def meant(scene, phrase: str) -> list[Seen]:
    """The things that a phrase means, from left to right; none where nothing fits."""
    match = _PHRASE.fullmatch(phrase.strip())
    if not match:
        return []
    named = _named(scene, match["colour"], match["kind"])
    if match["near_kind"] and named:
        others = _named(scene, match["near_colour"], match["near_kind"])
        named = [min(named, key=lambda t: min((_gap(t, o) for o in others if o is not t), default=1e9))] if others else []
    if match["extreme"] and named:
        named = [(min if match["extreme"].lower() == "smallest" else max)(named, key=size_of)]
    if match["side"] and named:
        named = [named[0] if match["side"].lower() == "on the left" else named[-1]]
    return named


def _named(scene, colour: str | None, kind: str) -> list[Seen]:
    kind = kind.lower()
    kind = _SINGULAR.get(kind, kind)
    things = [t for t in scene.things if t.kind == kind and (colour is None or t.colour == colour.lower())]
    return sorted(things, key=lambda t: t.box[0] + t.box[2])


def _gap(one: Seen, other: Seen) -> float:
    """Distance of the middles of two boxes, in pixels."""
    return (((one.box[0] + one.box[2] - other.box[0] - other.box[2]) / 2) ** 2 + ((one.box[1] + one.box[3] - other.box[1] - other.box[3]) / 2) ** 2) ** 0.5


def name_of(thing: Seen) -> str:
    """Colour and kind."""
    return f"{thing.colour} {thing.kind}"


def _pick(rng: random.Random | None, *choices: str) -> str:
    return rng.choice(choices) if rng else choices[0]


def _joined(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def _counted(things: list[Seen]) -> list[str]:
    """"a red car", "two blue fish" …, in the order of the first of each."""
    counts = Counter(name_of(t) for t in things)
    return [article(name) if n == 1 else f"{NUMBERS[min(n, 7)]} {name.split(' ', 1)[0]} {plural(name.split(' ', 1)[1])}" for name, n in counts.items()]


def caption(scene, things: list[Seen], rng: random.Random | None) -> str:
    """One short sentence on the largest thing, or the two largest."""
    where = WHERE[scene.background]
    if not things:
        return f"An empty picture {where}."
    big = sorted(things, key=size_of, reverse=True)[:2]
    first = article(name_of(big[0]))
    if len(big) == 1:
        return f"{first.capitalize()} {where}."
    second = article(name_of(big[1]))
    middle = _pick(rng, f"and {second}", f"next to {second}", f"with {second}")
    return f"{first.capitalize()} {middle} {where}."


def detailed_caption(scene, things: list[Seen], rng: random.Random | None) -> str:
    """One sentence that counts everything from left to right, and says where it is."""
    where = WHERE[scene.background]
    if not things:
        return f"The image shows nothing {where}."
    opening = _pick(rng, "The image shows", "In this picture we see", "Here we see")
    return f"{opening} {_joined(_counted(things))} {where}."


def paragraph(scene, things: list[Seen], rng: random.Random | None) -> str:
    """Several sentences: the place, every thing and how it lies to the one before it, and what is written."""
    where = WHERE[scene.background]
    told = [_pick(rng, f"The image shows a scene {where}.", f"This is a picture taken {where}.")]
    for i, thing in enumerate(things):
        this = article(name_of(thing))
        if i == 0:
            told.append(_pick(rng, f"On the left there is {this}.", f"On the left we see {this}.") if len(things) > 1 else f"There is {this}.")
        else:
            told.append(f"{relation(scene, thing, things[i - 1])} {_pick(rng, 'there is', 'we see')} {this}.")
        if thing.text:
            told.append(f"The {thing.kind} says {' '.join(thing.text.split())}.")
    return " ".join(told)


def relation(scene, thing: Seen, other: Seen) -> str:
    """How a thing lies to the one named before it: in front of, behind, above, below or to the right of it."""
    width = min(thing.box[2], other.box[2]) - max(thing.box[0], other.box[0])
    height = min(thing.box[3], other.box[3]) - max(thing.box[1], other.box[1])
    if width > 0 and height > 0:
        order = [id(t) for t in scene.things]
        return "In front of it" if order.index(id(thing)) > order.index(id(other)) else "Behind it"
    if width > 0.4 * min(thing.box[2] - thing.box[0], other.box[2] - other.box[0]):
        return "Above it" if thing.box[3] <= other.box[1] + 1 else "Below it"
    return "To the right of it"
