"""The file of a record: plain JSON that a person can read, each picture and each answer on a line of its own.

A name of a field that this version does not know is passed over, so that a file may hold more.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ..answers import Answer
from ..errors import InputError, first_line
from ..images import MAX_PIXELS
from ..kit.whole_file import write_whole
from ..parsing import parse
from ..tasks import build_prompt, get_task
from ..web import shown

FORMAT, VERSION = "florence-nb record", 1
_ABOUT = 'What a Florence-2 answered. In Python: florence_nb.load("this file")'


@dataclass(frozen=True)
class RecordedCheckpoint:
    """Who answered.

    Attributes:
        name: what `load` was asked for. hub_id, revision: where it is on the hub, and its commit; "" if
            unknown.
        dtype: the number format of the weights.
        positions: what the decoder has room for, in tokens.
        source: where answers that somebody else recorded were published.
    """

    name: str
    hub_id: str = ""
    revision: str = ""
    dtype: str = ""
    positions: int = 1024
    source: str = ""


@dataclass(frozen=True)
class RecordedPicture:
    """What was asked about.

    Attributes:
        name: its sample's name or its file's. size: ``(width, height)``.
        key: digest of the pixels (`engine.feature_cache.picture_key`); "" where nobody wrote it down.
        look: 8 x 8 pixels of it in base64, by which a changed copy is recognised.
        folder: the last part of the folder that the file was in; "" for a sample.
        title: a line about it. jpeg: the picture itself in base64, if it is kept.
    """

    name: str
    size: tuple[int, int]
    key: str = ""
    look: str = ""
    folder: str = ""
    title: str = ""
    jpeg: str = ""


@dataclass(frozen=True)
class RecordedAnswer:
    """What was answered; the fields are those of `Answer`. ``picture`` and ``checkpoint`` are names; a region
    in ``text_input`` is in pixels.
    """

    picture: str
    task: str
    raw: str
    ended: bool
    text_input: Any = None
    checkpoint: str = ""
    scores: Sequence[float] | None = None
    token_ids: Sequence[int] | None = None
    settings: dict[str, Any] = field(default_factory=dict)

    def replayed(self, size: tuple[int, int]) -> Answer:
        """The answer, parsed anew from its raw string, without picture and model."""
        answer = parse(self.raw, self.task, size, ended=self.ended)
        answer.text_input, answer.settings = self.text_input, dict(self.settings)
        answer.token_ids = None if self.token_ids is None else tuple(self.token_ids)
        if self.scores is not None and len(self.scores) == len(answer.labels):
            answer.scores = np.asarray(self.scores, dtype=np.float64)
        return answer


@dataclass
class Record:
    """All that the file holds."""

    checkpoints: list[RecordedCheckpoint]
    pictures: dict[str, RecordedPicture] = field(default_factory=dict)
    answers: list[RecordedAnswer] = field(default_factory=list)
    made: str = ""
    made_with: dict[str, str] = field(default_factory=dict)

    def prompts(self, checkpoint: str | None = None) -> dict[tuple[str, str], RecordedAnswer]:
        """Answers by picture and prompt, of one checkpoint or of all, the first one first. A region counts by
        its location tokens: the model saw no more of it.
        """
        ranks = {row.name: rank for rank, row in enumerate(self.checkpoints)}
        chosen = [row for row in self.answers if checkpoint in (None, row.checkpoint)]
        found: dict[tuple[str, str], RecordedAnswer] = {}
        for row in sorted(chosen, key=lambda row: ranks[row.checkpoint]):
            size = self.pictures[row.picture].size
            found.setdefault((row.picture, build_prompt(row.task, row.text_input, size)), row)
        return found


# ---- writing


def write_record(record: Record, path: Path) -> None:
    """Writes the whole file beside its place and then moves it there: whoever stops it leaves a whole record.

    Raises:
        InputError: the disk is full, or there are no rights.
    """
    with _in_our_words(path):
        write_whole(path, _text(record).encode("utf-8", "replace"))


def prove_writable(path: Path) -> None:
    """Whether a file can be made there, without making it.

    Raises:
        InputError: it cannot.
    """
    part = path.with_name(path.name + ".part")
    with _in_our_words(path):
        part.touch()
        part.unlink()


@contextmanager
def _in_our_words(path: Path) -> Iterator[None]:
    """Makes the folder of ``path``, and an `InputError` of what the disk says."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise InputError(
            f"{shown(path)} cannot be written ({error.strerror or type(error).__name__}): free some space,"
            " mend its rights or choose another file; what it holds stays, and the next run goes on from it."
        ) from error


