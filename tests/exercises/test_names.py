"""An exercise leaves the lesson's variables alone: whoever does it, or skips it, sees the same lesson."""

import ast
import re

import nbformat
import pytest

from florence_nb.exercises.sheets import exercise_of, sheets
from tests.notebooks.execution import NOTEBOOKS

LESSONS = sorted({name[:2] for name in sheets()})


class Names(ast.NodeVisitor):
    """Names that a cell assigns, and names that it needs from the cells before."""

    def __init__(self, source: str):
        self.assigned: set[str] = set()
        self.imported: set[str] = set()  # a module is the same one for all
        self.needed: set[str] = set()
        self.visit(ast.parse(re.sub(r"^(\s*)[%!].*$", r"\1pass", source, flags=re.M)))

    def visit_Name(self, node):
        if not isinstance(node.ctx, ast.Load):
            self.assigned.add(node.id)
        elif node.id not in self.assigned:
            self.needed.add(node.id)

    def visit_Assign(self, node):
        for part in (node.value, *node.targets):
            self.visit(part)

    def visit_AugAssign(self, node):
        self.visit(ast.Name(node.target.id, ast.Load()) if isinstance(node.target, ast.Name) else node.target)
        self.visit(node.value)

    def visit_For(self, node):
        for part in (node.iter, node.target, *node.body, *node.orelse):
            self.visit(part)

    def visit_alias(self, node):
        self.assigned.add((node.asname or node.name).split(".")[0])
        self.imported.add((node.asname or node.name).split(".")[0])

    def visit_FunctionDef(self, node):
        self._inside(node)
        self.assigned.add(node.name)

    def visit_comprehension_of(self, node):
        for part in node.generators:
            self.visit(part.iter)
        self._inside(node)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_comprehension_of

    def _inside(self, node):
        """What is assigned inside a function or a comprehension stays there."""
        inner = [each for each in ast.walk(node) if isinstance(each, (ast.Name, ast.arg))]
        own = {
            each.arg if isinstance(each, ast.arg) else each.id
            for each in inner
            if isinstance(each, ast.arg) or not isinstance(each.ctx, ast.Load)
        }
        read = {each.id for each in inner if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)}
        self.needed |= read - own - self.assigned

    visit_Lambda = visit_ClassDef = _inside


def cells_of(lesson: str) -> list[tuple[str, str]]:
    """(name of the exercise or "", source) of each code cell."""
    (path,) = [path for path in NOTEBOOKS if path.name.startswith(lesson)]
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    return [(exercise_of(cell), cell.source) for cell in cells]


def clashes(cells: list[tuple[str, str]]) -> list[str]:
    """Names that an exercise assigns, and that a later cell of the lesson needs before one assigns them
    anew.
    """
    found = []
    for index, (name, source) in enumerate(cells):
        if name:
            both = Names(source), Names(sheets()[name].solution)
            mine = {each for names in both for each in names.assigned - names.imported}
            later = [Names(each) for other, each in cells[index + 1 :] if not other]
            found += [f"{name}: {clash}" for clash in sorted(mine) if _is_needed(clash, later)]
    return found


def _is_needed(name: str, later: list[Names]) -> bool:
    first = next((names for names in later if name in names.needed | names.assigned), None)
    return first is not None and name in first.needed


@pytest.mark.parametrize("lesson", LESSONS)
def test_an_exercise_leaves_the_lesson_s_variables_alone(lesson):
    assert clashes(cells_of(lesson)) == []


def test_a_clash_is_found():
    lesson = [("", "answer = 2"), ("05.1", "answer = 3\nmine = ..."), ("", "mine = 1"), ("", "print(answer)")]
    assert clashes(lesson) == ["05.1: answer"]
    assert clashes([("05.1", "n = 1\nm = 2"), ("", "n = n + 1"), ("", "[m for m in range(3)]")]) == [
        "05.1: n"
    ]
