"""Lessons and kiosks are there and keep the rules of lint.py. nbval compares their cells (see harness.py)."""

import warnings

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
