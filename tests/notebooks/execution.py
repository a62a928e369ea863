"""Run notebooks through nbclient.

It plays the part of a front end (Output widgets, clear_output, display updates), which nbval does not.
"""

import re
import sys
from pathlib import Path

import psutil
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
KIOSKS = sorted((ROOT / "notebooks" / "kiosk").glob("*.ipynb"))
NOTEBOOKS = LESSONS + KIOSKS
QUIZ = "quiz"
"""Tag of the cells that are derived from the questions; those of exercises have one of their own."""
CELL_TIMEOUT = 500  # seconds of processor time, for lesson 14 trains; other lessons stay under two minutes
FEW_STEPS, FEW_PICTURES = "steps=4", r"range(\1, \1 + 8)"
STALLED = 0.01  # of one processor: a kernel that gets less does nothing


def with_few_steps(notebook: NotebookNode) -> NotebookNode:
    """In place: a training of lesson 14 takes four steps and a few pictures instead of hundreds, so that
    tests end soon. What it learns from all is tested by tests/slow/test_teaching.py and stored by `make
    lessons`.
    """
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = re.sub(r"\bsteps=\d+", FEW_STEPS, cell.source)
            cell.source = re.sub(r"\brange\((\d0{3}), \d{4}\)", FEW_PICTURES, cell.source)
    return notebook


class OnePython(KernelSpecManager):
    """The only kernel is that of one interpreter, whatever kernels are registered on the machine."""

    def __init__(self, python: str | Path) -> None:
        super().__init__()
        self.python = str(python)

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        argv = [self.python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python")


class PatientClient(NotebookClient):
    """Its timeout counts what the kernel worked and not the clock, so that a busy machine makes a run slow
    and not red. A kernel that did nothing for so many seconds of the clock has timed out as well.
    """

    def begin(self, **_cell) -> None:
        self.at_first = self.at_last = self.processor_seconds()

    def processor_seconds(self) -> float:
        """Processor time of the kernel and of the programs it started, up to now."""
        try:
            kernel = psutil.Process(self.km.provisioner.pid)
            times = [each.cpu_times() for each in (kernel, *kernel.children(recursive=True))]
        except psutil.Error:
            return 0.0
        return sum(sum(each[:4]) for each in times)  # user and system, of ended children too

    async def _async_handle_timeout(self, timeout: int, cell: NotebookNode | None = None) -> dict | None:
        """nbclient calls it after `timeout` seconds, and again after as many more where it returns None."""
        now = self.processor_seconds()
        used, lately, self.at_last = now - self.at_first, now - self.at_last, now
        if used > timeout or lately < STALLED * timeout:
            return await super()._async_handle_timeout(timeout, cell)
        return None


def client_for(
    notebook: NotebookNode, folder: Path, *, python: str | Path = sys.executable, **settings
) -> PatientClient:
    """A client that executes `notebook` in `folder` with a fresh kernel of `python`; settings as of
    nbclient.NotebookClient, but for `timeout` (see PatientClient).
    """
    manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=OnePython(python))
    defaults = {
        "timeout": CELL_TIMEOUT,
        "startup_timeout": 300,
        "iopub_timeout": 60,
        "coalesce_streams": True,
        "record_timing": False,
        "extra_arguments": ["--log-level=ERROR"],
    }
    client = PatientClient(
        notebook, km=manager, resources={"metadata": {"path": str(folder)}}, **(defaults | settings)
    )
    client.owns_km = True  # the kernel is this client's to shut down
    client.on_cell_execute = client.begin
    return client


def is_tagged(cell: NotebookNode, *tags: str) -> bool:
    return not set(tags).isdisjoint(cell.metadata.get("tags", []))


def stderr_of(cell: NotebookNode) -> str:
    return "".join(output.text for output in cell.get("outputs", []) if output.get("name") == "stderr")


def errors_of(cell: NotebookNode) -> list[NotebookNode]:
    return [output for output in cell.get("outputs", []) if output.output_type == "error"]
