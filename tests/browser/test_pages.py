"""README takes at most four screens, and no page is wider than a telephone. Rendered much as GitHub does."""

import pytest

from tests.conftest import ROOT

SCREEN = 800
CSS = """
body { margin: 0; font: 16px/1.5 "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif }
article { box-sizing: border-box; max-width: 1012px; margin: 0 auto; padding: 32px }
article { overflow-wrap: break-word }
p, table, pre, ul, ol { margin: 0 0 16px }
h1, h2, h3 { margin: 24px 0 16px; line-height: 1.25 }
h1, h2 { padding-bottom: .3em; border-bottom: 1px solid }
h1 { font-size: 32px; margin-top: 0 }
h2 { font-size: 24px }
h3 { font-size: 20px }
img { max-width: 100% }
table { display: block; max-width: 100%; overflow: auto; border-collapse: collapse }
th, td { padding: 6px 13px; border: 1px solid }
code, pre { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 13.6px }
code { padding: .2em .4em }
pre { padding: 16px; line-height: 1.45; overflow: auto }
pre code { padding: 0 }
li + li { margin-top: .25em }
"""
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("workshop/*.md")])


@pytest.fixture
def size_of(browser, tmp_path):
    """A function: (width, height) in pixels that a page takes in a window of the given width."""
    markdown = pytest.importorskip("markdown_it").MarkdownIt("commonmark").enable("table")

    def measured(path, width: int) -> tuple[int, int]:
        body = markdown.render(path.read_text(encoding="utf-8"))
        file = tmp_path / "page.html"
        head = (
            f'<!doctype html><meta charset="utf-8"><base href="{path.parent.as_uri()}/"><style>{CSS}</style>'
        )
        file.write_text(f"{head}<article>{body}</article>", encoding="utf-8")
        page = browser.new_page(viewport={"width": width, "height": SCREEN})
        page.goto(file.as_uri())
        taken = page.evaluate(
            "[document.documentElement.scrollWidth, document.querySelector('article').offsetHeight]"
        )
        missing = page.evaluate("[...document.images].filter(i => !i.naturalWidth).map(i => i.src)")
        page.close()
        assert missing == []
        return tuple(taken)

    return measured


def test_readme_takes_four_screens(size_of):
    _, height = size_of(ROOT / "README.md", 1280)
    assert 1.5 * SCREEN < height <= 4 * SCREEN


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_pages_fit_a_telephone(path, size_of):
    width, _ = size_of(path, 390)
    assert width <= 390
