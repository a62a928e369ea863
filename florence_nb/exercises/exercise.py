"""One exercise: its question, its check, its hints and its solution. Nothing here raises at a learner."""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .. import loading
from ..errors import first_line
from . import progress
from .first_look import answers_in, look_over
from .refusals import MayBeTheModel, NotYet, ToDo
from .sheets import Sheet

Check = Callable[[Any], str]
"""Takes the learner's value; returns what was looked at and found, or raises `NotYet`."""

_WORDS = {True: "Right", False: "Not yet", None: "To do"}
_COLOURS = {True: "#009E73", False: "#D55E00", None: "#767676"}  # Okabe and Ito: told apart by everybody


@dataclass(frozen=True)
class Verdict:
    """What a check or a hint says; the last value of a cell, so any notebook shows it.

    Attributes:
        ok: True for *Right*, False for *Not yet*, None for *To do* (and for hints and solutions).
        text: one or two sentences.
        code: lines of Python to show below the text; "" for none.
        heading: stands in place of *Right*, *Not yet* or *To do*.
    """

    ok: bool | None
    text: str
    code: str = ""
    heading: str = ""

    def __bool__(self) -> bool:
        return bool(self.ok)

    def __repr__(self) -> str:
        said = f"{self.heading or _WORDS[self.ok]}: {self.text}"
        return f"{self.code}\n\n{said}" if self.code else said

    def _repr_html_(self) -> str:
        heading = html.escape(self.heading or _WORDS[self.ok])
        code = f"<pre style='margin:0 0 .5em'>{html.escape(self.code)}</pre>" if self.code else ""
        style = f"border-left:5px solid {_COLOURS[self.ok]};padding:.3em .8em;margin:.2em 0;max-width:46em"
        text = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(self.text))
        return f"<div style='{style}'>{code}<b>{heading}:</b> {text}</div>"


@dataclass
class Exercise:
    """One exercise of a lesson, known by a name such as ``"05.2"``."""

    sheet: Sheet
    checker: Check = field(repr=False)
    hints_shown: int = 0

    @property
    def name(self) -> str:
        return self.sheet.name

    def __repr__(self) -> str:
        return f"Exercise {self.name}, {self.sheet.title}: .check(your answer), .hint(), .solution()"

    def check(self, answer: Any = ...) -> Verdict:
        """Looks at an answer and says what it saw; it never raises.

        Args:
            answer: whatever the question asks for; ``...`` and None mean that it is still to do.
        """
        if answer is ... or answer is None:
            return Verdict(None, "put your answer in place of the three dots, then run this cell again.")
        verdict = self._judged(answer)
        if verdict.ok is not None:
            progress.note_try(self.name, verdict.ok)
        return verdict

    def hint(self) -> Verdict:
        """The next hint: three in all, each says more than the one before."""
        hints = self.sheet.hints
        self.hints_shown = min(self.hints_shown + 1, len(hints))
        progress.note_hint(self.name, self.hints_shown)
        last = self.hints_shown == len(hints)
        more = f" After this one there is exercise({self.name!r}).solution()." if last else ""
        heading = f"Hint {self.hints_shown} of {len(hints)}"
        return Verdict(None, hints[self.hints_shown - 1] + more, heading=heading)

    def solution(self) -> Verdict:
        """One way to do it, and why it works."""
        progress.note_solution(self.name)
        return Verdict(None, self.sheet.why, self.sheet.solution, "Why it works")

    def _judged(self, answer: Any) -> Verdict:
        try:
            look_over(answer)
            return Verdict(True, self.checker(answer))
        except ToDo as off:
            return Verdict(None, str(off))
        except MayBeTheModel as off:
            other = _real_checkpoint(answer)
            form = f"the form is right. Whether {other} answers well I cannot judge: look yourself."
            return Verdict(True, form) if other else Verdict(False, f"{off} {self._offer()}")
        except NotYet as off:
            return Verdict(False, f"{off} {self._offer()}")
        except Exception as error:
            return Verdict(False, f"the check cannot use this answer ({told(error)}). {self._offer()}")

    def _offer(self) -> str:
        return f"(For a hint: fnb.exercise({self.name!r}).hint())"


def told(error: BaseException) -> str:
    """An error in one line, also where it cannot be written down."""
    kind = type(error).__name__
    try:
        return textwrap.shorten(f"{kind}: {first_line(error)}", 160, placeholder=" …")
    except Exception:
        return kind


def _real_checkpoint(answer: Any) -> str:
    """The checkpoint that answered, or else was loaded last, if it is not mini; "" if it is."""
    names = {getattr(one.florence, "name", None) for one in answers_in(answer)} - {None}
    others = sorted(str(name) for name in names or {loading.last_loaded} if name not in (None, "mini"))
    return " or ".join(others)
