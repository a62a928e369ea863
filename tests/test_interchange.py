"""Answers as COCO's results and as supervision's Detections: all fifteen tasks, and what is odd."""

import contextlib
import io
import json

import numpy as np
import pytest
from PIL import Image

import florence_nb as fnb
from florence_nb.geometry import rasterize
from florence_nb.scenes import GALLERY, KINDS, Scene, Thing

from .exercises.helpers import perfect

SCENE = Scene(
    (
        Thing("truck", "blue", (0.5, 0.6), 0.9),
        Thing("lighthouse", "white", (0.5, 0.6), 0.9, stretch=0.3),
        Thing("sign", "red", (0.2, 0.2), 0.3, text="GO\nNOW"),
    ),
    "field",
)
GIVEN = {"phrase": "blue truck", "region": SCENE.things[0].box}
CAPTIONS = [task for task, row in fnb.TASKS.items() if row.group == "caption"]
PLACED = [task for task in fnb.TASKS if task not in (*CAPTIONS, "<OCR>")]


def answer_to(task: str, scored: bool = True) -> fnb.Answer:
    """A perfect answer about SCENE; with scores 0.9, 0.8 … where its task has any."""
    given = SCENE.things[2].box if task == "<REGION_TO_OCR>" else GIVEN.get(fnb.TASKS[task].takes)
    answer = perfect(SCENE, task, given)
    if scored and fnb.TASKS[task].gives != "text":
        answer.scores = 0.9 - 0.1 * np.arange(len(answer.labels))
    return answer


def coco(*sizes: tuple[int, int], names=KINDS, annotations=()):
    """The COCO of pycocotools, with pictures of these sizes, numbered from 1."""
    from pycocotools.coco import COCO

    made = COCO()
    made.dataset = {
        "images": [{"id": i, "width": w, "height": h} for i, (w, h) in enumerate(sizes, 1)],
        "categories": [{"id": i, "name": name} for i, name in enumerate(names, 1)],
        "annotations": list(annotations),
    }
    with contextlib.redirect_stdout(io.StringIO()):
        made.createIndex()
    return made


def loaded(rows: list[dict], *sizes: tuple[int, int]):
    """What loadRes makes of the rows, after a way through JSON."""
    with contextlib.redirect_stdout(io.StringIO()):
        return coco(*sizes).loadRes(json.loads(json.dumps(rows)))


# ---- all tasks


@pytest.mark.parametrize("task", PLACED)
def test_a_task_with_places_gives_rows_that_pycocotools_reads(task):
    answer = answer_to(task)
    rows = answer.to_coco(1, score=0.5)
    assert rows and all({"image_id", "category_id", "bbox", "score", "label"} <= set(row) for row in rows)
    result = loaded(rows, SCENE.size)
    assert len(result.getAnnIds(imgIds=[1])) == len(rows)
    for row, found in zip(rows, result.anns.values(), strict=True):
        x, y, width, height = row["bbox"]
        assert 0 <= x < x + width <= SCENE.size[0] and 0 <= y < y + height <= SCENE.size[1]
        mask = result.annToMask(found)
        across, down = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
        around = (across[0], down[0], across[-1] + 1, down[-1] + 1)
        assert np.abs(np.subtract(around, (x, y, x + width, y + height))).max() < 2, task


@pytest.mark.parametrize("task", PLACED)
def test_a_task_with_places_gives_detections_that_annotators_draw(task):
    sv = pytest.importorskip("supervision")
    answer = answer_to(task)
    found = answer.to_supervision()
    assert found.xyxy.dtype == np.float32 and len(found) == len(answer.to_coco(1, score=1.0)) > 0
    assert (found.xyxy[:, 2:] > found.xyxy[:, :2]).all() and found.class_id.dtype.kind == "i"
    assert [name in found.data["class_name"] for name in answer.labels if name] == [True] * sum(
        map(bool, answer.labels)
    )
    picture = np.asarray(SCENE.image)
    drawn = sv.BoxAnnotator().annotate(picture.copy(), found)
    drawn = sv.LabelAnnotator().annotate(drawn, found)
    assert (drawn != picture).any()
    if found.mask is not None:
        assert (sv.MaskAnnotator().annotate(picture.copy(), found) != picture).any()
    if "xyxyxyxy" in found.data:
        assert (sv.OrientedBoxAnnotator().annotate(picture.copy(), found) != picture).any()


