"""One line a learner can paste to the teacher, and the table that thirty such lines become."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import InputError
from .progress import Progress, all_progress
from .registry import exercise_names

PREFIX = "florence-nb report 1:"
_ENTRY = re.compile(r"(\d\d\.\d)([+-])(\d+)t(\d+)h(s?)")


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


def read_line(line: str) -> dict[str, Progress] | None:
    """The progress in a pasted line, or None if the line is no report."""
    _, mark, rest = line.partition(PREFIX)
    if not mark:
        return None
    return {
        name: Progress(int(tries), done == "+", int(hints), bool(solution))
        for name, done, tries, hints, solution in _ENTRY.findall(rest)
    }


def class_report(lines: Iterable[str]) -> str:
    """A Markdown table of a class: what was hard comes first.

    Args:
        lines: pasted reports, one a line; other lines are passed over.

    Raises:
        InputError: there is no report among them.
    """
    reports = [read for line in lines if (read := read_line(line)) is not None]
    if not reports:
        raise InputError(
            "There is no report in it: paste lines as print(fnb.report()) shows them; each begins with"
            f" {PREFIX!r}."
        )
    rows = sorted(
        (_row(name, [r[name] for r in reports if name in r]) for name in exercise_names()), key=_easiness
    )
    table = ["| exercise | tried | right | tries | hints | solution |", "|---|---|---|---|---|---|"]
    table += [f"| {' | '.join(map(str, row))} |" for row in rows if row[1]]
    return "\n".join([f"{len(reports)} reports", "", *table])


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
