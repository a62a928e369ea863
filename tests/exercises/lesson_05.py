"""Answers to the exercises of lesson 05: RIGHT must pass, WRONG must get a sentence with these words."""

import numpy as np
import torch

from florence_nb.scenes import GALLERY

from .helpers import bottom_up, in_bins, shares, squeezed, swapped_axes, truth, xywh

STREET = GALLERY["street"]
BOXES = truth(STREET)
BALL = np.array([221.6, 164.0, 239.3, 181.3])

RIGHT = {
    "05.1": {"the number": 3, "a numpy number": np.int64(3)},
    "05.2": {
        "an array": BOXES,
        "tuples": [tuple(box) for box in BOXES],
        "a tensor": torch.tensor(BOXES),
        "one thing missed, as mini may": BOXES[1:],
    },
    "05.3": {"a list": BALL.tolist(), "one row": BALL[None]},
}
WRONG = {
    "05.1": {
        "all labels": (4, "counts the bus"),
        "names": (1, "not different names"),
        "the list": (["car", "car", "car"], "count or choose"),
        "text": ("3", "the text '3'"),
    },
    "05.2": {
        "bins": (in_bins(BOXES, STREET.size), "bins"),
        "shares": (shares(BOXES, STREET.size), "shares"),
        "width and height": (xywh(BOXES), "width, height"),
        "axes": (swapped_axes(BOXES), "x and y are exchanged"),
        "y upwards": (bottom_up(BOXES, STREET.size), "downwards"),
        "squeezed": (squeezed(BOXES, STREET.size), "288"),
        "another picture": (truth(GALLERY["harbour"]), "'harbour'"),
        "flat": (BOXES.ravel(), ".reshape(-1, 4)"),
        "text": ("car<loc_1>", "from_loc"),
        "two only": (BOXES[:2], "2 of 5 things found"),
        "the whole picture": ([[0, 0, 384, 288]], "0 of 5 things found"),
    },
    "05.3": {
        "the corner forgotten": (BALL - [182, 136, 182, 136], "corner"),
        "the piece": ([182, 136, 278, 208], "0 of 1 thing found"),
        "bins": (in_bins(BALL[None], (384, 288)), "bins"),
    },
}
