"""Servers, proxies and certificates that are not in order: the reason is the true one, the way out fits it,
and no message shows a password or a signature.
"""

from __future__ import annotations

import base64
import gzip
import http.server
import os
import socket
import ssl
import threading
import traceback

import pytest

from florence_nb import web
from florence_nb.errors import InputError
from florence_nb.images import open_image

from .test_images import encode, two_halves

PNG = encode(two_halves())
SECRET = "s3cret-pw"


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch):
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def answering():
    """A function that starts a server which sends the given bytes, a few times, and gives its address."""
    sockets = []

    def start(*answers: bytes) -> str:
        listening = socket.create_server(("127.0.0.1", 0))
        listening.settimeout(5)
        sockets.append(listening)

        def serve() -> None:
            for answer in answers:
                try:
                    connection, _ = listening.accept()
                    with connection:
                        connection.settimeout(2)
                        connection.recv(65_536)
                        connection.sendall(answer)
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        return f"http://127.0.0.1:{listening.getsockname()[1]}"

    yield start
    for listening in sockets:
        listening.close()


def answer(body: bytes = PNG, status: str = "200 OK", *headers: str, length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body


def said(url: str) -> str:
    with pytest.raises(InputError) as caught:
        open_image(url)
    text = str(caught.value)
    assert len(text) <= 500 and "\n" not in text and text.isprintable()
    return text


# ---- twenty bad answers

BAD = {
    "login": (answer(b"", "401 Unauthorized"), ["401", "log in", "path"]),
    "forbidden": (answer(b"", "403 Forbidden"), ["403", "save the picture in a browser"]),
    "missing": (answer(b"", "404 Not Found"), ["404", "check the address"]),
    "gone": (answer(b"", "410 Gone"), ["410", "removed"]),
    "too many": (answer(b"", "429 Too Many Requests"), ["429", "wait"]),
    "teapot": (answer(b"", "418 I'm a teapot"), ["418", "save the picture"]),
    "proxy login": (answer(b"", "407 Proxy Authentication Required"), ["407", "proxy", "HTTPS_PROXY"]),
    "fault": (answer(b"", "500 Internal Server Error"), ["500", "fault of its own", "later"]),
    "busy": (answer(b"", "503 " + "very busy " * 90), ["503", "later"]),
    "not modified": (answer(b"", "304 Not Modified"), ["304"]),
    "redirect without target": (answer(b"", "302 Found"), ["302"]),
    "page": (answer(b"<html>log in</html>", "200 OK", "Content-Type: image/png"), ["web page"]),
    "part of a page": (answer(b"<div>please wait</div>"), ["web page"]),
    "json": (answer(b'{"error": "no"}'), ["JSON"]),
    "nothing": (answer(b"", "204 No Content"), ["0 bytes"]),
    "too large": (answer(b"", length=web.MAX_BYTES + 1), ["30 MB"]),
    "cut": (answer(PNG[:30], length=5000), ["broke the connection off"]),
    "silence": (b"", ["broke the connection off"]),
    "not HTTP": (b"220 ftp.example.org ready\r\n", ["does not answer in HTTP", "broke the connection off"]),
    "bad gzip": (answer(PNG, "200 OK", "Content-Encoding: gzip"), ["cannot be unpacked"]),
    "cut gzip": (answer(gzip.compress(PNG)[:-30], "200 OK", "Content-Encoding: gzip"), [""]),
    "bad chunks": (answer(PNG, "200 OK", "Transfer-Encoding: chunked"), ["broke the connection off"]),
    "headers without end": (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 5000 + b"\r\n", ["Could not read"]),
    "to a file": (answer(b"", "302 Found", "Location: file:///etc/hostname"), ["redirects to file:"]),
    "to nowhere": (answer(b"", "302 Found", "Location: http://[::1"), ["redirects to http://[::1"]),
    "a huge reason": (answer(b"", "403 " + "\u00e9" * 3000), ["403"]),
}


@pytest.mark.parametrize("kind", list(BAD))
def test_a_bad_answer_is_told_with_its_reason_and_no_secret(kind, answering):
    data, words = BAD[kind]
    host = answering(data, data).removeprefix("http://")
    for address in (f"http://ann:{SECRET}@{host}/a.png", f"http://{host}/a.png?X-Amz-Signature={SECRET}"):
        with pytest.raises(InputError) as caught:
            open_image(address)
        text = str(caught.value)
        assert any(word in text for word in words) and len(text) <= 500 and text.isprintable(), text
        if kind in ("login", "forbidden", "too many"):
            assert all(word in text for word in words), text
        assert f"http://{host}/a.png" in text
        assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("kind", ["text/html; charset=UTF-8", "application/xhtml+xml", "text/plain", "x"])
def test_a_picture_under_another_content_type_is_read(kind, answering):
    assert open_image(answering(answer(PNG, "200 OK", f"Content-Type: {kind}"))).size == (40, 20)


@pytest.mark.parametrize(
    "status", ["201 Created", "203 Non-Authoritative Information", "206 Partial Content"]
)
def test_a_picture_with_another_good_status_is_read(status, answering):
    assert open_image(answering(answer(PNG, status))).size == (40, 20)


def test_a_packed_picture_is_unpacked(answering):
    packed = answer(gzip.compress(PNG), "200 OK", "Content-Encoding: gzip")
    assert open_image(answering(packed)).size == (40, 20)


# ---- redirects


class Redirects(http.server.BaseHTTPRequestHandler):
    asked: list[tuple[str, str | None]] = []

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers["Authorization"]))
        target = {"/utf8": "/Größe/写真.png", "/relative": "a/../b.png", "/hop": "/relative"}.get(self.path)
        cookie = "seen=1" in (self.headers["Cookie"] or "")
        if self.path == "/cookie" and not cookie:
            target = "/cookie"
        self.send_response(302 if target else 200)
        if target:
            self._headers_buffer.append(f"Location: {target}\r\nSet-Cookie: seen=1\r\n".encode())
        self.send_header("Content-Length", "0" if target else str(len(PNG)))
        self.end_headers()
        self.wfile.write(b"" if target else PNG)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def redirecting():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Redirects) as server:
        Redirects.asked.clear()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    "path, last",
    [
        ("/utf8", "/Gr%C3%B6%C3%9Fe/%E5%86%99%E7%9C%9F.png"),
        ("/relative", "/b.png"),
        ("/hop", "/b.png"),
        ("/cookie", "/cookie"),
    ],
)
def test_redirects_are_followed_as_requests_does(path, last, redirecting):
    assert open_image(f"http://{redirecting}{path}").size == (40, 20)
    assert Redirects.asked[-1][0] == last


