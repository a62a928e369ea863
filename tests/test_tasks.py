"""The table of prompts, the text each becomes, and the sentence that every wrong input gets."""

import re

import numpy as np
import pytest

from florence_nb.errors import InputError
from florence_nb.tasks import TASKS, build_prompt, get_task
from tests import tiny

SIZE = (640, 480)
REGION = [task for task in TASKS.values() if task.takes == "region"]
PHRASE = [task for task in TASKS.values() if task.takes == "phrase"]
NOTHING = [task for task in TASKS.values() if task.takes == "nothing"]


@pytest.fixture(scope="module")
def processor():
    return tiny.processor()


def test_there_are_fifteen_tasks_and_the_table_is_read_only():
    assert len(TASKS) == 15 and (len(NOTHING), len(PHRASE), len(REGION)) == (8, 3, 4)
    with pytest.raises(TypeError):
        TASKS["<NEW>"] = TASKS["<OD>"]


def test_sentences_are_those_of_the_installed_processor(processor):
    theirs = processor.task_prompts_without_inputs | processor.task_prompts_with_input
    assert {task.prompt: task.sentence for task in TASKS.values()} == theirs


def test_every_example_is_accepted_and_becomes_its_sentence(processor):
    for task in TASKS.values():
        prompt = build_prompt(task.prompt, task.example, SIZE)
        assert processor._construct_prompts(prompt) == [task.sentence.format(input=task.example)]


def test_blanks_around_the_marker_and_phrase_do_no_harm():
    assert get_task(" <OD>\n") is TASKS["<OD>"]
    assert (
        build_prompt("<OPEN_VOCABULARY_DETECTION>", "  a car\n", SIZE) == "<OPEN_VOCABULARY_DETECTION>a car"
    )


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("<od>", "did you mean <OD>?"),
        ("OD", "did you mean <OD>?"),
        ("<OPEN_VOCABULARY_OD>", "<OPEN_VOCABULARY_DETECTION>"),
        ("caption to phrase grounding", "did you mean <CAPTION_TO_PHRASE_GROUNDING>?"),
        ("<OCR-WITH-REGION>", "did you mean <OCR_WITH_REGION>?"),
        ("<OD> cats", "leave 'cats' out"),
        ("<REGION_TO_OCR><loc_1>", "text_input='<loc_1>'"),
        ("what is this?", "The task prompts: <CAPTION>"),
        ("", "The task prompts: <CAPTION>"),
        (None, "not NoneType"),
    ],
)
def test_a_wrong_task_is_told_the_right_one(wrong, meant):
    with pytest.raises(InputError, match=re.escape(meant)):
        get_task(wrong)


@pytest.mark.parametrize("task", NOTHING, ids=lambda task: task.prompt)
def test_tasks_without_input_refuse_text(task):
    assert build_prompt(task.prompt, None, SIZE) == build_prompt(task.prompt, " ", SIZE) == task.prompt
    with pytest.raises(InputError, match="takes no text_input"):
        build_prompt(task.prompt, "a cat", SIZE)


@pytest.mark.parametrize("task", PHRASE + REGION, ids=lambda task: task.prompt)
@pytest.mark.parametrize("nothing", [None, "", " \n"])
def test_tasks_with_input_ask_for_it(task, nothing):
    with pytest.raises(InputError, match="needs text_input: a (phrase|region)"):
        build_prompt(task.prompt, nothing, SIZE)


@pytest.mark.parametrize("phrase", ["a <image>", "</s>", "x<loc_5>", "<OD>", "<pad>cat", "<poly>", "<sep>"])
def test_a_phrase_with_special_tokens_is_refused(phrase):
    with pytest.raises(InputError, match="special token"):
        build_prompt("<OPEN_VOCABULARY_DETECTION>", phrase, SIZE)


