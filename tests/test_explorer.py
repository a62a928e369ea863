"""The token explorer: probabilities, runners-up, attention and beams, on a tiny model with random weights."""

import math

import numpy as np
import pytest

from florence_nb import InputError, parse
from florence_nb.florence import Florence
from florence_nb.scenes.scene import Scene, Thing
from florence_nb.widgets import explorer_model
from florence_nb.widgets.explorer_model import (
    Words,
    attention_map,
    attention_overlay,
    beam_tree,
    points,
    token_table,
)

from . import tiny

RAW = "<s>a car<loc_100><loc_200><loc_600><loc_800></s>"
SCENE = Scene((Thing("car", "red", (0.4, 0.6), 0.4),), "field", (384, 288), 3)


@pytest.fixture(scope="module")
def florence():
    processor = tiny.processor()
    return Florence(tiny.model(processor.tokenizer), processor, "tiny")


@pytest.fixture(scope="module")
def answer(florence):
    script = tiny.Script(florence.processor.tokenizer, RAW)
    return florence.run_example("<OD>", SCENE.image, num_beams=1, logits_processor=[script])


@pytest.fixture(scope="module")
def tokens(answer):
    return token_table(answer)


def test_one_row_for_each_token_that_was_written(answer, tokens):
    assert [token.id for token in tokens] == list(answer.token_ids[1:])
    assert "".join(token.text for token in tokens) == RAW


def test_probabilities_are_those_of_the_plain_loop(florence, answer, tokens):
    import torch

    prompt = florence.processor(text="<OD>", images=SCENE.image, return_tensors="pt")
    with torch.no_grad():
        logits = florence.model(**prompt, decoder_input_ids=torch.tensor([answer.token_ids[:-1]])).logits[0]
    expected = logits.softmax(dim=-1)[range(len(tokens)), list(answer.token_ids[1:])]
    assert np.allclose([token.probability for token in tokens], expected, atol=1e-6)


def test_five_runners_up_best_first_without_the_token_itself(florence, tokens):
    words = Words(florence.processor.tokenizer)
    for token in tokens:
        shares = [share for _, share in token.runners_up]
        assert len(shares) == 5 and shares == sorted(shares, reverse=True)
        assert words.text(token.id) not in [text for text, _ in token.runners_up]
        assert token.probability + sum(shares) <= 1 + 1e-6


def test_attention_is_the_models_own_cross_attention(florence, answer, tokens):
    import torch

    florence.model.set_attn_implementation("eager")
    try:
        prompt = florence.processor(text="<OD>", images=SCENE.image, return_tensors="pt")
        with torch.no_grad():
            output = florence.model(
                **prompt, decoder_input_ids=torch.tensor([answer.token_ids[:-1]]), output_attentions=True
            )
    finally:
        florence.model.set_attn_implementation("sdpa")
    expected = output.cross_attentions[0][0].mean(dim=0)
    for token, row in zip(tokens, expected.numpy()):
        assert token.attention.shape == (1, 2, 2)
        assert np.allclose(token.attention[0].ravel(), row[1 : tiny.IMAGE_TOKENS], atol=1e-5)
        assert math.isclose(token.average[0], row[0], abs_tol=1e-5)
        assert math.isclose(token.attention.sum() + token.average[0] + token.prompt[0], 1, abs_tol=1e-4)


def test_the_model_is_left_as_it_was(florence, answer):
    florence.model.train()
    try:
        token_table(answer)
        assert florence.model.training and florence.model.config._attn_implementation == "sdpa"
    finally:
        florence.model.eval()


def test_locations_know_their_axis_and_pixel(tokens):
    places = [token.place for token in tokens if token.place]
    assert [(place.axis, round(place.pixel, 2)) for place in places] == [
        (0, 38.59),
        (1, 57.74),
        (0, 230.59),
        (1, 230.54),
    ]
    assert [(round(x), round(y)) for _, x, y in points(tokens)] == [(39, 58), (231, 231)]
    assert [token.text for token in tokens if token.special] == ["<s>", "</s>"]


def test_an_answer_without_ids_is_split_again(florence, answer, tokens):
    again = parse(answer.raw, "<OD>", SCENE.size)
    again.florence, again.image = florence, SCENE.image
    assert [token.id for token in token_table(again)] == [token.id for token in tokens]


