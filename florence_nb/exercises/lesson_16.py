"""Checks of lesson 16: graphs that run elsewhere."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from ..answers import Answer
from ..checkpoints import MINI_FOLDER
from ..tasks import TASKS
from .numbers import also_rounded, check_number
from .pictures import same_picture
from .refusals import NotYet, WrongForm
from .registry import checks
from .values import answer_of, array_of, kind_of, number_of, pair_of
from .words import counted

_PICTURE, _WIDTH = 145, 192
"""Image tokens of mini, and numbers for each token."""
_ALIKE = 0.99
"""So much the vectors of a graph and of the checkpoint have in common at least, also in int8."""
_BITS, _SPEED = 231_000_000 * 2 * 30 * 8, 100_000_000
_WAYS = ("torch", "onnx", "page")


@checks("16.1")
def encoder_input(answer: Any) -> str:
    row = _row(answer)
    words = _words("<OD>")  # (prompt tokens, width)
    shape, whole = row.shape[1], _PICTURE + len(words)
    sentences = {
        _PICTURE: "this is the picture alone: the words of the prompt are missing.",
        len(words): "these are the words alone: the picture is missing, and it comes first.",
        whole - 2: "two tokens are missing: ids has <s> in front and </s> at the end, and both belong to it.",
    }
    if shape != whole:
        raise NotYet(sentences.get(shape, f"the row has {shape} tokens: {whole} are wanted."))
    if _alike(row[0, : len(words)], words):
        raise NotYet("the words come first in your row: the encoder wants the picture first.")
    if not _alike(row[0, _PICTURE:], words):
        raise NotYet("behind the picture stand other words than those of the prompt of <OD>: take ids.")
    if row[0, :_PICTURE].std() < 1e-3:
        raise NotYet(
            "in front of the words stands no picture, but numbers that are all the same: take features."
        )
    return f"{_PICTURE} tokens of the picture and {len(words)} of the prompt, {_WIDTH} numbers each."


@checks("16.2")
def thirty_people(answer: Any) -> str:
    minutes = _BITS / _SPEED / 60
    slips: dict[float, str] = {
        minutes / 8: "a byte has 8 bits, and the network's speed is told in bits.",
        minutes / 30: "this is for one person: thirty share the network.",
        minutes * 60: "these are seconds: a minute has 60.",
        minutes / 60: "these are hours: give minutes.",
        minutes * 2: "this is float32, 4 bytes for each parameter: here they take 2.",
        minutes / 2: "this is 1 byte for each parameter, int8: float16 takes 2.",
        minutes * 8: "eight times too many: a byte has 8 bits, once.",
        462: "these are the megabytes for one person: how long does the network take for all?",
        462 * 30: "these are the megabytes for all: how long does the network take?",
    }
    if abs(number_of(answer) - minutes) > 0.5:
        check_number(answer, minutes, slips=also_rounded(slips))
    return f"{minutes:.1f} minutes, if nothing else is sent."


@checks("16.3")
def another_answer(answer: Any) -> str:
    exact, small = map(answer_of, pair_of(answer, "the answer of florence and that of small"))
    if exact.task != small.task:
        raise NotYet(f"these are two questions, {exact.task} and {small.task}: ask both the same one.")
    if exact.image is None or small.image is None:
        raise NotYet("an answer has no picture, so I cannot compare: take what run_example gave.")
    if not same_picture(exact.image, small.image):
        raise NotYet("the two answers are about different pictures: ask both about the same one.")
    if str(exact.text_input) != str(small.text_input):
        raise NotYet(f"the words asked for differ: {exact.text_input!r} and {small.text_input!r}.")
    for one in (exact, small):
        if (beams := one.settings.get("num_beams", 1)) != 1:
            raise NotYet(
                f"one answer was searched with {counted(beams, 'beam')}: with num_beams=1 it is greedy."
            )
    if exact.raw == small.raw:
        raise NotYet(
            f"both wrote the same {_length(exact)}: try another picture, or a task with longer answers."
        )
    return f"they part at {_parting(exact.raw, small.raw)}: {_things(exact)} and {_things(small)}."


@checks("16.4")
def ways_out(answer: Any) -> str:
    if not isinstance(answer, Mapping):
        raise WrongForm(f'a dictionary is wanted, such as {{"phones": "onnx"}}; this is {kind_of(answer)}.')
    for job, reasons in _REASONS.items():
        if job not in answer:
            raise NotYet(f"the job {job!r} is missing: {', '.join(_REASONS)} are wanted.")
        way = answer[job]
        if not isinstance(way, str) or way.strip().lower() not in _WAYS:
            raise NotYet(f"for {job!r} choose one of {', '.join(map(repr, _WAYS))}.")
        if reason := reasons.get(way.strip().lower()):
            raise NotYet(f"{job}: {reason}")
    return "torch to learn and to search, graphs for servers and apps, the page for phones."


_NOT_HERE = {
    "torch": "torch is about 1 GB; graphs and their runtime take a tenth.",
    "page": "the page is made for a browser and for models as small as mini.",
}
_REASONS: dict[str, dict[str, str]] = {
    "phones": {
        "torch": "there is no torch for a phone's browser.",
        "onnx": "graphs alone do not open on a phone: a page and a runtime around them are yours to write.",
    },
    "server": _NOT_HERE,
    "app": {
        "torch": "C# would have to start Python; onnxruntime has a package for C#.",
        "page": "the page lives in a browser; a program wants to call the model itself.",
    },
    "training": {
        "onnx": "a graph is finished: it computes, and does not learn.",
        "page": "the page only answers; it does not learn.",
    },
    "beams": {
        "onnx": "these graphs come with a greedy runner: beams and sampling would be yours to write.",
        "page": "the page searches greedily, with one beam.",
    },
}
"""By job: why a way is not the best one."""


def _row(answer: Any) -> np.ndarray:
    """float32 (1, tokens, 192)."""
    row = array_of(answer, "an array of numbers is wanted").astype(np.float32)
    if row.ndim == 2 and row.shape[-1] == _WIDTH:
        raise NotYet(
            "the first axis is missing: graphs take a batch, here a batch of one, (1, tokens, width)."
        )
    if row.ndim == 2 and len(row) == 1:
        raise NotYet("these are ids: the graph elsewhere.embed turns each into a vector.")
    if row.ndim != 3 or row.shape[0] != 1:
        raise WrongForm(f"an array of the shape (1, tokens, {_WIDTH}) is wanted; this has {row.shape}.")
    if row.shape[2] != _WIDTH:
        raise NotYet(
            f"the last axis is {row.shape[2]}, and mini has {_WIDTH} numbers for each token: axis=1."
        )
    return row


@cache
def _words(task: str) -> np.ndarray:
    """The vectors of a prompt in mini's own table, float32 (prompt tokens, width); no torch is needed."""
    from safetensors import safe_open
    from tokenizers import Tokenizer

    sentence = TASKS[task].sentence
    ids = (
        Tokenizer.from_file(str(MINI_FOLDER / "tokenizer.json"))
        .encode(sentence, add_special_tokens=False)
        .ids
    )
    with safe_open(MINI_FOLDER / "model.safetensors", "np") as weights:
        table = weights.get_tensor("model.language_model.shared.weight")
    return table[[0, *ids, 2]].astype(np.float32)  # <s>, the sentence, </s>


def _alike(rows: np.ndarray, words: np.ndarray) -> bool:
    """Whether two arrays (tokens, width) are the same but for rounding: the cosine between them."""
    length = float(np.linalg.norm(rows) * np.linalg.norm(words))
    return bool(np.isfinite(length)) and length > 0 and float((rows * words).sum()) / length > _ALIKE


def _length(answer: Answer) -> str:
    return counted(len(answer.token_ids), "token") if answer.token_ids else "words"


def _parting(one: str, other: str) -> str:
    """The first tokens that differ, in words."""
    pieces = [raw.replace("<", " <").replace(">", "> ").split() for raw in (one, other)]
    place = next((i for i, (a, b) in enumerate(zip(*pieces)) if a != b), min(map(len, pieces)))
    first, second = (p[place] if place < len(p) else "the end" for p in pieces)
    return f"{first} and {second}"


def _things(answer: Answer) -> str:
    return counted(len(answer.labels), "place") if answer.regions else f"{answer.text[:60]!r}"