@pytest.mark.parametrize("phrase", ["car<and>bus", "a < b", "ein grünes 車 {input}", "<3"])
def test_other_phrases_go_through_unchanged(phrase):
    assert build_prompt("<OPEN_VOCABULARY_DETECTION>", phrase, SIZE).endswith(">" + phrase)


@pytest.mark.parametrize("phrase", [5, ["a car"], (1, 2, 3, 4)])
def test_a_phrase_is_a_string(phrase):
    with pytest.raises(InputError, match="needs a phrase such as"):
        build_prompt("<CAPTION_TO_PHRASE_GROUNDING>", phrase, SIZE)


@pytest.mark.parametrize("kind", [tuple, list, np.array, lambda box: np.array(box, dtype=np.float32)])
def test_a_region_in_pixels_becomes_four_locations(kind):
    prompt = build_prompt("<REGION_TO_CATEGORY>", kind([0, 240, 320, 480]), SIZE)
    assert prompt == "<REGION_TO_CATEGORY><loc_0><loc_500><loc_500><loc_999>"


def test_a_region_may_be_given_as_tokens():
    tokens = "<loc_1><loc_2><loc_30><loc_999>"
    assert build_prompt("<REGION_TO_OCR>", f" {tokens} ", SIZE) == "<REGION_TO_OCR>" + tokens


@pytest.mark.parametrize(
    ("region", "why"),
    [
        ((50, 50, 40, 60), "empty or inverted"),
        ((50, 50, 60, 40), "empty or inverted"),
        ((50, 50, 50, 60), "empty or inverted"),
        ((-1, 0, 10, 10), "640 pixels wide and 480 high"),
        ((0, 0, 641, 10), "640 pixels wide and 480 high"),
        ((0, 0, 10, 480.5), "640 pixels wide and 480 high"),
        ((0, 0, float("nan"), 10), "not finite"),
        ((0, 0, float("inf"), 10), "not finite"),
        ((0, 0, 10), "not 3 numbers"),
        (np.zeros((2, 4)), "one region at a time"),
        (7, "needs a region"),
        (["a", "b", "c", "d"], "needs a region"),
        ({"x": 1}, "needs a region"),
        ("[3.8, 229.3, 796.2, 728.4]", "exactly four <loc_…> tokens"),
        ("segment all visible objects", "exactly four <loc_…> tokens"),
        ("<loc_1><loc_2><loc_3>", "exactly four <loc_…> tokens"),
        ("<loc_1><loc_2><loc_3><loc_1000>", "locations end at <loc_999>"),
        ("<loc_9><loc_2><loc_3><loc_5>", "inverted"),
    ],
)
@pytest.mark.parametrize("task", REGION, ids=lambda task: task.prompt)
def test_a_wrong_region_is_told_why(task, region, why):
    with pytest.raises(InputError, match=re.escape(why)):
        build_prompt(task.prompt, region, SIZE)


@pytest.mark.parametrize(
    ("region", "words"),
    [
        ((0.25, 0.25, 0.75, 0.75), "multiply x by its width (640) and y by its height (480)"),
        ((0, 0, 1, 1), "shares of the picture"),
        ((100, 100, 50, 60), "if it is x, y, width, height, give (100, 100, 150, 160)"),
        ((100, 100, 100.5, 200), "too small to hold anything"),
        ((10, 10, 300, 11), "too small to hold anything"),
        ((600, 10, 700, 20), "leaves the picture"),
    ],
)
def test_regions_that_cannot_be_meant(region, words):
    with pytest.raises(InputError) as caught:
        build_prompt("<REGION_TO_CATEGORY>", region, (640, 480))
    assert words in str(caught.value)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 3), (8, 8)])
def test_a_tiny_picture_can_be_asked_as_a_whole(size):
    assert build_prompt("<REGION_TO_CATEGORY>", (0, 0, *size), size).count("<loc_") == 4


def test_half_a_character_is_refused():
    with pytest.raises(InputError, match="half a character"):
        build_prompt("<OPEN_VOCABULARY_DETECTION>", "a car \ud83d", (640, 480))
