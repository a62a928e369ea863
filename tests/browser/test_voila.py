"""A lesson served by Voilà: its controls work, and no code is shown. For a kiosk or a demonstration."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT

from .conftest import SCREENSHOTS, STALL, Waiter, _free_port, wait_for_server


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
            wait_for_server(f"http://127.0.0.1:{port}/static/", process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=STALL)


def test_controls_without_code(kiosk, browser):
    page = browser.new_page(viewport={"width": 1280, "height": 1400})
    waiter = Waiter(page)
    page.goto(kiosk, wait_until="commit")
    call = waiter.see(page.locator(".fnb pre.call"))
    slider = page.locator(".widget-slider", has_text="beams").locator(".noUi-handle").first
    slider.scroll_into_view_if_needed()
    was = call.inner_text()
    slider.focus()
    page.keyboard.press("ArrowRight")
    waiter.change(call, was)
    assert page.locator(".jp-InputArea-editor:visible, .jp-CodeCell .highlight:visible").count() == 0
    assert "fnb.load(" not in page.locator("body").inner_text().split("Now with your own photograph")[0]
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "voila-1280.png")
    page.close()
