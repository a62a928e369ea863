"""What is remembered changes the time and nothing else."""

from __future__ import annotations

import pytest
import torch
from PIL import Image

from florence_nb import TASKS, Florence, load
from florence_nb.engine.feature_cache import FeatureCache, picture_key
from florence_nb.engine.model_state import state_key
from florence_nb.scenes import random_scene
from tests import tiny

INPUTS = {"nothing": None, "phrase": "a red car", "region": (5, 5, 60, 40)}
SETTINGS = {"max_new_tokens": 8, "num_beams": 2}


def picture(colour: str = "red") -> Image.Image:
    image = Image.new("RGB", (80, 60), "white")
    image.paste(colour, (10, 10, 50, 40))
    return image


class Counted(Florence):
    """Counts the pictures that go through the vision tower, and the prompts that go through the text
    encoder.
    """

    seen = merged = 0

    def encode_images(self, images):
        self.seen += len(images)
        return super().encode_images(images)

    def encode_prompts(self, features, ids):
        self.merged += len(ids)
        return super().encode_prompts(features, ids)


def make(dtype=torch.float32, **options) -> Counted:
    processor = tiny.processor()
    return Counted(tiny.model(processor.tokenizer).to(dtype), processor, "tiny", **options)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_answers_are_the_same_with_and_without(dtype):
    with_cache, without = make(dtype), make(dtype, cache=False)
    for task in TASKS.values():
        asked = (task.prompt, picture(), INPUTS[task.takes])
        first, again, plain = [f.run_example(*asked, **SETTINGS) for f in (with_cache, with_cache, without)]
        assert first.token_ids == again.token_ids == plain.token_ids
        assert first == again == plain
    assert (with_cache.seen, with_cache.merged) == (1, 15)
    assert (without.seen, without.merged) == (15, 15) and len(without.feature_cache) == 0


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_answers_of_mini_are_the_same_with_and_without(dtype):
    with_cache, without = (load("mini", dtype=dtype, cache=cache, quiet=True) for cache in (True, False))
    scene = random_scene(4, most=3)
    give = {"nothing": None, "phrase": scene.things[0].kind, "region": scene.things[0].box}
    for task in TASKS.values():
        asked = (task.prompt, scene.image, give[task.takes])
        first, again, plain = [
            f.run_example(*asked, max_new_tokens=4, num_beams=1) for f in (with_cache, with_cache, without)
        ]
        assert first == again == plain and first.token_ids == again.token_ids == plain.token_ids


def test_a_slider_runs_the_decoder_only():
    florence = make()
    for beams in (1, 2, 3):
        florence.run_example("<OD>", picture(), num_beams=beams, max_new_tokens=4)
    assert (florence.seen, florence.merged) == (1, 1)


def test_a_picture_counts_by_its_pixels():
    florence = make()
    florence.run_example("<OD>", picture(), **SETTINGS)
    florence.run_example("<OD>", picture().copy(), **SETTINGS)
    assert florence.seen == 1


def test_a_picture_edited_in_place_is_another_one():
    florence, image = make(), picture()
    before = florence.run_example("<OD>", image, **SETTINGS)
    image.paste("blue", (0, 0, 80, 60))
    after = florence.run_example("<OD>", image, **SETTINGS)
    assert florence.seen == 2 and before.image.getpixel((20, 20)) == (255, 0, 0)
    assert after == make(cache=False).run_example("<OD>", image, **SETTINGS)


def test_size_belongs_to_the_key():
    pixels = bytes(range(90)) * 2
    wide, high = Image.frombytes("RGB", (10, 6), pixels), Image.frombytes("RGB", (6, 10), pixels)
    assert picture_key(wide) != picture_key(high) and picture_key(wide) == picture_key(wide.copy())


def test_a_trained_model_forgets():
    florence = make()
    weight = florence.model.model.multi_modal_projector.image_projection.weight
    florence.run_example("<OD>", picture(), **SETTINGS)
    optimiser = torch.optim.SGD([weight], lr=1.0)
    weight.grad = torch.ones_like(weight)
    optimiser.step()
    florence.run_example("<OD>", picture(), **SETTINGS)
    assert florence.seen == 2


@pytest.mark.parametrize("change", ["dtype", "weights", "attention", "exchange"])
def test_a_changed_model_has_another_key(change):
    florence = make()
    model, images = florence.model, florence.processor.image_processor
    before = state_key(model, images)
    assert state_key(model, images) == before
    if change == "dtype":
        model.to(torch.bfloat16)
    elif change == "weights":
        model.load_state_dict(tiny.model(florence.processor.tokenizer, seed=1).state_dict())
    elif change == "attention":
        model.set_attn_implementation("eager")
    else:
        model = tiny.model(florence.processor.tokenizer)
    assert state_key(model, images) != before


def test_it_is_bounded_by_bytes_and_the_oldest_goes_first():
    store, made = FeatureCache(limit=3 * 400), []

    def compute(at):
        made.extend(at)
        return [torch.zeros(100) for _ in at]

    for key in "abcab":
        store.get([key], compute)
    assert len(store) == 3 and store.bytes == 1200 and len(made) == 3
    store.get(["d"], compute)
    store.get(["a"], compute)
    store.get(["b"], compute)
    assert len(made) == 4 and store.bytes == 1200
    store.get(["c"], compute)
    assert len(made) == 5


def test_what_is_larger_than_the_bound_is_not_kept():
    store = FeatureCache(limit=100)
    assert len(store.get(["a"], lambda at: [torch.zeros(1000)])[0]) == 1000
    assert len(store) == 0 and store.bytes == 0


def test_doubles_are_computed_once_and_come_back_in_order():
    store, asked = FeatureCache(), []
    store.get(["b"], lambda at: [torch.tensor([20.0])])

    def compute(at):
        asked.append(at)
        return [torch.tensor([float(i)]) for i in at]

    assert [float(t) for t in store.get(["a", "b", "a", "c"], compute)] == [0.0, 20.0, 0.0, 3.0]
    assert asked == [[0, 3]]


def test_a_kept_row_does_not_hold_its_batch():
    store, batch = FeatureCache(), torch.zeros(100, 10)
    store.get(["a"], lambda at: [batch[0]])
    assert store.get(["a"], lambda at: [])[0].untyped_storage().nbytes() == 40


def test_forget_empties_it():
    florence = make()
    florence.run_example("<OD>", picture(), **SETTINGS)
    assert len(florence.feature_cache) == 2 and florence.feature_cache.bytes > 0
    assert repr(florence.feature_cache) == "FeatureCache(2 tensors, 0.0 of 256 MB)"
    florence.forget()
    assert len(florence.feature_cache) == 0 and florence.feature_cache.bytes == 0
