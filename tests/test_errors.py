"""An error made on purpose takes one line in a notebook, and its whole traceback in a script."""

import subprocess
import sys
import traceback

import pytest
from IPython.core.interactiveshell import InteractiveShell

from florence_nb import CheckpointError, InputError, open_image


@pytest.mark.parametrize("kind", [InputError, CheckpointError])
def test_a_notebook_shows_one_line(kind, capsys):
    shell = InteractiveShell.instance()
    shell.user_ns["kind"] = kind
    shell.run_cell("raise kind('There is no file a.png here: check the path.')")
    shown = capsys.readouterr().out
    assert shown.strip().splitlines() == [f"{kind.__name__}: There is no file a.png here: check the path."]


def test_a_script_keeps_the_traceback():
    with pytest.raises(InputError) as caught:
        open_image("nowhere.png")
    text = "".join(traceback.format_exception(caught.value))
    assert "Traceback" in text and "in open_image" in text
    code = "import florence_nb; florence_nb.open_image('nowhere.png')"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "Traceback" in ran.stderr and "InputError: There is no file" in ran.stderr
