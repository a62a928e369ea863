"""One JupyterLab server and one Chromium for all browser tests.

    def test_it(open_notebook):
        notebook = open_notebook("slider", ["import florence_nb as fnb; …", "print('ready')"])
        notebook.run_all(until="ready")
        notebook.page.locator(".widget-slider .noUi-handle").first.focus()
        notebook.shoot("slider")

`open_notebook(name, cells)` writes a notebook from the text of its cells and opens it; `open_notebook(name,
path)` opens a copy of a file. JupyterLab draws only the cells that are near the window, so the window is
tall.
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
from collections.abc import Sequence
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = Path(__file__).parent / "screenshots"
TOKEN = "browser-tests"
HEIGHT = 1400
PATIENCE = 120_000  # milliseconds: the machine may be busy with other work
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync --use-fake-device-for-media-stream"
    " --use-fake-ui-for-media-stream"
).split()


class Lab:
    """The running server: `folder` is its root, `url` its address."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url

    def clean_up(self) -> None:
        """Stops all kernels and takes back the choice of a theme."""
        for chosen in (self.folder.parent / "settings").rglob("themes.jupyterlab-settings"):
            chosen.unlink()
        for session in requests.get(f"{self.url}/api/sessions", params={"token": TOKEN}, timeout=30).json():
            requests.delete(f"{self.url}/api/sessions/{session['id']}", params={"token": TOKEN}, timeout=30)


class Notebook:
    """A notebook that is open in a page of the browser."""

    def __init__(self, page, name: str) -> None:
        self.page, self.name = page, name
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def menu(self, *names: str) -> None:
        self.page.locator(f".lm-MenuBar-itemLabel:text-is('{names[0]}')").click()
        for name in names[1:]:
            self.page.locator(f".lm-Menu-itemLabel:text-is('{name}')").click()

    def run_all(self, until: str) -> None:
        """Runs all cells and waits for an output that holds the words ``until``."""
        self.menu("Run", "Run All Cells")
        self.page.locator(".jp-OutputArea-output", has_text=until).first.wait_for(timeout=PATIENCE)

    def outputs(self) -> str:
        return "\n".join(self.page.locator(".jp-OutputArea-output").all_inner_texts())

    def dark(self) -> None:
        self.menu("Settings", "Theme", "JupyterLab Dark")
        self.page.locator("body[data-jp-theme-light='false']").wait_for(state="attached")

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


def _wait_for(url: str, process: subprocess.Popen, log: Path) -> None:
    for _ in range(240):
        if process.poll() is not None:
            break
        try:
            if requests.get(f"{url}/api/status", params={"token": TOKEN}, timeout=5).ok:
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.5)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """A JupyterLab with settings of its own, so that nothing of the user's is read or changed."""
    home = tmp_path_factory.mktemp("jupyter")
    folder = home / "root"
    news = home / "settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    for made in (folder, news.parent):
        made.mkdir(parents=True)
    news.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
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
            _wait_for(url, process, log)
            yield Lab(folder, url)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _chromium() -> str:
    named = os.environ.get("CHROMIUM")
    found = named or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if found is None:
        says = "no Chromium is here: apt-get install chromium, or set CHROMIUM to its program"
        (pytest.fail if os.environ.get("EXPECT_INSTALLED") else pytest.skip)(says)
    return found


@pytest.fixture(scope="session")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=_chromium(), headless=True, args=FLAGS)
        yield chromium
        chromium.close()


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
        page.set_default_timeout(PATIENCE)
        notebook = Notebook(page, name)
        page.add_locator_handler(page.locator(".jp-Dialog .jp-mod-accept"), lambda button: button.click())
        page.goto(f"{lab.url}/lab/tree/{name}.ipynb?token={TOKEN}&reset")
        page.locator(".jp-Notebook .jp-Cell").first.wait_for()
        page.locator("#jp-main-statusbar", has_text=re.compile(r"\| Idle")).wait_for()
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
