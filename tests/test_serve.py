"""`florence-nb serve`: what a browser, a phone that left, and somebody curious get from it."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from florence_nb import __version__, cli
from florence_nb.errors import InputError
from florence_nb.kit import unpack
from florence_nb.serve import addresses, contents, files, pages, qr, room
from florence_nb.serve.addresses import listen
from florence_nb.serve.files import Content, Files
from florence_nb.serve.handler import Handler, make_handler

from .toy_index import fill

ROOT = Path(__file__).resolve().parents[1]
WEIGHTS = bytes(range(256)) * 400
SCRIPT = "const house = 'missed';\n" * 200
HERE = "127.0.0.1"


@pytest.fixture
def folder(tmp_path) -> Path:
    """What is served, and a secret beside it."""
    web = tmp_path / "web"
    (web / "checkpoint").mkdir(parents=True)
    (web / "index.html").write_text("<p>the page</p>" * 100, encoding="utf-8")
    (web / "page.js").write_text(SCRIPT, encoding="utf-8")
    (web / "kernel.wasm").write_bytes(b"\0asm" + bytes(500))
    (web / "checkpoint" / "model.safetensors").write_bytes(WEIGHTS)
    (web / "checkpoint" / "config.json").write_text('{"a": [' + "1, " * 99 + "1]}", encoding="utf-8")
    (web / "noise.webp").write_bytes(hashlib.shake_128(b"noise").digest(5000))
    (web / "noise.wasm").write_bytes(hashlib.shake_128(b"noise").digest(5000))
    (web / "with space é.txt").write_text("spaces", encoding="utf-8")
    (web / ".hidden").write_text("hidden", encoding="utf-8")
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    (tmp_path / "web-secret").mkdir()
    (tmp_path / "web-secret" / "a.txt").write_text("secret", encoding="utf-8")
    return web


class Running:
    """A server on a free port, and the simplest client."""

    def __init__(self, folders: dict[str, Path], single: dict[str, Path]) -> None:
        self.files, self.heard = Files(folders, single), []
        self.server = listen(HERE, 0, make_handler(self.files, pages.nothing_here(), self.heard.append))
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str):
        """Status, headers, body."""
        with closing(http.client.HTTPConnection(HERE, self.port, timeout=20)) as connection:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()

    def raw(self, text: str) -> bytes:
        """What comes for these letters, which no client of Python would send."""
        with socket.create_connection((HERE, self.port), timeout=20) as connection:
            connection.sendall(text.encode("latin-1"))
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        self.files.close()


@pytest.fixture
def running(folder):
    served = Running({"page": folder}, {"/": folder / "index.html"})
    yield served
    served.close()


# ---- one file


@pytest.mark.parametrize(
    "name, kind",
    [
        ("index.html", "text/html; charset=utf-8"),
        ("page.js", "text/javascript; charset=utf-8"),
        ("kernel.wasm", "application/wasm"),
        ("checkpoint/model.safetensors", "application/octet-stream"),
        ("checkpoint/config.json", "application/json"),
        ("noise.webp", "image/webp"),
    ],
)
def test_a_file_comes_with_its_type_whole_and_compressed(running, folder, name, kind):
    wanted = (folder / name).read_bytes()
    status, plain, body = running.ask(f"/page/{name}")
    assert (status, body) == (200, wanted)
    assert plain["Content-Type"] == kind and plain["Content-Length"] == str(len(wanted))
    assert "Content-Encoding" not in plain and plain["X-Content-Type-Options"] == "nosniff"
    status, packed, body = running.ask(f"/page/{name}", Accept_Encoding="br, gzip;q=0.8")
    if name.endswith("webp"):
        assert "Content-Encoding" not in packed and body == wanted
        return
    assert packed["Content-Encoding"] == "gzip" and packed["Vary"] == plain["Vary"] == "Accept-Encoding"
    assert gzip.decompress(body) == wanted and len(body) < len(wanted)
    assert packed["Content-Length"] == str(len(body)) and packed["ETag"] != plain["ETag"]


def test_what_gzip_does_not_make_smaller_and_who_refuses_it(running, folder):
    noise = (folder / "noise.wasm").read_bytes()
    status, headers, body = running.ask("/page/noise.wasm", Accept_Encoding="gzip")
    assert body == noise and "Content-Encoding" not in headers and "Vary" not in headers
    for refusal in ("gzip;q=0", "gzip; q=0.0", "br", "identity"):
        assert "Content-Encoding" not in running.ask("/page/page.js", Accept_Encoding=refusal)[1], refusal


def test_each_file_is_compressed_once_and_again_when_it_changes(running, folder, monkeypatch):
    asked, real = [], gzip.compress
    monkeypatch.setattr(files.gzip, "compress", lambda *given, **how: asked.append(1) or real(*given, **how))
    assert running.files.prepare() >= 5
    before = len(asked)
    for _ in range(3):
        running.ask("/page/page.js", Accept_Encoding="gzip")
    assert len(asked) == before
    (folder / "page.js").write_text(SCRIPT * 2, encoding="utf-8")
    status, headers, body = running.ask("/page/page.js", Accept_Encoding="gzip")
    assert gzip.decompress(body).decode() == SCRIPT * 2 and len(asked) == before + 1


def test_a_second_visit_loads_nothing(running):
    for how in ({}, {"Accept_Encoding": "gzip"}):
        status, first, _ = running.ask("/page/page.js", **how)
        assert first["Cache-Control"] == "no-cache" and first["ETag"].startswith('"')
        status, again, body = running.ask("/page/page.js", If_None_Match=f'"x", W/{first["ETag"]}', **how)
        assert (status, body) == (304, b"") and again["ETag"] == first["ETag"]
        assert running.ask("/page/page.js", If_None_Match='"other"', **how)[0] == 200


def test_the_etag_is_of_the_content_so_that_a_restart_costs_nothing(running, folder):
    before = running.ask("/page/page.js")[1]["ETag"]
    os.utime(folder / "page.js", ns=(1, 1))
    assert running.ask("/page/page.js")[1]["ETag"] == before


def test_a_large_file_is_neither_read_nor_compressed(running, monkeypatch):
    monkeypatch.setattr(files, "LARGEST", 1000)
    status, headers, body = running.ask("/page/page.js", Accept_Encoding="gzip")
    assert body == SCRIPT.encode() and "Content-Encoding" not in headers
    assert re.fullmatch(r'"[0-9a-f]+-[0-9a-f]+"', headers["ETag"])


@pytest.mark.parametrize(
    "asked, status, start, end",
    [
        ("bytes=0-9", 206, 0, 10),
        ("bytes=100000-", 206, 100_000, 102_400),
        ("bytes=-7", 206, 102_393, 102_400),
        ("bytes=-999999", 206, 0, 102_400),
        ("bytes=5-999999", 206, 5, 102_400),
        ("bytes=102400-", 416, 0, 0),
        ("bytes=-0", 416, 0, 0),
        ("bytes=9-5", 200, 0, 102_400),
        ("bytes=0-1,5-6", 200, 0, 102_400),
        ("bytes=-", 200, 0, 102_400),
        ("lines=1-2", 200, 0, 102_400),
        ("bytes=" + "9" * 5000 + "-", 200, 0, 102_400),
    ],
)
def test_a_download_that_broke_off_goes_on(running, asked, status, start, end):
    got, headers, body = running.ask("/page/checkpoint/model.safetensors", Range=asked)
    assert (got, body) == (status, WEIGHTS[start:end])
    if status == 206:
        assert headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(WEIGHTS)}"
    if status == 416:
        assert headers["Content-Range"] == f"bytes */{len(WEIGHTS)}"


def test_the_rest_of_another_file_is_not_sent(running):
    path = "/page/checkpoint/model.safetensors"
    etag = running.ask(path)[1]["ETag"]
    assert running.ask(path, Range="bytes=5-9", If_Range=etag)[0] == 206
    assert running.ask(path, Range="bytes=5-9", If_Range='"older"')[0] == 200


def test_head_tells_the_same_and_sends_nothing(running):
    for path in ("/", "/page/page.js", "/nothing"):
        status, headers, _ = running.ask(path, Accept_Encoding="gzip")
        told, same, body = running.ask(path, "HEAD", Accept_Encoding="gzip")
        assert (told, body) == (status, b"")
        assert {**same, "Date": ""} == {**headers, "Date": ""}


def test_one_connection_serves_many_files(running):
    with closing(http.client.HTTPConnection(HERE, running.port, timeout=20)) as connection:
        connection.connect()
        first = connection.sock
        for method, path in [
            ("GET", "/"),
            ("HEAD", "/page/page.js"),
            ("GET", "/no"),
            ("GET", "/page/page.js"),
        ]:
            connection.request(method, path)
            answer = connection.getresponse()
            answer.read()
            assert connection.sock is first, (method, path)


# ---- what is not served


ELSEWHERE = r"""
/secret.txt /../secret.txt /page/../secret.txt /page/%2e%2e/secret.txt /page/..%2fsecret.txt
/page/..\secret.txt /page/%2e%2e%2fsecret.txt /page/..%5csecret.txt /page/checkpoint/../page.js
/page/./page.js /page//page.js /page-secret/a.txt /web-secret/a.txt /page/../web-secret/a.txt
/page/page.js/ /page/page.js%00.txt /page/.hidden /page/checkpoint /page/checkpoint/
/page/%2Fetc%2Fpasswd /page//etc/passwd /etc/passwd /page/C:/secret.txt /page/%ff%fe /page/no.js
/nothing /page/index.html/x *
""".split()


@pytest.mark.parametrize("path", [*ELSEWHERE, "/page/" + "a" * 5000])
def test_nothing_else_is_found(running, path):
    answer = running.raw(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400")), head
    assert b"secret" not in body and b"root:" not in body
    if b"404" in head:
        assert b"Nothing here" in body and b'href="/"' in body and b"text/html" in head


def test_a_folder_is_left_by_no_link(running, folder, tmp_path):
    try:
        (folder / "out.txt").symlink_to(tmp_path / "secret.txt")
        (folder / "out").symlink_to(tmp_path, target_is_directory=True)
        (folder / "circle").symlink_to(folder / "circle")
        (folder / "inside.js").symlink_to(folder / "page.js")
    except OSError:
        pytest.skip("no links can be made here")
    for path in ("/page/out.txt", "/page/out/secret.txt", "/page/out/", "/page/out", "/page/circle"):
        assert running.ask(path)[0] == 404, path
    assert running.ask("/page/inside.js")[2] == SCRIPT.encode()
    running.files.prepare()
    copies = [gzip.decompress(path.read_bytes()) for path in Path(running.files._copies.name).iterdir()]
    assert b"secret" not in copies and len(copies) >= 5


def test_addresses_of_folders_and_names_with_spaces(running):
    status, headers, _ = running.ask("/page?x=1")
    assert (status, headers["Location"]) == (301, "/page/")
    assert running.ask("/page/")[2] == running.ask("/page/index.html")[2] == running.ask("/?a=b")[2]
    assert running.ask("/page/with%20space%20%C3%A9.txt")[2] == b"spaces"
    assert b"\r\nLocation: //" not in running.raw("GET //page HTTP/1.1\r\nHost: x\r\n\r\n")
    sub = running.files.folders["page"] / "sub"
    sub.mkdir()
    (sub / "index.html").write_text("below", encoding="utf-8")
    assert (
        running.ask("/page/sub")[1]["Location"] == "/page/sub/" and running.ask("/page/sub/")[2] == b"below"
    )


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_only_reading(running, folder, method):
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    status, headers, _ = running.ask("/page/page.js", method, b"new words")
    assert status in (405, 501) and headers["Connection"] == "close"
    assert status == 501 or headers["Allow"] == "GET, HEAD"
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_body_that_nobody_asked_for_is_no_next_request(running):
    text = (
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\nGET /page/page.js HTTP/1.1\r\nHost: x\r\n\r\n"
    )
    assert running.raw(text).count(b"HTTP/1.1 ") == 1


# ---- many, and those that leave


def test_thirty_clients_at_once_get_the_same(running):
    found, together = [], threading.Barrier(30)

    def visit() -> None:
        together.wait()
        found.append(
            [running.ask(f"/page/{name}")[2] for name in ("checkpoint/model.safetensors", "page.js")]
        )

    threads = [threading.Thread(target=visit) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[WEIGHTS, SCRIPT.encode()]] * 30


def test_a_phone_that_leaves_in_the_middle_harms_nobody(running, folder, capfd):
    big = folder / "big.bin"
    big.write_bytes(bytes(30_000_000))
    for _ in range(5):
        with socket.create_connection((HERE, running.port), timeout=20) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # no good-bye
            connection.sendall(b"GET /page/big.bin HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(1000).startswith(b"HTTP/1.1 200")
    assert running.ask("/page/page.js")[2] == SCRIPT.encode()
    deadline = time.monotonic() + 60
    while threading.active_count() > 5 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threading.active_count() <= 5, "their threads ended"
    assert capfd.readouterr() == ("", "")


def test_who_sends_nothing_is_let_go(folder, monkeypatch):
    monkeypatch.setattr(Handler, "timeout", 0.3)
    served = Running({"page": folder}, {})
    with socket.create_connection((HERE, served.port), timeout=20) as connection:
        connection.sendall(b"GET /pa")
        assert connection.recv(10) == b""
    served.close()


# ---- addresses and ports


def test_the_next_free_port_or_a_sentence(monkeypatch):
    with listen(HERE, 0, Handler) as taken:
        port = taken.server_port
        monkeypatch.setattr(addresses, "PORT", port)
        with listen(HERE, None, Handler) as second:
            assert port < second.server_port < port + 20
        with pytest.raises(InputError, match=f"Port {port} is taken.*leave --port out"):
            listen(HERE, port, Handler)
        monkeypatch.setattr(addresses, "_TRIED", 1)
        with pytest.raises(InputError, match="all taken: name a free one with --port"):
            listen(HERE, None, Handler)
    with pytest.raises(InputError, match="--host 198.51.100.7 is no address of this machine"):
        listen("198.51.100.7", 0, Handler)
    with pytest.raises(InputError, match="ports go from 1 to 65535"):
        listen(HERE, 70_000, Handler)


def test_which_address_is_shown(monkeypatch):
    named = {"172.17.0.1": "docker0", "192.168.1.7": "wlan0", "127.0.0.1": "lo", "10.8.0.2": "tun0"}
    monkeypatch.setattr(addresses, "_interfaces", lambda: named)
    monkeypatch.setattr(addresses, "_by_name", lambda: ["127.0.1.1"])
    monkeypatch.setattr(addresses, "_by_routes", lambda: ["10.8.0.2"])
    assert addresses.own_addresses() == ["192.168.1.7", "10.8.0.2", "172.17.0.1"]
    monkeypatch.setattr(room, "own_addresses", addresses.own_addresses)
    assert room._told("", "", 8000) == "http://192.168.1.7:8000"
    assert room._told("", "10.8.0.2", 80) == "http://10.8.0.2"
    assert room._told("https://class.example/", "", 8000) == "https://class.example"
    said: list[str] = []
    room._announce("http://192.168.1.7:8000", "", 8000, said.append)
    assert any("10.8.0.2, 172.17.0.1: --host ADDRESS" in line for line in said)
    assert any("http://192.168.1.7:8000/qr" in line for line in said)
    monkeypatch.setattr(addresses, "_interfaces", dict)
    monkeypatch.setattr(addresses, "_by_routes", list)
    assert addresses.own_addresses() == [] and room._told("", "", 8000) == "http://127.0.0.1:8000"
    room._announce("http://127.0.0.1:8000", "", 8000, said.append)
    assert room.ONLY_HERE in said


def test_no_address_is_asked_by_a_packet(monkeypatch):
    """The probes are datagram sockets that are connected and never sent on."""
    monkeypatch.setattr(socket.socket, "send", lambda *_: pytest.fail("sent"), raising=False)
    monkeypatch.setattr(socket.socket, "sendto", lambda *_: pytest.fail("sent"), raising=False)
    assert all(re.fullmatch(r"\d+\.\d+\.\d+\.\d+", one) for one in addresses.own_addresses())


def test_the_firewall_and_the_system(monkeypatch):
    for system, words in [
        ("Windows", "Windows may ask"),
        ("Darwin", "macOS may ask"),
        ("Linux", "ufw allow 8000"),
    ]:
        monkeypatch.setattr(room.platform, "system", lambda system=system: system)
        said: list[str] = []
        room._for_the_room("http://192.168.1.7:8000", "192.168.1.7", 8000, said.append)
        assert any(words in line for line in said)


# ---- the code

ADDRESS = "http://192.168.178.123:8000"
CELL = re.compile(r"\x1b\[(38|48);5;(16|231)m")


def drawn(text: str) -> list[list[int]]:
    """The modules (1 is dark) that a terminal shows."""
    rows: list[list[int]] = []
    for line in text.splitlines():
        cells = [
            re.findall(r"(38|48);5;(\d+)", part) for part in re.split("▀|  ", line.removesuffix("\x1b[0m"))
        ]
        cells = [dict(cell) for cell in cells if cell]
        if "▀" in line:
            rows.append([int(cell["38"] == "16") for cell in cells])
        rows.append([int(cell["48"] == "16") for cell in cells])
    return rows


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_the_code_in_the_terminal_is_the_code(encoding):
    segno = pytest.importorskip("segno", reason="segno is not here: pip install segno")
    text = qr.for_terminal(qr.code_of(ADDRESS), encoding)
    text.encode(encoding)
    wanted = [list(map(int, row)) for row in segno.make_qr(ADDRESS, error="m").matrix_iter(border=4)]
    shown = drawn(text)
    assert shown[: len(wanted)] == wanted and all(not any(row) for row in shown[len(wanted) :])
    assert "\x1b[7m" not in text  # no colours of the theme


def picture(rows: list[list[int]], scale: int = 8):
    import numpy as np

    modules = np.array([row for row in rows], np.uint8)
    return np.kron(255 * (1 - modules), np.ones((scale, scale), np.uint8))


def test_a_reader_of_codes_reads_the_address(tmp_path):
    pytest.importorskip("segno", reason="segno is not here: pip install segno")
    reader = pytest.importorskip("zxingcpp", reason="zxing-cpp is not here: pip install zxing-cpp")
    code = qr.code_of(ADDRESS)
    read = reader.read_barcodes(picture(drawn(qr.for_terminal(code, "utf-8"))))
    assert [one.text for one in read] == [ADDRESS]


def test_without_segno_the_address_alone(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert qr.code_of(ADDRESS) is None
    said: list[str] = []
    room._announce(ADDRESS, "", 8000, said.append)
    assert qr.HOW_TO_GET_IT in said
    slide = pages.qr_slide(ADDRESS, "")
    assert ADDRESS in slide and "pip install segno" in slide and "Type the address" in slide


def test_the_slide_names_the_wifi():
    slide = pages.qr_slide(ADDRESS, "<svg></svg>", "Room <12>")
    assert "Room &lt;12&gt;" in slide and f">{ADDRESS}<" in slide


# ---- the whole


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    """Looks like the page, and is quick to write."""
    out = tmp_path_factory.mktemp("page") / "my page"
    (out / "checkpoint").mkdir(parents=True)
    (out / "index.html").write_text("<p>the page</p>", encoding="utf-8")
    (out / "checkpoint" / "config.json").write_text("{}", encoding="utf-8")
    return out


@pytest.fixture(scope="module")
def kit(tmp_path_factory) -> Path:
    """A kit as `pack` writes it, of toy wheels."""
    folder = tmp_path_factory.mktemp("kit")
    own = fill(folder / "toys")
    out = folder / "kit"
    (out / "wheels").mkdir(parents=True)
    for wheel in [own, *(folder / "toys" / "index").glob("*.whl")]:
        shutil.copy(wheel, out / "wheels")
    targets = {"linux 3.12": [own.name]}
    about = {"format": unpack.FORMAT, "florence_nb": __version__, "targets": targets, "checkpoints": {}}
    (out / unpack.ABOUT).write_text(json.dumps({**about, "wheels": {}, "finished": True}), encoding="utf-8")
    sums = (f"{unpack.digest(path)}  wheels/{path.name}\n" for path in sorted((out / "wheels").iterdir()))
    (out / unpack.LIST).write_text("".join(sums), encoding="utf-8")
    return out


def everything(work: Path, page: Path | None, kit: Path | None = None, site: Path | None = None):
    return contents.gather(work, ADDRESS, page=page, site=site, kit=kit, say=lambda _: None)


def links_of(text: str) -> list[str]:
    return re.findall(r'(?:href|src)="(/[^"]*)"', text)


def test_the_start_page_offers_only_what_is_there(tmp_path, page, kit):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("site", encoding="utf-8")
    (tmp_path / "plain").mkdir()
    (tmp_path / "full").mkdir()
    plain = everything(tmp_path / "plain", page)
    full = everything(tmp_path / "full", page, kit, tmp_path / "site")
    texts = [pages.start_page(found.parts) for found in (plain, full)]
    assert "/site/" not in texts[0] and "pip install" not in texts[0]
    assert "/site/" in texts[1] and f"--find-links {ADDRESS}/kit/wheels/" in texts[1]
    for found, text in zip((plain, full), texts):
        (tmp_path / "start.html").write_text(text, encoding="utf-8")
        with closing(Files(found.folders, {**found.pages, "/qr": tmp_path / "start.html"})) as served:
            links = links_of(text)
            assert len(links) > 20
            for link in links:
                assert isinstance(served.find(link.partition("#")[0]), Content), link
        assert not re.search(r"https?://(?!192\.168\.178\.123)", text)


def test_the_lessons_come_without_outputs_alone_and_together(tmp_path, page):
    found = everything(tmp_path, page)
    archive = zipfile.ZipFile(found.folders["lessons"] / "florence-lessons.zip")
    names = archive.namelist()
    assert "florence-lessons/05_detection.ipynb" in names and "florence-lessons/glossary.md" in names
    for text in (archive.read("florence-lessons/05_detection.ipynb"),
                 (found.folders["lessons"] / "05_detection.ipynb").read_bytes()):  # fmt: skip
        assert not any(cell.get("outputs") for cell in json.loads(text)["cells"])


def test_slides_wait_for_their_libraries(tmp_path, page, monkeypatch):
    real, said = importlib.util.find_spec, []
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "markdown_it" else real(name)
    )
    found = contents.gather(tmp_path, ADDRESS, page=page, site=None, kit=None, say=said.append)
    assert "slides" not in found.folders and any("pip install markdown-it-py" in line for line in said)


def test_folders_that_are_not_what_they_should_be(tmp_path, page, kit):
    for given, words in [
        ({"page": tmp_path}, "--page .* is not the page .*florence-nb page FOLDER writes it"),
        ({"page": page, "site": tmp_path}, "--site .* is not a site .index.html is missing"),
        ({"page": page, "kit": tmp_path}, "is no kit"),
    ]:
        with pytest.raises(InputError, match=words):
            everything(tmp_path, **given)
    half = tmp_path / "half"
    shutil.copytree(kit, half)
    (half / unpack.LIST).unlink()
    with pytest.raises(InputError, match="is not whole"):
        everything(tmp_path, page, half)


def test_pip_installs_from_the_kit(tmp_path, page, kit):
    """With the line of the start page, into a folder; what comes changed is refused."""
    found = everything(tmp_path, page, kit)
    served = Running(found.folders, found.pages)
    try:
        html = served.ask("/kit/wheels/")[2].decode()
        assert served.ask("/kit/wheels")[1]["Location"] == "/kit/wheels/"
        assert html.count("#sha256=") == html.count("<a ") == len([*(kit / "wheels").iterdir()])

        def install(target: str) -> subprocess.CompletedProcess:
            links = f"http://{HERE}:{served.port}/kit/wheels"
            command = [sys.executable, "-m", "pip", "install", "--isolated", "--no-cache-dir", "--no-index"]
            command += [
                "--find-links",
                links,
                "--trusted-host",
                HERE,
                "--target",
                str(tmp_path / target),
                "alpha",
            ]
            return subprocess.run([*command, "--disable-pip-version-check"], capture_output=True, text=True)

        done = install("in")
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "in" / "alpha.py").is_file()
        bad = found.pages["/kit/wheels/"]
        bad.write_text(re.sub("sha256=[0-9a-f]{4}", "sha256=0000", html), encoding="utf-8")
        refused = install("out")
        assert refused.returncode != 0 and "HASHES" in refused.stderr.upper()
    finally:
        served.close()


# ---- the command


def start(tmp_path: Path, page: Path, *options: str) -> subprocess.Popen:
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "florence_nb", "serve", "--page", str(page), "--host", HERE, *options]
    given = {"cwd": ROOT, "env": environment, "text": True}
    if os.name != "nt":  # tests that run in the background were told to ignore Ctrl-C, and hand that on
        given["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **given)


@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C to a whole console")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_says_its_address_serves_and_ends_cleanly(tmp_path, page, how):
    process = start(tmp_path, page, "--port", "0", "--qr-slide", str(tmp_path / "slide.html"))
    address = process.stdout.readline().strip()
    port = int(address.rpartition(":")[2])
    assert address == f"http://{HERE}:{port}"
    with closing(http.client.HTTPConnection(HERE, port, timeout=20)) as connection:
        for path in ("/", "/qr", "/page/", "/lessons/florence-lessons.zip"):
            connection.request("GET", path)
            answer = connection.getresponse()
            assert answer.status == 200 and answer.read(), path
        assert [*tmp_path.glob("florence-nb-*")]
        process.send_signal(how)  # while a client is still connected
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and out == ""
    assert err.strip().splitlines()[-1] == "stopped" and "Traceback" not in err
    assert "1 device has come." in err and room.ONLY_HERE in err
    assert address in (tmp_path / "slide.html").read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["slide.html"]


def test_a_taken_port_ends_with_one_sentence_at_once(page, capsys):
    with listen(HERE, 0, Handler) as taken:
        port = str(taken.server_port)
        assert cli.main(["serve", "--page", str(page), "--host", HERE, "--port", port]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and f"Port {port} is taken" in err
    assert cli.main(["serve", "--address", "laptop:8000"]) == 2
    assert "begins with http://" in capsys.readouterr().err


def test_a_slide_that_cannot_be_written(tmp_path, page, capsys):
    to = str(tmp_path / "none" / "slide.html")
    assert cli.main(["serve", "--page", str(page), "--host", HERE, "--port", "0", "--qr-slide", to]) == 2
    assert "cannot be written" in capsys.readouterr().err
