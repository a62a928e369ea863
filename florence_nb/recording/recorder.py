"""Asks a model everything about some pictures, and writes it down."""

from __future__ import annotations

import datetime
import os
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..answers import Answer
from ..checkpoints import CHECKPOINTS, hub_id
from ..errors import CheckpointError, InputError
from ..tasks import build_prompt
from ..web import shown
from .file import (
    Record,
    RecordedAnswer,
    RecordedCheckpoint,
    RecordedPicture,
    prove_writable,
    read_record,
    write_record,
)
from .pictures import Source, sources
from .questions import EXPECTED, FIRST, Question, follow_ups
from .replay import RecordedFlorence, needs_model

if TYPE_CHECKING:
    from PIL import Image

    from ..florence import Florence


def record(
    florence: Florence,
    pictures: Any = None,
    out: str | Path = "record.json",
    *,
    with_pictures: bool = False,
    batch_size: int = 8,
    progress: bool = True,
) -> RecordedFlorence:
    """Asks all fifteen tasks about each picture, about thirty questions, and writes the answers to a file.

    `load` of this file then answers from it, on any machine. The file is whole after every batch: a run that
    was stopped goes on where it stopped when it is called again, and pictures may be added later.

    Args:
        florence: of `load`.
        pictures: None (those of `samples`), a folder, a list of whatever `open_image` takes, or a mapping of
            names to such.
        out: the file, JSON.
        with_pictures: keep the pictures in the file, as JPEG; those of the package never are. Then the kept
            JPEG is what is asked about. Without it, take the folder along beside the file.
        batch_size: how many questions at once; more is faster on a GPU until its memory is full.
        progress: show a progress bar.

    Returns:
        The record, as `load` gives it.

    Raises:
        InputError: there is no picture, the file cannot be written, or it holds something else.
    """
    needs_model(florence, "Recording")
    path = Path(os.path.expanduser(out))
    found, said = check(pictures, path)
    asker = _Recorder(florence, _begun(florence, path, found), path, batch_size)
    said += asker.ask_all(found, with_pictures, progress)
    print(*said, sep="\n", end="\n" if said else "")
    if not asker.record.answers:
        raise InputError(f"No picture could be asked about, so {shown(path)} holds no answer.")
    return RecordedFlorence(asker.record, path)


def check(pictures: Any, path: Path) -> tuple[list[Source], list[str]]:
    """Looks at all that can fail before a model is loaded; returns `sources`.

    Raises:
        InputError: there are no pictures, or ``path`` is no place for a record.
    """
    found = sources(pictures, leave_out=path)
    if path.suffix.lower() != ".json":
        raise InputError(f"A record ends in .json, so that load knows it: {shown(path)}.json, for example.")
    if not path.exists():
        prove_writable(path)
        return found
    try:
        read_record(path)
    except InputError as error:
        raise InputError(
            f"{shown(path)} is there already, and no answers can be added to it: choose another file. {error}"
        ) from error
    return found


def _begun(florence: Florence, path: Path, found: Sequence[Source]) -> Record:
    """The record to go on with: that of the file, if it is of this checkpoint and of such pictures; or a new
    one.
    """
    checkpoint = _checkpoint(florence)
    if not path.exists():
        return Record([checkpoint], made=datetime.date.today().isoformat(), made_with=_versions())
    record = read_record(path)
    if record.checkpoints != [checkpoint]:
        raise InputError(
            f"{shown(path)} holds answers of {_described(record.checkpoints)}, and this is"
            f" {_described([checkpoint])}: choose another file."
        )
    if record.pictures and not {*record.pictures} & {source.name for source in found}:
        raise InputError(
            f"{shown(path)} holds answers about other pictures ({shown(', '.join(record.pictures), 80)}):"
            " choose another file."
        )
    return record


def _checkpoint(florence: Florence) -> RecordedCheckpoint:
    """Who answers. Of a folder on this machine only the last part of its path is told."""
    name, folder = str(florence.name), florence.folder
    try:
        repository = "" if name == "mini" or Path(name).is_dir() else hub_id(name)
    except CheckpointError:
        repository = ""
    is_snapshot = folder is not None and folder.parent.name == "snapshots"
    return RecordedCheckpoint(
        name if name in CHECKPOINTS or repository else Path(name).name,
        repository,
        folder.name if folder is not None and is_snapshot else "",
        str(florence.dtype).removeprefix("torch."),
        florence.native_model.config.text_config.max_position_embeddings,
    )


