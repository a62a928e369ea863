"""Execute lessons and kiosks and store their outputs: `python -m tests.notebooks.refresh [05 07_ocr …]`,
without names all of them.

Writing a lesson: write `05_detection.py` in the py:percent format outside the repository, `jupytext --to
ipynb --output notebooks/05_detection.ipynb 05_detection.py`, then refresh. Later edit the notebook itself in
JupyterLab and refresh again.
"""

import base64
import hashlib
import re
import sys
import time
from pathlib import Path

import nbformat
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from .execution import NOTEBOOKS, client_for, is_tagged
from .lint import check
from .pictures import (
    PICTURE_TYPES,
    PREVIEW,
    PREVIEW_WIDTH,
    encode,
    picture_data,
    put_title_picture,
    take_html,
)

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"  # names a model of a kernel that is gone
KEPT_CELL_METADATA = ("tags", "jupyter")
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def choose(names: list[str]) -> list[Path]:
    """The lessons and kiosks whose file name starts with one of the names, all without names. SystemExit for
    a name that fits none.
    """
    for name in names:
        if not any(path.name.startswith(name) for path in NOTEBOOKS):
            raise SystemExit(
                f"No lesson starts with {name!r}; there are:"
                f" {', '.join(path.stem for path in NOTEBOOKS) or 'none'}"
            )
    return [path for path in NOTEBOOKS if not names or path.name.startswith(tuple(names))]


def execute(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """The notebook, executed in place with a fresh kernel and normalised. CellExecutionError for an error in
    an untagged cell.
    """
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client_for(notebook, folder).execute(cwd=str(folder))
    return normalise(notebook)


def normalise(notebook: NotebookNode) -> NotebookNode:
    """In place: nothing that changes from run to run or names this machine, small pictures, ids that follow
    the source.
    """
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            normalise_output(output)
    put_preview(notebook)
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        cell.id = cell_id(cell, seen)
        cell.metadata = nbformat.from_dict(
            {key: cell.metadata[key] for key in KEPT_CELL_METADATA if key in cell.metadata}
        )
    return notebook


def put_preview(notebook: NotebookNode) -> None:
    """The picture of the cell tagged PREVIEW, small, goes into the first cell, which promises it."""
    made = [
        data
        for cell in notebook.cells
        if is_tagged(cell, PREVIEW)
        for data in map(picture_data, cell.get("outputs", []))
        if data
    ]
    if made:
        kind, content = encode(made[-1], PREVIEW_WIDTH)
        notebook.cells[0].source = put_title_picture(notebook.cells[0].source, kind, content)


def cell_id(cell: NotebookNode, seen: dict[str, int]) -> str:
    """A short hash of the source, so that adding a cell leaves the other ids alone."""
    digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:8]
    seen[digest] = seen.get(digest, 0) + 1
    return digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"


def normalise_output(output: NotebookNode) -> None:
    if output.output_type == "error":
        # The frames name folders of this machine; the learner needs the sentence.
        output.traceback = [f"{output.ename}: {ANSI.sub('', output.evalue)}"]
    output.get("data", {}).pop(WIDGET_VIEW, None)
    content, alt = picture_data(output), take_html(output)
    if content is not None:
        store_picture(output, *encode(content), alt)


def store_picture(output: NotebookNode, kind: str, content: bytes, alt: str = "") -> None:
    """Replace the output's picture; its alternative text goes along, its size in pixels does not."""
    described: dict[str, str] = {"alt": alt} if alt else {}
    for each in PICTURE_TYPES:
        output.data.pop(each, None)
        described |= {key: value for key, value in output.metadata.pop(each, {}).items() if key == "alt"}
    output.data[kind] = base64.b64encode(content).decode()
    if described:
        output.metadata[kind] = described


def refresh(path: Path) -> bool:
    """Execute one lesson and write it; False where a cell failed (then the file stays as it was) or lint
    finds an error.
    """
    began = time.monotonic()
    try:
        notebook = execute(nbformat.read(path, as_version=4), path.parent)
    except CellExecutionError as error:
        print(f"{path.name}: not written, a cell failed\n{error}")
        return False
    nbformat.write(notebook, path)
    print(f"{path.name}: {time.monotonic() - began:.0f} s, {path.stat().st_size / 1000:.0f} kB")
    findings = check(path)
    for finding in findings:
        print(f"  {finding}")
    return not any(finding.is_error for finding in findings)


def main(names: list[str]) -> int:
    lessons = choose(names)
    if not lessons:
        raise SystemExit("There is no lesson in notebooks/ yet: nothing was executed")
    return 0 if all([refresh(path) for path in lessons]) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
