"""The questions of workshop/quiz.toml, as cells of the lessons, as the page workshop/quiz.md and as slides.

Each option is a ``<details>``: a click chooses it, and its explanation is inside. That works in every
notebook page, on paper (all open), by keyboard and with a screen reader, without any script.
"""

import html
import json
import re
import sys
from dataclasses import dataclass
from functools import cache

from .lessons import shipped

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_CODE = re.compile(r"`([^`]+)`")
_SPACE = "\n\n<br>\n\n"
"""Between two questions: JupyterLab and Colab leave no room below the last option."""


@dataclass(frozen=True)
class Option:
    text: str
    why: str
    right: bool = False


@dataclass(frozen=True)
class Question:
    """One question; ``id`` never changes: ``05.q1``."""

    id: str
    lesson: str
    question: str
    options: tuple[Option, ...]

    @property
    def markdown(self) -> str:
        options = "\n".join(map(_details, self.options))
        return f"**{self.id.split('.q')[1]}.** {self.question}\n\n{options}"


@cache
def questions() -> list[Question]:
    """All questions in the order of the file."""
    table = tomllib.loads((shipped("workshop") / "quiz.toml").read_text(encoding="utf-8"))["question"]
    return [
        Question(q["id"], q["lesson"], q["question"], tuple(Option(**o) for o in q["option"])) for q in table
    ]


def quiz_cell(lesson: str) -> str:
    """The Markdown cell of one lesson, such as ``"05"``."""
    asked = [q.markdown for q in questions() if q.lesson == lesson]
    intro = "Choose an answer with a click: it tells you whether it is right, and why."
    return "\n\n".join(["## Quiz", intro, _SPACE.join(asked)])


def quiz_page() -> str:
    """workshop/quiz.md: all questions, lesson by lesson."""
    lessons = dict.fromkeys(q.lesson for q in questions())
    intro = (
        "# Quiz\n\n<!-- made from quiz.toml by `make derive` -->\n\nRead a question aloud, let people vote,"
        " then open an option: it tells whether it is right, and why. The same questions end each lesson."
    )
    parts = [f"## {lesson} {_title(lesson)}\n\n{_of(lesson)}" for lesson in lessons]
    return "\n\n".join([intro, *parts]) + "\n"


def _title(lesson: str) -> str:
    (path,) = shipped("lessons").glob(f"{lesson}_*.ipynb")
    first = json.loads(path.read_text(encoding="utf-8"))["cells"][0]
    return "".join(first["source"]).splitlines()[0].removeprefix("# ")


def _of(lesson: str) -> str:
    return _SPACE.join(q.markdown for q in questions() if q.lesson == lesson)


def _details(option: Option) -> str:
    why = f"<b>{'Right.' if option.right else 'No.'}</b> {_html(option.why)}"
    return f"<details><summary>{_html(option.text)}</summary><p>{why}</p></details>"


def _html(text: str) -> str:
    """Text with `code` as HTML: inside ``<details>`` some pages read no Markdown."""
    return _CODE.sub(r"<code>\1</code>", html.escape(text, quote=False))
