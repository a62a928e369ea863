"""The evaluation: a perfect model gets everything, a silent one nothing, and each metric is what it says."""

import random
from pathlib import Path

import numpy as np
import pytest

from florence_nb import parse
from florence_nb.geometry import mask_iou, rasterize
from florence_nb.scenes import GALLERY, Scene, Thing, random_scene
from florence_nb.training import evaluate as evaluation
from florence_nb.training.evaluate import (
    AIM,
    AT_MOST,
    Tally,
    count,
    evaluate,
    mask_of,
    matching,
    names_in,
    questions,
    table,
)

PAIR = Scene(
    [Thing("car", "red", (0.3, 0.5), 0.4), Thing("dog", "blue", (0.75, 0.5), 0.4)], "snow", (200, 100)
)
MASKS = {"referring mask IoU", "region mask IoU"}


class Knowing:
    """Says the truth about scenes that it knows by their pictures, or what ``say`` makes of it."""

    def __init__(self, scenes, say=lambda raw: raw):
        self.scenes, self.say = {id(scene.image): scene for scene in scenes}, say

    def run_many(self, requests, **settings):
        assert settings["num_beams"] == 1
        return [self.run_example(task, image, text) for task, image, text in requests]

    def run_example(self, task, image, text=None, **settings):
        answer = parse(self.say(self.scenes[id(image)].answer(task, text)), task, image.size)
        answer.image = image
        return answer

    def forget(self):
        pass


@pytest.fixture(scope="module")
def scenes():
    return [
        GALLERY["street"],
        GALLERY["market"],
        GALLERY["signs"],
        *(random_scene(seed, size=(200, 150)) for seed in range(5)),
    ]


def figures(scenes, say=lambda raw: raw):
    return evaluate(Knowing(scenes, say), scenes, progress=False).figures()


def counted(task, raw, aim=None, scene=PAIR):
    tally = Tally()
    count(tally, scene, parse(raw, task, scene.size), aim)
    return tally


def test_a_perfect_model(scenes):
    found = figures(scenes)
    assert list(found) == list(AIM)
    assert {name: value for name, value in found.items() if name not in MASKS | {"OD mean IoU", AT_MOST}} == {
        name: 1.0 for name in AIM if name not in MASKS | {"OD mean IoU", AT_MOST}
    }
    assert found[AT_MOST] == 0 and found["OD mean IoU"] > 0.97 and min(found[name] for name in MASKS) > 0.8


def test_a_silent_model(scenes):
    found = figures(scenes, lambda raw: "</s><s></s>")
    assert found.pop("well-formed") == found.pop("absent: nothing") == 1
    assert set(found.values()) == {0.0} and "not reached" in table(found)


def test_a_model_that_never_ends(scenes):
    assert figures(scenes[:2], lambda raw: raw.removesuffix("</s>"))["well-formed"] == 0


def test_every_task_is_asked():
    asked = [task for task, _, _ in questions(GALLERY["market"], random.Random(0))]
    assert len(set(asked)) == 15 and all(Knowing([GALLERY["market"]]) for _ in asked)
    assert "<OCR>" not in [task for task, _, _ in questions(PAIR, random.Random(0))]


def test_detection_counts_what_was_said_and_what_is_there():
    right, wrong = PAIR.answer("<OD>"), PAIR.answer("<OD>").replace("dog", "cat")
    assert counted("<OD>", right).figures()["OD F1"] == 1
    assert counted("<OD>", wrong).figures()["OD F1"] == 0.5
    assert counted("<OD>", wrong).detections[0][0] == 0.5
    assert counted("<OD>", right.replace("</s><s>", "</s><s>cat<loc_0><loc_0><loc_9><loc_9>")).figures()[
        "OD F1"
    ] == pytest.approx(0.8)
    assert counted("<OD>", "</s><s></s>").figures()["OD F1"] == 0
    assert (
        counted(
            "<DENSE_REGION_CAPTION>", PAIR.answer("<DENSE_REGION_CAPTION>").replace("red", "pink")
        ).figures()["dense F1"]
        == 0.5
    )


def test_each_box_is_used_once():
    box = (0, 0, 10, 10)
    assert matching([box, box], [box], lambda i, j: True) == [(1, 0, 1.0)]
    assert matching([box], [box, (1, 0, 11, 10)], lambda i, j: True) == [(0, 0, 1.0)]
    assert matching([box], [(6, 0, 16, 10)], lambda i, j: True) == []
    assert matching([box], [box], lambda i, j: False) == []
    assert matching([], [box], lambda i, j: True) == []


def test_masks():
    square = np.array([(0, 0), (9, 0), (9, 9), (0, 9)], float)
    whole, half = rasterize([square], (20, 10)), rasterize([square[:, ::1] * (0.5, 1)], (20, 10))
    assert whole.shape == (10, 20) and whole.sum() == 81
    assert mask_iou(whole, half) == pytest.approx(half.sum() / 81)
    assert mask_iou(whole, ~whole) == 0 and mask_iou(whole & False, half & False) == 1
    assert rasterize([square[:2]], (20, 10)).sum() == 0
    assert np.array_equal(mask_of(PAIR, PAIR.things), PAIR.instance_map > 0)


