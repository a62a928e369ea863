"""The comparison passes an unchanged notebook and fails each cell whose code has changed its answer: a gate
that can close.
"""

import os
import re
import subprocess
import sys

import pytest

from .execution import ROOT
from .pictures import difference, encode, open_picture, picture_data
from .sample import CELLS, NOISE, executed, index_of, write

CHANGES = {
    "text": "print('twice is', 2 * 4)",
    "value": "round(0.1 + 0.3, 3)",
    "picture": CELLS["picture"].replace("100:300", "300:500"),
    "noise": NOISE.replace("SEED", "2"),
    "twin": "import sys\nprint('twice is', 2 * 3)\nprint('a warning', file=sys.stderr)",
    "moved": "slider.value = 6\nprint(shown.value)",
    "error": "int('four')",
}


def compare(path):
    """{name of the sample's cell: "PASSED" or "FAILED"} of an nbval run of that notebook, and all that it
    printed.
    """
    flags = ["-p", "tests.notebooks.harness", "--nbval", "--nbval-sanitize-with=tests/notebooks/sanitize.cfg"]
    command = [sys.executable, "-m", "pytest", "-rA", "--color=no", *flags, str(path)]
    # With CI set, pytest writes each failure a second time into its summary.
    quiet = {name: value for name, value in os.environ.items() if name not in ("CI", "BUILD_NUMBER")}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=quiet)
    found = re.findall(r"^(PASSED|FAILED) .*::Cell (\d+)", done.stdout, flags=re.MULTILINE)
    return {list(CELLS)[int(number)]: outcome for outcome, number in found}, done.stdout


def test_an_unchanged_notebook_passes_widgets_and_all(tmp_path):
    outcomes, text = compare(write(executed(), tmp_path))
    assert outcomes == dict.fromkeys(CELLS, "PASSED"), text


def test_each_changed_answer_fails_and_nothing_else(tmp_path):
    notebook = executed()
    for name, source in CHANGES.items():
        notebook.cells[index_of(name)].source = source
    notebook.cells[index_of("address")].execution_count = None
    outcomes, text = compare(write(notebook, tmp_path))
    # The slider stands at 6 instead of 7, so what is printed after it changes as well.
    assert {name for name, outcome in outcomes.items() if outcome == "FAILED"} == {
        *CHANGES,
        "again",
        "interact",
        "address",
    }, text
    assert len(outcomes) == len(CELLS)
    assert len(re.findall(r"the pictures differ \(rms", text)) == 2
    assert "Cell wrote to stderr" in text and "a warning" in text


@pytest.mark.parametrize("name", ["picture", "noise"])
def test_a_stored_picture_is_small_and_still_the_same(name):
    content = picture_data(executed().cells[index_of(name)].outputs[0])
    assert open_picture(content).width <= 480
    kind, again = encode(content)
    assert kind in ("image/png", "image/jpeg")
    assert difference(content, again) is None


def test_another_shape_is_another_picture():
    cells = executed().cells
    wide, tall = (picture_data(cells[index_of(name)].outputs[0]) for name in ("picture", "noise"))
    assert "480x96" in difference(wide, tall)
