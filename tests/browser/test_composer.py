"""The scene composer in JupyterLab: a slider is moved, and the answer follows."""

import re

import pytest

from tests.conftest import ROOT

KNOWING = """
from tests.test_composer import *
composer = KnowingComposer(Knower(), composer_model.first_scene(), tuple(composer_model.ASKED))
composer
"""
REAL = "import florence_nb as fnb\ncomposer = fnb.scene_composer(fnb.load('mini'))\ncomposer"
SPY = """
import ipywidgets
spy = ipywidgets.HTML()
def tell(_=None):
    boxes = composer.comparisons[0]
    said, true = (dict(zip(told.labels, told.boxes.round().tolist())) for told in (boxes.answer, boxes.truth))
    spy.value = f"<span class='spy'>{said.get('tree')} {true['tree']}</span>"
composer.result.observe(tell, "value")
tell()
display(spy)
print("all", "done")
"""


def numbers(page):
    """The box of the tree: x1, y1, x2, y2 of the model, then of the truth."""
    return [float(n) for n in re.findall(r"[\d.]+", page.locator(".spy").inner_text())]


def move_tree(notebook):
    page, before = notebook.page, numbers(notebook.page)
    slider = page.get_by_role("slider").first
    slider.focus()
    was = page.locator(".spy").inner_text()
    for _ in range(3):
        slider.press("PageDown")
        was = notebook.change(page.locator(".spy"), was)
    notebook.until(notebook.is_idle, "an idle kernel")
    after = numbers(page)
    assert after[4] < before[4] - 20
    assert max(abs(a - b) for a, b in zip(after[:4], after[4:])) <= 10


def test_the_box_follows_a_slider(open_notebook, with_tests):
    notebook = open_notebook("composer", [with_tests + KNOWING, SPY])
    notebook.run_all(until="all done")
    notebook.shoot("composer")
    move_tree(notebook)
    page = notebook.page
    page.get_by_label("thing", exact=True).select_option(label="yellow sign “CAFE”")
    notebook.see(page.locator("td", has_text="yellow sign"))
    words = page.get_by_label("words", exact=True)
    notebook.until(lambda: words.input_value() == "CAFE", "the words of the sign")
    words.fill("?!")
    words.press("Enter")
    notebook.see(page.get_by_role("alert").filter(has_text="A sign cannot say"))
    words.fill("tea room")
    words.press("Enter")
    notebook.see(page.locator("td", has_text="TEA ROOM"))
    page.get_by_role("button", name="Add", exact=True).click()
    notebook.see(page.locator("td", has_text="house"))
    notebook.shoot("composer-changed")
    notebook.dark()
    notebook.shoot("composer-dark", [800])
    assert not notebook.errors


def test_the_box_of_mini_follows_within_10_px(open_notebook):
    if not (ROOT / "florence_nb" / "mini" / "model.safetensors").is_file():
        pytest.skip("the embedded checkpoint is not here")
    notebook = open_notebook("composer-mini", [REAL, SPY])
    notebook.run_all(until="all done")
    notebook.shoot("composer-mini")
    move_tree(notebook)
