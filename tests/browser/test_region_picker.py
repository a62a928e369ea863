"""Boxes drawn in a real JupyterLab, with mouse, keyboard and finger."""

from __future__ import annotations

import re

import pytest

CELL = """
import ipywidgets
from florence_nb import open_image, parse, region_picker
image = open_image("china")   # 640 x 427 pixels
raw = "temple<loc_80><loc_100><loc_560><loc_500>tree<loc_600><loc_300><loc_950><loc_900></s>"
answer = parse(raw, "<OD>", image.size, location_scores=[-0.1] * 8)
picker = region_picker(image, several=SEVERAL, answer=answer)
python = ipywidgets.HTML("python: None")
def tell(change):
    python.value = f"python: {picker.box} of {len(picker.boxes)}; hovered {picker.hovered}"
picker.observe(tell, ["box", "boxes", "hovered"])
ipywidgets.VBox([picker, python])
"""
READY = "print('rea' + 'dy')"
WIDTH, HEIGHT = 640, 427


class Picker:
    def __init__(self, notebook) -> None:
        self.notebook, self.page = notebook, notebook.page
        self.stage = notebook.see(self.page.locator(".fnb-region"))

    def on_screen(self, x: float, y: float) -> tuple[float, float]:
        """A point of the picture, given in its pixels, on the screen."""
        at = self.stage.bounding_box()
        return at["x"] + x * at["width"] / WIDTH, at["y"] + y * at["height"] / HEIGHT

    def drag(self, start, end) -> None:
        self.page.mouse.move(*self.on_screen(*start))
        self.page.mouse.down()
        self.page.mouse.move(*self.on_screen(*end), steps=8)
        self.page.mouse.up()

    def python(self, words: str) -> str:
        """What Python says, as soon as it matches the words."""
        said = self.page.locator(".widget-html-content", has_text=re.compile(words))
        return self.notebook.see(said).inner_text()

    def box(self, of: int = 1) -> list[int]:
        return [int(n) for n in re.search(r"\((.*?)\)", self.python(rf"\) of {of}")).group(1).split(",")]


def opened(open_notebook, name: str, several: bool = False, **options):
    notebook = open_notebook(name, [CELL.replace("SEVERAL", str(several)), READY], **options)
    notebook.run_all(until="ready")
    return notebook, Picker(notebook)


def test_draw_move_resize_and_delete_with_the_mouse(open_notebook):
    notebook, picker = opened(open_notebook, "mouse")
    picker.drag((100, 60), (300, 260))
    assert picker.box() == pytest.approx([100, 60, 300, 260], abs=2)
    picker.drag((200, 160), (250, 200))
    picker.python(r"\(1[45]")
    assert picker.box() == pytest.approx([150, 100, 350, 300], abs=3)
    picker.drag((350, 300), (600, 9000))
    picker.python("427")
    assert picker.box() == pytest.approx([150, 100, 600, 427], abs=3)
    notebook.shoot("region_picker")
    notebook.dark()
    notebook.shoot("region_picker-dark", (800,))
    picker.drag((20, 20), (60, 60))  # a new box takes the place of the old one
    picker.python("of 1.*")
    picker.stage.locator(".remove").click()
    picker.python("None of 0")
    picker.stage.click(position={"x": 5, "y": 5})
    assert picker.stage.locator(".box").count() == 0, "a click is no box"
    assert not notebook.errors


def test_keyboard_alone_is_enough_and_the_notebook_keeps_its_cells(open_notebook):
    notebook, picker = opened(open_notebook, "keyboard", several=True)
    press, cells = notebook.page.keyboard.press, notebook.page.locator(".jp-Cell").count()
    picker.stage.focus()
    press("Enter")
    assert picker.box() == pytest.approx([160, 107, 480, 320], abs=1)
    press("ArrowRight")
    picker.python(r"\(166")
    press("Shift+ArrowDown")
    picker.python("324")
    press("Alt+ArrowLeft")
    picker.python(r"\(165")
    assert picker.box() == pytest.approx([165, 107, 485, 324], abs=1)
    picker.stage.focus()
    press("Enter")
    picker.python("of 2")
    press("Delete")
    picker.python("of 1")
    press("Backspace")
    picker.python("None of 0")
    assert notebook.page.locator(".jp-Cell").count() == cells and not notebook.errors


def test_a_finger_draws_several_boxes(open_notebook):
    notebook, picker = opened(open_notebook, "touch", several=True, touch=True)
    picker.stage.scroll_into_view_if_needed()
    devtools = notebook.page.context.new_cdp_session(notebook.page)
    for start, end, count in [((50, 50), (150, 150), 1), ((300, 200), (500, 400), 2)]:
        ways = [[start[i] + (end[i] - start[i]) * t for i in (0, 1)] for t in (0, 0.5, 1)]
        points = [dict(zip("xy", picker.on_screen(*way), strict=True)) for way in ways]
        devtools.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points[:1]})
        for point in points[1:]:
            devtools.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
        devtools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        assert picker.box(of=count) == pytest.approx([*start, *end], abs=3)
    notebook.shoot("region_picker-several", (800,))


def test_hover_tells_label_and_score(open_notebook):
    notebook, picker = opened(open_notebook, "hover")
    notebook.page.mouse.move(*picker.on_screen(200, 150))
    notebook.see(notebook.page.locator(".fnb-region-said", has_text="temple 0.90"))
    picker.python("hovered 1")  # the tree is larger and lies below
    notebook.page.mouse.move(*picker.on_screen(450, 300))
    notebook.see(notebook.page.locator(".fnb-region-said", has_text="tree 0.90"))
    notebook.shoot("region_picker-hover", (800,))
    notebook.page.mouse.move(5, 5)
    picker.python("hovered -1")
    assert picker.stage.get_attribute("aria-label").startswith("Picture of 640 by 427 pixels")
