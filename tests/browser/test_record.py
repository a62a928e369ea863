"""Answers of a record in a real JupyterLab: on pages, and in the playground."""

from __future__ import annotations

import re

SHEET = """
import florence_nb as fnb
real = fnb.load("recorded", quiet=True)
fnb.show_all([real.run_example(task, real.pictures["car"], text) for task, text in real.questions("car")])
"""
READY = "print('rea' + 'dy')"


def test_real_answers_and_the_playground_of_a_record(open_notebook):
    notebook = open_notebook("record", [SHEET, "fnb.playground(real)", READY])
    notebook.run_all(until="ready")
    page = notebook.page
    notebook.see(page.locator(".fnb img[alt*='car, door handle, wheel, wheel']"))
    notebook.shoot("record", (1280,))
    page.locator("button:text-is('find words')").click()
    menu = page.locator(".widget-dropdown", has_text="task").locator("select")
    menu.select_option(label="open-vocabulary detection")
    page.locator(".widget-dropdown", has_text="recorded").locator("select").select_option(label="wheels")
    notebook.see(page.locator(".fnb img[alt*='wheels, wheels, wheels']"))
    page.get_by_label("words").fill("a dog")
    page.get_by_label("words").press("Enter")
    said = notebook.see(page.locator(".fnb .trouble", has_text=re.compile("was not recorded")))
    assert "recorded are 'car', 'wheels'" in said.inner_text()
    notebook.shoot("record-not-asked", (1280, 800))
    notebook.dark()
    notebook.shoot("record-dark", (1280,))
    assert not notebook.errors
