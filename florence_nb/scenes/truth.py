"""The truth about a scene, in Florence-2's own words: the raw string that a perfect model would produce, for
all fifteen prompts.

Things are told from left to right. Boxes, outlines and quads are those of the part that is seen, as
``<loc_…>`` tokens (see `florence_nb.to_loc`); an outline has twenty points in about even steps (see
`outline.resample_outline`).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np

from ..geometry import box_iou
from ..locations import from_loc, to_loc
from ..tasks import build_prompt, get_task
from . import words
from .outline import resample_outline
from .thing import SceneFacts, VisibleThing

START, END = "</s><s>", "</s>"


def answer(
    scene: SceneFacts, task_prompt: str, text_input: Any = None, *, rng: random.Random | None = None
) -> str:
    """The raw string that a perfect model would produce.

    Args:
        scene: the scene.
        task_prompt: one of the fifteen prompts, such as ``"<OD>"``.
        text_input: what the task needs: a phrase, or a region as (x0, y0, x1, y1) in pixels or as four
            ``<loc_…>`` tokens.
        rng: draws one of several phrasings of a caption; without it the plainest one is taken.

    Raises:
        InputError: there is no such prompt, or the text input does not fit it; see `tasks.build_prompt`.
    """
    task = get_task(task_prompt)
    asked = build_prompt(task.prompt, text_input, scene.size).removeprefix(task.prompt)
    if task.prompt in _CAPTIONS:
        said = _CAPTIONS[task.prompt](scene, in_order(scene), rng)
    else:
        said = _TELLERS[task.prompt](scene, asked)
    return f"{START}{said}{END}"


def in_order(scene: SceneFacts) -> list[VisibleThing]:
    """The things from left to right, by the middle of their boxes."""
    return sorted(scene.things, key=lambda t: t.box[0] + t.box[2])


def lines_of(scene: SceneFacts) -> list[tuple[str, np.ndarray]]:
    """Every line of text with its (4, 2) quad, from top to bottom; at one height, things from left to right,
    each line by line.
    """
    band = scene.size[1] / 12
    found = []
    for thing in scene.things:
        across = np.mean([quad[:, 0].mean() for quad in thing.quads]) if thing.quads else 0.0
        for line, quad in zip(thing.text.split("\n"), thing.quads):
            found.append((int(quad[:, 1].mean() / band), across, line, quad))
    return [(line, quad) for _, _, line, quad in sorted(found, key=lambda f: f[:2])]


def thing_at(scene: SceneFacts, region: str) -> VisibleThing | None:
    """The thing whose box agrees best with a region of four ``<loc_…>`` tokens, or None where none is
    touched.
    """
    box = from_loc(region, scene.size)
    best = max(scene.things, key=lambda t: box_iou(t.box, box), default=None)
    return best if best is not None and box_iou(best.box, box) > 0 else None


def _box(scene: SceneFacts, thing: VisibleThing) -> str:
    return to_loc(thing.box, scene.size)


def _outline(scene: SceneFacts, thing: VisibleThing) -> str:
    return "<sep>".join(to_loc(resample_outline(piece).flatten(), scene.size) for piece in thing.polygons)


def _grouped(scene: SceneFacts, name: Callable[[VisibleThing], str]) -> str:
    """Label and boxes, things of one label together, in the order of the first of each."""
    groups: dict[str, list[VisibleThing]] = {}
    for thing in in_order(scene):
        groups.setdefault(name(thing), []).append(thing)
    return "".join(label + "".join(_box(scene, t) for t in things) for label, things in groups.items())


def _detection(scene: SceneFacts, _: str) -> str:
    return _grouped(scene, lambda t: t.kind)


def _dense(scene: SceneFacts, _: str) -> str:
    return _grouped(scene, words.name_of)


def _proposals(scene: SceneFacts, _: str) -> str:
    return "".join(_box(scene, t) for t in in_order(scene))


def _reading(scene: SceneFacts, _: str) -> str:
    return "\n".join(line for line, _ in lines_of(scene))


def _reading_with_regions(scene: SceneFacts, _: str) -> str:
    return "".join(line + to_loc(quad.flatten(), scene.size) for line, quad in lines_of(scene))


def _grounding(scene: SceneFacts, caption: str) -> str:
    told = []
    for phrase in words.phrases_in(caption):
        things = words.things_meant(scene, phrase)
        if things:
            told.append(phrase + "".join(_box(scene, t) for t in things))
    return "".join(told)


def _open_vocabulary(scene: SceneFacts, text: str) -> str:
    """Boxes for things in one piece, polygons for those that are cut in two."""
    told = []
    for phrase in (p.strip() for p in text.split("<and>")):
        things = words.things_meant(scene, phrase)
        whole = [t for t in things if len(t.polygons) == 1]
        told += [phrase + "".join(_box(scene, t) for t in whole)] if whole else []
        told += [f"{phrase}<poly>{_outline(scene, t)}</poly>" for t in things if len(t.polygons) > 1]
    return "".join(told)


def _referring(scene: SceneFacts, phrase: str) -> str:
    return "<sep>".join(_outline(scene, t) for t in words.things_meant(scene, phrase))


def _region_category(scene: SceneFacts, region: str) -> str:
    thing = thing_at(scene, region)
    return (thing.kind if thing else words.BACKGROUND_NOUNS[scene.background]) + region


def _region_description(scene: SceneFacts, region: str) -> str:
    thing = thing_at(scene, region)
    return (words.name_of(thing) if thing else words.BACKGROUND_NOUNS[scene.background]) + region


def _region_reading(scene: SceneFacts, region: str) -> str:
    thing = thing_at(scene, region)
    return thing.text if thing else ""


def _region_outline(scene: SceneFacts, region: str) -> str:
    thing = thing_at(scene, region)
    return _outline(scene, thing) if thing else ""


_CAPTIONS: dict[str, Callable[[SceneFacts, list[VisibleThing], random.Random | None], str]] = {
    "<CAPTION>": words.caption,
    "<DETAILED_CAPTION>": words.detailed_caption,
    "<MORE_DETAILED_CAPTION>": words.paragraph,
}
_TELLERS: dict[str, Callable[[SceneFacts, str], str]] = {
    "<OD>": _detection,
    "<DENSE_REGION_CAPTION>": _dense,
    "<REGION_PROPOSAL>": _proposals,
    "<OCR>": _reading,
    "<OCR_WITH_REGION>": _reading_with_regions,
    "<CAPTION_TO_PHRASE_GROUNDING>": _grounding,
    "<REFERRING_EXPRESSION_SEGMENTATION>": _referring,
    "<OPEN_VOCABULARY_DETECTION>": _open_vocabulary,
    "<REGION_TO_SEGMENTATION>": _region_outline,
    "<REGION_TO_CATEGORY>": _region_category,
    "<REGION_TO_DESCRIPTION>": _region_description,
    "<REGION_TO_OCR>": _region_reading,
}
