"""Rehearse the plans of workshop/README.md: every command, every lesson, every exercise, in their order.

    python -m tests.slow.rehearse                        a fresh environment from the wheel, both plans
    python -m tests.slow.rehearse --python PATH --lessons 03 05      an environment that is there, two lessons

Prints for each row of a plan what ran and how long the machine took: by the clock, which a busy machine
stretches, and of its processor. A lesson is the learner's copy without
outputs; its exercise cells hold the solutions, and each must be told *Right*. Exit status 1 where anything
failed.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from florence_nb.exercises.sheets import exercise_of, sheets
from florence_nb.kit.slides import plan_rows, plans
from tests.notebooks.execution import ROOT, client_for

CLASS = """florence-nb report 1: 03.1+2t0h 05.1-4t3h
before: b - d - a
after: c c a c d
I would not trust it with small print
"""


@dataclass
class Rehearsal:
    """One run: where it happens, by which Python, and what failed."""

    folder: Path
    python: Path
    faults: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        print(text, flush=True)

    def command(self, *words: str) -> None:
        """A command of the fresh environment, as ``florence-nb check``; its last line is told."""
        began = time.monotonic()
        program = [str(self.python), "-m", "florence_nb", *words[1:]] if words[0] == "florence-nb" else words
        environment = os.environ | {"VIRTUAL_ENV": str(self.python.parents[1])}
        done = subprocess.run(program, cwd=self.folder, env=environment, text=True, capture_output=True)
        last = (done.stdout.strip() or done.stderr.strip() or "(nothing)").splitlines()[0]
        seconds = time.monotonic() - began
        self.say(f"    $ {' '.join(words)}   {seconds:.0f} s, exit {done.returncode}: {last[:90]}")
        if done.returncode:
            self.faults.append(f"{' '.join(words)}: {done.stderr.strip()[-300:]}")

    def lesson(self, number: str) -> float:
        """Runs a learner's copy with the solutions in its exercise cells; returns the processor seconds."""
        (path,) = (self.folder / "florence-lessons").glob(f"{number}_*.ipynb")
        notebook = nbformat.read(path, as_version=4)
        names = list(solve(notebook))
        client = client_for(notebook, path.parent, python=self.python)
        began, at_first = time.monotonic(), processor_seconds()
        try:
            client.execute()
        except CellExecutionError as error:
            self.faults.append(f"lesson {number}: {str(error).strip().splitlines()[-1]}")
        seconds, used = time.monotonic() - began, processor_seconds() - at_first
        verdicts = {name: verdict(notebook, name) for name in names}
        self.faults += [f"exercise {name}: {said}" for name, said in verdicts.items() if said[:5] != "Right"]
        told = ", ".join(f"{name} {said.split(':')[0].split('.')[0]}" for name, said in verdicts.items())
        self.say(f"    lesson {number}   {seconds:.0f} s, {used:.0f} s of processor; exercises: {told}")
        return used


def processor_seconds() -> float:
    """Of all programs that this one started and that have ended, the kernels among them."""
    times = os.times()
    return times.children_user + times.children_system


def solve(notebook: NotebookNode) -> Iterator[str]:
    """Puts the solutions into the exercise cells; yields the names of the exercises in their order."""
    for cell in _code(notebook):
        if name := exercise_of(cell):
            cell.source = f"{sheets()[name].solution}\n{cell.source.splitlines()[-1]}"
            yield name


def verdict(notebook: NotebookNode, name: str) -> str:
    """What the check of an exercise said."""
    (cell,) = (cell for cell in _code(notebook) if exercise_of(cell) == name)
    texts = [output.get("data", {}).get("text/plain", "") for output in cell.outputs]
    return next(filter(None, reversed(texts)), "(no verdict)").splitlines()[0]


def _code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def fresh_python(folder: Path) -> Path:
    """The Python of a new environment that has the wheel of this clone, with JupyterLab."""
    build = [sys.executable, ROOT / ".ci" / "wheel.py", folder]
    built = subprocess.run(build, check=True, capture_output=True)
    wheel = built.stdout.decode().split()[-1]
    venv.create(folder / ".venv", with_pip=True)
    python = folder / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", f"{wheel}[lab]"], check=True)
    return python


def before_the_day(rehearsal: Rehearsal) -> None:
    """The commands of workshop/README.md and participants.md. `--version` makes JupyterLab stop at once."""
    rehearsal.say("Before the day")
    (rehearsal.folder / "chat.txt").write_text(CLASS, encoding="utf-8")
    shutil.copy(ROOT / "workshop" / "setup_help.py", rehearsal.folder)
    rehearsal.command("florence-nb", "check")
    rehearsal.command("florence-nb", "lab", "--version")
    rehearsal.command("florence-nb", "lab", "--folder", "with-answers", "--with-outputs", "--version")
    rehearsal.command("florence-nb", "slides")
    rehearsal.command("florence-nb", "class-report", "chat.txt")
    rehearsal.command(str(rehearsal.python), "setup_help.py", "--no-network")


def plan(rehearsal: Rehearsal, heading: str, chosen: list[str]) -> None:
    """One plan, row by row; a lesson that two rows name runs in each."""
    rehearsal.say(f"\n{heading}")
    total = 0.0
    for at, minutes, what, _ in plan_rows(heading):
        text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", what)
        rehearsal.say(f"  {at}  {minutes} min  {text}")
        numbers = re.findall(r"notebooks/(\d\d)_", what)
        total += sum(rehearsal.lesson(number) for number in numbers if not chosen or number in chosen)
    rehearsal.say(f"  the machine: {total:.0f} s of processor in all")


def rehearse(python: Path | None, chosen: list[str]) -> list[str]:
    """Both plans in a folder of their own; returns what failed."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        rehearsal = Rehearsal(folder, python or fresh_python(folder))
        before_the_day(rehearsal)
        for heading in plans():
            plan(rehearsal, heading, chosen)
        return rehearsal.faults


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--python", type=Path, help="of an environment that is there (default: a fresh one)")
    parser.add_argument("--lessons", nargs="+", default=[], metavar="NN", help="only these (default: all)")
    options = parser.parse_args()
    faults = rehearse(options.python, options.lessons)
    print("\nFailed:" if faults else "\nNothing failed.", *faults, sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
