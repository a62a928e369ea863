"""Answers to the exercises of lesson 09: RIGHT must pass, WRONG must get a sentence with these words."""

import numpy as np
from PIL import Image

import florence_nb as fnb
from florence_nb.scenes import GALLERY

from .helpers import in_bins, perfect, shares, truth, xywh

MARKET, HARBOUR, SIZE = GALLERY["market"], GALLERY["harbour"], (384, 288)
DESCRIBE = "<REGION_TO_DESCRIPTION>"
BANNER, WIDTHS = (102, 28, 280, 69), (102, 28, 178, 41)
BIKE = np.array([[219.0, 189.0, 334.0, 261.0]])
BOTH = (180, 151, 318, 271)
TOKENS = "<loc_140><loc_93><loc_932><loc_999>"


def unknown():
    answer = perfect(MARKET, DESCRIBE, BOTH)
    answer.image = Image.new("RGB", SIZE)
    return answer


RIGHT = {
    "09.1": {
        "pixels": perfect(MARKET, DESCRIBE, BANNER),
        "tokens": perfect(MARKET, DESCRIBE, fnb.to_loc(BANNER, SIZE)),
        "drawn by hand": perfect(MARKET, DESCRIBE, [98.5, 25.0, 284.0, 73.0]),
    },
    "09.2": {"by hand": TOKENS, "by the package": fnb.to_loc((90, 45, 597, 480), (640, 480)) + "\n"},
    "09.3": {
        "the answer": perfect(HARBOUR, "<CAPTION_TO_PHRASE_GROUNDING>", "green bicycle"),
        "a box": (220.0, 190.0, 333.0, 262.0),
        "boxes": BIKE.tolist(),
    },
    "09.4": {
        "truck and plate": (perfect(MARKET, DESCRIBE, BOTH), "truck"),
        "the whole name": [perfect(MARKET, DESCRIBE, BOTH), "Blue truck"],
        "a category": (perfect(MARKET, "<REGION_TO_CATEGORY>", BOTH), "truck"),
    },
}
WRONG = {
    "09.1": {
        "width and height": (perfect(MARKET, DESCRIBE, WIDTHS), "piece of the banner"),
        "another thing": (perfect(MARKET, DESCRIBE, (25, 112, 129, 210)), "the sign"),
        "another task": (perfect(MARKET, "<REGION_TO_OCR>", BANNER), "you asked <REGION_TO_OCR>"),
        "the words": ("yellow banner", "this is text"),
        "the region": (BANNER, "now ask"),
        "the region by width": (WIDTHS, "width, height"),
        "parsed": (perfect(MARKET, DESCRIBE, BANNER).parsed, "dictionary"),
    },
    "09.2": {
        "no limit": ("<loc_140><loc_93><loc_932><loc_1000>", "no token <loc_1000>"),
        "rounded": ("<loc_141><loc_94><loc_933><loc_999>", "round down"),
        "rounded without a limit": ("<loc_141><loc_94><loc_933><loc_1000>", "round down, 999"),
        "times 999": ("<loc_140><loc_93><loc_931><loc_999>", "multiplied by 999"),
        "pixels": ("<loc_90><loc_45><loc_597><loc_480>", "pixels themselves"),
        "sides": ("<loc_187><loc_70><loc_999><loc_750>", "width and height are exchanged"),
        "axes": ("<loc_93><loc_140><loc_999><loc_932>", "left comes first"),
        "width and height": ("<loc_140><loc_93><loc_792><loc_906>", "the right and bottom edge"),
        "one off": ("<loc_140><loc_93><loc_932><loc_998>", "look again at: bottom"),
        "no brackets": ("loc_140 loc_93 loc_932 loc_999", "both brackets"),
        "commas": ("<loc_140>, <loc_93>, <loc_932>, <loc_999>", "something between"),
        "two tokens": ("<loc_140><loc_93>", "2 tokens"),
        "numbers": ([140, 93, 932, 999], "this is a list"),
    },
    "09.3": {
        "the words": ("green bicycle", "hand it to"),
        "an IoU": (0.97, "the box itself"),
        "raw": (perfect(HARBOUR, "<CAPTION_TO_PHRASE_GROUNDING>", "green bicycle").raw, "from_loc"),
        "the cat": (truth(HARBOUR)[-1], "the cat"),
        "bins": (in_bins(BIKE, SIZE), "bins"),
        "shares": (shares(BIKE, SIZE), "shares"),
        "width and height": (xywh(BIKE), "width, height"),
        "parsed": ({"bboxes": BIKE.tolist(), "labels": ["green bicycle"]}, "'bboxes'"),
        "everything": ([0, 0, 384, 288], "0 of 1 thing"),
    },
    "09.4": {
        "one thing": ((perfect(MARKET, DESCRIBE, (180, 151, 312, 230)), "truck"), "holds the blue truck:"),
        "nothing": ((perfect(MARKET, DESCRIBE, (300, 60, 380, 110)), "none"), "nothing whole"),
        "the loser": ((perfect(MARKET, DESCRIBE, BOTH), "number plate"), "you say 'number plate'"),
        "an outline": ((perfect(MARKET, "<REGION_TO_SEGMENTATION>", BOTH), "truck"), "gives no name"),
        "the answer alone": (perfect(MARKET, DESCRIBE, BOTH), "two things are wanted"),
        "texts": (("blue truck", "truck"), "this is text"),
        "a strange picture": ((unknown(), "truck"), "fnb.scenes.GALLERY"),
    },
}
