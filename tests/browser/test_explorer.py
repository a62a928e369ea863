"""The token explorer in JupyterLab: a token is chosen by click and by key, and its map is shown."""

ANSWER = """
from tests import tiny
from tests.test_explorer import RAW, SCENE
from florence_nb.florence import Florence
from florence_nb.widgets.explorer import explore
processor = tiny.processor()
florence = Florence(tiny.model(processor.tokenizer), processor, "tiny")
script = [tiny.Script(processor.tokenizer, RAW)]
answer = florence.run_example("<OD>", SCENE.image, num_beams=1, logits_processor=script)
explore(answer)
"""
PICTURE = ".fnb img[alt*='where the decoder looked']"


def test_a_token_shows_its_map(open_notebook, with_tests):
    notebook = open_notebook("explorer", [with_tests + ANSWER, "print('all', 'done')"])
    notebook.run_all(until="all done")
    page = notebook.page
    page.locator(".fnb-chips .chip.place").nth(2).click()
    notebook.see(page.get_by_text("x = 230.6 px"))
    before = page.locator(PICTURE).get_attribute("src")
    notebook.shoot("explorer")
    page.locator(".fnb-chips").press("ArrowRight")
    notebook.see(page.get_by_text("y = 230.5 px"))
    notebook.until(lambda: page.locator(PICTURE).get_attribute("src") != before, "another map")
    assert page.locator(".fnb-chips [aria-selected=true]").inner_text() == "<loc_800>"
    notebook.dark()
    notebook.shoot("explorer-dark", [800])
    assert not notebook.errors
