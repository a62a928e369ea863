"""Thousands of pictures: rows in, rows with answers out, in Parquet files from which a killed job goes on.

`Ask` is what ``datasets.map`` and Ray Data call, the same on one machine and on a cluster. Each row says
where it comes from: the digest of the picture's file, the checkpoint with the digest of its weights, the
settings and the versions. See notebooks/15_many_pictures.ipynb. Needs pyarrow.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import __version__
from .answers import Answer
from .checkpoints import find, weight_files
from .engine.requests import MAX_NEW_TOKENS, make_settings
from .errors import InputError
from .kit.whole_file import write_whole
from .libraries import require
from .loading import load
from .tasks import build_prompt, get_task

if TYPE_CHECKING:
    import pandas
    import pyarrow

    from .florence import Florence

_TEXTS = ("path", "digest", "task", "text_input", "raw", "text")
_PROVENANCE = ("checkpoint", "revision", "weights", "settings", "versions")
_ASKED = ("task", "text_input", "weights", "settings")
"""What an answer depends on, beside the picture: where all of these are the same, nothing is asked again."""

# When it is imported, Ray asks for a newer ipywidgets than Colab's.
logging.getLogger("ray.widgets.util").setLevel(logging.ERROR)


def pictures(folder: str | Path) -> list[dict[str, str]]:
    """One row ``{"path": …, "digest": …}`` for each file in a folder and its folders, in the order of the
    names, hidden ones left out. The digest is the SHA-256 of the file's bytes, so a copy has the same one.

    Raises:
        InputError: there is no such folder, or no file in it.
    """
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file() and path.name[0] != ".")
    if not files:
        raise InputError(f"There is no file in {str(folder)!r}: give the folder that holds the pictures.")
    return [{"path": str(path.resolve()), "digest": _file_digest(path)} for path in files]


class Ask:
    """One question for any number of pictures; called with a batch of rows, it returns them with answers.

        ask = Ask("<OD>", num_beams=1)
        table = ask({"path": ["a.jpg", "b.jpg"], "digest": ["…", "…"]})

    It travels to other processes as a few words: each loads the model for itself, at the first call. So its
    hash, by which `datasets` finds finished work, depends on the weights, the task and the settings only.

    Args:
        task: one of the 15 task prompts. text_input: a phrase for it, where it takes one.
        checkpoint, revision: as `load` takes them.
        settings: those of `Florence.run_example`.

    Attributes:
        provenance: checkpoint, revision (the commit, if it comes from the hub), weights (the first 16 digits
            of the SHA-256 of their files), all settings and the versions, as text.

    Raises:
        InputError: an unknown task, a text that it does not take, a setting that cannot be used, or no
            pyarrow.
        CheckpointError: the checkpoint is not available.
    """

    def __init__(
        self,
        task: str,
        text_input: str | None = None,
        *,
        checkpoint: str = "mini",
        revision: str | None = None,
        **settings: Any,
    ) -> None:
        require("pyarrow")
        build_prompt(task, text_input, (1000, 1000))
        make_settings(MAX_NEW_TOKENS, **settings)
        self.task, self.text_input = get_task(task).prompt, text_input
        self.checkpoint, self.revision, self.settings = str(checkpoint), revision, settings
        self.provenance = _provenance(find(checkpoint, revision=revision, quiet=True), self)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "florence"}

    @property
    def options(self) -> dict[str, Any]:
        """All arguments but the task, to make another one in another process."""
        named = {"text_input": self.text_input, "checkpoint": self.checkpoint, "revision": self.revision}
        return {**named, **self.settings}

    @cached_property
    def florence(self) -> Florence:
        """The model, without a feature cache: each picture comes once."""
        return load(self.checkpoint, revision=self.revision, cache=False, quiet=True)

    def __call__(self, batch: Any) -> pyarrow.Table:
        """The rows of a batch with their answers, in order.

        Args:
            batch: columns ``path`` and ``digest``: a dictionary of lists, or an Arrow table.

        Returns:
            A row for each: what was asked; ``raw``, ``width`` and ``height``, from which `parse` makes the
            whole answer; ``text``, ``labels`` and ``boxes`` (pixels, x1, y1, x2, y2) to search in; and
            `provenance`, with ``asked_at``, when its batch was ready (UTC). Where a picture has no answer
            these are null, and ``error`` says why.
        """
        import pyarrow

        paths, digests = (_plain(batch[name]) for name in ("path", "digest"))
        requests = [(self.task, Path(path), self.text_input) for path in paths]
        answers = self.florence.run_many(
            requests, batch_size=max(1, len(requests)), progress=False, **self.settings
        )
        asked: dict[str, Any] = {"task": self.task, "text_input": self.text_input, **self.provenance}
        asked["versions"] += f", {str(self.florence.dtype)[6:]} on {self.florence.device.type}"
        asked["asked_at"] = datetime.now(timezone.utc)
        rows = [
            {"path": path, "digest": digest, **asked, **_told(answer)}
            for path, digest, answer in zip(paths, digests, answers, strict=True)
        ]
        return pyarrow.Table.from_pylist(rows, schema=_schema())


def waiting(pictures: Sequence[dict[str, str]], out: str | Path, ask: Ask) -> list[dict[str, str]]:
    """The rows of `pictures` that ``out`` holds no answer to yet, of copies the first one only. A file that
    is no picture has its answer, the error; after any other error, such as a full memory, it waits again.
    """
    known = _answered(out, ask).select(["digest", "error_type"]).to_pylist()
    done = {row["digest"] for row in known if row["error_type"] in (None, "InputError")}
    firsts = {row["digest"]: row for row in reversed(pictures)}
    return [row for row in pictures if row is firsts[row["digest"]] and row["digest"] not in done]


def write(rows: pyarrow.Table, out: str | Path) -> Path:
    """Adds rows to the folder ``out`` as one Parquet file, whole or not at all, and returns its path.

    Raises:
        InputError: the disk is full, or the folder may not be written. What was there before stays.
    """
    import pyarrow
    from pyarrow import parquet

    buffer = pyarrow.BufferOutputStream()
    parquet.write_table(rows.select(_schema().names).cast(_schema()), buffer)
    content = buffer.getvalue().to_pybytes()
    path = Path(out) / f"{hashlib.sha256(content).hexdigest()[:16]}.parquet"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content, sync=True)
    except OSError as error:
        raise InputError(
            f"{str(out)!r} cannot be written ({error.strerror or type(error).__name__}): free some space or"
            " mend its rights, and run again; all answers up to here are kept."
        ) from error
    return path


def table(pictures: Sequence[dict[str, str]], out: str | Path, ask: Ask) -> pandas.DataFrame:
    """One row for each of `pictures`, in order, with its answer from ``out``, also for copies; the columns of
    one that still waits are empty.
    """
    require("pandas")
    import pandas

    rows = _answered(out, ask).drop_columns(["path"]).to_pylist()
    # An answer counts more than an earlier error.
    known = {row["digest"]: row for row in sorted(rows, key=lambda row: row["error"] is None)}
    names = _schema().names
    return pandas.DataFrame([known.get(row["digest"], {}) | row for row in pictures], columns=names)


def start_ray(cpus: int = 2) -> None:
    """Starts Ray on this machine alone, silent, without its dashboard and its reports on usage. A running one
    is taken. ``ray.shutdown()`` ends it.

    Raises:
        InputError: it does not start.
    """
    require("ray")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    import ray
    from ray.data import DataContext

    quiet: dict[str, Any] = {
        "log_to_driver": False,
        "logging_level": logging.FATAL,
        "include_dashboard": False,
    }
    for last in (False, False, True):
        try:
            with _silent():
                ray.init(num_cpus=cpus, object_store_memory=200_000_000, ignore_reinit_error=True, **quiet)
            break
        except Exception as error:  # its parts have half a minute to find each other
            ray.shutdown()
            if last:
                raise InputError(
                    "Ray does not start here: close other programs and run again, or stay with datasets."
                ) from error
    DataContext.get_current().enable_progress_bars = False
    # How often rows of a dead worker are tried again has no other place until Ray 2.64.
    warnings.filterwarnings("ignore", "`ray_remote_args_fn` is deprecated")
    logging.getLogger("ray.data").setLevel(logging.ERROR)


# ---- parts


@contextmanager
def _silent() -> Iterator[None]:
    """Nothing on stderr, for what Ray's own programs say while they start; what goes wrong is raised."""
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _schema() -> pyarrow.Schema:
    import pyarrow

    text, boxes = pyarrow.string(), pyarrow.list_(pyarrow.list_(pyarrow.float32()))
    return pyarrow.schema(
        [
            *((name, text) for name in _TEXTS),
            *((name, pyarrow.int32()) for name in ("width", "height")),
            ("labels", pyarrow.list_(text)),
            ("boxes", boxes),
            *((name, text) for name in ("error", "error_type", *_PROVENANCE)),
            ("asked_at", pyarrow.timestamp("us", tz="UTC")),
        ]
    )


