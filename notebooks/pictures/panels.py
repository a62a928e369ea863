"""Take the two screenshots of README.md: `python notebooks/pictures/panels.py`.

Voilà serves the playground and the token explorer with mini's answers, and Chromium takes the screenshots.
Both come with the environment of the browser tests (see CONTRIBUTING.md).
"""

import contextlib
import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import requests
from PIL import Image
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
PLAYGROUND = """
import florence_nb as fnb

florence = fnb.load("mini", quiet=True)
panel = fnb.playground(florence, "harbour")
panel.group.value = "grounding"
panel.phrase.value = "a black cat and a green bicycle"
panel.run.click()
panel.wait()
panel
"""
EXPLORER = 'fnb.explore(florence.run_example("<OD>", "street"))'
WIDTH, HEIGHT = 800, 526
"""Of each screenshot, in pixels of the page."""
SCALE = 1.2
"""Pixels of the picture for each pixel of the page."""


@contextlib.contextmanager
def served(*cells: str) -> Iterator[str]:
    """The address of a page that shows what the cells return."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        nbformat.write(notebook, Path(folder, "panels.ipynb"))
        command = [sys.executable, "-m", "voila", "panels.ipynb", "--no-browser", f"--port={port}"]
        server = subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL)
        try:
            while server.poll() is None:
                with contextlib.suppress(requests.ConnectionError):
                    requests.head(f"http://127.0.0.1:{port}/static/", timeout=5)
                    break
                time.sleep(0.5)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


def save(page: Page, begins: str, name: str) -> None:
    """Saves the part of the page that begins with a line of text."""
    top = page.get_by_text(begins).first.bounding_box()["y"] - 14
    clip = {"x": 0, "y": max(top, 0), "width": WIDTH, "height": HEIGHT}
    shot = Image.open(io.BytesIO(page.screenshot(clip=clip)))
    shot.convert("RGB").save(HERE / name, quality=82, optimize=True)


def main() -> None:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with served(PLAYGROUND, EXPLORER) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": 2000}, device_scale_factor=SCALE)
        page.set_default_timeout(120_000)
        page.goto(address, wait_until="commit")
        page.locator(".fnb img[alt*='where the decoder looked']").wait_for()
        page.wait_for_timeout(1500)  # fonts and layout settle
        save(page, "picture", "playground.jpg")
        save(page, "The answer to", "explorer.jpg")
        browser.close()


if __name__ == "__main__":
    main()
