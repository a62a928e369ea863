"""Gathers every page of the site, as Sphinx reads it, under the path that it has in the repository.

So the links between pages stay as they are written. Lessons and pages are found by listing their folders.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
from jinja2 import Environment, FileSystemLoader, StrictUndefined

import florence_nb as fnb
from florence_nb.kit.lessons import cleared
from florence_nb.page.build import write_page

from . import gallery, lessons
from .repository import ROOT, address

DOCS = Path(__file__).resolve().parents[1]
LESSONS = "notebooks/[0-9][0-9]_*.ipynb"
CARDS = ("florence_nb/mini/README.md", "florence_nb/samples/CREDITS.md")
PAGES = ("*.md", "notebooks/*.md", "workshop/*.md", *CARDS)
FILES = ("notebooks/pictures/*.jpg", "workshop/setup_help.py")
"""Pictures of the pages, and what a page offers for download."""
PICTURES = "pictures/gallery"
TRY = "try.html"
"""mini in the browser, as one file; it is counted apart."""
FIRST = ("README", "participants", "REFERENCE", "TROUBLESHOOTING", "notebooks/glossary")
"""What comes first in its part of the menu."""
SHORT = {"README": "The repository", "florence_nb/samples/CREDITS": "Pictures and their authors"}
"""Names in the menu, where a page's title is too long or says too little there."""


def gather(into: Path, extra: Path) -> None:
    """Writes what Sphinx reads into one folder, and what it only copies into the other."""
    for path in found(*PAGES, *FILES):
        _copy(path, into / path.relative_to(ROOT))
    for path in found(LESSONS):
        write_lesson(path, into, extra)
    write_gallery(into)
    write_page(extra / TRY, single=True)
    (into / "index.md").write_text(filled("index.md"), encoding="utf-8")


def found(*patterns: str) -> list[Path]:
    """The files of the repository, pattern by pattern, each in its order."""
    return [path for pattern in patterns for path in sorted(ROOT.glob(pattern))]


def write_lesson(path: Path, into: Path, extra: Path) -> None:
    picture = into / lessons.told(path).picture
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_bytes(lessons.title_picture(path))
    nbformat.write(lessons.page(path), into / "notebooks" / path.name)
    copy = extra / lessons.DOWNLOADS / path.name
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(cleared(path.read_text(encoding="utf-8")), encoding="utf-8")


def write_gallery(into: Path) -> None:
    mini = gallery.exhibits(fnb.load("mini", quiet=True))
    real = gallery.recorded()
    for exhibit in [*mini, *real]:
        gallery.save(exhibit, into / PICTURES)
    (into / "gallery.md").write_text(filled("gallery.md", mini=mini, real=real), encoding="utf-8")


def filled(name: str, **values: object) -> str:
    """A template of this folder with its values."""
    templates = Environment(
        loader=FileSystemLoader(DOCS), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    told = [lessons.told(path) for path in found(LESSONS)]
    return templates.get_template(name).render(lessons=told, shelves=shelves(), address=address(), **values)


def shelves() -> dict[str, list[tuple[str, str]]]:
    """The parts of the menu: for each page its title there, and its path without suffix."""
    told = [lessons.told(path) for path in found(LESSONS)]
    return {
        "Lessons": [(f"{each.number} {each.title}", each.place) for each in told],
        "Workshop": list(_pages("workshop/*.md")),
        "Look up": list(_pages("*.md", "notebooks/*.md", *CARDS)),
    }


def _pages(*patterns: str) -> Iterator[tuple[str, str]]:
    places = [path.relative_to(ROOT).with_suffix("").as_posix() for path in found(*patterns)]
    for place in sorted(places, key=_rank):
        yield SHORT.get(place) or _title(ROOT / f"{place}.md"), place


def _rank(place: str) -> int:
    names = [place, place.rpartition("/")[2]] if place.startswith("workshop/") else [place]
    return min((FIRST.index(name) for name in names if name in FIRST), default=len(FIRST))


def _title(path: Path) -> str:
    return re.search(r"^# (.+)$", path.read_text(encoding="utf-8"), re.M)[1].replace("`", "")


def _copy(path: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, to)
