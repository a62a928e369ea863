"""What Voilà serves for a kiosk or a demonstration: a lesson, and the two panels alone. Controls work, and no
code is shown.
"""

import contextlib
import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT

from .conftest import SCREENSHOTS, STALL, Waiter, _free_port, wait_for_server

NOTEBOOKS = ROOT / "notebooks"
CODE = ".jp-InputArea-editor:visible, .jp-CodeCell .highlight:visible"
# It came with the tests, and wants a newer JupyterLab than Voilà has inside.
NO_JUPYTEXT = "--VoilaConfiguration.extension_denylist=['jupyterlab-jupytext']"
# Voilà looks for icons on the web; it has them itself as well.
ICONS = "fontawesome"


@contextlib.contextmanager
def voila(log, *arguments):
    """The address of a Voilà."""
    pytest.importorskip("voila", reason="voila is not installed: pip install voila")
    port = _free_port()
    command = [sys.executable, "-m", "voila", *map(str, arguments), "--no-browser", f"--port={port}"]
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            wait_for_server(f"http://127.0.0.1:{port}/static/", process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=STALL)


@pytest.fixture(scope="module")
def lesson(tmp_path_factory):
    # Lesson 10 shows an error on purpose, which would end the page otherwise.
    settings = ["--ExecutePreprocessor.allow_errors=True", "--VoilaConfiguration.show_tracebacks=True"]
    log = tmp_path_factory.mktemp("voila") / "log.txt"
    with voila(log, NOTEBOOKS / "10_playground.ipynb", *settings) as address:
        yield address


@pytest.fixture(scope="module")
def kiosks(tmp_path_factory):
    with voila(tmp_path_factory.mktemp("voila") / "log.txt", NOTEBOOKS / "kiosk", NO_JUPYTEXT) as address:
        yield f"{address}/voila/render"


class Visitor(Waiter):
    """A browser of its own at a kiosk, from an empty page to the first answer."""

    def __init__(self, browser, address: str, width: int, height: int) -> None:
        super().__init__(browser.new_page(viewport={"width": width, "height": height}))
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._note)
        self.page.goto(address, wait_until="commit")
        picture = self.page.locator(".fnb img").first
        self.until(lambda: picture.is_visible() or self.errors, "a picture")
        assert self.errors == []

    def _note(self, message) -> None:
        if message.type == "error" and ICONS not in message.location["url"]:
            self.errors.append(message.text)

    def shoot(self, name: str) -> None:
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.wait_for_timeout(700)
        self.page.screenshot(path=SCREENSHOTS / f"kiosk-{name}.png")

    def cut_off(self) -> list[str]:
        """What ends beyond the right edge of the window, or inside a box that is too narrow for it. The
        corners by which a region is drawn larger may reach beyond their picture.
        """
        return self.page.evaluate(
            """[...document.body.querySelectorAll('*')].filter(one => {
                const box = one.getBoundingClientRect()
                return box.width && (box.right > innerWidth + 1 || one.matches('.widget-box, .lm-Widget')
                    && !one.querySelector(':scope > .fnb-region') && one.scrollWidth > one.clientWidth + 1)
            }).map(one => one.className)"""
        )

    def leave(self) -> None:
        assert self.page.locator(CODE).count() == 0
        assert "import florence_nb" not in self.page.locator("body").inner_text()
        assert self.errors == []
        self.page.close()


def test_controls_without_code(lesson, browser):
    page = browser.new_page(viewport={"width": 1280, "height": 1400})
    waiter = Waiter(page)
    page.goto(lesson, wait_until="commit")
    call = waiter.see(page.locator(".fnb pre.call"))
    slider = page.locator(".widget-slider", has_text="beams").locator(".noUi-handle").first
    slider.scroll_into_view_if_needed()
    was = call.inner_text()
    slider.focus()
    page.keyboard.press("ArrowRight")
    waiter.change(call, was)
    assert page.locator(CODE).count() == 0
    assert "fnb.load(" not in page.locator("body").inner_text().split("The real Florence-2")[0]
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "voila-1280.png")
    page.close()


def test_the_playground_alone_answers_on_a_laptop(kiosks, browser):
    visitor = Visitor(browser, f"{kiosks}/playground.ipynb", 1280, 720)
    page = visitor.page
    assert page.locator("h1").all_inner_texts() == ["Ask Florence-2"]
    visitor.shoot("playground-1280")
    page.locator("button:text-is('read')").click()
    visitor.see(page.locator(".fnb pre", has_text="Answer to <OCR>").filter(has_text="STOP"))
    visitor.see(page.locator(".fnb p", has_text=re.compile("Done")))
    visitor.leave()


def test_the_playground_alone_fits_a_telephone(kiosks, browser):
    visitor = Visitor(browser, f"{kiosks}/playground.ipynb", 390, 844)
    page = visitor.page
    visitor.shoot("playground-390")
    page.locator("button:text-is('ask about a region')").click()
    visitor.see(page.locator(".fnb-region"))
    visitor.see(page.locator(".fnb pre", has_text="Answer to <REGION"))
    for width in (390, 320):
        page.set_viewport_size({"width": width, "height": 844})
        page.wait_for_timeout(700)
        assert visitor.cut_off() == []
    visitor.shoot("playground-region-320")
    visitor.leave()


def test_the_composer_alone_follows_on_a_laptop(kiosks, browser):
    visitor = Visitor(browser, f"{kiosks}/composer.ipynb", 1280, 720)
    page = visitor.page
    visitor.shoot("composer-1280")
    page.get_by_role("button", name="Add", exact=True).click()
    visitor.see(page.locator("td", has_text="house"))
    visitor.leave()


def test_the_composer_alone_fits_a_telephone(kiosks, browser):
    visitor = Visitor(browser, f"{kiosks}/composer.ipynb", 390, 844)
    visitor.shoot("composer-390")
    for width in (390, 320):
        visitor.page.set_viewport_size({"width": width, "height": 844})
        visitor.page.wait_for_timeout(700)
        assert visitor.cut_off() == []
    visitor.leave()


@pytest.mark.parametrize("name", ["playground", "composer"])
def test_a_kiosk_can_be_dark(kiosks, browser, name):
    visitor = Visitor(browser, f"{kiosks}/{name}.ipynb?theme=dark", 1280, 720)
    visitor.shoot(f"{name}-dark")
    ground, ink = visitor.page.evaluate(
        "['background-color', 'color'].map(it => getComputedStyle(document.querySelector("
        "it == 'color' ? '.fnb' : 'body')).getPropertyValue(it).match(/\\d+/g).slice(0, 3).map(Number))"
    )
    assert max(ground) < 60 and min(ink) > 180
    visitor.leave()
