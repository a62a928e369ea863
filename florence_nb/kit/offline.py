"""Prove that this installation works without a network: it is switched off here, and `mini` is asked."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from ..check import OK, TODO, Report, Row, check
from ..checkpoints import is_complete


def check_offline() -> Report:
    """What `check` looks at, and then: load mini, ask it about a drawn scene, and look for a kit's
    checkpoints. All of it without a network, which is switched off in this process meanwhile.
    """
    with no_network() as tried:
        rows = [*check().rows, _ask_mini(), *_folders()]
    return Report((*rows, _network(tried)))


@contextlib.contextmanager
def no_network() -> Iterator[list[str]]:
    """Every connection and every look-up of a name fails; gives the list of those that were tried."""
    tried: list[str] = []
    real = socket.socket.connect, socket.getaddrinfo

    def connect(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6):
            tried.append(str(address[0]))
            raise OSError("the network is switched off for this check")
        return real[0](self, address)

    def look_up(host, *args, **kwargs):
        tried.append(str(host))
        raise socket.gaierror("the network is switched off for this check")

    socket.socket.connect, socket.getaddrinfo = connect, look_up  # type: ignore[method-assign, assignment]
    try:
        yield tried
    finally:
        socket.socket.connect, socket.getaddrinfo = real  # type: ignore[method-assign]


def _ask_mini() -> Row:
    from ..images import open_image
    from ..loading import load

    try:
        answer = load("mini", quiet=True).run_example("<OD>", open_image("street"))
    except Exception as error:  # whatever it is, it is what this check looks for
        return Row("mini", TODO, f"did not answer ({error})", "install florence-nb again")
    if not answer.labels:
        return Row("mini", TODO, "found nothing in the street", "install florence-nb again")
    return Row("mini", OK, f"asked what is in the street: {', '.join(answer.labels)}")


def _folders() -> Iterator[Row]:
    """Checkpoints as a kit brings them, here and beside the lessons."""
    from .lessons import own_folder

    places = dict.fromkeys(place.resolve() for place in (Path("."), own_folder()))
    for place in places:
        for folder in sorted(place.glob("*/config.json")):
            if is_complete(folder.parent):
                shown = os.path.relpath(folder.parent)
                yield Row("checkpoint", OK, f'{shown}: florence_nb.load("./{Path(shown).as_posix()}")')


def _network(tried: list[str]) -> Row:
    if not tried:
        return Row("network", OK, "was switched off for this check, and nothing asked for it")
    hosts = ", ".join(dict.fromkeys(tried))
    return Row("network", TODO, f"was asked for: {hosts}", "set HF_HUB_OFFLINE=1 before you start")