def test_a_password_in_the_address_is_used(redirecting):
    assert open_image(f"http://ann:{SECRET}@{redirecting}/a.png").size == (40, 20)
    assert Redirects.asked[-1][1] == "Basic " + base64.b64encode(f"ann:{SECRET}".encode()).decode()


def test_the_body_of_a_redirect_is_not_read(answering):
    endless = answer(b"\0" * 50_000, "302 Found", "Location: /next", length=10**12)
    host = answering(endless, answer())
    assert open_image(host).size == (40, 20)


# ---- proxies

PROXIES = {
    "down": ("http://127.0.0.1:9", "refuses the connection"),
    "unknown": ("http://proxy.invalid:3128", "is not known"),
    "with a password": (f"http://ann:{SECRET}@127.0.0.1:9", "refuses the connection"),
    "socks": ("socks5h://127.0.0.1:9", ""),
    "of an odd kind": ("gopher://127.0.0.1:9", ""),
    "without a host": ("http://", ""),
}


@pytest.mark.parametrize("kind", list(PROXIES))
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_fails_is_named(kind, scheme, monkeypatch):
    proxy, words = PROXIES[kind]
    monkeypatch.setenv("ALL_PROXY", proxy)
    text = said(f"{scheme}://pictures.example/a.png?key={SECRET}")
    assert "proxy" in text.lower() and words in text and SECRET not in text


