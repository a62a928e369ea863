"""Whatever a learner hands over, read as boxes, a mask, a number or words; what cannot be read is named."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from numbers import Number
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

import numpy as np
from PIL import Image

from ..answers import Answer
from ..geometry import rasterize
from ..scenes import Scene, VisibleThing
from ..tasks import TASKS
from .refusals import MayBeTheModel, NotYet, WrongForm

BOX = "left, top, right, bottom in pixels"
SQUEEZED = 288
"""Side in pixels of the square that mini squeezes every picture to."""
_MOST_BOXES = 500


def boxes_of(answer: Any) -> np.ndarray:
    """float64 (n, 4), from an `Answer`, a list, tuples, an array or a tensor; one box alone counts as one.

    Raises:
        WrongForm: it is something else, or an answer of a task without boxes.
        NotYet: there is none, or far too many.
    """
    if isinstance(answer, str):
        raise WrongForm(
            "this is text. The numbers in its <loc_…> tokens are bins: fnb.from_loc turns them into pixels."
        )
    if isinstance(answer, Mapping):
        raise WrongForm(f"this is a dictionary with {_listed(answer)}: give the boxes in it.")
    if isinstance(answer, Answer):
        _check_gives(answer, "boxes", len(answer.boxes))
        answer = answer.boxes
    boxes = array_of(answer, f"boxes are wanted, four numbers each: {BOX}")
    if boxes.size == 0:
        raise MayBeTheModel("there is no box in your answer yet.")
    if boxes.shape == (4,):
        boxes = boxes[None]
    if boxes.ndim == 1 and boxes.size % 4 == 0:
        raise WrongForm(
            f"these are {boxes.size} numbers in one row: .reshape(-1, 4) makes boxes of four numbers each."
        )
    if boxes.ndim == 2 and boxes.shape[1] == 8 or boxes.ndim == 3 and boxes.shape[1:] == (4, 2):
        raise WrongForm("these are quads, four corners each: take the least and the largest x and y of each.")
    if boxes.ndim == 2 and boxes.shape[1] == 2:
        raise WrongForm(f"these are corners, two numbers each: a box has four numbers, {BOX}.")
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise WrongForm(f"boxes of shape (n, 4) are wanted; {_its_shape(boxes)}.")
    if len(boxes) > _MOST_BOXES:
        raise NotYet(f"there are {len(boxes)} boxes in your answer: far too many.")
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
        raise WrongForm(f"a number is wanted; this is the text {short(answer)}.")
    if isinstance(answer, (list, tuple, set, frozenset, Mapping, Answer)):
        raise WrongForm(f"one number is wanted; this is {kind_of(answer)}: count or choose in it.")
    numbers = array_of(answer, "one number is wanted")
    if numbers.size != 1:
        raise WrongForm(f"one number is wanted; {_its_shape(numbers)}.")
    return float(numbers.reshape(()))


def text_of(answer: Any) -> str:
    """Words, from an `Answer` or a text.

    Raises:
        WrongForm: it is something else, or a raw string with special tokens.
    """
    words = answer.text if isinstance(answer, Answer) else answer
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
    answer = answer.labels if isinstance(answer, Answer) else answer
    words = answer.tolist() if isinstance(answer, np.ndarray) else answer
    if not isinstance(words, (list, tuple, Set, Mapping)):
        raise WrongForm(f"a list of texts is wanted; this is {kind_of(answer)}.")
    words = list(words)
    others = [word for word in words if not isinstance(word, str)]
    if others:
        raise WrongForm(f"a list of texts is wanted; one entry is {kind_of(others[0])}.")
    return words


def mask_of(answer: Any, size: tuple[int, int]) -> np.ndarray:
    """A bool mask (height, width) of a picture of ``size`` (width, height), from an `Answer` with polygons,
    from polygons, or from an array of that shape.

    Raises:
        WrongForm: it is something else, or a mask of another shape.
        NotYet: there is no outline in it.
    """
    if isinstance(answer, str):
        raise WrongForm("this is text: answer.polygons has the outlines in pixels.")
    if isinstance(answer, Answer):
        _check_gives(answer, "polygons", len(answer.polygons))
        answer = answer.polygons
    if isinstance(answer, Image.Image) and answer.mode in ("1", "L"):
        answer = np.asarray(answer)
    polygons = outlines_of(answer)
    if polygons is None:
        return _mask(
            array_of(answer, "a mask is wanted: an array of True and False, one for each pixel"), size
        )
    if not polygons:
        raise MayBeTheModel("there is no outline in your answer yet.")
    if all(len(polygon) < 3 for polygon in polygons):
        raise WrongForm("an outline has three corners or more: the whole list of its corners is wanted.")
    return rasterize(polygons, size)


def _mask(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    wide, high = size
    if not mask.ndim:
        raise WrongForm("a mask or an outline is wanted; this is one number.")
    wanted = f"a mask of the shape (height, width), {(high, wide)}, is wanted"
    if mask.shape == (high, wide):
        return mask > 0.5 if mask.max() <= 1 else mask > 127
    if mask.size == 2:
        raise WrongForm("this is one corner, x and y: the whole outline is wanted, one level above.")
    if mask.ndim in (1, 2) and mask.shape[-1] == 4:
        raise WrongForm("four numbers are a box: the outline of the thing in it is wanted.")
    if mask.ndim <= 2 and mask.shape[-1] % 2 == 0 and len(mask) not in (high, wide):
        numbers = f"{mask.shape[-1]} numbers in one row"
        raise WrongForm(f"these are {numbers}: .reshape(-1, 2) makes corners x, y, the outline.")
    if mask.shape == (wide, high):
        raise WrongForm(f"{wanted}; yours is turned: {mask.shape}.")
    if mask.shape == (SQUEEZED, SQUEEZED):
        raise WrongForm(f"{wanted}; yours, {mask.shape}, is one of the squeezed picture that the model sees.")
    raise WrongForm(f"{wanted}; yours: {mask.shape}.")


def outlines_of(value: Any) -> list[np.ndarray] | None:
    """All outlines in nested lists of arrays (k, 2), or of corners; None where these are none."""
    if hasattr(value, "shape"):
        if getattr(value, "ndim", 0) == 2 and value.shape[1] == 2:
            return [np.asarray(_plain(value), float)]
        return [np.asarray(one, float) for one in _plain(value)] if _is_stack(value) else None
    if not isinstance(value, (list, tuple)):
        return None
    if _is_one(value):
        return [np.array([_plain(part) for part in value], float)]
    found = [outlines_of(part) for part in value]
    if any(part is None for part in found):
        return None
    return [outline for part in found for outline in part or []]


def _is_stack(value: Any) -> bool:
    return getattr(value, "ndim", 0) == 3 and value.shape[2] == 2


def _is_corner(value: Any) -> bool:
    """Whether this is x, y: a pair of numbers, or an array of two."""
    if isinstance(value, (list, tuple)):
        return len(value) == 2 and all(isinstance(one, (int, float, np.number)) for one in value)
    return getattr(value, "shape", None) == (2,)


def array_of(value: Any, wanted: str) -> np.ndarray:
    """Finite numbers, float64, from nested lists, arrays and tensors."""
    if not isinstance(value, (list, tuple, range, Number)) and not hasattr(value, "__array__"):
        raise WrongForm(f"{wanted}; this is {kind_of(value)}.")
    try:
        numbers = np.asarray(_plain(value))
    except (TypeError, ValueError, RuntimeError):
        raise WrongForm(f"{wanted}; the rows of yours are not equally long.") from None
    if numbers.dtype.kind in "US":
        raise WrongForm(f"{wanted}; yours are texts: float(…) makes a number of each.")
    try:
        numbers = numbers.astype(float) if numbers.dtype.kind in "buifO" else _refuse()
    except OverflowError:
        raise WrongForm("there is a number in it that is far too large.") from None
    except (TypeError, ValueError):
        inside = " with something else in it" if numbers.ndim else ""
        raise WrongForm(f"{wanted}; this is {kind_of(value)}{inside}.") from None
    if not np.isfinite(numbers).all():
        raise WrongForm("there is a number in it that is not finite (nan or inf).")
    return numbers


def _refuse() -> np.ndarray:
    raise TypeError


def _plain(value: Any) -> Any:
    """Without what NumPy cannot read: a tensor's device, gradient and half precision."""
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if not hasattr(value, "detach"):
        return value
    value = value.detach().cpu()
    return value.numpy() if value.is_complex() else value.double().numpy()


