"""The lessons are there and keep the rules of lint.py. nbval compares their cells (see harness.py)."""

import warnings

import pytest

from .execution import LESSONS
from .lint import check

FIRST_LESSONS = {f"{number:02d}" for number in range(11)}


def test_the_lessons_are_there():
    assert FIRST_LESSONS <= {path.name[:2] for path in LESSONS}


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_keeps_the_rules(path):
    findings = check(path)
    for finding in findings:
        if not finding.is_error:
            warnings.warn(f"{path.name}: {finding}", stacklevel=1)
    assert [str(finding) for finding in findings if finding.is_error] == []
