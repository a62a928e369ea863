"""A small notebook that keeps every rule, for tests to spoil. It needs numpy, pillow and ipywidgets; of the
package only that it is there.
"""

import copy
import functools
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from .lint import SET_UP, with_badge
from .refresh import execute

NAME = "00_sample.ipynb"
FIRST = """# Try the harness

<!-- address: badge -->
<!-- /address -->

You will see it compare.

![A red bar](preview)"""
IMPORTS = """import ipywidgets as W
import numpy as np
from PIL import Image"""
LINES = """picture = np.full((120, 600, 3), 255, np.uint8)
picture[40:80, 100:300] = (200, 30, 30)
Image.fromarray(picture)"""
NOISE = """rng = np.random.default_rng(SEED)
Image.fromarray(rng.integers(0, 255, (8, 12, 3), np.uint8)).resize((240, 160), 0)"""
SLIDER = """slider, shown = W.IntSlider(value=3, max=9), W.HTML()
slider.observe(lambda change: setattr(shown, "value", f"twice is {2 * change.new}"), "value")
W.VBox([slider, shown])"""
INTERACT = """def twice(n):
    print("twice is", 2 * n)


W.interact(twice, n=slider)"""
CELLS = {
    "set-up": SET_UP,
    "imports": IMPORTS,
    "text": "print('twice is', 2 * 3)",
    "value": "round(0.1 + 0.2, 3)",
    "picture": LINES,
    "noise": NOISE.replace("SEED", "1"),
    "twin": "print('twice is', 2 * 3)",
    "slider": SLIDER,
    "moved": "slider.value = 7\nprint(shown.value)",
    "again": "print('twice is', 2 * slider.value)",
    "interact": INTERACT,
    "error": "int('three')",
    "address": "object()",
}
LAST = "**Exercise.** Move it.\n\nYou can now trust it."


def index_of(name: str) -> int:
    """Index in notebook.cells of the code cell of that name."""
    return 1 + list(CELLS).index(name)


def unexecuted() -> NotebookNode:
    code = [new_code_cell(source) for source in CELLS.values()]
    title, last = new_markdown_cell(with_badge(FIRST, NAME)), new_markdown_cell(LAST)
    notebook = new_notebook(cells=[title, *code, last])
    notebook.cells[index_of("error")].metadata.tags = ["raises-exception"]
    notebook.cells[index_of("picture")].metadata.tags = ["preview"]
    return notebook


@functools.cache
def _executed() -> NotebookNode:
    return execute(unexecuted(), Path(__file__).parent)


def executed() -> NotebookNode:
    """The sample with real outputs; a kernel runs once per test session."""
    return copy.deepcopy(_executed())


def write(notebook: NotebookNode, folder: Path) -> Path:
    path = folder / NAME
    nbformat.write(notebook, path)
    return path
