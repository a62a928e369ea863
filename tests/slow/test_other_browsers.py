"""The page of `florence-nb page` in Firefox and in WebKit, the engine of Safari: the answers are Python's.

    apt install firefox-esr webkit2gtk-driver xvfb
    pytest tests/slow/test_other_browsers.py

Each is driven by what it brings itself: Firefox by Marionette, WebKit by its WebDriver. What is not installed
is skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from florence_nb.page.build import write_page
from tests.page import reference
from tests.served import served

WAIT = 580  # seconds for one answer on a busy machine
MINIBROWSER = sorted(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))
ASYNC = """const done = arguments[arguments.length - 1], args = Array.from(arguments).slice(0, -1);
(async () => {{ {} }})().then(done, (error) => done(`failed: ${{error}}`));"""
STARTED = "return document.body?.dataset.failed ?? document.body?.dataset.answered ?? null;"
LOOK = """const bytes = new Uint8ClampedArray(await (await fetch(args[0])).arrayBuffer());
await florence.model.look(new ImageData(bytes, args[1], args[2]));"""
ASK = "return (await florence.model.ask(args[0], args[1])).raw;"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def connected(port: int) -> socket.socket:
    until = time.monotonic() + WAIT
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=WAIT)
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)


class Firefox:
    """Marionette: a message is its length, a colon, and JSON."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        (folder / "user.js").write_text(f'user_pref("marionette.port", {port});\n')
        command = ["firefox-esr", "--headless", "--marionette", "--no-remote", "--profile", str(folder)]
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(command, env={**os.environ, "HOME": str(folder)}, **silent)
        self.stream, self.count = connected(port).makefile("rwb"), 0
        self._read()  # its greeting
        self.call("WebDriver:NewSession", pageLoadStrategy="none", timeouts={"script": 1000 * WAIT})

    def _read(self) -> Any:
        length = b""
        while (byte := self.stream.read(1)) != b":":
            length += byte
        return json.loads(self.stream.read(int(length)))

    def call(self, name: str, **given: Any) -> Any:
        self.count += 1
        text = json.dumps([0, self.count, name, given]).encode()
        self.stream.write(b"%d:%s" % (len(text), text))
        self.stream.flush()
        *_, error, result = self._read()
        assert error is None, error
        return result

    def open(self, url: str) -> None:
        self.call("WebDriver:Navigate", url=url)

    def run(self, script: str, *args: Any) -> Any:
        return self.call("WebDriver:ExecuteAsyncScript", script=ASYNC.format(script), args=args)["value"]

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


class WebKit:
    """WebDriver: JSON over HTTP."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        command = ["xvfb-run", "--auto-servernum", "WebKitWebDriver", f"--port={self.port}"]
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        alone = {**os.environ, "HOME": str(folder), "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1"}
        self.process = subprocess.Popen(command, env=alone, **silent)
        connected(self.port).close()
        wanted = {
            "timeouts": {"script": 1000 * WAIT, "pageLoad": 1000 * WAIT},
            "webkitgtk:browserOptions": {"binary": str(MINIBROWSER[-1]), "args": ["--automation"]},
        }
        self.path = "/session"
        self.path += "/" + self.call("POST", capabilities={"alwaysMatch": wanted})["sessionId"]

    def call(self, method: str, path: str = "", **given: Any) -> Any:
        body = json.dumps(given).encode() if method == "POST" else None
        url = f"http://127.0.0.1:{self.port}{self.path}{path}"
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=WAIT) as answer:
            return json.loads(answer.read())["value"]

    def open(self, url: str) -> None:
        self.call("POST", "/url", url=url)

    def run(self, script: str, *args: Any) -> Any:
        return self.call("POST", "/execute/async", script=ASYNC.format(script), args=args)

    def close(self) -> None:
        self.call("DELETE")
        self.process.terminate()
        self.process.wait()


BROWSERS: dict[str, tuple[Callable, bool]] = {
    "firefox": (Firefox, bool(shutil.which("firefox-esr"))),
    "webkit": (WebKit, bool(shutil.which("WebKitWebDriver") and shutil.which("xvfb-run") and MINIBROWSER)),
}


@pytest.fixture(scope="module")
def asked(tmp_path_factory, mini) -> Iterator[tuple[str, list]]:
    """The page's address, and a scene with Python's answers beside it."""
    folder = write_page(tmp_path_factory.mktemp("page")).parent
    pictures = json.loads(reference.write(folder, mini, range(5300, 5301)).read_text())
    with served(folder) as url:
        yield url, pictures


@pytest.mark.parametrize("name", BROWSERS)
def test_the_page_answers_as_python(asked, tmp_path, name):
    made, there = BROWSERS[name]
    if not there:
        pytest.skip(f"{name} is not installed")
    (url, pictures), browser = asked, made(tmp_path)
    try:
        browser.open(f"{url}/index.html")
        until = time.monotonic() + WAIT
        while (started := browser.run(STARTED)) is None and time.monotonic() < until:
            time.sleep(0.5)
        assert started == "1", started
        for picture in pictures:
            browser.run(LOOK, f"{url}/{picture['name']}.rgba", *picture["size"])
            said = {
                each["task"]: browser.run(ASK, each["task"], each["input"]) for each in picture["answers"]
            }
            assert said == {each["task"]: each["raw"] for each in picture["answers"]}
    finally:
        browser.close()
