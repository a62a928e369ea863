"""What to ask about a picture, so that all fifteen tasks have something to show.

Eight tasks take nothing, and are asked first. Their answers give the phrases and the regions of the other
seven: the caption is grounded, the things found are looked for by name, and their boxes are asked about.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..answers import Answer
from ..tasks import SMALLEST_SIDE, TASKS

Question = tuple[str, Any]
"""A task prompt and its text_input."""
Box = tuple[int, int, int, int]

MOST = 3
"""So many phrases or regions a task, at most."""
FIRST: tuple[Question, ...] = tuple((task.prompt, None) for task in TASKS.values() if task.takes == "nothing")
EXPECTED = 30
"""Questions about a usual picture: for a progress bar."""
_MOST_LETTERS = 300
# One of them is asked for although it is not in the picture: what a model says then is worth seeing, too.
_ABSENT = ("a penguin", "an umbrella", "a violin", "a bicycle")


def follow_ups(answers: Mapping[str, Answer], size: tuple[int, int]) -> list[Question]:
    """The questions that take a phrase or a region.

    Args:
        answers: by task prompt, to the questions of `FIRST`; one may be missing.
        size: of the picture, ``(width, height)``.
    """
    sentences = _texts(answers, "<CAPTION>", "<DETAILED_CAPTION>") or ["the picture"]
    names = _labels(answers, "<OD>") or _labels(answers, "<DENSE_REGION_CAPTION>") or sentences[:1]
    phrases = list(dict.fromkeys(_labels(answers, "<DENSE_REGION_CAPTION>") + names))[:MOST]
    regions = _boxes(answers, "<OD>", "<DENSE_REGION_CAPTION>", "<REGION_PROPOSAL>", size=size)
    regions = regions or [_middle(size)]
    lines = _boxes(answers, "<OCR_WITH_REGION>", size=size) or regions
    several = ["<and>".join(names[:2])] if len(names) > 1 else []
    return [
        *(("<CAPTION_TO_PHRASE_GROUNDING>", sentence) for sentence in sentences),
        *(("<OPEN_VOCABULARY_DETECTION>", name) for name in [*names, *several, *_absent(answers)]),
        *(("<REFERRING_EXPRESSION_SEGMENTATION>", phrase) for phrase in phrases),
        *(("<REGION_TO_SEGMENTATION>", box) for box in regions),
        *(("<REGION_TO_CATEGORY>", box) for box in regions),
        *(("<REGION_TO_DESCRIPTION>", box) for box in regions),
        *(("<REGION_TO_OCR>", box) for box in lines),
    ]


def _texts(answers: Mapping[str, Answer], *tasks: str) -> list[str]:
    found = [answers[task].text.strip()[:_MOST_LETTERS] for task in tasks if task in answers]
    return [text for text in dict.fromkeys(found) if text]


def _labels(answers: Mapping[str, Answer], task: str) -> list[str]:
    found = [label.strip()[:_MOST_LETTERS] for label in answers[task].labels] if task in answers else []
    return [label for label in dict.fromkeys(found) if label][:MOST]


def _absent(answers: Mapping[str, Answer]) -> list[str]:
    said = " ".join(answer.text for answer in answers.values()).lower()
    return [phrase for phrase in _ABSENT if phrase.split()[-1] not in said][:1]


def _boxes(answers: Mapping[str, Answer], *tasks: str, size: tuple[int, int]) -> list[Box]:
    """The first regions of the tasks in whole pixels, so that a person can type them."""
    found = [region.box for task in tasks if task in answers for region in answers[task].regions]
    whole = dict.fromkeys(_whole(box, size) for box in found)
    return [box for box in whole if min(box[2] - box[0], box[3] - box[1]) >= SMALLEST_SIDE][:MOST]


def _whole(box: tuple[float, float, float, float], size: tuple[int, int]) -> Box:
    limits = (*size, *size)
    x1, y1, x2, y2 = (int(side) for side in np.clip(np.round(box), 0, limits))
    return x1, y1, x2, y2


def _middle(size: tuple[int, int]) -> Box:
    width, height = size
    return _whole((width / 4, height / 4, width * 3 / 4, height * 3 / 4), size)
