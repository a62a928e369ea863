"""What is served: folders under names, and nothing that is not in them; each text compressed once."""

from __future__ import annotations

import gzip
import hashlib
import html
import os
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".ipynb": "application/x-ipynb+json",
    ".wasm": "application/wasm",
    ".safetensors": "application/octet-stream",
    ".svg": "image/svg+xml",
    ".xml": "application/xml",
    **dict.fromkeys((".txt", ".md", ".py", ".toml", ".wat", ".inv"), "text/plain; charset=utf-8"),
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".ico": "image/x-icon",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".pdf": "application/pdf",
    ".zip": "application/zip",
    ".mp4": "video/mp4",
}
"""What browsers need to be told. Python's own table asks Windows' registry, which may say anything of .js."""
OTHER = "application/octet-stream"
_PACKED = (".html", ".css", ".js", ".mjs", ".json", ".map", ".ipynb", ".wasm", ".safetensors", ".svg", ".xml",
           ".txt", ".md", ".py", ".toml", ".wat")  # fmt: skip
LARGEST = 64_000_000
"""Bytes: larger files are neither compressed nor read for their ETag."""
WORTH = 0.97
"""A file is sent compressed if that takes no more than this share of it: of weights gzip saves 8 %."""


@dataclass(frozen=True)
class Content:
    """What can be sent at one address: the file, and the same compressed, if that is smaller.

    Attributes:
        path: the file.
        size: its bytes.
        modified: its time, in nanoseconds since 1970.
        type: for the header Content-Type.
        etag: with quotation marks; of the file as it is.
        packed: the file compressed, or None.
    """

    path: Path
    size: int
    modified: int
    type: str
    etag: str
    packed: Path | None


class Files:
    """Folders under the first part of an address, ``{"page": Path("web")}`` for ``/page/…``, and single files
    under a whole one, ``{"/": Path("start.html")}``.

    Only files are found that lie in their folder, also after all links are followed, and whose path has no
    hidden part (``.git``). Compressed copies are written into a folder of their own, which `close` removes.
    """

    def __init__(self, folders: dict[str, Path], pages: dict[str, Path]) -> None:
        self.folders = {name: folder.resolve() for name, folder in folders.items()}
        self.pages = {address: path.resolve() for address, path in pages.items()}
        self._known: dict[Path, Content] = {}
        self._lock = threading.Lock()
        self._copies = tempfile.TemporaryDirectory(prefix="florence-nb-", ignore_cleanup_errors=True)

    def close(self) -> None:
        self._copies.cleanup()

    def prepare(self) -> int:
        """Compresses all there is to compress, so that no visitor waits for it; returns how many files."""
        found = map(self.find, [*self.pages, *self._addresses()])
        return sum(isinstance(one, Content) and one.packed is not None for one in found)

    def _addresses(self) -> Iterator[str]:
        for name, folder in self.folders.items():
            for path in sorted(folder.rglob("*")):
                if path.suffix.lower() in _PACKED:
                    yield f"/{name}/{quote(path.relative_to(folder).as_posix())}"

    def find(self, address: str) -> Content | str | None:
        """What is at an address such as ``/page/index.html``: the content, the address to go to instead
        (a folder's, with a slash at its end), or None.
        """
        try:
            if address in self.pages:
                return self._content(self.pages[address])
            return f"{address}/" if f"{address}/" in self.pages else self._in_a_folder(address)
        except (OSError, ValueError, RuntimeError):  # it is not there; a NUL; links in a circle
            return None

    def _in_a_folder(self, address: str) -> Content | str | None:
        name, *parts = map(unquote, address.removeprefix("/").removesuffix("/").split("/"))
        folder = self.folders.get(name)
        if folder is None or not all(map(_is_plain, parts)):
            return None
        path = folder.joinpath(*parts).resolve(strict=True)
        if path.is_dir() != address.endswith("/"):
            return f"{address}/" if (path / "index.html").is_file() and path.is_relative_to(folder) else None
        path = (path / "index.html").resolve(strict=True) if path.is_dir() else path
        return self._content(path) if path.is_relative_to(folder) else None

    def _content(self, path: Path) -> Content | None:
        """Made once for each state of a file."""
        state = path.stat()
        if not path.is_file():
            return None
        if state.st_size > LARGEST:
            return _as_it_is(path, state)
        return self._fresh(path, state) or self._read_once(path, state)

    def _fresh(self, path: Path, state: os.stat_result) -> Content | None:
        known = self._known.get(path)
        same = known and (known.size, known.modified) == (state.st_size, state.st_mtime_ns)
        return known if same else None

    def _read_once(self, path: Path, state: os.stat_result) -> Content:
        with self._lock:  # thirty clients ask at once: one of them works
            if (known := self._fresh(path, state)) is None:
                self._known[path] = known = self._read(path, state)
            return known

    def _read(self, path: Path, state: os.stat_result) -> Content:
        data = path.read_bytes()
        name = hashlib.sha256(data).hexdigest()[:32]
        packed = self._pack(data, name) if path.suffix.lower() in _PACKED else None
        return Content(path, len(data), state.st_mtime_ns, type_of(path), f'"{name}"', packed)

    def _pack(self, data: bytes, name: str) -> Path | None:
        packed = Path(self._copies.name, name)
        if not packed.is_file():
            small = gzip.compress(data, 6, mtime=0)
            if len(small) > WORTH * len(data):
                return None
            packed.write_bytes(small)
        return packed


def _as_it_is(path: Path, state: os.stat_result) -> Content:
    etag = f'"{state.st_mtime_ns:x}-{state.st_size:x}"'
    return Content(path, state.st_size, state.st_mtime_ns, type_of(path), etag, None)


def type_of(path: Path) -> str:
    return TYPES.get(path.suffix.lower(), OTHER)


def _is_plain(part: str) -> bool:
    """May this be one part of a path, on any system?"""
    return bool(part) and not part.startswith(".") and not any(letter in part for letter in "/\\:\0")


def list_of_wheels(folder: Path, digests: dict[str, str]) -> str:
    """The page that pip reads with ``--find-links``; it compares each wheel with its SHA-256."""
    links = []
    for name in sorted(path.name for path in folder.glob("*.whl")):
        digest = f"#sha256={digests[name]}" if name in digests else ""
        links.append(f'<a href="{quote(name)}{digest}">{html.escape(name)}</a><br>\n')
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Wheels</title>\n'
    return f"{head}{''.join(links)}</html>\n"
