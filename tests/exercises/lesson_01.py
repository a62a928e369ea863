"""Answers to the exercises of lesson 01: RIGHT must pass, WRONG must get a sentence with these words."""

import numpy as np

import florence_nb as fnb
from florence_nb.check import Row

BYTES = {"float32": 4, "float16": 2}
WISHES = [(name, dtype) for name in ("large", "base") for dtype in BYTES]
EXTRAS = ["flash-attn", "timm", "einops"]
COUNT = fnb.CHECKPOINTS["large"].parameters


def weights(name, dtype, unit=1e9):
    return fnb.CHECKPOINTS[name].parameters * BYTES[dtype] / unit


def sorted_wishes(gigabytes):
    """In words, as the lesson's own function writes them."""
    found = [f"{name} in {dtype}" for name, dtype in WISHES if weights(name, dtype) <= 0.5 * gigabytes]
    return (found or ["mini"])[0]


def by_hand(gigabytes):
    for least, choice in ((6.17, "large"), (3.09, "large"), (1.86, "base"), (0.93, "base")):
        if gigabytes >= least:
            return [choice, "float32" if least in (6.17, 1.86) else "float16"]
    return ["mini", "float16"]


def first_wish(fits, wishes=WISHES, default=("mini", "float32")):
    """A function like the learner's, with another condition."""
    return lambda gigabytes: next((wish for wish in wishes if fits(gigabytes, *wish)), default)


def no_default(gigabytes):
    for name, dtype in WISHES:
        if weights(name, dtype) <= gigabytes / 2:
            return name, dtype


RIGHT = {
    "01.1": {
        "three": EXTRAS,
        "with what else is extra": [*EXTRAS, "checkpoint base", "checkpoint large"],
        "a set, with the import's name": {"flash_attn", "timm", "einops"},
    },
    "01.2": {"exact": COUNT / 1e9, "rounded": 0.77, "a numpy number": np.float32(0.7702)},
    "01.3": {
        "words": sorted_wishes,
        "by hand": by_hand,
        "half": first_wish(lambda g, *w: weights(*w) * 2 <= g),
    },
}
WRONG = {
    "01.1": {
        "what must be there": (["Python", "torch", "pillow"], "must be there"),
        "states": (["extra", "extra"], "these are states"),
        "what was found": (["not installed", "not installed", "not here"], "this is what was found"),
        "rows": ([Row("timm", "extra", "not installed")], "whole rows"),
        "one of them": (["timm"], "holds 1 of the 3 packages"),
        "none": ([], "holds 0 of the 3 packages"),
        "how many": (7, "this is a number"),
        "one name": ("timm", "square brackets"),
    },
    "01.2": {
        "GiB": (0.717, "GiB"),
        "megabytes": (770, "megabytes"),
        "bytes": (COUNT, "these are bytes"),
        "bits": (6.16, "bits"),
        "one bit each": (0.096, "not one bit"),
        "float16": (1.54, "float16"),
        "float32": (COUNT * 4 / 1e9, "float32"),
        "base": (0.23, "this is base"),
        "text": ("0.77 GB", "the text '0.77 GB'"),
        "another number": (5, "too large"),
    },
    "01.3": {
        "all of the memory": (first_wish(lambda g, *w: weights(*w) <= g), "leave half"),
        "half of half": (first_wish(lambda g, *w: weights(*w) <= g / 4), "more than half"),
        "the smallest first": (
            first_wish(lambda g, *w: weights(*w) <= g / 2, [*WISHES[2:], *WISHES[:2]]),
            "large before base",
        ),
        "float16 first": (
            first_wish(lambda g, *w: weights(*w) <= g / 2, [WISHES[i] for i in (1, 0, 3, 2)]),
            "float32 comes first",
        ),
        "float32 only": (first_wish(lambda g, *w: weights(*w) <= g / 2, WISHES[::2]), "float16 may fit"),
        "GiB": (first_wish(lambda g, *w: weights(*w, unit=2**30) <= g / 2), "GiB"),
        "called": (("base", "float32"), "without brackets"),
        "nothing returned": (no_default, "needs a return"),
        "the name alone": (lambda g: "large", "the number format"),
        "a number": (lambda g: g / 2, "a checkpoint's name"),
        "bytes of mini": (lambda g: BYTES["int8"], "stops with KeyError"),
        "always the same": (lambda g: ("large", "float16"), "choose(0.25) gives large in float16"),
    },
}
