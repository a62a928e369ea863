"""Checks of lesson 11: speed."""

from collections.abc import Mapping
from typing import Any

from ..engine.feature_cache import DEFAULT_BYTES, picture_key
from ..errors import InputError
from ..images import open_image
from ..tasks import build_prompt
from .numbers import check_number
from .refusals import NotYet, WrongForm
from .registry import checks
from .values import kind_of, number_of, pair_of
from .words import counted

_PLAIN, _CACHED = 3000 * 2 * (3 + 1) / 3600, 3000 * (3 + 2) / 3600
_ONCE = 3000 * (3 + 1) / 3600
_SIZES = (1, 2, 4)


@checks("11.1")
def the_shop(answer: Any) -> str:
    plain, cached = map(number_of, pair_of(answer, "the hours of the plain loop and with the cache"))
    if _near((plain, cached), (_PLAIN, _CACHED)):
        return "6 h 40 min for the plain loop and 4 h 10 min with the cache: 2.5 hours less."
    for words, slip in _shop_slips().items():
        if _near((plain, cached), slip):
            raise NotYet(words)
    if _near((plain,), (_PLAIN,)):
        raise NotYet(f"the plain loop is right; {cached:g} hours with the cache is not.")
    if _near((cached,), (_CACHED,)):
        raise NotYet(f"the time with the cache is right; {plain:g} hours for the plain loop is not.")
    raise NotYet(f"neither {plain:g} nor {cached:g} hours is right.")


@checks("11.2")
def batch_sizes(answer: Any) -> str:
    times = _times(answer)
    if min(times.values()) <= 0:
        raise NotYet("a time is above zero: subtract the start from the end.")
    if max(times.values()) > 1000:
        raise NotYet(
            "these are no seconds: they are milliseconds, or what the clock shows without the start."
        )
    if len(set(times.values())) == 1:
        raise NotYet("all three times are the same: measure each run on its own.")
    for size, taken in times.items():
        if times[1] / taken > 2 * size:  # a busy machine alone may make it look a little too good
            raise NotYet(
                f"{size} at once cannot be {times[1] / taken:.0f} times as fast as one by one: the cache has"
                " answered, so call florence.forget() before each run. (Or the first run of all was slow: run"
                " it again.)"
            )
    measured = ", ".join(f"{size}: {taken:.2g} s" for size, taken in times.items())
    return f"you measured {measured}. Four at once are {times[1] / times[4]:.1f} times as fast as one by one."


@checks("11.3")
def how_many_fit(answer: Any) -> str:
    numbers = 577 * 768
    fit = DEFAULT_BYTES // (numbers * 4)
    if isinstance(answer, float) and fit < answer < fit + 1:
        raise NotYet("a part of a picture is of no use: round down to a whole number.")
    slips: dict[float, str] = {
        fit + 1: "the last of these does not fit whole: round down.",
        256_000_000 // (numbers * 4): "a MiB has 1024 * 1024 bytes, not a million: take the limit as it is.",
        DEFAULT_BYTES // numbers: "each number takes 4 bytes, not one.",
        DEFAULT_BYTES // (numbers * 2): "this is for numbers of 2 bytes, half precision; here they take 4.",
        DEFAULT_BYTES // (numbers * 32): "you counted bits: 4 bytes are 32 bits, and the limit is in bytes.",
        DEFAULT_BYTES // (577 * 4): "each token has 768 numbers, not one.",
        DEFAULT_BYTES // (768 * 4): "this is the number of tokens: a picture takes 577 of them.",
        numbers * 4: "this is what one picture takes, in bytes: how often does it fit into the limit?",
    }
    return check_number(answer, fit, slips=slips, unit=" pictures")


@checks("11.4")
def without_gain(answer: Any) -> str:
    requests = _requests(answer)
    keys = [_key(request) for request in requests]
    pictures = len(set(keys))
    if len(requests) < 5:
        raise NotYet(f"there are {counted(len(requests), 'request')} in your job: at least 5 are wanted.")
    if pictures == 1:
        raise NotYet(f"{len(requests)} questions about one picture: here the cache saves most.")
    for number, (request, key) in enumerate(zip(requests, keys)):
        if key in keys[:number]:
            first = keys.index(key)
            same = (
                " though they are given differently,"
                if type(requests[first][1]) is not type(request[1])
                else ""
            )
            raise NotYet(
                f"requests {first + 1} and {number + 1} are about the same picture,{same} and the cache saves"
                f" {counted(len(requests) - pictures, 'look')} in all."
            )
    return f"{len(requests)} requests about {pictures} pictures: {pictures} looks, with a cache or without."


def _near(given: tuple[float, ...], true: tuple[float, ...]) -> bool:
    return all(abs(number - wanted) <= 0.01 * max(1.0, wanted) for number, wanted in zip(given, true))


def _shop_slips() -> dict[str, tuple[float, float]]:
    """Known wrong pairs, by the sentence that names the mistake."""
    return {
        "they are exchanged: the plain loop comes first, and it is the slower one.": (_CACHED, _PLAIN),
        "these are seconds: an hour has 3600.": (_PLAIN * 3600, _CACHED * 3600),
        "these are minutes: an hour has 60.": (_PLAIN * 60, _CACHED * 60),
        "these are the seconds for one photograph: there are 3000.": (8, 5),
        "hours have 60 minutes: 6 h 40 min are 6.67 hours, not 6.40.": (6.4, 4.1),
        "with the cache the picture is looked at once, but both answers are still written.": (_PLAIN, _ONCE),
        "this is the time of one question: two are asked.": (_ONCE, _ONCE),
        "the plain loop looks at the picture for each question, so twice.": (_CACHED, _CACHED),
        "with the cache the second question does not look at the picture again.": (_PLAIN, _PLAIN),
    }


def _times(answer: Any) -> dict[int, float]:
    """Seconds by batch size."""
    if not isinstance(answer, Mapping):
        raise WrongForm(
            f"a dictionary is wanted, such as {{1: 1.0, 2: 0.8, 4: 0.7}}; this is {kind_of(answer)}."
        )
    missing = [str(size) for size in _SIZES if size not in answer]
    if missing:
        raise NotYet(f"the time for batch_size {' and '.join(missing)} is missing: the keys are 1, 2 and 4.")
    return {size: number_of(answer[size]) for size in _SIZES}


def _requests(answer: Any) -> list[tuple]:
    if not isinstance(answer, (list, tuple)):
        raise WrongForm(f"a list of requests is wanted; this is {kind_of(answer)}.")
    for request in answer:
        if not isinstance(request, (list, tuple)) or len(request) not in (2, 3):
            raise WrongForm(
                "each request is a pair, (task, picture), or three things with words or a region."
            )
    return [tuple(request) for request in answer]


def _key(request: tuple) -> str:
    """What the cache knows a request's picture by; NotYet if it could not be asked."""
    task, picture, given = (*request, None)[:3]
    if isinstance(picture, str) and picture.startswith(("http:", "https:")):
        raise NotYet("take pictures that are at hand: I fetch none from the network.")
    try:
        opened = open_image(picture)
        build_prompt(task, given, opened.size)
    except InputError as error:
        raise NotYet(str(error)) from None
    return picture_key(opened)
