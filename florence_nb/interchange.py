"""An `Answer` in the layouts of other libraries: COCO's results for pycocotools, and supervision's
``Detections``. `Answer.to_coco` and `Answer.to_supervision` are the way in; lesson 13 uses both.

Boxes are pixels of the picture, from its top left. Where a task takes a region and answers in words, the
region that was asked about is the box, and the words are its label.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .answers import Answer, Region, box_corners
from .errors import InputError
from .geometry import rasterize
from .libraries import require
from .locations import LOC, from_loc
from .tasks import TASKS, Task

if TYPE_CHECKING:
    import supervision

Categories = Mapping[str, int] | Iterable[Any]
"""Ids by name, the list ``categories`` of a COCO file, or names, which are counted from 1."""


def to_coco(
    answer: Answer,
    image_id: int | str,
    categories: Categories | None = None,
    *,
    score: float | None = None,
    drop_unknown: bool = False,
) -> list[dict[str, Any]]:
    """See `Answer.to_coco`."""
    if TASKS[answer.task].group == "caption":
        return [{"image_id": image_id, "caption": answer.text}] if answer.text else []
    ids = None if categories is None else category_ids(categories)
    kept = _known(regions_of(answer), ids, drop_unknown)
    return [_coco_row(region, image_id, ids, score) for region in kept]


def to_supervision(
    answer: Answer, categories: Categories | None = None, *, drop_unknown: bool = False
) -> supervision.Detections:
    """See `Answer.to_supervision`."""
    require("supervision")
    with warnings.catch_warnings():  # that it works without OpenCV, it tells at its first import
        warnings.filterwarnings("ignore", message=r".*OpenCV", category=UserWarning)
        import supervision as sv

    found = regions_of(answer)
    ids = _by_appearance(found) if categories is None else category_ids(categories)
    kept = _known(found, ids, drop_unknown)
    return sv.Detections(
        xyxy=np.array([region.box for region in kept], np.float32).reshape(-1, 4),
        mask=_masks(kept, answer.image_size),
        confidence=_confidence(kept),
        class_id=np.array([ids[region.label] for region in kept], int),
        data=_data(kept),
    )


def regions_of(answer: Answer) -> list[Region]:
    """The regions of an answer, also of one in words about a region.

    Raises:
        InputError: an answer without a place: captions, and ``<OCR>``.
    """
    task = TASKS[answer.task]
    if task.gives != "text":
        return answer.regions
    if task.takes != "region":
        places = "<OCR_WITH_REGION>" if task.group == "ocr" else "<OD>, <DENSE_REGION_CAPTION>"
        raise InputError(f"An answer to {task.prompt} has words and no regions: ask {places} for places.")
    corners = box_corners(_asked_box(answer, task)).astype(np.float32)
    return [Region("box", answer.text, None, [corners])] if answer.text else []


def _asked_box(answer: Answer, task: Task) -> np.ndarray:
    """(4,) pixels: the region that was asked about, else the one that the model repeats."""
    asked = answer.text_input
    if asked is not None and not isinstance(asked, str):
        return np.asarray(asked, dtype=np.float64)
    places = asked if asked is not None else answer.raw
    if len(LOC.findall(places)) != 4:
        raise InputError(
            f"Which region this answer to {task.prompt} is about is not known: set answer.text_input to its"
            " box (x1, y1, x2, y2)."
        )
    return from_loc(places, answer.image_size)


def category_ids(categories: Categories) -> dict[str, int]:
    """Ids by name.

    Raises:
        InputError: two categories have one name, or one is neither a name nor has ``id`` and ``name``.
    """
    if isinstance(categories, Mapping):
        return {str(name): int(number) for name, number in categories.items()}
    pairs = [_id_and_name(number, one) for number, one in enumerate(_listed(categories), 1)]
    ids = {name: number for number, name in pairs}
    if len(ids) < len(pairs):
        raise InputError("Two of the categories have the same name: each region needs one category.")
    return ids


def _listed(categories: Iterable[Any]) -> list[Any]:
    if isinstance(categories, str):
        raise InputError(f"categories is a list of names or a dictionary, not the text {categories!r}.")
    return list(categories)


def _id_and_name(number: int, category: Any) -> tuple[int, str]:
    if isinstance(category, str):
        return number, category
    try:
        return int(category["id"]), str(category["name"])
    except (TypeError, KeyError):
        raise InputError(
            f"A category is a name, or a dictionary with id and name as in COCO, not {category!r}."
        ) from None


def _known(regions: list[Region], ids: Mapping[str, int] | None, drop_unknown: bool) -> list[Region]:
    """The regions whose label is a category; all where ``ids`` is None."""
    strange = [region for region in regions if ids is not None and region.label not in ids]
    if strange and not drop_unknown:
        raise InputError(
            f"There is no category {strange[0].label!r}: add it, or leave such regions out with"
            " drop_unknown=True."
        )
    return [region for region in regions if ids is None or region.label in ids]


def _coco_row(
    region: Region, image_id: int | str, ids: Mapping[str, int] | None, score: float | None
) -> dict[str, Any]:
    given = score if region.score is None else region.score
    if given is None:
        raise InputError(
            "COCO's results need a score, and this answer has none: run_example recovers scores for boxes,"
            " quads and masks; or give score=1.0, and report no mAP."
        )
    x1, y1, x2, y2 = region.box
    row: dict[str, Any] = {
        "image_id": image_id,
        "category_id": 1 if ids is None else ids[region.label],
        "bbox": [round(value, 3) for value in (x1, y1, x2 - x1, y2 - y1)],
        "score": float(given),
    }
    if region.kind != "box":
        row["segmentation"] = [_flat(outline) for outline in region.outlines]
    return row if ids is not None else {**row, "label": region.label}


def _flat(outline: np.ndarray) -> list[float]:
    """x, y, x, y … of an outline (k, 2)."""
    return [round(value, 3) for value in outline.ravel().tolist()]


def _by_appearance(regions: list[Region]) -> dict[str, int]:
    labels = dict.fromkeys(region.label for region in regions)
    return {label: number for number, label in enumerate(labels)}


def _masks(regions: list[Region], size: tuple[int, int]) -> np.ndarray | None:
    """(n, height, width) bool; None where no region is a polygon."""
    if not any(region.kind == "polygon" for region in regions):
        return None
    return np.stack([rasterize(region.outlines, size) for region in regions])


def _confidence(regions: list[Region]) -> np.ndarray | None:
    """(n,) float32; None where a score is unknown."""
    scores = [region.score for region in regions]
    return None if None in scores else np.array(scores, np.float32)


def _data(regions: list[Region]) -> dict[str, Any]:
    """What supervision has no field for, by the names that it uses itself."""
    data: dict[str, Any] = {"class_name": np.array([region.label for region in regions], dtype=str)}
    if regions and all(region.kind == "quad" for region in regions):
        data["xyxyxyxy"] = np.stack([region.outlines[0] for region in regions]).astype(np.float32)
    return data
