"""The cross-attention's keys and values are computed once a row, and nothing comes out differently."""

import pytest

from florence_nb import florence as module
from florence_nb.scenes import random_scene

REQUESTS = [
    (task, random_scene(seed).image)
    for seed in (5, 6)
    for task in ("<OD>", "<DETAILED_CAPTION>", "<OCR_WITH_REGION>")
]


def tokens(florence, batch_size, **settings):
    florence.forget()
    answers = florence.run_many(
        REQUESTS, batch_size=batch_size, progress=False, max_new_tokens=60, **settings
    )
    return [answer.token_ids for answer in answers]


@pytest.mark.parametrize("batch_size", (1, 4))
@pytest.mark.parametrize(
    "settings", ({"num_beams": 1}, {"num_beams": 3}, {"num_beams": 2, "do_sample": True, "seed": 3}), ids=str
)
def test_answers_are_those_of_generate_left_alone(mini, monkeypatch, settings, batch_size):
    ours = tokens(mini, batch_size, **settings)
    monkeypatch.setattr(module, "cross_attention_cache", lambda *_: {})
    assert ours == tokens(mini, batch_size, **settings)


def test_three_beams_project_the_encoded_picture_once(mini):
    rows = []
    for layer in mini.model.model.language_model.decoder.layers:
        hook = layer.encoder_attn.k_proj.register_forward_hook(
            lambda _, inputs, __: rows.append(len(inputs[0]))
        )
        try:
            mini.run_example("<OD>", REQUESTS[0][1], num_beams=3)
        finally:
            hook.remove()
        assert rows == [1]
        rows.clear()


@pytest.mark.parametrize("setting", ({"use_cache": False}, {"cache_implementation": "static"}), ids=str)
def test_a_cache_of_the_callers_choice_is_kept(mini, setting):
    plain = mini.run_example("<OD>", REQUESTS[0][1])
    assert mini.run_example("<OD>", REQUESTS[0][1], **setting).token_ids == plain.token_ids
