"""No slide overflows at 1280 × 720, also with all answers open; the pages to print take one sheet of A4."""

import re

import pytest

pytest.importorskip("markdown_it")
# Of each slide: what sticks out, of the parts that can be seen.
OUTSIDE = """() => [...document.querySelectorAll("section")].flatMap((slide, n) => {
  const all = slide.getBoundingClientRect(), body = slide.querySelector(".body");
  const out = [...body.querySelectorAll("*")].filter((part) => {
    const { left, right, top, bottom, width, height } = part.getBoundingClientRect();
    const open = !part.closest("details:not([open]) > :not(summary)");
    const wide = left < all.left - 1 || right > all.right + 1;
    return open && width && height && (wide || top < all.top - 1 || bottom > all.bottom + 1);
  });
  const full = body.scrollHeight > body.clientHeight + 1;
  const what = out[0]?.outerHTML.slice(0, 80) ?? "full";
  return out.length || full ? [`${n + 1} ${slide.className}: ${what}`] : [];
})"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    from florence_nb.kit.slides import write_slides

    return write_slides(tmp_path_factory.mktemp("slides"))


def test_no_slide_overflows(browser, files):
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    decks = [path for path in files if path.stem not in ("handout", "before-after")]
    for path in decks:
        page.goto(path.as_uri())
        assert page.evaluate(OUTSIDE) == [], path.name
        page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
        page.wait_for_function("fit() ?? true")
        assert page.evaluate(OUTSIDE) == [], f"{path.name}, answers open"
    page.close()
    assert len(decks) >= 14


@pytest.mark.parametrize("name", ["handout", "before-after"])
def test_a_page_to_print_takes_one_sheet(name, browser, files):
    page = browser.new_page()
    (path,) = (each for each in files if each.stem == name)
    page.goto(path.as_uri())
    pdf = page.pdf(prefer_css_page_size=True)
    page.set_viewport_size({"width": 794, "height": 1123})
    last = page.evaluate(
        "Math.max(...[...document.body.children].map((e) => e.getBoundingClientRect().bottom))"
    )
    page.close()
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
    assert last < 1123 - 20, "the text ends too close to the edge"
