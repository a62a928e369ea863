"""What is remembered changes the time and nothing else."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

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


COLOURS = ("red", "green", "blue", "black")
PARTS = (
    "vision_tower",
    "multi_modal_projector",
    "language_model.encoder",
    "language_model.encoder.layers.0.fc1",
)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", ["forward_hook", "forward_pre_hook"])
def test_a_hook_on_any_part_is_called(part, kind):
    florence, calls = make(), []
    florence.run_example("<OD>", picture(), **SETTINGS)
    module = florence.model.model.get_submodule(part)
    handle = getattr(module, f"register_{kind}")(lambda *_: calls.append(1))
    florence.run_example("<OD>", picture(), **SETTINGS)
    florence.run_example("<OD>", picture(), **SETTINGS)
    assert len(calls) >= 2
    handle.remove()
    seen = florence.seen
    florence.run_example("<OD>", picture(), **SETTINGS)
    assert florence.seen == seen, "without the hook the first answer's features are good again"


def _patched_forward(florence, monkeypatch):
    part = florence.model.model.vision_tower
    monkeypatch.setattr(part, "forward", part.forward)


def _patched_class(florence, monkeypatch):
    kind = type(florence.model.model.multi_modal_projector)
    real = kind.forward
    monkeypatch.setattr(kind, "forward", lambda self, *args, **more: real(self, *args, **more))


def _other_eps(florence, monkeypatch):
    monkeypatch.setattr(florence.model.model.language_model.encoder.layernorm_embedding, "eps", 1.0)


def _through_data(florence, monkeypatch):
    florence.model.model.multi_modal_projector.image_projection.weight.data.mul_(0.5)


CHANGES = {
    "image_mean": lambda f, m: m.setattr(f.processor.image_processor, "image_mean", [0.1, 0.2, 0.3]),
    "resample": lambda f, m: m.setattr(f.processor.image_processor, "resample", 0),
    "patched forward": _patched_forward,
    "patched class": _patched_class,
    "eps": _other_eps,
    "data": _through_data,
    "matmul precision": lambda f, m: m.setattr(torch, "get_float32_matmul_precision", lambda: "medium"),
    "own encode_images": lambda f, m: m.setattr(
        f, "encode_images", lambda images: type(f).encode_images(f, images)
    ),
    "compiled part": lambda f, m: m.setattr(
        f.model.model.vision_tower, "_compiled_call_impl", lambda *a, **k: None
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_the_encoding_counts_at_once(change, monkeypatch):
    florence = make()
    image = picture()
    keys = florence._picture_keys([florence.prepare("<OD>", image)])
    assert keys == florence._picture_keys([florence.prepare("<OD>", image)]) != [None]
    CHANGES[change](florence, monkeypatch)
    assert florence._picture_keys([florence.prepare("<OD>", image)]) != keys


@pytest.mark.parametrize("mode", ["autocast", "function mode"])
def test_a_mode_of_pytorch_counts(mode):
    from torch.overrides import TorchFunctionMode

    class Mode(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            return func(*args, **(kwargs or {}))

    florence = make()
    florence.run_example("<OD>", picture(), **SETTINGS)
    with torch.autocast("cpu", torch.bfloat16) if mode == "autocast" else Mode():
        florence.run_example("<OD>", picture(), **SETTINGS)
    assert florence.seen == 2


def test_a_kept_tensor_that_was_changed_in_place_is_not_given_out():
    store = FeatureCache()
    first = store.get(["a"], lambda indices: [torch.ones(4)])[0]
    first.zero_()
    assert store.get(["a"], lambda indices: [torch.ones(4)])[0].sum() == 4


def test_an_exception_leaves_it_whole():
    store = FeatureCache(limit=3 * 400)
    store.get(["a"], lambda indices: [torch.zeros(100)])

    def broken(indices):
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        store.get(["a", "b"], broken)
    assert len(store) == 1 and store.bytes == 400 and store.get(["a"], broken)[0].numel() == 100


@pytest.mark.parametrize("limit", [0, 399, 400, 8 * 400])
def test_eight_threads_and_a_small_cache(limit):
    store = FeatureCache(limit=limit)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    def work(thread):
        for turn in range(400):
            number = (thread * 31 + turn * 7) % 23
            got = store.get([("picture", number)], lambda indices, n=number: [torch.full((100,), n) + 0.0])
            assert got[0][0] == number

    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(8)))
    finally:
        sys.setswitchinterval(before)
    assert store.bytes == 400 * len(store) <= max(limit, 0)


def test_eight_threads_ask_as_one_does():
    florence = make()
    florence.feature_cache.limit = 3000
    alone = [florence.run_example("<OD>", picture(COLOURS[n]), **SETTINGS).raw for n in range(4)]
    with ThreadPoolExecutor(8) as pool:
        got = list(
            pool.map(
                lambda n: florence.run_example("<OD>", picture(COLOURS[n % 4]), **SETTINGS).raw, range(24)
            )
        )
    assert got == alone * 6 and not florence.model.training
