"""A Florence without weights: it answers what its record was asked, about the pictures that it saw."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from PIL import Image

from ..answers import Answer
from ..engine.requests import PreparedRequest, Settings, make_settings
from ..errors import InputError
from ..florence import Florence
from ..images import SAMPLES_FOLDER, open_image
from ..tasks import TASKS, build_prompt, get_task
from ..web import shown
from .file import Record, RecordedAnswer, read_record
from .pictures import Pictures

SHIPPED = SAMPLES_FOLDER / "recorded.json"
"""Real answers that others published; see samples/CREDITS.md."""
_MOST_NAMES = 12
_WEIGHTS = ("model", "processor", "feature_cache", "_inference_lock")


def load_record(name: str | Path, *, quiet: bool = False) -> RecordedFlorence:
    """The record in a file, or, for ``"recorded"``, the one that comes with the package.

    Raises:
        InputError: there is no such file, or it is no record.
    """
    path = SHIPPED if str(name) == "recorded" else Path(os.path.expanduser(name))
    florence = RecordedFlorence(read_record(path), path, name=str(name))
    if not quiet:
        print(f"{florence!r}. It looks answers up, and computes nothing.")
    return florence


class RecordedFlorence(Florence):
    """Answers of a checkpoint that were written down; `florence_nb.load` of a record makes one.

    `run_example` and `run_many` are those of `Florence`, and give the same answers as the model gave. What
    was not asked, about which picture or with which settings, they say in one sentence.

    Attributes:
        pictures: name -> picture: the one that was asked about where it is here, else an empty page of its
            size. `run_example` takes these names, too.
        name: what `load` was asked for. record: what the file holds.
    """

    def __init__(
        self, record: Record, path: Path, *, name: str | None = None, checkpoint: str | None = None
    ) -> None:
        self.record, self.path, self.name = record, path, str(path) if name is None else name
        self.pictures = Pictures(record.pictures, path.parent)
        self._checkpoint, self._answers = checkpoint, record.prompts(checkpoint)

    @property
    def checkpoints(self) -> tuple[str, ...]:
        """Who answered, by name."""
        known = (row.name for row in self.record.checkpoints)
        return tuple(name for name in known if self._checkpoint in (None, name))

    def of(self, checkpoint: str) -> RecordedFlorence:
        """Only the answers of one checkpoint, where a record holds those of several.

        Raises:
            InputError: the record holds none of this name.
        """
        if checkpoint not in self.checkpoints:
            raise InputError(f"{self._who} answered here, not {checkpoint!r}.")
        return RecordedFlorence(self.record, self.path, name=self.name, checkpoint=checkpoint)

    def questions(self, picture: str) -> list[tuple[str, Any]]:
        """What can be asked about a picture, as (task prompt, text_input), in the order of `TASKS`.

        Raises:
            InputError: there is no picture of this name.
        """
        if picture not in self.pictures:
            raise InputError(
                f"There is no picture {shown(repr(picture), 60)} in this record: it knows {self._pictures}."
            )
        found = [row for (name, _), row in self._answers.items() if name == picture]
        ordered = sorted(found, key=lambda row: [*TASKS].index(row.task))
        return [(row.task, _asked(row.text_input)) for row in ordered]

    def __repr__(self) -> str:
        rows = [row for row in self.record.answers if row.checkpoint in self.checkpoints]
        answers, pictures = len(rows), len({row.picture for row in rows})
        counts = f"{answers} answer{'s' * (answers != 1)} about {pictures} picture{'s' * (pictures != 1)}"
        made = f", made {self.record.made}" if self.record.made else ""
        return f"RecordedFlorence({shown(self.name)!r}: {counts}, recorded from {self._who}{made})"

    # ---- in the place of the model's

    def make_settings(self, **chosen: Any) -> Settings:
        """Those of `run_example`, checked as the model would check them."""
        return make_settings(self.record.checkpoints[0].positions, **chosen)

    def prepare(self, task_prompt: str, image: Any, text_input: Any = None) -> PreparedRequest:
        """Checks a request as the model would; the token ids are left out."""
        task = get_task(task_prompt).prompt
        known = isinstance(image, str) and image in self.pictures
        picture = self.pictures[image] if known else open_image(image)
        build_prompt(task, text_input, picture.size)
        return PreparedRequest(task, text_input, picture, ())

    def answer_batch(self, requests: Sequence[PreparedRequest], settings: Settings) -> list[Answer]:
        """Looks the answers up, in order.

        Raises:
            InputError: one of them was not recorded.
        """
        return [self._answer(request, settings) for request in requests]

    answer, question = answer_batch, prepare

    def _answer(self, request: PreparedRequest, settings: Settings) -> Answer:
        name = self._name_of(request.image)
        prompt = build_prompt(request.task, request.text_input, request.image.size)
        row = self._answers.get((name, prompt))
        if row is None:
            raise InputError(self._not_asked(name, request))
        other = self._other_settings(row, settings)
        answer = row.replayed(request.image.size)
        answer.text_input, answer.image, answer.florence = request.text_input, request.image, self
        words = f", {_equal(other)}" if other else ""
        answer.notes = (*answer.notes, f"Recorded from {row.checkpoint}{words}.")
        return answer

    def _name_of(self, image: Image.Image) -> str:
        name = self.pictures.name_of(image)
        if name is not None:
            return name
        near, size = self.pictures.alike(image), "{} x {}".format(*image.size)
        if near:
            raise InputError(
                f"This picture of {size} looks like {near!r}, but its pixels are not those that were asked"
                " about (another size, saved anew or edited), and a record knows no other: take"
                f" florence.pictures[{near!r}]."
            )
        raise InputError(
            f"This record does not know the picture of {size}: it knows {self._pictures}. Take one from"
            " florence.pictures, or ask a real checkpoint."
        )

    def _other_settings(self, row: RecordedAnswer, settings: Settings) -> dict[str, Any]:
        """Settings that the answer was recorded with and that are not the usual ones.

        Raises:
            InputError: others were asked for.
        """
        usual, asked = self.make_settings().to_dict(), settings.to_dict()
        recorded = usual | row.settings
        wanted = {key: value for key, value in asked.items() if value != recorded.get(key, usual.get(key))}
        wanted = {key: value for key, value in wanted.items() if key not in usual or value != usual[key]}
        if len(wanted) > 1:
            wanted.pop("early_stopping", None)  # it comes with num_beams=1
        if wanted:
            raise InputError(
                f"{_equal(wanted)} was not recorded, but {_equal(row.settings)}: leave it out, or ask a real"
                " checkpoint."
            )
        return {key: value for key, value in row.settings.items() if usual.get(key) != value}

    def _not_asked(self, name: str, request: PreparedRequest) -> str:
        task, text = request.task, request.text_input
        asked = self.questions(name)
        inputs = [text_input for other, text_input in asked if other == task]
        if not inputs:
            tasks = ", ".join(dict.fromkeys(other for other, _ in asked))
            return f"{task} was not recorded for {name!r}: recorded are {tasks or 'no tasks'}."
        inputs = _nearest(str(text), inputs)
        return (
            f"{task} was not recorded for {name!r} with {shown(repr(_asked(text)), 60)}: recorded"
            f" {'are' if len(inputs) > 1 else 'is'} {', '.join(map(repr, inputs))}."
        )

    @property
    def _who(self) -> str:
        return " and ".join(self.checkpoints)

    @property
    def _pictures(self) -> str:
        names = [*self.pictures]
        more = len(names) - _MOST_NAMES
        return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")

    # ---- what only a model has

    def __getattr__(self, name: str) -> Any:
        if name in _WEIGHTS:
            self._has_no_model()
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _has_no_model(self, *_given: Any, **_more: Any) -> NoReturn:
        raise InputError(_no_model("This", self))

    encode = encode_images = encode_prompts = generate_ids = _has_no_model  # type: ignore[assignment]
    inference_mode = forget = _has_no_model  # type: ignore[assignment]


def needs_model(florence: Any, what: str) -> None:
    """For what works with a model only.

    Raises:
        InputError: ``florence`` is a record.
    """
    if isinstance(florence, RecordedFlorence):
        raise InputError(_no_model(what, florence))


def _no_model(what: str, florence: RecordedFlorence) -> str:
    return (
        f"{what} needs the model itself, and {shown(florence.name)!r} is a record of its answers: take"
        f' load("mini"), or load("{florence.checkpoints[0]}") where its weights are.'
    )


def _asked(text_input: Any) -> Any:
    """A region as the tuple that a person would write."""
    if text_input is None or isinstance(text_input, str):
        return text_input
    return tuple(int(side) if float(side).is_integer() else float(side) for side in text_input)


def _nearest(asked: str, inputs: Sequence[Any]) -> list[Any]:
    """A few of them, the most similar phrases first."""
    phrases = [text for text in inputs if isinstance(text, str)]
    near = difflib.get_close_matches(asked, phrases, n=3, cutoff=0.3)
    return [*near, *(text for text in inputs if text not in near)][:5]


def _equal(settings: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in settings.items())
