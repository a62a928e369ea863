"""Answers to the exercises of lesson 15: RIGHT must pass, WRONG must get a sentence with these words."""

import florence_nb as fnb
from florence_nb.exercises.lesson_15 import _labels

BAD = "no-such.jpg"
LABELS = _labels()


def rows(caption="A house.", bad=None, error="not there", good_error=None):
    """A function that answers without a model."""

    def function(batch):
        wrong = [path == BAD for path in batch["path"]]
        return {
            "caption": [bad if each else caption for each in wrong],
            "error": [error if each else good_error for each in wrong],
        }

    return function


def stops(batch):
    return {"caption": [fnb.open_image(path) for path in batch["path"]], "error": []}


def drops(batch):
    kept = [path for path in batch["path"] if path != BAD]
    return {"caption": ["A house."] * len(kept), "error": [None] * len(kept)}


def of(wanted) -> list[str]:
    """The paths whose kinds fit."""
    return [path for path, kinds in LABELS.items() if wanted(kinds)]


TWO_DOGS = of(lambda kinds: kinds.count("dog") >= 2 and "cat" not in kinds)
JUST_TWO = of(lambda kinds: kinds.count("dog") == 2 and "cat" not in kinds)

RIGHT = {
    "15.1": {"a function": rows(), "a method": {"f": rows(error="An InputError.")}["f"]},
    "15.2": {
        "a list": ["one pixel changed", "more beams", "weights tuned further"],
        "a tuple": ("weights tuned further", "more beams", "one pixel changed"),
    },
    "15.3": {
        "paths": TWO_DOGS,
        "in another order": TWO_DOGS[::-1],
        "with a folder": [f"a/{p}" for p in TWO_DOGS],
    },
    "15.4": {"a number": 4.25, "with all digits": 1_200_000 / 80 / 3600 + 5 / 60},
}
WRONG = {
    "15.1": {
        "called": (rows()({"path": ["snow"]}), "without calling"),
        "a text": ("mine", "a function is wanted"),
        "stops": (stops, "must become a row"),
        "drops the bad one": (drops, "'caption' has 2 rows"),
        "no error column": (lambda batch: {"caption": ["x"] * len(batch["path"])}, "'error' is missing"),
        "a list": (lambda batch: ["x"] * len(batch["path"]), "returns a list"),
        "no reason": (rows(error=""), "says nothing"),
        "an exception": (rows(error=ValueError("not there")), "take str"),
        "an invented caption": (rows(bad="A house."), "invented"),
        "no captions": (rows(caption=None), "a good picture, and its caption is None"),
        "errors everywhere": (rows(good_error="fine"), "must be None"),
    },
    "15.2": {
        "renamed, too": (
            ["one pixel changed", "more beams", "weights tuned further", "renamed"],
            "same bytes",
        ),
        "batches, too": (
            ["one pixel changed", "more beams", "weights tuned further", "larger batches"],
            "speed",
        ),
        "one is missing": (["one pixel changed", "more beams"], "weights tuned further is missing"),
        "empty": ([], "no change in your list"),
        "one text": ("more beams", "square brackets"),
    },
    "15.3": {
        "with cats": (of(lambda kinds: kinds.count("dog") >= 2), "has a cat"),
        "one dog": (of(lambda kinds: "dog" in kinds and "cat" not in kinds), "has 1 dog"),
        "just two": (JUST_TWO, "too few"),
        "numbers as text": (["1", "2"], "no path of these rows"),
        "none": ([], "no path in your list"),
        "twice": (TWO_DOGS + TWO_DOGS[:1], "stands twice"),
        "indices": ([1, 2], "one entry is a number"),
    },
    "15.4": {
        "without the start": (1_200_000 / 80 / 3600, "5 minutes before"),
        "without efficiency": (3.42, "worth 80"),
        "multiplied": (2.75, "divide by 0.8"),
        "five hours": (9.17, "twelfth"),
        "hundred starts": (12.5, "count once"),
        "one GPU": (416.75, "one GPU"),
        "minutes": (255, "these are minutes"),
        "seconds": (15300, "these are seconds"),
        "a guess": (7, "too large"),
    },
}
