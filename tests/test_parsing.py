"""The grammar of raw answers, piece by piece."""

import json

import numpy as np
import pytest

from florence_nb.errors import InputError
from florence_nb.parsing import parse

SIZE = (1000, 500)


def locs(*bins):
    return "".join(f"<loc_{b}>" for b in bins)


def test_one_label_may_have_several_boxes():
    answer = parse(f"</s><s>car{locs(0, 0, 9, 9)}wheel{locs(1, 1, 2, 2)}{locs(3, 3, 4, 4)}</s>", "<OD>", SIZE)
    assert answer.labels == ["car", "wheel", "wheel"] and answer.text == "car, 2 × wheel"
    assert answer.boxes.dtype == np.float32
    np.testing.assert_allclose(answer.boxes[0], [0.5, 0.25, 9.5, 4.75])
    assert answer.notes == () and not answer.truncated


def test_inverted_corners_are_put_in_order():
    assert parse(f"car{locs(9, 9, 0, 0)}</s>", "<OD>", SIZE).boxes.tolist() == [[0.5, 0.25, 9.5, 4.75]]


@pytest.mark.parametrize(
    ("raw", "labels", "note"),
    [
        (f"car{locs(1, 2, 3)}</s>", [], "no whole region were left out, after: 'car'"),
        (f"car{locs(1, 2)}dog{locs(1, 2, 3, 4)}</s>", ["dog"], "after: 'car'"),
        (f"car{locs(1, 2, 3, 4, 5)}</s>", ["car"], "after: 'car'"),
        (f"{locs(1, 2, 3, 4)}</s>", [""], None),
        (f"{locs(1)}</s>", [], "after: no words"),
        (f"car{locs(1, 2, 3, 4)}dog</s>", ["car"], "skip_special_tokens=True?): 'dog'"),
        ("car</s>", [], "skip_special_tokens=True?): 'car'"),
        (f"car<and>dog{locs(1, 2, 3, 4)}</s>", ["dog"], "'car'"),
        (f"car{locs(1, 2)}<s>{locs(3, 4)}</s>", ["car"], None),
        (f"car{locs(1, 2)} {locs(3, 4)}</s>", ["car"], None),
        (f"<od>car<unk>{locs(1, 2, 3, 4)}</od></s>", ["car"], None),
        (f"<loc_12345>{locs(1, 2, 3, 4)}</s>", ["<loc_12345>"], None),
    ],
)
def test_what_cannot_be_used_is_left_out_and_told(raw, labels, note):
    answer = parse(raw, "<OD>", SIZE)
    assert answer.labels == labels
    assert (note in answer.notes[0]) if note else answer.notes == ()


def test_many_troubles_make_one_short_note():
    raw = "".join(f"thing {n}{locs(1)}" for n in range(50)) + "</s>"
    notes = parse(raw, "<OD>", SIZE).notes
    assert notes == (
        (
            "Locations that make no whole region were left out, after: 'thing 0', 'thing 1', 'thing 2' and 47"
            " more."
        ),
    )


def test_polygons_have_parts_and_objects():
    a, b, c = locs(0, 0, 9, 0, 9, 9), locs(1, 1, 5, 1, 5, 5), locs(2, 2, 4, 2, 4, 4)
    answer = parse(f"<s>{a}<sep>{b}</s>", "<REFERRING_EXPRESSION_SEGMENTATION>", SIZE)
    assert [[part.shape for part in parts] for parts in answer.polygons] == [[(3, 2), (3, 2)]]
    assert answer.text == "mask" and answer.labels == [""]
    answer = parse(f"<s><poly>{a}</poly><poly>{b}<sep>{c}</poly></s>", "<REGION_TO_SEGMENTATION>", SIZE)
    assert [len(parts) for parts in answer.polygons] == [1, 2]
    assert answer.parsed["<REGION_TO_SEGMENTATION>"]["polygons"][0] == [[0.5, 0.25, 9.5, 0.25, 9.5, 4.75]]


def test_a_polygon_needs_three_points():
    answer = parse(
        f"{locs(0, 0, 9, 9)}<sep>{locs(0, 0, 9, 0, 9, 9, 4)}</s>", "<REGION_TO_SEGMENTATION>", SIZE
    )
    assert [part.shape for parts in answer.polygons for part in parts] == [(3, 2)]
    assert "no whole region" in answer.notes[0]


