"""Every lesson runs in Colab's versions with only the wheel that its set-up cell installs, which changes no
other package.
"""

import os
from pathlib import Path

import pytest
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook

from tests.notebooks.execution import LESSONS, stderr_of
from tests.notebooks.lint import VERSION

from .machine import Machine, build_wheel, make_environment, read_unexecuted

SET_UP = f"""import sys

if "google.colab" in sys.modules:
    %pip install -q "florence-nb=={VERSION}"
"""
PROBE = """import florence_nb, ipywidgets, pathlib, anywidget

assert ipywidgets.__version__ == "7.7.1"
assert pathlib.Path(florence_nb.__file__).is_relative_to(sys.prefix), florence_nb.__file__
assert list(pathlib.Path(".").iterdir()) == []
class Probe(anywidget.AnyWidget):
    _esm = "export default { render() {} }"
Probe()"""


@pytest.fixture(scope="session")
def machine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("colab")
    kept = os.environ.get("COLAB_VENV")
    environment = Path(kept).resolve() if kept else folder / "environment"
    return Machine(make_environment(environment), build_wheel(folder))


@pytest.fixture
def empty_folder(machine, tmp_path):
    machine.forget_the_package()
    (tmp_path / "content").mkdir()
    return tmp_path / "content"


def test_the_set_up_cell_installs_the_wheel_and_nothing_else(machine, empty_folder):
    before = machine.packages()
    calls = machine.run_notebook(
        new_notebook(cells=[new_code_cell(SET_UP), new_code_cell(PROBE)]), empty_folder
    )
    assert machine.packages() == before | {"florence-nb": VERSION}
    assert "output.enable_custom_widget_manager" in [each["call"] for each in calls]


def test_a_lesson_that_needs_the_repository_fails(machine, empty_folder):
    notebook = new_notebook(cells=[new_code_cell(SET_UP), new_code_cell("open('../pyproject.toml')")])
    with pytest.raises(CellExecutionError, match="FileNotFoundError"):
        machine.run_notebook(notebook, empty_folder)


def test_there_are_lessons():
    assert LESSONS


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_runs_in_colab(machine, empty_folder, path):
    notebook = read_unexecuted(path)
    machine.run_notebook(notebook, empty_folder)
    noise = {index: text for index, cell in enumerate(notebook.cells) if (text := stderr_of(cell))}
    assert noise == {}