def _text(record: Record) -> str:
    head = {"format": FORMAT, "version": VERSION, "about": _ABOUT}
    head |= {"made": record.made, "made_with": record.made_with}
    parts = [f"{_json(name)}: {_json(value)}" for name, value in head.items()]
    lists = {"checkpoints": record.checkpoints, "pictures": record.pictures.values()}
    for name, rows in {**lists, "answers": record.answers}.items():
        parts.append(f"{_json(name)}: [\n" + ",\n".join(_json(_short(row)) for row in rows) + "\n]")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _short(row: Any) -> dict[str, Any]:
    """The fields of a row that say something."""
    return {name: value for name, value in vars(row).items() if value not in ("", None)}


# ---- reading


def read_record(path: Path) -> Record:
    """The record in a file.

    Raises:
        InputError: there is no such file, it cannot be read, is no record, is damaged, or was written by a
            newer version.
    """
    name, plain = shown(path), _plain(path)
    if not isinstance(plain, dict) or plain.get("format") != FORMAT:
        raise InputError(
            f"{name} is no record of florence-nb: give a file that `florence-nb record` wrote, or the folder"
            " of a checkpoint."
        )
    if plain.get("version") != VERSION:
        raise InputError(
            f"{name} is a record of format {shown(plain.get('version'), 20)}, and this florence-nb reads"
            f" format {VERSION}: take the florence-nb that wrote it"
            f" ({shown(dict(plain.get('made_with') or {}).get('florence-nb', 'a newer one'), 20)})."
        )
    try:
        return _record(plain)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{name} is a damaged record ({shown(first_line(error), 100)}): copy it again, or record anew."
        ) from error


def _plain(path: Path) -> Any:
    name = shown(path)
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise InputError(
            f"There is no record {name} here: check the path, or make one with"
            f" `florence-nb record large --out {shown(path.name, 60)}` where the weights are."
        ) from error
    except OSError as error:
        raise InputError(
            f"{name} cannot be read ({error.strerror or type(error).__name__}): check the path and your"
            " rights to it."
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{name} is no record, or is cut off or damaged ({shown(first_line(error), 80)}): copy it again."
        ) from error


def _record(plain: dict[str, Any]) -> Record:
    pictures = [_picture(row) for row in plain["pictures"]]
    record = Record(
        [_row(RecordedCheckpoint, row) for row in plain["checkpoints"]],
        {picture.name: picture for picture in pictures},
        [_row(RecordedAnswer, row) for row in plain["answers"]],
        str(plain.get("made", "")),
        dict(plain.get("made_with") or {}),
    )
    for row in record.answers:
        get_task(row.task)
        if not (isinstance(row.raw, str) and isinstance(row.ended, bool) and isinstance(row.settings, dict)):
            raise ValueError("an answer without its text")
    record.prompts()  # every answer has its picture, and its checkpoint
    return record


def _picture(row: dict[str, Any]) -> RecordedPicture:
    width, height = (int(side) for side in row["size"])
    if not (width > 0 and height > 0 and width * height <= MAX_PIXELS):
        raise ValueError(f"a picture of {width} x {height} pixels")
    return _row(RecordedPicture, {**row, "size": (width, height)})


_Row = TypeVar("_Row")


def _row(kind: type[_Row], row: dict[str, Any]) -> _Row:
    names = {one.name for one in dataclasses.fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in row.items() if name in names})
