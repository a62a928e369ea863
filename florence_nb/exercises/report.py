"""One line a learner can paste to the teacher, and the table that thirty such lines become."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from .progress import Progress, all_progress
from .registry import exercise_names
from .words import counted

PREFIX = "florence-nb report 1:"
_PREFIX = re.compile(r"\s+".join(map(re.escape, PREFIX.split())))
_ENTRY = re.compile(r"\b(\d\d\.\d)([-+–−])(\d{1,4})t(\d{1,4})h(s?)")


@dataclass(frozen=True)
class Report:
    """What a learner did, without a name: ``print(fnb.report())`` is the line to paste."""

    progress: dict[str, Progress]

    def __str__(self) -> str:
        return " ".join([PREFIX, *(_entry(name, p) for name, p in self.progress.items())])

    def __repr__(self) -> str:
        done = sum(p.done for p in self.progress.values())
        told = f"{done} of {len(exercise_names())} exercises right"
        return f"{self}\n{told}. Paste the line above to your teacher; it holds no name."


def report() -> Report:
    """Which exercises are done, with how many tries and hints: one anonymous line for the teacher."""
    return Report(all_progress())


def reports_in(text: str) -> list[dict[str, Progress]]:
    """The progress in each pasted report; other words are passed over. A mail program may have broken a line,
    and a chat may have put a dash in place of the minus.
    """
    _, *parts = _PREFIX.split(text)
    return [
        {
            name: Progress(int(tries), done == "+", int(hints), bool(solution))
            for name, done, tries, hints, solution in _ENTRY.findall(part)
        }
        for part in parts
    ]


def class_report(text: str) -> str:
    """A Markdown table of a class: what was hard comes first.

    Args:
        text: pasted reports, with any words between them.

    Raises:
        InputError: there is no report in it.
    """
    reports = reports_in(text)
    if not reports:
        raise InputError(
            "There is no report in it: paste lines as print(fnb.report()) shows them; each begins with"
            f" {PREFIX!r}."
        )
    rows = sorted(
        (_row(name, [r[name] for r in reports if name in r]) for name in exercise_names()), key=_easiness
    )
    columns = ("exercise", "tried", "right", "tries", "hints", "solution")
    table = [columns, ["---"] * len(columns), *(row for row in rows if row[1])]
    lines = [f"| {' | '.join(map(str, row))} |" for row in table]
    return "\n".join([counted(len(reports), "report"), "", *lines])


def read_pasted(path: Path) -> str:
    """The text of a file as an editor of any system saves it.

    Raises:
        InputError: it cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): give a text file.") from error
    encoding = "utf-16" if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"
    return data.decode(encoding, errors="replace")


def _entry(name: str, p: Progress) -> str:
    return f"{name}{'+' if p.done else '-'}{p.tries}t{p.hints}h{'s' if p.solution else ''}"


def _row(name: str, tried: list[Progress]) -> tuple:
    """Exercise, how many tried it, how many got it right, mean tries and hints, how many saw the solution."""
    count = len(tried)
    columns = [p.tries for p in tried], [p.hints for p in tried]
    mean = [f"{sum(values) / count:.1f}" if count else "" for values in columns]
    return name, count, sum(p.done for p in tried), *mean, sum(p.solution for p in tried)


def _easiness(row: tuple) -> tuple[float, float]:
    _, tried, right, tries, *_ = row
    return (right / tried if tried else 1.0, -float(tries or 0))