def test_a_cut_polygon_keeps_what_is_there():
    answer = parse(f"car<poly>{locs(0, 0, 9, 0, 9, 9, 4)}", "<OPEN_VOCABULARY_DETECTION>", SIZE)
    assert answer.labels == ["car"] and answer.polygons[0][0].shape == (3, 2) and answer.truncated
    answer = parse(
        f"car<poly>{locs(0, 0, 9, 0, 9, 9)}dog{locs(1, 2, 3, 4)}</s>", "<OPEN_VOCABULARY_DETECTION>", SIZE
    )
    assert answer.labels == ["dog", "car"]


@pytest.mark.parametrize(
    ("raw", "ended", "truncated"),
    [
        ("a cat</s>", None, False),
        ("a cat</s><pad><pad>\n", None, False),
        ("a cat", None, True),
        ("", None, True),
        ("a cat</s>", False, True),
        ("a cat", True, False),
    ],
)
def test_truncated(raw, ended, truncated):
    answer = parse(raw, "<CAPTION>", SIZE, ended=ended)
    assert answer.truncated is truncated
    assert any("max_new_tokens" in note for note in answer.notes) is truncated


def test_scores_follow_the_regions_not_the_order_of_the_tokens():
    raw = f"dog<poly>{locs(0, 0, 9, 0, 9, 9)}<sep>{locs(1, 1, 5, 1, 5, 5)}</poly>car{locs(1, 2, 3, 4)}</s>"
    logs = np.log([0.5] * 12 + [0.9] * 4)
    answer = parse(raw, "<OPEN_VOCABULARY_DETECTION>", SIZE, location_scores=logs)
    assert answer.labels == ["car", "dog"]
    np.testing.assert_allclose(answer.scores, [0.9, 0.5])


def test_scores_of_pieces_left_out_do_no_harm():
    raw = f"it{locs(1, 1, 1, 1)}car{locs(1, 2)}dog{locs(1, 2, 3, 4, 5)}</s>"
    logs = np.log([0.1] * 6 + [0.7] * 4 + [0.1])
    np.testing.assert_allclose(
        parse(raw, "<CAPTION_TO_PHRASE_GROUNDING>", SIZE, location_scores=logs).scores, [0.7]
    )
    assert parse("</s>", "<OD>", SIZE, location_scores=[]).scores.shape == (0,)
    assert (
        parse(raw, "<OD>", SIZE).scores is None
        and parse("a</s>", "<CAPTION>", SIZE, location_scores=[]).scores is None
    )


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("car", "<od>", SIZE), "did you mean <OD>"),
        ((["car"], "<OD>", SIZE), "one of batch_decode's list"),
        (("car", "<OD>", (0, 5)), "image_size is"),
        (("car", "<OD>", None), "image_size is"),
    ],
)
def test_bad_arguments(arguments, why):
    with pytest.raises(InputError, match=why):
        parse(*arguments)


def test_the_number_of_scores_must_fit():
    with pytest.raises(InputError, match="the answer has 4, not 3"):
        parse(f"car{locs(1, 2, 3, 4)}", "<OD>", SIZE, location_scores=[0, 0, 0])


def test_an_answer_as_text_and_as_json():
    answer = parse(f"car{locs(0, 0, 9, 9)}</s>", "<OD>", SIZE, location_scores=[-0.1] * 4)
    assert repr(answer) == "Answer to <OD> on 1000x500: 1 box\n  'car'  (0, 0, 10, 5)  score 0.90"
    again = json.loads(json.dumps(answer.to_dict()))
    assert (
        again["boxes"] == [[0.5, 0.25, 9.5, 4.75]]
        and again["scores"] == [0.9048]
        and again["labels"] == ["car"]
    )
    assert again == json.loads(
        json.dumps(parse(answer.raw, "<OD>", SIZE, location_scores=[-0.1] * 4).to_dict())
    )


def test_answers_can_be_compared():
    one, same, other = (
        parse(raw, "<OD>", SIZE) for raw in (f"a{locs(1, 2, 3, 4)}</s>", f"a{locs(1, 2, 3, 4)}</s>", "b</s>")
    )
    assert one == same and one != other and one != "a"


def test_the_printed_answer_stays_short():
    raw = "".join(f"thing{locs(n, n, n + 9, n + 9)}" for n in range(30)) + "</s>"
    lines = repr(parse(raw, "<OD>", SIZE)).splitlines()
    assert len(lines) == 14 and lines[-1] == "  … and 18 more"
    assert repr(parse("a cat</s>", "<CAPTION>", SIZE)) == 'Answer to <CAPTION> on 1000x500: "a cat"'
    assert repr(parse("</s>", "<OD>", SIZE)) == "Answer to <OD> on 1000x500: nothing"
