"""What is asked of a picture in training, drawn by lot, with the true answer."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

from ..locations import to_loc
from ..scenes import truth, words
from ..scenes.pen import COLOURS
from ..scenes.scene import Seen
from ..scenes.words import Told, article, name_of, plural
from .cells import TRAINED_KINDS

Box = tuple[float, float, float, float]
SHARES = {
    "<CAPTION>": 3,
    "<DETAILED_CAPTION>": 5,
    "<MORE_DETAILED_CAPTION>": 5,
    "<OD>": 8,
    "<DENSE_REGION_CAPTION>": 8,
    "<REGION_PROPOSAL>": 2,
    "<OCR>": 24,
    "<OCR_WITH_REGION>": 20,
    "<CAPTION_TO_PHRASE_GROUNDING>": 12,
    "<OPEN_VOCABULARY_DETECTION>": 6,
    "<REFERRING_EXPRESSION_SEGMENTATION>": 14,
    "<REGION_TO_SEGMENTATION>": 12,
    "<REGION_TO_CATEGORY>": 3,
    "<REGION_TO_DESCRIPTION>": 3,
    "<REGION_TO_OCR>": 14,
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


def ask(facts: Told, task: str, rng: random.Random) -> tuple[str | Box | None, str]:
    """A text input for a task (None where it takes none) and the true raw answer. The scene has at least one thing."""
    text_input = _INPUTS[task](facts, rng) if task in _INPUTS else None
    return text_input, truth.answer(facts, task, text_input, rng=rng)


def meant_by(facts: Told, task: str, text_input: str | Box | None) -> list[int]:
    """The indices of the things that a text input means, for the tasks that take one."""
    if text_input is None:
        return []
    if not isinstance(text_input, str):
        pointed = truth.pointed_at(facts, to_loc(text_input, facts.size))
        things = [pointed] if pointed else []
    else:
        phrases = words.phrases_in(text_input) if task == "<CAPTION_TO_PHRASE_GROUNDING>" else text_input.split("<and>")
        things = [thing for phrase in phrases for thing in words.meant(facts, phrase)]
    return sorted({facts.things.index(thing) for thing in things})


def choose_task(facts: Told, shares: Mapping[str, float], rng: random.Random) -> str:
    """A task by lot; reading is asked less often where nothing is written."""
    written = any(t.text for t in facts.things)
    reading = 1.6 if written else 0.15
    return rng.choices(list(shares), [share * (reading if task in TEXTED else 1) for task, share in shares.items()])[0]


def sloppy(box: Sequence[float], size: tuple[int, int], rng: random.Random) -> Box:
    """A box as a hand draws it: every edge off by up to 4 % of the picture, but at most a quarter of the box."""
    width, height = size
    limits = (min(0.04 * width, 0.25 * (box[2] - box[0])), min(0.04 * height, 0.25 * (box[3] - box[1])))
    strength = rng.random()
    moved = [box[i] + rng.uniform(-1, 1) * strength * limits[i % 2] for i in range(4)]
    return max(0.0, moved[0]), max(0.0, moved[1]), min(float(width), moved[2]), min(float(height), moved[3])


def _region(facts: Told, rng: random.Random) -> Box:
    return sloppy(rng.choice(facts.things).box, facts.size, rng)


def _region_to_read(facts: Told, rng: random.Random) -> Box:
    texted = [t for t in facts.things if t.text]
    return sloppy(rng.choice(texted if texted and rng.random() < 0.85 else facts.things).box, facts.size, rng)


def absent(facts: Told, rng: random.Random) -> str:
    """A name of something that is not there: another kind, or a kind that is there in another colour."""
    there = {t.kind for t in facts.things}
    if rng.random() < 0.35:
        thing = rng.choice(facts.things)
        colours = [c for c in COLOURS if all(t.colour != c or t.kind != thing.kind for t in facts.things)]
        return f"{rng.choice(colours)} {thing.kind}"
    kind = rng.choice([k for k in TRAINED_KINDS if k not in there])
    return rng.choice((kind, f"{rng.choice(tuple(COLOURS))} {kind}"))


def refer(facts: Told, rng: random.Random) -> str:
    """A phrase for something that is there: by kind, colour, size, place or neighbour."""
    thing = rng.choice(facts.things)
    name = rng.choice((thing.kind, name_of(thing), name_of(thing)))
    if len(words.meant(facts, name)) > 1 or rng.random() < 0.15:
        extreme = rng.choice((f"largest {name}", f"biggest {name}", f"smallest {name}"))
        ways = [extreme, f"{name} on the left", f"{name} on the right", name]
        others = [t for t in facts.things if t.kind != thing.kind]
        if others:
            ways.append(f"{name} next to the {rng.choice((rng.choice(others).kind, name_of(rng.choice(others))))}")
        name = rng.choice(ways)
    definite = name.startswith(("largest", "biggest", "smallest")) or name[0] in "aeiou"
    return rng.choice(("", "", "the ", "the " if definite else "a ")) + name


def _phrase_to_find(facts: Told, rng: random.Random) -> str:
    # Seldom absent: an answer that begins with a place, one of many likely ones, must not lose to ending at once.
    return absent(facts, rng) if rng.random() < 0.02 else refer(facts, rng)


def _vocabulary(facts: Told, rng: random.Random) -> str:
    def one() -> str:
        if rng.random() < 0.3:
            return absent(facts, rng)
        thing: Seen = rng.choice(facts.things)
        return rng.choice((thing.kind, thing.kind, name_of(thing), name_of(thing), plural(thing.kind), refer(facts, rng)))

    return rng.choice((" <and> ", "<and>")).join(dict.fromkeys(one() for _ in range(rng.choice((1, 1, 1, 2, 3)))))


def _caption(facts: Told, rng: random.Random) -> str:
    if rng.random() < 0.5:
        task = rng.choice(("<CAPTION>",) + ("<DETAILED_CAPTION>",) * 2 + ("<MORE_DETAILED_CAPTION>",) * 2)
        return truth.answer(facts, task, rng=rng).removeprefix(truth.START).removesuffix(truth.END)
    most = len(facts.things)
    things = rng.sample(facts.things, most if rng.random() < 0.5 else rng.randint(1, most))
    if rng.random() < 0.3:
        things = sorted(things, key=facts.things.index)
    names = [article(name_of(t)) if rng.random() < 0.7 else name_of(t) if rng.random() < 0.5 else t.kind for t in things]
    for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
        names.insert(rng.randint(0, len(names)), article(absent(facts, rng)))
    return rng.choice((" and ", " and ", ", ", " next to ")).join(dict.fromkeys(names))


_INPUTS: dict[str, Callable[[Told, random.Random], str | Box]] = {
    "<CAPTION_TO_PHRASE_GROUNDING>": _caption,
    "<OPEN_VOCABULARY_DETECTION>": _vocabulary,
    "<REFERRING_EXPRESSION_SEGMENTATION>": _phrase_to_find,
    "<REGION_TO_SEGMENTATION>": _region,
    "<REGION_TO_CATEGORY>": _region,
    "<REGION_TO_DESCRIPTION>": _region,
    "<REGION_TO_OCR>": _region_to_read,
}


def prompt_text(task_sentence: str, text_input: str | Box | None, size: tuple[int, int]) -> str:
    """The sentence that the model reads: as the processor writes it."""
    if text_input is None:
        return task_sentence
    return task_sentence.replace("{input}", text_input if isinstance(text_input, str) else to_loc(text_input, size))
