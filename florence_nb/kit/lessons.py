"""The lessons and their glossary as they travel with the package, and a copy in a learner's folder.

A hidden file in that folder, the manifest, remembers what was written there. So a newer version of the
package replaces the lessons that nobody touched, and comes beside those that the learner changed or ran.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .. import __version__
from ..errors import InputError, first_line
from .unpack import FULL
from .whole_file import write_whole

FOLDER = "florence-lessons"
MANIFEST = ".florence-nb.json"
# In a wheel they lie inside the package; in a clone they are folders beside it, under these names.
IN_A_CLONE = {"lessons": "notebooks", "workshop": "workshop"}

# What the manifest remembers of a lesson: "edition", the newest one that came, here or beside (its digest
# without outputs), and "written", the digest of all that was written under the lesson's own name.
Entry = dict[str, str]


@dataclass(frozen=True)
class Copied:
    """What `copy_lessons` did.

    Attributes:
        first: the first lesson, in the folder.
        files: names of the files that were written.
        notes: sentences that the learner should read.
    """

    first: Path
    files: tuple[str, ...]
    notes: tuple[str, ...]


def shipped(name: str) -> Path:
    """The folder of this installation that holds the "lessons" (``*.ipynb``, with their outputs, and
    glossary.md) or the "workshop" (``*.md``, the pages for teachers).

    Raises:
        InputError: this installation has no such folder.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / name, package.parent / IN_A_CLONE[name]):
        if any(folder.glob("*.*")):
            return folder
    raise InputError(f"The folder {name}/ is missing from this installation: install florence-nb again.")


def title_of(lesson: Path) -> str:
    """The title of a lesson: the first line of its first cell."""
    first = json.loads(lesson.read_text(encoding="utf-8"))["cells"][0]["source"]
    return "".join(first).splitlines()[0].removeprefix("# ")


def pages() -> list[Path]:
    """What a learner gets: the lessons in their order, then the pages that they link to."""
    folder = shipped("lessons")
    return [*sorted(folder.glob("*.ipynb")), *sorted(folder.glob("*.md"))]


def own_folder() -> Path:
    """Where the lessons go if nobody says: florence-lessons/ in the current folder, or the current folder
    where it is such a copy.
    """
    return Path(".") if Path(MANIFEST).is_file() else Path(FOLDER)


def cleared(text: str) -> str:
    """The text of a notebook without outputs and execution counts, so that answers can be predicted."""
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"


