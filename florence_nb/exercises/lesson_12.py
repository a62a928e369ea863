"""Checks of lesson 12: the inside of the model."""

from collections.abc import Callable
from math import ceil
from typing import Any

import numpy as np

from ..scenes import GALLERY
from .exercise import told
from .refusals import NotYet, WrongForm
from .registry import checks
from .values import kind_of, number_of, pair_of

_SIDES = (192, 96, 48, 24, 577)
_SIDE, _WINDOW, _WINDOWS = 72, 12, 6
_GRID = 12  # places on a side of mini's last grid


@checks("12.1")
def grids_of_base(answer: Any) -> str:
    given = tuple(map(number_of, _row(answer)))
    if given == _SIDES:
        return "192, 96, 48 and 24 places on a side, and 577 image tokens."
    if len(given) == 4 and given == _SIDES[:4]:
        raise NotYet("the four sides are right; the number of image tokens is missing.")
    if len(given) != len(_SIDES):
        raise NotYet(f"five numbers are wanted, four sides and the tokens; there are {len(given)}.")
    for words, slip in _SIDE_SLIPS.items():
        if given == slip:
            raise NotYet(words)
    right = next(i for i, (one, true) in enumerate(zip(given, _SIDES)) if one != true)
    what = f"the side after stage {right + 1}" if right < 4 else "the number of image tokens"
    raise NotYet(f"{given[right]:g} is not {what}." + (f" The first {right} are right." * (right > 1)))


_SIDE_SLIPS: dict[str, tuple[float, ...]] = {
    "the sides are right; one more token, the average, comes to the 24 × 24 places.": (*_SIDES[:4], 576),
    "the sides are right; the tokens are all places of the last grid, 24 × 24, and one more.": (
        *_SIDES[:4],
        25,
    ),
    "each stage begins where the one before it ended: 768 is divided only once.": (192, *[384] * 3, 147457),
    "these are places of whole grids: a side is wanted.": (36864, 9216, 2304, 576, 577),
    "these are the grids of mini, which begins with 288 pixels and other strides.": (72, 36, 12, 12, 145),
    "288 is the side of mini's picture: base looks at 768 × 768.": (72, 36, 18, 9, 82),
}


@checks("12.2")
def windows(answer: Any) -> str:
    cut = _integers(answer)
    wanted = (_WINDOWS**2, _WINDOW**2, 1)
    true = _cut("windows", "rows")
    if cut.shape == wanted and (cut == true).all():
        return "36 windows of 144 places; the first one begins with 0, 1, 2 and has 72 in its second row."
    if cut.shape in _SHAPE_SLIPS:
        raise NotYet(_SHAPE_SLIPS[cut.shape])
    if cut.shape != wanted:
        raise NotYet(f"the shape {wanted} is wanted; yours is {cut.shape}.")
    for (order, inside), words in _ORDER_SLIPS.items():
        if (cut == _cut(order, inside)).all():
            raise NotYet(words)
    if sorted(cut.ravel().tolist()) != list(range(_SIDE**2)):
        raise NotYet("some places are missing or stand there twice: only their order may change.")
    raise NotYet(
        "the shape is right, but these are no windows of neighbours: look at the first row, mine[0, :12, 0]."
    )


_SHAPE_SLIPS: dict[tuple[int, ...], str] = {
    (36, 12, 12, 1): "the windows are there; join row and column to one dimension: (row column).",
    (1, 36, 144, 1): "the windows are there; join the picture with them: (b y x).",
    (6, 6, 144, 1): "the windows are there; join y and x to one dimension.",
    (36, 1, 144): "the channels come last.",
    (144, 36, 1): "these are 144 windows of 36 places: y and x count windows, row and column the places.",
    (1, 1, 72, 72): "this is the grid as it was.",
    (1, 5184, 1): "this is one window with all places.",
}
_ORDER_SLIPS = {
    ("columns", "rows"): "each window is right, but they go column by column: (b y x), not (b x y).",
    ("windows", "columns"): "the windows are right, but in each the places go column by column.",
    ("scattered", "rows"): "each sixth place is in a window, no neighbours: (y row), not (row y).",
}


