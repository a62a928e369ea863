"""The gallery: every task asked of mini, with the picture, the prompt and the raw answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

import florence_nb as fnb

SCENES = fnb.scenes.GALLERY


def region(scene: str, thing: int) -> tuple[int, ...]:
    """The box of a thing, in whole pixels."""
    return tuple(round(side) for side in SCENES[scene].things[thing].box)


QUESTIONS: dict[str, tuple[str, Any]] = {
    "<CAPTION>": ("beach", None),
    "<DETAILED_CAPTION>": ("snow", None),
    "<MORE_DETAILED_CAPTION>": ("harbour", None),
    "<OD>": ("kitchen", None),
    "<DENSE_REGION_CAPTION>": ("harbour", None),
    "<REGION_PROPOSAL>": ("street", None),
    "<OCR>": ("market", None),
    "<OCR_WITH_REGION>": ("signs", None),
    "<CAPTION_TO_PHRASE_GROUNDING>": ("street", "a blue house next to a yellow car"),
    "<OPEN_VOCABULARY_DETECTION>": ("kitchen", "cup"),
    "<REFERRING_EXPRESSION_SEGMENTATION>": ("beach", "the pink umbrella"),
    "<REGION_TO_SEGMENTATION>": ("kitchen", region("kitchen", 3)),
    "<REGION_TO_CATEGORY>": ("market", region("market", 2)),
    "<REGION_TO_DESCRIPTION>": ("market", region("market", 3)),
    "<REGION_TO_OCR>": ("market", region("market", 1)),
}
"""Prompt -> the drawn scene, and what is asked for: nothing, a phrase, or a region in pixels."""
WIDTH = 480  # pixels


@dataclass(frozen=True)
class Exhibit:
    """One answer: who gave it, about which picture, and the code that gives it again."""

    answer: fnb.Answer
    who: str
    about: str
    code: str

    @property
    def task(self) -> fnb.Task:
        return fnb.TASKS[self.answer.task]

    @property
    def file(self) -> str:
        """The name of its picture."""
        asked = self.answer.text_input
        parts = [self.who, self.about, self.task.title, asked if isinstance(asked, str) else ""]
        return "-".join(re.findall(r"[a-z0-9]+", " ".join(parts).lower())) + ".jpg"

    @property
    def place(self) -> str:
        """Where its task is on the page."""
        return self.task.title.replace(" ", "-")

    @property
    def asked(self) -> str:
        """What was asked for beside the prompt, in Markdown."""
        if self.task.takes == "nothing":
            return ""
        value = self.answer.text_input
        return f", with the {self.task.takes} `{value if isinstance(value, str) else tuple(value)}`"

    @property
    def raw(self) -> str:
        """As written by the model, without the padding at its end."""
        return self.answer.raw.replace("<pad>", "")

    @property
    def drawn(self) -> Image.Image:
        return fnb.show(self.answer, width=WIDTH)

    @property
    def alt(self) -> str:
        """The alternative text of its picture, for Markdown."""
        return re.sub(r"[\[\]\n<>]", " ", self.drawn.alt).strip()


def exhibits(florence: fnb.Florence) -> list[Exhibit]:
    """The answer of a model to each task, in the order of `fnb.TASKS`. KeyError for a task without a
    question.
    """
    return [ask(florence, prompt) for prompt in fnb.TASKS]


def ask(florence: fnb.Florence, prompt: str) -> Exhibit:
    scene, asked = QUESTIONS[prompt]
    answer = florence.run_example(prompt, scene, asked, num_beams=1)
    code = f"florence.run_example({_arguments(prompt, scene, asked)}, num_beams=1)"
    return Exhibit(answer, "mini", scene, code)


def recorded() -> list[Exhibit]:
    """The real answers of base and large that come with the package."""
    record = fnb.load("recorded", quiet=True)
    return [
        Exhibit(
            record.of(who).run_example(prompt, picture, asked),
            who,
            picture,
            f'fnb.load("recorded").of("{who}").run_example({_arguments(prompt, picture, asked)})',
        )
        for who in record.checkpoints
        for picture in record.of(who).pictures
        for prompt, asked in record.of(who).questions(picture)
    ]


def _arguments(*values: Any) -> str:
    return ", ".join(f'"{v}"' if isinstance(v, str) else str(v) for v in values if v is not None)


def save(exhibit: Exhibit, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    exhibit.drawn.save(folder / exhibit.file, quality=88, optimize=True)
