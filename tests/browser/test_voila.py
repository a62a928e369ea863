"""A lesson served by Voilà: its controls work, and no code is shown. For a kiosk or a demonstration."""

import subprocess
import sys
import time

import pytest
import requests

from tests.conftest import ROOT

from .conftest import PATIENCE, SCREENSHOTS, _free_port


@pytest.fixture(scope="module")
def kiosk(tmp_path_factory):
    pytest.importorskip("voila", reason="voila is not installed: pip install voila")
    log, port = tmp_path_factory.mktemp("voila") / "log.txt", _free_port()
    command = [
        sys.executable,
        "-m",
        "voila",
        str(ROOT / "notebooks" / "10_playground.ipynb"),
        "--no-browser",
        f"--port={port}",
    ]
    # Lesson 10 shows an error on purpose, which would end the page otherwise.
    command += ["--ExecutePreprocessor.allow_errors=True", "--VoilaConfiguration.show_tracebacks=True"]
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            for _ in range(240):
                try:
                    requests.head(f"http://127.0.0.1:{port}/static/", timeout=5)
                    break
                except requests.ConnectionError:
                    assert process.poll() is None, log.read_text()[-2000:]
                    time.sleep(0.5)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=30)


def test_controls_without_code(kiosk, browser):
    page = browser.new_page(viewport={"width": 1280, "height": 1400})
    page.set_default_timeout(PATIENCE)
    page.goto(kiosk, wait_until="commit")
    call = page.locator(".fnb pre.call").first
    call.wait_for()
    slider = page.locator(".widget-slider", has_text="beams").locator(".noUi-handle").first
    slider.scroll_into_view_if_needed()
    was = call.inner_text()
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("([was]) => document.querySelector('.fnb pre.call').innerText != was", arg=[was])
    assert page.locator(".jp-InputArea-editor:visible, .jp-CodeCell .highlight:visible").count() == 0
    assert "fnb.load(" not in page.locator("body").inner_text().split("Now with your own photograph")[0]
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "voila-1280.png")
    page.close()
