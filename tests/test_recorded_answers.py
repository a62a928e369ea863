"""What the real models said, replayed: answers recorded in the integration tests of transformers.

(tests/models/florence2, commit 001f85b.) They come with the package, as `fnb.load("recorded")`. Its file
holds for each answer also the ids of the prompt, and the dictionary of the native processor, whose pixels are
bin centres with the fraction cut off. The two photographs have 1300x876 and 640x480 pixels.
"""

import json

import numpy as np
import pytest

from florence_nb.parsing import parse
from florence_nb.recording.replay import SHIPPED, load_record
from florence_nb.tasks import TASKS, build_prompt
from tests import tiny

FILE = json.loads(SHIPPED.read_text(encoding="utf-8"))
SIZES = {row["name"]: row["size"] for row in FILE["pictures"]}
RECORDED = [{"text_input": None} | row | {"image_size": SIZES[row["picture"]]} for row in FILE["answers"]]
# The vocabulary that Florence-2 adds to BART's, in order; <image> is added last.
ADDED = (
    ["<od>", "</od>", "<ocr>", "</ocr>"]
    + [f"<loc_{n}>" for n in range(1000)]
    + [
        "<cap>",
        "</cap>",
        "<ncap>",
        "</ncap>",
        "<dcap>",
        "</dcap>",
        "<grounding>",
        "</grounding>",
        "<seg>",
        "</seg>",
        "<sep>",
    ]
    + [
        "<region_cap>",
        "</region_cap>",
        "<region_to_desciption>",
        "</region_to_desciption>",
        "<proposal>",
        "</proposal>",
    ]
    + ["<poly>", "</poly>", "<and>", "<image>"]
)


def named(case):
    return f"{case['checkpoint']}-{case['task']}"


def cut(value):
    """Pixels with the fraction cut off, as the native processor gives them."""
    if isinstance(value, dict):
        return {key: cut(item) for key, item in value.items()}
    if isinstance(value, list):
        return [cut(item) for item in value]
    return int(np.float32(value)) if isinstance(value, float) else value


@pytest.fixture(scope="module")
def tokenizer(large_files):
    from transformers import PreTrainedTokenizerFast

    made = PreTrainedTokenizerFast(tokenizer_file=str(large_files / "tokenizer.json"))
    made.add_tokens(ADDED, special_tokens=True)
    return made


def test_all_of_them_are_here():
    assert len(RECORDED) == 11 and {case["checkpoint"] for case in RECORDED} == {"base", "large"}


@pytest.mark.parametrize("case", RECORDED, ids=named)
def test_parsed_as_recorded(case):
    answer = parse(case["raw"], case["task"], case["image_size"], ended=case["ended"])
    assert cut(answer.parsed[case["task"]]) == case["parsed"]
    assert answer.truncated is not case["ended"]
    assert len(answer.notes) == answer.truncated


@pytest.mark.parametrize("case", RECORDED, ids=named)
def test_replayed_as_recorded(case):
    real = load_record("recorded", quiet=True).of(case["checkpoint"])
    answer = real.run_example(case["task"], real.pictures[case["picture"]], case["text_input"])
    assert cut(answer.parsed[case["task"]]) == case["parsed"] and answer.raw == case["raw"]


@pytest.mark.parametrize("case", RECORDED, ids=named)
def test_the_native_processor_agrees(case):
    """But for <pad>, which it leaves in captions."""
    native = tiny.processor().post_process_generation(
        case["raw"].replace("<pad>", ""), None, case["task"], case["image_size"]
    )
    assert native == {case["task"]: case["parsed"]}


@pytest.mark.parametrize("case", RECORDED, ids=named)
def test_typed_fields_hold_every_region(case):
    answer = parse(case["raw"], case["task"], case["image_size"], ended=case["ended"])
    assert len(answer.labels) == len(answer.boxes) + len(answer.quads) + len(answer.polygons)
    assert bool(answer.text)
    if TASKS[case["task"]].gives == "text":
        assert answer.text == case["parsed"] and not answer.labels


@pytest.mark.parametrize("case", [case for case in RECORDED if "token_ids" in case], ids=named)
def test_the_real_tokenizer_decodes_the_ids_to_the_raw_string(case, tokenizer):
    assert tokenizer.decode(case["token_ids"], skip_special_tokens=False) == case["raw"]


@pytest.mark.parametrize("case", RECORDED, ids=named)
def test_our_prompt_becomes_the_recorded_ids(case, tokenizer):
    prompt = build_prompt(case["task"], case["text_input"], case["image_size"])
    sentence = tiny.processor()._construct_prompts(prompt)[0]
    assert tokenizer(f"<s>{sentence}</s>", add_special_tokens=False).input_ids == case["prompt_ids"]


