"""A learner's progress as one line, and a class's lines as a table."""

import json
from pathlib import Path

import pytest

import florence_nb as fnb
from florence_nb.cli import main
from florence_nb.exercises import progress
from florence_nb.exercises.report import class_report, read_line


@pytest.fixture(autouse=True)
def nobody_yet(monkeypatch):
    monkeypatch.setattr(progress, "_known", {})


def test_tries_are_counted_until_the_first_right():
    for answer in (4, 1, 3, 4):
        fnb.exercise("05.1").check(answer)
    fnb.exercise("05.1").check(...)
    assert str(fnb.report()) == "florence-nb report 1: 05.1+3t0h"


def test_another_kernel_goes_on_from_the_file(monkeypatch):
    fnb.exercise("05.1").check(3)
    monkeypatch.setattr(progress, "_known", {})
    fnb.exercise("05.2").solution()
    assert str(fnb.report()) == "florence-nb report 1: 05.1+1t0h 05.2-0t0hs"


def test_an_untouched_course_writes_no_file():
    fnb.exercise("05.1").check(...)
    assert not Path(progress.FILE).exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"05.1": 3}', '{"05.1": {"odd": 1}}', "\x00\x01"])
def test_a_damaged_file_is_no_fault(content):
    Path(progress.FILE).write_text(content)
    assert fnb.exercise("05.1").check(3).ok
    assert json.loads(Path(progress.FILE).read_text())["05.1"]["done"]


def test_a_folder_that_may_not_be_written_is_no_fault(monkeypatch):
    monkeypatch.setattr(Path, "write_text", lambda *_, **__: (_ for _ in ()).throw(PermissionError(13, "no")))
    assert fnb.exercise("05.1").check(3).ok and "05.1+1t0h" in str(fnb.report())


def test_a_line_is_read_back_from_a_chat():
    read = read_line("> Ada: florence-nb report 1: 05.1+3t1h 05.2-2t3hs 😀")
    assert read["05.1"] == progress.Progress(3, True, 1, False)
    assert read["05.2"] == progress.Progress(2, False, 3, True)


def test_what_was_hard_comes_first(tmp_path, capsys):
    lines = [
        "florence-nb report 1: 05.1+1t0h 05.2-4t3hs",
        "hello",
        "florence-nb report 1: 05.1+1t0h 05.2+2t1h",
    ]
    file = tmp_path / "class.txt"
    file.write_text("\n".join(lines), encoding="utf-8")
    assert main(["class-report", str(file)]) == 0
    told = capsys.readouterr().out
    assert told.startswith("2 reports") and told.index("05.2") < told.index("05.1")
    assert "| 05.2 | 2 | 1 | 3.0 | 2.0 | 1 |" in told


def test_a_file_without_reports_is_named(tmp_path):
    with pytest.raises(fnb.InputError, match="no report in it"):
        class_report(["hello"])
    assert main(["class-report", str(tmp_path / "none.txt")]) == 2
