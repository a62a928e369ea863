"""nbval with three things added: cells run through nbclient, pictures are compared, and stderr or a cell
without stored run fails.

nbval's markers, its sanitising and its comparison of text stay as they are.
"""

import copy

import pytest
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbval.plugin import IPyNbCell, IPyNbFile, coalesce_streams

from .execution import client_for, errors_of, stderr_of, with_few_steps
from .pictures import difference, picture_data, take_html

nbval_compare = IPyNbCell.compare_outputs


def pytest_configure(config):
    IPyNbFile.setup = start
    IPyNbFile.teardown = stop
    IPyNbCell.runtest = run_cell
    IPyNbCell.compare_outputs = compare


def start(file: IPyNbFile) -> None:
    file.setup_sanitize_files()
    timeout = int(file.config.option.nbval_cell_timeout)
    file.client = client_for(
        with_few_steps(copy.deepcopy(file.nb)), file.path.parent, allow_errors=True, timeout=timeout
    )
    file.client.start_new_kernel(cwd=str(file.path.parent))
    file.client.start_new_kernel_client()
    file.code_indices = [index for index, cell in enumerate(file.nb.cells) if cell.cell_type == "code"]


def stop(file: IPyNbFile) -> None:
    if getattr(file, "client", None) is not None:
        file.client._cleanup_kernel()


def run_cell(item: IPyNbCell) -> None:
    if item.options["skip"]:
        pytest.skip("the cell is tagged nbval-skip")
    if item.parent.timed_out:
        pytest.fail("a cell before this one stopped the kernel", pytrace=False)
    if not item.cell.source.strip():
        return
    cell = execute(item)
    item.test_outputs = cell.outputs
    check(item, cell)


def execute(item: IPyNbCell):
    """The cell with its new outputs."""
    index = item.parent.code_indices[item.cell_num]
    client = item.parent.client
    try:
        return client.execute_cell(client.nb.cells[index], index)
    except (CellTimeoutError, DeadKernelError) as error:
        item.parent.timed_out = True
        item.raise_cell_error(str(error))


def check(item: IPyNbCell, cell) -> None:
    for error in errors_of(cell):
        if not item.options["check_exception"]:
            item.raise_cell_error("Cell execution caused an exception", "\n".join(error.traceback))
    if noise := stderr_of(cell):
        item.raise_cell_error("Cell wrote to stderr", noise)
    if item.cell.execution_count is None:
        item.raise_cell_error("The stored notebook has no run of this cell: run `make lessons`")
    if item.options["check"] and not item.compare_outputs(cell.outputs, coalesce_streams(item.cell.outputs)):
        item.raise_cell_error("Cell outputs differ", "\n".join(item.comparison_traceback))


def compare(item: IPyNbCell, new, stored, skip_compare=None) -> bool:
    """nbval's comparison, then the pictures in their order."""
    for output in (*new, *stored):
        take_html(output)  # the picture itself is compared below
    if not nbval_compare(item, new, stored, skip_compare):
        return False
    pairs = [[data for output in outputs if (data := picture_data(output))] for outputs in (stored, new)]
    if len(pairs[0]) != len(pairs[1]):
        item.comparison_traceback.append(f"{len(pairs[0])} pictures are stored, {len(pairs[1])} came out")
        return False
    found = [text for old, fresh in zip(*pairs, strict=True) if (text := difference(old, fresh))]
    item.comparison_traceback.extend(found)
    return not found