def _cut(order: str, inside: str) -> np.ndarray:
    """Numbered places cut into windows, int (36, 144, 1), rightly or with one slip."""
    grid = np.arange(_SIDE**2)
    if order == "scattered":
        parts = grid.reshape(_WINDOW, _WINDOWS, _WINDOW, _WINDOWS).transpose(1, 3, 0, 2)
    else:
        parts = grid.reshape(_WINDOWS, _WINDOW, _WINDOWS, _WINDOW).transpose(0, 2, 1, 3)
    parts = parts.transpose(1, 0, 2, 3) if order == "columns" else parts
    parts = parts.transpose(0, 1, 3, 2) if inside == "columns" else parts
    return parts.reshape(_WINDOWS**2, _WINDOW**2, 1)


@checks("12.3")
def look_at_the_robot(answer: Any) -> str:
    word, share = pair_of(answer, "the token and the share")
    look = getattr(word, "attention", None)
    if not isinstance(look, np.ndarray) or look.ndim != 3:
        raise WrongForm(f"first the token is wanted, word; this is {kind_of(word)}.")
    scene = GALLERY["snow"]
    robot = next((thing for thing in scene.things if thing.kind == word.text.strip()), None)
    if robot is None:
        raise NotYet(f"{word.text!r} is no thing of the picture: take the token of the robot.")
    look, given = look.mean(axis=0), number_of(share)
    inside, touched = (_boxed(look, robot.box, scene.size, whole) for whole in (True, False))
    if look[inside].sum() - 0.01 <= given <= look[touched].sum() + 0.01:
        area = touched.mean()
        return f"{given:.0%} of the look is on {area:.0%} of the picture: {given / area:.1f} times its share."
    for words, slip in _look_slips(look, touched, robot.box, scene.size).items():
        if abs(given - slip) <= 0.005 * max(1.0, slip):
            raise NotYet(words)
    size = "large" if given > look[touched].sum() else "small"
    raise NotYet(f"{given:.3g} is too {size}.")


def _boxed(look: np.ndarray, box: Any, size: tuple[int, int], whole: bool) -> np.ndarray:
    """Which places, bool (rows, columns), lie in a box in pixels: those that are whole in it, or all that it
    touches.
    """
    down, across = (
        _touched(box[axis], box[axis + 2], size[axis], look.shape[1 - axis], whole) for axis in (1, 0)
    )
    mask = np.zeros(look.shape, bool)
    mask[down, across] = True
    return mask


def _touched(low: float, high: float, side: float, places: int, whole: bool) -> slice:
    """The places of one axis between two pixels."""
    first, last = low / side * places, high / side * places
    return slice(ceil(first), int(last)) if whole else slice(int(first), ceil(last))


def _look_slips(look: np.ndarray, touched: np.ndarray, box: Any, size: tuple[int, int]) -> dict[str, float]:
    """Known wrong shares, by the sentence that names the mistake."""
    left, top, right, bottom = box
    turned = _boxed(look.T, box, size, False).T
    swapped = _boxed(look, (top, left, bottom, right), size[::-1], False)
    return {
        "this is the mean of the places in the box; add them up.": float(look[touched].mean()),
        "this is the whole picture: add up only the places in the box.": float(look.sum()),
        "this is the share of the area, not of the look.": float(touched.mean()),
        "this is in percent: a share goes from 0 to 1.": 100 * float(look[touched].sum()),
        "rows and columns are exchanged: looked[rows, columns], and rows count downwards.": float(
            look[swapped].sum() if (swapped != touched).any() else look[turned].sum()
        ),
        "pixels are no places of the grid: one place has 32 × 24 of them.": 0.0,
    }


@checks("12.4")
def without_the_rabbit(answer: Any) -> str:
    if not callable(answer):
        called = " Write blank without brackets behind it." if hasattr(answer, "shape") else ""
        raise WrongForm(f"a function is wanted; this is {kind_of(answer)}.{called}")
    before, after = _called(answer)
    changed = (after != before).any(axis=-1)  # (145,)
    wanted = _rabbit()
    if not changed.any():
        raise NotYet("nothing has changed: write into tokens, or into a view of it, and return it.")
    if changed.all():
        raise NotYet("all tokens have changed: only those of the rabbit's box should.")
    for words, slip in _place_slips(wanted).items():
        if (changed == slip).all():
            raise NotYet(words)
    if changed[0]:
        raise NotYet("the first token has changed: it is the average of all, no place of the grid.")
    grid = changed[1:].reshape(_GRID, _GRID)
    missing, more = int((wanted & ~grid).sum()), int((grid & ~wanted).sum())
    if missing or more:
        raise NotYet(
            f"{int((wanted & grid).sum())} of {int(wanted.sum())} places are blank, and {more} others."
        )
    _filled_well(before, after, changed)
    return "all 15 places of the rabbit are blank, and no other: look at fnb.show(answer_with(blank))."


