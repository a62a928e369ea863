"""Checks of lesson 08: segmentation."""

from typing import Any

from ..answers import Answer
from ..geometry import mask_iou
from ..scenes import GALLERY, Scene, VisibleThing, things_meant
from ..scenes.words import name_of
from .masks import check_mask, check_masks
from .numbers import check_share
from .pictures import same_picture
from .refusals import NotYet, WrongForm
from .registry import checks
from .values import answer_of, kind_of, mask_of, pair_of
from .words import counted

_BEACH = GALLERY["beach"]


@checks("08.1")
def the_umbrella(answer: Any) -> str:
    _check_has_outline(answer)
    return check_mask(answer, _BEACH, _umbrella())


@checks("08.2")
def share_of_the_box(answer: Any) -> str:
    x1, y1, x2, y2 = _umbrella().box
    pixels, box, picture = _pixels(_umbrella()), (x2 - x1) * (y2 - y1), _BEACH.size[0] * _BEACH.size[1]
    slips = {
        pixels / picture: "this is the share of the whole picture: divide by the pixels of the box.",
        box / picture: "this is how much of the picture the box takes: how much of the box is umbrella?",
        1 - pixels / box: "this is the part of the box that is not umbrella.",
        pixels: "this is the number of umbrella pixels: divide it by those of the box.",
        box: "this is the number of pixels in the box: divide the umbrella's pixels by it.",
    }
    return check_share(answer, pixels / box, 0.08, slips, "share of the box")


@checks("08.3")
def every_outline(answer: Any) -> str:
    for part in answer if isinstance(answer, (list, tuple)) else [answer]:
        _check_has_outline(part)
    scene = GALLERY["snow"]
    return check_masks(answer, scene, scene.things, need=2)


@checks("08.4")
def two_pieces(answer: Any) -> str:
    scene, asked = pair_of(answer, "the scene and the answer: mine = (scene, answer)")
    scene, asked = (asked, scene) if isinstance(asked, Scene) else (scene, asked)
    if not isinstance(scene, Scene):
        raise WrongForm(f"the scene itself is wanted; this is {kind_of(scene)}: mine = (scene, answer).")
    asked, behind = answer_of(asked), _in_pieces(scene)
    if asked.image is None or not same_picture(asked.image, scene.image):
        raise NotYet("the answer is about another picture: ask about scene.image.")
    if behind not in things_meant(scene, str(asked.text_input)):
        raise NotYet(
            f"the {name_of(behind)} is the one in pieces, and you asked for {asked.text_input!r}: ask for the"
            " one in pieces."
        )
    if asked.boxes.size:
        raise NotYet(
            f"{asked.task} gave a box: an outline is wanted, by a task with SEGMENTATION in its name."
        )
    return _told(scene, behind, asked)


def _umbrella() -> VisibleThing:
    return next(thing for thing in _BEACH.things if thing.kind == "umbrella")


def _pixels(thing: VisibleThing) -> int:
    return int(mask_of(thing.polygons, _BEACH.size).sum())


def _check_has_outline(answer: Any) -> None:
    if isinstance(answer, Answer) and not answer.polygons and len(answer.boxes):
        raise WrongForm(f"the answer to {answer.task} holds boxes and no outline: ask another task.")


def _in_pieces(scene: Scene) -> VisibleThing:
    """The thing that is seen in two pieces or more. NotYet, with what is seen, if there is none."""
    for thing in scene.things:
        if len(thing.polygons) > 1:
            return thing
    if len(scene.wanted) < 2:
        raise NotYet("there are fewer than two things in your scene: one must stand in front of the other.")
    if len(scene.things) < len(scene.wanted):
        raise NotYet("one thing cannot be seen at all: make what stands in front of it narrower.")
    most = min(scene.things, key=lambda thing: thing.share)
    if most.share > 0.99:
        raise NotYet(
            "nothing in your scene is hidden: put one thing where another one is, later in the list."
        )
    raise NotYet(
        f"the {name_of(most)} is the most hidden, {most.share:.0%} of it can be seen, but in one piece: put"
        " something narrow across its middle, later in the list."
    )


def _told(scene: Scene, behind: VisibleThing, asked: Answer) -> str:
    parts = sum(len(one) for one in asked.polygons)
    truth = f"the {name_of(behind)} is seen in {counted(len(behind.polygons), 'piece')}"
    if not parts:
        return f"{truth}, and the model gave no outline at all."
    iou = mask_iou(mask_of(asked, scene.size), mask_of(behind.polygons, scene.size))
    return f"{truth}, the model gave {counted(parts, 'outline')}, and their IoU is {iou:.2f}."
