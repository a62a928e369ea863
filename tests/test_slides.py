"""Slides are made of what the lessons hold, and need nothing but their own file."""

import re

import pytest

from florence_nb.kit.slides import lesson_slides, lessons, page, plan_rows, plan_slides, plans, write_slides

LESSONS = lessons()


def test_a_lesson_has_a_title_something_to_predict_and_a_picture():
    for path in LESSONS:
        kinds = {slide.kind for slide in lesson_slides(path)}
        assert {"title", "predict", "picture", "stays", "ask"} <= kinds, path.name


def test_there_are_two_plans_with_all_their_rows():
    assert len(plans()) == 2
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
