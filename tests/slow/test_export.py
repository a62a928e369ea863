"""Base's size as ONNX, and what int8 costs on 300 answers of mini: `pytest -s tests/slow/test_export.py`."""

from __future__ import annotations

import time
from typing import Any

import pytest

import florence_nb as fnb
from florence_nb.scenes import random_scene
from florence_nb.training.evaluate import Tally, evaluate

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from florence_nb.export import OnnxFlorence, export_onnx  # noqa: E402

SCENES, SEED = 22, 7


class Asked:
    """What of `Florence` an evaluation uses, on graphs; it keeps the answers."""

    def __init__(self, graphs: OnnxFlorence) -> None:
        self.graphs, self.answers = graphs, []

    def run_many(self, requests: list[tuple], *, max_new_tokens: int, **_: Any) -> list[fnb.Answer]:
        self.answers = [self.graphs.run_example(*each, max_new_tokens=max_new_tokens) for each in requests]
        return self.answers


class Noted:
    """A `Florence` that keeps its answers."""

    def __init__(self, florence: fnb.Florence) -> None:
        self.florence, self.answers = florence, []

    def run_many(self, requests: list[tuple], **settings: Any) -> list[fnb.Answer]:
        self.answers = self.florence.run_many(requests, **settings)
        return self.answers


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory) -> dict[str, tuple[Tally, list[fnb.Answer]]]:
    """Figures and answers of torch, of float16 and of int8, about the same 300 questions."""
    folder = tmp_path_factory.mktemp("export")
    for precision in ("float16", "int8"):
        export_onnx(folder, precision=precision, progress=False)
    models = {name: Asked(OnnxFlorence(folder, name, threads=1)) for name in ("float16", "int8")}
    models["torch"] = Noted(fnb.load("mini", quiet=True))
    scenes = [random_scene(SEED * 100_000 + index) for index in range(SCENES)]
    tallies = {name: evaluate(model, scenes, seed=SEED, progress=False) for name, model in models.items()}
    return {name: (tallies[name], model.answers) for name, model in models.items()}


def equal(one: list[fnb.Answer], other: list[fnb.Answer]) -> int:
    return sum(a.token_ids == b.token_ids for a, b in zip(one, other, strict=True))


def test_float16_answers_300_questions_to_the_token(evaluated):
    answers = evaluated["torch"][1]
    assert len(answers) >= 300 and equal(answers, evaluated["float16"][1]) == len(answers)


def test_int8_answers_most_to_the_token_and_sees_as_well(evaluated):
    (exact, answers), (rounded, small) = evaluated["torch"], evaluated["int8"]
    print(f"\nint8: {equal(answers, small)} of {len(answers)} answers are equal to the token")
    before, after = exact.figures(), rounded.figures()
    for name, figure in before.items():
        print(f"{name:22} {figure:.3f} {after[name]:.3f}")
    assert equal(answers, small) > 0.6 * len(answers)
    assert abs(after["OD F1"] - before["OD F1"]) < 0.03 and abs(after["dense F1"] - before["dense F1"]) < 0.03


def test_base_size_is_exported_and_equal(tmp_path):
    """Exact size, random weights, stored in float16 as the published ones are."""
    from benchmarks.models import build

    made = build("base")
    made.model.generation_config.no_repeat_ngram_size = 1  # random weights would write one token only
    made.model.half().save_pretrained(tmp_path / "in")
    made.processor.save_pretrained(tmp_path / "in")
    del made
    start = time.perf_counter()
    told = export_onnx(tmp_path / "out", tmp_path / "in", progress=False)
    print(f"\n{told}\nin {time.perf_counter() - start:.0f} s")
    assert 4.5e8 < sum(told.bytes.values()) < 6e8
    florence = fnb.load(tmp_path / "in", quiet=True, device="cpu", dtype="float32")
    graphs = OnnxFlorence(tmp_path / "out")
    for task in ("<CAPTION>", "<OD>"):
        wanted = florence.run_example(task, "street", num_beams=1, max_new_tokens=20)
        assert graphs.run_example(task, "street", max_new_tokens=20).token_ids == wanted.token_ids
        assert len(set(wanted.token_ids)) == 20
