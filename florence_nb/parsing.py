"""From the raw string of the model to a typed `Answer`. The only parser of the package; it needs no model.

A raw answer is a row of words and special tokens. The grammar that all 15 tasks share::

    answer  = { piece }
    piece   = [ words ] { <loc_n> | <sep> | <poly> | </poly> }

The task then says how many locations make a region: 4 a box, 8 a quad, pairs a polygon. The layout of
``Answer.parsed`` and the rules are those of ``Florence2Processor.post_process_generation`` in transformers 5,
less its faults: ``tests/test_mends.py`` names each. Lessons 03 and 05 to 09 read raw answers by eye.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .answers import Answer
from .errors import InputError
from .locations import BINS, LOC, centres, check_size
from .tasks import SPECIAL_TOKENS, Task, get_task

# Words that phrase grounding never answers with a box: the processor files of the published checkpoints list
# them.
NEVER_GROUNDED = frozenset(
    "it I me mine you your yours he him his she her hers they them their theirs one oneself we us our "
    "ours its myself yourself himself herself itself ourselves yourselves themselves this that these "
    "those who whom whose which what all another any anybody anyone anything each everybody everyone "
    "everything few many nobody none several some somebody someone something image images the a an "
    "lots".split()
) | {"each other", "one another", "the image", "a group", "other objects", "a set"}

_STRUCTURE = {"<sep>", "<poly>", "</poly>", "<and>"}
_IGNORED = SPECIAL_TOKENS - _STRUCTURE
_TOKEN = re.compile(f"(<loc_[0-9]{{1,4}}>|{'|'.join(re.escape(token) for token in sorted(SPECIAL_TOKENS))})")

_Span = tuple[int, int]


@dataclass
class _Piece:
    """Words and the locations that follow them, split into runs at <sep>, <poly> and </poly>."""

    words: str
    runs: list[_Run] = field(default_factory=list)

    @property
    def label(self) -> str:
        return self.words.strip()


@dataclass
class _Run:
    """Locations in a row. ``start`` counts all location tokens before it; ``shape`` is the <poly> it is a
    part of, 0 for none.
    """

    start: int
    shape: int
    bins: list[int] = field(default_factory=list)


class _Notes:
    """Collects what could not be used: one sentence per kind of trouble, however often it happens."""

    def __init__(self) -> None:
        self._labels: dict[str, list[str]] = {}

    def add(self, trouble: str, label: str) -> None:
        self._labels.setdefault(trouble, []).append(label)

    def sentences(self) -> list[str]:
        return [f"{trouble}: {_some(labels)}." for trouble, labels in self._labels.items()]


def _some(labels: list[str]) -> str:
    shown = [
        repr(label if len(label) <= 40 else label[:39] + "…") if label else "no words"
        for label in dict.fromkeys(labels)
    ]
    return ", ".join(shown[:3]) + (f" and {len(shown) - 3} more" if len(shown) > 3 else "")


def parse(
    raw: str,
    task_prompt: str,
    image_size: tuple[int, int],
    *,
    ended: bool | None = None,
    location_scores: Sequence[float] | np.ndarray | None = None,
) -> Answer:
    """The typed answer in a raw string.

    Args:
        raw: decoded with the special tokens kept (``skip_special_tokens=False``), as in ``answer.raw``.
        task_prompt: one of the 15 task prompts.
        image_size: ``(width, height)`` in pixels.
        ended: whether the model ended by its own choice. None: look for ``</s>`` at the end. (At its length
            limit `generate` may write a ``</s>`` that the model did not choose, so `Florence.run_example`
            passes what it knows.)
        location_scores: one log-probability per ``<loc_…>`` token, in order of appearance.

    Returns:
        An `Answer`. Locations become the centres of their bins. What cannot be used is left out and told in
        ``notes``.

    Raises:
        InputError: an unknown task, a raw answer that is no string, an impossible image size, or a wrong
            number of scores.
    """
    task = get_task(task_prompt)
    if not isinstance(raw, str):
        raise InputError(f"A raw answer is a string (one of batch_decode's list), not {type(raw).__name__}.")
    size, pieces, notes = check_size(image_size), _pieces(raw), _Notes()
    scores = _checked_scores(location_scores, pieces)
    truncated = not ended if ended is not None else not raw.replace("<pad>", "").rstrip().endswith("</s>")
    read = _READERS[task.gives](task, pieces, size, notes)
    kinds = (read.boxes, read.quads, read.polygons)
    return Answer(
        task=task.prompt,
        raw=raw,
        parsed={task.prompt: read.parsed},
        image_size=size,
        text=read.text,
        boxes=np.array(read.boxes.flat(), dtype=np.float32).reshape(-1, 4),
        quads=np.array(read.quads.flat(), dtype=np.float32).reshape(-1, 4, 2),
        polygons=read.polygons.as_parts(),
        labels=[label for found in kinds for label in found.labels],
        scores=None if scores is None or task.gives == "text" else _confidence(scores, kinds),
        truncated=truncated,
        notes=tuple(([_CUT] if truncated else []) + notes.sentences()),
    )


_CUT = "The answer was cut before its end, so the last piece may be missing: raise max_new_tokens."
_NO_PLACE = "Words without a place were left out (was the answer decoded with skip_special_tokens=True?)"
_INCOMPLETE = "Locations that make no whole region were left out, after"
_BEYOND = "Locations past <loc_999> were read as <loc_999>, after"
_PRONOUN = "Florence-2 gives no box for words such as"


def _pieces(text: str) -> list[_Piece]:
    """Cuts the text into pieces: new words, or <and>, begin a new one."""
    pieces = [_Piece("")]
    shape = shapes = seen = 0
    fresh = True
    for token in _TOKEN.split(text):
        piece = pieces[-1]
        if token in _IGNORED:
            continue
        if number := LOC.fullmatch(token):
            if fresh or not piece.runs:
                piece.runs.append(_Run(seen, shape))
            piece.runs[-1].bins.append(int(number[1]))
            seen, fresh = seen + 1, False
        elif token in ("<poly>", "</poly>"):
            shapes += token == "<poly>"
            shape, fresh = (shapes if token == "<poly>" else 0), True
        elif token == "<sep>":
            fresh = True
        elif token == "<and>" or (token.strip() and piece.runs):
            pieces.append(_Piece("" if token == "<and>" else token))
            shape, fresh = 0, True
        elif not piece.runs:
            piece.words += token
    return pieces


def _checked_scores(
    location_scores: Sequence[float] | np.ndarray | None, pieces: list[_Piece]
) -> np.ndarray | None:
    if location_scores is None:
        return None
    scores = np.asarray(location_scores, dtype=np.float64).ravel()
    count = sum(len(run.bins) for piece in pieces for run in piece.runs)
    if len(scores) != count:
        raise InputError(
            f"location_scores needs one value per <loc_…> token: the answer has {count}, not {len(scores)}."
        )
    return scores


def _confidence(scores: np.ndarray, kinds: Sequence[_Found]) -> np.ndarray:
    """exp of the mean log-probability of each region's location tokens, as in Microsoft's own code; float64
    (n,).
    """
    spans = [parts for found in kinds for parts in found.spans]
    means = [np.mean(np.concatenate([scores[start:stop] for start, stop in parts])) for parts in spans]
    return np.exp(np.asarray(means, dtype=np.float64))


def _bins(piece: _Piece, run: _Run, notes: _Notes) -> list[int]:
    if max(run.bins) >= BINS:
        notes.add(_BEYOND, piece.label)
    return [min(b, BINS - 1) for b in run.bins]


def _groups(piece: _Piece, run: _Run, size: int, notes: _Notes) -> Iterator[tuple[list[int], _Span]]:
    """Whole groups of ``size`` locations, each with the span of its tokens; a rest is noted."""
    bins = _bins(piece, run, notes)
    whole = len(bins) - len(bins) % size
    if whole < len(bins):
        notes.add(_INCOMPLETE, piece.label)
    for i in range(0, whole, size):
        yield bins[i : i + size], (run.start + i, run.start + i + size)


@dataclass
class _Found:
    """Regions of one kind: their labels, pixels (one flat list a part) and token spans (one a part)."""

    labels: list[str] = field(default_factory=list)
    pixels: list[list[list[float]]] = field(default_factory=list)
    spans: list[list[_Span]] = field(default_factory=list)

    def add(self, label: str, pixels: list[list[float]], spans: list[_Span]) -> None:
        self.labels.append(label)
        self.pixels.append(pixels)
        self.spans.append(spans)

    def flat(self) -> list[list[float]]:
        return [parts[0] for parts in self.pixels]

    def as_parts(self) -> list[list[np.ndarray]]:
        return [[np.array(part, dtype=np.float32).reshape(-1, 2) for part in parts] for parts in self.pixels]


@dataclass
class _Read:
    """What a reader found: the processor's dictionary, the text, and the regions of each kind."""

    parsed: Any
    text: str
    boxes: _Found = field(default_factory=_Found)
    quads: _Found = field(default_factory=_Found)
    polygons: _Found = field(default_factory=_Found)