def test_the_real_location_tokens_are_where_the_reference_says(tokenizer):
    assert tokenizer.convert_tokens_to_ids(
        ["<od>", "<loc_0>", "<loc_999>", "<poly>", "</poly>", "<and>", "<image>"]
    ) == [50265, 50269, 51268, 51286, 51287, 51288, 51289]


def test_a_region_prompt_becomes_location_tokens(tokenizer):
    prompt = build_prompt("<REGION_TO_CATEGORY>", (33.6, 159.6, 596.8, 371.76), (640, 480))
    sentence = tiny.processor()._construct_prompts(prompt)[0]
    ids = tokenizer(f"<s>{sentence}</s>", add_special_tokens=False).input_ids
    assert ids == [0, 2264, 16, 5, 976, 1437, 50269 + 52, 50269 + 332, 50269 + 932, 50269 + 774, 116, 2]


def test_floats_are_those_of_the_remote_code():
    """The box list that Microsoft's own code gives for the recorded <OD> answer."""
    case = next(case for case in RECORDED if case["task"] == "<OD>")
    expected = [
        [34.23999786376953, 160.0800018310547, 597.4400024414062, 371.7599792480469],
        [272.32000732421875, 241.67999267578125, 303.67999267578125, 247.4399871826172],
        [454.0799865722656, 276.7200012207031, 553.9199829101562, 370.79998779296875],
        [96.31999969482422, 280.55999755859375, 198.0800018310547, 371.2799987792969],
    ]
    np.testing.assert_allclose(parse(case["raw"], "<OD>", (640, 480)).boxes, expected, rtol=1e-6)


def test_the_cut_mask_of_large_begins_as_recorded():
    """Of this answer only the beginning and the end were written down."""
    raw = "</s><s><s><s><loc_279><loc_377><loc_282><loc_375><loc_285><loc_375><loc_293><loc_368></s>"
    answer = parse(raw, "<REFERRING_EXPRESSION_SEGMENTATION>", (640, 480), ended=False)
    assert cut(answer.parsed[answer.task]["polygons"]) == [[[178, 181, 180, 180, 182, 180, 187, 176]]]
    assert answer.truncated and "raise max_new_tokens" in answer.notes[0]


# The remaining cases are those of the processing test (commit 37a7b82), made up by its authors.
CAR = "</s><s>car<loc_53><loc_334><loc_933><loc_775>door handle<loc_425><loc_504><loc_474><loc_516></s><pad>"
THIRTEEN = (
    "</s><s><loc_53><loc_334><loc_933><loc_775><loc_711><loc_203><loc_906><loc_546>"
    "<loc_585><loc_309><loc_774><loc_709><loc_577></s><pad>"
)
OUTLINE = (
    "<loc_279><loc_379><loc_282><loc_379><loc_290><loc_373>"
    "<loc_293><loc_373><loc_298><loc_369><loc_301><loc_369>"
)


def test_boxes_with_and_without_labels():
    answer = parse(CAR, "<OD>", (1000, 1000))
    assert cut(answer.parsed) == {
        "<OD>": {"bboxes": [[53, 334, 933, 775], [425, 504, 474, 516]], "labels": ["car", "door handle"]}
    }
    answer = parse(THIRTEEN, "<REGION_PROPOSAL>", (1000, 1000))
    assert cut(answer.parsed[answer.task]["bboxes"]) == [
        [53, 334, 933, 775],
        [711, 203, 906, 546],
        [585, 309, 774, 709],
    ]
    assert answer.labels == ["", "", ""] and "no whole region" in answer.notes[0]


def test_a_polygon():
    answer = parse(OUTLINE, "<REGION_TO_SEGMENTATION>", (1000, 1000))
    assert cut(answer.parsed[answer.task]["polygons"]) == [
        [[279, 379, 282, 379, 290, 373, 293, 373, 298, 369, 301, 369]]
    ]


def test_grounding_drops_the_image_and_says_so():
    raw = (
        "red car<loc_1><loc_2><loc_3><loc_4><loc_5><loc_6><loc_7><loc_8>the image<loc_0><loc_0><loc_9><loc_9>"
        "sky<loc_0><loc_0><loc_1000><loc_300></s>"
    )
    answer = parse(raw, "<CAPTION_TO_PHRASE_GROUNDING>", (1000, 1000))
    assert answer.labels == ["red car", "red car", "sky"]
    assert cut(answer.boxes[-1].tolist()) == [0, 0, 999, 300]
    assert "'the image'" in answer.notes[0] and "<loc_999>" in answer.notes[1]


def test_plain_text():
    assert parse("<s>Hello world</s>", "<CAPTION>", (1, 1)).parsed == {"<CAPTION>": "Hello world"}
