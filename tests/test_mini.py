"""The embedded checkpoint with plain transformers: no code of ours between it and the user."""

import json
from pathlib import Path

import numpy as np
import pytest

import florence_nb

FOLDER = Path(florence_nb.__file__).parent / "mini"
LIMIT = 32 * 2**20
PROMPT = "<OD>"

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="florence_nb/mini is not there yet: it comes out of florence_nb.training"
)


@pytest.fixture(scope="module")
def processor():
    from transformers import AutoProcessor

    return AutoProcessor.from_pretrained(FOLDER)


@pytest.fixture(scope="module")
def model():
    return loaded()


@pytest.fixture(scope="module")
def picture():
    from florence_nb.scenes import GALLERY

    return GALLERY["street"].image


def loaded(**settings):
    from transformers import Florence2ForConditionalGeneration

    return Florence2ForConditionalGeneration.from_pretrained(FOLDER, dtype="float32", **settings).eval()


def said(model, processor, picture, prompt=PROMPT, **settings):
    import torch

    inputs = processor(text=prompt, images=picture, return_tensors="pt")
    torch.manual_seed(0)
    with torch.no_grad():
        ids = model.generate(**inputs, max_new_tokens=200, **settings)
    return processor.batch_decode(ids, skip_special_tokens=False)[0]


def test_the_folder_is_small_and_complete():
    files = {path.name: path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()}
    assert sum(files.values()) <= LIMIT, files
    assert {
        "README.md",
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
    } <= set(files)
    assert not [name for name in files if name.endswith((".py", ".bin", ".pt", ".pkl"))]
    assert "auto_map" not in json.loads((FOLDER / "config.json").read_text())


def test_every_weight_is_there_and_finite():
    from transformers import Florence2ForConditionalGeneration

    model, info = Florence2ForConditionalGeneration.from_pretrained(FOLDER, output_loading_info=True)
    assert not any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert all(weight.isfinite().all() for weight in model.parameters())


def test_it_is_the_native_class(processor, model):
    assert type(model).__module__.startswith("transformers.models.florence2")
    assert type(processor).__module__.startswith("transformers.models.florence2")


def test_the_tokens_are_those_of_florence(processor, model):
    from florence_nb.tasks import SPECIAL_TOKENS

    words = processor.tokenizer
    ids = words.convert_tokens_to_ids([f"<loc_{i}>" for i in range(1000)])
    assert ids == list(range(ids[0], ids[0] + 1000))
    assert all(words.convert_tokens_to_ids(mark) != words.unk_token_id for mark in SPECIAL_TOKENS - {"<unk>"})
    assert (words.bos_token_id, words.pad_token_id, words.eos_token_id) == (0, 1, 2)
    assert (
        processor.image_token_id == model.config.image_token_id
        and len(words) <= model.config.text_config.vocab_size
    )


@pytest.mark.parametrize(
    "text", ("a red car<loc_1><loc_999>", "STOP\nGO 42", "Ünïcode ✓", "<poly><loc_3><loc_4></poly><sep><and>")
)
def test_text_comes_back_from_tokens(processor, text):
    ids = processor.tokenizer(text).input_ids
    assert (ids[0], ids[-1]) == (0, 2) and processor.tokenizer.decode(ids[1:-1]) == text


def test_letters_on_signs_are_tokens_of_their_own(processor):
    assert len(processor.tokenizer("QX7K2").input_ids) == 7


def test_the_tokenizer_is_the_one_of_the_recipe(processor):
    from florence_nb.training.vocabulary import new_tokenizer

    recipe = json.loads(new_tokenizer().backend_tokenizer.to_str())
    stored = json.loads((FOLDER / "tokenizer.json").read_text(encoding="utf-8"))
    assert stored["model"]["vocab"] == recipe["model"]["vocab"]
    assert [t["content"] for t in stored["added_tokens"]] == [t["content"] for t in recipe["added_tokens"]]


def test_the_processor_makes_pixels_and_a_sentence(processor, model, picture):
    inputs = processor(text=PROMPT, images=picture, return_tensors="pt")
    places = int((inputs["input_ids"] == processor.image_token_id).sum())
    assert places == processor.num_image_tokens and inputs["pixel_values"].shape[:2] == (1, 3)
    features = model.get_image_features(inputs["pixel_values"]).pooler_output
    assert features.shape[-2] == places


@pytest.mark.parametrize(
    "settings", ({"num_beams": 1}, {"num_beams": 3}, {"num_beams": 1, "do_sample": True, "temperature": 0.7})
)
def test_it_generates(processor, model, picture, settings):
    raw = said(model, processor, picture, **settings)
    found = processor.post_process_generation(raw, task=PROMPT, image_size=picture.size)[PROMPT]
    assert found["labels"] and len(found["bboxes"]) == len(found["labels"])


@pytest.mark.parametrize("attention", ("eager", "sdpa"))
def test_both_kinds_of_attention_say_the_same(processor, model, picture, attention):
    assert said(loaded(attn_implementation=attention), processor, picture, num_beams=1) == said(
        model, processor, picture, num_beams=1
    )


def test_it_sees(mini, picture):
    """Coarse on purpose: how well it sees is the business of florence_nb.training.evaluate."""
    from florence_nb.scenes import GALLERY

    answer = mini.run_example(PROMPT, picture, num_beams=1)
    assert len(set(answer.labels) & {t.kind for t in GALLERY["street"].things}) >= 3


def test_a_batch_says_what_single_questions_say(mini, picture):
    requests = [("<OD>", picture), ("<CAPTION>", picture), ("<OCR>", picture)]
    together = mini.run_many(requests, batch_size=3, num_beams=1, progress=False)
    assert [answer.raw for answer in together] == [
        mini.run_example(*request, num_beams=1).raw for request in requests
    ]


def test_the_card_tells_what_it_is():
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert np.all([word in card for word in ("license", "seed", "drawn")])
