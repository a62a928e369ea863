"""Writes into the lessons what has its truth elsewhere: `python -m tests.notebooks.derive [05 …]`.

A cell tagged ``exercise-05.2`` gets its text or code from `florence_nb.exercises`, one tagged ``quiz`` from
workshop/quiz.toml, which also becomes the page workshop/quiz.md. Execute the lesson again afterwards: `make
lessons`.
"""

import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from florence_nb.exercises.sheets import sheets
from florence_nb.kit.quiz import quiz_cell, quiz_page

from .execution import ROOT
from .refresh import choose

EXERCISE, QUIZ = "exercise-", "quiz"
PAGE = ROOT / "workshop" / "quiz.md"


def wanted_source(cell: NotebookNode, lesson: str) -> str | None:
    """What a derived cell must hold; None for a cell that is not derived. KeyError for an unknown
    exercise.
    """
    for tag in cell.metadata.get("tags", []):
        if tag == QUIZ:
            return quiz_cell(lesson)
        if tag.startswith(EXERCISE):
            sheet = sheets()[tag.removeprefix(EXERCISE)]
            return sheet.question_cell if cell.cell_type == "markdown" else sheet.learner_cell
    return None


def stale_cells(path: Path) -> list[int]:
    """Indices of the derived cells that are not what they should be."""
    cells = nbformat.read(path, as_version=4).cells
    return [
        i for i, cell in enumerate(cells) if wanted_source(cell, path.stem[:2]) not in (None, cell.source)
    ]


def exercises_in(path: Path) -> list[str]:
    """Names of the exercises whose code cell is in the lesson, in order."""
    cells = nbformat.read(path, as_version=4).cells
    tags = [tag for cell in cells if cell.cell_type == "code" for tag in cell.metadata.get("tags", [])]
    return [tag.removeprefix(EXERCISE) for tag in tags if tag.startswith(EXERCISE)]


def derive(path: Path) -> int:
    """Writes the derived cells of one lesson; returns how many were stale. Their outputs go."""
    notebook = nbformat.read(path, as_version=4)
    stale = stale_cells(path)
    for index in stale:
        cell = notebook.cells[index]
        cell.source = wanted_source(cell, path.stem[:2])
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    if stale:
        nbformat.write(notebook, path)
    return len(stale)


def main(names: list[str]) -> None:
    PAGE.write_text(quiz_page(), encoding="utf-8")
    for lesson in choose(names):
        print(f"{lesson.name}: {derive(lesson)} cells written")


if __name__ == "__main__":
    main(sys.argv[1:])
