"""Slides from the lessons: `florence-nb slides` writes one HTML file a lesson and one a workshop plan.

Each file holds everything it needs: no network, no library. A slide is what a lesson already has: its title,
each **Predict**, each picture, each **What to notice**, the quiz, and from notes.md what should stay and what
to ask. Speaker notes (key ``n``) tell where people get stuck and what to cut. Print to get a PDF.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
from markdown_it import MarkdownIt
from nbformat import NotebookNode
from tqdm import tqdm

from ..errors import InputError
from .handout import handout
from .lessons import shipped
from .quiz import EXIT_QUESTION, Question, before_after, questions
from .sheet import before_after_sheet

HERE = Path(__file__).parent
_SPOKEN = re.compile(r"\*\*(Predict|What to notice)[^*\n]*\*\*:?\s*(.+?)(?=\n\n|\Z)", re.S)
_HEADING = re.compile(r"^## (.+)$", re.M)
_NOTE = re.compile(r"^- \*\*(Stays|Predict|Stuck|Cut|Ask):\*\* (.+?)(?=^- |\Z)", re.M | re.S)
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
_PICTURES = ("image/png", "image/jpeg")


@dataclass(frozen=True)
class Slide:
    """One slide: a small line above (where we are), the main thing as HTML, and notes for the speaker."""

    kind: str
    above: str
    body: str
    notes: str = ""


def lessons() -> list[Path]:
    """The lessons of this installation, with their outputs."""
    return sorted(shipped("lessons").glob("[0-9][0-9]_*.ipynb"))


def lesson_slides(path: Path) -> list[Slide]:
    """All slides of one lesson."""
    notebook, told = nbformat.read(path, as_version=4), notes_of(path.stem[:2])
    title, *_ = notebook.cells[0].source.removeprefix("# ").splitlines()
    hidden = "\n\n".join(f"**{name}:** {told[name]}" for name in ("Stuck", "Cut") if name in told)
    return [
        Slide("title", f"Lesson {path.stem[:2]}", _title(notebook.cells[0], title), _markdown(hidden)),
        *_told(notebook, title, _markdown(told.get("Predict", ""))),
        *quiz_slides(path.stem[:2]),
        *(Slide(n.lower(), title, f"<p>{_inline(told[n])}</p>") for n in ("Stays", "Ask") if n in told),
    ]


def plan_slides(heading: str) -> list[Slide]:
    """The slides of one plan of workshop/README.md: each of its rows, and what its lessons have to show.

    Lessons that the first row (welcome) or the last one (where to go on) names are not shown there.
    """
    slides, tested = [Slide("title", "Florence-2, a workshop", f"<h1>{html.escape(heading)}</h1>")], False
    rows = plan_rows(heading)
    for at, minutes, what, late in rows:
        notes = _markdown(f"If you are late: {late}") if late else ""
        slides.append(Slide("row", f"{at} · {minutes} minutes", f"<p>{_inline(what)}</p>", notes))
        if "](before-after.md)" in what:
            slides, tested = [*slides, *before_after_slides(again=tested)], True
        if EXIT_QUESTION in what:
            slides.append(
                Slide("test", "Before you go", f"<h1>{EXIT_QUESTION}</h1><p>One line, no name.</p>")
            )
        taught = [at, minutes, what, late] not in (rows[0], rows[-1])
        for number in re.findall(r"notebooks/(\d\d)_", what) if taught else ():
            path = next(p for p in lessons() if p.name.startswith(number))
            slides += [s for s in lesson_slides(path) if s.kind in ("predict", "picture", "notice", "stays")]
    return slides


def plans() -> list[str]:
    """The headings of the plans: the sections of workshop/README.md that hold a table with times."""
    sections = re.split(r"^## ", (shipped("workshop") / "README.md").read_text(encoding="utf-8"), flags=re.M)[
        1:
    ]
    return [s.splitlines()[0] for s in sections if "| at | minutes |" in s]


def plan_rows(heading: str) -> list[list[str]]:
    """Time, minutes, what, and what to do if late, for each row of a plan."""
    page = (shipped("workshop") / "README.md").read_text(encoding="utf-8")
    section = page.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [
        [c.strip() for c in line.strip("| ").split("|")] for line in section.splitlines() if line[:1] == "|"
    ]
    return [(row + [""] * 4)[:4] for row in rows[2:]]


@cache
def _notes() -> dict[str, dict[str, str]]:
    sections = re.split(
        r"^## (\d\d) .*$", (shipped("workshop") / "notes.md").read_text(encoding="utf-8"), flags=re.M
    )
    return {n: dict(_NOTE.findall(text)) for n, text in zip(sections[1::2], sections[2::2])}


def notes_of(lesson: str) -> dict[str, str]:
    """Stays, Predict, Stuck, Cut and Ask of notes.md."""
    return {name: " ".join(text.split()) for name, text in _notes().get(lesson, {}).items()}


def quiz_slides(lesson: str) -> list[Slide]:
    """One slide a question; the options are closed until somebody clicks."""
    return [_question("Quiz", question) for question in questions() if question.lesson == lesson]


def before_after_slides(again: bool) -> list[Slide]:
    """The test before: how to answer it. After: that once more, and then its questions with their answers."""
    when = "after" if again else "before"
    how = "Alone, three minutes, no names, no marks. Do not guess: what you do not know yet stays open."
    asked = Slide("test", f"The test {when}", f"<h1>Five questions, {when}</h1><p>{how}</p>")
    return [asked, *(_question("The test, answered", q) for q in before_after() if again)]


def _question(above: str, question: Question) -> Slide:
    return Slide("quiz", above, _markdown(question.markdown.split(" ", 1)[1]))


def _told(notebook: NotebookNode, title: str, said: str) -> Iterator[Slide]:
    """What is to predict (with `said` as notes), what is seen, what is to notice, in the lesson's order."""
    heading, picture = title, ""
    for cell in notebook.cells[1:]:
        if cell.cell_type == "code":
            picture = _picture(cell) or picture
            if _picture(cell):
                yield Slide("picture", heading, picture)
            continue
        parts = re.split(r"(?=^## )", cell.source, flags=re.M)
        for part in parts:
            found = _HEADING.search(part)
            if found:  # a picture belongs to its own section
                heading, picture = _plain(found[1]), ""
            for spoken, text in _SPOKEN.findall(part):
                if spoken == "Predict" and len(text.split()) > 2:
                    yield Slide("predict", f"{heading} · Predict", f"<p>{_inline(text)}</p>", said)
                elif spoken != "Predict":
                    yield Slide("notice", f"{heading} · What to notice", f"{picture}<p>{_inline(text)}</p>")


