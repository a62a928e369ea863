"""What is asked of a picture in training, drawn at random, with the true answer."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ..locations import to_loc
from ..scenes import COLOURS, VisibleThing, truth, words
from ..scenes.thing import SceneFacts
from ..scenes.words import article, name_of, plural
from .cells import TRAINED_KINDS

Region = tuple[float, float, float, float]
SHARES = {
    "<CAPTION>": 3,
    "<DETAILED_CAPTION>": 5,
    "<MORE_DETAILED_CAPTION>": 6,
    "<OD>": 10,
    "<DENSE_REGION_CAPTION>": 8,
    "<REGION_PROPOSAL>": 2,
    "<OCR>": 18,
    "<OCR_WITH_REGION>": 16,
    "<CAPTION_TO_PHRASE_GROUNDING>": 16,
    "<OPEN_VOCABULARY_DETECTION>": 20,
    "<REFERRING_EXPRESSION_SEGMENTATION>": 18,
    "<REGION_TO_SEGMENTATION>": 12,
    "<REGION_TO_CATEGORY>": 4,
    "<REGION_TO_DESCRIPTION>": 3,
    "<REGION_TO_OCR>": 10,
}
"""How often each task is asked, in the end."""
SHORT = {
    "<CAPTION>": 5,
    "<OD>": 4,
    "<OCR>": 6,
    "<CAPTION_TO_PHRASE_GROUNDING>": 10,
    "<OPEN_VOCABULARY_DETECTION>": 24,
    "<REGION_TO_CATEGORY>": 14,
    "<REGION_TO_DESCRIPTION>": 20,
    "<REGION_TO_OCR>": 10,
    "<DETAILED_CAPTION>": 4,
    "<REGION_PROPOSAL>": 3,
}
"""How often in the beginning: short answers first."""
TEXTED = ("<OCR>", "<OCR_WITH_REGION>", "<REGION_TO_OCR>")


def ask(facts: SceneFacts, task: str, rng: random.Random) -> tuple[str | Region | None, str]:
    """A text input for a task (None where it takes none) and the true raw answer. The scene has at least one
    thing.
    """
    text_input = _INPUTS[task](facts, rng) if task in _INPUTS else None
    return text_input, truth.answer(facts, task, text_input, rng=rng)


def ask_board(facts: SceneFacts, thing: VisibleThing, rng: random.Random) -> tuple[Region, str] | None:
    """A region around a board and its true text; None where some of it lies outside the picture or the region
    points elsewhere.
    """
    corners = np.concatenate(thing.quads)
    if (corners < 1).any() or (corners > np.array(facts.size) - 1).any():
        return None
    region = jitter_box(thing.box, facts.size, rng)
    if truth.thing_at(facts, to_loc(region, facts.size)) is not thing:
        return None
    return region, truth.answer(facts, "<REGION_TO_OCR>", region)


def meant_by(facts: SceneFacts, task: str, text_input: str | Region | None) -> list[int]:
    """The indices of the things that a text input means, for the tasks that take one."""
    if text_input is None:
        return []
    if not isinstance(text_input, str):
        pointed = truth.thing_at(facts, to_loc(text_input, facts.size))
        things = [pointed] if pointed else []
    else:
        phrases = (
            words.phrases_in(text_input)
            if task == "<CAPTION_TO_PHRASE_GROUNDING>"
            else text_input.split("<and>")
        )
        things = [thing for phrase in phrases for thing in words.things_meant(facts, phrase)]
    return sorted({facts.things.index(thing) for thing in things})


def choose_task(facts: SceneFacts, shares: Mapping[str, float], rng: random.Random) -> str:
    """A random task; reading is asked less often where nothing is written."""
    written = any(t.text for t in facts.things)
    reading = 1.6 if written else 0.15
    return rng.choices(
        list(shares), [share * (reading if task in TEXTED else 1) for task, share in shares.items()]
    )[0]


def jitter_box(box: Sequence[float], size: tuple[int, int], rng: random.Random) -> Region:
    """A box as a hand draws it: every edge off by up to 4 % of the picture, but at most a quarter of the
    box.
    """
    width, height = size
    limits = (min(0.04 * width, 0.25 * (box[2] - box[0])), min(0.04 * height, 0.25 * (box[3] - box[1])))
    strength = rng.random()
    moved = [box[i] + rng.uniform(-1, 1) * strength * limits[i % 2] for i in range(4)]
    return max(0.0, moved[0]), max(0.0, moved[1]), min(float(width), moved[2]), min(float(height), moved[3])


EMPTY_REGIONS = {
    "<REGION_TO_CATEGORY>": 0.15,
    "<REGION_TO_DESCRIPTION>": 0.1,
    "<REGION_TO_SEGMENTATION>": 0.03,
}
"""How often a region touches nothing, where the picture has room for one."""


def empty_region(facts: SceneFacts, rng: random.Random) -> Region | None:
    """A region that touches no thing, or None where twenty tries find no room for one."""
    width, height = facts.size
    for _ in range(20):
        w, h = rng.uniform(0.06, 0.4) * width, rng.uniform(0.06, 0.4) * height
        x, y = rng.uniform(0, width - w), rng.uniform(0, height - h)
        region = (x, y, x + w, y + h)
        if truth.thing_at(facts, to_loc(region, facts.size)) is None:
            return region
    return None


def _region(task: str) -> Callable[[SceneFacts, random.Random], Region]:
    def draw(facts: SceneFacts, rng: random.Random) -> Region:
        empty = empty_region(facts, rng) if rng.random() < EMPTY_REGIONS[task] else None
        return empty or jitter_box(rng.choice(facts.things).box, facts.size, rng)

    return draw


def _region_to_read(facts: SceneFacts, rng: random.Random) -> Region:
    texted = [t for t in facts.things if t.text]
    return jitter_box(
        rng.choice(texted if texted and rng.random() < 0.85 else facts.things).box, facts.size, rng
    )


def absent(facts: SceneFacts, rng: random.Random) -> str:
    """A name of something that is not there: another kind, or a kind that is there in another colour."""
    there = {t.kind for t in facts.things}
    if rng.random() < 0.35:
        thing = rng.choice(facts.things)
        colours = [c for c in COLOURS if all(t.colour != c or t.kind != thing.kind for t in facts.things)]
        return f"{rng.choice(colours)} {thing.kind}"
    kind = rng.choice([k for k in TRAINED_KINDS if k not in there])
    return rng.choice((kind, f"{rng.choice(tuple(COLOURS))} {kind}"))


def thing_to_ask_about(facts: SceneFacts, rng: random.Random) -> VisibleThing:
    """Any thing; half of the time one of those that have another of their kind beside them, if there are
    such.
    """
    kinds = Counter(t.kind for t in facts.things)
    several = [t for t in facts.things if kinds[t.kind] > 1]
    return rng.choice(several if several and rng.random() < 0.5 else facts.things)


def refer(facts: SceneFacts, rng: random.Random, thing: VisibleThing | None = None) -> str:
    """A phrase for something that is there: by kind, colour, size, place or neighbour."""
    thing = thing or rng.choice(facts.things)
    name = rng.choice((thing.kind, name_of(thing), name_of(thing)))
    if len(words.things_meant(facts, name)) > 1 or rng.random() < 0.25:
        ways = {
            rng.choice((f"largest {name}", f"biggest {name}", f"smallest {name}", f"smallest {name}")): 3,
            rng.choice((f"{name} on the left", f"{name} on the right")): 2,
            name: 1,
        }
        neighbours = _by_neighbour(facts, thing, name, rng)
        if neighbours:
            ways[rng.choice(neighbours)] = 4  # the hardest to learn
        name = rng.choices(list(ways), list(ways.values()))[0]
    definite = name.startswith(("largest", "biggest", "smallest")) or name[0] in "aeiou"
    return rng.choice(("", "", "the ", "the " if definite else "a ")) + name


def _by_neighbour(facts: SceneFacts, thing: VisibleThing, name: str, rng: random.Random) -> list[str]:
    """Phrases that tell a thing by one of another kind: next to it, and behind or in front of it where that
    is so.
    """
    others = [t for t in facts.things if t.kind != thing.kind]
    if not others:
        return []
    other = rng.choice(others)
    ways = [f"{name} next to the {rng.choice((other.kind, name_of(other)))}"]
    for other in others:
        where = "in front of" if words.in_front(facts, thing, other) else "behind"
        phrase = f"{name} {where} the {rng.choice((other.kind, name_of(other)))}"
        if words.things_meant(facts, phrase):
            ways += [phrase]
    return ways


def _phrase_to_find(facts: SceneFacts, rng: random.Random) -> str:
    # Seldom absent: an answer that begins with a place, one of many likely ones, must not lose to ending at
    # once.
    return absent(facts, rng) if rng.random() < 0.02 else refer(facts, rng, thing_to_ask_about(facts, rng))


def _vocabulary(facts: SceneFacts, rng: random.Random) -> str:
    def one() -> str:
        if rng.random() < 0.3:
            return absent(facts, rng)
        thing = thing_to_ask_about(facts, rng)
        by_relation = refer(facts, rng, thing)
        return rng.choice(
            (thing.kind, thing.kind, name_of(thing), plural(thing.kind), by_relation, by_relation)
        )

    return rng.choice((" <and> ", "<and>")).join(
        dict.fromkeys(one() for _ in range(rng.choice((1, 1, 1, 2, 2, 3))))
    )


def _caption(facts: SceneFacts, rng: random.Random) -> str:
    if rng.random() < 0.5:
        task = rng.choice(("<CAPTION>",) + ("<DETAILED_CAPTION>",) * 2 + ("<MORE_DETAILED_CAPTION>",) * 2)
        return truth.answer(facts, task, rng=rng).removeprefix(truth.START).removesuffix(truth.END)
    most = len(facts.things)
    things = rng.sample(facts.things, most if rng.random() < 0.5 else rng.randint(1, most))
    if rng.random() < 0.3:
        things = sorted(things, key=facts.things.index)
    names = [
        article(name_of(t)) if rng.random() < 0.7 else name_of(t) if rng.random() < 0.5 else t.kind
        for t in things
    ]
    for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
        names.insert(rng.randint(0, len(names)), article(absent(facts, rng)))
    return rng.choice((" and ", " and ", ", ", " next to ")).join(dict.fromkeys(names))


_INPUTS: dict[str, Callable[[SceneFacts, random.Random], str | Region]] = {
    "<CAPTION_TO_PHRASE_GROUNDING>": _caption,
    "<OPEN_VOCABULARY_DETECTION>": _vocabulary,
    "<REFERRING_EXPRESSION_SEGMENTATION>": _phrase_to_find,
    "<REGION_TO_SEGMENTATION>": _region("<REGION_TO_SEGMENTATION>"),
    "<REGION_TO_CATEGORY>": _region("<REGION_TO_CATEGORY>"),
    "<REGION_TO_DESCRIPTION>": _region("<REGION_TO_DESCRIPTION>"),
    "<REGION_TO_OCR>": _region_to_read,
}


def prompt_text(task_sentence: str, text_input: str | Region | None, size: tuple[int, int]) -> str:
    """The sentence that the model reads: as the processor writes it."""
    if text_input is None:
        return task_sentence
    return task_sentence.replace(
        "{input}", text_input if isinstance(text_input, str) else to_loc(text_input, size)
    )
