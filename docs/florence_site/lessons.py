"""A lesson as a page: its stored outputs, its exercises with their hints and solution folded."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from florence_nb.exercises.sheets import Sheet, exercise_of, sheets

DOWNLOADS = "downloads"
"""Folder of the site with the lessons as notebooks, without outputs."""
_PICTURE = re.compile(r"!\[([^\]]+)\]\(data:image/(png|jpeg);base64,([\w+/=]+)\)")
_PROMISE = re.compile(r"^\*(?!\*)(.+?)\*$", re.M)
_WILL = re.compile(r"^- \*\*You will do:\*\* (.+(?:\n  .+)*)", re.M)
_MINUTES = re.compile(r"\*\*Time:\*\* about (\d+) minutes")
_GREETING = re.compile(r"^mini is a small Florence-2 .*\n?", re.M)
_BARE_WIDGET = re.compile(r"\w+\(children=")
_PROGRESS = re.compile(r"(.+: )? *\d+%\|")
_SIZE = re.compile(r"size=(\d+)x(\d+)")
_SET_UP = 'find_spec("florence_nb")'
_SET_UP_WHY = "It does nothing where the package is installed. In Colab it installs it."
_LIVE = "*In a notebook this has controls. Here you see how it begins.*"


@dataclass(frozen=True)
class Lesson:
    """What the other pages tell of a lesson. `place` and `picture` are paths from the root, without suffix
    and with it.
    """

    number: str
    title: str
    promise: str
    will: str
    minutes: str
    alt: str
    place: str
    picture: str


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


@cache
def told(path: Path) -> Lesson:
    """The head of a lesson. ValueError names what it lacks."""
    head = read(path).cells[0].source
    found = {
        "picture": _PICTURE.search(head),
        "promise": _PROMISE.search(head),
        "You will do": _WILL.search(head),
        "Time": _MINUTES.search(head),
    }
    if missing := [name for name, match in found.items() if not match]:
        raise ValueError(f"{path.name}: its first cell has no {' and no '.join(missing)}")
    picture, promise, will, minutes = found.values()
    return Lesson(
        number=path.stem[:2],
        title=head.splitlines()[0].removeprefix("# "),
        promise=promise[1],
        will=" ".join(will[1].split()),
        minutes=minutes[1],
        alt=picture[1],
        place=f"notebooks/{path.stem}",
        picture=f"notebooks/pictures/{path.stem}.{picture[2]}",
    )


def title_picture(path: Path) -> bytes:
    """The picture under the title."""
    return base64.b64decode(_PICTURE.search(read(path).cells[0].source)[3])


def page(path: Path) -> NotebookNode:
    """The notebook that Sphinx reads."""
    notebook, lesson = read(path), told(path)
    first, *rest = notebook.cells
    first.source = _PICTURE.sub(lambda m: f"![{m[1]}](pictures/{Path(lesson.picture).name})", first.source)
    first.source += f"\n- **To run it:** {_download(path)}, or [install all](../README.md)"
    notebook.cells = [first]
    for cell in rest:
        notebook.cells += _readable(cell)
    return notebook


def _download(path: Path) -> str:
    return f'<a href="../{DOWNLOADS}/{path.name}" download>download this lesson</a>'


def _readable(cell: NotebookNode) -> list[NotebookNode]:
    """The cell, fit for reading, and what belongs behind it."""
    if cell.cell_type != "code":
        return [cell]
    if _SET_UP in cell.source and "%pip" in cell.source:
        return [new_markdown_cell(_closed("The set-up cell", f"{_SET_UP_WHY}\n\n{_python(cell.source)}"))]
    cell.outputs = [output for output in cell.outputs if _is_worth_reading(output)]
    _describe(cell)
    if name := exercise_of(cell):
        return [cell, new_markdown_cell(help_with(sheets()[name]))]
    return [cell, new_markdown_cell(_LIVE)] if any(map(_is_live, cell.outputs)) else [cell]


def _is_worth_reading(output: NotebookNode) -> bool:
    """Not the greeting that each lesson would repeat, not a widget that needs a kernel, not a progress bar at
    its beginning, not "To do".
    """
    if output.output_type == "stream":
        output.text = _GREETING.sub("", output.text)
        return bool(output.text.strip())
    words = output.get("data", {}).get("text/plain", "")
    return not (_BARE_WIDGET.match(words) or _PROGRESS.match(words) or words.startswith("To do: "))


def _is_live(output: NotebookNode) -> bool:
    """A widget: it was displayed, and its words are not those of a Python object."""
    words = output.get("data", {}).get("text/plain", "")
    return output.output_type == "display_data" and bool(words) and not words.startswith("<")


def _describe(cell: NotebookNode) -> None:
    """Gives the cell's picture its alternative text, where myst-nb looks for it."""
    shown = [output for output in cell.outputs if _kind(output)]
    if shown:
        cell.metadata["mystnb"] = {"image": {"alt": _alt(shown[-1])}}


def _kind(output: NotebookNode) -> str:
    return next((kind for kind in output.get("data", {}) if kind.startswith("image/")), "")


def _alt(output: NotebookNode) -> str:
    kind, words = _kind(output), output.data.get("text/plain", "")
    if alt := output.get("metadata", {}).get(kind, {}).get("alt"):
        return alt
    if size := _SIZE.search(words):
        return f"The picture that this cell shows, {size[1]} by {size[2]} pixels"
    return " ".join(words.split())


def help_with(sheet: Sheet) -> str:
    """The hints and the solution of an exercise, each closed until a click, as Markdown."""
    hints = [_closed(f"Hint {n} of {len(sheet.hints)}", hint) for n, hint in enumerate(sheet.hints, 1)]
    solution = f"{_python(sheet.solution)}\n\n**Why it works:** {sheet.why}"
    return "\n\n".join([*hints, _closed("Solution", solution)])


def _closed(title: str, text: str) -> str:
    return f'<details class="help"><summary>{title}</summary>\n\n{text}\n\n</details>'


def _python(code: str) -> str:
    return f"```python\n{code}\n```"
