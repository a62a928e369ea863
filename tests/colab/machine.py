"""Colab's machine, as far as it can be had here: a virtual environment with its versions, and google.colab as
a stub.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tests.ci import address, wheel
from tests.notebooks.execution import ROOT, client_for

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements.txt"


def run(*command: str | Path, **settings) -> str:
    """Standard output; AssertionError with all output where the command fails."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **settings)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def build_wheel(folder: Path) -> Path:
    """The wheel of `make wheel`, in that folder."""
    return wheel.build(folder / "wheels")


def build_tools(folder: Path) -> Path:
    """A folder with what pip needs to build the package, so that it needs no index later."""
    needed = address.tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]
    tools = folder / "tools"
    run(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", tools, *needed["requires"])
    return tools


def make_repository(folder: Path) -> Path:
    """A bare git repository with the sources on its branch main, as a fork on GitHub would have them."""
    sources, bare = folder / "checkout", folder / "florence.git"
    sources.mkdir()
    wheel.copy_sources(sources)
    git = ("git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-C", sources)
    run(*git, "init", "--quiet", "--initial-branch=main")
    run(*git, "add", ".")
    run(*git, "commit", "--quiet", "--message", "all")
    run("git", "clone", "--quiet", "--bare", sources, bare)
    return bare


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
    tools: Path

    def packages(self) -> dict[str, str]:
        """{name: version} of all that is installed."""
        listed = json.loads(
            run(self.python, "-m", "pip", "list", "--format=json", "--disable-pip-version-check")
        )
        return {each["name"]: each["version"] for each in listed}

    def install_the_package(self) -> None:
        run(self.python, "-m", "pip", "install", "--quiet", "--no-index", self.wheel)

    def forget_the_package(self) -> None:
        run(self.python, "-m", "pip", "uninstall", "--quiet", "--yes", "florence-nb")

    def run_notebook(self, notebook: NotebookNode, folder: Path) -> list[dict]:
        """Execute in place, in `folder`; returns the recorded calls of google.colab. CellExecutionError as
        nbclient. pip has no index here, so what a cell installs comes from the folder or a repository.
        """
        calls = folder.parent / "colab-calls.jsonl"
        environment = os.environ | {
            "COLAB_CALLS": str(calls),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": self.tools.as_uri(),
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
