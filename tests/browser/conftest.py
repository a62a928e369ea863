"""One JupyterLab server and one Chromium for all browser tests.

    def test_it(open_notebook):
        notebook = open_notebook("slider", ["import florence_nb as fnb; …", "print('ready')"])
        notebook.run_all(until="ready")
        notebook.page.locator(".widget-slider .noUi-handle").first.focus()
        notebook.shoot("slider")

`open_notebook(name, cells)` writes a notebook from the text of its cells and opens it; `open_notebook(name,
path)` opens a copy of a file. JupyterLab draws only the cells that are near the window, so the window is
tall.

Waits have no deadline: `Waiter` goes on for as long as the page or its kernel does something, so that a busy
machine makes these tests slow and not red.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import requests

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = Path(__file__).parent / "screenshots"
TOKEN = "browser-tests"
HEIGHT = 1400
STALL = 300  # seconds without any progress after which a wait gives up


def wait_while_it_goes_on(
    done: Callable[[], Any], progress: Callable[[], Any], pause: Callable[[float], None], what: str
) -> Any:
    """The first true value of ``done()``. Fails when ``progress()`` was the same for STALL seconds."""
    seen, since, seconds = None, time.monotonic(), 0.05
    while not (value := done()):
        if (now := progress()) != seen:
            seen, since = now, time.monotonic()
        elif time.monotonic() - since > STALL:
            pytest.fail(f"nothing happened for {STALL} s while waiting for {what}; last progress: {seen}")
        pause(seconds)
        seconds = min(2 * seconds, 0.2)
    return value


class Waiter:
    """Waits on a page. Progress is what the server sends (files, and messages of the kernel) and what the
    page shows. JupyterLab's own regular questions to the server (``/api/``) are none.
    """

    def __init__(self, page) -> None:
        self.page, self.files, self.messages = page, 0, 0
        page.set_default_timeout(1000 * STALL)
        page.on("response", self._count_file)
        page.on("websocket", self._listen)

    def until(self, done: Callable[[], Any], what: str) -> Any:
        """The first true value of ``done()``."""
        return wait_while_it_goes_on(
            done, self._progress, lambda seconds: self.page.wait_for_timeout(1000 * seconds), what
        )

    def see(self, locator) -> Any:
        """The first element of a locator, as soon as it is visible."""
        self.until(locator.first.is_visible, str(locator))
        return locator.first

    def change(self, locator, was: str) -> str:
        """The words of an element, as soon as they are others than they were."""
        return self.until(lambda: (words := locator.inner_text()) != was and words, f"others than {was!r}")

    def _count_file(self, response) -> None:
        self.files += "/api/" not in response.url

    def _listen(self, socket) -> None:
        if "/channels" in socket.url:
            socket.on("framereceived", self._count_message)

    def _count_message(self, _frame) -> None:
        self.messages += 1

    def _progress(self) -> tuple[int, int, int]:
        # Of JupyterLab the notebook only: its status bar also tells that a file was saved.
        words = "(document.querySelector('.jp-Notebook') || document.body || {}).innerText || ''"
        hashed = f"[...({words})].reduce((sum, letter) => (31 * sum + letter.codePointAt(0)) | 0, 7)"
        return self.files, self.messages, self.page.evaluate(hashed)


class Lab:
    """The running server: `folder` is its root, `url` its address."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url

    def stop_kernels(self) -> None:
        asked: dict[str, Any] = {"params": {"token": TOKEN}, "timeout": STALL}
        for session in requests.get(f"{self.url}/api/sessions", **asked).json():
            requests.delete(f"{self.url}/api/sessions/{session['id']}", **asked)

    def clean_up(self) -> None:
        """Stops all kernels and takes back the choice of a theme."""
        for chosen in (self.folder.parent / "settings").rglob("themes.jupyterlab-settings"):
            chosen.unlink()
        self.stop_kernels()


