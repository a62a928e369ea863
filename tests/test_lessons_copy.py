"""The learner's copy of the lessons: answers hidden, a newer version never over what she changed."""

import errno
import json
import os
import re
from pathlib import Path

import pytest

from florence_nb.errors import InputError
from florence_nb.kit import lessons
from florence_nb.kit.lessons import MANIFEST, cleared, copy_lessons

ROOT = Path(__file__).resolve().parents[1]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
GLOSSARY = ROOT / "notebooks" / "glossary.md"
not_as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere"
)


def notebook(source: str, *outputs: str, count: int | None = 1) -> str:
    streams = [{"output_type": "stream", "name": "stdout", "text": [text]} for text in outputs]
    code = {"cell_type": "code", "id": "b", "metadata": {}, "source": [source]}
    code |= {"outputs": streams, "execution_count": count}
    prose = {"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["# Täglich"]}
    return json.dumps({"cells": [prose, code], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


@pytest.fixture
def release(monkeypatch, tmp_path):
    """A function that makes this the package of a version, with two lessons: 00, and 05 of some source."""

    def released(version: str, source: str) -> None:
        folder = tmp_path / "package" / version
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "00_first.ipynb").write_text(notebook("print(0)", "0\n"), encoding="utf-8")
        (folder / "05_find.ipynb").write_text(notebook(source, "answer\n"), encoding="utf-8")
        monkeypatch.setattr(lessons, "shipped", lambda name: folder)
        monkeypatch.setattr(lessons, "__version__", version)

    released("0.1.0", "one")
    return released


@pytest.fixture
def mine(release, tmp_path) -> Path:
    """A learner's folder, as version 0.1.0 has made it."""
    copy_lessons(tmp_path / "mine")
    return tmp_path / "mine"


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != MANIFEST)


def source_of(path: Path) -> str:
    return "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][1]["source"])


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


# ---- what is copied


def test_a_copy_has_no_outputs_and_no_execution_counts_and_the_original_keeps_both(tmp_path):
    before = [path.read_bytes() for path in LESSONS]
    copied = copy_lessons(tmp_path / "new" / "folder")
    assert list(copied.files) == [path.name for path in [*LESSONS, GLOSSARY]]
    assert list(copied.files) == visible(tmp_path / "new" / "folder")
    assert f"{len(LESSONS)} lessons written" in copied.notes[0]
    assert copied.first.name == LESSONS[0].name and copied.first.is_file()
    for path in LESSONS:
        was = json.loads(path.read_text(encoding="utf-8"))
        now = json.loads((copied.first.parent / path.name).read_text(encoding="utf-8"))
        for cell in was["cells"]:
            if cell["cell_type"] == "code":
                cell |= {"outputs": [], "execution_count": None}
        assert now == was
    assert [path.read_bytes() for path in LESSONS] == before


def test_a_copy_is_written_as_jupyter_writes_it():
    nbformat = pytest.importorskip("nbformat")
    text = cleared(LESSONS[0].read_text(encoding="utf-8"))
    assert text == nbformat.writes(nbformat.reads(text, as_version=4)) + "\n"


def test_with_outputs_copies_them(mine, tmp_path):
    copy_lessons(tmp_path / "full", with_outputs=True)
    assert "answer" in (tmp_path / "full" / "05_find.ipynb").read_text()
    assert "answer" not in (mine / "05_find.ipynb").read_text()


def test_with_outputs_comes_too_late_for_lessons_that_are_there(mine, tmp_path):
    assert "--folder" in copy_lessons(mine, with_outputs=True).notes[0]
    assert "answer" not in (mine / "05_find.ipynb").read_text()
    copy_lessons(tmp_path / "full", with_outputs=True)
    assert copy_lessons(tmp_path / "full", with_outputs=True).notes == ()


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_links_of_a_lesson_lead_somewhere_in_the_copy(path, copied_lessons):
    cells = json.loads((copied_lessons / path.name).read_text(encoding="utf-8"))["cells"]
    prose = "".join("".join(cell["source"]) + "\n" for cell in cells if cell["cell_type"] == "markdown")
    links = re.findall(r"\]\(([^)\s]+)|(?:src|href)=[\"']([^\"']+)", prose)
    relative = [
        link for link in map("".join, links) if not re.match(r"(https?|attachment|data|mailto):|#", link)
    ]
    assert relative, "the next lesson, at least"
    assert [link for link in relative if not (copied_lessons / link.partition("#")[0]).is_file()] == []


@pytest.fixture(scope="session")
def copied_lessons(tmp_path_factory) -> Path:
    return copy_lessons(tmp_path_factory.mktemp("copy")).first.parent


def test_the_glossary_comes_along_as_it_is_and_a_newer_one_beside_a_changed_one(tmp_path, monkeypatch):
    first = copy_lessons(tmp_path).first
    assert first.name == LESSONS[0].name
    assert (tmp_path / GLOSSARY.name).read_bytes() == GLOSSARY.read_bytes()
    (tmp_path / GLOSSARY.name).write_text("my own words")
    newer = tmp_path / "newer"
    newer.mkdir()
    (newer / "glossary.md").write_text("# Newer")
    monkeypatch.setattr(lessons, "shipped", lambda name: newer)
    monkeypatch.setattr(lessons, "__version__", "99.0")
    assert copy_lessons(tmp_path).files == ("glossary (99.0).md",)
    assert (tmp_path / GLOSSARY.name).read_text() == "my own words"


# ---- a second time


def test_the_same_version_writes_nothing(mine):
    before = contents(mine)
    assert copy_lessons(mine).files == ()
    assert contents(mine) == before


def test_an_untouched_lesson_becomes_the_newer_one(mine, release):
    release("0.2.0", "two")
    assert copy_lessons(mine).files == ("05_find.ipynb",)
    assert source_of(mine / "05_find.ipynb") == "two" and len(visible(mine)) == 2


def test_a_lesson_that_jupyter_only_saved_counts_as_untouched(mine, release):
    saved = json.loads((mine / "05_find.ipynb").read_text(encoding="utf-8"))
    saved["metadata"] = {"language_info": {"name": "python", "version": "3.12"}}
    saved["cells"][1] |= {"execution_count": 7, "metadata": {"scrolled": True}}
    (mine / "05_find.ipynb").write_text(json.dumps(saved, indent=4), encoding="utf-8")
    release("0.2.0", "two")
    assert copy_lessons(mine).files == ("05_find.ipynb",)


@pytest.mark.parametrize(
    "changed",
    [notebook("mine"), notebook("one", "my answer"), "", "no notebook", '{"cells": 3}', "[]"],
    ids=["edited", "run", "empty", "text", "odd", "list"],
)
def test_a_newer_version_comes_beside_what_was_changed_or_run(changed, mine, release):
    (mine / "05_find.ipynb").write_text(changed)
    release("0.2.0", "two")
    copied = copy_lessons(mine)
    assert (mine / "05_find.ipynb").read_text() == changed
    assert copied.files == ("05_find (0.2.0).ipynb",)
    assert source_of(mine / "05_find (0.2.0).ipynb") == "two"
    assert copied.notes == (
        "What you changed or ran stays; beside it is version 0.2.0: 05_find (0.2.0).ipynb.",
    )
    assert copy_lessons(mine).files == (), "it comes once"


def test_what_lies_beside_is_never_overwritten(mine, release):
    for name in ("05_find.ipynb", "05_find (0.2.0).ipynb"):
        (mine / name).write_text(notebook(f"my {name}"))
    release("0.2.0", "two")
    assert copy_lessons(mine).files == ("05_find (0.2.0, 2).ipynb",)
    assert source_of(mine / "05_find (0.2.0).ipynb") == "my 05_find (0.2.0).ipynb"


def test_changes_outlive_several_versions(mine, release):
    (mine / "05_find.ipynb").write_text(notebook("mine"))
    for version in ("0.2.0", "0.10.0"):
        release(version, version)
        copy_lessons(mine)
    assert visible(mine) == [
        "00_first.ipynb", "05_find (0.10.0).ipynb", "05_find (0.2.0).ipynb", "05_find.ipynb"
    ]  # fmt: skip
    assert source_of(mine / "05_find.ipynb") == "mine"


def test_a_deleted_lesson_comes_again(mine):
    (mine / "05_find.ipynb").unlink()
    assert copy_lessons(mine).files == ("05_find.ipynb",)


def test_an_older_package_replaces_nothing(mine, release):
    release("0.10.0", "ten")
    copy_lessons(mine)
    release("0.9.0", "nine")
    copied = copy_lessons(mine)
    assert source_of(mine / "05_find.ipynb") == "ten" and copied.files == ()
    assert "0.10.0, newer than this florence-nb (0.9.0)" in copied.notes[0]


def test_what_was_interrupted_goes_on(mine, release, monkeypatch):
    (mine / "05_find.ipynb").write_text(notebook("mine"))
    release("0.2.0", "two")
    with monkeypatch.context() as stopped, pytest.raises(KeyboardInterrupt):
        stopped.setattr(lessons, "_write_manifest", interrupted)
        copy_lessons(mine)
    assert "05_find (0.2.0).ipynb" in visible(mine)
    assert copy_lessons(mine).files == ()


def interrupted(*_, **__):
    raise KeyboardInterrupt


# ---- folders that are not as expected


def test_other_files_of_the_folder_stay(release, tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"mine")
    (tmp_path / "05_find.ipynb").write_text(notebook("a stranger"))
    copied = copy_lessons(tmp_path)
    assert copied.files == ("00_first.ipynb", "05_find (0.1.0).ipynb")
    assert (tmp_path / "photo.jpg").read_bytes() == b"mine"
    assert source_of(tmp_path / "05_find.ipynb") == "a stranger"


@pytest.mark.parametrize(
    "text", ["", '{"version": "0.1.0", "less', "[]", '{"version": "0.1.0", "lessons": [1]}']
)
def test_a_broken_manifest_costs_nothing(text, mine):
    (mine / "05_find.ipynb").write_text(notebook("mine"))
    (mine / MANIFEST).write_text(text)
    copied = copy_lessons(mine)
    assert f"{MANIFEST} could not be read" in copied.notes[-1]
    assert source_of(mine / "05_find.ipynb") == "mine"
    assert copied.files == ("05_find (0.1.0).ipynb",), "it cannot know that this one was 0.1.0"
    assert copy_lessons(mine) == lessons.Copied(copied.first, (), ())


def test_a_copy_that_lost_its_manifest_is_known_by_its_content(mine, release):
    (mine / MANIFEST).unlink()
    assert copy_lessons(mine).files == ()
    release("0.2.0", "two")
    assert copy_lessons(mine).files == ("05_find.ipynb",)


def test_a_file_in_the_folders_place(release, tmp_path):
    (tmp_path / "mine").write_text("a letter")
    with pytest.raises(InputError, match="is no folder: rename it, or name another folder with --folder"):
        copy_lessons(tmp_path / "mine")
    with pytest.raises(InputError, match="could not be written.*--folder"):
        copy_lessons(tmp_path / "mine" / "deeper")
    assert (tmp_path / "mine").read_text() == "a letter"


def test_the_originals_are_no_place_for_a_copy(release):
    originals = lessons.shipped("lessons")
    before = contents(originals)
    with pytest.raises(InputError, match="holds the lessons themselves"):
        copy_lessons(originals)
    assert contents(originals) == before


@pytest.mark.parametrize(
    "number, words",
    [(errno.ENOSPC, "free some space"), (errno.EACCES, "a folder of your own"), (errno.EROFS, "--folder")],
)
def test_a_disk_that_takes_no_more_leaves_all_as_it_was(number, words, mine, release, monkeypatch):
    release("0.2.0", "two")
    before = contents(mine)
    with monkeypatch.context() as full:
        full.setattr(Path, "write_bytes", half_written(number))
        with pytest.raises(InputError) as raised:
            copy_lessons(mine)
    assert words in str(raised.value) and os.strerror(number) in str(raised.value)
    assert contents(mine) == before
    assert copy_lessons(mine).files == ("05_find.ipynb",), "and the next time it works"


def half_written(number: int):
    def write_bytes(path: Path, data: bytes) -> None:
        with open(path, "wb") as file:
            file.write(data[:100])
        raise OSError(number, os.strerror(number))

    return write_bytes


def test_a_read_only_folder_that_lacks_nothing_is_good_as_it_is(mine, release, monkeypatch):
    release("0.2.0", "one")
    monkeypatch.setattr(Path, "write_bytes", half_written(errno.EROFS))
    assert copy_lessons(mine).files == ()


@not_as_root
def test_a_folder_that_may_not_be_looked_into(mine):
    mine.chmod(0o000)
    try:
        with pytest.raises(InputError, match="a folder of your own with --folder"):
            copy_lessons(mine / "deeper")
    finally:
        mine.chmod(0o700)


@not_as_root
def test_a_folder_without_rights(mine, release):
    release("0.2.0", "two")
    mine.chmod(0o500)
    try:
        with pytest.raises(InputError, match="a folder of your own with --folder"):
            copy_lessons(mine)
    finally:
        mine.chmod(0o700)
    assert source_of(mine / "05_find.ipynb") == "one"


def test_an_installation_without_lessons_says_so(monkeypatch):
    monkeypatch.setitem(lessons.IN_A_CLONE, "lectures", "nowhere")
    with pytest.raises(InputError, match="lectures/ is missing.*install florence-nb again"):
        lessons.shipped("lectures")


def test_the_folder_of_the_learner_is_found_from_inside_it(mine, monkeypatch):
    monkeypatch.chdir(mine.parent)
    assert lessons.own_folder() == Path("florence-lessons")
    monkeypatch.chdir(mine)
    assert lessons.own_folder() == Path(".")