def _described(checkpoints: Sequence[RecordedCheckpoint]) -> str:
    words = [(one.name, one.revision and f"revision {one.revision[:12]}", one.dtype) for one in checkpoints]
    return " and ".join(" ".join(filter(None, word)) for word in words)


def _versions() -> dict[str, str]:
    found = {}
    for package in ("florence-nb", "transformers", "torch", "pillow"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # a clone that was not installed
            continue
    return found


class _Recorder:
    """Asks, and writes the file after every batch."""

    def __init__(self, florence: Florence, record: Record, path: Path, batch_size: int) -> None:
        self.florence, self.record, self.path, self.batch_size = florence, record, path, batch_size
        self.known = record.prompts()
        self.failed: list[str] = []

    def ask_all(self, found: Sequence[Source], keep: bool, progress: bool) -> list[str]:
        """Sentences on what could not be opened or answered."""
        from tqdm.auto import tqdm

        said = []
        with tqdm(total=EXPECTED * len(found), disable=not progress, unit="answer") as self.bar:
            for source in found:
                self.bar.set_description(source.name[:20], refresh=False)
                try:
                    image, row = source.open(keep)
                except InputError as error:
                    said.append(f"{source.name} was left out: {error}")
                    self.bar.total -= EXPECTED
                    continue
                self._add(row)
                self._ask_about(image, row.name)
            self.bar.refresh()
        return said + self._told()

    def _told(self) -> list[str]:
        if not self.failed:
            return []
        return [f"{len(self.failed)} got no answer, such as {self.failed[0]} Call again to ask again."]

    def _add(self, row: RecordedPicture) -> None:
        kept = self.record.pictures.setdefault(row.name, row)
        if kept.key != row.key:
            raise InputError(
                f"{row.name} is not the picture of this name in {shown(self.path)} any more: give it another"
                " name, or choose another file."
            )

    def _ask_about(self, image: Image.Image, name: str) -> None:
        self._ask(image, name, FIRST)
        answers = [self.known.get((name, build_prompt(*question, image.size))) for question in FIRST]
        read = {row.task: row.replayed(image.size) for row in answers if row}
        more = [question for question in follow_ups(read, image.size) if _fits(question, image.size)]
        self.bar.total += len(FIRST) + len(more) - EXPECTED
        self._ask(image, name, more)

    def _ask(self, image: Image.Image, name: str, questions: Sequence[Question]) -> None:
        """What the record does not know yet."""
        new = [one for one in questions if (name, build_prompt(*one, image.size)) not in self.known]
        self.bar.update(len(questions) - len(new))
        for start in range(0, len(new), self.batch_size):
            batch = new[start : start + self.batch_size]
            requests = [(task, image, text_input) for task, text_input in batch]
            answers = self.florence.run_many(requests, batch_size=self.batch_size, progress=False)
            for question, answer in zip(batch, answers, strict=True):
                self._keep(name, question, answer)
            write_record(self.record, self.path)
            self.bar.update(len(batch))

    def _keep(self, name: str, question: Question, answer: Answer | Exception) -> None:
        if not isinstance(answer, Answer):
            self.failed.append(f"{question[0]} about {name} ({type(answer).__name__}: {answer})")
            return
        row = _row(answer, name, self.record.checkpoints[0].name)
        self.record.answers.append(row)
        self.known[name, build_prompt(*question, answer.image_size)] = row


def _row(answer: Answer, picture: str, checkpoint: str) -> RecordedAnswer:
    plain = answer.to_dict()
    scores = None if answer.scores is None else [round(float(score), 6) for score in answer.scores]
    return RecordedAnswer(
        picture,
        answer.task,
        answer.raw,
        not answer.truncated,
        plain["text_input"],
        checkpoint,
        scores,
        plain["token_ids"],
        plain["settings"],
    )


def _fits(question: Question, size: tuple[int, int]) -> bool:
    """Whether it can be asked at all: a label may hold what no phrase may."""
    try:
        build_prompt(*question, size)
    except InputError:
        return False
    return True
