"""Checks a built site on the disk: each link leads to a page and a place that are there, and nothing is
loaded from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"script", "link", "img", "iframe", "source", "video", "audio", "object", "embed"}
"""Elements whose address a browser asks for by itself."""
_OUTSIDE = re.compile(r"https?:|//")
_WELL_FORMED = re.compile(r"https?://[\w-]+(\.[\w-]+)+(:\d+)?([/?#][^\s<>\"]*)?")
_IN_STYLE = re.compile(r"url\(\s*['\"]?((?:https?:)?//[^'\")\s]+)|@import\s+['\"]((?:https?:)?//[^'\"]+)")


@dataclass
class Page(HTMLParser):
    """What an HTML file names: its own places, and the addresses of its elements as (element, address)."""

    text: str = field(repr=False)
    places: set[str] = field(default_factory=set)
    addresses: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attributes}
        self.places |= {told[name] for name in ("id", "name") if name in told}
        named = [told[name] for name in ("href", "src", "data") if name in told]
        self.addresses += [(tag, address) for address in named if not address.startswith("data:")]
        loaded = [part.split()[0] for part in told.get("srcset", "").split(",") if part.strip()]
        self.addresses += [(tag, address) for address in loaded]


@dataclass
class Report:
    """`broken` and `loaded` are sentences, none for a good site; `outside` are the addresses that people
    follow.
    """

    pages: int = 0
    links: int = 0
    broken: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    outside: set[str] = field(default_factory=set)


def check(site: Path, leave: tuple[str, ...] = ()) -> Report:
    """Checks all pages of a folder; those named in `leave` may be linked to, but are not read."""
    paths = [path for path in sorted(site.rglob("*.html")) if path.name not in leave]
    pages = {path.resolve(): Page(path.read_text(encoding="utf-8")) for path in paths}
    report = Report(pages=len(pages))
    for path, page in pages.items():
        where = path.relative_to(site.resolve()).as_posix()
        for tag, address in page.addresses:
            report.links += 1
            if _OUTSIDE.match(address):
                _outside(report, where, tag, address)
            elif fault := _fault(path, address, pages, site.resolve()):
                report.broken.append(f"{where}: {address} {fault}")
    report.loaded += list(_styles(site))
    return report


def _outside(report: Report, where: str, tag: str, address: str) -> None:
    if tag in LOADED:
        report.loaded.append(f"{where}: <{tag}> loads {address}")
    elif not _WELL_FORMED.fullmatch(address):
        report.broken.append(f"{where}: {address} is no address")
    else:
        report.outside.add(address)


def _fault(path: Path, address: str, pages: dict[Path, Page], site: Path) -> str:
    """What is wrong with an address on the site; "" for nothing."""
    parts = urlsplit(address)
    if parts.scheme:
        return "" if parts.scheme == "mailto" else f"has the scheme {parts.scheme}"
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.is_relative_to(site):
        return "leaves the site"
    if not target.is_file():
        return "is not there"
    places = pages[target].places if target in pages else {unquote(parts.fragment)}
    return "is a place that is not there" if parts.fragment and unquote(parts.fragment) not in places else ""


def _styles(site: Path) -> Iterator[str]:
    for path in sorted(site.rglob("*.css")):
        for found in _IN_STYLE.finditer(path.read_text(encoding="utf-8")):
            yield f"{path.relative_to(site).as_posix()}: the style loads {found[1] or found[2]}"
