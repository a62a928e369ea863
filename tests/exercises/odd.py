"""Values that nobody expects: what is handed over by accident, and what would break a careless check."""

import types

import numpy as np
import torch
from PIL import Image

from florence_nb.scenes import GALLERY
from florence_nb.tasks import TASKS

from .helpers import perfect

REGION = GALLERY["snow"].things[0].box


class Broken:
    """Nothing that Python may ask of it works."""

    def _fail(self, *_):
        raise ValueError("broken")

    __eq__ = __repr__ = __str__ = __len__ = __iter__ = __bool__ = __float__ = __array__ = __getitem__ = _fail
    __hash__ = None

    def __getattr__(self, name):
        raise ValueError("broken")


class Endless:
    """Looks like a list without an end."""

    def __getitem__(self, index):
        return 1

    def __len__(self):
        return 3


class NoWords(Exception):
    """An error that cannot be written down."""

    def __str__(self):
        raise ValueError("broken")


class Falls:
    """Raises an error that cannot be written down, whatever is asked of it."""

    def __getattr__(self, name):
        raise NoWords

    def __iter__(self):
        raise NoWords

    def __len__(self):
        raise NoWords


def fails(*_):
    raise NoWords


def leaves(*_):
    raise SystemExit(3)


def in_itself() -> list:
    loop: list = []
    loop.append(loop)
    return loop


def nested(depth: int) -> list:
    deep: list = [1.0]
    for _ in range(depth):
        deep = [deep]
    return deep


def answer_to(task: str):
    """An answer of another task, about another picture than most exercises ask for."""
    given = {"phrase": "robot", "region": REGION}.get(TASKS[task].takes)
    return perfect("snow", task, given)


def odd_values() -> dict:
    """By name; made anew each time, for some can be read only once."""
    values = {
        "object()": object(),
        "nan": float("nan"),
        "inf": float("inf"),
        "bytes": b"bytes",
        "{1: 2}": {1: 2},
        "{}": {},
        "[]": [],
        "()": (),
        "ragged": [[1, 2], [3]],
        "[None]": [None],
        "[None] * 4": [None] * 4,
        "10**400": 10**400,
        "-1": -1,
        "True": True,
        "0": 0,
        "complex": 1 + 2j,
        "complex array": np.array([1 + 2j, 3, 4, 5]),
        "print": print,
        "a class": dict,
        "a module": types,
        "empty text": "",
        "blank text": " \n",
        "a long text": "<loc_5> a red car " * 5000,
        "one long word": "x" * 100_000,
        "text of digits": "12 34 56 78",
        "0-d array": np.array(3.0),
        "empty array": np.zeros((0, 4)),
        "nan boxes": np.full((3, 4), np.nan),
        "boxes of nothing": np.zeros((3, 4)),
        "5-d array": np.zeros((1, 1, 1, 2, 4)),
        "array of objects": np.array([None, "a", 3], dtype=object),
        "array of texts": np.array(["a", "b"]),
        "dates": np.array(["2024-01-01"] * 4, dtype="datetime64[D]"),
        "tensor": torch.arange(12.0).reshape(3, 4),
        "tensor with gradient": torch.ones(2, 4, requires_grad=True),
        "bfloat16": torch.ones(2, 4, dtype=torch.bfloat16),
        "a batch of tensors": [torch.ones(4), torch.zeros(4)],
        "a tuple of tuples": ((1, 2, 3, 4), (5, 6, 7, 8)),
        "many boxes": np.random.default_rng(0).uniform(0, 300, (200_000, 4)),
        "a long list": list(range(300_000)),
        "many words": ["car"] * 300_000,
        "picture": GALLERY["snow"].image,
        "no picture": Image.new("1", (1, 1)),
        "scene": GALLERY["snow"],
        "thing": GALLERY["snow"].things[0],
        "generator": (box for box in [(1, 2, 3, 4)]),
        "map": map(str, [1, 2, 3]),
        "range": range(4),
        "a set": {"a", "b"},
        "in itself": in_itself(),
        "500 levels": nested(500),
        "5000 levels": nested(5000),
        "polygons a level too few": perfect("snow", "<REGION_TO_SEGMENTATION>", REGION).polygons[0][0],
        "polygons a level too many": [[[perfect("snow", "<REGION_TO_SEGMENTATION>", REGION).polygons]]],
        "broken": Broken(),
        "[broken]": [Broken(), Broken(), Broken()],
        "broken pair": (Broken(), Broken()),
        "endless": Endless(),
        "falls": Falls(),
        "(falls, falls)": (Falls(), Falls()),
        "fails": fails,
        "leaves": leaves,
        "a function": lambda *_: None,
        "(...,)": (...,),
        "pair of dots": (..., ...),
    }
    answers = {f"answer to {task}": answer_to(task) for task in TASKS}
    pairs = {f"pair, {task}": (answers[f"answer to {task}"], "car") for task in ("<OD>", "<OCR>")}
    lists = {f"answers to {task}": [answers[f"answer to {task}"]] * 4 for task in ("<OD>", "<CAPTION>")}
    return values | answers | pairs | lists
