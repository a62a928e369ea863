"""Any token sequence parses, and what is well-formed parses as the native processor does."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from florence_nb.parsing import NEVER_GROUNDED, parse
from florence_nb.tasks import SPECIAL_TOKENS, TASKS
from tests import tiny
from tests.token_soup import check_answers

LOCATION = st.integers(0, 999).map("<loc_{}>".format)
RUN = st.lists(LOCATION, min_size=1, max_size=9).map("".join)
ODD = st.sampled_from(
    [
        "<loc_1000>",
        "<loc_",
        "<loc_1",
        "<",
        ">",
        "\n",
        " ",
        "it",
        "the image",
        "<loc_99999999999>",
        "\ud800",
        "\x00",
    ]
)
WORDS = st.text(max_size=12)
SOUP = st.lists(
    st.one_of(LOCATION, RUN, WORDS, st.sampled_from(sorted(SPECIAL_TOKENS)), ODD), max_size=40
).map("".join)
SIZE = st.tuples(st.integers(1, 20_000), st.integers(1, 20_000))
LABEL = (
    st.text("abcdefghij klm", min_size=1, max_size=12)
    .map(str.strip)
    .filter(lambda word: word and word not in NEVER_GROUNDED)
)
PROCESSOR = tiny.processor()


def several(count, separator=""):
    return st.lists(LOCATION, min_size=count, max_size=count).map(separator.join)


def numbers(value):
    if isinstance(value, dict):
        return [n for item in value.values() for n in numbers(item)]
    if isinstance(value, list):
        return [n for item in value for n in numbers(item)]
    return [] if isinstance(value, str) else [value]


def shape(value):
    """The dictionary with every number replaced by 0: its layout and labels."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return value if isinstance(value, str) else 0


def check(answer, size):
    width, height = size
    assert answer.boxes.shape == (len(answer.boxes), 4) and answer.boxes.dtype == np.float32
    assert answer.quads.shape == (len(answer.quads), 4, 2) and answer.quads.dtype == np.float32
    assert len(answer.labels) == len(answer.boxes) + len(answer.quads) + len(answer.polygons)
    assert (answer.boxes[:, :2] <= answer.boxes[:, 2:]).all()
    assert all(parts and all(len(part) >= 3 for part in parts) for parts in answer.polygons)
    points = [answer.boxes.reshape(-1, 2), answer.quads.reshape(-1, 2)] + [
        part for parts in answer.polygons for part in parts
    ]
    points = np.concatenate(points)
    assert ((points >= 0) & (points <= [width, height])).all()
    assert all("<pad>" not in label and label == label.strip() for label in answer.labels)
    json.dumps(answer.to_dict())
    assert repr(answer)


@settings(max_examples=300, deadline=None)
@given(SOUP, st.sampled_from(sorted(TASKS)), SIZE)
def test_any_sequence_parses(raw, task, size):
    check(parse(raw, task, size), size)


@settings(max_examples=150, deadline=None)
@given(st.text(), st.sampled_from(sorted(TASKS)))
def test_any_text_parses(raw, task):
    check(parse(raw, task, (640, 480)), (640, 480))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.one_of(LOCATION, LABEL, st.sampled_from(["<sep>", "<poly>", "</poly>"])), max_size=40),
    st.sampled_from(sorted(TASKS)),
)
def test_one_score_a_region_between_zero_and_one(tokens, task):
    raw = "".join(tokens) + "</s>"
    answer = parse(raw, task, (640, 480), location_scores=np.linspace(-3, 0, raw.count("<loc_")))
    if TASKS[task].gives == "text":
        assert answer.scores is None
    else:
        assert (
            answer.scores.shape == (len(answer.labels),)
            and ((answer.scores > 0) & (answer.scores <= 1)).all()
        )


@settings(max_examples=150, deadline=None)
@given(SOUP, st.sampled_from(sorted(TASKS)))
def test_no_location_is_lost_without_a_word(raw, task):
    """Every location is either in the result or told of in the notes."""
    answer = parse(raw, task, (640, 480))
    if TASKS[task].gives != "text" and not any(
        "left out" in note or "no box" in note for note in answer.notes
    ):
        valid = [
            piece
            for piece in raw.split("<loc_")[1:]
            if piece.split(">")[0].isascii() and piece.split(">")[0].isdigit()
        ]
        valid = [piece for piece in valid if ">" in piece and len(piece.split(">")[0]) <= 4]
        assert len(numbers(answer.parsed)) == len(valid)


def well_formed(task):
    """Strategy: answers in the form that the real models give."""
    gives = TASKS[task].gives
    if gives == "text":
        return st.text("abc def.", max_size=40)
    if gives == "boxes":
        label = st.just("") if task == "<REGION_PROPOSAL>" else LABEL
        boxes = st.lists(several(4), min_size=1, max_size=3).map("".join)
        return st.lists(st.tuples(label, boxes).map("".join), max_size=5).map("".join)
    if gives == "quads":
        return st.lists(st.tuples(LABEL, several(8)).map("".join), max_size=5).map("".join)
    parts = st.lists(st.integers(3, 9).flatmap(lambda n: several(2 * n)), min_size=1, max_size=3).map(
        "<sep>".join
    )
    if gives == "polygons":
        return parts
    boxes = st.lists(st.tuples(LABEL, several(4)).map("".join), max_size=5)
    masks = st.lists(st.tuples(LABEL, parts.map("<poly>{}</poly>".format)).map("".join), max_size=4)
    return st.one_of(boxes, masks).map("".join)


def ordered(parsed):
    for box in parsed.get("bboxes", []) if isinstance(parsed, dict) else []:
        box[:] = [min(box[0], box[2]), min(box[1], box[3]), max(box[0], box[2]), max(box[1], box[3])]
    return parsed


@pytest.mark.parametrize("task", sorted(TASKS))
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_well_formed_answers_equal_the_native_ones(task, data):
    """Same layout and labels; numbers differ by the fraction that the native processor cuts off."""
    raw = f"</s><s>{data.draw(well_formed(task))}</s>"
    native = ordered(PROCESSOR.post_process_generation(raw, task=task, image_size=(640, 480))[task])
    answer = parse(raw, task, (640, 480))
    assert shape(answer.parsed[task]) == shape(native) and answer.notes == ()
    gaps = np.subtract(numbers(answer.parsed[task]), numbers(native))
    assert ((gaps >= 0) & (gaps <= 1)).all()


def test_ten_thousand_random_answers_are_parsed_without_a_fault():
    assert check_answers(10_000, seed=0) > 5_000
