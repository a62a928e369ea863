"""The figures of lesson 13 on other scenes, by the lesson's own cells: `python -m tests.slow.lesson_13`.

About a minute of one quiet core a column. What the lesson says in words should hold in each of them.
"""

import argparse
import contextlib
import io

import matplotlib
import nbformat

from florence_nb.exercises.sheets import exercise_of
from tests.notebooks.execution import LESSONS, is_tagged

FIRST = "13_000"
"""The seed of the first scene, as the lesson writes it."""


def cells() -> list[str]:
    """The code of the lesson up to its table of figures, without the set-up, exercises and controls."""
    (path,) = (path for path in LESSONS if path.name.startswith("13_"))
    kept = []
    for cell in nbformat.read(path, as_version=4).cells:
        left_out = exercise_of(cell) or is_tagged(cell, "raises-exception")
        if cell.cell_type == "code" and not left_out and not {"%pip", "fnb.interact"} & words(cell.source):
            kept.append(cell.source)
            if "figures =" in cell.source:
                return kept
    raise SystemExit("Lesson 13 has no cell with figures = …")


def words(source: str) -> set[str]:
    return set(source.replace("(", " ").split())


def run(code: list[str], seed: int) -> tuple[dict[str, float], str]:
    """The figures by name, and all that the cells printed."""
    names: dict = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        for cell in code:
            exec(
                cell.replace(FIRST, str(seed)).replace("num_beams=1)", "num_beams=1, progress=False)"), names
            )
    return names["figures"], printed.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.slow.lesson_13", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[13_000, 23_000, 33_000])
    seeds = parser.parse_args().seeds
    matplotlib.use("Agg")
    code = cells()
    assert sum(FIRST in cell for cell in code) == 1
    found = []
    for seed in seeds:
        figures, printed = run(code, seed)
        found.append(figures)
        print(f"scenes from seed {seed}\n{printed}", flush=True)
    print(f"| figure | {' | '.join(f'from {seed}' for seed in seeds)} |\n|---|{'---|' * len(seeds)}")
    for name in found[0]:
        print(f"| {name} | {' | '.join(f'{figures[name]:.3f}' for figures in found)} |")


if __name__ == "__main__":
    main()