@pytest.mark.parametrize("task", CAPTIONS)
def test_a_caption_is_a_row_of_coco_s_captions(task):
    answer = answer_to(task)
    assert answer.to_coco(7) == [{"image_id": 7, "caption": answer.text}]
    result = loaded(answer.to_coco(1), SCENE.size)
    assert [each["caption"] for each in result.anns.values()] == [answer.text]


@pytest.mark.parametrize("task", [*CAPTIONS, "<OCR>"])
def test_words_without_a_place_are_no_detections(task):
    pytest.importorskip("supervision")
    with pytest.raises(fnb.InputError, match="no regions: ask <O"):
        answer_to(task).to_supervision()
    if task == "<OCR>":
        with pytest.raises(fnb.InputError, match="ask <OCR_WITH_REGION>"):
            answer_to(task).to_coco(1)


# ---- what each field holds


def test_boxes_are_x_y_width_height_and_scores_are_those_of_the_answer():
    answer = answer_to("<OD>")
    rows = answer.to_coco(5, KINDS)
    for row, box, label, score in zip(rows, answer.boxes, answer.labels, answer.scores, strict=True):
        x1, y1, x2, y2 = map(float, box)
        assert row["bbox"] == pytest.approx([x1, y1, x2 - x1, y2 - y1], abs=1e-3)
        assert list(KINDS)[row["category_id"] - 1] == label and row["score"] == score
        assert set(row) == {"image_id", "category_id", "bbox", "score"} and row["image_id"] == 5
    found = answer.to_supervision(KINDS)
    np.testing.assert_array_equal(found.xyxy, answer.boxes)
    np.testing.assert_allclose(found.confidence, answer.scores, rtol=1e-6)
    assert found.class_id.tolist() == [row["category_id"] for row in rows]


def test_quads_are_boxes_with_their_corners():
    answer = answer_to("<OCR_WITH_REGION>")
    found = answer.to_supervision()
    np.testing.assert_array_equal(found.data["xyxyxyxy"], answer.quads)
    np.testing.assert_array_equal(found.xyxy[:, :2], answer.quads.min(axis=1))
    assert found.data["class_name"].tolist() == ["GO", "NOW"] and found.mask is None
    rows = answer.to_coco(1)
    assert rows[0]["segmentation"] == [pytest.approx(answer.quads[0].ravel().tolist(), abs=1e-3)]
    assert [row["label"] for row in rows] == ["GO", "NOW"]


def test_a_thing_in_two_parts_is_one_detection():
    answer = answer_to("<OPEN_VOCABULARY_DETECTION>")
    assert [len(parts) for parts in answer.polygons] == [2] and not len(answer.boxes)
    found = answer.to_supervision()
    assert found.mask.shape == (1, *SCENE.size[::-1]) and found.mask.dtype == bool
    np.testing.assert_array_equal(found.mask[0], rasterize(answer.polygons[0], SCENE.size))
    (row,) = answer.to_coco(1)
    assert len(row["segmentation"]) == 2
    result = loaded([row], SCENE.size)
    assert fnb.mask_iou(result.annToMask(result.anns[1]).astype(bool), found.mask[0]) > 0.97


def test_boxes_beside_polygons_have_masks_too():
    raw = "</s><s>car<loc_0><loc_0><loc_499><loc_499>bus<poly><loc_500><loc_500><loc_900><loc_500><loc_700>"
    answer = fnb.parse(raw + "<loc_900></poly></s>", "<OPEN_VOCABULARY_DETECTION>", (100, 100))
    pytest.importorskip("supervision")
    found = answer.to_supervision()
    assert found.data["class_name"].tolist() == ["car", "bus"] and found.confidence is None
    assert found.mask[0].sum() == 2500 and 600 < found.mask[1].sum() < 1000


