"""What there is to serve: made in a folder of its own, or named by the teacher."""

from __future__ import annotations

import importlib.util
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import InputError
from ..kit import unpack
from ..kit.lessons import copy_lessons, title_of
from . import pages
from .files import list_of_wheels

LESSONS = "florence-lessons"


@dataclass
class Contents:
    """Folders and pages as `Files` takes them, and the parts of the start page, in its order."""

    folders: dict[str, Path] = field(default_factory=dict)
    pages: dict[str, Path] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)


def gather(
    work: Path,
    address: str,
    *,
    page: Path | None,
    site: Path | None,
    kit: Path | None,
    say: Callable[[str], None],
) -> Contents:
    """Makes what is missing, in ``work``, and looks at the folders that were named.

    Raises:
        InputError: a folder is not what its option wants.
    """
    _look_at(page, "--page", "checkpoint/config.json", "the page", "florence-nb page FOLDER writes it")
    _look_at(site, "--site", "index.html", "a site", "make site writes one")
    about = _about(kit) if kit else {}
    found = Contents()
    _add_page(found, page, work, say)
    if site:
        found.folders["site"] = site
        words = "Every lesson with its pictures and outputs, to read in a browser."
        found.parts.append(pages.section("Read", words, button=("/site/", "Open the site")))
    _add_lessons(found, work / "lessons")
    _add_slides(found, work / "slides", say)
    if kit:
        _add_kit(found, kit, about, work, address)
    return found


def _look_at(folder: Path | None, option: str, wanted: str, name: str, way_out: str) -> None:
    if folder and not (folder / wanted).is_file():
        raise InputError(f"{option} {folder} is not {name} ({wanted} is missing): {way_out}.")


def _about(kit: Path) -> dict:
    try:
        about = unpack.read_about(kit)
        unpack.read_list(kit)  # it was packed to its end
    except unpack.KitError as error:
        raise InputError(str(error)) from error
    return about


# ---- the parts


def _add_page(found: Contents, page: Path | None, work: Path, say: Callable[[str], None]) -> None:
    from ..page.build import write_page
    from ..scenes import GALLERY

    say(f"Writing {'the page, ' if page is None else ''}the lessons and the slides …")
    found.folders["page"] = page or write_page(work / "page").parent
    found.parts.append(pages.play(_bytes(found.folders["page"]) / 1e6))
    found.pages["/street.jpg"] = work / "street.jpg"
    GALLERY["street"].image.convert("RGB").save(work / "street.jpg", quality=85)


def _add_lessons(found: Contents, folder: Path) -> None:
    copy_lessons(folder)
    lessons = sorted(folder.glob("*.ipynb"))
    with zipfile.ZipFile(folder / f"{LESSONS}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            if path.suffix != ".zip":
                archive.write(path, f"{LESSONS}/{path.name}")
    found.folders["lessons"] = folder
    found.parts.append(
        pages.section(
            "Lessons",
            f"{len(lessons)} notebooks for Jupyter, without outputs: you predict them.",
            button=(f"/lessons/{LESSONS}.zip", "All as one file"),
            more="One by one",
            links=[(f"/lessons/{path.name}", _title(path)) for path in lessons],
            files=True,
        )
    )


def _title(lesson: Path) -> str:
    return f"{lesson.stem[:2]} · {title_of(lesson)}"


def _add_slides(found: Contents, folder: Path, say: Callable[[str], None]) -> None:
    if not all(map(importlib.util.find_spec, ("markdown_it", "nbformat"))):
        say("The slides are left out: they need pip install markdown-it-py nbformat")
        return
    from ..kit.slides import lessons, plans, write_slides

    write_slides(folder)
    found.folders["slides"] = folder
    named = [(f"plan_{number}", heading) for number, heading in enumerate(plans(), 1)]
    named += [(path.stem, _title(path)) for path in lessons()]
    named += [("handout", "Handout: Florence-2 on one page"), ("before-after", "The test before and after")]
    links = [(f"/slides/{name}.html", words) for name, words in named]
    words = "For the projector: arrow keys turn them, n shows notes."
    found.parts.append(pages.section("Slides", words, more="All slides", links=links))


def _add_kit(found: Contents, kit: Path, about: dict, work: Path, address: str) -> None:
    found.folders["kit"] = kit
    digests = {Path(name).name: digest for name, digest in unpack.read_list(kit).items()}
    listed = work / "wheels.html"
    listed.write_text(list_of_wheels(kit / unpack.WHEELS, digests), encoding="utf-8")
    found.pages[f"/kit/{unpack.WHEELS}/"] = listed
    found.parts.append(pages.install(address, unpack.WHAT, ", ".join(map(unpack.spoken, about["targets"]))))


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
