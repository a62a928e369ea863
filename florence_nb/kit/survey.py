"""What a class learned: the lines of the test before and after, and the answers to the exit question.

Lines are taken as people paste them from a chat: ``> Ada: before: c - a - -``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .quiz import EXIT_QUESTION, LETTERS, before_after

_TEST = re.compile(rf"\b(before|after)\s*:\s*((?:[{LETTERS}-][\s,;]*)+)(?![\w])", re.I)
_EXIT = re.compile(r"I would not trust it with:?\s*[…. ]*(.+)", re.I)


def survey(lines: Iterable[str]) -> str:
    """Two Markdown sections, each only where a line belongs to it: "" if there are none."""
    lines = list(lines)
    return "\n\n".join(filter(None, [_test_table(lines), _exit_list(lines)]))


def _test_table(lines: list[str]) -> str:
    given = [found for line in lines if (found := _read(line))]
    if not given:
        return ""
    rows = [
        f"| {n}. {q.question} | {_share(given, 'before', n)} | {_share(given, 'after', n)} |"
        for n, q in enumerate(before_after(), 1)
    ]
    return "\n".join(
        ["## Right before and after", "", "| question | before | after |", "|---|---|---|", *rows]
    )


def _read(line: str) -> tuple[str, str] | None:
    """When, and the letters; None for a line without the letter (or ``-``) of each question."""
    if not (match := _TEST.search(line)):
        return None
    letters = re.sub(r"[\s,;]", "", match[2]).lower()
    return (match[1].lower(), letters) if len(letters) == len(before_after()) else None


def _share(given: list[tuple[str, str]], when: str, number: int) -> str:
    """Such as "3 of 12"; "" where nobody answered then."""
    answers = [letters[number - 1] for each, letters in given if each == when]
    right = answers.count(before_after()[number - 1].answer)
    return f"{right} of {len(answers)}" if answers else ""


def _exit_list(lines: list[str]) -> str:
    said = [match[1].strip() for line in lines if (match := _EXIT.search(line))]
    return "\n".join([f"## {EXIT_QUESTION}", "", *(f"- {each}" for each in said)]) if said else ""
