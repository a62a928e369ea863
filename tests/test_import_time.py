"""`import florence_nb` is quick and brings nothing heavy; the names of the package come when used."""

from __future__ import annotations

import importlib
import json
import statistics
import subprocess
import sys

import pytest

import florence_nb

HEAVY = ("torch", "transformers", "matplotlib", "numpy", "PIL", "requests", "huggingface_hub", "ipywidgets")


def in_new_process(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_it_takes_less_than_half_a_second():
    """In seconds of this process: those of a clock on the wall also count what the machine does besides."""
    code = "import time; t = time.process_time(); import florence_nb; print(time.process_time() - t)"
    assert statistics.median(float(in_new_process(code)) for _ in range(3)) < 0.5


def test_it_imports_nothing_heavy():
    code = (
        f"import sys, json, florence_nb; print(json.dumps([name for name in {HEAVY} if name in sys.modules]))"
    )
    assert json.loads(in_new_process(code)) == []


def test_tables_and_parsing_need_no_torch():
    code = (
        "import sys; from florence_nb import TASKS, parse, to_loc, open_image, CHECKPOINTS, Florence;"
        " print('torch' in sys.modules)"
    )
    assert in_new_process(code).strip() == "False"


@pytest.mark.parametrize("name", florence_nb.__all__)
def test_every_public_name_is_there_and_documented(name):
    value = getattr(florence_nb, name)
    assert name in dir(florence_nb)
    if callable(value):
        assert value.__doc__ and value.__module__.startswith("florence_nb.")


def test_the_names_are_few_and_sorted():
    names = [name for name in florence_nb.__all__ if name not in florence_nb._MODULES]
    assert len(names) <= 32 and florence_nb.__all__ == sorted(
        florence_nb.__all__, key=lambda n: (not n.isupper(), n)
    )


def test_star_import_and_unknown_names():
    assert "CheckpointError" in in_new_process("from florence_nb import *; print(sorted(globals()))")
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        florence_nb.lod  # noqa: B018


def test_check_stays_the_function():
    code = (
        "import florence_nb.check, florence_nb; from florence_nb.check import Report;"
        " print(callable(florence_nb.check))"
    )
    assert in_new_process(code).strip() == "True"


def test_version():
    assert (
        florence_nb.__version__ == importlib.metadata.version("florence-nb")
        if _installed()
        else florence_nb.__version__ == "0.1.0"
    )


def _installed() -> bool:
    try:
        return bool(importlib.metadata.version("florence-nb"))
    except importlib.metadata.PackageNotFoundError:
        return False
