"""`florence-nb serve` from its start to Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import platform
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import InputError
from . import pages
from .addresses import PORT, listen, own_addresses
from .contents import Contents, gather
from .files import Files
from .handler import Handler, make_handler
from .qr import HOW_TO_GET_IT, QUIET, as_svg, code_of, for_terminal

ONLY_HERE = (
    "Only this machine itself can open it. For phones: join their Wi-Fi or open a hotspot, and start again"
    " without --host."
)
_ASKS = {
    "Windows": "Windows may ask whether Python may be reached: allow it for the network that you are in.",
    "Darwin": "macOS may ask whether Python may accept connections: allow it.",
}
Say = Callable[[str], None]


def serve(
    *,
    host: str = "",
    port: int | None = None,
    address: str = "",
    page: Path | None = None,
    site: Path | None = None,
    kit: Path | None = None,
    wifi: str = "",
    qr_slide: Path | None = None,
    say: Say = print,
) -> None:
    """Serves a class until Ctrl-C.

    Args:
        host: the address of this machine to listen on; all of them by default.
        port: 8000 or the next free one by default.
        address: what phones are told, if it is not the one that was found (behind a router, in WSL).
        page: a folder that `write_page` wrote; written anew by default.
        site: a folder with an index.html.
        kit: a folder that `pack` wrote.
        wifi: the name of the network, for the slide.
        qr_slide: also write the slide into this HTML file.
        say: gets what a person should read. The address goes to stdout.

    Raises:
        InputError: it cannot listen there, or a folder is not what it should be.
    """
    if address and urlsplit(address).scheme not in ("http", "https"):
        raise InputError(f"--address {address} is no address: it begins with http:// or https://.")
    with contextlib.ExitStack() as stack:
        _end_as_with_ctrl_c(stack)
        server = stack.enter_context(listen(host, port, Handler))
        told = _told(address, host, server.server_port)
        if port is None and server.server_port != PORT:
            say(f"Port {PORT} is taken: this is port {server.server_port}.")
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="florence-nb-")))
        found = gather(work, told, page=page, site=site, kit=kit, say=say)
        _add_own_pages(found, work, told, wifi)
        if qr_slide:
            _write_slide(qr_slide, found.pages["/qr"].read_text(encoding="utf-8"))
        files = stack.enter_context(contextlib.closing(Files(found.folders, found.pages)))
        files.prepare()
        server.RequestHandlerClass = make_handler(files, pages.nothing_here(), _Guests(say).came)
        _announce(told, host, server.server_port, say)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()
    say("stopped")


def _end_as_with_ctrl_c(stack: contextlib.ExitStack) -> None:
    """A process that is told to end removes its temporary folders first."""
    if threading.current_thread() is threading.main_thread():
        stack.callback(
            signal.signal, signal.SIGTERM, signal.signal(signal.SIGTERM, signal.default_int_handler)
        )


def _told(address: str, host: str, port: int) -> str:
    """The address that is shown, without a slash at its end."""
    if address:
        return address.rstrip("/")
    name = host if host not in ("", "0.0.0.0") else next(iter(own_addresses()), "127.0.0.1")
    return f"http://{name}" + (f":{port}" if port != 80 else "")


def _add_own_pages(found: Contents, work: Path, told: str, wifi: str) -> None:
    code = code_of(told)
    texts = {
        "/": pages.start_page(found.parts),
        "/qr": pages.qr_slide(told, as_svg(code, told) if code else "", wifi),
    }
    for at, text in texts.items():
        found.pages[at] = work / f"{at[1:] or 'start'}.html"
        found.pages[at].write_text(text, encoding="utf-8")
    if code:
        found.pages["/qr.svg"] = work / "qr.svg"
        code.save(str(work / "qr.svg"), border=QUIET, scale=16, light="#fff")


def _write_slide(target: Path, text: str) -> None:
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"--qr-slide {target} cannot be written ({error.strerror}): name another file."
        ) from error


def _announce(told: str, host: str, port: int, say: Say) -> None:
    print(told, flush=True)
    code = code_of(told)
    if code is None:
        say(HOW_TO_GET_IT)
    elif sys.stderr.isatty():
        os.system("")  # an older Windows console shows colours only after this
        say(for_terminal(code, sys.stderr.encoding or "ascii"))
    name = urlsplit(told).hostname or ""
    if name == "localhost" or name.startswith("127."):
        say(ONLY_HERE)
    else:
        _for_the_room(told, host, port, say)
    say("Ctrl-C ends it.")


def _for_the_room(told: str, host: str, port: int, say: Say) -> None:
    say(f"For the projector: {told}/qr")
    asks = _ASKS.get(platform.system(), f"A firewall must let port {port} in (sudo ufw allow {port}/tcp).")
    say(f"If a phone cannot open it: is it in the same Wi-Fi, and no guest network? {asks}")
    others = [one for one in own_addresses() if one not in told]
    if others and not host:
        say(f"This machine is also {', '.join(others)}: --host ADDRESS shows another one.")


class _Guests:
    """Tells how many devices have come."""

    def __init__(self, say: Say) -> None:
        self.say, self.known = say, set[str]()

    def came(self, address: str) -> None:
        if address in self.known:
            return
        self.known.add(address)
        self.say(f"{len(self.known)} {'device has' if len(self.known) == 1 else 'devices have'} come.")