def test_captions():
    there = "</s><s>A red car and a blue dog in the snow.</s>"
    half = "</s><s>Two red cars and a green cat in the snow.</s>"
    assert counted("<DETAILED_CAPTION>", there).figures() == {
        "captions: named": 1,
        AT_MOST: 0,
        "well-formed": 1,
    }
    assert counted("<DETAILED_CAPTION>", half).figures() == {
        "captions: named": 0.5,
        AT_MOST: 0.5,
        "well-formed": 1,
    }
    assert "captions: named" not in counted("<CAPTION>", there).figures()
    assert names_in("The image shows two blue fish, a Red Car and a car.") == {"blue fish", "red car"}


def test_words_are_counted_one_by_one():
    scene = GALLERY["signs"]
    assert counted("<OCR>", "</s><s>HELLO\nGO\nGO</s>", scene=scene).figures()["OCR words"] == 0.5
    assert counted("<OCR>", "</s><s>hello BUS 42 GO</s>", scene=scene).figures()["OCR words"] == 0.75
    plate = next(t for t in scene.things if t.text == "BUS 42")
    assert counted("<REGION_TO_OCR>", "</s><s>BUS 43</s>", plate, scene).figures()["region OCR"] == 0.5
    wrong = scene.answer("<OCR_WITH_REGION>").replace("HELLO", "HELL0")
    assert counted("<OCR_WITH_REGION>", wrong, scene=scene).figures()["OCR with region"] == pytest.approx(
        2 / 3
    )


def test_recall_and_what_is_absent():
    task = "<OPEN_VOCABULARY_DETECTION>"
    said = PAIR.answer(task, "car")
    assert counted(task, said, [PAIR.things[0]]).figures()["vocabulary recall"] == 1
    assert counted(task, said.replace("car", "dog"), [PAIR.things[0]]).figures()["vocabulary recall"] == 0
    assert counted(task, said, []).figures()["absent: nothing"] == 0
    said = PAIR.answer("<CAPTION_TO_PHRASE_GROUNDING>", "a red car")
    assert (
        counted("<CAPTION_TO_PHRASE_GROUNDING>", said, list(PAIR.things)).figures()["grounding recall"] == 0.5
    )


def test_polygons_count_as_found():
    cut = Scene(
        [Thing("bus", "red", size=0.9), Thing("lighthouse", "white", size=0.9)], "harbour", (200, 200)
    )
    assert "<poly>" in (said := cut.answer("<OPEN_VOCABULARY_DETECTION>", "bus"))
    assert (
        counted("<OPEN_VOCABULARY_DETECTION>", said, [cut.things[0]], cut).figures()["vocabulary recall"] == 1
    )


def test_an_error_is_raised():
    class Broken:
        def run_many(self, requests, **settings):
            return [ValueError("no picture")] * len(requests)

    with pytest.raises(ValueError, match="no picture"):
        evaluate(Broken(), [PAIR])


def test_the_table():
    lines = table({"OD F1": 0.98, "category": 0.5, AT_MOST: 0.2}).splitlines()
    assert lines[2:] == [
        "| OD F1 | 0.980 | ≥ 0.975 |",
        "| category | 0.500 | ≥ 0.980 (not reached) |",
        "| captions: invented | 0.200 | ≤ 0.010 (not reached) |",
    ]


@pytest.mark.parametrize("held_out", (False, True))
def test_the_command(monkeypatch, capsys, tmp_path, held_out):
    seen = []

    def drawn(seed, kinds=None):
        seen.append((seed, kinds))
        return random_scene(seed, kinds=kinds, size=(80, 60))

    def load(name):
        assert name == "mini"
        return knowing

    knowing = Knowing([])
    monkeypatch.setattr(
        Knowing, "run_many", lambda self, requests, **_: [remembered(*request) for request in requests]
    )
    scenes = {}

    def remembered(task, image, text):
        return Knowing(scenes.values()).run_example(task, image, text)

    monkeypatch.setattr(
        evaluation, "random_scene", lambda seed, kinds=None: scenes.setdefault(seed, drawn(seed, kinds))
    )
    monkeypatch.setattr("florence_nb.loading.load", load)
    monkeypatch.setattr(Knowing, "run_example", Knowing.run_example)
    monkeypatch.setattr(evaluation, "answer_time", lambda florence, scene: 0.1)
    monkeypatch.chdir(tmp_path)
    sheet = tmp_path / "elsewhere.png" if held_out else Path("worst-scenes.png")
    evaluation.main(["--scenes", "2", "--seed", "3"] + ["--held-out", "--sheet", str(sheet)] * held_out)
    said = capsys.readouterr().out
    assert "2 scenes, seeds 300000 to 300001" in said and "| OD F1 | 1.000" in said and "100 ms" in said
    assert f"the worst twelve: {sheet}" in said and [path.name for path in tmp_path.iterdir()] == [sheet.name]
    assert [seed for seed, _ in seen] == [300000, 300001] and all(
        bool(kinds) == held_out for _, kinds in seen
    )


def test_the_time_of_one_answer():
    florence = Knowing([PAIR])
    assert 0 < evaluation.answer_time(florence, PAIR, times=3) < 5
