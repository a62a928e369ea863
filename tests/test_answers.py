"""An `Answer` is light: it travels without its model, is copied exactly, and keeps no model in memory."""

import copy
import dataclasses
import gc
import multiprocessing
import pickle
import weakref

import pytest
from PIL import Image

from florence_nb import Answer, Florence, InputError, explore, parse
from tests import tiny

RED = Image.new("RGB", (64, 48), "red")
RAW = "</s><s>car<loc_1><loc_2><loc_300><loc_400></s>"


def florence() -> Florence:
    processor = tiny.processor()
    return Florence(tiny.model(processor.tokenizer), processor, "tiny")


def asked(model: Florence, **settings) -> Answer:
    return model.run_example("<OD>", RED, num_beams=1, max_new_tokens=8, **settings)


def raw_of(answer: Answer) -> str:
    return answer.raw


@pytest.mark.parametrize("carry", [pickle.dumps, lambda a: pickle.dumps(dataclasses.asdict(a))])
def test_an_answer_without_its_picture_takes_less_than_twenty_kilobytes(carry):
    model = florence()
    answer = asked(model)
    answer.image = None
    assert len(carry(answer)) < 20_000


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy])
def test_a_copy_is_equal_and_knows_the_same_model(how):
    model = florence()
    answer = asked(model)
    made = how(answer)
    assert made == answer and made.florence is model and made is not answer
    made.labels.append("more")
    assert ("more" in answer.labels) == (how is copy.copy)


def test_pickle_leaves_the_model_out():
    model = florence()
    answer = asked(model)
    back = pickle.loads(pickle.dumps(answer))
    assert back == answer and back.florence is None and answer.florence is model


def test_it_goes_through_a_process_pool():
    answer = parse(RAW, "<OD>", (640, 480))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(raw_of, [answer, answer]) == [RAW, RAW]


def test_an_old_model_is_freed_while_its_answer_lives():
    model = florence()
    answer, gone = asked(model), weakref.ref(model.model)
    del model
    gc.collect()
    assert gone() is None and answer.florence is None and answer.image.size == RED.size
    with pytest.raises(InputError, match="no longer in memory"):
        explore(answer)


def test_settings_and_input_are_exact():
    answer = asked(florence(), do_sample=True, temperature=0.125, seed=3)
    assert answer.to_dict()["settings"]["temperature"] == 0.125
    answer.text_input = (1.23456, 2.0, 3.0, 4.0)
    assert answer.to_dict()["text_input"] == [1.23456, 2.0, 3.0, 4.0]


def test_every_region_has_a_kind_a_label_a_score_and_outlines():
    answer = parse(RAW, "<OD>", (1000, 1000), location_scores=[0.0, 0.0, 0.0, 0.0])
    (region,) = answer.regions
    assert (region.kind, region.label, region.score) == ("box", "car", 1.0)
    assert region.box == (1.5, 2.5, 300.5, 400.5) and region.outlines[0].shape == (4, 2)


def test_a_mask_without_a_name_goes_by_the_phrase():
    raw = "</s><s><loc_1><loc_1><loc_90><loc_1><loc_90><loc_90></s>"
    answer = parse(raw, "<REFERRING_EXPRESSION_SEGMENTATION>", (100, 100))
    assert [region.label for region in answer.regions] == [""]
    answer.text_input = "the car"
    assert [(r.kind, r.label) for r in answer.regions] == [("polygon", "the car")]