class Notebook(Waiter):
    """A notebook that is open in a page of the browser."""

    def __init__(self, page, name: str) -> None:
        super().__init__(page)
        self.name = name
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def menu(self, *names: str) -> None:
        self.page.locator(f".lm-MenuBar-itemLabel:text-is('{names[0]}')").click()
        for name in names[1:]:
            self.page.locator(f".lm-Menu-itemLabel:text-is('{name}')").click()

    def run_all(self, until: str) -> None:
        """Runs all cells and waits for an output that holds the words ``until``; no cell may fail."""
        self.menu("Run", "Run All Cells")
        shown = self.page.locator(".jp-OutputArea-output", has_text=until).first
        failed = self.page.locator(".jp-OutputArea-output pre", has_text="Traceback (most recent call").first
        self.until(lambda: shown.is_visible() or failed.count(), until)
        assert not failed.count(), failed.inner_text()

    def is_idle(self) -> bool:
        return self.page.locator("#jp-main-statusbar", has_text=re.compile(r"\| Idle")).is_visible()

    def outputs(self) -> str:
        return "\n".join(self.page.locator(".jp-OutputArea-output").all_inner_texts())

    def dark(self) -> None:
        self.menu("Settings", "Theme", "JupyterLab Dark")
        dark = self.page.locator("body[data-jp-theme-light='false']")
        self.until(dark.count, "the dark theme")

    def shoot(self, name: str, widths: Sequence[int] = (1280, 800)) -> None:
        """Saves ``screenshots/{name}-{width}.png`` of the window for each width."""
        SCREENSHOTS.mkdir(exist_ok=True)
        for width in widths:
            self.page.set_viewport_size({"width": width, "height": HEIGHT})
            self.page.wait_for_timeout(700)
            self.page.screenshot(path=SCREENSHOTS / f"{name}-{width}.png")
        self.page.set_viewport_size({"width": 1280, "height": HEIGHT})


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_for_server(url: str, process: subprocess.Popen, log: Path) -> None:
    """Until a server answers anything; progress is what it writes into its log."""

    def answers() -> bool:
        if process.poll() is not None:
            pytest.fail(f"the server did not start:\n{log.read_text()[-3000:]}")
        try:
            return requests.get(url, params={"token": TOKEN}, timeout=STALL).status_code < 500
        except requests.ConnectionError:
            return False

    wait_while_it_goes_on(answers, lambda: log.stat().st_size, time.sleep, url)


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """A JupyterLab with settings of its own, so that nothing of the user's is read or changed."""
    home = tmp_path_factory.mktemp("jupyter")
    folder = home / "root"
    folder.mkdir()
    # Without saving by itself: a save while another one still runs asks which of the two to keep.
    settings = {
        "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
        "docmanager-extension/plugin": {"autosave": False},
    }
    for plugin, chosen in settings.items():
        file = home / "settings" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(chosen))
    port = _free_port()
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--allow-root",
        "--ip=127.0.0.1",
        f"--port={port}",
    ]
    command += [
        "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={TOKEN}",
        f"--ServerApp.root_dir={folder}",
    ]
    own = {"CONFIG_DIR": "config", "RUNTIME_DIR": "runtime", "DATA_DIR": "data"}
    env = os.environ | {f"JUPYTER_{key}": str(home / value) for key, value in own.items()}
    env |= {
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
    }
    log = home / "log.txt"
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, "--LabApp.news_url=None"], env=env, stdout=output, stderr=output, cwd=folder
        )
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for_server(f"{url}/api/status", process, log)
            yield Lab(folder, url)
        finally:
            process.terminate()
            process.wait(timeout=STALL)


def _write(lab: Lab, name: str, cells: Sequence[str] | Path) -> None:
    import nbformat

    target = lab.folder / f"{name}.ipynb"
    if isinstance(cells, Path):
        shutil.copy(cells, target)
        return
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(made, target)


@pytest.fixture
def open_notebook(lab, browser):
    """A function that opens a notebook (see the head of this file); its kernel is stopped after the test."""
    contexts = []

    def opened(name: str, cells: Sequence[str] | Path, *, touch: bool = False) -> Notebook:
        _write(lab, name, cells)
        context = browser.new_context(
            viewport={"width": 1280, "height": HEIGHT},
            has_touch=touch,
            permissions=["camera", "clipboard-read", "clipboard-write"],
        )
        contexts.append(context)
        page = context.new_page()
        notebook = Notebook(page, name)
        accept = page.locator(".jp-Dialog .jp-mod-accept").last  # that of the dialog on top
        page.add_locator_handler(accept, lambda button: button.click())
        page.goto(f"{lab.url}/lab/tree/{name}.ipynb?token={TOKEN}&reset", wait_until="commit")
        notebook.see(page.locator(".jp-Notebook .jp-Cell"))
        notebook.until(notebook.is_idle, "an idle kernel")
        page.keyboard.press("Control+b")  # the file list takes room
        return notebook

    yield opened
    for context in contexts:
        context.close()
    lab.clean_up()


@pytest.fixture(scope="session")
def with_tests() -> str:
    """A first line for cells that need this repository's ``tests`` package, such as ``tests.tiny``."""
    return f"import sys; sys.path.append({str(ROOT)!r})"
