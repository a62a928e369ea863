"""The benchmarks measure what they say: exact sizes, both sides by turns, the table; and lesson 11 tells what
was recorded.
"""

import json

import nbformat
import pytest
import torch
from transformers import Florence2ForConditionalGeneration

from benchmarks import models, timing
from benchmarks.__main__ import merged, shown
from benchmarks.lesson import LESSON, RESULTS, read, recorded
from florence_nb.checkpoints import CHECKPOINTS
from florence_nb.scenes import random_scene


@pytest.mark.parametrize("size", ["base", "large"])
def test_sizes_are_exactly_those_of_the_published_checkpoints(size):
    with torch.device("meta"):
        model = Florence2ForConditionalGeneration(models.config(size, 5))
    assert sum(weight.numel() for weight in model.parameters()) == CHECKPOINTS[size].parameters


def test_the_written_out_loop_gives_the_tokens_of_run_example(mini):
    image = random_scene(3).image
    for task, text in (("<OD>", None), ("<CAPTION_TO_PHRASE_GROUNDING>", "a red car")):
        theirs = models.plain_loop(mini, task, image, text, max_new_tokens=20, min_new_tokens=20, num_beams=3)
        ours = mini.run_example(task, image, text, max_new_tokens=20, min_new_tokens=20, num_beams=3)
        assert theirs == list(ours.token_ids)


def test_sides_take_turns_and_the_first_round_does_not_count():
    called = []
    sides = {"a": lambda: called.append("a") or 1, "b": lambda: called.append("b") or 2}
    times, results = timing.by_turns(sides, rounds=3)
    assert timing.by_turns(sides, rounds=1, warm=False)[1] == {"a": 1, "b": 2} and called[8:] == ["a", "b"]
    assert (
        called[:8] == ["a", "b"] * 4
        and results == {"a": 1, "b": 2}
        and {len(t) for t in times.values()} == {3}
    )


def test_a_ratio_is_the_median_of_the_rounds_and_knows_whether_it_is_reached():
    figure = timing.ratio("six", "loop", [4.0, 6.0, 9.0], [2.0, 2.0, 2.0], ">= 2.9", same=False)
    assert (figure.value, figure.low, figure.high, figure.reached) == (3.0, 2.0, 4.5, True)
    assert shown(figure) == "| six | loop | 3.00 × | 2.00 – 4.50 | ≥ 2.9 | yes | **no** | 6.00 s → 2.00 s |"
    assert (
        timing.plain("x", [5.0], "s", "<= 4").reached is False
        and timing.plain("x", [5.0], "s").reached is None
    )


def test_new_figures_replace_old_ones():
    old, new = (
        [timing.plain("a", [1.0], "s"), timing.plain("b", [2.0], "s")],
        [timing.plain("b", [3.0], "s"), timing.plain("c", [4.0], "s")],
    )
    assert [(f.name, f.value) for f in merged(old, new)] == [("a", 1.0), ("b", 3.0), ("c", 4.0)]


def test_lesson_11_tells_what_was_recorded():
    path = RESULTS / "cpu.json"
    machine, figures = read(path)
    told = [figure["reached"] for figure in json.loads(path.read_text(encoding="utf-8"))["figures"]]
    assert [figure.reached for figure in figures] == told
    texts = [
        cell.source for cell in nbformat.read(LESSON, as_version=4).cells if cell.cell_type == "markdown"
    ]
    assert any(recorded(machine, figures) in text for text in texts), (
        "run python -m benchmarks.lesson, then make lessons"
    )
