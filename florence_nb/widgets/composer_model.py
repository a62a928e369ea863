"""Change a scene, ask the model about it, and judge what it says by the truth: the scene composer without its
controls.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from ..answers import Answer
from ..drawing import show
from ..errors import InputError
from ..geometry import WELL_PLACED, box_iou, mask_iou, match, rasterize
from ..parsing import parse
from ..scenes import Scene, Thing
from ..scenes.pen import COLOURS
from ..scenes.signs import SIGN_KINDS, draw_sign
from ..scenes.thing import home_of, stamp_of
from .region import snapped

if TYPE_CHECKING:
    from ..florence import Florence

MAX_THINGS_COMPOSED = 7
LONGEST_ANSWER = 200
"""Tokens: the truth about seven things takes 40 for the boxes; an outline in several pieces 110."""
ASKED: dict[str, str] = {
    "boxes": "<OD>",
    "mask": "<REFERRING_EXPRESSION_SEGMENTATION>",
    "caption": "<DETAILED_CAPTION>",
    "reading": "<OCR_WITH_REGION>",
}
"""What can be asked for, and the prompt that asks for it. The mask is that of one thing, named by colour and
kind.
"""
_HEIGHTS = {"sky": 0.22, "ground": 0.68, "water": 0.7, "table": 0.68}


@dataclass(frozen=True)
class Match:
    """A thing, or a line of text, and what the model said of it.

    Attributes:
        name: its label; of a region that the model made up, the model's.
        iou: of the true and the given region, 0 to 1; None if one of them is missing.
        verdict: ``"found"``, ``"misplaced"`` (right name, but an IoU under `WELL_PLACED`), ``"missed"`` or
            ``"invented"``.
        region: which of the answer's regions it is about; None where it was missed.
    """

    name: str
    iou: float | None
    verdict: str
    region: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Comparison:
    """An answer beside the truth; ``what`` is a key of `ASKED`."""

    what: str
    answer: Answer
    truth: Answer
    matches: tuple[Match, ...]


def first_scene() -> Scene:
    """A car, a tree and a sign on a field."""
    things = (
        Thing("tree", "green", (0.82, 0.5), 0.55),
        Thing("car", "red", (0.32, 0.72), 0.42),
        Thing("sign", "yellow", (0.3, 0.28), 0.3, text="CAFE"),
    )
    return Scene(things, "field")


def changed(scene: Scene, index: int, **changes: Any) -> Scene:
    """The scene with one of its things changed.

    Args:
        index: of the thing in ``scene.wanted``.
        changes: fields of `Thing`: ``at`` (fractions of width and height), ``size``, ``colour``,
            ``mirrored``, ``text``.

    Raises:
        InputError: words that cannot stand on a sign.
    """
    if "text" in changes:
        changes["text"] = sign_words(changes["text"])
    things = list(scene.wanted)
    things[index] = replace(things[index], **changes)
    return replace(scene, wanted=tuple(things))


def with_thing(scene: Scene, kind: str) -> Scene:
    """The scene with one more thing in front, where there is room, in a colour that its kind does not have.

    Raises:
        InputError: there are seven things already.
    """
    if len(scene.wanted) >= MAX_THINGS_COMPOSED:
        raise InputError(f"A scene has at most {MAX_THINGS_COMPOSED} things: remove one first.")
    used = {thing.colour for thing in scene.wanted if thing.kind == kind}
    colour = next((colour for colour in COLOURS if colour not in used), "red")
    text = "HELLO" if kind in SIGN_KINDS else ""
    place = _free_place(scene, _HEIGHTS[home_of(kind)])
    return replace(scene, wanted=(*scene.wanted, Thing(kind, colour, place, 0.35, text=text)))


def _free_place(scene: Scene, down: float) -> tuple[float, float]:
    """At this height the place that is farthest from the middle of every other thing."""
    places = [(across, down) for across in (0.5, 0.2, 0.8, 0.35, 0.65)]
    return max(places, key=lambda place: min((math.dist(place, t.at) for t in scene.wanted), default=0))


def without(scene: Scene, index: int | None) -> Scene:
    """The scene without one of its things; the same scene where none is chosen."""
    if index is None:
        return scene
    return replace(scene, wanted=scene.wanted[:index] + scene.wanted[index + 1 :])


def sign_words(text: str) -> str:
    """Words as a sign carries them: capitals, one or two lines (``/`` or a line break parts them).

    Raises:
        InputError: no words, or letters and lengths that a sign does not have.
    """
    lines = [" ".join(line.upper().split()) for line in text.replace("/", "\n").split("\n")]
    kept = [line for line in lines if line]
    try:
        draw_sign("sign", kept, "white", "DejaVuSans", 24, 0)
    except ValueError:
        raise InputError(
            f"A sign cannot say {text!r}: write one or two words of 1 to 8 letters A-Z or digits; a / begins"
            " a second line."
        ) from None
    return "\n".join(kept)


def title_of(thing: Thing) -> str:
    """Colour and kind, and the words if it has some."""
    return f"{thing.colour} {thing.kind}" + (
        f" “{' / '.join(thing.text.split(chr(10)))}”" if thing.text else ""
    )


def ask(
    florence: Florence, scene: Scene, index: int | None = None, what: Sequence[str] = tuple(ASKED)
) -> list[Comparison]:
    """Asks about the scene's picture, all at once and greedily, and judges the answers.

    Args:
        index: of the thing in ``scene.wanted`` whose mask is asked for; None: no mask.
        what: keys of `ASKED`.
    """
    named = None if index is None else f"{scene.wanted[index].colour} {scene.wanted[index].kind}"
    wanted = [(key, named if key == "mask" else None) for key in what if key != "mask" or named]
    if not wanted:
        return []
    settings = florence.make_settings(max_new_tokens=LONGEST_ANSWER, num_beams=1)
    answers = florence.answer_batch(
        [florence.prepare(ASKED[key], scene.image, text) for key, text in wanted], settings
    )
    return [_comparisons(scene, key, text, answer) for (key, text), answer in zip(wanted, answers)]


def _comparisons(scene: Scene, key: str, text: str | None, answer: Answer) -> Comparison:
    truth = parse(scene.answer(ASKED[key], text), ASKED[key], scene.size)
    truth.text_input, truth.image = text, scene.image
    return Comparison(key, answer, truth, _MATCHERS[key](answer, truth))


def match_boxes(answer: Answer, truth: Answer) -> tuple[Match, ...]:
    """Each true box with the box of the same label that covers it best, the best pair first; then what is
    left over.
    """
    ious = [
        (box_iou(one, other), i, j)
        for i, one in enumerate(truth.boxes)
        for j, other in enumerate(answer.boxes)
        if truth.labels[i] == answer.labels[j]
    ]
    return _verdicts([iou for iou in ious if iou[0] > 0], truth.labels, answer.labels)


def match_mask(answer: Answer, truth: Answer) -> tuple[Match, ...]:
    """All parts of the answer together against all parts of the truth together."""
    name = str(truth.text_input)
    if not answer.polygons or not truth.polygons:
        verdict = "missed" if truth.polygons else "invented"
        return (
            (Match(name, None, verdict, None if truth.polygons else 0),)
            if truth.polygons or answer.polygons
            else ()
        )
    told, true = (rasterize(_all_parts(one), truth.image_size) for one in (answer, truth))
    return (_placed(name, mask_iou(told, true), 0),)


def _placed(name: str, iou: float, region: int) -> Match:
    return Match(name, iou, "found" if iou >= WELL_PLACED else "misplaced", region)


def match_lines(answer: Answer, truth: Answer) -> tuple[Match, ...]:
    """Each true line of text with the quad that says the same and covers it best."""
    size = truth.image_size
    ious = [
        (mask_iou(rasterize([one], size), rasterize([other], size)), i, j)
        for i, one in enumerate(truth.quads)
        for j, other in enumerate(answer.quads)
        if truth.labels[i] == answer.labels[j]
    ]
    return _verdicts(ious, truth.labels, answer.labels)


COLOURS_OF_VERDICTS = {"misplaced": "#ffe64d", "invented": "#ff001a"}
"""Of labels in the model's picture; what is right keeps its usual colour."""


