"""A cell's time is what its kernel worked: a slow machine is no reason to stop it, a loop without end is."""

import pytest
from nbclient.exceptions import CellTimeoutError
from nbformat.v4 import new_code_cell, new_notebook

from .execution import client_for

WORK = """
import time

def work(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
"""
SLOW = WORK + "for _ in range(8):\n    work(0.1)\n    time.sleep(0.7)\nprint('done')"


def run(source, folder, timeout):
    notebook = new_notebook(cells=[new_code_cell(source)])
    return client_for(notebook, folder, timeout=timeout).execute(cwd=str(folder)).cells[0]


def test_a_cell_that_comes_along_slowly_is_waited_for(tmp_path):
    assert run(SLOW, tmp_path, timeout=2).outputs[0].text == "done\n"


@pytest.mark.parametrize("source", [WORK + "work(10_000)", "import time; time.sleep(10_000)"])
def test_a_cell_that_works_too_long_or_does_nothing_is_not(tmp_path, source):
    with pytest.raises(CellTimeoutError):
        run(source, tmp_path, timeout=2)
