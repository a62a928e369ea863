"""The website holds all lessons and pages, its links lead somewhere, and it loads nothing from elsewhere."""

import html
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import florence_nb as fnb
from florence_nb.exercises.sheets import sheets
from florence_nb.kit.lessons import cleared

pytest.importorskip("sphinx", reason='pip install -e ".[site]"')

from florence_site import gallery, gather, lessons, links  # noqa: E402
from florence_site.__main__ import LARGEST, weight  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
WORKSHOP = sorted((ROOT / "workshop").glob("*.md"))


class Pictures(HTMLParser):
    """The pictures of a page: (address, alternative text), and whether they stand in a link."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str | None, bool]] = []
        self.links = 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        told = dict(attributes)
        self.links += tag == "a"
        if tag == "img":
            self.found.append((told["src"], told.get("alt"), self.links > 0))

    def handle_endtag(self, tag):
        self.links -= tag == "a"


def read(site: Path, name: str) -> str:
    return (site / name).read_text(encoding="utf-8")


def words(text: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", text))


def test_every_lesson_and_page_is_there_and_in_the_menu(site):
    index = read(site, "index.html")
    pages = [*LESSONS, *WORKSHOP, *ROOT.glob("*.md"), ROOT / "notebooks" / "glossary.md"]
    assert len(LESSONS) >= 12 and len(WORKSHOP) >= 7
    for path in pages:
        name = path.relative_to(ROOT).with_suffix(".html").as_posix()
        assert (site / name).is_file(), name
        assert f'reference internal" href="{name}"' in index, name


def test_the_first_page_shows_each_lesson_as_the_lesson_tells_it(site):
    index = words(read(site, "index.html"))
    for path in LESSONS:
        told = lessons.told(path)
        assert f"{told.number} {told.title}" in index and f"{told.minutes} minutes" in index
        assert words(told.promise.replace("`", "")) in index.replace("“", '"').replace("”", '"').replace(
            "’", "'"
        ), path.name


def test_all_links_lead_somewhere_and_nothing_is_loaded_from_elsewhere(site, built):
    report = links.check(site, leave=(gather.TRY,))
    assert report.broken == [] and report.loaded == []
    assert report.pages >= len(LESSONS) + len(WORKSHOP) + 6 and report.links > 1000
    assert all(address in built[1] for address in report.outside)


def test_it_is_small(site):
    assert 1_000_000 < weight(site) < LARGEST == 12_000_000
    assert (site / gather.TRY).stat().st_size < 25_000_000


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_is_fit_for_reading(site, path):
    text = read(site, f"notebooks/{path.stem}.html")
    assert "attachment:" not in text and "(children=" not in text and "&lt;PIL.Image" not in text
    assert "To do:" not in words(text) and "mini is a small Florence-2 that knows" not in text
    told = [(alt or "").strip() for address, alt, _ in Pictures(text).found if "mark.svg" not in address]
    assert told and all(told)
    assert f'href="../downloads/{path.name}"' in text
    assert read(site, f"downloads/{path.name}") == cleared(path.read_text(encoding="utf-8"))


def test_exercises_have_their_hints_and_their_solution_folded(site):
    numbers = {path.stem[:2]: path.stem for path in LESSONS}
    for name, sheet in sheets().items():
        text = read(site, f"notebooks/{numbers[name[:2]]}.html")
        part = text.split(f"Exercise {name}: ", 1)[1].split("<section", 1)[0]
        folded = re.findall(r"<details class=\"help\"><summary>([^<]+)</summary>(.*?)</details>", part, re.S)
        assert [title for title, _ in folded] == ["Hint 1 of 3", "Hint 2 of 3", "Hint 3 of 3", "Solution"]
        assert words(folded[-1][1]).strip().startswith(sheet.solution.strip())


def test_a_quiz_stays_folded(site):
    text = read(site, f"notebooks/{LESSONS[0].stem}.html").split("<h2>Quiz", 1)[1]
    assert text.count("<b>Right.</b>") >= 3 and text.count("<details>") >= 9


# ---- the gallery


def test_the_gallery_shows_what_mini_answers_to_every_task(site, mini):
    text = read(site, "gallery.html")
    parts = re.split(r"<h2>", text)[1:]
    assert len(parts) == len(fnb.TASKS) == 15
    for part, (prompt, task) in zip(parts, fnb.TASKS.items()):
        scene, asked = gallery.QUESTIONS[prompt]
        answer = mini.run_example(prompt, scene, asked, num_beams=1)
        said = words(part)
        assert said.lower().startswith(task.title) and f"Prompt: {prompt}" in said
        assert f"\n{answer.raw}\n" in said and str(answer) in said
        assert task.sentence.split("{input}")[0].strip() in said
        (picture, *_) = [address for address, _, linked in Pictures(part).found]
        assert (site / picture).stat().st_size > 5000


def test_the_gallery_shows_the_recorded_answers_of_the_real_models(site):
    said = words(read(site, "gallery.html"))
    record = fnb.load("recorded", quiet=True)
    shown = [row.raw.replace("<pad>", "") for row in record.record.answers]
    assert len(shown) >= 11 and [raw for raw in shown if f"\n{raw}\n" not in said] == []


def test_a_task_without_a_question_is_an_error(mini, monkeypatch):
    monkeypatch.delitem(gallery.QUESTIONS, "<OCR>")
    monkeypatch.setattr(gallery, "ask", lambda _, prompt: gallery.QUESTIONS[prompt])
    with pytest.raises(KeyError, match="OCR"):
        gallery.exhibits(mini)
