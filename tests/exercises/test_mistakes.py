"""A mistake is named by undoing it: with every picture of the gallery, not with one that happens to fit."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

import florence_nb as fnb
from florence_nb import loading
from florence_nb.exercises.boxes import check_boxes
from florence_nb.exercises.masks import check_mask, check_masks
from florence_nb.exercises.refusals import NotYet
from florence_nb.scenes import GALLERY

from .helpers import (
    bottom_up,
    centred,
    in_bins,
    in_bins_to_1000,
    mask_of_thing,
    perfect,
    shares,
    squeezed,
    swapped_axes,
    swapped_sides,
    truth,
    xywh,
)

MISTAKES = {
    "bins": in_bins,
    "bins, 0 to 999": in_bins_to_1000,
    "shares": shares,
    "width, height": lambda boxes, _: xywh(boxes),
    "the centre": lambda boxes, _: centred(boxes),
    "x and y are exchanged": lambda boxes, _: swapped_axes(boxes),
    "the corners are exchanged": lambda boxes, _: boxes[:, [2, 3, 0, 1]],
    "left, right, top, bottom": lambda boxes, _: boxes[:, [0, 2, 1, 3]],
    "y grows downwards": bottom_up,
    "width and height are exchanged": swapped_sides,
    "squeezed to 288": squeezed,
}


def refusal(check, *given, **more) -> str:
    """What a check says; "" if it takes the answer for right."""
    try:
        check(*given, **more)
    except NotYet as off:
        return str(off)
    return ""


@pytest.mark.parametrize("name", GALLERY)
@pytest.mark.parametrize("words", MISTAKES)
def test_boxes_of_a_picture(name, words):
    scene = GALLERY[name]
    said = refusal(check_boxes, MISTAKES[words](truth(scene), scene.size), scene, scene.things)
    assert words in said


@pytest.mark.parametrize("words", MISTAKES)
def test_one_box_alone_is_named_rightly_or_not_at_all(words):
    """Of one box several undoings may fit; what is said must then be one of them, and mostly the true one."""
    said = []
    for scene in GALLERY.values():
        for thing in scene.things:
            given = MISTAKES[words](np.array([thing.box], float), scene.size)
            said.append(refusal(check_boxes, given, scene, [thing]))
    assert sum(words in each for each in said) > 0.6 * len(said), said


@pytest.mark.parametrize("name", GALLERY)
def test_boxes_of_another_picture(name):
    for other, scene in GALLERY.items():
        if other != name:
            said = refusal(check_boxes, truth(GALLERY[name]), scene, scene.things)
            assert repr(name) in said, (other, said)


def test_an_answer_about_another_picture_is_told_by_its_picture():
    kitchen = GALLERY["kitchen"]
    answer = perfect("street", "<OPEN_VOCABULARY_DETECTION>", "car")
    assert "'street'" in refusal(check_boxes, answer, kitchen, kitchen.things[:1])
    mask = perfect("street", "<REFERRING_EXPRESSION_SEGMENTATION>", "the yellow car")
    assert "'street'" in refusal(check_mask, mask, kitchen, kitchen.things[0])
    assert "'street'" in refusal(check_masks, [mask] * 2, kitchen, kitchen.things)


@pytest.mark.parametrize("seed", range(40))
def test_a_guess_is_no_mistake(seed):
    """Boxes at random fit no undoing: nothing untrue is claimed of them."""
    scene, rng = GALLERY["street"], np.random.default_rng(seed)
    corners = rng.uniform(0, 1, (5, 2, 2)) * [384, 288]
    boxes = np.c_[corners.min(axis=1), corners.max(axis=1)]
    assert "things found (a box counts from" in refusal(check_boxes, boxes, scene, scene.things, need=4)


OUTLINES = {
    "bins": lambda corners, size: corners * 1000 // size,
    "shares": lambda corners, size: corners / size,
    "exchanged": lambda corners, _: corners[:, ::-1],
    "upside down": lambda corners, size: np.c_[corners[:, 0], size[1] - corners[:, 1]],
    "mirrored": lambda corners, size: np.c_[size[0] - corners[:, 0], corners[:, 1]],
    "width and height": lambda corners, size: corners * [size[1] / size[0], size[0] / size[1]],
    "squeezed to 288": lambda corners, size: corners * 288 / size,
}


@pytest.mark.parametrize("words", OUTLINES)
def test_outlines_of_a_picture(words):
    scene = GALLERY["snow"]
    size = np.array(scene.size, float)
    given = [[OUTLINES[words](np.asarray(part, float), size) for part in t.polygons] for t in scene.things]
    assert words in refusal(check_masks, given, scene, scene.things, need=2)
    umbrella = GALLERY["beach"].things[0]
    said = refusal(check_mask, [OUTLINES[words](umbrella.polygons[0], size)], GALLERY["beach"], umbrella)
    assert words in said


def test_outlines_are_read_at_every_level():
    beach = GALLERY["beach"]
    thing = beach.things[0]
    outline = thing.polygons[0]
    pairs = [tuple(map(float, corner)) for corner in outline]
    for given in (outline, [outline], [[outline]], pairs, [pairs], [[pairs]], np.array([outline])):
        assert refusal(check_mask, given, beach, thing) == ""
    assert "one level above" in refusal(check_mask, outline[0], beach, thing)
    assert "reshape(-1, 2)" in refusal(check_mask, [outline.ravel().tolist()], beach, thing)
    assert "three corners" in refusal(check_mask, outline[:2], beach, thing)
    assert "a box" in refusal(check_mask, thing.box, beach, thing)
    assert "a box" in refusal(check_mask, [thing.box], beach, thing)
    assert "squeezed" in refusal(check_mask, np.ones((288, 288), bool), beach, thing)


def test_masks_may_be_lists_and_pictures():
    beach = GALLERY["beach"]
    mask = mask_of_thing(beach.things[0], beach.size)
    for given in (mask.tolist(), Image.fromarray(mask.astype(np.uint8) * 255), mask.astype(float)):
        assert refusal(check_mask, given, beach, beach.things[0]) == ""


@dataclasses.dataclass
class Checkpoint:
    name: str


def by(name: str, answer):
    """The answer, as if a checkpoint of that name had given it; the name is held as long as the answer."""
    answer = dataclasses.replace(answer)
    answer.kept = Checkpoint(name)
    answer.florence = answer.kept
    return answer


def verdict(name: str, answer) -> fnb.exercises.Verdict:
    return fnb.exercise(name).check(answer)


CAR = "<OPEN_VOCABULARY_DETECTION>"


def test_of_a_real_checkpoint_only_the_form_is_judged():
    red = by("florence-community/Florence-2-large", perfect("kitchen", CAR, "red cup"))
    green = by("florence-community/Florence-2-large", perfect("kitchen", CAR, "green cup"))
    lenient = verdict("06.1", red)
    assert lenient.ok and "I cannot judge" in lenient.text and "Florence-2-large" in lenient.text
    assert "found" in verdict("06.1", green).text
    assert verdict("06.1", by("mini", red)).ok is False


@pytest.mark.parametrize(
    "name, wrong",
    [
        ("00.1", ["a cat", "a cat on a wall"]),
        ("00.2", ["<OD>", "<OCR>"]),
        ("01.2", 5),
        ("05.2", in_bins(truth(GALLERY["street"]), (384, 288))),
        ("05.2", truth(GALLERY["snow"])),
        ("06.2", ["a red boat"]),
        ("09.2", "<loc_1><loc_2><loc_3><loc_4>"),
        ("10.2", ["to the right"]),
        ("11.1", (1, 2)),
        ("11.3", 100),
        ("11.4", [("<OD>", "snow")]),
    ],
)
def test_what_no_model_answers_is_judged_with_every_checkpoint(monkeypatch, name, wrong):
    monkeypatch.setattr(loading, "last_loaded", "large")
    assert verdict(name, wrong).ok is False


def test_a_number_of_things_is_the_model_s(monkeypatch):
    assert verdict("05.1", 2).ok is False
    monkeypatch.setattr(loading, "last_loaded", "large")
    assert "Whether large answers well I cannot judge" in verdict("05.1", 2).text
    assert verdict("05.1", "2").ok is False


def test_a_record_beside_mini_changes_nothing(monkeypatch):
    monkeypatch.setattr(loading, "last_loaded", "mini")
    fnb.load("recorded", quiet=True)
    assert loading.last_loaded == "mini"
    monkeypatch.setattr(loading, "last_loaded", None)
    fnb.load("recorded", quiet=True)
    assert loading.last_loaded == "recorded"
