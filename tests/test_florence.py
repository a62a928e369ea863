"""`Florence.run_example` on a tiny random model: the same tokens as the plain loop, honest ends and scores,
clear errors.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch
from PIL import Image

from florence_nb import TASKS, Answer, Florence, InputError
from florence_nb.florence import MAX_NEW_TOKENS
from tests import tiny

INPUTS = {"nothing": None, "phrase": "a red car", "region": (5, 5, 60, 40)}
CASES = [(task.prompt, INPUTS[task.takes]) for task in TASKS.values()]
PICTURE = Image.effect_mandelbrot((90, 50), (-2, -1, 1, 1), 50).convert("RGB")


@pytest.fixture(scope="module")
def florence() -> Florence:
    processor = tiny.processor()
    return Florence(tiny.model(processor.tokenizer), processor, "tiny")


def plain_loop(florence: Florence, task: str, text_input, **settings):
    """The plain loop of lesson 03, on the same model."""
    from florence_nb import build_prompt

    prompt = build_prompt(task, text_input, PICTURE.size)
    inputs = florence.processor(text=prompt, images=PICTURE, return_tensors="pt")
    with torch.no_grad():
        return florence.model.generate(**inputs, **settings)


def says(florence: Florence, raw: str, task: str = "<OD>", text_input=None, **settings) -> Answer:
    script = [tiny.Script(florence.processor.tokenizer, raw)]
    return florence.run_example(task, PICTURE, text_input, logits_processor=script, **settings)


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("task, text_input", CASES)
def test_same_tokens_as_the_plain_loop(florence, task, text_input, beams):
    settings = {"max_new_tokens": 12, "num_beams": beams, "do_sample": False}
    answer = florence.run_example(task, PICTURE, text_input, **settings)
    expected = plain_loop(florence, task, text_input, **settings)
    assert list(answer.token_ids) == expected[0].tolist()
    assert answer.raw == florence.processor.batch_decode(expected, skip_special_tokens=False)[0]


@pytest.mark.parametrize("task, text_input", CASES)
def test_the_prompt_is_the_processors(florence, task, text_input):
    from florence_nb import build_prompt

    inputs = florence.processor(
        text=build_prompt(task, text_input, PICTURE.size), images=PICTURE, return_tensors="pt"
    )
    question = florence.prepare(task, PICTURE, text_input)
    assert [florence.processor.image_token_id] * tiny.IMAGE_TOKENS + list(question.ids) == inputs[
        "input_ids"
    ][0].tolist()


def test_an_answer_carries_what_made_it(florence):
    answer = florence.run_example(
        "<CAPTION_TO_PHRASE_GROUNDING>", PICTURE, "a red car", max_new_tokens=9, no_repeat_ngram_size=2
    )
    assert (
        answer.florence is florence and answer.image.size == PICTURE.size and answer.text_input == "a red car"
    )
    assert answer.settings == {
        "max_new_tokens": 9,
        "num_beams": 3,
        "do_sample": False,
        "no_repeat_ngram_size": 2,
    }
    assert answer.raw == florence.processor.tokenizer.decode(answer.token_ids)


@pytest.mark.parametrize("beams", [1, 3])
def test_scores_are_those_of_compute_transition_scores(florence, beams):
    settings = {"max_new_tokens": 30, "num_beams": beams, "do_sample": False}
    answer = florence.run_example("<OD>", PICTURE, **settings)
    out = plain_loop(florence, "<OD>", None, output_scores=True, return_dict_in_generate=True, **settings)
    beam_indices = out.beam_indices if beams > 1 else None
    certain = florence.model.compute_transition_scores(
        out.sequences, out.scores, beam_indices, normalize_logits=beams == 1
    )
    places = florence.processor.tokenizer.convert_tokens_to_ids([f"<loc_{n}>" for n in range(1000)])
    locations = [
        float(c)
        for c, token in zip(certain[0], out.sequences[0][1:].tolist(), strict=True)
        if token in places
    ]
    again = florence.processor.tokenizer.decode(out.sequences[0])
    from florence_nb import parse

    expected = parse(again, "<OD>", PICTURE.size, location_scores=locations).scores
    assert len(expected) > 1
    np.testing.assert_allclose(answer.scores, expected, rtol=1e-4)


def test_scores_are_probabilities_one_per_region(florence):
    answer = says(florence, "<s>car<loc_10><loc_20><loc_300><loc_400><loc_1><loc_2><loc_3><loc_4></s>")
    assert answer.labels == ["car", "car"] and answer.scores.shape == (2,)
    assert ((answer.scores > 0) & (answer.scores < 1)).all() and answer.scores[0] != answer.scores[1]


def test_a_caption_has_no_regions_to_score(florence):
    answer = says(florence, "<s>a green car</s>", "<CAPTION>")
    assert answer.text == "a green car" and (answer.scores is None or len(answer.scores) == 0)


def test_locations_spelt_in_letters_do_no_harm(florence):
    words = florence.processor.tokenizer
    letters = words.convert_tokens_to_ids(list("<loc_5>"))
    script = tiny.Script(words, "<s>car</s>")
    script.ids[-1:-1] = letters
    answer = florence.run_example("<CAPTION>", PICTURE, logits_processor=[script])
    assert "<loc_5>" in answer.raw and answer.scores is None


def test_an_answer_that_ends_by_itself_is_complete(florence):
    answer = says(florence, "<s>car<loc_1><loc_2><loc_3><loc_4></s>", max_new_tokens=50)
    assert not answer.truncated and not answer.notes and answer.raw.endswith("</s>")
    assert answer.settings["logits_processor"] == ["Script"]


def test_a_forced_end_is_no_end(florence):
    answer = florence.run_example("<OD>", PICTURE, max_new_tokens=8, num_beams=1)
    assert answer.raw.endswith("</s>") and len(answer.token_ids) == 9
    assert answer.truncated and "cut" in answer.notes[0]


def test_an_end_at_the_very_limit_is_one_if_the_model_wanted_it(florence, monkeypatch):
    """The last token is forced whatever the model wants, so it is asked again."""
    real = florence.model.forward
    end = florence.processor.tokenizer.eos_token_id

    @functools.wraps(real)
    def wants_to_end(*args, **kwargs):
        output = real(*args, **kwargs)
        if kwargs["decoder_input_ids"].shape[1] == 8:
            output.logits[..., end] = 1e4
        return output

    monkeypatch.setattr(florence.model, "forward", wants_to_end)
    answer = florence.run_example("<OD>", PICTURE, max_new_tokens=8, num_beams=1)
    assert len(answer.token_ids) == 9 and not answer.truncated


def test_max_new_tokens_beyond_the_positions_is_clamped_and_said(florence):
    answer = florence.run_example("<OD>", PICTURE, max_new_tokens=4096, num_beams=1)
    assert answer.settings["max_new_tokens"] == tiny.POSITIONS and len(answer.token_ids) <= tiny.POSITIONS + 1
    assert (
        answer.notes[0]
        == f"max_new_tokens=4096 is more than the model's {tiny.POSITIONS} positions, so {tiny.POSITIONS}"
        " were used."
    )


def test_the_default_length_is_clamped_without_a_word(florence):
    assert MAX_NEW_TOKENS > tiny.POSITIONS
    answer = says(florence, "<s>car</s>", "<CAPTION>")
    assert not answer.notes


def test_a_prompt_over_the_positions_is_an_error(florence, capfd):
    room = tiny.POSITIONS - tiny.IMAGE_TOKENS
    with pytest.raises(
        InputError, match=rf"has \d+ tokens, .*{tiny.IMAGE_TOKENS} of the picture .* room for {room}: shorten"
    ):
        florence.run_example("<CAPTION_TO_PHRASE_GROUNDING>", PICTURE, "car " * 100)
    assert capfd.readouterr().err == ""


def test_a_prompt_of_all_positions_works(florence):
    empty = len(florence.prepare("<CAPTION_TO_PHRASE_GROUNDING>", PICTURE, "x").ids) - 1
    text = "x" * (tiny.POSITIONS - tiny.IMAGE_TOKENS - empty)
    assert florence.run_example("<CAPTION_TO_PHRASE_GROUNDING>", PICTURE, text, max_new_tokens=3)
    with pytest.raises(InputError, match="shorten"):
        florence.prepare("<CAPTION_TO_PHRASE_GROUNDING>", PICTURE, text + "x")


def test_a_seed_repeats_the_draw_and_leaves_other_draws_alone(florence):
    def ask(seed):
        return florence.run_example(
            "<OD>", PICTURE, do_sample=True, num_beams=1, seed=seed, max_new_tokens=20, temperature=2.0
        )

    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, again, other = ask(1), ask(1), ask(2)
    assert torch.equal(torch.rand(1), expected)
    assert first.raw == again.raw != other.raw and first.settings["seed"] == 1


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"max_new_tokens": 0}, "max_new_tokens is at least 1, not 0"),
        ({"max_new_tokens": 2.5}, "max_new_tokens is a whole number, not 2.5"),
        ({"num_beams": -1}, "num_beams is at least 1"),
        ({"num_beams": "three"}, "num_beams is a whole number"),
        ({"max_length": 20}, "max_length is not supported here: use max_new_tokens"),
        ({"num_return_sequences": 2}, "ask again with do_sample=True and another seed"),
        ({"output_scores": True}, "read answer.scores"),
    ],
)
def test_settings_that_cannot_be_used(florence, settings, words):
    with pytest.raises(InputError, match=words):
        florence.run_example("<OD>", PICTURE, **settings)


def test_a_setting_that_does_not_exist_is_named(florence):
    with pytest.raises(ValueError, match="tempature"):
        florence.run_example("<OD>", PICTURE, tempature=1)


@pytest.mark.parametrize(
    "arguments", [("<od>", PICTURE), ("<OD>", PICTURE, "cats"), ("<REGION_TO_OCR>", PICTURE, (9, 9, 1, 1))]
)
def test_errors_of_task_and_input_come_through(florence, arguments):
    with pytest.raises(InputError):
        florence.run_example(*arguments)


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (3, 200), (200, 3), (2000, 1)])
def test_pictures_of_any_shape(florence, size):
    answer = florence.run_example("<OD>", Image.new("RGB", size, "red"), max_new_tokens=6, num_beams=1)
    assert answer.image_size == size


def test_numpy_numbers_are_settings_too(florence):
    answer = florence.run_example(
        "<OD>", np.asarray(PICTURE), max_new_tokens=np.int64(4), num_beams=np.int32(1)
    )
    assert len(answer.token_ids) == 5


def test_the_model_may_be_in_training(florence):
    calm = florence.run_example("<OD>", PICTURE, max_new_tokens=10)
    florence.model.train()
    florence.model.model.vision_tower.eval()
    florence.forget()
    try:
        assert florence.run_example("<OD>", PICTURE, max_new_tokens=10).raw == calm.raw
        assert florence.model.training and not florence.model.model.vision_tower.training
        assert florence.model.model.language_model.training
    finally:
        florence.model.eval()


@pytest.mark.parametrize("beams", [1, 3])
def test_nothing_on_stderr_even_with_the_published_settings(florence, capfd, beams):
    settings = florence.model.generation_config
    settings.early_stopping, settings.no_repeat_ngram_size = True, 3
    try:
        florence.run_example("<OD>", PICTURE, num_beams=beams, max_new_tokens=5)
    finally:
        settings.early_stopping, settings.no_repeat_ngram_size = False, 0
    assert capfd.readouterr().err == ""


def test_full_gpu_memory_is_explained(florence, monkeypatch):
    def full(*args, **kwargs):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")

    monkeypatch.setattr(florence.model, "generate", full)
    with pytest.raises(MemoryError, match="lower num_beams, max_new_tokens or batch_size"):
        florence.run_example("<OD>", PICTURE)


def test_its_description_is_one_line(florence):
    assert repr(florence) == "Florence('tiny': 0.2 M parameters, float32 on cpu)"
    assert florence.device.type == "cpu" and florence.dtype == torch.float32
