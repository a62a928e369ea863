"""Each fault of the native post-processor that `parse` mends: the first half of a test shows the fault, the
second the mend.

If the first half fails one day, transformers has mended it too: good news, and time to read the release
notes.
"""

import numpy as np
import pytest

from florence_nb.parsing import NEVER_GROUNDED, parse
from tests import tiny

SIZE = (640, 480)
BOX = "<loc_53><loc_333><loc_933><loc_774>"
OTHER = "<loc_425><loc_503><loc_474><loc_515>"
QUAD = "<loc_100><loc_100><loc_200><loc_100><loc_200><loc_150><loc_100><loc_150>"
QUAD2 = "<loc_300><loc_300><loc_400><loc_300><loc_400><loc_350><loc_300><loc_350>"
OUTLINE = "<loc_100><loc_100><loc_200><loc_100><loc_200><loc_150>"


@pytest.fixture(scope="module")
def native():
    processor = tiny.processor()
    processor.post_processor.banned_grounding_tokens = set(NEVER_GROUNDED)
    return lambda raw, task: processor.post_process_generation(raw, task=task, image_size=SIZE)[task]


def ours(raw, task):
    return parse(raw, task, SIZE)


def test_pad_in_captions_of_a_batch(native):
    raw = "</s><s>a yellow building</s><pad><pad>"
    assert native(raw, "<CAPTION>") == "a yellow building<pad><pad>"
    assert ours(raw, "<CAPTION>").parsed == {"<CAPTION>": "a yellow building"}
    assert not ours(raw, "<CAPTION>").truncated


@pytest.mark.parametrize(
    "task", ["<OD>", "<DENSE_REGION_CAPTION>", "<CAPTION_TO_PHRASE_GROUNDING>", "<OPEN_VOCABULARY_DETECTION>"]
)
def test_letters_beyond_ascii(native, task):
    raw = f"</s><s>café 車{BOX}</s>"
    found = native(raw, task)
    assert found.get("labels", found.get("bboxes_labels")) == ["caf "]
    assert ours(raw, task).labels == ["café 車"]


def test_text_before_a_line_break(native):
    raw = f"</s><s>GO\nNOW{QUAD}</s>"
    assert native(raw, "<OCR_WITH_REGION>")["labels"] == ["NOW"]
    assert ours(raw, "<OCR_WITH_REGION>").labels == ["GO\nNOW"]


def test_line_breaks_between_lines_of_text_are_no_part_of_them():
    assert ours(f"</s><s>GO{QUAD}\nNOW{QUAD2}\n</s>", "<OCR_WITH_REGION>").labels == ["GO", "NOW"]


def test_two_quads_after_one_text(native):
    raw = f"</s><s>EXIT{QUAD}{QUAD2}</s>"
    assert len(native(raw, "<OCR_WITH_REGION>")["quad_boxes"]) == 1
    answer = ours(raw, "<OCR_WITH_REGION>")
    assert answer.quads.shape == (2, 4, 2) and answer.labels == ["EXIT", "EXIT"] and answer.text == "EXIT"


def test_a_quad_without_text(native):
    raw = f"</s><s>{QUAD}</s>"
    assert native(raw, "<OCR_WITH_REGION>")["quad_boxes"] == []
    answer = ours(raw, "<OCR_WITH_REGION>")
    np.testing.assert_allclose(answer.quads[0, :2], [[64.32, 48.24], [128.32, 48.24]], rtol=1e-5)
    assert answer.labels == [""]


def test_a_label_with_a_less_than_sign(native):
    raw = f"</s><s>a < b{BOX}</s>"
    assert native(raw, "<OD>")["labels"] == ["b"]
    assert ours(raw, "<OD>").labels == ["a < b"]


def test_pixels_lose_their_fraction(native):
    raw = f"</s><s>car{BOX}</s>"
    assert native(raw, "<OD>")["bboxes"] == [[34, 160, 597, 371]]
    assert ours(raw, "<OD>").parsed["<OD>"]["bboxes"] == [[34.24, 160.08, 597.44, 371.76]]


@pytest.mark.parametrize("task", ["<REGION_TO_CATEGORY>", "<REGION_TO_DESCRIPTION>", "<REGION_TO_OCR>"])
def test_region_answers_keep_their_locations(native, task):
    raw = f"</s><s>car{BOX}</s>"
    assert native(raw, task) == f"car{BOX}"
    assert ours(raw, task).parsed == {task: "car"} and ours(raw, task).text == "car"


def test_pronouns_vanish_silently(native):
    raw = f"</s><s>it{BOX}a car{OTHER}</s>"
    assert native(raw, "<CAPTION_TO_PHRASE_GROUNDING>")["labels"] == ["a car"]
    answer = ours(raw, "<CAPTION_TO_PHRASE_GROUNDING>")
    assert answer.labels == ["a car"] and answer.notes == (
        "Florence-2 gives no box for words such as: 'it'.",
    )


def test_a_box_beside_a_polygon_becomes_a_polygon(native):
    raw = f"</s><s>car{BOX}dog<poly>{OUTLINE}</poly></s>"
    assert native(raw, "<OPEN_VOCABULARY_DETECTION>")["bboxes"] == []
    answer = ours(raw, "<OPEN_VOCABULARY_DETECTION>")
    assert len(answer.boxes) == 1 and len(answer.polygons) == 1 and answer.labels == ["car", "dog"]


def test_scores_are_gone(native):
    """Microsoft's own code had them for <OD>; the native processor no longer takes what they are made of."""
    with pytest.raises(TypeError, match="transition_beam_score"):
        tiny.processor().post_process_generation(
            "car", task="<OD>", image_size=SIZE, transition_beam_score=[0.0]
        )
    logs = np.log([0.9, 0.8, 0.9, 0.8, 0.5, 0.5, 0.5, 0.5])
    answer = parse(f"car{BOX}{OTHER}</s>", "<OD>", SIZE, location_scores=logs)
    np.testing.assert_allclose(answer.scores, [np.sqrt(0.9 * 0.8), 0.5])
