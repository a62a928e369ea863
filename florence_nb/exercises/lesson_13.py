"""Checks of lesson 13: how good it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..answers import Answer
from ..scenes import GALLERY, Scene, VisibleThing
from ..scenes.words import name_of, size_of
from .boxes import labelled_found, the
from .pictures import check_picture
from .refusals import MayBeTheModel, NotYet, WrongForm
from .registry import checks
from .values import answer_of, boxes_of, kind_of, number_of, pair_of
from .words import counted, some

_CARS = GALLERY["cars"]
_IDS = {"bus": 6, "car": 3}
_BOXES = (0.91, 0.88, 0.80, 0.77, 0.70, 0.64, 0.61, 0.52, 0.45, 0.38, 0.31)
_WRONG = (0.61, 0.31)
_ROW = ("image_id", "category_id", "bbox", "score")


@checks("13.1")
def two_shares(answer: Any) -> str:
    given = tuple(map(number_of, pair_of(answer, "precision and recall")))
    slips = {
        (0.9, 0.72): "",
        (0.72, 0.9): "they are exchanged: precision comes first, and what was written stands below its line.",
        (90.0, 72.0): "these are percent: a share goes from 0 to 1.",
        (0.8, 0.8): "40 of 50 says how many boxes there are for each thing; how many of them are right?",
        (0.9, 0.8): "precision is right; recall counts the boxes that are right, not all that were written.",
        (0.9, 0.9): "precision is right; for recall divide by the things that are there.",
        (0.72, 0.72): "recall is right; for precision divide by the boxes that were written.",
        (
            36 / 54,
            36 / 54,
        ): "this divides by boxes and things together, as IoU does; each share has its own line.",
        (0.8, 0.72): "recall is right; precision is about the 40 boxes: how many of them are right?",
    }
    words = next((words for slip, words in slips.items() if np.allclose(given, slip, atol=0.006)), None)
    if words is None:
        raise NotYet(f"{given[0]:g} and {given[1]:g} are not the two shares.")
    if words:
        raise NotYet(words)
    return "precision 0.90, recall 0.72: what it writes is mostly right, but it misses a quarter."


@checks("13.2")
def coco_rows(answer: Any) -> str:
    rows = _rows(answer)
    others = sorted({str(row["image_id"]) for row in rows if row["image_id"] != 42})
    if others:
        raise NotYet(f"the picture has the id 42; in your rows stands {some(others)}.")
    _check_ids({row["category_id"] for row in rows})
    boxes = boxes_of([row["bbox"] for row in rows])
    found = _found_as_coco(rows, boxes)
    if len(found) < len(_CARS.things) - 1:
        corners = np.c_[boxes[:, :2], boxes[:, 2:] - boxes[:, :2]]  # as if a bbox were x1, y1, x2, y2
        if len(_found_as_coco(rows, corners)) >= len(_CARS.things) - 1:
            raise NotYet("your bbox holds the right and bottom edge; COCO wants width and height there.")
        raise MayBeTheModel(f"{len(found)} of {counted(len(_CARS.things), 'thing')} found.")
    if {number_of(row["score"]) for row in rows} == {1.0}:
        raise NotYet("each score is 1.0, so mAP would depend on the order: answer.scores has the real ones.")
    return (
        f"{counted(len(rows), 'row')} for picture 42, and {len(found)} of {len(_CARS.things)} things found."
    )


@checks("13.3")
def where_to_draw_the_line(answer: Any) -> str:
    line = number_of(answer)
    kept = [score for score in _BOXES if score >= line]
    right = sum(score not in _WRONG for score in kept)
    if not kept:
        raise NotYet(f"no box has a score of {line:g} or more: nothing is kept.")
    told = f"from {line:g} on you keep {len(kept)} of the boxes, {right} of them right"
    if right < 0.9 * len(kept):
        raise NotYet(f"{told}: that is {right / len(kept):.2f}, below 0.9.")
    if len(kept) < 10:
        raise NotYet(f"{told}: that is enough, but one can keep more.")
    return f"{told}: just 0.9."


@checks("13.4")
def make_it_fail(answer: Any) -> str:
    scene, asked = pair_of(answer, "the scene and the answer")
    if isinstance(scene, Answer) and isinstance(asked, Scene):
        scene, asked = asked, scene
    if not isinstance(scene, Scene):
        raise WrongForm(f"the first of the two is the scene; this is {kind_of(scene)}.")
    asked = answer_of(asked)
    if asked.task != "<OD>":
        raise NotYet(f"this is an answer to {asked.task}: ask <OD>, which names every thing.")
    check_picture(asked, scene, "your scene")
    if len(scene.things) < 2:
        raise NotYet(
            f"{counted(len(scene.things), 'thing')} can be seen in your scene: two or more are wanted."
        )
    missed = _missed(asked, scene)
    if not missed:
        raise NotYet(f"all {len(scene.things)} things are found: make one smaller, or put things closer.")
    return f"{some([the(thing) for thing in missed])} missed. {_reason(missed[0], scene)}"


def _rows(answer: Any) -> list[Mapping]:
    if isinstance(answer, Answer):
        raise WrongForm("this is the answer itself: its method to_coco writes the rows.")
    if isinstance(answer, Mapping) or not isinstance(answer, (list, tuple)):
        raise WrongForm(f"a list of rows is wanted, one for each box; this is {kind_of(answer)}.")
    if not answer:
        raise MayBeTheModel("there is no row in your list.")
    for row in answer:
        if not isinstance(row, Mapping):
            raise WrongForm(f"each row is a dictionary; one of yours is {kind_of(row)}.")
        missing = [key for key in _ROW if key not in row]
        if missing:
            raise WrongForm(f"a row has {some(_ROW, 4)}; in one of yours {missing[0]} is missing.")
    return list(answer)


def _check_ids(ids: set) -> None:
    if ids == {1}:
        raise NotYet("each category is 1: give to_coco the ids by name as well.")
    if ids <= {1, 2}:
        raise NotYet("the ids are counted from 1, as for a list of names: give a dictionary with 6 and 3.")
    if not ids <= {*_IDS.values()}:
        raise NotYet(f"a category is 6 (bus) or 3 (car); in your rows stands {some(sorted(map(str, ids)))}.")


def _found_as_coco(rows: list[Mapping], boxes: np.ndarray) -> list[int]:
    """Indices of the cars and buses that have a row; ``boxes`` are x, y, width, height."""
    edges = np.c_[boxes[:, :2], boxes[:, :2] + boxes[:, 2:]]
    given = [row["category_id"] for row in rows]
    return labelled_found(given, edges, _CARS.things, lambda thing: _IDS.get(thing.kind))


def _missed(answer: Answer, scene: Scene) -> list[VisibleThing]:
    """The things without a box of their name."""
    found = labelled_found(answer.labels, answer.boxes, scene.things, lambda thing: thing.kind)
    return [thing for j, thing in enumerate(scene.things) if j not in found]


def _reason(thing: VisibleThing, scene: Scene) -> str:
    side = (size_of(thing) / (scene.size[0] * scene.size[1])) ** 0.5
    return (
        f"The {name_of(thing)} has {side:.0%} of the picture's side, {thing.share:.0%} of it can be seen,"
        f" and {counted(len(scene.things), 'thing')} are in the picture."
    )
