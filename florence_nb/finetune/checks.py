"""What cannot be learned from, or written, in one sentence each: the checks of `florence_nb.finetune`."""

from __future__ import annotations

import errno
import json
import logging
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ..errors import CheckpointError, InputError, first_line
from ..loading import no_bars
from ..locations import LOC
from ..web import causes, shown

if TYPE_CHECKING:
    from ..florence import Florence

LEAST = (5, 13)
"""The first transformers whose Florence-2 shifts the labels once: before, it learned to say the word after
the next.
"""
NOTHING = "</s><s></s>"
"""The raw answer where nothing is to be found; an empty text is taken for one that was forgotten."""
FROZEN = ("vision_tower", "multi_modal_projector", "language_model.shared")
"""Parts of the model that have done their work when an example is made."""
SETTINGS = "training.json"
"""In the folder of a training: what was asked for, so that another one is not mixed up with it."""
_STATE = "trainer_state.json"  # the last file of a checkpoint that transformers writes
_FULL = ("No space left", "quota exceeded", "file write failed", "enough disk space", "unexpected pos")


def check_row(number: int, row: Any) -> None:
    """Raises: InputError: it is no ``(task_prompt, image, text_input, answer)``, or the answer cannot be
    learned.
    """
    if not isinstance(row, (tuple, list)) or len(row) != 4:
        got = f"the columns {', '.join(map(str, row))}" if isinstance(row, dict) else _form(row)
        raise InputError(f"Row {number} has {got}: a row is (task_prompt, image, text_input, answer).")
    answer = row[3]
    if not isinstance(answer, str) or not answer.strip():
        raise InputError(
            f"Row {number} has the answer {shown(repr(answer), 40)}: give the text that the model is to"
            " write; where there is nothing to find, that is fnb.finetune.NOTHING."
        )
    if past := [int(found) for found in LOC.findall(answer) if int(found) > 999]:
        raise InputError(
            f"Row {number} has <loc_{past[0]}>, which is no token: bins end at 999, and fnb.to_loc writes"
            " them."
        )


def _form(row: Any) -> str:
    if isinstance(row, (tuple, list)):
        return f"{len(row)} parts"
    return f"the form {type(row).__name__}"


def check_length(number: int, ids: Sequence[int], florence: Florence) -> None:
    """Raises: InputError: the decoder has no place for so many tokens."""
    room = florence.native_model.config.text_config.max_position_embeddings
    if len(ids) > room:
        raise InputError(
            f"Row {number} has an answer of {len(ids)} tokens, and the decoder has room for {room}:"
            " shorten it."
        )


def check_ready(florence: Florence, examples: Sequence[Any], more: dict[str, Any]) -> None:
    """Raises: InputError: this model cannot learn from these examples as it is. CheckpointError: transformers
    is too old.
    """
    import torch

    check_version()
    learning = [name for name, weight in florence.model.named_parameters() if weight.requires_grad]
    if not len(examples):
        raise InputError("There are no examples to learn from: make some with fnb.finetune.examples.")
    if more.get("fp16") or florence.dtype == torch.float16:
        raise InputError(
            "float16 is too coarse to learn in: its gradients become 0 or infinite. Load with"
            " dtype='float32', or on a GPU with dtype='bfloat16'."
        )
    if not learning:
        raise InputError(
            "Every weight is frozen, so nothing can learn: call fnb.finetune.adapt(florence) first."
        )
    if loose := [part for part in FROZEN if any(part in name for name in learning)]:
        raise InputError(
            f"{loose[0]} is not frozen, but the examples hold what it computed before the training: call"
            " fnb.finetune.adapt(florence), which freezes it with requires_grad_(False)."
        )


def check_version() -> None:
    """Raises: CheckpointError: this transformers computes a wrong loss."""
    import transformers

    found = tuple(int(part) for part in transformers.__version__.split(".")[:2])
    if found < LEAST:
        raise CheckpointError(
            f"transformers {transformers.__version__} computes a wrong loss for Florence-2: run pip install"
            f' --upgrade "transformers>={".".join(map(str, LEAST))}", then restart the kernel.'
        )


@contextmanager
def quietly() -> Iterator[None]:
    """Without the bar of a file that is written in a moment, without peft's warning of an old name that peft
    itself uses, and without what transformers says of checkpoints that were written in the same second.
    """
    checkpoints = logging.getLogger("transformers.trainer_utils")
    level = checkpoints.level
    checkpoints.setLevel(logging.ERROR)
    try:
        with no_bars(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
            yield
    finally:
        checkpoints.setLevel(level)


def digest(examples: Sequence[dict[str, Any]]) -> int:
    """A number that tells other answers, or another order of them, apart."""
    return zlib.crc32(repr([one["labels"] for one in examples]).encode())


def unfinished(folder: Path, settings: dict[str, Any]) -> str | None:
    """The newest whole checkpoint of the training with these settings in that folder, which is made; None at
    the beginning.

    Raises:
        InputError: there is another training in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    told = {name: value for name, value in settings.items() if not name.startswith(("save_", "logging_"))}
    settings = json.loads(json.dumps(told, default=repr))
    known = _read(folder / SETTINGS)
    if known is None and any(folder.glob("checkpoint-*")):
        raise InputError(f"{shown(folder)} holds a training that was not begun here: name another folder.")
    if known not in (None, settings):
        other = next(name for name in settings | known if known.get(name) != settings.get(name))
        raise InputError(
            f"{shown(folder)} holds a training with other {other}: name another folder, or give the same"
            f" {other} to go on with it."
        )
    (folder / SETTINGS).write_text(json.dumps(settings), encoding="utf-8")
    whole = [each for each in folder.glob("checkpoint-*") if _read(each / _STATE) is not None]
    newest = max(whole, key=lambda each: int(each.name.split("-")[1]), default=None)
    return None if newest is None else str(newest)


def _read(path: Path) -> Any:
    """What is in a JSON file; None where there is none, or only a part of one."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


@contextmanager
def writing(folder: Path, then: str) -> Iterator[None]:
    """Turns errors of writing into one sentence.

    Args:
        then: what is kept, and how it goes on.

    Raises:
        InputError: the disk is full, or the folder may not be written.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # each library has its own for a full disk
        chain = causes(error)
        text = " ".join(map(str, chain))
        full = any(getattr(one, "errno", None) in (errno.ENOSPC, errno.EDQUOT) for one in chain)
        if full or any(words in text for words in _FULL):
            raise InputError(
                f"The disk of {shown(folder)} is full: free some room, or name another folder. {then}"
            ) from error
        if not isinstance(error, OSError):
            raise
        reason = error.strerror or first_line(error)
        raise InputError(f"{shown(folder)} cannot be written ({reason}): name another. {then}") from error


def replace_whole(target: Path, write: Callable[[Path], Any]) -> None:
    """Fills a folder elsewhere, then moves it to its place, so that it is there whole or not at all.

    Raises:
        InputError: what is there is no checkpoint.
    """
    if target.exists() and not (target / "config.json").is_file() and any(target.iterdir()):
        raise InputError(f"{shown(target)} holds other things than a checkpoint: name another folder.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as room:
        new, old = Path(room) / "new", Path(room) / "old"
        write(new)
        if target.exists():
            target.replace(old)
        new.replace(target)
