"""``python -m benchmarks.lesson``: writes what was recorded into the speed lesson."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat

from .timing import Figure

RESULTS = Path(__file__).parent / "results"
LESSON = Path(__file__).resolve().parents[1] / "notebooks" / "11_speed.ipynb"
HEADING = "### The real sizes, measured"
_ANSWER = "one answer of 20 tokens, 3 beams"
_IN_WORDS = {
    "base: six prompts on one picture, one by one": "One look, not six.",
    "base: six prompts on one picture, together": "The decoder writes six at once, too.",
    "base: a slider moved, same picture and prompt": "Only the decoder runs.",
    "base: sixteen pictures in batches of eight": "Sixteen looks remain.",
    "base: bfloat16": "Numbers of half the size.",
    "base: int8 (dynamic, all linear layers)": "A quarter of the size: compare your answers.",
}
"""What a ratio tells, in a sentence."""
_LITTLE = {
    "eager attention": "base: eager attention",
    "`torch.compile`": "base: torch.compile of the vision tower",
    "ONNX Runtime (tower)": "base: vision tower in ONNX Runtime",
}
ELSEWHERE = (
    "On a newer chip the six prompts gave 2.62 × one by one and 3.40 × together, and the batches 1.14 ×."
)
"""The same code, measured once on another machine."""


def read(path: Path) -> tuple[str, list[Figure]]:
    """The machine and the figures of a file that ``python -m benchmarks`` saved."""
    record = json.loads(path.read_text(encoding="utf-8"))
    return record["machine"], [
        Figure(**{key: part for key, part in one.items() if key != "reached"}) for one in record["figures"]
    ]


def recorded(machine: str, figures: list[Figure]) -> str:
    """The lesson's paragraphs and table: the parts of an answer, what makes base faster, what does not."""
    found = {one.name: one for one in figures if one.against != "what must be computed"}
    rows = [_parts(size, found) for size in ("base", "large")]
    rows += [_ratio(found[name], words) for name, words in _IN_WORDS.items()]
    little = ", ".join(f"{name} {found[key].value:.2f} ×" for name, key in _LITTLE.items())
    intro = (
        "Exact sizes, random weights: the work is the same. Medians, with the range where it was measured"
        f" more than once ({machine})."
    )
    table = ["| what | times as fast | seconds | in words |", "|---|---|---|---|", *rows]
    return "\n".join([intro, "", *table, "", f"Of little use here: {little}. {ELSEWHERE}"])


def _parts(size: str, found: dict[str, Figure]) -> str:
    parts = [found[f"{size}: {part}, {_ANSWER}"] for part in ("vision tower", "text encoder", "decoder")]
    share = parts[0].value / sum(part.value for part in parts)
    seconds = " + ".join(f"{part.value:.2f}" for part in parts)
    return f"| {size}: {_ANSWER} | | {seconds} | The vision tower takes {100 * share:.0f} %. |"


def _ratio(figure: Figure, words: str) -> str:
    several = f" ({figure.low:.2f} to {figure.high:.2f})" if figure.low < figure.high else ""
    return f"| {figure.name} | {figure.value:.2f} ×{several} | {figure.note.replace(' s', '')} | {words} |"


def main() -> None:
    notebook = nbformat.read(LESSON, as_version=4)
    for cell in notebook.cells:
        if cell.source.startswith(HEADING):
            cell.source = f"{HEADING}\n\n{recorded(*read(RESULTS / 'cpu.json'))}"
    nbformat.write(notebook, LESSON)


if __name__ == "__main__":
    main()