def drawn(
    comparisons: Sequence[Comparison], scene: Scene, *, truth: bool = False, width: int = 360
) -> Image.Image:
    """All regions of the answers, or of the truth, on the scene's picture; RGB, ``width`` pixels wide.

    What the model placed badly or invented says so in its label, and has a colour of its own.
    """
    shown = [one for one in comparisons if one.what != "caption"]
    answers = [one.truth if truth else one.answer for one in shown]
    if not any(answer.labels for answer in answers):
        return scene.image.resize(
            (width, round(width * scene.size[1] / scene.size[0])), Image.Resampling.LANCZOS
        )
    sheet = Answer("<OD>", "", {}, scene.size, image=scene.image)
    sheet.boxes = np.concatenate([sheet.boxes, *(answer.boxes for answer in answers)])
    sheet.quads = np.concatenate([sheet.quads, *(answer.quads for answer in answers)])
    sheet.polygons = [parts for answer in answers for parts in answer.polygons]
    names = [pair for one in shown for pair in _names(one, truth)]
    sheet.labels = [name for kind in ("box", "quad", "polygon") for known, name in names if known == kind]
    return show(sheet, width=width, palette=_palette(sheet.labels))


def _names(one: Comparison, truth: bool) -> list[tuple[str, str]]:
    """(kind, label) of each region; the model's with the verdict, where it is a bad one."""
    verdicts = {} if truth else {match.region: match.verdict for match in one.matches}
    told = one.truth if truth else one.answer
    bad = [verdicts.get(index, "found") for index in range(len(told.regions))]
    return [
        (region.kind, region.label if verdict == "found" else f"{region.label}: {verdict}")
        for region, verdict in zip(told.regions, bad)
    ]