@pytest.mark.parametrize("asked", ["pixels", "tokens", "not given"])
def test_a_region_in_words_is_the_box_that_was_asked_about(asked):
    box = SCENE.things[0].box
    given = {"pixels": box, "tokens": fnb.to_loc(box, SCENE.size), "not given": None}[asked]
    answer = answer_to("<REGION_TO_CATEGORY>")
    answer.text_input = given
    (row,) = answer.to_coco(1, KINDS, score=1.0)
    x, y, width, height = row["bbox"]
    assert fnb.box_iou((x, y, x + width, y + height), box) > (0.999 if asked == "pixels" else 0.98)
    assert list(KINDS)[row["category_id"] - 1] == "truck"


def test_a_region_that_nobody_knows():
    answer = answer_to("<REGION_TO_OCR>")
    answer.raw, answer.text_input = "</s><s>GO</s>", None
    with pytest.raises(fnb.InputError, match="set answer.text_input"):
        answer.to_coco(1, score=1.0)


# ---- categories


@pytest.mark.parametrize(
    "categories",
    [
        {"cat": 17, "dog": 18},
        [{"id": 17, "name": "cat"}, {"id": 18, "name": "dog", "supercategory": ""}],
    ],
)
def test_categories_as_a_dictionary_and_as_in_a_file(categories):
    raw = "</s><s>dog<loc_0><loc_0><loc_9><loc_9>cat<loc_0><loc_0><loc_9><loc_9></s>"
    answer = fnb.parse(raw, "<OD>", (100, 100), location_scores=[-1.0] * 8)
    assert [row["category_id"] for row in answer.to_coco(1, categories)] == [18, 17]


def test_what_is_no_category_is_told_or_left_out_on_demand():
    answer = answer_to("<OD>")
    with pytest.raises(fnb.InputError, match="no category '(sign|lighthouse)': add it"):
        answer.to_coco(1, ["truck"])
    assert [row["category_id"] for row in answer.to_coco(1, ["truck"], drop_unknown=True)] == [1]
    pytest.importorskip("supervision")
    with pytest.raises(fnb.InputError, match="drop_unknown=True"):
        answer.to_supervision(["truck"])
    assert answer.to_supervision(["truck"], drop_unknown=True).data["class_name"].tolist() == ["truck"]


@pytest.mark.parametrize(
    "categories, words",
    [
        ("car", "not the text 'car'"),
        (["car", "car"], "same name"),
        ([3], "not 3"),
        ([{"id": 3}], "and name"),
    ],
)
def test_categories_that_are_none(categories, words):
    with pytest.raises(fnb.InputError, match=words):
        answer_to("<OD>").to_coco(1, categories)


def test_a_score_is_never_made_up():
    answer = answer_to("<OD>", scored=False)
    with pytest.raises(fnb.InputError, match="need a score"):
        answer.to_coco(1, KINDS)
    assert {row["score"] for row in answer.to_coco(1, KINDS, score=1.0)} == {1.0}
    pytest.importorskip("supervision")
    assert answer.to_supervision().confidence is None


# ---- odd answers


@pytest.mark.parametrize("task", PLACED)
def test_nothing_found(task):
    answer = fnb.parse("</s><s></s>", task, (64, 48))
    answer.text_input = GIVEN.get(fnb.TASKS[task].takes)
    assert answer.to_coco(1) == answer.to_coco(1, KINDS) == []
    pytest.importorskip("supervision")
    found = answer.to_supervision()
    assert len(found) == 0 and found.is_empty()


def test_the_whole_picture():
    raw = "</s><s>sky<loc_0><loc_0><loc_999><loc_999></s>"
    answer = fnb.parse(raw, "<OD>", (1300, 876), location_scores=[0.0] * 4)
    (row,) = answer.to_coco(1, ["sky"])
    assert row["score"] == 1 and row["bbox"] == pytest.approx([0.65, 0.438, 1298.7, 875.124])


