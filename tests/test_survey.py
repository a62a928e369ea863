"""The test before and after, and the exit question, as a class pastes them."""

import re

import pytest

from florence_nb.cli import main
from florence_nb.kit.lessons import shipped
from florence_nb.kit.quiz import EXIT_QUESTION, before_after, before_after_page, questions
from florence_nb.kit.slides import plan_rows, plans
from florence_nb.kit.survey import survey

RIGHT = [question.answer for question in before_after()]


def test_the_test_has_five_questions_of_lessons_that_each_first_plan_links():
    assert len(RIGHT) == 5 and set(before_after()) <= set(questions())
    for heading in plans()[:2]:  # a second half day is of other lessons
        plan = " ".join(what for _, _, what, _ in plan_rows(heading))
        assert [q.id for q in before_after() if f"notebooks/{q.lesson}_" not in plan] == []


def test_the_answers_are_not_always_the_same_letter_nor_told_by_the_example():
    assert len(set(RIGHT)) >= 3
    page = before_after_page()
    assert page.index("<details>") > page.index("**5.**")
    example = re.search(r"`before: ([^`]+)`", page)[1].split()
    assert len(example) == len(RIGHT) and not any(map(str.__eq__, example, RIGHT))


def test_each_first_plan_asks_before_and_after_and_every_plan_the_exit_question():
    for number, heading in enumerate(plans(), 1):
        rows = [what for _, _, what, _ in plan_rows(heading)]
        asked = [i for i, what in enumerate(rows) if "](before-after.md)" in what]
        assert asked == ([0, len(rows) - 2] if number <= 2 else []), heading
        assert EXIT_QUESTION in rows[-1]


def test_a_class_is_counted_from_its_chat():
    wrong = ["b" if letter == "a" else "a" for letter in RIGHT]
    told = survey(
        [
            "before: - - - - -",
            f"> Ada: Before: {', '.join([RIGHT[0], *wrong[1:]])}",
            f"after:{''.join(RIGHT).upper()}",
            "Bo: I would not trust it with … reading a prescription.",
            "before lunch I was hungry",
            "after: a b",
        ]
    )
    lines = told.splitlines()
    assert [line.split("|")[2:4] for line in lines if line.startswith("| 1.")] == [[" 1 of 2 ", " 1 of 1 "]]
    assert [line.split("|")[2:4] for line in lines if line.startswith("| 5.")] == [[" 0 of 2 ", " 1 of 1 "]]
    assert told.endswith(f"## {EXIT_QUESTION}\n\n- reading a prescription.")


@pytest.mark.parametrize("words", ["hello", "before: yes", "after all, a b c d e f g", ""])
def test_other_lines_are_passed_over(words):
    assert survey([words]) == ""


def test_the_class_report_shows_all_three(tmp_path, capsys):
    file = tmp_path / "class.txt"
    exit_line = "I would not trust it with medicine"
    file.write_text(
        f"florence-nb report 1: 05.1+1t0h\nafter: {' '.join(RIGHT)}\n{exit_line}\n", encoding="utf-8"
    )
    assert main(["class-report", str(file)]) == 0
    told = capsys.readouterr().out
    assert told.index("| 05.1 |") < told.index("1 of 1") < told.index("- medicine")


def test_a_class_without_exercises_still_gets_its_table(tmp_path, capsys):
    file = tmp_path / "class.txt"
    file.write_text("I would not trust it with medicine", encoding="utf-8")
    assert main(["class-report", str(file)]) == 0
    assert capsys.readouterr().out.startswith(f"## {EXIT_QUESTION}")


def test_the_page_is_shipped():
    assert (shipped("workshop") / "before-after.md").is_file()
