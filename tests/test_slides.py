"""Slides are made of what the lessons hold, and need nothing but their own file."""

import json
import re

import pytest

from florence_nb.kit.quiz import EXIT_QUESTION
from florence_nb.kit.slides import lesson_slides, lessons, page, plan_rows, plan_slides, plans, write_slides

LESSONS = lessons()


def test_a_lesson_has_a_title_something_to_predict_and_a_picture():
    for path in LESSONS:
        kinds = {slide.kind for slide in lesson_slides(path)}
        assert {"title", "predict", "picture", "stays", "ask"} <= kinds, path.name


def test_there_are_three_plans_with_all_their_rows():
    assert len(plans()) == 3
    for heading in plans():
        rows = plan_rows(heading)
        shown = [slide.above for slide in plan_slides(heading) if slide.kind == "row"]
        assert shown == [f"{at} · {minutes} minutes" for at, minutes, *_ in rows]


def test_the_rows_of_a_plan_follow_each_other_in_time():
    for heading in plans():
        clock = 0
        for at, minutes, *_ in plan_rows(heading):
            hours, rest = at.split(":")
            assert int(hours) * 60 + int(rest) == clock, (heading, at)
            clock += int(minutes)


@pytest.mark.parametrize("heading", plans())
def test_a_plan_shows_the_lessons_that_it_teaches_and_not_those_it_only_names(heading):
    _, *taught, _ = (what for _, _, what, _ in plan_rows(heading))
    bodies = {slide.body for slide in plan_slides(heading)}
    for path in LESSONS:
        (stays,) = (slide.body for slide in lesson_slides(path) if slide.kind == "stays")
        assert (stays in bodies) == (path.name in " ".join(taught)), path.name


@pytest.mark.parametrize("heading", plans())
def test_a_plan_names_only_headings_and_exercises_that_are_there(heading):
    named = 0
    for at, _, what, late in plan_rows(heading):
        cells = [text for path in LESSONS if f"/{path.name}" in what for text in _headings(path)]
        for name in re.findall(r'"([^"]+)"', f"{what} {late}".replace(EXIT_QUESTION, "")):
            named += bool(name)
            assert not name or any(name in each for each in cells), (at, name)
        for exercise in re.findall(r"exercises? (\d\d\.\d)", f"{what} {late}"):
            named += 1
            assert any(f"Exercise {exercise}" in each for each in cells), (at, exercise)
    assert named >= 2


def _headings(path) -> list[str]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return re.findall(r"^##+ (.+)$", "\n".join("".join(cell["source"]) for cell in cells), re.M)


def test_what_to_say_at_predict_is_in_the_notes_of_its_slides():
    for path in LESSONS:
        assert all(slide.notes for slide in lesson_slides(path) if slide.kind == "predict"), path.name


def test_a_file_asks_for_nothing_outside(tmp_path):
    files = write_slides(tmp_path)
    assert len(files) == len(LESSONS) + len(plans()) + 2
    for path in files:
        text = re.sub(r"data:image/[a-z]+;base64,[A-Za-z0-9+/=]+", "", path.read_text(encoding="utf-8"))
        assert not re.search(r"(?:src|href)=[\"']?(?!#)\w|url\(|@import|fetch\(", text), path.name


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_no_slide_is_empty(path):
    assert all(slide.body.strip() for slide in lesson_slides(path))
    assert "<section" in page("x", lesson_slides(path))


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_what_to_notice_stands_beside_a_picture_of_its_own_section_or_none(path):
    shown = {}
    for slide in lesson_slides(path):
        if slide.kind == "picture":
            shown.setdefault(slide.above, []).append(slide.body)
        elif slide.kind == "notice" and "<img" in slide.body:
            section = slide.above.removesuffix(" · What to notice")
            assert any(slide.body.startswith(picture) for picture in shown.get(section, [])), slide.above
