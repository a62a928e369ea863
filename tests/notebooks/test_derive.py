"""Derived cells are those of their source, and each exercise stands in its lesson once."""

import pytest

from florence_nb.exercises import exercise_names
from florence_nb.kit.quiz import questions

from .derive import PAGES, exercises_in, stale_cells
from .execution import LESSONS


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_no_derived_cell_is_stale(path):
    assert stale_cells(path) == [], "run `make derive`, then `make lessons`"


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_holds_its_exercises_once_each(path):
    assert sorted(exercises_in(path)) == [name for name in exercise_names() if name[:2] == path.stem[:2]]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_of_questions_is_not_stale(path):
    assert path.read_text(encoding="utf-8") == PAGES[path](), "run `make derive`"


@pytest.mark.parametrize("question", questions(), ids=lambda question: question.id)
def test_a_question_has_one_right_option_and_a_reason_for_each(question):
    assert sum(option.right for option in question.options) == 1
    assert len(question.options) >= 3 and all(option.why for option in question.options)


def test_each_lesson_has_three_to_five_questions():
    for path in LESSONS:
        assert 3 <= sum(q.lesson == path.stem[:2] for q in questions()) <= 5, path.stem
