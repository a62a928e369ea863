"""The playground in a real JupyterLab, with a model that says what the test wants."""

from __future__ import annotations

import re

import pytest
from PIL import Image

MODEL = """
import time
from florence_nb import Florence, playground
from tests import tiny

SAYS = {
    "<OD>": "tower<loc_120><loc_60><loc_560><loc_900>tree<loc_600><loc_300><loc_950><loc_900></s>",
    "<CAPTION>": "a tower above a lake</s>",
    "<MORE_DETAILED_CAPTION>": "very " * 28 + "long</s>",
    "<REGION_TO_CATEGORY>": "tower</s>",
    "<REFERRING_EXPRESSION_SEGMENTATION>": "<loc_200><loc_200><loc_800><loc_250><loc_500><loc_900></s>",
}

class Slow(tiny.Script):
    def __call__(self, input_ids, scores):
        time.sleep(0.4)
        return super().__call__(input_ids, scores)

class Scripted(Florence):
    def run_example(self, task, *asked, **settings):
        kind = Slow if task == "<MORE_DETAILED_CAPTION>" else tiny.Script
        script = kind(self.processor.tokenizer, SAYS.get(task, "car<loc_1><loc_1><loc_300><loc_300></s>"))
        answer = super().run_example(task, *asked, **settings, logits_processor=[script])
        answer.settings.pop("logits_processor")
        return answer

processor = tiny.processor()
florence = Scripted(tiny.model(processor.tokenizer), processor, "tiny")
"""
PANEL = "panel = playground(florence, 'china')\npanel"
READY = "print('rea' + 'dy')"


class Panel:
    def __init__(self, notebook) -> None:
        self.notebook, self.page = notebook, notebook.page
        self.says("Done")

    def says(self, words: str):
        return self.notebook.see(self.page.locator(".fnb p", has_text=re.compile(words)))

    def slider(self, name: str):
        return self.page.locator(".widget-slider", has_text=name).locator(".noUi-handle")

    def choose(self, label: str, option: str) -> None:
        menu = self.page.locator(".widget-dropdown", has_text=label).locator("select")
        wanted = menu.locator("option", has_text=option).first
        self.notebook.until(wanted.count, f"the option {option!r}")
        menu.select_option(label=wanted.inner_text())

    def button(self, name: str):
        return self.page.locator(f"button:text-is('{name}')").first

    def call(self) -> str:
        return self.page.locator(".fnb pre.call").inner_text()


@pytest.fixture
def opened(open_notebook, with_tests):
    def run(name: str):
        notebook = open_notebook(name, [with_tests + MODEL, PANEL, READY])
        notebook.run_all(until="ready")
        return notebook, Panel(notebook)

    return run


def test_sliders_history_and_comparison(opened):
    notebook, panel = opened("playground")
    notebook.shoot("playground")
    panel.slider("num_beams").focus()
    notebook.page.keyboard.press("ArrowRight")
    notebook.see(panel.page.locator(".fnb pre.call", has_text="num_beams=4"))
    notebook.see(panel.page.locator("button:text-is('compare')").nth(1))
    notebook.page.keyboard.press("ArrowLeft")
    panel.says("Cached answer")
    panel.choose("task", "dense region caption")
    notebook.see(panel.page.locator("button:text-is('compare')").nth(2))
    for number in (0, 1):
        panel.page.locator("button:text-is('compare')").nth(number).click()
    notebook.see(panel.page.locator(".fnb h4:text-is('Answer 1 and answer 2')"))
    assert "num_beams" in panel.page.locator(".fnb table").inner_text()
    notebook.shoot("playground-comparison")
    notebook.dark()
    notebook.shoot("playground-dark", (1280,))
    assert not notebook.errors


def test_words_region_stop_and_a_file(opened, tmp_path):
    notebook, panel = opened("playground_inputs")
    page = notebook.page
    panel.button("outline").click()
    panel.says("Type what to look for first")
    assert panel.button("Ask").is_disabled()
    page.get_by_label("words").fill("the tower")
    page.get_by_label("words").press("Enter")
    panel.says("Done")
    assert "'the tower'" in panel.call()
    notebook.shoot("playground-words", (800,))

    panel.button("ask about a region").click()
    panel.choose("task", "region to category")
    notebook.see(page.locator(".fnb img[alt='Answer to <REGION_TO_CATEGORY>: tower']"))
    first = panel.call()
    stage = page.locator(".fnb-region")
    stage.scroll_into_view_if_needed()
    at = stage.bounding_box()
    page.mouse.move(at["x"] + 10, at["y"] + 10)
    page.mouse.down()
    page.mouse.move(at["x"] + 100, at["y"] + 200, steps=5)
    page.mouse.up()
    notebook.see(page.locator("button:text-is('compare')").nth(3))
    assert panel.call() != first and stage.locator(".box").count() == 1
    notebook.shoot("playground-region")

    panel.button("describe").click()
    panel.choose("task", "more detailed")
    panel.says(r"Writing: \d+ tokens so far")
    notebook.shoot("playground-running", (800,))
    panel.button("Stop").click()
    panel.says("Stopped")
    notebook.see(page.locator(".fnb pre", has_text="You stopped this answer"))

    panel.choose("picture", "a file of yours")
    large = Image.effect_noise((3600, 3600), 90)
    large.save(tmp_path / "large.png")
    assert 10 * 2**20 < (tmp_path / "large.png").stat().st_size < 20 * 2**20
    (tmp_path / "notes.png").write_text("no picture")
    (tmp_path / "huge.png").write_bytes(bytes(21 * 2**20))
    for name, words in [
        ("notes", "notes.png is not an image"),
        ("huge", "huge.png has 21.0 MB"),
        ("large", "Looking|Done"),
    ]:
        with page.expect_file_chooser() as chooser:
            page.locator("button", has_text="Choose a picture").click()
        chooser.value.set_files(tmp_path / f"{name}.png")
        panel.says(words)
    notebook.see(page.locator(".fnb pre.call", has_text="large.png"))
    panel.choose("picture", "the webcam")
    panel.button("Start the webcam").click()
    panel.button("Take the picture").click()
    notebook.see(page.locator(".fnb pre.call", has_text="webcam.jpg"))
    panel.choose("task", "detailed caption")
    notebook.shoot("playground-webcam", (800,))
    assert not notebook.errors
