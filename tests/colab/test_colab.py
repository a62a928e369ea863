"""Every lesson runs in Colab's versions with nothing of the repository beside it, and the set-up cell, the
same in all, ends as it should wherever it is opened. It changes no other package.
"""

import os
import shutil
from pathlib import Path

import pytest
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook

from tests.ci import address
from tests.notebooks.execution import LESSONS, stderr_of, with_few_steps
from tests.notebooks.lint import VERSION

from .machine import (
    Machine,
    build_tools,
    build_wheel,
    make_environment,
    make_repository,
    read_unexecuted,
)

NO_ADDRESS = address.set_up_cell(address.Address(), VERSION)
STAMPED = address.set_up_cell(address.Address("ada/florence", "main"), VERSION)
SENTENCE = f"UsageError: {address.SENTENCE.format(wheel=address.wheel_name(VERSION))}\n"
# IPython says it after every %pip.
NOTE = "Note: you may need to restart the kernel to use updated packages.\n"
PROBE = """import florence_nb, ipywidgets, pathlib, anywidget, sys

assert ipywidgets.__version__ == "7.7.1"
assert pathlib.Path(florence_nb.__file__).is_relative_to(sys.prefix), florence_nb.__file__
class Probe(anywidget.AnyWidget):
    _esm = "export default { render() {} }"
Probe()
florence = florence_nb.load("mini")
print(florence.run_example("<OD>", "street").labels)"""


@pytest.fixture(scope="session")
def machine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("colab")
    kept = os.environ.get("COLAB_VENV")
    environment = Path(kept).resolve() if kept else folder / "environment"
    made = Machine(make_environment(environment), build_wheel(folder), build_tools(folder))
    made.forget_the_package()  # that of an earlier run
    return made


@pytest.fixture
def content(machine, tmp_path):
    """The empty folder where Colab runs a notebook; the package is not installed."""
    machine.forget_the_package()
    (tmp_path / "content").mkdir()
    return tmp_path / "content"


def opened(machine, content, cell):
    """What a set-up cell shows, how the next cell ended (None where it never ran), and the calls of Colab."""
    notebook = new_notebook(cells=[new_code_cell(cell), new_code_cell(PROBE)])
    try:
        calls = machine.run_notebook(notebook, content)
    except CellExecutionError:
        calls = []
    first, second = notebook.cells
    shown = "".join(output.get("text", output.get("evalue", "")) for output in first.outputs)
    return shown, second.outputs if second.execution_count else None, calls


# ---- the worlds of the set-up cell


@pytest.mark.parametrize("cell", [NO_ADDRESS, STAMPED], ids=["no-address", "stamped"])
def test_where_the_package_is_there_nothing_happens(machine, content, cell):
    machine.install_the_package()
    before = machine.packages()
    shown, after, calls = opened(machine, content, cell)
    assert shown == "" and "car" in str(after)
    assert machine.packages() == before
    assert "output.enable_custom_widget_manager" in [each["call"] for each in calls]


@pytest.mark.parametrize("cell", [NO_ADDRESS, STAMPED], ids=["no-address", "stamped"])
def test_a_wheel_beside_the_notebook_is_installed_and_nothing_else(machine, content, cell):
    shutil.copy(machine.wheel, content)
    before = machine.packages()
    shown, after, _ = opened(machine, content, cell)
    assert shown == NOTE and "car" in str(after)
    assert machine.packages() == before | {"florence-nb": VERSION}


@pytest.mark.skipif(not shutil.which("git"), reason="pip needs git to install from a repository")
def test_the_stamped_repository_is_installed_and_nothing_else(machine, content, tmp_path):
    here = STAMPED.replace("https://github.com/ada/florence", make_repository(tmp_path).as_uri())
    assert "git+file://" in here
    before = machine.packages()
    shown, after, _ = opened(machine, content, here)
    assert shown == NOTE and "car" in str(after)
    assert machine.packages() == before | {"florence-nb": VERSION}


def test_with_nothing_one_sentence_stops_the_run(machine, content):
    before = machine.packages()
    assert opened(machine, content, NO_ADDRESS) == (SENTENCE, None, [])
    assert machine.packages() == before


@pytest.mark.parametrize("name", ["florence_nb-0.0.1-py3-none-any.whl", "florence_nb-{} (1).whl"])
def test_a_wheel_of_another_name_is_not_taken(machine, content, name):
    shutil.copy(machine.wheel, content / name.format(VERSION))
    assert opened(machine, content, NO_ADDRESS) == (SENTENCE, None, [])


def test_a_repository_that_cannot_be_reached_ends_in_the_same_sentence(machine, content, tmp_path):
    shown, after, _ = opened(
        machine, content, STAMPED.replace("https://github.com/ada", (tmp_path / "gone").as_uri())
    )
    assert shown.endswith(SENTENCE) and after is None


# ---- the lessons


def test_a_lesson_that_needs_the_repository_fails(machine, content):
    shutil.copy(machine.wheel, content)
    notebook = new_notebook(cells=[new_code_cell(NO_ADDRESS), new_code_cell("open('../pyproject.toml')")])
    with pytest.raises(CellExecutionError, match="FileNotFoundError"):
        machine.run_notebook(notebook, content)


def test_there_are_lessons():
    assert LESSONS


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_runs_in_colab(machine, tmp_path, path):
    machine.install_the_package()  # once: pip leaves alone what is there
    content = tmp_path / "content"
    content.mkdir()
    notebook = with_few_steps(read_unexecuted(path))
    machine.run_notebook(notebook, content)
    noise = {index: text for index, cell in enumerate(notebook.cells) if (text := stderr_of(cell))}
    assert noise == {}
