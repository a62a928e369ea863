"""Words about scenes: captions at three granularities, and what a phrase means.

A phrase is ``(largest | smallest) (colour) kind (on the left | on the right | next to the (colour) kind)``,
where brackets mark what may be left out, with or without an article or number, in singular or plural;
``behind`` and ``in front of`` stand where ``next to`` does.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence

from .pen import COLOURS
from .thing import KINDS, SceneFacts, VisibleThing

BACKGROUND_NOUNS = {
    "field": "field",
    "beach": "beach",
    "night street": "street",
    "room": "room",
    "snow": "snow",
    "harbour": "harbour",
}
"""One word for each background."""
WHERE = {
    "field": "in a green field",
    "beach": "on a beach",
    "night street": "on a street at night",
    "room": "in a room",
    "snow": "in the snow",
    "harbour": "in a harbour",
}
NUMBERS = tuple("no a two three four five six seven eight nine ten eleven twelve".split())
MANY = "many"
"""For more than the last of `NUMBERS`."""
_PLURALS = {"fish": "fish", "bus": "buses", "butterfly": "butterflies"}


def plural(kind: str) -> str:
    """The word for several of a kind."""
    return _PLURALS.get(kind, kind + "s")


def article(words: str) -> str:
    """The words with ``a`` or ``an`` before them."""
    return ("an " if words[0] in "aeio" or words.startswith("umbrella") else "a ") + words


SINGULAR = {plural(kind): kind for kind in KINDS}
_KIND = "|".join(sorted({*KINDS, *SINGULAR}, key=len, reverse=True))
_COLOUR = "|".join(COLOURS)
_ARTICLE = rf"(?:(?:a|an|the|{'|'.join(NUMBERS[2:])}|{MANY}) )?"
_THINGS = (
    rf"{_ARTICLE}(?:(?P<extreme>largest|biggest|smallest) )?(?:(?P<colour>{_COLOUR}) )?(?P<kind>{_KIND})\b"
)
_NEAR = (
    rf"(?P<near>next to|behind|in front of) (?:a|an|the) (?:(?P<near_colour>{_COLOUR})"
    rf" )?(?P<near_kind>{_KIND})\b"
)
NAMED_IN_TEXT = re.compile(r"\b" + _THINGS, re.IGNORECASE)
PHRASE = re.compile(rf"{_THINGS}(?: (?P<side>on the left|on the right)| {_NEAR})?", re.IGNORECASE)
# What a sign says names nothing: a sign with BUS on it is no bus.
_SAYS = re.compile(r"\bsays [A-Z0-9 ]+")


def phrases_in(text: str) -> list[str]:
    """Every phrase of a text that names things, once each, in order and as it is written.

    The words that tell where (``next to``, ``behind``) are left out, and so is what a sign says.
    """
    return list(dict.fromkeys(match.group() for match in NAMED_IN_TEXT.finditer(_SAYS.sub("says", text))))


def size_of(thing: VisibleThing) -> float:
    """Area of a thing's box in square pixels."""
    return (thing.box[2] - thing.box[0]) * (thing.box[3] - thing.box[1])


def things_meant(scene: SceneFacts, phrase: str) -> list[VisibleThing]:
    """The things that a phrase means, from left to right; none where nothing fits. Blanks and a full stop do
    no harm.

    ``largest``, a side and a neighbour each leave one thing. With a neighbour it is, of those named, the one
    whose middle is nearest to a neighbour's; behind or in front of it may only be what meets it, box by box,
    and is drawn before or after it.
    """
    match = PHRASE.fullmatch(" ".join(phrase.split()).strip(" .,;:!?"))
    if not match:
        return []
    named = _named(scene, match["colour"], match["kind"])
    if match["near_kind"]:
        others = _named(scene, match["near_colour"], match["near_kind"])
        named = _nearest(scene, named, others, match["near"].lower())
    if match["extreme"] and named:
        named = [(min if match["extreme"].lower() == "smallest" else max)(named, key=size_of)]
    if match["side"] and named:
        named = [named[0] if match["side"].lower() == "on the left" else named[-1]]
    return named


def _named(scene: SceneFacts, colour: str | None, kind: str) -> list[VisibleThing]:
    kind = kind.lower()
    kind = SINGULAR.get(kind, kind)
    things = [t for t in scene.things if t.kind == kind and (colour is None or t.colour == colour.lower())]
    return sorted(things, key=lambda t: t.box[0] + t.box[2])


