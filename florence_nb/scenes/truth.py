"""The truth about a scene, in Florence-2's own words: the raw string that a perfect model would produce, for all fifteen prompts.

Things are told from left to right. Boxes, outlines and quads are those of the part that is seen, as ``<loc_…>`` tokens (see `florence_nb.to_loc`).
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from ..locations import from_loc, to_loc
from . import words
from .scene import Seen


class Told(Protocol):
    """What of a scene the truth is told from: its things from back to front, its background, its size in pixels."""

    things: tuple[Seen, ...]
    background: str
    size: tuple[int, int]


START, END = "</s><s>", "</s>"
_REGION = re.compile(r"(?:<loc_\d{1,3}>){4}")


def answer(scene: Told, task_prompt: str, text_input=None, *, rng: random.Random | None = None) -> str:
    """The raw string that a perfect model would produce.

    Args:
        scene: the scene.
        task_prompt: one of the fifteen prompts, such as ``"<OD>"``.
        text_input: what the task needs: a phrase, or a region as (x0, y0, x1, y1) in pixels or as four ``<loc_…>`` tokens.
        rng: draws one of several phrasings of a caption; without it the plainest one is taken.

    Raises:
        KeyError: there is no such prompt.
    """
    return f"{START}{_TELLERS[task_prompt](scene, text_input, rng)}{END}"


def in_order(scene: Told) -> list[Seen]:
    """The things from left to right, by the middle of their boxes."""
    return sorted(scene.things, key=lambda t: t.box[0] + t.box[2])


def lines_of(scene: Told) -> list[tuple[str, np.ndarray]]:
    """Every line of text with its (4, 2) quad, from top to bottom, lines at one height from left to right."""
    found = [(line, quad) for thing in scene.things for line, quad in zip(thing.text.split("\n"), thing.quads)]
    step = scene.size[1] / 12
    return sorted(found, key=lambda f: (int(f[1][:, 1].mean() / step), f[1][:, 0].mean()))


def _box(scene: Told, thing: Seen) -> str:
    return to_loc(thing.box, scene.size)


def _outline(scene: Told, thing: Seen) -> str:
    return "<sep>".join(to_loc(piece.flatten(), scene.size) for piece in thing.polygons)


def _grouped(scene: Told, named: Sequence[tuple[str, Seen]]) -> str:
    """Label and boxes, things of one label together, in the order of the first of each."""
    groups: dict[str, list[Seen]] = {}
    for name, thing in named:
        groups.setdefault(name, []).append(thing)
    return "".join(name + "".join(_box(scene, t) for t in things) for name, things in groups.items())


def _detection(scene, _, __):
    return _grouped(scene, [(t.kind, t) for t in in_order(scene)])


def _dense(scene, _, __):
    return _grouped(scene, [(f"{t.colour} {t.kind}", t) for t in in_order(scene)])


def _proposals(scene, _, __):
    return "".join(_box(scene, t) for t in in_order(scene))


def _reading(scene, _, __):
    return "\n".join(line for line, _ in lines_of(scene))


def _reading_with_regions(scene, _, __):
    return "".join(line + to_loc(quad.flatten(), scene.size) for line, quad in lines_of(scene))


def _grounding(scene, caption, _):
    told = []
    for phrase in words.phrases_in(caption):
        things = words.meant(scene, phrase)
        if things:
            told.append(phrase + "".join(_box(scene, t) for t in things))
    return "".join(told)


def _open_vocabulary(scene, text, _):
    told = []
    for phrase in (p.strip() for p in text.split("<and>")):
        things = words.meant(scene, phrase)
        whole = [t for t in things if len(t.polygons) == 1]
        told += [phrase + "".join(_box(scene, t) for t in whole)] if whole else []
        told += [f"{phrase}<poly>{_outline(scene, t)}</poly>" for t in things if len(t.polygons) > 1]
    return "".join(told)


def _referring(scene, phrase, _):
    return "<sep>".join(_outline(scene, t) for t in words.meant(scene, phrase))


def pointed_at(scene: Told, region) -> tuple[Seen | None, str]:
    """The thing whose box agrees best with a region, or None where none is touched, and the region as four tokens."""
    tokens = _REGION.search(region).group() if isinstance(region, str) else to_loc(region, scene.size)
    box = from_loc(tokens, scene.size)
    best = max(scene.things, key=lambda t: overlap(t.box, box), default=None)
    return (best if best is not None and overlap(best.box, box) > 0 else None), tokens


def overlap(one, other) -> float:
    """Intersection over union of two boxes."""
    across = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    down = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    both = (one[2] - one[0]) * (one[3] - one[1]) + (other[2] - other[0]) * (other[3] - other[1]) - across * down
    return float(across * down / both) if both > 0 else 0.0


def _region_category(scene, region, _):
    thing, tokens = pointed_at(scene, region)
    return (thing.kind if thing else words.PLACES[scene.background]) + tokens


def _region_description(scene, region, _):
    thing, tokens = pointed_at(scene, region)
    return (f"{thing.colour} {thing.kind}" if thing else words.PLACES[scene.background]) + tokens


def _region_reading(scene, region, _):
    thing, _tokens = pointed_at(scene, region)
    return thing.text if thing else ""


def _region_outline(scene, region, _):
    thing, _tokens = pointed_at(scene, region)
    return _outline(scene, thing) if thing else ""


_TELLERS = {
    "<CAPTION>": lambda scene, _, rng: words.caption(scene, in_order(scene), rng),
    "<DETAILED_CAPTION>": lambda scene, _, rng: words.detailed_caption(scene, in_order(scene), rng),
    "<MORE_DETAILED_CAPTION>": lambda scene, _, rng: words.paragraph(scene, in_order(scene), rng),
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
