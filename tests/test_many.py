"""Thousands of pictures: a row for each, nothing asked twice, nothing lost by a kill or a full disk."""

import errno
import os
import pickle
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from PIL import Image

import florence_nb as fnb

pytest.importorskip("pyarrow")
datasets = pytest.importorskip("datasets")
pytest.importorskip("pandas")
from datasets.fingerprint import Hasher  # noqa: E402
from pyarrow import parquet  # noqa: E402

many = fnb.many
QUICK = {"num_beams": 1, "max_new_tokens": 4}


@pytest.fixture(scope="module")
def ask():
    return many.Ask("<OD>", **QUICK)


@pytest.fixture(scope="module")
def huge(tmp_path_factory):
    path = tmp_path_factory.mktemp("huge") / "huge.png"
    Image.new("1", (17_000, 17_000)).save(path)
    return path


@pytest.fixture
def folder(tmp_path, huge):
    """Three pictures, a copy of one, a file that is no picture, half a picture, and one that is too large."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for n in range(3):
        Image.new("RGB", (40 + n, 30), (40 * n, 90, 90)).save(folder / f"{n}.jpg")
    shutil.copy(folder / "1.jpg", folder / "copy.jpg")
    (folder / "notes.txt").write_text("buy milk")
    (folder / "half.jpg").write_bytes((folder / "0.jpg").read_bytes()[:300])
    shutil.copy(huge, folder / "huge.png")
    (folder / ".hidden").write_text("no picture, and not counted")
    return folder


def answer_all(rows, out, ask, size=2):
    for start in range(0, len(rows), size):
        part = datasets.Dataset.from_list(rows[start : start + size])
        done = part.map(ask, batched=True, batch_size=size)
        many.write(done.with_format("arrow")[:], out)


@pytest.fixture(autouse=True)
def no_bars():
    datasets.disable_progress_bars()


def test_every_file_gets_its_row_and_a_bad_one_its_sentence(folder, tmp_path, ask):
    rows, out = many.pictures(folder), tmp_path / "answers"
    names = [Path(row["path"]).name for row in rows]
    assert names == ["0.jpg", "1.jpg", "2.jpg", "copy.jpg", "half.jpg", "huge.png", "notes.txt"]
    todo = many.waiting(rows, out, ask)
    assert len(todo) == 6  # the copy is not asked again
    answer_all(todo, out, ask)
    table = many.table(rows, out, ask)
    assert list(table.path) == [row["path"] for row in rows]
    assert set(table.path[table.error.notna()].map(os.path.basename)) == {"half.jpg", "huge.png", "notes.txt"}
    assert "pixels" in table.error[5] and "not an image" in table.error[6]
    assert table.raw[1] == table.raw[3] and table.raw[1].startswith("</s>")
    assert many.waiting(rows, out, ask) == []  # a file that is no picture stays none


def test_a_row_says_where_it_comes_from(folder, tmp_path, ask):
    rows = many.pictures(folder)
    (row,) = ask({"path": [rows[0]["path"]], "digest": [rows[0]["digest"]]}).to_pylist()
    assert (row["checkpoint"], row["task"], row["error"]) == ("mini", "<OD>", None)
    assert '"num_beams": 1' in row["settings"] and '"do_sample": false' in row["settings"]
    assert len(row["weights"]) == 16 and "torch" in row["versions"] and "float32 on cpu" in row["versions"]
    assert abs(row["asked_at"].timestamp() - time.time()) < 600
    again = fnb.parse(row["raw"], row["task"], (row["width"], row["height"]))
    assert again.labels == row["labels"] and again.boxes.tolist() == row["boxes"]


def test_the_revision_is_the_commit_of_the_hub(tmp_path):
    commit = tmp_path / "models--a--b" / "snapshots" / "0123abc"
    shutil.copytree(fnb.fetch("mini"), commit)
    assert many.Ask("<OD>", checkpoint=str(commit)).provenance["revision"] == "0123abc"
    assert many.Ask("<OD>").provenance["revision"] == ""


def test_added_and_renamed_pictures_and_other_questions(folder, tmp_path, ask):
    out = tmp_path / "answers"
    answer_all(many.waiting(many.pictures(folder), out, ask), out, ask)
    (folder / "0.jpg").rename(folder / "other.jpg")
    Image.new("RGB", (50, 30), "red").save(folder / "new.jpg")
    rows = many.pictures(folder)
    assert [Path(row["path"]).name for row in many.waiting(rows, out, ask)] == ["new.jpg"]
    table = many.table(rows, out, ask).set_index("path")
    assert table.raw[str(folder / "other.jpg")].startswith("</s>")
    assert table.task.isna().sum() == 1  # what still waits is seen
    assert len(many.waiting(rows, out, many.Ask("<OD>", num_beams=2, max_new_tokens=4))) == 7
    assert len(many.waiting(rows, out, many.Ask("<CAPTION>", **QUICK))) == 7


def test_other_weights_ask_again(folder, tmp_path, ask):
    out, tuned = tmp_path / "answers", tmp_path / "tuned"
    rows = many.pictures(folder)
    answer_all(many.waiting(rows, out, ask), out, ask)
    shutil.copytree(fnb.fetch("mini"), tuned)
    same = many.Ask("<OD>", checkpoint=str(tuned), **QUICK)
    assert many.waiting(rows, out, same) == []  # the same weights, elsewhere
    weights = tuned / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    assert len(many.waiting(rows, out, many.Ask("<OD>", checkpoint=str(tuned), **QUICK))) == 6


def test_any_other_error_is_asked_again(folder, tmp_path, ask, monkeypatch):
    rows, out = many.pictures(folder)[:1], tmp_path / "answers"
    full = many.Ask("<OD>", **QUICK)

    def run_many(requests, **_):
        return [MemoryError("The GPU's memory is full.")] * len(requests)

    monkeypatch.setattr(full.florence, "run_many", run_many)
    many.write(full({name: [rows[0][name]] for name in rows[0]}), out)
    assert list(many.table(rows, out, ask).error_type) == ["MemoryError"]
    assert many.waiting(rows, out, ask) == rows
    answer_all(rows, out, ask)
    assert many.table(rows, out, ask).error.isna().all() and len(many.table(rows, out, ask)) == 1


def test_a_question_travels_without_its_model_and_keeps_its_hash(ask):
    assert ask.florence is ask.florence
    assert len(pickle.dumps(ask)) < 1500
    assert Hasher.hash(ask) == Hasher.hash(many.Ask("<OD>", **QUICK))
    assert many.Ask(ask.task, **ask.options).provenance == ask.provenance
    assert Hasher.hash(ask) != Hasher.hash(many.Ask("<OD>", num_beams=2, max_new_tokens=4))


def test_datasets_finds_a_finished_map_again(folder, tmp_path, ask, monkeypatch):
    datasets.Dataset.from_list(many.pictures(folder)[:2]).save_to_disk(str(tmp_path / "list"))
    first = datasets.load_from_disk(str(tmp_path / "list")).map(ask, batched=True, batch_size=2)

    def fails(*_, **__):
        raise AssertionError("asked again")

    second = many.Ask("<OD>", **QUICK)
    monkeypatch.setattr(many.Ask, "__call__", fails)
    again = datasets.load_from_disk(str(tmp_path / "list")).map(second, batched=True, batch_size=2)
    assert again["raw"] == first["raw"]


@pytest.mark.parametrize("fails", ["write", "fsync", "replace"])
def test_a_full_disk_costs_a_sentence_and_nothing_else(folder, tmp_path, ask, monkeypatch, fails):
    rows, out = many.pictures(folder), tmp_path / "answers"
    answer_all(rows[:2], out, ask)
    before = sorted(out.iterdir())

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        if fails == "write":
            patch.setattr(Path, "open", full)
        else:
            patch.setattr(os, fails, full)
        with pytest.raises(fnb.InputError, match="No space left on device.*run again; all answers"):
            answer_all(rows[2:3], out, ask)
    assert sorted(out.iterdir()) == before
    assert len(many.waiting(rows, out, ask)) == 4
    answer_all(many.waiting(rows, out, ask), out, ask)
    assert many.waiting(rows, out, ask) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_a_disk_that_is_really_full(tmp_path, ask, folder, monkeypatch):
    monkeypatch.setattr(Path, "with_name", lambda self, name: Path("/dev/full"))
    monkeypatch.setattr(Path, "unlink", lambda self, missing_ok: None)
    with pytest.raises(fnb.InputError, match="No space left on device"):
        answer_all(many.pictures(folder)[:1], tmp_path / "answers", ask)


def test_half_a_file_is_not_taken_for_whole(folder, tmp_path, ask):
    rows, out = many.pictures(folder)[:2], tmp_path / "answers"
    answer_all(rows, out, ask)
    (whole,) = out.glob("*.parquet")
    (out / "x.77.part").write_bytes(whole.read_bytes()[:500])  # of a killed run
    assert many.waiting(rows, out, ask) == []
    half = out / "half.parquet"
    half.write_bytes(whole.read_bytes()[:500])
    with pytest.raises(fnb.InputError, match=r"half\.parquet is not a whole file of answers: delete it"):
        many.waiting(rows, out, ask)


def test_an_empty_folder_and_wrong_questions_are_told(tmp_path):
    with pytest.raises(fnb.InputError, match="no file in"):
        many.pictures(tmp_path)
    with pytest.raises(fnb.InputError, match="did you mean"):
        many.Ask("<ODD>")
    with pytest.raises(fnb.InputError, match="needs text_input"):
        many.Ask("<OPEN_VOCABULARY_DETECTION>")
    with pytest.raises(fnb.InputError, match="num_beams is at least 1"):
        many.Ask("<OD>", num_beams=0)
    with pytest.raises(fnb.CheckpointError, match="There is no checkpoint"):
        many.Ask("<OD>", checkpoint="tiny")


@pytest.mark.skipif(os.name == "nt" or os.getuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_a_row(folder, tmp_path, ask):
    (folder / "1.jpg").chmod(0)
    rows = many.pictures(folder)
    assert rows[1]["digest"].startswith("unreadable")
    answer_all(rows[:2], tmp_path / "answers", ask)
    assert many.table(rows[:2], tmp_path / "answers", ask).error.notna().tolist() == [False, True]


def test_a_missing_library_is_named(monkeypatch, tmp_path, ask):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(fnb.InputError, match="pyarrow is not installed here: run %pip install pyarrow"):
        many.Ask("<OD>")
    with pytest.raises(fnb.InputError, match=r'ray is .* %pip install "ray\[data\]"'):
        many.start_ray()


JOB = """
import datasets, florence_nb as fnb
datasets.disable_progress_bars()
ask = fnb.many.Ask("<OD>", num_beams=1, max_new_tokens=4)
rows = fnb.many.waiting(fnb.many.pictures({folder!r}), {out!r}, ask)
print("waiting", len(rows), flush=True)
for start in range(0, len(rows), 2):
    part = datasets.Dataset.from_list(rows[start:start + 2]).map(ask, batched=True, batch_size=2)
    fnb.many.write(part.with_format("arrow")[:], {out!r})
"""


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is a signal of POSIX systems")
def test_a_killed_job_loses_nothing_and_asks_nothing_twice(tmp_path, ask):
    folder, out = tmp_path / "pictures", tmp_path / "answers"
    folder.mkdir()
    for n in range(24):
        Image.new("RGB", (40 + n, 30), (9 * n, 90, 90)).save(folder / f"{n:02d}.png")
    job = textwrap.dedent(JOB).format(folder=str(folder), out=str(out))
    process = subprocess.Popen([sys.executable, "-c", job], stdout=subprocess.DEVNULL)
    while process.poll() is None and len(list(out.glob("*.parquet"))) < 2:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    rows = many.pictures(folder)
    left = many.waiting(rows, out, ask)
    assert 0 < len(left) <= 20
    done = subprocess.run([sys.executable, "-c", job], capture_output=True, text=True, check=True)
    assert done.stdout == f"waiting {len(left)}\n"
    table = many.table(rows, out, ask)
    assert len(table) == 24 and table.raw.notna().all()
    assert sum(parquet.read_metadata(file).num_rows for file in out.glob("*.parquet")) == 24
