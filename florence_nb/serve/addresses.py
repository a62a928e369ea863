"""By which address the other devices in the room reach this machine, and on which port."""

from __future__ import annotations

import errno
import ipaddress
import os
import re
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ..errors import InputError

PORT = 8000
_TRIED = 20
_ELSEWHERE = ("192.0.2.1", "10.254.254.254", "172.31.254.254", "192.168.254.254")
"""Nothing is sent there: the system only says from which of its addresses it would."""
_NOT_THE_ROOM = re.compile(
    r"docker|veth|^br-|virbr|vmnet|vboxnet|vEthernet|WSL|utun|^tun|^tap|tailscale|wg\d", re.I
)


def own_addresses() -> list[str]:
    """This machine's IPv4 addresses that others may reach, the likeliest first; without 127.0.0.1.

    First those of a network with a way out, then other real interfaces (a hotspot has no way out), then those
    of virtual machines and tunnels.
    """
    named = _interfaces()
    found = dict.fromkeys([*_by_routes(), *named, *_by_name()])
    return sorted(
        filter(_is_reachable, found), key=lambda one: bool(_NOT_THE_ROOM.search(named.get(one, "")))
    )


def _by_routes() -> list[str]:
    found = []
    for address in _ELSEWHERE:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((address, 9))
                found.append(probe.getsockname()[0])
            except OSError:  # no network leads there
                continue
    return found


def _interfaces() -> dict[str, str]:
    """Address -> name of the interface, of those that are up. Jupyter brings psutil along."""
    try:
        import psutil
    except ImportError:
        return {}
    up = {name for name, state in psutil.net_if_stats().items() if state.isup}
    rows = [(one.address, name) for name, row in psutil.net_if_addrs().items() for one in row if name in up
            and one.family == socket.AF_INET]  # fmt: skip
    return dict(rows)


def _by_name() -> list[str]:
    try:
        return socket.gethostbyname_ex(socket.gethostname())[2]
    except OSError:
        return []


def _is_reachable(address: str) -> bool:
    one = ipaddress.ip_address(address)
    return not (one.is_loopback or one.is_unspecified or one.is_multicast)


class Server(ThreadingHTTPServer):
    """A thread for each connection: it waits for the network nearly all the time."""

    daemon_threads = True  # Ctrl-C does not wait for a slow phone
    request_queue_size = 128  # thirty phones that knock at once; the default is 5
    allow_reuse_address = os.name != "nt"  # there it would let two programs share a port

    def handle_error(self, request, client_address) -> None:
        """A phone that has gone is no error."""


def listen(host: str, port: int | None, handler: type[BaseHTTPRequestHandler]) -> Server:
    """A server on this port; if None, on 8000 or the next one that is free.

    Args:
        host: an address of this machine, or "" for all of them.
        port: 0 takes any that is free.
        handler: of a request.

    Raises:
        InputError: the port is taken or not allowed, none is free, or the address is not this machine's.
    """
    for one in range(PORT, PORT + _TRIED) if port is None else (port,):
        try:
            return Server((host, one), handler)
        except OSError as error:
            if port is not None or error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise InputError(_why_not(host, one, error)) from error
        except OverflowError as error:
            raise InputError(f"--port {one}: ports go from 1 to 65535.") from error
    raise InputError(f"The ports {PORT} to {PORT + _TRIED - 1} are all taken: name a free one with --port.")


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} is taken, perhaps by another florence-nb serve: stop that, name another --port, or"
            f" leave --port out to get the next one that is free."
        )
    if error.errno == errno.EACCES:
        return f"Port {port} may not be used without special rights: take one above 1024, such as {PORT}."
    mine = ", ".join(own_addresses()) or "none but 127.0.0.1"
    return f"--host {host} is no address of this machine (it has {mine}): name one of them, or leave it out."
