"""Many requests in batches, with a file of answers that a stopped run can go on from."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image

from ..answers import Answer
from ..errors import InputError
from ..parsing import parse
from .feature_cache import picture_key
from .requests import PreparedRequest, Settings


class Model(Protocol):
    """What of `Florence` is used here."""

    name: str

    def prepare(self, task_prompt: str, image: Any, text_input: Any = None) -> PreparedRequest: ...

    def answer_batch(self, requests: Sequence[PreparedRequest], settings: Settings) -> list[Answer]: ...


def run_many(
    florence: Model,
    requests: Sequence[tuple],
    settings: Settings,
    batch_size: int,
    out: Path | None,
    progress: bool,
) -> list[Answer | Exception]:
    """See `Florence.run_many`."""
    from tqdm.auto import tqdm

    requests = list(requests)
    if batch_size < 1:
        raise InputError(f"batch_size is at least 1, not {batch_size}.")
    file = None if out is None else AnswerFile(out, _request_keys(florence.name, requests, settings))
    results: dict[int, Answer | Exception] = file.answers() if file else {}
    waiting = [index for index in range(len(requests)) if index not in results]
    with tqdm(total=len(requests), initial=len(results), disable=not progress, unit="answer") as bar:
        for batch in _batches(waiting, batch_size):
            new = _run_batch(florence, {index: requests[index] for index in batch}, settings)
            if file:
                file.append(new)
            results |= new
            bar.update(len(new))
    return [results[index] for index in range(len(requests))]


def _batches(waiting: list[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(waiting), size):
        yield waiting[start : start + size]


def _run_batch(
    florence: Model, requests: dict[int, tuple], settings: Settings
) -> dict[int, Answer | Exception]:
    """Each request's answer, or the error that it made."""
    prepared = {index: _prepared(florence, request) for index, request in requests.items()}
    good = {index: request for index, request in prepared.items() if isinstance(request, PreparedRequest)}
    failed = {index: error for index, error in prepared.items() if isinstance(error, Exception)}
    return {**_answered(florence, good, settings), **failed}


def _prepared(florence: Model, request: Any) -> PreparedRequest | Exception:
    try:
        if not isinstance(request, (tuple, list)) or len(request) not in (2, 3):
            raise InputError(f"A request is (task, image) or (task, image, text), not {str(request)[:80]!r}.")
        return florence.prepare(*request)
    except Exception as error:  # whatever it is, the other requests are answered
        return error


def _answered(
    florence: Model, good: dict[int, PreparedRequest], settings: Settings
) -> dict[int, Answer | Exception]:
    """The answers of one batch; if it fails, each request is asked alone, so that only the faulty one is
    lost.
    """
    if not good:
        return {}
    try:
        return dict(zip(good, florence.answer_batch(list(good.values()), settings), strict=True))
    except Exception as error:
        if len(good) == 1:
            return dict.fromkeys(good, error)
    alone = [_answered(florence, {index: request}, settings) for index, request in good.items()]
    return {index: answer for one in alone for index, answer in one.items()}


