"""How the checks read and judge, beside the exercises themselves."""

import pytest

import florence_nb as fnb
from florence_nb import loading
from florence_nb.exercises import NotYet
from florence_nb.exercises.boxes import found_in
from florence_nb.exercises.numbers import also_rounded
from florence_nb.exercises.pictures import picture_of
from florence_nb.exercises.sheets import sheets
from florence_nb.exercises.values import answers_of, kind_of
from florence_nb.exercises.words import check_words, some

from .helpers import perfect


def test_with_a_real_checkpoint_only_answers_of_the_model_are_not_judged(monkeypatch):
    monkeypatch.setattr(loading, "last_loaded", "large")
    captions = ["Ships.", "Ships in a port.", "Ships in a port, and a sailor with his dog."]
    assert "I cannot judge" in fnb.exercise("00.1").check(captions).text
    assert fnb.exercise("00.2").check(["<OD>", "<OCR>"]).ok is False


@pytest.mark.parametrize(
    "given, words",
    [
        (["a", "b"], "2 of 3 words found; c is missing."),
        (["a"], "1 of 3 words found."),
        (["a", "b", "c", "x"], "3 of 3 words found; x does not belong: it is late."),
        (["x", "y"], "0 of 3 words found; x and y do not belong: the first is late."),
    ],
)
def test_words_that_miss_or_do_not_belong_are_named(given, words):
    with pytest.raises(NotYet) as off:
        check_words(given, ["a", "b", "c"], "word", {"x": "is late"})
    assert str(off.value) == words


def test_words_are_right_in_any_order():
    assert check_words(("b ", "a"), ["a", "b"], "word") == "2 of 2 words found, and no other."


def test_a_long_list_is_cut():
    assert some("a") == "a" and some("ab") == "a and b" and some(range(5)) == "0, 1, 2 and 2 more"


def test_a_slip_is_known_as_people_write_it():
    assert set(also_rounded({6.1617: "bits"})) == {6.1617, 6.162, 6.16, 6.2}


def test_answers_are_read_from_rows():
    one = perfect("snow", "<OD>")
    assert len(answers_of([[one, one], (one,)])) == 3 and len(answers_of(one)) == 1


def test_the_picture_of_an_answer_is_known():
    answer = perfect("snow", "<OD>")
    assert picture_of(answer) == "snow"
    answer.image = fnb.open_image("chelsea")
    assert picture_of(answer) == ""


def test_a_thing_counts_with_its_name_only():
    answer, scene = perfect("cars", "<OD>"), fnb.scenes.GALLERY["cars"]
    assert found_in(answer, scene) == 4
    answer.labels = ["car"] * 4
    assert found_in(answer, scene) == 3


def test_kinds_have_their_article():
    assert [kind_of(value) for value in ("a", 1, [], perfect("snow", "<OD>"))] == [
        "a text",
        "a number",
        "a list",
        "an Answer",
    ]


def test_two_lines_stay_free_below_a_given_function():
    assert "max_new_tokens=60)\n\n\nmine = ..." in sheets()["02.3"].learner_cell
    assert sheets()["00.2"].learner_cell.startswith("mine = ...")


def test_code_in_a_hint_is_shown_as_code():
    shown = fnb.exercise("00.2").hint()._repr_html_()
    assert "`" not in shown and "<code>fnb.TASKS[&quot;&lt;OD&gt;&quot;]</code>" in shown
