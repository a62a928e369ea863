"""What a learner reads of an exercise: question, hints, solution and why, from one Markdown file a lesson.

The cells of the lessons are derived from it (`question_cell`, `learner_cell`), so a question and its solution
cannot drift apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
TAG = "exercise-"
"""The tag of an exercise's cell in a lesson begins so, and ends with its name."""
SOLUTION = "# solution"
"""From this line on, code belongs to the solution; what stands above it is given to the learner."""
_SECTION = re.compile(r"^## (\d\d\.\d) (.+)$", re.M)
_CODE = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)
_HINT = re.compile(r"^- Hint: (.+(?:\n  .+)*)", re.M)
_WHY = re.compile(r"^Why: (.+)\Z", re.M | re.S)


@dataclass(frozen=True)
class Sheet:
    """The words of one exercise.

    Attributes:
        name: lesson and number, such as ``"05.2"``; it never changes, so that old notebooks find it.
        question: Markdown, with what is expected.
        hints: three sentences, each says more than the one before.
        given: lines of code that the learner starts from; may be "".
        solution: the whole code; with ``fnb`` and ``florence`` at hand it runs alone, and binds ``mine``.
        why: why it works, in a sentence or two.
    """

    name: str
    title: str
    question: str
    hints: tuple[str, ...]
    given: str
    solution: str
    why: str

    @property
    def question_cell(self) -> str:
        """The Markdown cell of the lesson."""
        return f"### Exercise {self.name}: {self.title}\n\n{self.question}"

    @property
    def learner_cell(self) -> str:
        """The code cell of the lesson, as a learner finds it."""
        *_, last = self.given.splitlines() or [""]
        given = self.given + ("\n\n\n" if last.startswith(" ") else "\n") if self.given else ""
        return f'{given}mine = ...  # your code here\nfnb.exercise("{self.name}").check(mine)'


def exercise_of(cell: Any) -> str:
    """The exercise that a notebook's cell belongs to, such as "05.2"; "" for another cell."""
    tags = cell["metadata"].get("tags", [])
    return next((tag.removeprefix(TAG) for tag in tags if tag.startswith(TAG)), "")


@cache
def sheets() -> dict[str, Sheet]:
    """All sheets by name, in the order of the lessons."""
    found = [sheet for path in sorted(FOLDER.glob("lesson_*.md")) for sheet in read(path.read_text("utf-8"))]
    return {sheet.name: sheet for sheet in found}


def read(text: str) -> list[Sheet]:
    """The sheets of one file. ValueError if a part of one is missing."""
    _, *parts = _SECTION.split(text)
    return [_sheet(*parts[i : i + 3]) for i in range(0, len(parts), 3)]


def _sheet(name: str, title: str, body: str) -> Sheet:
    code, hints, why = _CODE.search(body), _HINT.findall(body), _WHY.search(body.strip())
    if not (code and hints and why):
        raise ValueError(f"exercise {name} needs hints (- Hint: …), a block of Python and a Why: …")
    given, mark, rest = code[1].partition(f"{SOLUTION}\n")
    if not mark:
        raise ValueError(f"the code of exercise {name} has no line {SOLUTION!r}")
    question = body[: body.index("- Hint: ")].strip()
    return Sheet(
        name,
        title,
        question,
        tuple(map(_one_line, hints)),
        given.strip(),
        (given + rest).strip(),
        _one_line(why[1]),
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())
