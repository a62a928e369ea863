"""Checks of lesson 05: detection."""

from typing import Any

from ..scenes import GALLERY, Scene, Thing
from .boxes import check_boxes
from .numbers import check_number
from .refusals import MayBeTheModel
from .registry import checks

_TINY = Scene((Thing("ball", "red", (0.6, 0.6), 0.06),), "field", seed=3)


@checks("05.1")
def count_the_cars(answer: Any) -> str:
    kinds = [thing.kind for thing in GALLERY["cars"].things]
    slips = {
        len(kinds): "this counts the bus, too: only labels that are exactly 'car' count.",
        1.0: "a label may stand for several boxes: count labels, not different names.",
    }
    return check_number(answer, kinds.count("car"), slips=slips, off=MayBeTheModel)


@checks("05.2")
def tokens_to_boxes(answer: Any) -> str:
    scene = GALLERY["street"]
    return check_boxes(answer, scene, scene.things, need=4)


@checks("05.3")
def tiny_ball(answer: Any) -> str:
    return check_boxes(answer, _TINY, _TINY.things)
