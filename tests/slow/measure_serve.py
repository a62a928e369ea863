"""How `florence-nb serve` serves a class: `python -m tests.slow.measure_serve [PAGE]`, on Linux.

Thirty clients load the whole page at once from one process on this machine, each with a connection of its
own: as they are and compressed, then over slow links, and a second time. It needs psutil. PAGE is a folder
that `florence-nb page` wrote; without it one is written.
"""

import http.client
import os
import platform
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

import psutil

from florence_nb.page.build import write_page

CLIENTS = 30
SLOW = 500_000
"""Bytes a second of one slow link: 4 Mbit/s, so that thirty of them are a Wi-Fi of 120."""
CHUNK = 16_384


class Client(threading.Thread):
    """Loads files one after another, as fast as it may, and keeps what a browser keeps."""

    def __init__(
        self, port: int, paths: list[str], *, packed: bool, rate: int = 0, known: dict | None = None
    ):
        super().__init__()
        self.port, self.paths, self.rate = port, paths, rate
        self.headers = {"Accept-Encoding": "gzip"} if packed else {}
        self.known: dict[str, str] = dict(known or {})
        self.bytes, self.seconds, self.first = 0, 0.0, 0.0

    def run(self) -> None:
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        connection.connect()
        if self.rate:  # a phone's window is small, too
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * CHUNK)
        for path in self.paths:
            known = {"If-None-Match": self.known[path]} if path in self.known else {}
            connection.request("GET", path, headers={**self.headers, **known})
            answer = connection.getresponse()
            self.first = self.first or time.monotonic() - began
            assert answer.status in (200, 304), (path, answer.status)
            while part := answer.read(CHUNK):
                self.bytes += len(part)
                if self.rate:
                    time.sleep(max(0.0, self.bytes / self.rate - (time.monotonic() - began)))
            self.known[path] = answer.headers["ETag"]
        self.seconds = time.monotonic() - began
        connection.close()


def together(server: psutil.Process, port: int, paths: list[str], what: str, **how) -> list[Client]:
    """Thirty clients at once; prints what they and the server took."""
    clients = [Client(port, paths, **how) for _ in range(CLIENTS)]
    before = sum(server.cpu_times()[:2])
    for client in clients:
        client.start()
    most, threads = 0, 0
    while any(client.is_alive() for client in clients):
        most, threads = max(most, server.memory_info().rss), max(threads, server.num_threads())
        time.sleep(0.2)
    worked = sum(server.cpu_times()[:2]) - before
    last = sorted(client.seconds for client in clients)
    print(
        f"{what}: last byte after {last[0]:.1f} to {last[-1]:.1f} s (median {median(last):.1f}), first after"
        f" {max(client.first for client in clients):.2f} s at most; {clients[0].bytes / 1e6:.2f} MB each,"
        f" {sum(client.bytes for client in clients) / 1e6:.0f} MB in all; server: {worked:.1f} s of"
        f" processor, {most / 1e6:.0f} MB, {threads} threads",
        flush=True,
    )
    return clients


def serving(page: Path, folder: Path) -> tuple[subprocess.Popen, int]:
    command = [sys.executable, "-m", "florence_nb", "serve", "--page", str(page), "--host", "127.0.0.1"]
    log = open(folder / "log.txt", "w")
    process = subprocess.Popen([*command, "--port", "0"], stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout is not None
    return process, int(process.stdout.readline().strip().rpartition(":")[2])


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        page = Path(sys.argv[1]) if len(sys.argv) > 1 else write_page(Path(folder, "page")).parent
        files = [path.relative_to(page).as_posix() for path in page.rglob("*") if path.is_file()]
        paths = ["/", *(f"/page/{name}" for name in sorted(files) if not name.endswith(".wat"))]
        print(f"{platform.machine()}, {os.cpu_count()} cores; load {os.getloadavg()[0]:.1f}")
        began = time.monotonic()
        process, port = serving(page, Path(folder))
        server = psutil.Process(process.pid)
        print(f"started after {time.monotonic() - began:.1f} s of which", end=" ")
        print(f"{sum(server.cpu_times()[:2]):.1f} of processor; {len(paths)} files")
        try:
            together(server, port, paths, "as they are", packed=False)
            packed = together(server, port, paths, "compressed", packed=True)
            together(server, port, paths, "again", packed=True, known=packed[0].known)
            together(server, port, paths, f"slow links ({SLOW / 1e6} MB/s)", packed=True, rate=SLOW)
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main()
