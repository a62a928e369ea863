"""check(): a row for everything, advice wherever something is to do, and no exception whatever the machine
looks like.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.metadata
import os
import socket
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from florence_nb.check import EXTRA, EXTRAS, OK, TODO, Report, Row, _allowed, _manager_row, _numbers
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
    wanted = (
        "Python transformers torch pillow requests ipywidgets tqdm safetensors device flash-attn timm einops"
    )
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
    needed = module.needed()
    assert set(needed) == set(lowest) >= {"safetensors", "tqdm", "transformers", "torch"}
    assert all(f">={lowest[name]}" in versions for name, versions in needed.items())


def test_a_clone_that_was_never_installed_and_no_clone(monkeypatch, tmp_path):
    pytest.importorskip("tomllib")

    def absent(_):
        raise importlib.metadata.PackageNotFoundError("florence-nb")

    installed = module.needed()
    monkeypatch.setattr(module.importlib.metadata, "requires", absent)
    if (Path(module.__file__).parents[1] / "pyproject.toml").is_file():
        assert {name: set(v.split(",")) for name, v in module.needed().items()} == {
            name: set(v.split(",")) for name, v in installed.items()
        }
    monkeypatch.setattr(module, "__file__", str(tmp_path / "florence_nb" / "check.py"))
    (row,) = module._packages()
    assert row.name == "florence-nb" and "not installed" in row.found and "pip install" in row.advice


@pytest.mark.parametrize(
    "version, versions, allowed",
    [
        ("2.6.0", ">=2.6", True),
        ("2.5.9", ">=2.6", False),
        ("8.1.9", "<9,>=7.7", True),
        ("9.0", "<9,>=7.7", False),
        ("7.6", "<9,>=7.7", False),
        ("1.0", "", True),
        ("odd", ">=1", False),
    ],
)
def test_allowed(version, versions, allowed):
    assert _allowed(version, versions) is allowed


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
    pretend(monkeypatch, transformers="4.49.0", requests=None, safetensors="0.7.0", ipywidgets="9.1")
    rows = {row.name: row for row in module._packages()}
    assert (
        rows["transformers"].state == TODO
        and 'pip install "transformers>=5.13"' in rows["transformers"].advice
    )
    assert "restart the kernel" in rows["transformers"].advice
    assert (rows["requests"].state, rows["requests"].found) == (TODO, "not installed")
    assert rows["torch"].state == OK
    assert rows["safetensors"].state == TODO and "safetensors>=" in rows["safetensors"].advice
    assert rows["ipywidgets"].state == TODO and "<9" in rows["ipywidgets"].advice


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


# ---- check() never raises


STEPS = ["_python", "_packages", "_model_class", "_device", "_widgets", "_extras", "_disk", "_checkpoints"]


class Panic(BaseException):
    """What a library in Rust raises when it gives up."""


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    "error", [PermissionError(13, "Permission denied"), SystemExit("bye"), Panic("a\nb")]
)
def test_a_fault_of_any_step_is_a_row(step, error, monkeypatch):
    def broken():
        yield Row("half", OK, "done")
        raise error

    for name in STEPS:
        monkeypatch.setattr(module, name, lambda: iter(()))
    monkeypatch.setattr(module, step, broken)
    report = module.check()
    first, second = report.rows
    assert first.name == "half" and second.state == TODO and not report.ok
    assert type(error).__name__ in second.found and "\n" not in second.found
    assert str(report) and report._repr_html_()


def test_remains_of_an_installation_are_not_installed(monkeypatch):
    def broken(_):
        raise KeyError("Version")

    monkeypatch.setattr(module.importlib.metadata, "version", broken)
    assert all(row.found == "not installed" for row in module._packages())


FAULTS = {
    "no home": """
import os, pwd
os.environ.pop("HOME", None)
def nobody(_): raise KeyError("getpwuid(): uid not found")
pwd.getpwuid = nobody
""",
    "a locked cache": """
import os, tempfile
locked = os.path.join(tempfile.mkdtemp(), "locked")
os.makedirs(locked + "/hf")
os.environ["HF_HOME"] = locked + "/hf"
from florence_nb.cli import main
main(["check"])  # import all that is lazy, while everything can be read
os.chmod(os.path.dirname(locked), 0o755)
os.chmod(locked, 0)
if os.getuid() == 0:
    os.setuid(65534)
""",
    "no disk": """
import shutil
def disk_usage(_): raise OSError(5, "Input/output error")
shutil.disk_usage = disk_usage
""",
    "a hub that cannot be imported": """
import sys
sys.modules["huggingface_hub"] = None
sys.modules["huggingface_hub.constants"] = None
""",
}


@pytest.mark.skipif(sys.platform == "win32", reason="the faults are those of Unix")
@pytest.mark.parametrize("fault", list(FAULTS))
def test_faults_of_a_machine_are_rows(fault):
    # Without torch and transformers the check is quick, and has two faults more to tell.
    quick = "import sys; sys.modules['torch'] = sys.modules['transformers'] = None"
    code = f"{quick}\n{FAULTS[fault]}\nfrom florence_nb.cli import main\nraise SystemExit(main(['check']))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "Traceback" not in ended.stderr and ended.returncode == 1, ended.stderr
    assert "checkpoint mini" in ended.stdout and "disk" in ended.stdout
    if fault == "a locked cache":
        assert "no rights" in ended.stdout and "HF_HOME" in ended.stdout


def test_an_old_console_is_no_fault():
    code = "import sys; sys.modules['torch'] = sys.modules['transformers'] = None;"
    code += "from florence_nb import cli; cli.main(['check'])"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert "Traceback" not in ended.stderr and "checkpoint mini" in ended.stdout
