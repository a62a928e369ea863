"""A first look at whatever a learner hands over: what no check could read, in finite time, is named here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..answers import Answer
from .refusals import ToDo, WrongForm

_LEVELS, _ENTRIES, _LETTERS = 8, 2000, 20_000


def look_over(value: Any, level: int = 0) -> None:
    """Passes over what can be read.

    Raises:
        ToDo: three dots are left in it.
        WrongForm: it can be read only once, is far too long, or holds itself.
    """
    if value is ...:
        raise ToDo("there are still three dots in your answer: put something in their place.")
    if isinstance(value, Iterator):
        raise WrongForm(
            f"this is a {type(value).__name__}, which can be read only once: list(…) around it makes a list."
        )
    if isinstance(value, str) and len(value) > _LETTERS:
        raise WrongForm(f"a text of {len(value)} letters is far too long.")
    if isinstance(value, (list, tuple, set, frozenset, Mapping)):
        _look_inside(value, level)


def _look_inside(value: Any, level: int) -> None:
    if len(value) > _ENTRIES:
        raise WrongForm(f"{len(value)} entries are far too many: give only what is asked for.")
    if level == _LEVELS:
        raise WrongForm("your answer has lists in lists in lists, too deep to read: give the inner list.")
    for part in value.values() if isinstance(value, Mapping) else value:
        look_over(part, level + 1)


def answers_in(value: Any) -> Iterator[Answer]:
    """All answers in nested lists, tuples and dictionaries."""
    if isinstance(value, Answer):
        yield value
    elif isinstance(value, (list, tuple, Mapping)):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from answers_in(part)
