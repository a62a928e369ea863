"""Colab's machine, as far as it can be had here: a virtual environment with its versions, and google.colab as
a stub.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tests.notebooks.execution import ROOT, client_for

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements.txt"
SOURCES = ("florence_nb", "notebooks", "workshop", "pyproject.toml", "LICENSE", "README.md")


def run(*command: str | Path, **settings) -> str:
    """Standard output; AssertionError with all output where the command fails."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **settings)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def build_wheel(folder: Path) -> Path:
    """The wheel, built from a copy of the sources: an old build folder beside them would leak into it."""
    copy = folder / "sources"
    copy.mkdir()
    for source in (ROOT / name for name in SOURCES):
        if source.is_dir():
            shutil.copytree(source, copy / source.name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy(source, copy)
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder / "wheels", copy)
    (wheel,) = (folder / "wheels").glob("florence_nb-*.whl")
    return wheel


def make_environment(folder: Path) -> Path:
    """The interpreter of the environment in `folder`, which is made anew unless it was made from the same
    requirements.
    """
    python, stamp = folder / "bin" / "python", folder / "made-from.txt"
    if not stamp.exists() or stamp.read_text() != REQUIREMENTS.read_text():
        run(sys.executable, "-m", "venv", "--clear", folder)
        run(python, "-m", "pip", "install", "--quiet", "-r", REQUIREMENTS)
        stamp.write_text(REQUIREMENTS.read_text())
    packages = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    # Colab has loaded google.colab before the first cell runs.
    Path(packages, "colab_stub.pth").write_text(f"{HERE / 'stub'}\nimport google.colab\n")
    return python


@dataclass(frozen=True)
class Machine:
    python: Path
    wheel: Path

    def packages(self) -> dict[str, str]:
        """{name: version} of all that is installed."""
        listed = json.loads(
            run(self.python, "-m", "pip", "list", "--format=json", "--disable-pip-version-check")
        )
        return {each["name"]: each["version"] for each in listed}

    def forget_the_package(self) -> None:
        run(self.python, "-m", "pip", "uninstall", "--quiet", "--yes", "florence-nb")

    def run_notebook(self, notebook: NotebookNode, folder: Path) -> list[dict]:
        """Execute in place, in the empty `folder`; returns the recorded calls of google.colab.
        CellExecutionError as nbclient.
        """
        calls = folder.parent / "colab-calls.jsonl"
        links = f"{os.environ.get('PIP_FIND_LINKS', '')} {self.wheel.parent.as_uri()}".strip()
        environment = os.environ | {
            "COLAB_CALLS": str(calls),
            "PIP_FIND_LINKS": links,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }
        environment.pop("PYTHONPATH", None)
        client_for(notebook, folder, python=self.python).execute(cwd=str(folder), env=environment)
        return [json.loads(line) for line in calls.read_text().splitlines()] if calls.exists() else []


def read_unexecuted(path: Path) -> NotebookNode:
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook
