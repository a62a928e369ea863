"""Run notebooks through nbclient.

It plays the part of a front end (Output widgets, clear_output, display updates), which nbval does not.
"""

import sys
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
CELL_TIMEOUT = 120  # seconds; a whole lesson must stay under two minutes


class OnePython(KernelSpecManager):
    """The only kernel is that of one interpreter, whatever kernels are registered on the machine."""

    def __init__(self, python: str | Path) -> None:
        super().__init__()
        self.python = str(python)

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        argv = [self.python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python")


def client_for(
    notebook: NotebookNode, folder: Path, *, python: str | Path = sys.executable, **settings
) -> NotebookClient:
    """A client that executes `notebook` in `folder` with a fresh kernel of `python`; settings as of
    nbclient.NotebookClient.
    """
    manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=OnePython(python))
    defaults = {
        "timeout": CELL_TIMEOUT,
        "coalesce_streams": True,
        "record_timing": False,
        "extra_arguments": ["--log-level=ERROR"],
    }
    client = NotebookClient(
        notebook, km=manager, resources={"metadata": {"path": str(folder)}}, **(defaults | settings)
    )
    client.owns_km = True  # the kernel is this client's to shut down
    return client


def is_tagged(cell: NotebookNode, *tags: str) -> bool:
    return not set(tags).isdisjoint(cell.metadata.get("tags", []))


def stderr_of(cell: NotebookNode) -> str:
    return "".join(output.text for output in cell.get("outputs", []) if output.get("name") == "stderr")


def errors_of(cell: NotebookNode) -> list[NotebookNode]:
    return [output for output in cell.get("outputs", []) if output.output_type == "error"]