def test_socks_without_its_package_names_it(monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    try:
        import socks  # noqa: F401
    except ImportError:
        assert 'pip install "requests[socks]"' in said("http://pictures.example/a.png")
    else:
        assert "the proxy socks5://127.0.0.1:9 refuses" in said("http://pictures.example/a.png")


@pytest.mark.parametrize("status", ["403 Forbidden", "407 Proxy Authentication Required", "502 Bad Gateway"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_refuses_is_named(status, scheme, answering, monkeypatch):
    proxy = answering(answer(b"", status), answer(b"", status))
    monkeypatch.setenv(f"{scheme.upper()}_PROXY", proxy)
    text = said(f"{scheme}://pictures.example/a.png")
    assert proxy in text and status[:3] in text


# ---- certificates


@pytest.mark.parametrize(
    "error, words",
    [
        (
            ssl.SSLCertVerificationError(
                1,
                "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate (x.c:1)",
            ),
            ["certificate cannot be verified (self-signed certificate)", "REQUESTS_CA_BUNDLE"],
        ),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), ["TLS", "http://"]),
    ],
)
def test_certificates_are_named(error, words, monkeypatch):
    import requests
    from urllib3.exceptions import MaxRetryError, SSLError

    def get(*_, **__):
        wrapped = MaxRetryError(None, "/a.png?sig=x", SSLError(error))
        raise requests.exceptions.SSLError(wrapped)

    monkeypatch.setattr(requests.Session, "get", get)
    text = said("https://pictures.example/a.png")
    assert all(word in text for word in words)


def test_http_behind_an_https_address(answering):
    assert "TLS" in said(answering(b"HTTP/1.1 400 Bad Request\r\n\r\n").replace("http", "https"))


def test_a_bundle_of_certificates_that_is_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    assert "REQUESTS_CA_BUNDLE" in said("https://pictures.example/a.png")


# ---- addresses


@pytest.mark.parametrize(
    "address, expected",
    [
        (f"https://ann:{SECRET}@h.org/a.png", "https://h.org/a.png"),
        (f"https://{SECRET}@h.org:8080/a.png?x=1#y", "https://h.org:8080/a.png?…"),
        (f"https://ann:{SECRET}/x@h.org/a.png", "https://h.org/a.png"),
        (f"https://ann:{SECRET}?x#@h.org/a.png", "https://h.org/a.png"),
        (f"https://h.org/a.png#{SECRET}", "https://h.org/a.png"),
        ("https://h.org/@me/a.png", "https://h.org/@me/a.png"),
        ("https://h.org:80/@me/a.png", "https://h.org:80/@me/a.png"),
        (f"failed: https://a:{SECRET}@h.org/b?k={SECRET} (twice)", "failed: https://h.org/b?… (twice)"),
        (f"s3://key:{SECRET}@bucket/a b.png?x y={SECRET}", "s3://bucket/a b.png?…"),
        ("plain text", "plain text"),
    ],
)
def test_what_a_message_shows_of_an_address(address, expected):
    assert web.shown(address) == expected


@pytest.mark.parametrize(
    "address",
    [
        f"s3://key:{SECRET}@bucket/a.png?s={SECRET}",
        f"http://ann:{SECRET}@[1::2/a.jpg",
        f"http://ann:{SECRET}@/a.jpg",
        f"http://ann:{SECRET}@h.invalid:99999/a.jpg",
        f"http://a..b.invalid/{'x' * 3000}?sig={SECRET}",
        f"http://{'x' * 300}.invalid/?{SECRET}",
        f"https://h.invalid/{'ä/' * 900}a.png?sig={SECRET}",
        f"http://*/a.png?{SECRET}",
        f"http://h.invalid/a b\0c.png?{SECRET}",
    ],
)
def test_odd_addresses_are_one_short_sentence_without_the_secret(address):
    with pytest.raises(InputError) as caught:
        open_image(address)
    assert len(str(caught.value)) <= 500 and str(caught.value).isprintable()
    assert SECRET not in "".join(traceback.format_exception(caught.value))