def _placed(pieces: list[_Piece], notes: _Notes) -> Iterator[_Piece]:
    for piece in pieces:
        if piece.runs:
            yield piece
        elif piece.label:
            notes.add(_NO_PLACE, piece.label)


def _ordered(box: list[float]) -> list[float]:
    x1, y1, x2, y2 = box
    return [min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)]


def _boxes(pieces: list[_Piece], image_size: tuple[int, int], notes: _Notes) -> _Found:
    found = _Found()
    for piece in pieces:
        for run in piece.runs:
            for bins, span in _groups(piece, run, 4, notes):
                found.add(piece.label, [_ordered(centres(bins, image_size).tolist())], [span])
    return found


def _polygons(pieces: list[_Piece], image_size: tuple[int, int], notes: _Notes) -> _Found:
    found = _Found()
    for piece in pieces:
        for shape in dict.fromkeys(run.shape for run in piece.runs):
            outlines = [_polygon(piece, run, image_size, notes) for run in piece.runs if run.shape == shape]
            parts = [outline for outline in outlines if outline]
            if parts:
                found.add(piece.label, [pixels for pixels, _ in parts], [span for _, span in parts])
    return found


def _polygon(
    piece: _Piece, run: _Run, image_size: tuple[int, int], notes: _Notes
) -> tuple[list[float], _Span] | None:
    even = len(run.bins) - len(run.bins) % 2
    if even < len(run.bins) or even < 6:
        notes.add(_INCOMPLETE, piece.label)
    if even < 6:
        return None
    return centres(_bins(piece, run, notes)[:even], image_size).tolist(), (run.start, run.start + even)


