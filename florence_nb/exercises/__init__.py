"""Exercises that answer back: ``fnb.exercise("05.2").check(mine)`` says *Right*, *Not yet* with the reason,
or *To do*.

Each lesson has two files here, side by side: ``lesson_05.md`` holds what a learner reads (question, hints,
solution and why), ``lesson_05.py`` the checks. A check compares with the ground truth of drawn scenes, never
with a stored answer.
"""

from .exercise import Exercise, Verdict
from .refusals import NotYet, WrongForm
from .registry import exercise, exercise_names
from .report import report

__all__ = ["Exercise", "NotYet", "Verdict", "WrongForm", "exercise", "exercise_names", "report"]
