"""check(): a row for everything, advice wherever something is to do, and no exception whatever the machine
looks like.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.metadata
import socket
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from florence_nb.check import EXTRA, EXTRAS, NEEDED, OK, TODO, Report, Row, _manager_row, _numbers
from florence_nb.errors import CheckpointError

# The package's `check` is the function, so the module of the same name is taken from the import system.
module = importlib.import_module("florence_nb.check")


@pytest.fixture(scope="module")
def report() -> Report:
    return module.check()


def by_name(report: Report) -> dict[str, Row]:
    return {row.name: row for row in report.rows}


def test_every_thing_of_the_card_has_a_row(report):
    names = by_name(report)
    wanted = "Python transformers torch pillow requests ipywidgets device flash-attn timm einops disk"
    assert set(wanted.split()) <= set(names) and len(names) == len(report.rows)
    assert {f"checkpoint {name}" for name in ("mini", "base", "base-ft", "large", "large-ft")} <= set(names)
    assert {row.state for row in report.rows} <= {OK, TODO, EXTRA}
    assert all(row.found for row in report.rows)
    assert all(row.advice for row in report.rows if row.state != OK)


def test_this_environment_is_in_order(report):
    names = by_name(report)
    for name in ("Python", "transformers", "torch", "Florence-2 class", "device", "widgets manager"):
        assert names[name].state == OK, names[name]


def test_the_package_gives_the_function():
    import florence_nb

    assert callable(florence_nb.check)


def test_lowest_versions_agree_with_the_package():
    required = [
        Requirement(line)
        for line in importlib.metadata.requires("florence-nb") or []
        if "extra ==" not in line
    ]
    lowest = {r.name: s.version for r in required for s in r.specifier if s.operator == ">="}
    assert lowest, "no requirements were read"
    assert NEEDED == {name: lowest.get(name) for name in NEEDED}
    assert set(lowest) - set(NEEDED) <= {"tqdm", "safetensors", "huggingface-hub"}


@pytest.mark.parametrize(
    "text, numbers", [("2.13.0+cpu", (2, 13, 0)), ("5.0rc1", (5, 0)), ("10", (10,)), ("odd", ())]
)
def test_numbers(text, numbers):
    assert _numbers(text) == numbers


# ---- the page


def test_text_lines_up_and_counts_what_is_to_do():
    python, timm = Row("Python", OK, "3.11.7"), Row("timm", EXTRA, "absent", "not needed")
    rows = (python, Row("transformers", TODO, "4.49.0", "pip install it"), timm)
    report = Report(rows)
    assert not report.ok and str(report) == repr(report)
    assert str(report).splitlines() == [
        "1 thing is to do (marked “to do”).",
        "",
        "ok     Python        3.11.7",
        "to do  transformers  4.49.0",
        "                     -> pip install it",
        "extra  timm          absent",
        "                     -> not needed",
    ]
    assert Report(rows[::2]).ok and "is here" in str(Report(rows[::2]))


def test_html_is_a_closed_table_and_escapes():
    class Tags(HTMLParser):
        open_tags: list[str] = []
        words = ""

        def handle_starttag(self, tag, attrs):
            if tag != "br":
                self.open_tags.append(tag)

        def handle_endtag(self, tag):
            assert self.open_tags.pop() == tag

        def handle_data(self, data):
            self.words += data

    page = Tags()
    page.feed(Report((Row("a & b", TODO, "<cuda>", 'pip install "x>=1"'),))._repr_html_())
    assert (
        page.open_tags == [] and "a & b" in page.words and "<cuda>" in page.words and '"x>=1"' in page.words
    )


# ---- machines that are not in order


def pretend(monkeypatch, **versions: str | None) -> None:
    real = module._version
    monkeypatch.setattr(
        module, "_version", lambda package: versions.get(package.replace("-", "_"), real(package))
    )


def test_old_and_absent_packages(monkeypatch):
    pretend(monkeypatch, transformers="4.49.0", requests=None)
    rows = {row.name: row for row in module._packages()}
    assert (
        rows["transformers"].state == TODO
        and 'pip install "transformers>=5.13"' in rows["transformers"].advice
    )
    assert "restart the kernel" in rows["transformers"].advice
    assert (rows["requests"].state, rows["requests"].found) == (TODO, "not installed")
    assert rows["torch"].state == OK


def test_a_broken_neighbour_names_torchvision(monkeypatch):
    def broken(name):
        raise RuntimeError("operator torchvision::nms does not exist\nmore lines")

    monkeypatch.setattr(module.importlib, "import_module", broken)
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: object())
    (row,) = module._model_class()
    assert row.state == TODO and "pip uninstall torchvision" in row.advice and "more lines" not in row.found
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    (row,) = module._model_class()
    assert "pip install" in row.advice


def test_torch_that_cannot_be_imported(monkeypatch):
    real = builtins.__import__

    def without_torch(name, *rest):
        if name == "torch":
            raise OSError("libcudart.so.12: cannot open shared object file")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_torch)
    (row,) = module._device()
    assert row.state == TODO and "OSError" in row.found


def test_devices(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(
        torch.cuda,
        "get_device_properties",
        lambda _: type("P", (), {"name": "Big Card", "total_memory": 80e9})(),
    )
    assert [row.found for row in module._device()] == ["cuda: Big Card, 80 GB"]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert "mps" in next(module._device()).found
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert next(module._device()).found.startswith("cpu: ")


@pytest.mark.parametrize(
    "widgets, manager, state, words",
    [
        ("8.1.9", "3.0.17", OK, "fits"),
        ("7.7.1", "1.1.7", OK, "fits"),
        ("8.1.9", "1.1.7", TODO, "jupyterlab_widgets==3.*"),
        ("7.7.1", None, TODO, "jupyterlab_widgets==1.*"),
        ("9.0.0", "4.0", TODO, "ipywidgets<9"),
    ],
)
def test_widgets_manager(widgets, manager, state, words):
    row = _manager_row(widgets, manager)
    assert row.state == state and words in row.found + row.advice


def test_colab(monkeypatch):
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab")
    (row,) = module._widgets()
    assert row.state == OK and "enable_custom_widget_manager" in row.advice


def test_a_full_disk(monkeypatch):
    monkeypatch.setattr(module.shutil, "disk_usage", lambda folder: type("D", (), {"free": 10e6})())
    (row,) = module._disk()
    assert row.state == EXTRA and "HF_HOME" in row.advice


def test_checkpoints_in_and_out_of_the_cache(monkeypatch):
    from florence_nb import checkpoints

    def find(name, **settings):
        assert settings == {"local_files_only": True, "quiet": True}
        if name == "large":
            return Path("cache")
        raise CheckpointError("not here")

    monkeypatch.setattr(checkpoints, "find", find)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    rows = {row.name: row for row in module._checkpoints()}
    assert rows["checkpoint large"].state == OK
    assert (
        rows["checkpoint base"].state == EXTRA and "florence-nb fetch base" in rows["checkpoint base"].advice
    )
    assert rows["checkpoint mini"].state == TODO
    assert "HF_HUB_OFFLINE" in rows["network"].found


def test_no_network_is_used(monkeypatch):
    def refuse(*_):
        raise AssertionError("check() opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    module.check()


def test_importing_it_is_cheap():
    code = (
        "import sys, florence_nb.check; print([m for m in ('torch', 'transformers', 'numpy', 'PIL') if m in"
        " sys.modules])"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )


def test_extras_are_never_a_duty():
    assert set(EXTRAS) == {"flash-attn", "timm", "einops"}
    assert all(row.state == EXTRA for row in module._extras())
