"""``python -m benchmarks.lesson``: writes what was recorded into the speed lesson."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat

from .timing import Figure

RESULTS = Path(__file__).parent / "results"
LESSON = Path(__file__).resolve().parents[1] / "notebooks" / "11_speed.ipynb"
HEADING = "## Recorded: the real sizes\n\n"
ELSEWHERE = (
    "The chip matters. On a newer one the six prompts gave 2.62 × one by one and 3.40 × together, but the"
    " batches only 1.14 ×: there the tower takes 2.2 s of an answer's 2.8 s, for single pictures and in"
    " batches alike."
)
"""The same code, measured once on another machine."""
_BLOCK = re.compile(re.escape(HEADING) + r".*?(?=\n\n\*\*Exercise)", re.DOTALL)


def read(path: Path) -> tuple[str, list[Figure]]:
    """The machine and the figures of a file that ``python -m benchmarks`` saved."""
    record = json.loads(path.read_text(encoding="utf-8"))
    return record["machine"], [
        Figure(**{key: part for key, part in one.items() if key != "reached"}) for one in record["figures"]
    ]


def recorded(machine: str, figures: list[Figure]) -> str:
    """The lesson's paragraphs and table: of base and large, what was compared with something, and the parts
    of an answer.
    """
    rows = []
    for figure in (one for one in figures if one.name.startswith(("base", "large"))):
        if figure.unit == "×" and figure.against:
            rows.append(f"| {figure.name} | {figure.against} | {figure.value:.2f} × | {figure.note} |")
        elif figure.unit == "s" and "one answer" in figure.name:
            rows.append(f"| {figure.name} | | | {figure.value:.2f} s |")
    intro = (
        "To measure base and large you would need a download, so we did it once, with their exact sizes and"
        f" random weights: the work is the same. Both sides took turns. ({machine}.)"
    )
    return "\n".join(
        [intro, "", "| what | against | times as fast | seconds |", "|---|---|---|---|", *rows, "", ELSEWHERE]
    )


def main() -> None:
    notebook = nbformat.read(LESSON, as_version=4)
    text = HEADING + recorded(*read(RESULTS / "cpu.json"))
    for cell in notebook.cells:
        cell.source = _BLOCK.sub(lambda _: text, cell.source)
    nbformat.write(notebook, LESSON)


if __name__ == "__main__":
    main()