def _check_gives(answer: Answer, what: str, count: int) -> None:
    """Raises where an answer holds no boxes or polygons: by its task, or because nothing was found."""
    task = TASKS.get(answer.task)
    if not count and task and what not in task.gives:
        wanted = "boxes" if what == "boxes" else "an outline"
        raise WrongForm(f"an answer to {answer.task} gives {task.gives}: ask a task that gives {wanted}.")


def _its_shape(numbers: np.ndarray) -> str:
    return f"this has the shape {numbers.shape}" if numbers.ndim else "this is one number"


def _listed(value: Mapping) -> str:
    return ", ".join(repr(key) for key in list(value)[:3]) or "nothing"


def short(text: Any) -> str:
    """A text in quotation marks; of a long one only its beginning. What is no text is named by its kind."""
    if not isinstance(text, str):
        return kind_of(text)
    return repr(text if len(text) <= 40 else text[:37] + "…")


def answers_of(answer: Any) -> list[Answer]:
    """A list of `Answer`s, also from rows of them or from a dictionary's values.

    Raises:
        WrongForm: something in it is no `Answer`.
    """
    if isinstance(answer, Answer):
        return [answer]
    parts = list(answer.values()) if isinstance(answer, Mapping) else answer
    if not isinstance(parts, (list, tuple)):
        raise WrongForm(f"answers are wanted, as florence.run_example gives them; this is {kind_of(answer)}.")
    return [one for part in parts for one in answers_of(part)]