class AnswerFile:
    """The file of a long job: one JSON object a line, written as the answers come.

    An answer is known by its request, not by its place: pictures that are added, removed or sorted anew leave
    the others' answers usable. An error is written too, and asked again by the next run.

    Raises:
        InputError: the file cannot be written, or holds something else.
    """

    def __init__(self, path: Path, keys: list[str]) -> None:
        self.path, self.keys = path, keys
        self._errors: set[tuple[str, str]] = set()  # key and text of each that the file holds
        self._lines = self._read()
        self._prove_writable()

    def answers(self) -> dict[int, Answer | Exception]:
        """The answers of an earlier run by the index of their request. Of equal requests, each has its own
        line.
        """
        found: dict[int, Answer | Exception] = {}
        for index, key in enumerate(self.keys):
            if self._lines.get(key):
                found[index] = _restored(self._lines[key].pop(0))
        return found

    def append(self, answers: dict[int, Answer | Exception]) -> None:
        """Adds a line per answer with one write: a run that is killed leaves whole lines, and at most one
        broken at the end.
        """
        text = "".join(self._line(index, answer) for index, answer in answers.items())
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise InputError(f"{self.path} cannot be written ({_reason(error)}): {_GO_ON}.") from error

    def _line(self, index: int, answer: Answer | Exception) -> str:
        line: dict[str, Any] = {"index": index, "request": self.keys[index]}
        if isinstance(answer, Answer):
            # The file is for jobs that are too long to keep every picture in memory.
            answer.image = None
            line["answer"] = answer.to_dict()
        else:
            line["error"] = str(answer) or type(answer).__name__
            if (line["request"], line["error"]) in self._errors:
                return ""
        return json.dumps(line, ensure_ascii=False).encode("utf-8", "replace").decode() + "\n"

    def _prove_writable(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8"):
                pass
        except OSError as error:
            raise InputError(
                f"out={str(self.path)!r} cannot be written ({_reason(error)}): choose another file."
            ) from error

    def _read(self) -> dict[str, list[dict]]:
        """The answers of the file by the key of their request; a last line without its end is cut off."""
        if not self.path.is_file():
            return {}
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        lines = [self._parsed(n, text) for n, text in enumerate(data[:whole].split(b"\n")[:-1], start=1)]
        if lines and not {key for key, _ in lines} & {*self.keys}:
            raise InputError(
                f"{self.path} holds answers to other requests only, or with other settings: choose another"
                " file."
            )
        if whole < len(data):
            os.truncate(self.path, whole)
        found: dict[str, list[dict]] = {}
        for key, answer in lines:
            found.setdefault(key, []).extend([answer] if answer else [])
        return found

    def _parsed(self, number: int, text: bytes) -> tuple[str, dict | None]:
        try:
            line = json.loads(text)
            if "error" in line:
                self._errors.add((line["request"], line["error"]))
            return str(line["request"]), None if "error" in line else dict(line["answer"])
        except (ValueError, KeyError, TypeError):
            raise InputError(
                f"Line {number} of {self.path} was not written by run_many: choose another file."
            ) from None


_GO_ON = "free some space or mend its rights, and call again to go on where this run stopped"


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _request_keys(name: str, requests: Sequence[Any], settings: Settings) -> list[str]:
    """What each request is known by; one that cannot even be read has a key of its own, and its error comes
    later.
    """
    keys = []
    for index, request in enumerate(requests):
        try:
            keys.append(_request_key(name, request, settings))
        except Exception as error:
            keys.append(f"unreadable {index} {type(error).__name__}")
    return keys


def _restored(saved: dict[str, Any]) -> Answer:
    answer = parse(saved["raw"], saved["task"], tuple(saved["image_size"]), ended=not saved["truncated"])
    answer.text_input, answer.notes, answer.settings = (
        saved["text_input"],
        tuple(saved["notes"]),
        saved["settings"],
    )
    answer.scores = None if saved["scores"] is None else np.asarray(saved["scores"], dtype=np.float64)
    answer.token_ids = None if saved["token_ids"] is None else tuple(saved["token_ids"])
    return answer


def _request_key(name: str, request: Any, settings: Settings) -> str:
    """The same for the same checkpoint, request and settings, in every process. A path counts by its name,
    pixels by content.
    """
    parts = [_identity(part) for part in request] if isinstance(request, (tuple, list)) else [str(request)]
    text = json.dumps([name, parts, {key: str(value) for key, value in settings.to_dict().items()}])
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _identity(part: Any) -> Any:
    if isinstance(part, Image.Image):
        return picture_key(part)
    if isinstance(part, (bytes, bytearray)):
        return hashlib.blake2b(part, digest_size=16).hexdigest()
    if isinstance(part, np.ndarray) and part.ndim > 1:
        return [
            str(part.dtype),
            part.shape,
            hashlib.blake2b(np.ascontiguousarray(part).tobytes(), digest_size=16).hexdigest(),
        ]
    if isinstance(part, (list, tuple, np.ndarray)):
        return str(np.asarray(part, dtype=object).tolist())
    return None if part is None else str(part)
