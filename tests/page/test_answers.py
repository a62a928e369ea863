"""The page's JavaScript answers what Python answers: prompts, resized bytes, tokens, raw strings, regions."""

import json
import random
from pathlib import Path

import pytest
import torch

import florence_nb as fnb
from florence_nb.page.build import write_page
from tests import tiny
from tests.page import reference
from tests.token_soup import soup

SCENES = range(5100, 5102)
SHORT = 30
"""Tokens of an answer of random weights: later there are ties, which one rounding decides."""


@pytest.fixture(scope="module")
def asked(tmp_path_factory, mini) -> Path:
    return reference.write(tmp_path_factory.mktemp("reference"), mini, SCENES)


def test_mini_answers_every_task_as_in_python(node, page_folder, asked):
    result = node("answers.mjs", page_folder, asked)
    assert result["differs"] == []
    assert result["checked"] == 15 * len(SCENES)


def test_a_wrong_answer_would_be_noticed(node, page_folder, asked, tmp_path):
    pictures = json.loads(asked.read_text())[:1]
    for answer in pictures[0]["answers"]:
        answer["ids"][-2] += 1
    changed = asked.with_name("changed.json")
    changed.write_text(json.dumps(pictures))
    differs = node("answers.mjs", page_folder, changed)["differs"]
    assert [kind for _, _, kind, *_ in differs].count("ids") == 15


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """Checkpoints of other sizes and weights, as fine-tuning leaves them."""

    def made(name: str) -> Path:
        folder = tmp_path_factory.mktemp(name)
        if name == "deeper":
            tiny.processor().save_pretrained(folder)
            model = tiny.model(tiny.tokenizer(), 3, encoder_layers=3, decoder_layers=2)
            model.generation_config.no_repeat_ngram_size = 3
            model.generation_config.max_new_tokens = SHORT
            model.save_pretrained(folder)
            return folder
        florence = fnb.load("mini", quiet=True)
        torch.manual_seed(0)
        with torch.no_grad():
            for weight in florence.native_model.parameters():
                weight.mul_(1 + 0.02 * torch.randn_like(weight))
        florence.native_model.save_pretrained(folder)
        florence.processor.save_pretrained(folder)
        return folder

    return made


@pytest.mark.parametrize("name", ["fine-tuned", "deeper"])
def test_another_checkpoint_answers_as_in_python(node, other, tmp_path, name):
    folder = other(name)
    page = write_page(tmp_path / "page", folder).parent
    florence = fnb.load(folder, quiet=True)
    limit = {"max_new_tokens": SHORT} if name == "deeper" else {}
    asked = reference.write(tmp_path, florence, range(5200, 5201), **limit)
    result = node("answers.mjs", page, asked)
    assert result["differs"] == []
    assert result["checked"] == 15


def test_any_raw_string_is_parsed_as_in_python(node, page_folder, tmp_path):
    size = (317, 211)
    rng = random.Random(1)
    cases = [(soup(rng), task) for _ in range(150) for task in fnb.TASKS]
    wanted = [reference.flat(fnb.parse(raw, task, size)) for raw, task in cases]
    file = tmp_path / "cases.json"
    file.write_text(json.dumps({"size": size, "cases": cases, "wanted": wanted}))
    result = node("parsing.mjs", page_folder, file)
    assert result == {"checked": len(cases), "differs": []}


def test_a_long_session_takes_no_more_memory(node, page_folder, asked):
    result = node("memory.mjs", page_folder, asked, 300)
    assert result["answers"] == 300
    assert result["after"] == result["early"] < 80_000_000