def test_long_answers_are_told_in_part(answer, tokens, monkeypatch):
    monkeypatch.setattr(explorer_model, "MOST_TOKENS", 4)
    told = [token.probability for token in token_table(answer)]
    assert told == pytest.approx([token.probability for token in tokens[:4]], rel=1e-4)


@pytest.mark.parametrize("missing", ["florence", "image"])
def test_what_is_missing_is_said(answer, florence, missing):
    lone = parse(answer.raw, "<OD>", SCENE.size)
    lone.florence, lone.image = florence, SCENE.image
    setattr(lone, missing, None)
    with pytest.raises(InputError, match="model" if missing == "florence" else "picture"):
        token_table(lone)


def test_the_picture_is_lit_where_it_was_looked_at(answer, tokens):
    from dataclasses import replace

    corner = np.array([[[0.9, 0.0], [0.0, 0.0]]], np.float32)
    lit = attention_overlay(answer, [replace(tokens[0], attention=corner)], 0, width=200)
    pixels = np.asarray(lit, float)
    assert lit.size == (200, 150)
    assert pixels[:50, :60].mean() > 1.5 * pixels[100:, 140:].mean()


def test_a_location_is_marked_on_the_picture(answer, tokens):
    index = next(i for i, token in enumerate(tokens) if token.place)
    marked = np.asarray(attention_overlay(answer, tokens, index, width=384))
    assert tuple(marked[280, 38]) == (90, 215, 255)


def test_a_layer_of_its_own(tokens):
    assert np.allclose(attention_map(tokens[0], 1), tokens[0].attention[0])
    assert np.allclose(attention_map(tokens[0]), tokens[0].attention.mean(axis=0))


def leaves(twigs, before="", sure=1.0):
    for twig in twigs:
        if twig.rank is not None:
            yield twig.rank, before + twig.text, sure * twig.probability
        yield from leaves(twig.next, before + twig.text, sure * twig.probability)


def test_beams_as_a_tree(florence):
    answer = florence.run_example("<CAPTION>", SCENE.image, num_beams=3, max_new_tokens=6)
    tree = beam_tree(answer, beams=3)
    told = {rank: (text, sure) for rank, text, sure in leaves(tree)}
    assert sorted(told) == [1, 2, 3]
    assert told[1][0] == florence.processor.tokenizer.decode(answer.token_ids[1:])
    assert told[1][1] == pytest.approx(
        math.prod(token.probability for token in token_table(answer)), rel=1e-4
    )


def test_shared_beginnings_grow_one_twig():
    rows = [[(1, -0.1), (2, -0.2), (3, -0.3)], [(1, -0.1), (2, -0.2), (4, -0.1)]]

    class Numbers(Words):
        def __init__(self):
            pass

        def texts(self, ids):
            return "".join(map(str, ids))

    (stem,) = explorer_model._grown(rows, [1, 2], Numbers())
    assert (stem.text, [twig.text for twig in stem.next], [twig.rank for twig in stem.next]) == (
        "12",
        ["4", "3"],
        [2, 1],
    )


def test_no_tree_for_long_answers(answer, monkeypatch):
    monkeypatch.setattr(explorer_model, "MOST_IN_TREE", 5)
    assert beam_tree(answer) == ()


def test_the_panel_follows_the_chosen_token(answer, tokens):
    from florence_nb.widgets.explorer import explore

    panel = explore(answer, beams=2)
    before = panel.picture.value
    panel.chips.selected = next(i for i, token in enumerate(tokens) if token.place)
    assert panel.picture.value != before and "x = 38.6 px" in panel.details.value
    before = panel.picture.value
    panel.layer.value = 1
    assert panel.picture.value == before  # the tiny model has one layer
    assert [chip["kind"] for chip in panel.chips.chips][-5:] == ["place"] * 4 + ["special"]


def test_the_panel_without_a_kernel(answer):
    from florence_nb.widgets.explorer import explore

    shown = explore(answer, beams=0)._repr_mimebundle_()
    assert repr(RAW) in shown["text/plain"] and len(shown["image/jpeg"]) > 1000


def test_explore_takes_answers_only():
    from florence_nb.widgets.explorer import explore

    with pytest.raises(InputError, match="Answer"):
        explore("a car")
