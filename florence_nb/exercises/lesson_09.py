"""Checks of lesson 09: region tasks."""

from typing import Any

import numpy as np

from ..answers import Answer
from ..geometry import box_iou
from ..locations import LOC, from_loc
from ..scenes import GALLERY, Scene, VisibleThing
from .boxes import check_boxes
from .pictures import scene_of
from .refusals import MayBeTheModel, NotYet, WrongForm
from .registry import checks
from .values import answer_of, boxes_of, kind_of, pair_of, short, text_of
from .words import counted

_SIZE, _REGION = (640, 480), (90, 45, 597, 480)
_BINS = [140, 93, 932, 999]
_ONE_TOO_MANY, _TIMES_999 = [140, 93, 932, 1000], [140, 93, 931, 999]
_ROUNDED, _ROUNDED_PAST = [141, 94, 933, 999], [141, 94, 933, 1000]
_DESCRIBES = ("<REGION_TO_DESCRIPTION>", "<REGION_TO_CATEGORY>")


@checks("09.1")
def the_banner(answer: Any) -> str:
    scene = GALLERY["market"]
    banner = next(thing for thing in scene.things if thing.kind == "banner")
    if not isinstance(answer, (Answer, str, dict)) and len(boxes_of(answer)) == 1:
        check_boxes(answer, scene, [banner], least=0.8)
        raise NotYet("this is the right region: now ask about it, and give the answer.")
    asked = answer_of(answer)
    if asked.task != "<REGION_TO_DESCRIPTION>":
        raise NotYet(f"you asked {asked.task}: <REGION_TO_DESCRIPTION> is wanted.")
    region = _region(asked)
    if box_iou(region, (102, 28, 178, 41)) > 0.95:
        raise NotYet(
            "you gave x, y, width, height, and the model looked at a piece of the banner only: the right and"
            " bottom edge are wanted last."
        )
    check_boxes(region, scene, [banner], least=0.8)
    iou = box_iou(region, banner.box)
    return f"your region and the banner agree with an IoU of {iou:.2f}; the model calls it {asked.text!r}."


@checks("09.2")
def four_tokens(answer: Any) -> str:
    bins = _bins_of(answer)
    if bins == _BINS:
        return "four tokens of four: 140, 93, 932, 999."
    for words, slip in _slips().items():
        if bins in (slip, [min(number, 999) for number in slip]):
            raise NotYet(words)
    raise NotYet(_which(bins))


@checks("09.3")
def there_and_back(answer: Any) -> str:
    scene = GALLERY["harbour"]
    if isinstance(answer, str) and not LOC.search(answer):
        raise WrongForm(
            f"this is text, {answer[:40]!r}: hand it to <CAPTION_TO_PHRASE_GROUNDING>, and give the box."
        )
    if isinstance(answer, (int, float, np.number)):
        raise WrongForm("this is one number, such as an IoU: the box itself is wanted, four numbers.")
    bicycle = next(thing for thing in scene.things if thing.kind == "bicycle")
    return check_boxes(answer, scene, [bicycle])


@checks("09.4")
def two_in_one_box(answer: Any) -> str:
    asked, won = pair_of(answer, "the answer and the kind of the thing that won")
    asked, won = (won, asked) if isinstance(won, Answer) else (asked, won)
    asked, won = answer_of(asked), text_of(won).lower()
    if asked.task not in _DESCRIBES:
        raise NotYet(f"{asked.task} gives no name: ask <REGION_TO_DESCRIPTION>.")
    scene = scene_of(asked)
    if scene is None:
        raise NotYet("I do not know what is in this picture: take one of fnb.scenes.GALLERY.")
    region = _region(asked)
    inside = [thing for thing in scene.things if _inside(thing, region) >= 0.6]
    if len(inside) < 2:
        raise NotYet(f"your box holds {_named(inside)}: draw it so that two things are in it.")
    _check_winner(won, asked, inside, scene)
    ious = ", ".join(f"{thing.kind} {box_iou(thing.box, region):.2f}" for thing in inside)
    said = f"your box holds {_named(inside)}, and the model says {asked.text!r}"
    return f"{said}. IoU of your box with each: {ious}."


def _region(asked: Answer) -> np.ndarray:
    """What was asked about, in pixels."""
    given = asked.text_input
    return from_loc(given, asked.image_size) if isinstance(given, str) else np.asarray(given, float)


def _floor(region: tuple, size: tuple[int, int]) -> list[int]:
    return [int(value * 1000 // side) for value, side in zip(region, (*size, *size))]


def _slips() -> dict[str, list[int]]:
    """Known wrong bins of the region, by the sentence that names the mistake."""
    left, top, right, bottom = _REGION
    turned, lengths = (_SIZE[1], _SIZE[0]), (left, top, right - left, bottom - top)
    return {
        "there is no token <loc_1000>: the last one, <loc_999>, stands for the edge, too.": _ONE_TOO_MANY,
        "you rounded to the nearest bin: take the bin that a place falls into, so round down.": _ROUNDED,
        "you rounded to the nearest bin, and there is no <loc_1000>: round down, 999 at most.": _ROUNDED_PAST,
        "you multiplied by 999: there are 1000 bins, so multiply by 1000 and stop at 999.": _TIMES_999,
        "these are the pixels themselves: a bin is a thousandth of the side.": list(_REGION),
        "width and height are exchanged: x is divided by the width, y by the height.": _floor(
            _REGION, turned
        ),
        "x and y are exchanged: left comes first, then top.": [93, 140, 999, 932],
        "you gave width and height of the region: the right and bottom edge are wanted last.": _floor(
            lengths, _SIZE
        ),
    }


def _bins_of(answer: Any) -> list[int]:
    if not isinstance(answer, str):
        raise WrongForm(f"one text with four <loc_…> tokens is wanted; this is {kind_of(answer)}.")
    bins = [int(number) for number in LOC.findall(answer)]
    if not bins:
        raise WrongForm("there is no token in your text: each is written <loc_140>, with both brackets.")
    if len(bins) != 4:
        raise NotYet(f"a region has four tokens; your text has {counted(len(bins), 'token')}.")
    if LOC.sub("", answer).strip():
        raise WrongForm("there is something between your tokens: they stand one after the other.")
    return bins


def _which(bins: list[int]) -> str:
    edges = ("left", "top", "right", "bottom")
    off = [edge for edge, got, true in zip(edges, bins, _BINS) if got != true]
    return f"{4 - len(off)} of 4 tokens are right; look again at: {', '.join(off)}."


def _inside(thing: VisibleThing, region: np.ndarray) -> float:
    """How much of a thing's box lies in a region, 0 to 1."""
    x1, y1, x2, y2 = thing.box
    across = min(x2, region[2]) - max(x1, region[0])
    down = min(y2, region[3]) - max(y1, region[1])
    return max(0.0, across) * max(0.0, down) / ((x2 - x1) * (y2 - y1))


def _named(things: list[VisibleThing]) -> str:
    return " and ".join(f"the {thing.colour} {thing.kind}" for thing in things) or "nothing whole"


def _check_winner(won: str, asked: Answer, inside: list[VisibleThing], scene: Scene) -> None:
    said = [thing.kind for thing in scene.things if thing.kind in asked.text]
    if not said and won not in ("none", ""):
        raise MayBeTheModel(
            f"you say {short(won)}, but the model says {asked.text!r}: then none has won, 'none'."
        )
    if said and not any(kind in won for kind in said):
        raise MayBeTheModel(f"you say {short(won)}, but the model says {asked.text!r}.")
