"""Lessons 05, 09 and 10 in a real JupyterLab with the real `mini`: Run All, then a hand on their controls."""

import re

import nbformat

from tests.conftest import ROOT

from .conftest import HEIGHT


def is_tagged(cell):
    return "raises-exception" in cell.metadata.get("tags", [])


def has_failed(cell):
    return any(output.output_type == "error" for output in cell.outputs)


def run_whole(notebook, lab):
    """Runs every cell, and sees in the saved file that each one ran and that errors are only where they
    belong.
    """

    def saved():
        """The code cells of the saved file, as soon as each of them ran or one failed."""
        if not notebook.is_idle():
            return None
        notebook.page.keyboard.press("Control+s")
        notebook.page.wait_for_timeout(1500)
        whole = nbformat.read(lab.folder / f"{notebook.name}.ipynb", 4)
        cells = [cell for cell in whole.cells if cell.cell_type == "code" and cell.source]
        stopped = any(has_failed(cell) and not is_tagged(cell) for cell in cells)
        return cells if stopped or all(cell.execution_count for cell in cells) else None

    notebook.menu("Run", "Run All Cells")
    cells = notebook.until(saved, "every cell's run")
    assert [cell.source for cell in cells if not cell.execution_count] == []
    assert [cell.source for cell in cells if has_failed(cell) != is_tagged(cell)] == []
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


def in_view(notebook, element):
    """Where the whole of an element is seen. After a run JupyterLab may scroll once more by itself."""

    def seen():
        element.scroll_into_view_if_needed()
        notebook.page.wait_for_timeout(500)
        at = element.bounding_box()
        return at if at["y"] >= 0 and at["y"] + at["height"] <= HEIGHT else None

    return notebook.until(seen, "an element in view")


def test_lesson_05_the_composer_follows(open_notebook, lab):
    notebook, page = opened(open_notebook, lab, "05")
    table = page.locator(".fnb table").first
    table.scroll_into_view_if_needed()
    was = table.inner_text()
    slider = page.locator(".widget-slider", has_text="across %").locator(".noUi-handle").first
    slider.focus()
    slider.press("PageDown")
    notebook.change(table, was)
    notebook.shoot("lesson-05")


def test_lesson_09_a_box_is_dragged_and_the_answer_changes(open_notebook, lab):
    notebook, page = opened(open_notebook, lab, "09")
    stage = page.locator(".fnb-region").first
    at = in_view(notebook, stage)
    said = page.locator(".widget-html-content", has_text="It reads").first
    was = said.inner_text()
    points = [(190, 155), (308, 228)]  # the truck of the drawn market, in pixels of the picture
    (x0, y0), (x1, y1) = [
        (at["x"] + x * at["width"] / 384, at["y"] + y * at["height"] / 288) for x, y in points
    ]
    page.mouse.move(x0, y0)
    page.mouse.down()
    page.mouse.move(x1, y1, steps=6)
    page.mouse.up()
    notebook.change(said, was)
    notebook.shoot("lesson-09")


def test_lesson_10_a_slider_changes_the_answer_and_the_picture_outlives_the_kernel(open_notebook, lab):
    notebook, page = opened(open_notebook, lab, "10")
    said = page.locator(".fnb p", has_text=re.compile("Done|Cached answer")).first
    said.scroll_into_view_if_needed()
    call = page.locator(".fnb pre.call").first
    was, picture = call.inner_text(), page.locator(".fnb img").first
    before = picture.get_attribute("alt")
    tokens = page.locator(".widget-slider", has_text="tokens").locator(".noUi-handle").first
    tokens.focus()
    page.keyboard.press("Home")
    assert "max_new_tokens" in notebook.change(call, was)
    notebook.until(lambda: picture.get_attribute("alt") != before, "another picture")
    notebook.shoot("lesson-10")
    lab.stop_kernels()
    notebook.until(lambda: not notebook.is_idle(), "a notebook without kernel")
    page.wait_for_timeout(3000)
    assert page.locator(".fnb img").first.evaluate("image => image.isConnected && image.naturalWidth > 50")
