"""Answers to the exercises of lesson 08: RIGHT must pass, WRONG must get a sentence with these words."""

import numpy as np

from florence_nb.scenes import GALLERY, Scene, Thing

from .helpers import mask_of_thing, perfect

BEACH, SNOW, SIZE = GALLERY["beach"], GALLERY["snow"], (384, 288)
MASKING, FROM_BOX = "<REFERRING_EXPRESSION_SEGMENTATION>", "<REGION_TO_SEGMENTATION>"
UMBRELLA = next(thing for thing in BEACH.things if thing.kind == "umbrella")
CHAIR = next(thing for thing in BEACH.things if thing.kind == "chair")
OUTLINE = UMBRELLA.polygons[0]
MASK = mask_of_thing(UMBRELLA, SIZE)
LEFT, TOP, RIGHT_EDGE, BOTTOM = UMBRELLA.box
BOX = (RIGHT_EDGE - LEFT) * (BOTTOM - TOP)
CORNERS = np.array([[LEFT, TOP], [RIGHT_EDGE, TOP], [RIGHT_EDGE, BOTTOM], [LEFT, BOTTOM]])
CASCADE = [perfect(SNOW, FROM_BOX, thing.box) for thing in SNOW.things]
SNOW_BOXES = [thing.box for thing in SNOW.things]
BUS = Thing("bus", "green", (0.5, 0.6), 0.9)
TOWER = Thing("lighthouse", "white", (0.5, 0.55), 1.0, stretch=0.5)
CUT, TURNED = Scene((BUS, TOWER), "field"), Scene((TOWER, BUS), "field")
EDGE = Scene((BUS, Thing("tree", "green", (0.2, 0.5), 0.6)), "field")
APART = Scene((Thing("bus", "green", (0.25, 0.6), 0.4), Thing("tree", "green", (0.8, 0.5), 0.3)), "field")
HIDDEN = Scene((Thing("cup", "red", (0.5, 0.6), 0.1), Thing("bus", "green", (0.5, 0.6), 1.0)), "field")


def filled(box) -> np.ndarray:
    x1, y1, x2, y2 = map(int, box)
    mask = np.zeros((288, 384), bool)
    mask[y1:y2, x1:x2] = True
    return mask


def nothing(answer):
    """The answer, had the model found nothing."""
    answer.polygons, answer.labels = [], []
    return answer


RIGHT = {
    "08.1": {
        "the answer": perfect(BEACH, MASKING, "the pink umbrella"),
        "its polygons": perfect(BEACH, MASKING, "the pink umbrella").polygons,
        "one outline": OUTLINE,
        "a mask": MASK,
        "a mask of 0 and 255": MASK.astype(np.uint8) * 255,
    },
    "08.2": {"by the truth": MASK.sum() / BOX, "as mini's outline may have it": np.float32(0.48)},
    "08.3": {
        "answers": CASCADE,
        "polygons": [answer.polygons for answer in CASCADE],
        "masks": np.stack([mask_of_thing(thing, SIZE) for thing in SNOW.things]),
        "one missed, as mini may": CASCADE[1:],
    },
    "08.4": {
        "both pieces": (CUT, perfect(CUT, MASKING, "the green bus")),
        "the answer first": [perfect(CUT, MASKING, "bus"), CUT],
        "nothing found": (CUT, nothing(perfect(CUT, MASKING, "the green bus"))),
    },
}
WRONG = {
    "08.1": {
        "the other thing": (CHAIR.polygons[0], "mask of the blue chair"),
        "the box": (filled(UMBRELLA.box), "whole box"),
        "a box task": (perfect(BEACH, "<OPEN_VOCABULARY_DETECTION>", "umbrella"), "holds boxes"),
        "bins": ([[OUTLINE * 1000 / SIZE]], "bins"),
        "shares": ([[OUTLINE / SIZE]], "shares"),
        "axes": ([[OUTLINE[:, ::-1]]], "exchanged"),
        "upside down": (MASK[::-1], "upside down"),
        "inside out": (~MASK, "True and False"),
        "turned": (MASK.T, "turned"),
        "flat": (OUTLINE.ravel(), ".reshape(-1, 2)"),
        "the raw string": (BEACH.answer(MASKING, "the pink umbrella"), "answer.polygons"),
        "everything": (np.ones((288, 384), bool), "IoU of 0.06"),
    },
    "08.2": {
        "of the picture": (MASK.mean(), "whole picture"),
        "the box in the picture": (BOX / MASK.size, "how much of the picture the box takes"),
        "the rest": (1 - MASK.sum() / BOX, "not umbrella"),
        "percent": (100 * MASK.sum() / BOX, "percent"),
        "upside down": (BOX / MASK.sum(), "upside down"),
        "pixels": (int(MASK.sum()), "number of umbrella pixels"),
        "the box's pixels": (BOX, "pixels in the box"),
        "the mask": (MASK, "one number"),
    },
    "08.3": {
        "only the boxes": (np.array(SNOW_BOXES), "these are boxes"),
        "boxes as masks": ([filled(box) for box in SNOW_BOXES], "whole boxes"),
        "the answer to <OD>": (perfect(SNOW, "<OD>"), "holds boxes"),
        "the first only": (CASCADE[:1], "1 of 3 things found"),
        "always the first": ([CASCADE[0]] * 3, "same thing"),
        "all in one": ([np.any([mask_of_thing(t, SIZE) for t in SNOW.things], axis=0)], "in one mask"),
        "raw strings": ([answer.raw for answer in CASCADE], "answer.polygons"),
        "one answer": (CASCADE[0].raw, "this is a text"),
    },
    "08.4": {
        "the wrong order": (
            (TURNED, perfect(TURNED, MASKING, "the green bus")),
            "the white lighthouse is the one",
        ),
        "only its end": ((EDGE, perfect(EDGE, MASKING, "the green bus")), "in one piece"),
        "side by side": ((APART, perfect(APART, MASKING, "bus")), "nothing in your scene is hidden"),
        "all hidden": ((HIDDEN, perfect(HIDDEN, MASKING, "cup")), "cannot be seen at all"),
        "alone": ((Scene((BUS,)), perfect(Scene((BUS,)), MASKING, "bus")), "fewer than two"),
        "the thing in front": (
            (CUT, perfect(CUT, MASKING, "the white lighthouse")),
            "the green bus is the one",
        ),
        "another picture": ((CUT, perfect(TURNED, MASKING, "the green bus")), "another picture"),
        "the picture": ((CUT.image, perfect(CUT, MASKING, "bus")), "the scene itself"),
        "the answer alone": (perfect(CUT, MASKING, "bus"), "two things are wanted"),
        "only text": ((CUT, "two pieces"), "this is text"),
    },
}
