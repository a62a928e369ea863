"""What comes back: one `Answer` for every task, with the raw string beside the typed result."""

from __future__ import annotations

import copy
import dataclasses
import json
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .tasks import TASKS

if TYPE_CHECKING:
    import supervision
    from PIL import Image

    from .interchange import Categories

_SHOWN = 12


def _no_boxes() -> np.ndarray:
    return np.zeros((0, 4), dtype=np.float32)


def _no_quads() -> np.ndarray:
    return np.zeros((0, 4, 2), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Region:
    """One region of an `Answer`.

    Attributes:
        kind: ``"box"``, ``"quad"`` (a line of text) or ``"polygon"`` (a mask).
        label: what the model called it; where it gave no name, the phrase that was asked for, else "".
        score: 0 to 1, or None if unknown.
        outlines: closed outlines in pixels of the image, float32 (k, 2) each, without the closing point. A
            box or quad has one of four points, clockwise from the top left; a mask one for each of its parts.
    """

    kind: Literal["box", "quad", "polygon"]
    label: str
    score: float | None
    outlines: list[np.ndarray]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """``(x1, y1, x2, y2)`` around all outlines, in pixels."""
        points = np.concatenate(self.outlines)
        x1, y1 = points.min(axis=0).tolist()
        x2, y2 = points.max(axis=0).tolist()
        return x1, y1, x2, y2


@dataclass(eq=False, repr=False)
class Answer:
    """The answer to one prompt. Every position is in pixels of the image, origin top left.

    Attributes:
        task: the task prompt, such as ``"<OD>"``.
        raw: the decoded string with all special tokens kept.
        parsed: ``{task: …}`` laid out as the processor of transformers does, with its faults mended: floats
            at bin centres, letters of every script, no ``<pad>``.
        image_size: ``(width, height)``.
        text: the caption, the text read, the category; for the other tasks a summary in one line, "" if
            nothing was found.
        boxes: float32 (n, 4), ``x1, y1, x2, y2``.
        quads: float32 (n, 4, 2), four corners, clockwise from the top left of the text.
        polygons: per object a list of parts, each float32 (k, 2).
        labels: one per region, in the order boxes, quads, polygons; "" where the model gave none.
        scores: float (number of labels,), 0 to 1: exp of the mean log-probability of the region's location
            tokens; None if unknown.
        truncated: the answer was cut before the model ended it.
        notes: sentences on what you should know: a cut answer, a piece that could not be used …
        text_input: what was asked for, as given.
        image: what `show` draws on, or None.
        token_ids: the generated ids, special ones too, or None.
        settings: the settings of generation; {} if it was parsed from a string.
        florence: the `Florence` that gave it, or None. It is held weakly, so that an answer keeps no model in
            memory; pickle leaves it out, and so do `to_dict` and ``dataclasses.asdict``.
    """

    task: str
    raw: str
    parsed: dict[str, Any]
    image_size: tuple[int, int]
    text: str = ""
    boxes: np.ndarray = field(default_factory=_no_boxes)
    labels: list[str] = field(default_factory=list)
    quads: np.ndarray = field(default_factory=_no_quads)
    polygons: list[list[np.ndarray]] = field(default_factory=list)
    scores: np.ndarray | None = None
    truncated: bool = False
    notes: tuple[str, ...] = ()
    text_input: Any = None
    image: Image.Image | None = None
    token_ids: tuple[int, ...] | None = None
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def florence(self) -> Any:
        """The `Florence` that gave it; None if none did, or if it is no longer in memory."""
        model = self.__dict__.get("_florence")
        return None if model is None else model()

    @florence.setter
    def florence(self, model: Any) -> None:
        self.__dict__["_florence"] = None if model is None else weakref.ref(model)

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the model: an answer that travels to another process carries no weights."""
        return {name: value for name, value in self.__dict__.items() if name != "_florence"}

    def __copy__(self) -> Answer:
        made = type(self).__new__(type(self))
        made.__dict__.update(self.__dict__)
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Answer:
        made = type(self).__new__(type(self))
        memo[id(self)] = made
        made.__dict__.update(copy.deepcopy(self.__dict__, memo))  # a weak reference stays the same one
        return made

    @property
    def regions(self) -> list[Region]:
        """Every box, quad and mask in the order of ``labels``."""
        boxes = [("box", [box_corners(box)]) for box in self.boxes]
        quads = [("quad", [quad]) for quad in self.quads]
        masks = [("polygon", list(parts)) for parts in self.polygons]
        labels = [*self.labels, *[""] * (len(boxes) + len(quads) + len(masks) - len(self.labels))]
        scores = [None] * len(labels) if self.scores is None else [float(score) for score in self.scores]
        asked = self.text_input if isinstance(self.text_input, str) and self._asks_for_a_phrase else ""
        return [
            Region(kind, label or ("" if kind == "box" else asked), score, outlines)  # type: ignore[arg-type]
            for (kind, outlines), label, score in zip([*boxes, *quads, *masks], labels, scores, strict=False)
        ]

    @property
    def _asks_for_a_phrase(self) -> bool:
        return TASKS[self.task].takes == "phrase"

    def to_dict(self) -> dict[str, Any]:
        """All but the picture and the model, ready for JSON: lists for arrays, pixels to 2 decimals, scores
        to 4.
        """
        plain = {f.name: _plain(getattr(self, f.name)) for f in dataclasses.fields(self) if f.name != "image"}
        for name in ("settings", "text_input"):
            plain[name] = _plain(getattr(self, name), decimals=None)
        if self.scores is not None:
            plain["scores"] = _plain(self.scores, decimals=4)
        return plain

    def to_coco(
        self,
        image_id: int | str,
        categories: Categories | None = None,
        *,
        score: float | None = None,
        drop_unknown: bool = False,
    ) -> list[dict[str, Any]]:
        """Rows of COCO's results format, ready for JSON and for ``COCO.loadRes`` of pycocotools.

        Args:
            image_id: the picture's id in the COCO file.
            categories: the list ``categories`` of the COCO file, ids by name, or names, which are counted
                from 1. None: every region is of category 1, and its name stands in ``label``.
            score: for regions without a score. With the same score for all, mAP depends on their order.
            drop_unknown: leave out what is no category.

        Returns:
            A row for each region: ``bbox`` is [x, y, width, height] in pixels, ``score`` 0 to 1, and for
            quads and masks ``segmentation`` has one [x, y, x, y …] for each outline. Where the task takes a
            region and answers in words, that region is the box. A caption gives one row with ``caption``.

        Raises:
            InputError: ``<OCR>``, which has no places; a label that is no category; a region without a score.
        """
        from .interchange import to_coco

        return to_coco(self, image_id, categories, score=score, drop_unknown=drop_unknown)

    def to_supervision(
        self, categories: Categories | None = None, *, drop_unknown: bool = False
    ) -> supervision.Detections:
        """The regions as supervision's ``Detections``, for its annotators, filters and trackers.

        Args:
            categories: as for `to_coco`. None: labels are numbered from 0 as they appear in this answer, so
                the same name may have another number in the next.
            drop_unknown: leave out what is no category.

        Returns:
            ``xyxy`` float32 (n, 4) in pixels; ``class_id`` int (n,); ``confidence`` float32 (n,), or None
            where the scores are unknown; ``data["class_name"]``. Where there is a polygon, ``mask`` is bool
            (n, height, width), in which a box covers all of itself. Quads are boxes, with their corners in
            ``data["xyxyxyxy"]``, float32 (n, 4, 2).

        Raises:
            InputError: a task without regions, a label that is no category, or supervision is not installed.
        """
        from .interchange import to_supervision

        return to_supervision(self, categories, drop_unknown=drop_unknown)

    def __eq__(self, other: object) -> bool:
        """Equal in everything that `to_dict` shows."""
        return self.to_dict() == other.to_dict() if isinstance(other, Answer) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        asked = "" if self.text_input is None else f" {_asked(self.text_input)}"
        lines = [
            f"Answer to {self.task}{asked} on {self.image_size[0]}x{self.image_size[1]}: {self._headline()}"
        ]
        regions = self._region_lines()
        lines += regions[:_SHOWN]
        if len(regions) > _SHOWN:
            lines.append(f"  … and {len(regions) - _SHOWN} more")
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])

    def _headline(self) -> str:
        counts = [
            (len(self.boxes), "box", "boxes"),
            (len(self.quads), "quad", "quads"),
            (len(self.polygons), "mask", "masks"),
        ]
        found = ", ".join(f"{n} {one if n == 1 else many}" for n, one, many in counts if n)
        if found:
            return found
        return json.dumps(self.text, ensure_ascii=False) if self.text else "nothing"

    def _region_lines(self) -> list[str]:
        regions = self.regions
        names = [repr(region.label) for region in regions]
        wide = min(max(map(len, names), default=0), 40)
        return [f"  {name:<{wide}}  {_described(region)}" for name, region in zip(names, regions)]


def box_corners(box: Sequence[float] | np.ndarray) -> np.ndarray:
    """(4, 2), clockwise from the top left."""
    x1, y1, x2, y2 = box
    return np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]])


def _plain(value: Any, decimals: int | None = 2) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item, decimals) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, decimals) for item in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return _plain(value.tolist(), decimals)
    if isinstance(value, float):
        return value if decimals is None else round(value, decimals)
    return value if value is None or isinstance(value, (str, int, bool)) else str(value)


def _asked(text_input: Any) -> str:
    return repr(text_input) if isinstance(text_input, str) else _numbers(text_input)


def _numbers(values: Any) -> str:
    return "(" + ", ".join(f"{v:.0f}" for v in values) + ")"


def _described(region: Region) -> str:
    score = "" if region.score is None else f"  score {region.score:.2f}"
    if region.kind == "box":
        return _numbers(region.box) + score
    if region.kind == "quad":
        return " ".join(_numbers(point) for point in region.outlines[0]) + score
    return _mask_words(region.outlines) + score


def _mask_words(parts: list[np.ndarray]) -> str:
    points = np.concatenate(parts) if parts else np.zeros((0, 2))
    if not len(points):
        return "empty"
    around = _numbers([*points.min(axis=0), *points.max(axis=0)])
    return f"{len(points)} points{f' in {len(parts)} parts' if len(parts) > 1 else ''} within {around}"
