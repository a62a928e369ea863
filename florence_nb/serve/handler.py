"""How one request is answered: GET and HEAD, whole or in part, compressed or not, or "you have it"."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from .files import Content, Files

PATIENCE = 60
"""Seconds in which a client must take or send something; a phone that has left holds a thread so long."""
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})$")


class Handler(BaseHTTPRequestHandler):
    """Of one connection; `make_handler` says what it serves."""

    protocol_version = "HTTP/1.1"  # a phone loads forty files over a few connections
    server_version, sys_version = "florence-nb", ""
    timeout = PATIENCE
    disable_nagle_algorithm = True
    files: Files
    not_found: str
    heard: Callable[[str], None]

    def do_GET(self) -> None:
        address = self.path.partition("?")[0].partition("#")[0]
        found = self.files.find(address)
        if isinstance(found, Content):
            self.heard(self.client_address[0])
            self._send(found)
        elif found:
            self._redirect(found)
        else:
            self._page(HTTPStatus.NOT_FOUND, self.not_found)

    do_HEAD = do_GET

    def _refuse(self) -> None:
        self.close_connection = True  # what was sent along is not read
        self._page(HTTPStatus.METHOD_NOT_ALLOWED, "Only reading is possible here.", Allow="GET, HEAD")

    do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = _refuse

    # ---- a file

    def _send(self, content: Content) -> None:
        packed = content.packed if self._takes_gzip() else None
        etag = content.etag[:-1] + '-gzip"' if packed else content.etag
        headers = {
            "ETag": etag,
            "Cache-Control": "no-cache",  # keep it, but ask whether it is still so
            "Last-Modified": formatdate(content.modified / 1e9, usegmt=True),
            "X-Content-Type-Options": "nosniff",
        }
        if content.packed:
            headers["Vary"] = "Accept-Encoding"
        if self._has(etag):
            self._head(HTTPStatus.NOT_MODIFIED, headers)
            return
        headers |= {"Content-Type": content.type, "Accept-Ranges": "none" if packed else "bytes"}
        if packed:
            headers["Content-Encoding"] = "gzip"
            self._body(HTTPStatus.OK, headers, packed, 0, packed.stat().st_size)
            return
        self._range(content, headers)

    def _range(self, content: Content, headers: dict[str, str]) -> None:
        """A download that broke off goes on where it was: browsers and pip ask for the rest."""
        first, last = self._wanted(content)
        if first is None:
            self._body(HTTPStatus.OK, headers, content.path, 0, content.size)
        elif first > last:
            headers = {**headers, "Content-Range": f"bytes */{content.size}", "Content-Length": "0"}
            self._head(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers)
        else:
            headers["Content-Range"] = f"bytes {first}-{last}/{content.size}"
            self._body(HTTPStatus.PARTIAL_CONTENT, headers, content.path, first, last - first + 1)

    def _wanted(self, content: Content) -> tuple[int | None, int]:
        """First and last byte that were asked for; None for all of them."""
        match = _RANGE.match(self.headers.get("Range", "").strip())
        if not match or not any(match.groups()) or self.headers.get("If-Range", content.etag) != content.etag:
            return None, 0
        first, last = match.groups()
        if not first:
            return max(0, content.size - int(last)), content.size - 1 if int(last) else -1
        if last and int(last) < int(first):
            return None, 0
        end = min(int(last or content.size), content.size - 1)
        return int(first), end

    def _takes_gzip(self) -> bool:
        if "Range" in self.headers:
            return False
        offers = [
            offer.replace(" ", "").lower() for offer in self.headers.get("Accept-Encoding", "").split(",")
        ]
        return any(
            offer == "gzip" or re.fullmatch(r"gzip;q=(1|1?\.\d*|0\.\d*[1-9]\d*)", offer) for offer in offers
        )

    def _has(self, etag: str) -> bool:
        known = [one.strip().removeprefix("W/") for one in self.headers.get("If-None-Match", "").split(",")]
        return etag in known or "*" in known

    # ---- what goes out

    def _body(self, status: HTTPStatus, headers: dict[str, str], path: Path, first: int, count: int) -> None:
        with open(path, "rb") as file:
            self._head(status, {**headers, "Content-Length": str(count)})
            if self.command == "GET" and count:
                try:
                    sent = self.connection.sendfile(file, first, count)
                except OSError:  # the phone has gone
                    sent = 0
                self.close_connection |= sent != count

    def _page(self, status: HTTPStatus, text: str, **headers: str) -> None:
        body = text.encode()
        kind = "text/html; charset=utf-8" if text.startswith("<") else "text/plain; charset=utf-8"
        self._head(status, {**headers, "Content-Type": kind, "Content-Length": str(len(body))})
        if self.command != "HEAD":
            with contextlib.suppress(OSError):
                self.wfile.write(body)

    def _redirect(self, address: str) -> None:
        self._head(HTTPStatus.MOVED_PERMANENTLY, {"Location": address, "Content-Length": "0"})

    def _head(self, status: HTTPStatus, headers: dict[str, str]) -> None:
        if self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers:
            self.close_connection = True
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # it has gone, in the middle or not
            super().handle()

    def log_message(self, *_) -> None:
        """Nothing: the terminal shows the address and the code."""


def make_handler(files: Files, not_found: str, heard: Callable[[str], None]) -> type[Handler]:
    """A handler for these files.

    Args:
        files: what is served.
        not_found: the page for all other addresses, as HTML.
        heard: gets the address of a client with every file that is sent.
    """
    return type("Handler", (Handler,), {"files": files, "not_found": not_found, "heard": staticmethod(heard)})
