"""Lesson 13 where COCO is: its cell for the photographs runs on a folder laid out as COCO's."""

import json
from pathlib import Path

import nbformat

import florence_nb as fnb

LESSON = Path(__file__).resolve().parents[1] / "notebooks" / "13_how_good.ipynb"
CODE = [cell.source for cell in nbformat.read(LESSON, as_version=4).cells if cell.cell_type == "code"]


def cell_with(words: str) -> str:
    (source,) = (source for source in CODE if words in source)
    return source


def test_the_cell_for_coco_runs_where_the_photographs_are(tmp_path, monkeypatch, capsys, mini):
    monkeypatch.chdir(tmp_path)
    asked = []
    monkeypatch.setattr(fnb, "load", lambda name: asked.append(name) or mini)
    scenes = [fnb.scenes.random_scene(seed) for seed in range(3)]
    names = {"florence": mini, "scenes": scenes, "quick": {"num_beams": 1, "progress": False}}
    for words in ("redirect_stdout\n", "def truth_of", "def coco_eval", "def measure"):
        exec(cell_with(words), names)
    exec(cell_with("coco/val2017"), names)
    drawn, told = capsys.readouterr().out.splitlines()
    assert "COCO is not here" in told and not asked

    photographs, files = Path("coco", "val2017"), Path("coco", "annotations")
    photographs.mkdir(parents=True), files.mkdir()
    truth = names["truth_of"](scenes)
    truth["categories"] = [
        one for one in truth["categories"] if one["name"] != "car"
    ]  # base names others, too
    truth["annotations"] = [row for row in truth["annotations"] if row["category_id"] != 1]
    (files / "instances_val2017.json").write_text(json.dumps(truth))
    for number, scene in enumerate(scenes):
        scene.image.save(photographs / f"{number}.png")
    exec(cell_with("coco/val2017"), names)
    again, told = capsys.readouterr().out.splitlines()
    assert again == drawn and asked == ["base"]
    assert told.startswith("base on 100 photographs: mAP 0.") and float(told.split()[-1]) > 0.5
