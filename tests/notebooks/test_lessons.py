"""Lessons and kiosks are there and keep the rules of lint.py. nbval compares their cells (see harness.py)."""

import warnings

import nbformat
import pytest

from .execution import KIOSKS, LESSONS, NOTEBOOKS
from .lint import check

FIRST_LESSONS = {f"{number:02d}" for number in range(11)}


def test_the_lessons_are_there():
    assert FIRST_LESSONS <= {path.name[:2] for path in LESSONS}


def test_the_kiosks_are_there():
    assert [path.stem for path in KIOSKS] == ["composer", "playground"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_keeps_the_rules(path):
    findings = check(path)
    for finding in findings:
        if not finding.is_error:
            warnings.warn(f"{path.name}: {finding}", stacklevel=1)
    assert [str(finding) for finding in findings if finding.is_error] == []


def test_the_stored_training_keeps_what_the_lesson_promises():
    (lesson,) = (path for path in LESSONS if path.name.startswith("14_"))
    cells = nbformat.read(lesson, as_version=4).cells
    outputs = [output for cell in cells if cell.cell_type == "code" for output in cell.outputs]
    judged = [line for output in outputs for line in output.get("text", "").splitlines() if ": " in line]
    judged = [line for line in judged if line.rstrip().endswith(("True", "False"))]
    assert len(judged) >= 8
    assert not [line for line in judged if "False" in line and "a cactus: False" not in line]
