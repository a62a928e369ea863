"""Whatever a learner hands over, read as boxes, a mask, a number or words; what cannot be read is named."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..answers import Answer
from ..geometry import rasterize
from .exercise import NotYet, WrongForm

BOX = "left, top, right, bottom in pixels"


def boxes_of(answer: Any, attribute: str = "boxes") -> np.ndarray:
    """float64 (n, 4), from an `Answer`, a list, tuples, an array or a tensor; one box alone counts as one.

    Raises:
        WrongForm: it is something else.
    """
    if isinstance(answer, str):
        raise WrongForm(
            "this is text. The numbers in its <loc_…> tokens are bins: fnb.from_loc turns them into pixels."
        )
    answer = getattr(answer, attribute, answer)
    if isinstance(answer, Mapping):
        raise WrongForm(f"this is a dictionary with {_listed(answer)}: give the boxes in it.")
    boxes = _array(answer, f"boxes are wanted, four numbers each: {BOX}")
    if boxes.size == 0:
        raise NotYet("there is no box in your answer yet.")
    if boxes.shape == (4,):
        boxes = boxes[None]
    if boxes.ndim == 1 and boxes.size % 4 == 0:
        raise WrongForm(
            f"these are {boxes.size} numbers in one row: .reshape(-1, 4) makes boxes of four numbers each."
        )
    if boxes.ndim == 2 and boxes.shape[1] == 8:
        raise WrongForm("these are quads, four corners each: take the least and the largest x and y of each.")
    if boxes.ndim == 2 and boxes.shape[1] == 2:
        raise WrongForm(f"these are points or half boxes: a box has four numbers, {BOX}.")
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise WrongForm(f"boxes of shape (n, 4) are wanted; this has the shape {boxes.shape}.")
    return boxes


def box_of(answer: Any) -> np.ndarray:
    """One box, float64 (4,).

    Raises:
        WrongForm: it is something else. NotYet: it is none or several.
    """
    boxes = boxes_of(answer)
    if len(boxes) > 1:
        raise NotYet(f"one box is wanted, and there are {len(boxes)} in your answer.")
    return boxes[0]


def number_of(answer: Any) -> float:
    """A number, also from a 0-d array, a tensor or a text that holds just one.

    Raises:
        WrongForm: it is something else.
    """
    if isinstance(answer, (bool, np.bool_)):
        raise WrongForm(f"a number is wanted; this is {answer}.")
    if isinstance(answer, str):
        raise WrongForm(f"a number is wanted; this is the text {_short(answer)}.")
    if isinstance(answer, (list, tuple, set, Mapping)) or hasattr(answer, "labels"):
        raise WrongForm(f"one number is wanted; this is {kind_of(answer)}: count or choose in it.")
    numbers = _array(answer, "one number is wanted")
    if numbers.size != 1:
        raise WrongForm(f"one number is wanted; this has the shape {numbers.shape}.")
    return float(numbers.reshape(()))


def text_of(answer: Any) -> str:
    """Words, from an `Answer` or a text.

    Raises:
        WrongForm: it is something else, or a raw string with special tokens.
    """
    words = getattr(answer, "text", answer)
    if isinstance(words, Mapping):
        raise WrongForm(f"this is a dictionary with {_listed(words)}: give the text in it.")
    if not isinstance(words, str):
        raise WrongForm(f"a text is wanted; this is {kind_of(answer)}.")
    if re.search(r"</?s>|<pad>", words):
        raise WrongForm("this is the raw string with its special tokens: answer.text is the text alone.")
    return words.strip()


def words_of(answer: Any) -> list[str]:
    """A list of texts, such as labels or prompts, from an `Answer`, a list, a tuple, a set or a dictionary's
    keys.

    Raises:
        WrongForm: it is something else.
    """
    if isinstance(answer, str):
        raise WrongForm("a list of texts is wanted; this is one text: put it in square brackets.")
    answer = getattr(answer, "labels", answer)
    try:
        words = list(answer)
    except TypeError:
        raise WrongForm(f"a list of texts is wanted; this is {kind_of(answer)}.") from None
    others = [word for word in words if not isinstance(word, str)]
    if others:
        raise WrongForm(f"a list of texts is wanted; one entry is {kind_of(others[0])}.")
    return words


def mask_of(answer: Any, size: tuple[int, int]) -> np.ndarray:
    """A bool mask (height, width) of a picture of ``size`` (width, height), from an `Answer` with polygons,
    from polygons, or from an array of that shape.

    Raises:
        WrongForm: it is something else, or a mask of another shape.
    """
    polygons = _polygons(getattr(answer, "polygons", answer))
    if polygons is not None:
        return rasterize(polygons, size)
    mask = _array(answer, "a mask is wanted: an array of True and False, one for each pixel")
    wide, high = size
    if mask.shape == (wide, high) and wide != high:
        raise WrongForm(
            f"a mask has the shape (height, width), {(high, wide)}; yours is turned: {mask.shape}."
        )
    if mask.shape != (high, wide):
        raise WrongForm(
            f"a mask of the shape (height, width), {(high, wide)}, is wanted; yours: {mask.shape}."
        )
    return mask > 0.5 if mask.max(initial=0) <= 1 else mask > 127


def _polygons(value: Any) -> list[np.ndarray] | None:
    """All outlines in nested lists of (k, 2) arrays, or None where these are none."""
    if hasattr(value, "shape") and getattr(value, "ndim", 0) == 2 and value.shape[1] == 2:
        return [np.asarray(value, float)]
    if not isinstance(value, (list, tuple)):
        return None
    found = [_polygons(part) for part in value]
    if any(part is None for part in found):
        return None
    return [outline for part in found for outline in part or []]


def _array(value: Any, wanted: str) -> np.ndarray:
    value = value.detach().cpu() if hasattr(value, "detach") else value
    try:
        numbers = np.asarray(
            [np.asarray(v, float) for v in value] if isinstance(value, (list, tuple)) else value
        )
        numbers = numbers.astype(float)
    except (TypeError, ValueError):
        raise WrongForm(f"{wanted}; this is {kind_of(value)} of something else.") from None
    if not np.isfinite(numbers).all():
        raise WrongForm("there is a number in it that is not finite (nan or inf).")
    return numbers


def _listed(value: Mapping) -> str:
    return ", ".join(repr(key) for key in list(value)[:3]) or "nothing"


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "…")


def answer_of(value: Any) -> Answer:
    """An `Answer`, whole, where its task, settings or picture are looked at.

    Raises:
        WrongForm: it is a part of one, or something else.
    """
    if isinstance(value, Answer):
        return value
    if isinstance(value, Mapping):
        raise WrongForm(f"this is a dictionary with {_listed(value)}: give the answer itself, whole.")
    if isinstance(value, str):
        raise WrongForm("this is text: give the answer itself, which run_example returns, not a part of it.")
    raise WrongForm(f"the answer that run_example returns is wanted; this is {kind_of(value)}.")


def pair_of(value: Any, wanted: str) -> tuple[Any, Any]:
    """Two things that belong together, from a tuple, a list or an array of two.

    Args:
        wanted: what they are, such as ``"the scene and the answer"``.

    Raises:
        WrongForm: it is something else.
    """
    if isinstance(value, (str, Mapping)) or not hasattr(value, "__len__") or len(value) != 2:
        count = f" of {len(value)}" if isinstance(value, (list, tuple)) else ""
        raise WrongForm(f"two things are wanted, {wanted}; this is {kind_of(value)}{count}.")
    first, second = value
    return first, second


def kind_of(value: Any) -> str:
    """What a value is, with its article: ``a text``, ``an Answer``."""
    name = type(value).__name__
    name = {"str": "text", "int": "number", "float": "number", "dict": "dictionary"}.get(name, name)
    return f"{'an' if name[0] in 'aeioAEIO' else 'a'} {name}"
