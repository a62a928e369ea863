"""Each solution is right, each untouched cell is to do, and each mistake gets its own sentence."""

import importlib

import pytest

import florence_nb as fnb
from florence_nb.exercises import exercise_names
from florence_nb.exercises.sheets import sheets

NAMES = exercise_names()
LESSONS = sorted({name[:2] for name in NAMES})


def table(which: str) -> dict[str, dict]:
    modules = [importlib.import_module(f"tests.exercises.lesson_{lesson}") for lesson in LESSONS]
    return {name: cases for module in modules for name, cases in getattr(module, which).items()}


RIGHT, WRONG = table("RIGHT"), table("WRONG")


def run(code: str, florence: fnb.Florence) -> dict:
    """The names after the code of a cell, begun with what every lesson has: ``fnb`` and ``florence``."""
    names = {"fnb": fnb, "florence": florence}
    exec(code, names)
    return names


@pytest.mark.parametrize("name", NAMES)
def test_the_solution_is_right(name, mini):
    mine = run(sheets()[name].solution, mini)["mine"]
    verdict = fnb.exercise(name).check(mine)
    assert verdict.ok, repr(verdict)


@pytest.mark.parametrize("name", NAMES)
def test_an_untouched_cell_is_to_do(name, mini):
    *lines, check = sheets()[name].learner_cell.splitlines()
    names = run("\n".join(lines), mini)
    verdict = eval(check, names)
    assert verdict.ok is None and repr(verdict).startswith("To do:")


@pytest.mark.parametrize("name", NAMES)
def test_three_hints_rise(name):
    hints = sheets()[name].hints
    assert len(hints) == 3 and len(set(hints)) == 3


@pytest.mark.parametrize("name, case", [(n, c) for n, cases in RIGHT.items() for c in cases])
def test_an_answer_written_differently_is_right(name, case):
    verdict = fnb.exercise(name).check(RIGHT[name][case])
    assert verdict.ok, repr(verdict)


@pytest.mark.parametrize("name, case", [(n, c) for n, cases in WRONG.items() for c in cases])
def test_a_mistake_gets_its_own_sentence(name, case):
    answer, words = WRONG[name][case]
    verdict = fnb.exercise(name).check(answer)
    assert verdict.ok is False and words in verdict.text, repr(verdict)


@pytest.mark.parametrize("name", NAMES)
def test_each_exercise_has_cases_enough(name):
    assert len(RIGHT[name]) >= 2
    sentences = {fnb.exercise(name).check(answer).text for answer, _ in WRONG[name].values()}
    assert len(sentences) >= 3 and len(sentences) == len(WRONG[name])


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_has_three(lesson):
    assert sum(name.startswith(lesson) for name in NAMES) >= 3


@pytest.mark.parametrize(
    "odd", [object(), float("nan"), b"bytes", {1: 2}, [[1, 2], [3]], [None], 10**400, print]
)
@pytest.mark.parametrize("name", NAMES)
def test_a_check_never_raises(name, odd):
    assert fnb.exercise(name).check(odd).ok is False
