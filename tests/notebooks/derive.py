"""Writes into the lessons what has its truth elsewhere: `python -m tests.notebooks.derive [05 …]`.

A cell tagged ``exercise-05.2`` gets its text or code from `florence_nb.exercises`, one tagged ``quiz`` from
workshop/quiz.toml, which also becomes workshop/quiz.md and workshop/before-after.md. Execute the lesson
again afterwards: `make lessons`.
"""

import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from florence_nb.exercises.sheets import exercise_of, sheets
from florence_nb.kit.quiz import before_after_page, quiz_cell, quiz_page

from .execution import QUIZ, ROOT, is_tagged
from .refresh import choose

PAGES = {ROOT / "workshop" / "quiz.md": quiz_page, ROOT / "workshop" / "before-after.md": before_after_page}


def wanted_source(cell: NotebookNode, lesson: str) -> str | None:
    """What a derived cell must hold; None for a cell that is not derived. KeyError for an unknown
    exercise.
    """
    if is_tagged(cell, QUIZ):
        return quiz_cell(lesson)
    if name := exercise_of(cell):
        sheet = sheets()[name]
        return sheet.question_cell if cell.cell_type == "markdown" else sheet.learner_cell
    return None


def stale_cells(path: Path) -> list[int]:
    """Indices of the derived cells that are not what they should be."""
    return [index for index, _ in _stale(nbformat.read(path, as_version=4), path.stem[:2])]


def _stale(notebook: NotebookNode, lesson: str) -> list[tuple[int, str]]:
    """Index of each stale cell, and what it must hold."""
    wanted = [(index, wanted_source(cell, lesson)) for index, cell in enumerate(notebook.cells)]
    return [(i, source) for i, source in wanted if source not in (None, notebook.cells[i].source)]


def exercises_in(path: Path) -> list[str]:
    """Names of the exercises whose code cell is in the lesson, in order."""
    cells = nbformat.read(path, as_version=4).cells
    return list(filter(None, (exercise_of(cell) for cell in cells if cell.cell_type == "code")))


def derive(path: Path) -> int:
    """Writes the derived cells of one lesson; returns how many were stale. Their outputs go."""
    notebook = nbformat.read(path, as_version=4)
    stale = _stale(notebook, path.stem[:2])
    for index, source in stale:
        cell = notebook.cells[index]
        cell.source = source
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    if stale:
        nbformat.write(notebook, path)
    return len(stale)


def main(names: list[str]) -> None:
    for path, page in PAGES.items():
        path.write_text(page(), encoding="utf-8")
    for lesson in choose(names):
        print(f"{lesson.name}: {derive(lesson)} cells written")


if __name__ == "__main__":
    main(sys.argv[1:])