def _answered(out: str | Path, ask: Ask) -> pyarrow.Table:
    """All rows of ``out`` for this question. InputError for a file that is not whole; those of `write`
    are.
    """
    import pyarrow
    from pyarrow import compute, parquet

    wanted = {"task": ask.task, "text_input": ask.text_input, **ask.provenance}
    parts = [_schema().empty_table()]
    for path in sorted(Path(out).glob("*.parquet")):
        try:
            part = parquet.read_table(path, schema=_schema())
        except (OSError, ValueError) as error:
            raise InputError(
                f"{path} is not a whole file of answers: delete it, and its pictures are asked again."
            ) from error
        for name in _ASKED:
            same = compute.is_null if wanted[name] is None else lambda c, n=name: compute.equal(c, wanted[n])
            part = part.filter(same(part[name]))
        parts.append(part)
    return pyarrow.concat_tables(parts)


def _told(answer: Answer | Exception) -> dict[str, Any]:
    if isinstance(answer, Exception):
        return {"error": str(answer) or type(answer).__name__, "error_type": type(answer).__name__}
    width, height = answer.image_size
    boxes = [[float(side) for side in region.box] for region in answer.regions]
    told = {"raw": answer.raw, "text": answer.text, "width": width, "height": height}
    return {**told, "labels": [region.label for region in answer.regions], "boxes": boxes}


def _provenance(folder: Path, ask: Ask) -> dict[str, str]:
    commit = folder.name if folder.parent.name == "snapshots" else ask.revision or ""
    versions = [
        f"florence-nb {__version__}",
        *(f"{name} {version(name)}" for name in ("transformers", "torch")),
    ]
    settings = make_settings(MAX_NEW_TOKENS, **ask.settings).to_dict()
    return {
        "checkpoint": ask.checkpoint,
        "revision": commit,
        "weights": _digest(weight_files(folder))[:16],
        "settings": json.dumps(settings, sort_keys=True),
        "versions": ", ".join(versions),
    }


def _file_digest(path: Path) -> str:
    try:
        return _digest([path])
    except OSError as error:  # its row says so again, when it is opened
        return f"unreadable ({error.strerror}): {path}"


def _digest(files: Iterable[Path]) -> str:
    """The SHA-256 of files one behind the other."""
    sum_of_all = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                sum_of_all.update(block)
    return sum_of_all.hexdigest()


def _plain(column: Any) -> list[str]:
    return column.to_pylist() if hasattr(column, "to_pylist") else list(column)
