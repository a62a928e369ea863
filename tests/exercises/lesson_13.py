"""Answers to the exercises of lesson 13: RIGHT must pass, WRONG must get a sentence with these words."""

import numpy as np

from florence_nb.scenes import GALLERY, Scene, Thing

from .helpers import perfect, told

IDS = {"bus": 6, "car": 3}
CARS = GALLERY["cars"]
SEEN = perfect("cars", "<OD>", scores=np.array([0.9, 0.8, 0.7, 0.6]))
ROWS = SEEN.to_coco(42, IDS)
PAIR = Scene((Thing("car", "red", (0.3, 0.6), 0.4), Thing("dog", "blue", (0.7, 0.6), 0.4)), "snow")
ALONE = Scene((Thing("car", "red", (0.3, 0.6), 0.4),), "snow")
CAR_ONLY = told(PAIR.answer("<OD>").split("dog")[0] + "</s>", "<OD>", PAIR)


def changed(**parts):
    """The right rows with something else in each."""
    return [row | parts for row in ROWS]


def corners():
    """The mistake that COCO files hold most often."""
    return [row | {"bbox": box.tolist()} for row, box in zip(ROWS, SEEN.boxes)]


RIGHT = {
    "13.1": {"shares": (0.9, 0.72), "a list": [36 / 40, 36 / 50], "an array": np.array([0.9, 0.72])},
    "13.2": {
        "with labels beside": [row | {"label": "x"} for row in ROWS],
        "one was missed": ROWS[:3],
        "a tuple": tuple(ROWS),
    },
    "13.3": {"the score": 0.38, "between two": 0.35},
    "13.4": {"a dog was missed": (PAIR, CAR_ONLY), "the other way round": (CAR_ONLY, PAIR)},
}
WRONG = {
    "13.1": {
        "exchanged": ((0.72, 0.9), "exchanged"),
        "percent": ((90, 72), "percent"),
        "boxes for each thing": ((0.8, 0.8), "40 of 50"),
        "recall of all boxes": ((0.9, 0.8), "not all that were written"),
        "twice precision": ((0.9, 0.9), "things that are there"),
        "twice recall": ((0.72, 0.72), "boxes that were written"),
        "as IoU": ((2 / 3, 0.667), "as IoU does"),
        "one number": (0.9, "two things are wanted"),
        "a guess": ((0.5, 0.5), "not the two shares"),
        "texts": (("90 %", "72 %"), "the text"),
    },
    "13.2": {
        "edges": (corners(), "width and height there"),
        "another picture": (SEEN.to_coco(1, IDS), "stands 1"),
        "names only": (SEEN.to_coco(42, ["bus", "car"]), "counted from 1"),
        "no categories": (SEEN.to_coco(42), "each category is 1"),
        "other ids": (changed(category_id=9), "stands 9"),
        "exchanged ids": (SEEN.to_coco(42, {"bus": 3, "car": 6}), "of 4 things found"),
        "scores made up": (changed(score=1.0), "each score is 1.0"),
        "one row": (ROWS[0], "this is a dictionary"),
        "the answer": (SEEN, "to_coco writes"),
        "the boxes": (SEEN.boxes.tolist(), "one of yours is a list"),
        "no score": ([{k: v for k, v in row.items() if k != "score"} for row in ROWS], "score is missing"),
        "nothing": ([], "no row"),
        "two of four": (ROWS[:2], "2 of 4 things"),
    },
    "13.3": {
        "the first row that fails": (0.64, "one can keep more"),
        "with the wrong box": (0.61, "6 of them right"),
        "all": (0.31, "9 of them right"),
        "the count": (10, "nothing is kept"),
        "text": ("0.38", "this is the text"),
    },
    "13.4": {
        "all found": ((PAIR, perfect(PAIR, "<OD>")), "all 2 things are found"),
        "one thing": ((ALONE, perfect(ALONE, "<OD>")), "two or more"),
        "another task": ((PAIR, perfect(PAIR, "<OCR>")), "ask <OD>"),
        "another picture": ((PAIR, perfect("snow", "<OD>")), "'snow'"),
        "the picture": ((PAIR.image, CAR_ONLY), "this is a picture"),
        "the boxes": ((PAIR, CAR_ONLY.boxes), "this is an array"),
        "the answer alone": (CAR_ONLY, "two things are wanted"),
    },
}