def _title(cell: NotebookNode, title: str) -> str:
    """The title, the sentence below it, and what one will do."""
    promise = re.search(r"^\*(?!\*)(.+?)\*$", cell.source, re.M)
    points = re.findall(r"^- \*\*You (?:will|learn)[^*]*\*\* .+(?:\n  .+)*", cell.source, re.M)
    lines = f"<p class=promise>{_inline(promise[1])}</p>" if promise else ""
    return f"<h1>{_inline(title)}</h1>{lines}{_markdown(chr(10).join(points))}"


def _picture(cell: NotebookNode) -> str:
    """The last picture of a cell as HTML; "" if it has none."""
    for output in reversed(cell.outputs):
        for kind in _PICTURES:
            if data := output.get("data", {}).get(kind):
                alt = output.get("metadata", {}).get(kind, {}).get("alt", "The output of the cell")
                return f'<img alt="{html.escape(alt)}" src="data:{kind};base64,{"".join(data.split())}">'
    return ""


def _plain(text: str) -> str:
    return re.sub(r"[`*]", "", _LINK.sub(r"\1", text))


def _markdown(text: str) -> str:
    return MarkdownIt("commonmark", {"html": True}).render(_LINK.sub(r"\1", text))


def _inline(text: str) -> str:
    """One paragraph as HTML, with a capital at its start: in a lesson it may follow a colon."""
    words = _LINK.sub(r"\1", " ".join(text.split()))
    return MarkdownIt("commonmark").renderInline(words[:1].upper() + words[1:])


def page(title: str, slides: list[Slide]) -> str:
    """One HTML file."""
    parts = [
        f'<section class="{s.kind}"><div class=above>{html.escape(s.above)}</div>'
        f"<div class=body>{s.body}</div><div class=count>{number} / {len(slides)}</div>"
        f"<aside>{s.notes}</aside></section>"
        for number, s in enumerate(slides, 1)
    ]
    style, script = ((HERE / f"slides.{kind}").read_text(encoding="utf-8") for kind in ("css", "js"))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{style}</style><main>{''.join(parts)}</main>"
        f"<script>{script}</script></html>"
    )


def write_slides(folder: Path) -> list[Path]:
    """Writes all slides, the handout and the test on paper into a folder, which is made if it is not there.

    Returns the files.

    Raises:
        InputError: the folder may not be written, or the disk is full.
    """
    decks: dict[str, list[Slide]] = {path.stem: lesson_slides(path) for path in lessons()}
    decks |= {f"plan_{number}": plan_slides(heading) for number, heading in enumerate(plans(), 1)}
    files = {folder / f"{name}.html": page(name, slides) for name, slides in decks.items()}
    files |= {folder / "handout.html": handout(), folder / "before-after.html": before_after_sheet()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in tqdm(files.items(), desc="slides"):
            file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"The slides cannot be written to {folder} ({error.strerror}): name another folder with --out."
        ) from error
    return list(files)
