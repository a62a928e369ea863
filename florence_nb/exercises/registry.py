"""Where an exercise's words and its check come together."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable
from functools import cache

from ..errors import InputError
from .exercise import Check, Exercise
from .sheets import sheets

_CHECKS: dict[str, Check] = {}
_MADE: dict[str, Exercise] = {}


def checks(name: str) -> Callable[[Check], Check]:
    """Decorator: this function checks the exercise of that name."""

    def keep(check: Check) -> Check:
        _CHECKS[name] = check
        return check

    return keep


def exercise(name: str) -> Exercise:
    """The exercise of that name, such as ``"05.2"``: ``.check(answer)``, ``.hint()``, ``.solution()``.

    Raises:
        InputError: this version has no such exercise.
    """
    if not isinstance(name, str) or name not in _all_checks():
        near = difflib.get_close_matches(str(name), exercise_names(), 1, 0.5)
        instead = f"did you mean {near[0]!r}? " if near else ""
        raise InputError(
            f"There is no exercise {name!r} in this version: {instead}The lessons and the package may be of"
            " different versions; florence-nb lab copies the lessons that fit."
        )
    return _MADE.setdefault(name, Exercise(sheets()[name], _all_checks()[name]))


def exercise_names() -> list[str]:
    """The names of all exercises, in the order of the lessons."""
    return list(sheets())


@cache
def _all_checks() -> dict[str, Check]:
    for lesson in dict.fromkeys(name[:2] for name in sheets()):
        importlib.import_module(f".lesson_{lesson}", __package__)
    return _CHECKS