def copy_lessons(folder: str | Path, *, with_outputs: bool = False) -> Copied:
    """Copy the lessons and their glossary into `folder`, made if it is not there, and never over changes.

    A lesson that is missing is written. An older one is replaced if nobody changed or ran it; otherwise it
    stays, and the newer one is written beside it as ``05_detection (0.2.0).ipynb``. Where nothing is newer,
    nothing is written.

    Args:
        folder: where the lessons go; other files in it stay as they are.
        with_outputs: keep the stored outputs in what is written.

    Raises:
        InputError: the folder is a file, may not be written, is full, or holds the originals.
    """
    folder = Path(folder)
    _check_place(folder)
    lessons = [_read_lesson(path, with_outputs) for path in pages()]
    before = _read_manifest(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files, after = _bring_all(folder, lessons, before or _Manifest())
        if after != before:
            _write_manifest(folder, after, must=bool(files))
    except OSError as error:
        raise InputError(_could_not_write(folder, error)) from error
    notes = [*_on_files(folder, lessons, files), *_on_manifest(folder, before)]
    if with_outputs and any(after.lessons[each.name].get("written") != each.written for each in lessons):
        notes.append("--with-outputs changes no lesson that is there: name a new folder with --folder.")
    return Copied(folder / lessons[0].name, tuple(files), tuple(notes))


def _on_files(folder: Path, lessons: list[_Lesson], files: list[str]) -> Iterator[str]:
    names = {lesson.name for lesson in lessons}
    beside = [file for file in files if file not in names]
    if fresh := sum(file in names and file.endswith(".ipynb") for file in files):
        yield f"{folder}: {fresh} {'lesson' if fresh == 1 else 'lessons'} written."
    if beside:
        yield f"What you changed or ran stays; beside it is version {__version__}: {', '.join(beside)}."


def _on_manifest(folder: Path, manifest: _Manifest | None) -> Iterator[str]:
    if manifest is None:
        yield f"{folder / MANIFEST} could not be read: it was written anew, and no lesson was replaced."
    elif manifest.is_newer():
        newer = f"{manifest.version}, newer than this florence-nb ({__version__})"
        yield f"{folder} has lessons of {newer}: they stay as they are."


def _check_place(folder: Path) -> None:
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise InputError(f"{folder} is no folder: rename it, or name another folder with --folder.")
    if os.path.isdir(folder) and folder.samefile(shipped("lessons")):
        raise InputError(
            f"{folder} holds the lessons themselves, with their outputs: name another folder with --folder,"
            f" or open them with jupyter lab {folder}"
        )


def _could_not_write(folder: Path, error: OSError) -> str:
    full = error.errno in FULL
    way_out = "free some space, or name a folder on another disk" if full else "name a folder of your own"
    reason = error.strerror or first_line(error)
    return f"The lessons could not be written to {folder} ({reason}): {way_out} with --folder."


# ---- one lesson


@dataclass(frozen=True)
class _Lesson:
    """A lesson (or a page) as it would be written, with the two digests of an `Entry`."""

    name: str
    text: str
    edition: str
    written: str


def _read_lesson(path: Path, with_outputs: bool) -> _Lesson:
    text = path.read_text(encoding="utf-8")
    text = text if with_outputs or path.suffix != ".ipynb" else cleared(text)
    return _Lesson(path.name, text, _digest(text, outputs=False), _digest(text))


def _bring_all(folder: Path, lessons: list[_Lesson], known: _Manifest) -> tuple[list[str], _Manifest]:
    """The names of the files that were written, and the manifest as it is now."""
    newer = known.is_newer()
    files, after = [], _Manifest(known.version if newer else __version__, dict(known.lessons))
    for lesson in lessons:
        entry = known.lessons.get(lesson.name, {})
        file, after.lessons[lesson.name] = _bring(folder / lesson.name, lesson, entry, frozen=newer)
        files += [file] if file else []
    return files, after


def _bring(target: Path, lesson: _Lesson, entry: Entry, frozen: bool) -> tuple[str, Entry]:
    """The name of the file that was written ("" for none), and what to remember of the lesson."""
    fresh = {"edition": lesson.edition, "written": lesson.written}
    if not os.path.lexists(target):
        write_whole(target, lesson.text.encode())
        return target.name, fresh
    if frozen or entry.get("edition") == lesson.edition:
        return "", entry
    there = _read(target)
    if _digest(there, outputs=False) == lesson.edition:
        return "", fresh
    if _digest(there) == entry.get("written"):
        write_whole(target, lesson.text.encode())
        return target.name, fresh
    return _write_beside(target, lesson), {**entry, "edition": lesson.edition}


def _write_beside(target: Path, lesson: _Lesson) -> str:
    """The name of the file; "" where an earlier, interrupted call has written it."""
    for number in itertools.count(1):
        again = f", {number}" if number > 1 else ""
        beside = target.with_name(f"{target.stem} ({__version__}{again}){target.suffix}")
        if not os.path.lexists(beside):
            write_whole(beside, lesson.text.encode())
            return beside.name
        if _digest(_read(beside), outputs=False) == lesson.edition:
            return ""
    raise AssertionError("there is always a free number")


def _digest(text: str, *, outputs: bool = True) -> str:
    """Of what a learner would miss: the cells, their attachments and outputs. JupyterLab may write all else
    differently without being asked.
    """
    parts = ["cell_type", "attachments", "outputs"] if outputs else ["cell_type", "attachments"]
    try:
        cells = json.loads(text)["cells"]
        content: list = [["".join(cell["source"]), *map(cell.get, parts)] for cell in cells]
    except (ValueError, KeyError, TypeError, AttributeError):
        content = [text]  # no notebook
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _read(path: Path) -> str:
    """The text of a learner's file; "" if it cannot be read, which is no lesson of ours either."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


# ---- the manifest


@dataclass
class _Manifest:
    version: str = ""
    lessons: dict[str, Entry] = field(default_factory=dict)

    def is_newer(self) -> bool:
        """Was the folder written by a newer version of the package than this one?"""
        return _release(self.version) > _release(__version__)


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", re.split(r"[^\d.]", version)[0]))


def _read_manifest(folder: Path) -> _Manifest | None:
    """Empty if there is none, None if it cannot be understood."""
    try:
        stored = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        entries = {str(name): {**entry} for name, entry in stored["lessons"].items()}
        return _Manifest(str(stored["version"]), entries)
    except FileNotFoundError:
        return _Manifest()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _write_manifest(folder: Path, manifest: _Manifest, must: bool) -> None:
    """A folder that may not be written and lacks nothing is good as it is: there this need not succeed."""
    with contextlib.nullcontext() if must else contextlib.suppress(OSError):
        write_whole(folder / MANIFEST, json.dumps(asdict(manifest), indent=1).encode() + b"\n")
