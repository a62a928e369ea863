"""Checks of lesson 15: many pictures."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from ..scenes import random_scene
from .exercise import told
from .numbers import also_rounded, check_number
from .refusals import NotYet, WrongForm
from .registry import checks
from .values import kind_of, words_of
from .words import check_words, counted

_BATCH = ["snow", "no-such.jpg", "beach"]
_COLUMNS = ("caption", "error")
_AGAIN = ["one pixel changed", "more beams", "weights tuned further"]
_KEPT = {
    "renamed": "has the same bytes, so the same digest",
    "copied": "has the same bytes, so the same digest",
    "larger batches": "change the speed and not the answers",
}
_HOURS = 3_000_000 * 0.4 / 3600
_START = 5 / 60


@checks("15.1")
def batch_function(answer: Any) -> str:
    if isinstance(answer, Mapping):
        raise WrongForm("this is what the function returns: give the function itself, without calling it.")
    if not callable(answer) or isinstance(answer, type):
        raise WrongForm(f"a function is wanted; this is {kind_of(answer)}.")
    captions, errors = _called(answer, _BATCH)
    for path, caption, error in zip(_BATCH, captions, errors):
        if path == "no-such.jpg":
            _check_bad(caption, error)
        elif not isinstance(caption, str) or not caption.strip():
            raise NotYet(f"{path!r} is a good picture, and its caption is {kind_of(caption)}.")
        elif error is not None:
            raise NotYet(f"{path!r} is a good picture: its error must be None.")
    _called(answer, ["no-such.jpg"])
    return "three paths in, three rows out: two captions, and one sentence for the file that is not there."


def _called(function: Callable[..., Any], paths: list[str]) -> tuple[list[Any], list[Any]]:
    """The two columns that the learner's function returns for these paths."""
    try:
        columns = function({"path": list(paths)})
    except (Exception, SystemExit) as error:
        stopped = f"your function stopped at a batch with a file that is not there ({told(error)})"
        raise NotYet(f"{stopped}: that picture must become a row.") from None
    if not isinstance(columns, Mapping):
        raise WrongForm(f"your function returns {kind_of(columns)}: a dictionary of two lists is wanted.")
    for name in _COLUMNS:
        if name not in columns:
            raise NotYet(f"the column {name!r} is missing in what your function returns.")
        if not isinstance(columns[name], (list, tuple)):
            raise WrongForm(f"the column {name!r} is {kind_of(columns[name])}: a list is wanted.")
        if len(columns[name]) != len(paths):
            rows = counted(len(columns[name]), "row")
            raise NotYet(f"{counted(len(paths), 'path')} went in, and {name!r} has {rows}: none may be lost.")
    return list(columns["caption"]), list(columns["error"])


def _check_bad(caption: Any, error: Any) -> None:
    if isinstance(error, Exception):
        raise NotYet("the error is an exception: a table holds text, so take str(…) of it.")
    if not isinstance(error, str) or not error.strip():
        raise NotYet("'no-such.jpg' is not there, and its error says nothing: what was wrong belongs there.")
    if caption is not None:
        raise NotYet("'no-such.jpg' is not there, so its caption must be None, and not an invented text.")


@checks("15.2")
def asked_again(answer: Any) -> str:
    return check_words(answer, _AGAIN, "change", _KEPT)


@checks("15.3")
def two_dogs_no_cat(answer: Any) -> str:
    paths = [path.rpartition("/")[2] for path in words_of(answer)]
    labels = _labels()
    right = [path for path, kinds in labels.items() if kinds.count("dog") >= 2 and "cat" not in kinds]
    if sorted(paths) == sorted(right):
        return f"{len(right)} of 40 pictures have two dogs or more and no cat."
    if not paths:
        raise NotYet("there is no path in your list; there are such pictures.")
    if strange := [path for path in paths if path not in labels]:
        raise NotYet(f"{str(strange[0])[:30]!r} is no path of these rows: give row['path'].")
    if len(set(paths)) < len(paths):
        raise NotYet("a path stands twice in your list: each picture once.")
    wrong = [labels[path] for path in paths if path not in right]
    if any("cat" in kinds for kinds in wrong):
        raise NotYet("a picture in your list has a cat.")
    if wrong:
        raise NotYet(f"a picture in your list has {counted(wrong[0].count('dog'), 'dog')}: two are wanted.")
    raise NotYet(
        f"{counted(len(right) - len(paths), 'picture')} too few: three dogs are at least two as well."
    )


@cache
def _labels() -> dict[str, list[str]]:
    """The kinds in each of the exercise's pictures."""
    scenes = [random_scene(seed, kinds=["dog", "cat", "car"]) for seed in range(40)]
    return {f"{n:02d}.jpg": [thing.kind for thing in scene.things] for n, scene in enumerate(scenes)}


@checks("15.4")
def hundred_gpus(answer: Any) -> str:
    true = _HOURS / 80 + _START
    slips = {
        _HOURS / 80: "the 5 minutes before the first picture are missing.",
        _HOURS / 100 + _START: "this is without the efficiency: 100 GPUs at 0.8 are worth 80.",
        _HOURS / 125 + _START: "a lower efficiency takes longer: divide by 0.8, do not multiply.",
        _HOURS / 80 + 5: "5 minutes are a twelfth of an hour.",
        _HOURS / 80 + 100 * _START: "all GPUs start at the same time: the 5 minutes count once.",
        _HOURS / 0.8 + _START: "this is the time of one GPU: 100 share the work.",
        true * 60: "these are minutes: divide by 60.",
        true * 3600: "these are seconds: divide by 3600.",
    }
    return check_number(answer, true, within=0.011, slips=also_rounded(slips), unit=" hours")
