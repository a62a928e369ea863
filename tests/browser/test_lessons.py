"""Lessons 05, 09 and 10 in a real JupyterLab with the real `mini`: Run All, then a hand on their controls."""

import re

import nbformat
import requests

from tests.conftest import ROOT

from .conftest import PATIENCE, TOKEN


def run_whole(notebook, lab):
    """Runs every cell, and sees in the saved file that each one ran and that errors are only where they
    belong.
    """
    page = notebook.page
    notebook.menu("Run", "Run All Cells")
    page.locator("#jp-main-statusbar", has_text=re.compile(r"\| Busy")).wait_for()
    page.locator("#jp-main-statusbar", has_text=re.compile(r"\| Idle")).wait_for()
    for _ in range(60):
        page.keyboard.press("Control+s")
        page.wait_for_timeout(1500)
        cells = [
            c
            for c in nbformat.read(lab.folder / f"{notebook.name}.ipynb", 4).cells
            if c.cell_type == "code" and c.source
        ]
        if all(cell.execution_count for cell in cells):
            break
    assert [cell.source for cell in cells if not cell.execution_count] == []
    failed = [cell.source for cell in cells if any(out.output_type == "error" for out in cell.outputs)]
    assert failed == [cell.source for cell in cells if "raises-exception" in cell.metadata.get("tags", [])]
    assert not notebook.errors


def opened(open_notebook, lab, name):
    path = next((ROOT / "notebooks").glob(f"{name}_*.ipynb"))
    fresh = nbformat.read(path, 4)
    for cell in fresh.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    copy = lab.folder.parent / path.name
    nbformat.write(fresh, copy)
    notebook = open_notebook(path.stem, copy)
    run_whole(notebook, lab)
    return notebook, notebook.page


def changed(page, locator, was):
    """Waits until the words of the element are others."""
    for _ in range(PATIENCE // 200):
        if locator.inner_text() != was:
            return locator.inner_text()
        page.wait_for_timeout(200)
    raise AssertionError(f"still {was!r}")


def test_lesson_05_the_composer_follows(open_notebook, lab):
    notebook, page = opened(open_notebook, lab, "05")
    table = page.locator(".fnb table").first
    table.scroll_into_view_if_needed()
    was = table.inner_text()
    slider = page.locator(".widget-slider", has_text="across %").locator(".noUi-handle").first
    slider.focus()
    slider.press("PageDown")
    changed(page, table, was)
    notebook.shoot("lesson-05")


def test_lesson_09_a_box_is_dragged_and_the_answer_changes(open_notebook, lab):
    notebook, page = opened(open_notebook, lab, "09")
    stage = page.locator(".fnb-region").first
    stage.scroll_into_view_if_needed()
    said = page.locator(".widget-html-content", has_text="It reads").first
    was, at = said.inner_text(), stage.bounding_box()
    points = [(190, 155), (308, 228)]  # the truck of the drawn market, in pixels of the picture
    (x0, y0), (x1, y1) = [
        (at["x"] + x * at["width"] / 384, at["y"] + y * at["height"] / 288) for x, y in points
    ]
    page.mouse.move(x0, y0)
    page.mouse.down()
    page.mouse.move(x1, y1, steps=6)
    page.mouse.up()
    changed(page, said, was)
    notebook.shoot("lesson-09")


def test_lesson_10_a_slider_changes_the_answer_and_the_picture_outlives_the_kernel(open_notebook, lab):
    notebook, page = opened(open_notebook, lab, "10")
    said = page.locator(".fnb p", has_text=re.compile("Done|From memory")).first
    said.scroll_into_view_if_needed()
    call = page.locator(".fnb pre.call").first
    was, picture = call.inner_text(), page.locator(".fnb img").first
    before = picture.get_attribute("alt")
    tokens = page.locator(".widget-slider", has_text="tokens").locator(".noUi-handle").first
    tokens.focus()
    page.keyboard.press("Home")
    assert "max_new_tokens" in changed(page, call, was)
    for _ in range(100):
        if picture.get_attribute("alt") != before:
            break
        page.wait_for_timeout(200)
    assert picture.get_attribute("alt") != before
    notebook.shoot("lesson-10")
    [session] = requests.get(f"{lab.url}/api/sessions", params={"token": TOKEN}, timeout=30).json()
    requests.delete(f"{lab.url}/api/sessions/{session['id']}", params={"token": TOKEN}, timeout=30)
    page.wait_for_timeout(3000)
    assert page.locator(".fnb img").first.evaluate("image => image.isConnected && image.naturalWidth > 50")