def _called(blank: Callable) -> tuple[np.ndarray, np.ndarray]:
    """Tokens (145, 8) before and after the learner's function."""
    import torch

    tokens = torch.rand((1, _GRID**2 + 1, 8), generator=torch.Generator().manual_seed(12)) + 1
    try:
        made = blank(tokens.clone())
    except (Exception, SystemExit) as error:
        raise NotYet(f"blank(tokens) stops with {told(error)}.") from None
    if made is None:
        raise WrongForm("blank(tokens) gives nothing back: it needs a return.")
    if not isinstance(made, torch.Tensor):
        raise WrongForm(f"blank(tokens) gives {kind_of(made)}: a tensor is wanted.")
    if made.shape != tokens.shape:
        raise NotYet(
            f"blank(tokens) gives the shape {tuple(made.shape)}: it should be that of tokens, (1, 145, …)."
        )
    return tokens[0].numpy(), made[0].detach().cpu().float().numpy()


def _rabbit() -> np.ndarray:
    """The places that the rabbit's box touches, bool (rows, columns)."""
    scene = GALLERY["snow"]
    rabbit = next(thing for thing in scene.things if thing.kind == "rabbit")
    return _boxed(np.zeros((_GRID, _GRID)), rabbit.box, scene.size, False)


def _place_slips(wanted: np.ndarray) -> dict[str, np.ndarray]:
    """Known wrong choices, bool (145,), by the sentence that names the mistake."""
    flat, none = wanted.ravel(), np.zeros(1, bool)
    return {
        "rows and columns are exchanged: the grid goes row by row.": np.r_[none, wanted.T.ravel()],
        "all are one token too early: the average stands in front of the places.": np.r_[flat, none],
        "all places but the rabbit's are blank: turn it round.": np.r_[none, ~flat],
    }


def _filled_well(before: np.ndarray, after: np.ndarray, changed: np.ndarray) -> None:
    """Raises NotYet where the blank places do not hold the average of the places."""
    new = after[changed]
    if (new == 0).all():
        raise NotYet(
            "the right places hold zeros. No place of a picture looks like that, and the model sees things in"
            " them: take the average of all places."
        )
    if np.abs(new - before[1:].mean(axis=0)).max() > 0.1:
        raise NotYet("the right places have changed, but they do not hold the average of all places.")


def _row(answer: Any) -> list:
    if isinstance(answer, np.ndarray) or hasattr(answer, "detach"):
        answer = answer.tolist()
    if not isinstance(answer, (list, tuple)):
        raise WrongForm(f"five numbers are wanted, such as [1, 2, 3, 4, 5]; this is {kind_of(answer)}.")
    flat = [one for part in answer for one in (part if isinstance(part, (list, tuple)) else [part])]
    if len(flat) > 20:
        raise WrongForm(f"five numbers are wanted; there are {len(flat)}.")
    return flat


def _integers(answer: Any) -> np.ndarray:
    """Whole numbers from a tensor, an array or nested lists."""
    if not hasattr(answer, "shape") and not isinstance(answer, (list, tuple)):
        raise WrongForm(f"a tensor is wanted; this is {kind_of(answer)}.")
    try:
        numbers = np.asarray(answer.detach().cpu() if hasattr(answer, "detach") else answer)
    except (TypeError, ValueError, RuntimeError):
        raise WrongForm(f"a tensor of whole numbers is wanted; this is {kind_of(answer)}.") from None
    if numbers.dtype.kind not in "iuf" or not np.isfinite(numbers).all():
        raise WrongForm("a tensor of whole numbers is wanted: cut the grid that is given.")
    return numbers