def _read_boxes(task: Task, pieces: list[_Piece], size: tuple[int, int], notes: _Notes) -> _Read:
    placed = list(_placed(pieces, notes))
    if task.prompt == "<CAPTION_TO_PHRASE_GROUNDING>":
        placed = [piece for piece in placed if not _never_grounded(piece, notes)]
    found = _boxes(placed, size, notes)
    parsed = {"bboxes": found.flat(), "labels": list(found.labels)}
    return _Read(parsed, _counted(found.labels, "region"), boxes=found)


def _never_grounded(piece: _Piece, notes: _Notes) -> bool:
    if piece.label not in NEVER_GROUNDED:
        return False
    notes.add(_PRONOUN, piece.label)
    return True


def _read_quads(task: Task, pieces: list[_Piece], size: tuple[int, int], notes: _Notes) -> _Read:
    found = _Found()
    placed = list(_placed(pieces, notes))
    for piece in placed:
        for run in piece.runs:
            for bins, span in _groups(piece, run, 8, notes):
                found.add(piece.label, [centres(bins, size).tolist()], [span])
    parsed = {"quad_boxes": found.flat(), "labels": list(found.labels)}
    text = " ".join(piece.label for piece in placed if piece.label in found.labels and piece.label)
    return _Read(parsed, text, quads=found)


def _read_polygons(task: Task, pieces: list[_Piece], size: tuple[int, int], notes: _Notes) -> _Read:
    found = _polygons(list(_placed(pieces, notes)), size, notes)
    parsed = {"polygons": found.pixels, "labels": list(found.labels)}
    return _Read(parsed, _counted(found.labels, "mask"), polygons=found)


def _read_either(task: Task, pieces: list[_Piece], size: tuple[int, int], notes: _Notes) -> _Read:
    """Locations within <poly> … </poly> are polygons, all others boxes; one answer may hold both."""
    placed = list(_placed(pieces, notes))
    boxes = _boxes(_with_runs(placed, lambda run: not run.shape), size, notes)
    polygons = _polygons(_with_runs(placed, lambda run: run.shape > 0), size, notes)
    parsed = {
        "bboxes": boxes.flat(),
        "bboxes_labels": list(boxes.labels),
        "polygons": polygons.pixels,
        "polygons_labels": list(polygons.labels),
    }
    return _Read(parsed, _counted(boxes.labels + polygons.labels, "region"), boxes=boxes, polygons=polygons)


def _read_text(task: Task, pieces: list[_Piece], size: tuple[int, int], notes: _Notes) -> _Read:
    """Words only: the locations that region answers repeat are left out."""
    text = " ".join(piece.label for piece in pieces if piece.label)
    return _Read(text, text)


_READERS: dict[str, Callable[[Task, list[_Piece], tuple[int, int], _Notes], _Read]] = {
    "text": _read_text,
    "boxes": _read_boxes,
    "quads": _read_quads,
    "polygons": _read_polygons,
    "boxes or polygons": _read_either,
}


def _with_runs(pieces: list[_Piece], wanted: Callable[[_Run], bool]) -> list[_Piece]:
    return [_Piece(piece.words, [run for run in piece.runs if wanted(run)]) for piece in pieces]


def _counted(labels: list[str], nameless: str) -> str:
    """``"car, 2 × wheel"``: each label once, in order of appearance."""
    names = [label or nameless for label in labels]
    return ", ".join(
        name if names.count(name) == 1 else f"{names.count(name)} × {name}" for name in dict.fromkeys(names)
    )
