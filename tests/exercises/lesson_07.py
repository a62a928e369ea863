"""Answers to the exercises of lesson 07: RIGHT must pass, WRONG must get a sentence with these words."""

import numpy as np

from florence_nb.scenes import GALLERY, Scene, Thing

from .helpers import bottom_up, in_bins, shares, swapped_axes, told, truth, xywh

SIGNS, CARS = GALLERY["signs"], GALLERY["cars"]
OCR, PLACED = "<OCR>", "<OCR_WITH_REGION>"
LINES = ["HELLO", "BUS 42", "GO"]
READ = told(SIGNS.answer(OCR), OCR, SIGNS)
QUADS = told(SIGNS.answer(PLACED), PLACED, SIGNS).quads
BOXES = np.c_[QUADS.min(axis=1), QUADS.max(axis=1)]


def sign(words, size=0.4):
    return Scene((Thing("sign", "white", (0.5, 0.5), size, text=words),), "beach", seed=6)


def reading(words, read, prompt=OCR):
    scene = sign(words)
    return scene, told(read, prompt, scene)


ALIKE = [reading("0O0O", "OO0O"), reading("1I1I", "1I1I"), reading("5S5S", "5S5")]
RIGHT = {
    "07.1": {
        "another order": LINES[::-1],
        "a tuple": tuple(LINES),
        "letters that a model mixes up": ["HELLO", "8US 42", "G0"],
    },
    "07.2": {
        "an array": BOXES,
        "tuples": [tuple(box) for box in BOXES],
        "three pixels off": BOXES + [-3, -3, 3, 3],
    },
    "07.3": {
        "an answer": told("HARBOUR", OCR, sign("HARBOUR", 0.25)),
        "two letters off": "HARB0U",
    },
    "07.4": {"a list": ALIKE, "all right": tuple(reading(words, words) for words in ("5S", "8B", "B8B8"))},
}
WRONG = {
    "07.1": {
        "the answer": (READ, "this is the answer"),
        "one text": (READ.text, "this is one text"),
        "the raw string": (READ.raw, "special tokens"),
        "words": (READ.text.split(), "4 words, not lines"),
        "letters": (list(READ.text), "single letters"),
        "in a list": ([READ.text], "still holds several lines"),
        "another picture": (["MARKET", "TEA", "CAFE"], "'market'"),
        "two of three": (LINES[:2], "2 lines in your list, and 3"),
        "something else": (["WELCOME", "TAXI", "ZOO"], "letters are wrong"),
        "a dictionary": ({OCR: READ.text}, "a dictionary"),
        "how many": (3, "a list of texts is wanted"),
    },
    "07.2": {
        "quads": (QUADS, "these are quads"),
        "the first four": (QUADS.reshape(-1, 8)[:, :4], "two top corners"),
        "two corners": (np.c_[QUADS[:, 0], QUADS[:, 2]], "must hold all four"),
        "whole signs": (truth(SIGNS), "the whole signs"),
        "flat": (BOXES.ravel(), ".reshape(-1, 4)"),
        "width and height": (xywh(BOXES), "width, height"),
        "min and max exchanged": (BOXES[:, [2, 3, 0, 1]], "the corners are exchanged"),
        "x with x": (BOXES[:, [0, 2, 1, 3]], "left, right, top, bottom"),
        "axes": (swapped_axes(BOXES), "x and y are exchanged"),
        "bins": (in_bins(BOXES, SIGNS.size), "bins"),
        "shares": (shares(BOXES, SIGNS.size), "shares"),
        "y upwards": (bottom_up(BOXES, SIGNS.size), "downwards"),
        "two of three": (BOXES[:2], "2 of 3 things found"),
        "the raw string": (SIGNS.answer(PLACED), "from_loc"),
    },
    "07.3": {
        "the whole picture": ("MBN0", "as in the whole picture"),
        "nothing": ("", "nothing was read"),
        "cut too closely": ("HARRQUQ", "more room"),
        "another picture": ("HELLO", "'signs'"),
        "the raw string": ("</s><s>HARBOUR</s>", "special tokens"),
        "a list": (["HARBOUR"], "a text is wanted"),
        "a dictionary": ({OCR: "HARBOUR"}, "a dictionary"),
    },
    "07.4": {
        "one pair": (ALIKE[0], "this is one pair"),
        "one answer": (READ, "a list of pairs"),
        "two signs": (ALIKE[:2], "2 signs so far"),
        "texts": ([("0O0O", "OOOO")] * 3, "begins with the scene itself"),
        "what was read": ([(scene, answer.text) for scene, answer in ALIKE], "this is text"),
        "exchanged": ([pair[::-1] for pair in ALIKE], "the scene comes first"),
        "answers alone": ([answer for _, answer in ALIKE], "two things are wanted"),
        "another prompt": ([reading("0O0O", "", PLACED)] * 3, "ask <OCR>"),
        "another picture": ([(ALIKE[0][0], ALIKE[1][1])] * 3, "not about its scene"),
        "no look-alikes": ([reading("TEA", "TEA")] * 3, "none of the letters"),
        "no text": ([(CARS, told("", OCR, CARS))] * 3, "a picture without text"),
    },
}
