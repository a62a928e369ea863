"""Every exercise with the wrong answers that learners give, and what is said to each:
`python -m tests.exercises.table > table.md`.
"""

import os
import tempfile

import florence_nb as fnb
from florence_nb.exercises import exercise_names

from .test_exercises import RIGHT, WRONG


def cell(text: str) -> str:
    """Text for a cell of a Markdown table: what looks like HTML or ends a column is shown as it is."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("\n", " ")


def rows(name: str) -> list[str]:
    """One row for each wrong answer, then one for each right one."""
    exercise = fnb.exercise(name)
    cases = {case: answer for case, (answer, _) in WRONG[name].items()} | RIGHT[name]
    verdicts = {case: exercise.check(answer) for case, answer in cases.items()}
    said = {case: repr(verdict).split(" (For a hint:")[0] for case, verdict in verdicts.items()}
    return [f"| {name} | {cell(case)} | {cell(words)} |" for case, words in said.items()]


def table() -> str:
    """The whole table."""
    head = ["| exercise | answer | what is said |", "|---|---|---|"]
    return "\n".join(head + [row for name in exercise_names() for row in rows(name)])


if __name__ == "__main__":
    os.chdir(tempfile.mkdtemp())  # progress is kept in the folder where one works
    print(table())
