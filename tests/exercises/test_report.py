"""A learner's progress as one line, and a class's lines as a table."""

import json
from pathlib import Path

import pytest

import florence_nb as fnb
from florence_nb.cli import main
from florence_nb.exercises import progress
from florence_nb.exercises.report import class_report, reports_in


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
    def refused(*_):
        raise PermissionError(13, "no")

    monkeypatch.setattr(Path, "write_bytes", refused)
    assert fnb.exercise("05.1").check(3).ok and "05.1+1t0h" in str(fnb.report())


def test_a_line_is_read_back_from_a_chat():
    (read,) = reports_in("> Ada: florence-nb report 1: 05.1+3t1h 05.2-2t3hs 😀")
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
        class_report("hello")
    assert main(["class-report", str(tmp_path / "none.txt")]) == 2


def test_a_mail_may_break_lines_and_a_chat_may_change_the_minus():
    one, two = reports_in(
        "florence-nb\nreport 1: 05.1+3t1h\n05.2–2t3hs and florence-nb report 1: nothing yet"
    )
    assert not two and one["05.1"].done and one["05.2"] == progress.Progress(2, False, 3, True)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_of_any_editor_is_read(tmp_path, capsys, encoding):
    file = tmp_path / "class.txt"
    file.write_bytes("Zoë: florence-nb report 1: 05.1+1t0h\r\n".encode(encoding))
    assert main(["class-report", str(file)]) == 0
    assert capsys.readouterr().out.startswith("1 report\n")


@pytest.mark.parametrize("entry", [f"05.1+{'9' * 6000}t0h", "99.9+1t0h", "<b>"])
def test_an_invented_line_does_no_harm(entry):
    assert class_report(f"florence-nb report 1: {entry}").startswith("1 report\n")


def test_two_kernels_know_more_than_one(monkeypatch):
    fnb.exercise("05.1").check(4)
    monkeypatch.setattr(progress, "_known", {"05.1": progress.Progress(0, False, 2, True)})
    fnb.exercise("05.1").check(3)
    assert str(fnb.report()) == "florence-nb report 1: 05.1+2t2hs"


def test_one_damaged_entry_costs_no_other():
    entries = {"05.1": {"tries": "x"}, "05.2": {"tries": None}, "05.3": {"tries": 2}}
    Path(progress.FILE).write_text(json.dumps(entries))
    fnb.exercise("06.1").solution()
    assert str(fnb.report()) == "florence-nb report 1: 05.3-2t0h 06.1-0t0hs"


def test_what_is_unfinished_is_no_try():
    assert fnb.exercise("04.3").check((fnb.scenes.GALLERY["snow"], ...)).ok is None
    assert str(fnb.report()) == "florence-nb report 1:"
