"""Compares texts with the ground truth of a scene, and writes lists and counts as people do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..scenes import GALLERY, Scene, VisibleThing, phrases_in, things_meant
from ..scenes.words import NUMBERS, name_of
from .refusals import NotYet
from .values import words_of


def counted(count: int, noun: str) -> str:
    """``1 thing``, ``3 things``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def some(words: Sequence[Any], most: int = 3) -> str:
    """``a, b and c``; of many the first few, and how many more there are."""
    shown = list(map(str, words[:most])) + ([f"{len(words) - most} more"] if len(words) > most else [])
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))


def check_words(answer: Any, wanted: Sequence[str], noun: str, slips: Mapping[str, str] | None = None) -> str:
    """Whether a list holds just the wanted texts, in any order; returns what was found, in words.

    Args:
        noun: what one of them is called, such as "prompt".
        slips: texts that do not belong, each with what is to be said of it, such as "gives quads".

    Raises:
        NotYet: some are missing, or some do not belong. What is missing is named where most are there.
    """
    given = [word.strip() for word in words_of(answer) if word.strip()]
    if not given:
        raise NotYet(f"there is no {noun} in your list yet.")
    missing = [word for word in wanted if word not in given]
    others = [word for word in dict.fromkeys(given) if word not in wanted]
    score = f"{len(wanted) - len(missing)} of {counted(len(wanted), noun)} found"
    if missing and 2 * len(missing) < len(wanted):
        score += f"; {some(missing)} {'is' if len(missing) == 1 else 'are'} missing"
    if others:
        score += f"; {_not_wanted(others, slips or {})}"
    if missing or others:
        raise NotYet(f"{score}.")
    return f"{score}, and no other."


def _not_wanted(others: Sequence[str], slips: Mapping[str, str]) -> str:
    one = len(others) == 1
    why = f": {'it' if one else 'the first'} {slips[others[0]]}" if others[0] in slips else ""
    return f"{some(others)} {'does' if one else 'do'} not belong{why}"


def named_in(text: str, scene: Scene) -> int:
    """How many things of a scene a text names with their colour."""
    return sum(name_of(thing) in text.lower() for thing in scene.things)


def named_by(text: str, scene: Scene) -> list[VisibleThing]:
    """The things of a scene that the phrases of a text mean."""
    meant = [thing for phrase in phrases_in(text) for thing in things_meant(scene, phrase)]
    return [thing for thing in scene.things if thing in meant]


def picture_named_by(text: str) -> str:
    """The name of the gallery's picture of which a text names most, two things at least; "" for none."""
    counts = {name: len(named_by(text, scene)) for name, scene in GALLERY.items()}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] >= 2 else ""


def lies_in(text: str, scene: Scene) -> list[str]:
    """What a text says that is not so in a scene: phrases that mean nothing there or count wrongly, and words
    that stand on no sign.
    """
    phrases = {phrase: len(things_meant(scene, phrase)) for phrase in phrases_in(text)}
    lies = [phrase for phrase, count in phrases.items() if count == 0 or _number(phrase) not in (None, count)]
    written = {" ".join(thing.text.split()) for thing in scene.things}
    said = [" ".join(words.split()) for words in re.findall(r"\bsays ([A-Z0-9 ]+)", text)]
    return lies + [f"“{words}”" for words in said if words not in written]


def _number(phrase: str) -> int | None:
    """How many things a phrase speaks of: 2 for "two cars", None for "cars" and "a car"."""
    first = phrase.split()[0].lower()
    return NUMBERS.index(first) if first in NUMBERS[2:] else None


_LONGEST = 200


def wrong_letters(read: str, true: str) -> int:
    """How many letters must be changed, added or dropped to get from what was read to the truth."""
    return len(misread(read, true))


def misread(read: str, true: str) -> list[tuple[str, str]]:
    """(true letter, letter that was read) wherever they differ, as few as possible; "" for none. What was
    read beyond 200 letters is too much, without a search.
    """
    read, beyond = read[:_LONGEST], read[_LONGEST:]
    best: list[list[tuple[str, str]]] = [[("", letter) for letter in read[:i]] for i in range(len(read) + 1)]
    for letter in true:
        last, best = best, [[*best[0], (letter, "")]]
        for i, seen in enumerate(read):
            changed = last[i] + ([] if seen == letter else [(letter, seen)])
            ways = [changed, [*last[i + 1], (letter, "")], [*best[i], ("", seen)]]
            best.append(min(ways, key=len))
    return best[-1] + [("", letter) for letter in beyond]
