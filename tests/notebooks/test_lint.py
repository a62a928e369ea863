"""Every rule of lint.py rejects a notebook that was spoiled for it, and the unspoiled one breaks none."""

import base64
import io
import json
import re

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from .lint import GUIDES, RULES, SET_UP, VERSION, check, main
from .pictures import put_title_picture
from .sample import executed, index_of, write

DATA = "data:image/png;base64,iVBORw0KGgo="


def cell(notebook, name):
    return notebook.cells[index_of(name)]


def add_output(notebook, *args, **kwargs):
    cell(notebook, "text").outputs.append(new_output(*args, **kwargs))


def png(width, height=10):
    """A picture that PNG cannot shrink."""
    made = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)).save(made, "PNG")
    return base64.b64encode(made.getvalue()).decode()


def no_execution_count(notebook):
    cell(notebook, "text").execution_count = None


def out_of_order(notebook):
    cell(notebook, "text").execution_count, cell(notebook, "value").execution_count = 3, 2


def wide_picture(notebook):
    add_output(notebook, "display_data", data={"image/png": png(481), "text/plain": "picture"})


def heavy_picture(notebook):
    add_output(notebook, "display_data", data={"image/png": png(300, 300), "text/plain": "picture"})


def no_title(notebook):
    notebook.cells[0].source = notebook.cells[0].source.replace("# Try", "Try")


def badge_of_another(notebook):
    badge = "[Open in Colab](https://colab.example/01_sample.ipynb)\n<!-- /address -->"
    notebook.cells[0].source = notebook.cells[0].source.replace("<!-- /address -->", badge)


def no_place_for_the_badge(notebook):
    notebook.cells[0].source = notebook.cells[0].source.replace("<!-- /address -->\n", "")


def another_version(notebook):
    cell(notebook, "set-up").source = SET_UP.replace(f"florence_nb-{VERSION}-", "florence_nb-9.0-")


def other_title_picture(notebook):
    content = base64.b64decode(png(600, 120))
    notebook.cells[0].source = put_title_picture(notebook.cells[0].source, "image/png", content)


def title_without(notebook, pattern):
    notebook.cells[0].source = re.sub(pattern, "", notebook.cells[0].source)


def add_line(notebook, line):
    cell(notebook, "text").source = f"{line}\n{cell(notebook, 'text').source}"


def nothing_compared(notebook):
    for each in notebook.cells[1:-1]:
        each.metadata.tags = sorted(
            {*each.metadata.get("tags", []), "nbval-ignore-output", "raises-exception"}
        )


def add_prose(notebook, text):
    notebook.cells[-1].source += text


def no_twin(notebook):
    cell(notebook, "twin").outputs = []


SPOILED = [
    ("format", lambda nb: nb.cells[1].update(colour="red")),
    (
        "widget-state",
        lambda nb: nb.metadata.update(widgets={"application/vnd.jupyter.widget-state+json": {}}),
    ),
    ("executed", no_execution_count),
    ("executed", out_of_order),
    ("stderr", lambda nb: add_output(nb, "stream", name="stderr", text="UserWarning: late\n")),
    ("error", lambda nb: cell(nb, "error").metadata.update(tags=[])),
    ("picture-size", wide_picture),
    ("picture-size", heavy_picture),
    ("file-size", lambda nb: add_output(nb, "stream", name="stdout", text="x" * 400_000)),
    ("title", no_title),
    ("title", badge_of_another),
    ("title", no_place_for_the_badge),
    ("preview", lambda nb: title_without(nb, r"!\[.*")),
    ("preview", lambda nb: nb.cells[0].update(source=nb.cells[0].source * 2)),
    ("preview", other_title_picture),
    ("set-up", another_version),
    ("compared", nothing_compared),
    ("skipped", lambda nb: cell(nb, "text").metadata.update(tags=["nbval-skip"])),
    ("semicolon", lambda nb: cell(nb, "text").update(source="2 * 3;")),
    ("plain-twin", no_twin),
    ("public-door", lambda nb: add_line(nb, "from florence_nb.scenes.gallery import GALLERY")),
    ("public-door", lambda nb: add_line(nb, "import florence_nb.tasks as tasks")),
    (
        "machine-path",
        lambda nb: add_output(nb, "stream", name="stdout", text="saved to /home/ada/answers.jsonl\n"),
    ),
    ("alt-text", lambda nb: nb.cells[-1].update(source=f"![]({DATA}) exercise, you can now")),
    ("picture-inside", lambda nb: nb.cells[-1].update(attachments={"slider": {"image/png": png(9)}})),
    ("picture-inside", lambda nb: add_prose(nb, "![a slider](slider.png)")),
    ("picture-inside", lambda nb: add_prose(nb, "[![a badge](https://badge.example/a.svg)](colab.html)")),
    ("picture-inside", lambda nb: add_prose(nb, "<img alt='a bar' src='https://badge.example/a.png'>")),
]


def broken_rules(path):
    return {finding.rule for finding in check(path) if finding.is_error}


def test_the_unspoiled_notebook_breaks_no_rule(tmp_path):
    assert broken_rules(write(executed(), tmp_path)) == set()


@pytest.mark.filterwarnings("ignore:.*:UserWarning", "ignore:.*:FutureWarning")
@pytest.mark.parametrize(
    ("rule", "spoil"), SPOILED, ids=[f"{rule}-{number}" for number, (rule, _) in enumerate(SPOILED)]
)
def test_a_spoiled_notebook_is_rejected_for_its_fault_alone(tmp_path, rule, spoil):
    notebook = executed()
    path = write(notebook, tmp_path)
    spoil(notebook)
    path.write_text(json.dumps(notebook), encoding="utf-8")
    assert broken_rules(path) == {rule}


def test_every_rule_has_a_spoiled_notebook():
    assert {rule for rule, _ in SPOILED} == set(RULES)


def test_guides_advise_and_do_not_reject(tmp_path):
    advice = [finding for finding in check(write(executed(), tmp_path)) if not finding.is_error]
    assert {finding.rule for finding in advice} == {"length", "value-widgets"}
    assert {finding.rule for finding in advice} <= set(GUIDES)


def kiosk(folder, *sources, title="# Play"):
    cells = [new_code_cell(source, execution_count=n) for n, source in enumerate(sources, start=1)]
    (folder / "kiosk").mkdir()
    path = folder / "kiosk" / "play.ipynb"
    nbformat.write(new_notebook(cells=[new_markdown_cell(title), *cells]), path)
    return [finding.rule for finding in check(path)]


def test_a_kiosk_need_not_teach(tmp_path):
    assert kiosk(tmp_path, "import florence_nb as fnb\nfnb.playground(fnb.load('mini', quiet=True))") == []


@pytest.mark.parametrize(
    "sources, title",
    [
        (["fnb.playground(florence)", "1"], "# Play"),
        (["panel = 1\npanel"], "# Play"),
        (["fnb.playground(florence)"], "Play"),
        (["fnb.playground(florence)"], "# A title that needs two lines on a telephone"),
    ],
)
def test_a_kiosk_is_the_panel_alone(tmp_path, sources, title):
    assert kiosk(tmp_path, *sources, title=title) == ["kiosk"]


def test_the_command_fails_for_a_spoiled_notebook(tmp_path, capsys):
    notebook = executed()
    assert main([str(write(notebook, tmp_path))]) == 0
    no_execution_count(notebook)
    assert main([str(write(notebook, tmp_path))]) == 1
    assert "error [executed] in cell 3" in capsys.readouterr().out
