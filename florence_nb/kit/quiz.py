"""The questions of workshop/quiz.toml, as cells of the lessons, as the page workshop/quiz.md and as slides.
Five of them are also the test before and after a workshop.

Each option is a ``<details>``: a click chooses it, and its explanation is inside. That works in every
notebook page, on paper (all open), by keyboard and with a screen reader, without any script.
"""

import html
import re
import sys
from dataclasses import dataclass
from functools import cache

from .lessons import shipped, title_of

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LETTERS = "abcde"
EXIT_QUESTION = "What would you not trust it with?"
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
    def answer(self) -> str:
        """The letter of the right option."""
        return LETTERS[self.options.index(self.right)]

    @property
    def right(self) -> Option:
        return next(option for option in self.options if option.right)

    @property
    def markdown(self) -> str:
        options = "\n".join(map(_details, self.options))
        return f"**{self.id.split('.q')[1]}.** {self.question}\n\n{options}"


@cache
def questions() -> list[Question]:
    """All questions in the order of the file."""
    return [
        Question(q["id"], q["lesson"], q["question"], tuple(Option(**o) for o in q["option"]))
        for q in _table()["question"]
    ]


def before_after() -> list[Question]:
    """The five that are asked before and after a workshop."""
    known = {question.id: question for question in questions()}
    return [known[each] for each in _table()["before_after"]]


@cache
def _table() -> dict:
    return tomllib.loads((shipped("workshop") / "quiz.toml").read_text(encoding="utf-8"))


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


def before_after_page() -> str:
    """workshop/before-after.md: the test for participants, its answers folded."""
    asked = [f"**{n}.** {q.question}\n\n{_lettered(q)}" for n, q in enumerate(before_after(), 1)]
    answers = "".join(f"<li><b>{q.answer}</b>: {as_html(q.right.why)}</li>" for q in before_after())
    return "\n\n".join([_BEFORE_AFTER, *asked, _AFTERWARDS.format(question=EXIT_QUESTION, answers=answers)])


_BEFORE_AFTER = """# Five questions, before and after

<!-- made from quiz.toml by `make derive` -->

Answer these alone, before the first lesson, and again after the last. Three minutes are enough. Nobody gets
a mark: the two answers together show what the day has taught. Do not guess. Where you do not know yet, write
`-`.

Write your five answers in one line, and give it to your teacher, such as `before: b - d - a`. Afterwards they
begin with `after:`."""
_AFTERWARDS = """**After the last lesson**, one more question, with no wrong answer. Finish the sentence:
`I would not trust it with …`

({question})

<details><summary>The answers. Open them after the second time.</summary><ol>{answers}</ol></details>
"""


def _lettered(question: Question) -> str:
    return "\n".join(f"- **{letter}** {o.text}" for letter, o in zip(LETTERS, question.options))


def _title(lesson: str) -> str:
    (path,) = shipped("lessons").glob(f"{lesson}_*.ipynb")
    return title_of(path)


def _of(lesson: str) -> str:
    return _SPACE.join(q.markdown for q in questions() if q.lesson == lesson)


def _details(option: Option) -> str:
    why = f"<b>{'Right.' if option.right else 'No.'}</b> {as_html(option.why)}"
    return f"<details><summary>{as_html(option.text)}</summary><p>{why}</p></details>"


def as_html(text: str) -> str:
    """Text with `code` as HTML: inside ``<details>`` some pages read no Markdown."""
    return _CODE.sub(r"<code>\1</code>", html.escape(text, quote=False))