def test_a_label_with_a_comma_is_one_label():
    raw = "</s><s>a small, red car<loc_0><loc_0><loc_9><loc_9></s>"
    answer = fnb.parse(raw, "<DENSE_REGION_CAPTION>", (100, 100), location_scores=[-0.1] * 4)
    assert [row["label"] for row in answer.to_coco(1)] == ["a small, red car"]
    pytest.importorskip("supervision")
    assert answer.to_supervision().data["class_name"].tolist() == ["a small, red car"]


BOW = [(100, 100), (900, 900), (900, 100), (100, 900)]
RING = ([(100, 100), (900, 100), (900, 900), (100, 900)], [(300, 300), (700, 300), (700, 700), (300, 700)])


@pytest.mark.parametrize("outlines, share", [([BOW], 0.32), (RING, 0.64)], ids=["crosses itself", "nested"])
def test_outlines_that_cross_or_lie_in_each_other_cover_the_same_everywhere(outlines, share):
    """There is no way to write a hole: all outlines of a thing are filled."""
    places = "<sep>".join("".join(f"<loc_{x}><loc_{y}>" for x, y in outline) for outline in outlines)
    answer = fnb.parse(f"</s><s>{places}</s>", "<REFERRING_EXPRESSION_SEGMENTATION>", (200, 200))
    (row,) = answer.to_coco(1, score=1.0)
    result = loaded([row], (200, 200))
    read = result.annToMask(result.anns[1]).astype(bool)
    assert read.mean() == pytest.approx(share, abs=0.02)
    pytest.importorskip("supervision")
    assert fnb.mask_iou(answer.to_supervision().mask[0], read) > 0.95


def test_a_perfect_model_has_a_perfect_map():
    from pycocotools.cocoeval import COCOeval

    scenes = list(GALLERY.values())
    annotations, rows = [], []
    for number, scene in enumerate(scenes, 1):
        for thing in scene.things:
            x1, y1, x2, y2 = thing.box
            box = {"bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1), "iscrowd": 0}
            kind = list(KINDS).index(thing.kind) + 1
            annotations.append({"id": len(annotations) + 1, "image_id": number, "category_id": kind, **box})
        rows += perfect(scene, "<OD>").to_coco(number, KINDS, score=1.0)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco(*[scene.size for scene in scenes], annotations=annotations)
        check = COCOeval(truth, truth.loadRes(rows), "bbox")
        check.evaluate()
        check.accumulate()
        check.summarize()
    assert check.stats[0] > 0.99 and check.stats[1] == 1


def test_supervision_is_asked_for_by_name(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *_: None)
    with pytest.raises(fnb.InputError, match="supervision is not installed here: run %pip install"):
        answer_to("<OD>").to_supervision()


def test_importing_supervision_writes_nothing(tmp_path):
    import subprocess
    import sys

    pytest.importorskip("supervision")
    code = (
        "import florence_nb as fnb;"
        " print(len(fnb.parse('</s><s>a<loc_0><loc_0><loc_9><loc_9></s>', '<OD>', (9, 9)).to_supervision()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("1", "")


def test_supervision_s_own_reader_still_loses_what_this_keeps():
    """The reason for to_supervision; where this fails, supervision has caught up."""
    sv = pytest.importorskip("supervision")
    asked = answer_to("<REGION_TO_CATEGORY>"), answer_to("<REGION_TO_OCR>")
    for answer, words in zip(asked, ("end in location tags", "not supported"), strict=True):
        with pytest.raises(ValueError, match=words):
            sv.Detections.from_vlm(sv.VLM.FLORENCE_2, answer.parsed, resolution_wh=answer.image_size)
        assert len(answer.to_supervision()) == 1
    two = answer_to("<OPEN_VOCABULARY_DETECTION>")
    theirs = sv.Detections.from_vlm(sv.VLM.FLORENCE_2, two.parsed, resolution_wh=two.image_size)
    assert len(theirs) == 0 and len(two.to_supervision()) == 1


def test_a_picture_in_an_answer_is_no_part_of_the_rows():
    answer = answer_to("<OD>")
    assert isinstance(answer.image, Image.Image)
    json.dumps(answer.to_coco("000000000139.jpg", KINDS))
