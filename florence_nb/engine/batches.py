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
    keys = [_request_key(florence.name, request, settings) for request in requests] if out else []
    results: dict[int, Answer | Exception] = _read(out, keys) if out else {}
    waiting = [index for index in range(len(requests)) if index not in results]
    with tqdm(total=len(requests), initial=len(results), disable=not progress, unit="answer") as bar:
        for batch in _batches(waiting, batch_size):
            new = _run_batch(florence, {index: requests[index] for index in batch}, settings)
            if out:
                _append(out, new, keys)
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
    checked = {index: _question(florence, request) for index, request in requests.items()}
    good = {index: question for index, question in checked.items() if not isinstance(question, Exception)}
    answers = florence.answer_batch(list(good.values()), settings) if good else []
    failed = {index: error for index, error in checked.items() if isinstance(error, Exception)}
    return {**dict(zip(good, answers, strict=True)), **failed}


def _question(florence: Model, request: Any) -> PreparedRequest | Exception:
    try:
        if not isinstance(request, (tuple, list)) or len(request) not in (2, 3):
            raise InputError(f"A request is (task, image) or (task, image, text), not {str(request)[:80]!r}.")
        return florence.prepare(*request)
    except (ValueError, OSError) as error:
        return error


def _append(out: Path, answers: dict[int, Answer | Exception], keys: list[str]) -> None:
    """Writes one line per answer, so that a run that is killed leaves whole lines and at most one broken one,
    the last.
    """
    with out.open("a", encoding="utf-8") as file:
        for index, answer in answers.items():
            line: dict[str, Any] = {"index": index, "request": keys[index]}
            if isinstance(answer, Answer):
                # The file is for jobs that are too long to keep every picture in memory.
                answer.image = None
                line["answer"] = answer.to_dict()
            else:
                line["error"] = str(answer)
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _read(out: Path, keys: list[str]) -> dict[int, Answer | Exception]:
    """The answers that an earlier run left; a last line without its end is cut off."""
    if not out.exists():
        return {}
    data = out.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.truncate(out, whole)
    found: dict[int, Answer | Exception] = {}
    # Not splitlines: an answer may hold U+2028 and its like, which JSON leaves as they are.
    for number, text in enumerate(data[:whole].decode("utf-8").split("\n")[:-1], start=1):
        try:
            line = json.loads(text)
            index, key = line["index"], line["request"]
        except (ValueError, KeyError, TypeError):
            raise InputError(
                f"Line {number} of {out} is no answer of run_many: choose another file."
            ) from None
        if index >= len(keys) or keys[index] != key:
            raise InputError(
                f"{out} holds answers to other requests, or with other settings (line {number}): choose"
                " another file, or delete it."
            )
        found[index] = _restored(line["answer"]) if "answer" in line else InputError(line["error"])
    return found


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
