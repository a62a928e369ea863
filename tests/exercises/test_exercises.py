"""Each solution is right, each untouched cell is to do, and each mistake gets its own sentence."""

import importlib

import pytest

import florence_nb as fnb
from florence_nb.exercises import exercise_names
from florence_nb.exercises.sheets import sheets

from .odd import odd_values

NAMES = exercise_names()
LESSONS = sorted({name[:2] for name in NAMES})


def table(which: str) -> dict[str, dict]:
    modules = [importlib.import_module(f"tests.exercises.lesson_{lesson}") for lesson in LESSONS]
    return {name: cases for module in modules for name, cases in getattr(module, which).items()}


RIGHT, WRONG = table("RIGHT"), table("WRONG")
BEYOND = ("broken", "[broken]", "broken pair", "falls", "(falls, falls)")


def run(name: str, code: str, florence: fnb.Florence) -> dict:
    """The names after the code of a cell, begun with what every lesson has, ``fnb`` and ``florence``, and
    what this one has made above its exercises.
    """
    module = importlib.import_module(f"tests.exercises.lesson_{name[:2]}")
    names = {"fnb": fnb, "florence": florence, **getattr(module, "made_above", dict)()}
    exec(code, names)
    return names


@pytest.mark.parametrize("name", NAMES)
def test_the_solution_is_right(name, mini):
    mine = run(name, sheets()[name].solution, mini)["mine"]
    verdict = fnb.exercise(name).check(mine)
    assert verdict.ok, repr(verdict)


@pytest.mark.parametrize("name", NAMES)
def test_an_untouched_cell_is_to_do(name, mini):
    *lines, check = sheets()[name].learner_cell.splitlines()
    names = run(name, "\n".join(lines), mini)
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


@pytest.mark.parametrize("name", NAMES)
def test_no_value_is_too_odd(name):
    """It is not right, or still to do; what is wrong has its sentence, but where Python itself gives up."""
    for odd, answer in odd_values().items():
        verdict = fnb.exercise(name).check(answer)
        assert not verdict.ok or (name, odd) == ("05.1", "0-d array"), (odd, verdict)
        assert len(repr(verdict)) < 320 and "passed" not in verdict.text, (odd, verdict)
        assert "cannot use" not in verdict.text or odd in BEYOND, (odd, verdict)
