"""Thousands of pictures on Ray: a killed worker and a killed job lose nothing. Each test starts Ray, which
takes 10 s and a gigabyte, so there are few.
"""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest
from PIL import Image

import florence_nb as fnb

ray = pytest.importorskip("ray")
pytest.importorskip("pandas")
pytest.importorskip("ray.data")

many = fnb.many
QUICK = {"num_beams": 1, "max_new_tokens": 4}
RUN = """
import os, sys
import florence_nb as fnb
import ray

class Dies(fnb.many.Ask):
    '''Ends its process, as the kernel does when the memory is full: at the first batch that it sees, or at
    each with the picture of that name.'''

    def __call__(self, batch):
        if os.path.exists({flag!r}):
            os.remove({flag!r})
            os._exit(1)
        if any(path.endswith({deadly!r}) for path in batch["path"].to_pylist()):
            os._exit(1)
        return super().__call__(batch)

settings = {{"num_beams": 1, "max_new_tokens": 4}}
ask = fnb.many.Ask("<OD>", **settings)
rows = fnb.many.waiting(fnb.many.pictures({folder!r}), {out!r}, ask)
print("waiting", len(rows), flush=True)
fnb.many.start_ray(2)
ray.data.DataContext.get_current().max_errored_blocks = 10
done = ray.data.from_items(rows, override_num_blocks=max(1, len(rows) // {size})).map_batches(
    Dies, fn_constructor_args=["<OD>"], fn_constructor_kwargs=settings,
    batch_size={size}, batch_format="pyarrow", concurrency={workers}, num_cpus=1,
    ray_remote_args_fn=lambda: {{"max_task_retries": 2}},
)
for part in done.iter_batches(batch_size=None, batch_format="pyarrow"):
    fnb.many.write(part, {out!r})
    print("part", part.num_rows, flush=True)
ray.shutdown()
"""


@pytest.fixture
def job(tmp_path):
    """A function that starts the job in a process of its own, with so many workers; and its folders."""
    folder, out, flag = (tmp_path / name for name in ("pictures", "answers", "die"))
    folder.mkdir()
    for n in range(23):
        Image.new("RGB", (40 + n, 30), (9 * n, 90, 90)).save(folder / f"{n:02d}.png")
    (folder / "notes.txt").write_text("buy milk")

    def start(workers, size=4, deadly="none of them"):
        names = {"folder": str(folder), "out": str(out), "flag": str(flag), "deadly": deadly}
        code = textwrap.dedent(RUN).format(**names, workers=workers, size=size)
        return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)

    return start, folder, out, flag


def check_all_there(folder, out):
    rows, ask = many.pictures(folder), many.Ask("<OD>", **QUICK)
    table = many.table(rows, out, ask)
    assert len(table) == 24 and table.raw.notna().sum() == 23
    assert list(table.error.notna()) == [False] * 23 + [True]  # one file is no picture: one row
    assert many.waiting(rows, out, ask) == []


def test_a_killed_worker_loses_nothing(job):
    start, folder, out, flag = job
    flag.touch()
    process = start(workers=2)
    said, _ = process.communicate(timeout=500)
    assert process.returncode == 0 and not flag.exists()
    assert sum(int(line.split()[1]) for line in said.splitlines() if line.startswith("part")) == 24
    check_all_there(folder, out)


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is a signal of POSIX systems")
def test_a_killed_job_loses_nothing_and_asks_nothing_twice(job):
    start, folder, out, _ = job
    process = start(workers=1)
    while process.poll() is None and not list(out.glob("*.parquet")):
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    left = many.waiting(many.pictures(folder), out, many.Ask("<OD>", **QUICK))
    assert 0 < len(left) < 24
    said, _ = (again := start(workers=1)).communicate(timeout=500)
    assert again.returncode == 0 and said.startswith(f"waiting {len(left)}\n")
    check_all_there(folder, out)


def test_a_picture_that_always_kills_its_worker_is_left_waiting_alone(job):
    start, folder, out, _ = job
    rows, ask = many.pictures(folder), many.Ask("<OD>", **QUICK)
    for size, left in ((4, 4), (1, 1)):  # the whole block of that picture, then nothing but the picture
        process = start(workers=2, size=size, deadly="07.png")
        process.communicate(timeout=500)
        assert process.returncode == 0
        assert len(many.waiting(rows, out, ask)) == left
    assert [row["path"][-6:] for row in many.waiting(rows, out, ask)] == ["07.png"]
    table = many.table(rows, out, ask)
    assert len(table) == 24 and table.raw.notna().sum() == 22  # its row is there, and empty