def _palette(labels: Sequence[str]) -> dict[str, str]:
    return {
        label: colour
        for label in labels
        for verdict, colour in COLOURS_OF_VERDICTS.items()
        if label.endswith(f": {verdict}")
    }


def boxes_of(scene: Scene) -> list[tuple[int, int, int, int]]:
    """Where each of ``scene.wanted`` stands, in whole pixels, cut to the picture; also what is covered."""
    return [snapped(_whole_box(thing, scene.size), scene.size) for thing in scene.wanted]


def _whole_box(thing: Thing, size: tuple[int, int]) -> tuple[int, int, int, int]:
    wide, high = stamp_of(thing, size).picture.size
    x, y = round(thing.at[0] * size[0] - wide / 2), round(thing.at[1] * size[1] - high / 2)
    return x, y, x + wide, y + high


def dragged(scene: Scene, boxes: Sequence[Sequence[float]], kind: str) -> Scene:
    """The scene that somebody means who moved, resized, removed or drew one of its boxes.

    Args:
        boxes: one for each of ``scene.wanted``, as `boxes_of` gives them, but for one change.
        kind: of the thing that comes where a new box was drawn.

    Raises:
        InputError: a new thing, and there are seven already.
    """
    was = boxes_of(scene)
    index = changed_box(scene, boxes)
    if len(boxes) < len(was):
        return without(scene, min(index, len(boxes)))
    if len(boxes) > len(was):
        return _with_thing_in(scene, kind, boxes[-1])
    return scene if index == len(was) else _moved(scene, index, was[index], boxes[index])


def changed_box(scene: Scene, boxes: Sequence[Sequence[float]]) -> int:
    """The index of the first box that is not where its thing is; that of a new one is the last."""
    pairs = zip(boxes_of(scene), boxes)
    return next((i for i, (old, new) in enumerate(pairs) if tuple(old) != tuple(new)), len(scene.wanted))


def _with_thing_in(scene: Scene, kind: str, box: Sequence[float]) -> Scene:
    grown = with_thing(scene, kind)
    middle, longer = _middle_of(box, scene.size), max(box[2] - box[0], box[3] - box[1])
    return changed(grown, len(scene.wanted), at=middle, size=max(0.08, longer / min(scene.size)))


def _moved(scene: Scene, index: int, old: Sequence[float], new: Sequence[float]) -> Scene:
    """By how far the middle of its box went, and by how much the longer side grew."""
    thing = scene.wanted[index]
    (x0, y0), (x1, y1) = (_middle_of(box, scene.size) for box in (old, new))
    before, after = (max(box[2] - box[0], box[3] - box[1]) for box in (old, new))
    size = min(max(thing.size * after / before, 0.08), 0.9) if before != after else thing.size
    return changed(scene, index, at=(thing.at[0] + x1 - x0, thing.at[1] + y1 - y0), size=size)


def _middle_of(box: Sequence[float], size: tuple[int, int]) -> tuple[float, float]:
    return (box[0] + box[2]) / 2 / size[0], (box[1] + box[3]) / 2 / size[1]


def _verdicts(
    ious: list[tuple[float, int, int]], true: Sequence[str], said: Sequence[str]
) -> tuple[Match, ...]:
    """ious: (IoU, index of the truth, index of the answer) of all pairs that are allowed."""
    pairs = match(ious)
    paired = {i: (iou, j) for i, j, iou in pairs}
    found = [
        _placed(name, *paired[i]) if i in paired else Match(name, None, "missed")
        for i, name in enumerate(true)
    ]
    taken = {j for _, j, _ in pairs}
    return (*found, *(Match(name, None, "invented", j) for j, name in enumerate(said) if j not in taken))


def _all_parts(answer: Answer) -> list[np.ndarray]:
    return [part for parts in answer.polygons for part in parts]


_MATCHERS = {
    "boxes": match_boxes,
    "mask": match_mask,
    "caption": lambda answer, truth: (),
    "reading": match_lines,
}