def kind_of(value: Any) -> str:
    """What a value is, with its article: ``a text``, ``an Answer``."""
    if value is None or isinstance(value, (bool, np.bool_)):
        return str(value)
    if isinstance(value, type):
        return "a class"
    name = next((name for kind, name in _KINDS.items() if isinstance(value, kind)), type(value).__name__)
    name = "tensor" if name == "Tensor" else name
    return f"{'an' if name[:1] in tuple('aeioAEIO') else 'a'} {name}"


_KINDS: dict[Any, str] = {
    str: "text",
    bytes: "text in bytes",
    complex: "complex number",
    Number: "number",
    dict: "dictionary",
    np.ndarray: "array",
    Image.Image: "picture",
    Scene: "scene",
    VisibleThing: "thing of a scene",
    (FunctionType, BuiltinFunctionType, MethodType): "function",
}


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
    pair = value.tolist() if isinstance(value, np.ndarray) or hasattr(value, "detach") else value
    if not isinstance(pair, (list, tuple)):
        raise WrongForm(f"two things are wanted, {wanted}; this is {kind_of(value)}.")
    if len(pair) != 2:
        raise WrongForm(f"two things are wanted, {wanted}; this is {kind_of(value)} of {len(pair)}.")
    first, second = pair
    return first, second


def masks_of(value: Any, size: tuple[int, int]) -> list[np.ndarray]:
    """A mask for each thing, bool (height, width), from answers, an `Answer` with several polygons, a list of
    outlines, or masks. What is empty is left out.

    Raises:
        WrongForm: it is something else.
    """
    if isinstance(value, Answer):
        _check_gives(value, "polygons", len(value.polygons))
        value = value.polygons
    things = _as_things(value)
    masks = [mask_of(thing, size) for thing in things if not _is_empty(thing)]
    return [mask for mask in masks if mask.any()]


def _as_things(value: Any) -> list[Any]:
    """What of each thing is given: its answer, its outlines, or its mask."""
    shape = getattr(value, "shape", None)
    if shape is not None and len(shape) == 2 and shape[1] == 4:
        raise WrongForm("these are boxes; an outline for each of them is wanted.")
    if shape is not None and len(shape) == 2 or isinstance(value, (list, tuple)) and _is_one(value):
        return [value]
    if not isinstance(value, (list, tuple)) and len(shape or ()) != 3:
        raise WrongForm(f"a list with an outline for each thing is wanted; this is {kind_of(value)}.")
    return list(value)


def _is_one(value: Any) -> bool:
    """Whether a list is one outline, corner by corner."""
    return len(value) > 1 and all(map(_is_corner, value))


def _is_empty(thing: Any) -> bool:
    """Whether nothing was found of a thing."""
    if isinstance(thing, Answer):
        return not thing.polygons and "polygons" in TASKS[thing.task].gives
    return isinstance(thing, (list, tuple)) and not len(thing)
