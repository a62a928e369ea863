"""The website in Chromium, from the disk: search, lessons, gallery, mini's page, a phone, dark colours, and
nothing from elsewhere.
"""

from pathlib import Path

import pytest

from tests.browser.conftest import Waiter
from tests.served import served

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    "index", "gallery", "README", "REFERENCE", "TROUBLESHOOTING", "CONTRIBUTING", "CHANGELOG",
    "florence_nb/mini/README", "florence_nb/samples/CREDITS",
    *(path.relative_to(ROOT).with_suffix("").as_posix() for path in sorted(ROOT.glob("workshop/*.md"))),
    *(path.relative_to(ROOT).with_suffix("").as_posix() for path in sorted(ROOT.glob("notebooks/*.*"))),
]  # fmt: skip
TOO_WIDE = """() => [...document.querySelectorAll("article *")].filter((each) => {
    const box = each.getBoundingClientRect();
    return box.width && box.right > innerWidth + 1 && !each.closest("pre, table, .table-wrapper, .highlight");
}).map((each) => each.outerHTML.slice(0, 120))"""
CONTRAST = """() => {
    const ink = getComputedStyle(document.querySelector("article p")).color.match(/[\\d.]+/g).map(Number);
    const paper = getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).map(Number);
    return [ink, paper].map(([r, g, b]) => (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255);
}"""


class Seen(Waiter):
    """A page of the site, with what it asked for and what went wrong."""

    def __init__(self, page, url: str) -> None:
        super().__init__(page)
        self.errors: list[str] = []
        self.asked: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("requestfailed", lambda request: self.errors.append(request.url))
        page.on("request", lambda request: self.asked.append(request.url))
        page.goto(url)


@pytest.fixture
def visit(browser, site):
    contexts = []

    def opened(name: str, home: str = "", **window) -> Seen:
        context = browser.new_context(**window)
        contexts.append(context)
        return Seen(context.new_page(), (home or site.as_uri()) + "/" + name)

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def server(site):
    with served(site) as url:
        yield url


@pytest.mark.parametrize("how", ["file", "http"])
def test_nothing_is_asked_from_elsewhere(visit, site, server, how):
    home = site.as_uri() if how == "file" else server
    for name in ("index.html", "gallery.html", "notebooks/05_detection.html", "search.html?q=IoU"):
        seen = visit(name, home)
        assert seen.asked and [url for url in seen.asked if not url.startswith((home, "data:"))] == []
        assert seen.errors == [], name


@pytest.mark.parametrize("how", ["file", "http"])
def test_search_finds_a_word(visit, site, server, how):
    seen = visit("index.html", site.as_uri() if how == "file" else server)
    seen.page.fill(".sidebar-search", "intersection over union")
    seen.page.press(".sidebar-search", "Enter")
    seen.see(seen.page.locator("ul.search li a", has_text="Find the things in a picture"))
    seen.page.locator("ul.search li a", has_text="Find the things in a picture").first.click()
    seen.see(seen.page.locator("h1", has_text="Find the things in a picture"))


def test_a_hint_opens_with_a_click_and_a_quiz_answers(visit):
    seen = visit("notebooks/05_detection.html")
    hint = seen.page.locator("details.help", has_text="Hint 1 of 3").first
    assert not hint.locator("p").is_visible()
    hint.locator("summary").click()
    assert hint.locator("p").is_visible()
    seen.page.locator("summary", has_text="1 pixel").first.click()
    assert seen.page.locator("details[open] b", has_text="Right.").is_visible()


def test_a_picture_of_the_gallery_leads_to_its_task(visit):
    seen = visit("gallery.html")
    assert seen.page.locator(".wall img").count() == 15
    loaded = seen.page.evaluate("[...document.images].every((one) => one.complete && one.naturalWidth > 0)")
    assert loaded
    seen.page.locator(".wall a", has_text="object detection").first.click()
    assert seen.page.evaluate("location.hash") == "#object-detection"


def test_mini_answers_on_its_page(visit, site):
    seen = visit("index.html")
    seen.page.locator("article a", has_text="Try mini").click()
    answered = "+(document.body.dataset.answered ?? 0) > 0"
    seen.until(lambda: seen.page.evaluate(answered), "an answer of mini")
    assert "</s>" in seen.page.evaluate("florence.state.last.answer.raw")
    assert seen.page.url == f"{site.as_uri()}/try.html"
    assert [url for url in seen.asked if not url.startswith((site.as_uri(), "data:", "blob:"))] == []


def test_no_page_is_wider_than_a_phone(visit):
    seen = visit("index.html", viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True)
    home = seen.page.url.removesuffix("index.html")
    for name in PAGES:
        seen.page.goto(f"{home}{name}.html")
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= 360, name
        assert seen.page.evaluate(TOO_WIDE) == [], name


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_ink_stands_off_the_paper(visit, scheme):
    seen = visit("notebooks/05_detection.html", color_scheme=scheme)
    ink, paper = seen.page.evaluate(CONTRAST)
    assert (paper - ink if scheme == "light" else ink - paper) > 0.7
