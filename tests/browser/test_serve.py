"""A class meets `florence-nb serve`: from the start page to an answer on a phone, nothing from elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from florence_nb.page.build import write_page
from tests.browser.conftest import ROOT, SCREENSHOTS, STALL, Waiter
from tests.browser.test_page import PHONE

OVER = (
    "[...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1)"
)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Of the command as a teacher starts it: it is this machine's own in the network, if there is one."""
    page = write_page(tmp_path_factory.mktemp("serve") / "page").parent
    command = [sys.executable, "-m", "florence_nb", "serve", "--port", "0", "--page", str(page)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    yield process.stdout.readline().strip()
    process.terminate()
    assert process.wait(timeout=STALL) == 0


@pytest.fixture
def phone(browser, address):
    contexts = []

    def opened(path: str, **more):
        contexts.append(browser.new_context(**{**PHONE, **more}))
        page = contexts[-1].new_page()
        page.set_default_timeout(1000 * STALL)
        page.goto(address + path, wait_until="load")
        return page

    yield opened
    for context in contexts:
        context.close()


def test_from_the_start_page_to_an_answer_and_again(phone, address):
    page = phone("/")
    waiter, errors, requests = Waiter(page), [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.context.on("requestfinished", lambda one: requests.append(one))
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.evaluate(f"{OVER}.length") == 0
    page.get_by_role("link", name="Challenge of the minute").tap()
    page.wait_for_url("**/page/#challenge", wait_until="load")
    answered = "Number(document.body.dataset.answered ?? 0)"
    waiter.until(lambda: page.evaluate(answered), "an answer")
    assert page.evaluate("florence.state.last.answer.labels.length") >= 4
    assert page.locator("#challenge").evaluate("e => e.getBoundingClientRect().top") < 740, "it is in sight"
    page.locator("#challenges button").first.tap()
    waiter.until(lambda: "It still finds the house." in page.inner_text("#judged"), "the judge")
    assert page.evaluate("isSecureContext") is address.startswith("http://127.")
    first = sum(one.sizes()["responseBodySize"] for one in requests)
    assert 15_500_000 < first < 17_500_000, "compressed"
    requests.clear()
    page.reload(wait_until="load")
    waiter.until(lambda: page.evaluate(answered), "an answer")
    # A window of tests has a cache in memory, which is too small for the weights.
    again = [one for one in requests if not one.url.endswith(".safetensors")]
    assert sum(one.sizes()["responseBodySize"] for one in again) < 1000, "the second visit loads nothing"
    asked = [one.url for one in requests]
    assert asked and all(url.startswith((address + "/", "data:", "blob:")) for url in asked), asked
    assert errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_start_page_can_be_read_by_all(phone, scheme):
    page = phone("/", color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    page.add_script_tag(path=os.path.join(os.path.dirname(__file__), "access.js"), type="module")
    page.wait_for_function("globalThis.contrast")
    page.evaluate("document.body.className = 'jp-OutputArea-output'")  # where access.js looks
    ratios = page.evaluate("contrast()")
    assert len(ratios) > 40 and [row for row in ratios if row[0] < 4.5] == []
    assert page.evaluate("nameless()") == []
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    small = page.locator("a.button, summary, li a").evaluate_all("all => all.map((e) => e.offsetHeight)")
    assert len(small) > 25 and min(small) >= 36, "a finger hits it"
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"serve-start-{scheme}.png", full_page=True)


@pytest.mark.parametrize("width, height", [(1280, 720), (1024, 768), (1920, 1080), (360, 740)])
def test_the_slide_fills_the_projector_and_overflows_nowhere(phone, width, height):
    pytest.importorskip("segno", reason="segno is not here: pip install segno")
    page = phone("/qr", viewport={"width": width, "height": height}, is_mobile=False, color_scheme="dark")
    assert page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [
        width,
        height,
    ]
    assert page.evaluate(f"{OVER}.length") == 0
    code = page.locator("svg").bounding_box()
    assert code["width"] == code["height"] >= 0.4 * min(width, height)
    letters = page.locator(".address").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    assert letters >= width / 20, "it can be read from the last row"
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"serve-qr-{width}.png")