def _nearest(
    scene: SceneFacts, named: Sequence[VisibleThing], others: Sequence[VisibleThing], how: str
) -> list[VisibleThing]:
    """The one of the named that has one of the others, not itself, nearest to it; none where there is no
    other.
    """
    pairs = [(thing, other) for thing in named for other in others if other is not thing]
    if how != "next to":
        pairs = [pair for pair in pairs if _meet(*pair) and in_front(scene, *pair) == (how == "in front of")]
    return [min(pairs, key=lambda pair: _gap(*pair))[0]] if pairs else []


def _meet(one: VisibleThing, other: VisibleThing) -> bool:
    """Whether two boxes share some area."""
    width = min(one.box[2], other.box[2]) - max(one.box[0], other.box[0])
    height = min(one.box[3], other.box[3]) - max(one.box[1], other.box[1])
    return width > 0 and height > 0


def in_front(scene: SceneFacts, thing: VisibleThing, other: VisibleThing) -> bool:
    """Whether a thing is drawn after another."""
    order = [id(t) for t in scene.things]
    return order.index(id(thing)) > order.index(id(other))


def _gap(one: VisibleThing, other: VisibleThing) -> float:
    """Distance of the middles of two boxes, in pixels."""
    return (
        ((one.box[0] + one.box[2] - other.box[0] - other.box[2]) / 2) ** 2
        + ((one.box[1] + one.box[3] - other.box[1] - other.box[3]) / 2) ** 2
    ) ** 0.5


def name_of(thing: VisibleThing) -> str:
    """Colour and kind."""
    return f"{thing.colour} {thing.kind}"


def _pick(rng: random.Random | None, *choices: str) -> str:
    return rng.choice(choices) if rng else choices[0]


def _joined(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def _counted(things: list[VisibleThing]) -> list[str]:
    """``a red car``, ``two blue fish`` …, in the order of the first of each."""
    counts = Counter((t.colour, t.kind) for t in things)
    return [_several(colour, kind, count) for (colour, kind), count in counts.items()]


def _several(colour: str, kind: str, count: int) -> str:
    if count == 1:
        return article(f"{colour} {kind}")
    return f"{NUMBERS[count] if count < len(NUMBERS) else MANY} {colour} {plural(kind)}"


def caption(scene: SceneFacts, things: list[VisibleThing], rng: random.Random | None) -> str:
    """One short sentence on the largest thing, or the two largest."""
    where = WHERE[scene.background]
    if not things:
        return f"An empty picture {where}."
    big = sorted(things, key=size_of, reverse=True)[:2]
    if len({name_of(t) for t in big}) == 1:
        return f"{_joined(_counted(big)).capitalize()} {where}."
    first, second = _counted(big)
    middle = _pick(rng, f"and {second}", f"next to {second}", f"with {second}")
    return f"{first.capitalize()} {middle} {where}."


def detailed_caption(scene: SceneFacts, things: list[VisibleThing], rng: random.Random | None) -> str:
    """One sentence that counts everything from left to right, and says where it is."""
    where = WHERE[scene.background]
    if not things:
        return f"The image shows nothing {where}."
    opening = _pick(rng, "The image shows", "In this picture we see", "Here we see")
    return f"{opening} {_joined(_counted(things))} {where}."


def paragraph(scene: SceneFacts, things: list[VisibleThing], rng: random.Random | None) -> str:
    """Several sentences: the place, every thing and how it lies to the one before it, and what is written."""
    where = WHERE[scene.background]
    told = [_pick(rng, f"The image shows a scene {where}.", f"This is a picture taken {where}.")]
    for i, thing in enumerate(things):
        place = relation(scene, thing, things[i - 1]) if i else "On the left"
        opening = f"{place} {_pick(rng, 'there is', 'we see')}" if len(things) > 1 else "There is"
        told.append(f"{opening} {article(name_of(thing))}.")
        if thing.text:
            told.append(f"The {thing.kind} says {' '.join(thing.text.split())}.")
    return " ".join(told)


def relation(scene: SceneFacts, thing: VisibleThing, other: VisibleThing) -> str:
    """How a thing lies to the one named before it, by their boxes.

    In front of or behind it where they meet, above or below it where they share much of their width, else to
    the right of it.
    """
    if _meet(thing, other):
        return "In front of it" if in_front(scene, thing, other) else "Behind it"
    width = min(thing.box[2], other.box[2]) - max(thing.box[0], other.box[0])
    if width > 0.4 * min(thing.box[2] - thing.box[0], other.box[2] - other.box[0]):
        return "Above it" if thing.box[3] <= other.box[1] + 1 else "Below it"
    return "To the right of it"
