"""From the name of a checkpoint to a `Florence`, without remote code.

The checkpoints named ``microsoft/Florence-2-*`` bring Python files of 2024 that no current transformers can
run. Their native versions at ``florence-community`` hold the same weights for the classes that transformers
itself has: see notebooks/02_loading.ipynb.
"""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .checkpoints import CHECKPOINTS, MINI_FOLDER, WANTED, fetch, find, is_complete, weight_files
from .errors import CheckpointError, InputError, first_line
from .web import causes, shown

if TYPE_CHECKING:
    import torch

    from .florence import Florence

__all__ = ["CHECKPOINTS", "fetch", "load"]

last_loaded: str | None = None
"""The name of the checkpoint that `load` gave last: exercises judge content with mini only."""

_MINI_LINE = (
    "mini is a small Florence-2 that knows drawn scenes only, no photographs. "
    'For the real one: load("base") or load("large"), a download of 0.5 or 1.5 GB.'
)


def load(
    name: str | Path = "mini",
    *,
    device: str | torch.device | None = None,
    dtype: str | torch.dtype | None = None,
    attn_implementation: str | None = None,
    revision: str | None = None,
    local_files_only: bool | None = None,
    cache: bool = True,
    quiet: bool = False,
) -> Florence:
    """Loads a checkpoint and its processor, or a record of answers (see `record`).

    Args:
        name: a key of `CHECKPOINTS`, a hub id, or a folder. ``microsoft/Florence-2-…`` means its native
            version. A ``.json`` file of `record`, or "recorded" for the real answers in the package, gives a
            `RecordedFlorence`, for which the other arguments mean nothing.
        device: "cuda", "mps", "cpu" …; None takes the first of these that is there.
        dtype: "float32", "float16" or "bfloat16"; None: float16 on CUDA, else float32.
        attn_implementation: "sdpa", "eager", "flash_attention_2"; None takes the last one where flash-attn, a
            CUDA device of 2020 or later and a half-precision dtype come together, else sdpa.
        revision: a branch, tag or commit of the hub.
        local_files_only: None asks the network only for what is not on this disk; True never; False looks for
            a newer version.
        cache: remember encoded pictures (see `Florence`); answers are the same without, only slower.
        quiet: print nothing. Otherwise one line tells what mini cannot do, or which version was taken.

    Raises:
        CheckpointError: the checkpoint is not available, is not a native Florence-2, or its files are
            incomplete or cannot be read.
        InputError: device, dtype or attention do not exist here, the memory is too small, or a record cannot
            be read.
    """
    global last_loaded
    if _is_record(name):
        from .recording import load_record

        last_loaded = last_loaded or str(name)  # one that is looked at beside mini changes no exercise
        return load_record(name, quiet=quiet)
    Florence = _florence()
    where = _device(device)
    kind = _dtype(dtype, where)
    attention = attn_implementation or _attention(where, kind)
    folder = find(name, revision=revision, local_files_only=local_files_only, quiet=quiet)
    _check_folder(folder, str(name))
    with no_bars():
        processor = _processor(folder, str(name))
        model = _model(folder, str(name), kind, attention)
        florence = Florence(_moved(model, where, str(name)), processor, str(name), cache=cache)
    last_loaded = str(name)
    florence.folder = folder
    if folder == MINI_FOLDER and not quiet:
        print(_MINI_LINE)
    return florence


def _is_record(name: str | Path) -> bool:
    text = str(name)
    is_json = text.lower().endswith(".json") and not os.path.isdir(os.path.expanduser(text))
    return text == "recorded" or is_json


def _florence() -> type[Florence]:
    """The class, whose module imports torch and transformers."""
    try:
        from transformers import Florence2Processor  # noqa: F401

        from .florence import Florence
    except (ImportError, RuntimeError) as error:  # transformers wraps what its parts raise
        from .check import outdated

        advice = outdated(["safetensors", "transformers", "torch", "numpy"])
        advice = advice or "run `florence-nb check` for the cure"
        reason = shown(first_line(causes(error)[-1]), 150)
        raise CheckpointError(f"transformers cannot be used here ({reason}): {advice}.") from error
    return Florence


def _check_folder(folder: Path, name: str) -> None:
    """Whether the folder holds a native Florence-2. Transformers reads an old configuration without a word,
    and wrongly.
    """
    _check_files(folder)
    name = shown(name)
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        vision = dict(config.get("vision_config") or {})
    except (OSError, ValueError, TypeError, AttributeError) as error:
        reason = getattr(error, "strerror", None) or shown(first_line(error), 60)
        raise CheckpointError(
            f"{shown(folder)} has no readable config.json ({reason}): give the folder that a checkpoint was"
            " saved in."
        ) from error
    if config.get("model_type") != "florence2":
        kind = shown(repr(config.get("model_type")), 40)
        raise CheckpointError(f"{name} is not a Florence-2 but {kind}: take one of {', '.join(CHECKPOINTS)}.")
    if "dim_embed" in vision or vision.get("model_type") == "davit":
        raise CheckpointError(
            f"{name} is in the layout of 2024, which needs remote code that no longer runs: take a native"
            " checkpoint (base, base-ft, large, large-ft), or convert it with"
            " convert_florence2_original_pytorch_to_hf.py of transformers."
        )
    if not is_complete(folder):
        raise CheckpointError(
            f"{shown(folder)} is incomplete: it needs config.json, *.safetensors and the tokenizer's files."
        )


def _check_files(folder: Path) -> None:
    """Whether every file may be read and is itself: their readers tell it as damage, or as a missing file."""
    for path in (path for pattern in WANTED for path in sorted(folder.glob(pattern))):
        try:
            with path.open("rb") as file:
                start = file.read(40)
        except OSError as error:
            raise CheckpointError(
                f"{shown(path)} cannot be read ({error.strerror}): check your rights to it."
            ) from error
        if start.startswith(b"version https://git-lfs"):
            raise CheckpointError(
                f"{shown(path)} is a Git LFS pointer instead of the file itself: run `git lfs install`, then"
                " `git lfs pull` in that folder."
            )


def _processor(folder: Path, name: str) -> Any:
    from transformers import Florence2Processor

    try:
        return Florence2Processor.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # damaged files raise whatever their reader raises
        raise _unreadable(f"The processor files of {shown(name)}", error) from error


def _model(folder: Path, name: str, dtype: torch.dtype, attention: str) -> Any:
    from transformers import Florence2ForConditionalGeneration, GenerationConfig

    kind = Florence2ForConditionalGeneration
    try:
        config = kind.config_class.from_pretrained(folder, local_files_only=True)
        model, report = kind.from_pretrained(
            None,
            config=config,
            state_dict=_weights(folder),
            dtype=dtype,
            attn_implementation=attention,
            output_loading_info=True,
        )
        if (folder / "generation_config.json").is_file():
            model.generation_config = GenerationConfig.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # damaged weights raise whatever their reader raises
        foreign = attention not in ("sdpa", "eager")
        if foreign and (isinstance(error, ImportError) or "attn_implementation" in str(error)):
            raise InputError(
                f"attn_implementation={shown(repr(attention))} is not installed here: leave it out, or take"
                " 'sdpa'."
            ) from error
        raise _unreadable(f"The weights of {shown(name)}", error) from error
    _check_report(report, name)
    return model.eval()


def _weights(folder: Path) -> dict[str, Any]:
    """Every weight as something that reads itself from the file when its turn comes.

    `from_pretrained` alone maps the file into memory, so that float16 weights loaded as float32 take 1.5
    times the room they need.
    """
    from safetensors import safe_open

    files = [safe_open(path, framework="pt", backend="pread") for path in weight_files(folder)]
    return {key: file.get_slice(key) for file in files for key in file.keys()}


def _unreadable(what: str, error: Exception) -> InputError | CheckpointError:
    """Why files could not be loaded: only what is damaged has to be fetched again."""
    from .check import outdated

    reason = shown(first_line(error))
    advice = outdated(["safetensors", "transformers", "torch"])
    if isinstance(error, (TypeError, AttributeError, ImportError)) and advice:
        return CheckpointError(f"{what} cannot be read by packages that are too old ({reason}): {advice}.")
    if isinstance(error, TypeError) and "backend" in reason:
        return CheckpointError(
            f"{what} cannot be read, safetensors is too old here ({reason}): pip install --upgrade"
            " safetensors."
        )
    if isinstance(error, ImportError):
        return CheckpointError(f"{what} cannot be read ({reason}): run `florence-nb check` for the cure.")
    if _no_memory(error):
        return _memory(what)
    if isinstance(error, OSError) and error.errno:
        return CheckpointError(f"{what} cannot be read ({reason}): check the disk and your rights.")
    return CheckpointError(f"{what} cannot be read ({reason}): they are damaged, fetch them again.")


def _no_memory(error: Exception) -> bool:
    words = ("out of memory", "not enough memory", "Cannot allocate memory", "can't allocate memory")
    return isinstance(error, MemoryError) or any(word in str(error) for word in words)


def _memory(what: str) -> InputError:
    return InputError(
        f"{what} do not fit in the memory that is free: close other programs or kernels, take"
        " dtype='float16', or a smaller checkpoint such as 'base' or 'mini'."
    )


def _moved(model: Any, device: torch.device, name: str) -> Any:
    try:
        return model.to(device)
    except Exception as error:  # drivers raise whatever they like
        if _no_memory(error):
            raise _memory(f"The weights of {shown(name)}") from error
        raise InputError(
            f"The model cannot be moved to {device} ({shown(first_line(error))}): take device='cpu', or look"
            " after the driver."
        ) from error


def _check_report(report: dict[str, Any], name: str) -> None:
    """Transformers only warns about a weight it did not find and fills it with random numbers; the answers
    are then nonsense.
    """
    lacking = sorted(str(key) for key in [*report["missing_keys"], *report["mismatched_keys"]])
    if lacking:
        raise CheckpointError(
            f"The weights of {name} are incomplete: {len(lacking)} are missing or of the wrong shape, such as"
            f" {lacking[0]}. Fetch the checkpoint again, or take another one."
        )


def _device(device: str | torch.device | None) -> torch.device:
    import torch

    if device is None:
        return torch.device(
            "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        )
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise InputError(
            f"There is no device {device!r}: leave it out, or take 'cuda', 'mps' or 'cpu'."
        ) from error
    here = {"cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available}
    if not here.get(chosen.type, lambda: True)():
        raise InputError(
            f"PyTorch sees no {chosen.type} device here: leave device out to take what is there."
        )
    return chosen


def _dtype(dtype: str | torch.dtype | None, device: torch.device) -> torch.dtype:
    import torch

    if dtype is None:
        # float16 and not bfloat16: the weights are published so, and it keeps three bits more for a
        # location's rank.
        return torch.float16 if device.type == "cuda" else torch.float32
    named = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
    short = {"fp32": "float32", "fp16": "float16", "half": "float16", "bf16": "bfloat16"}
    text = str(dtype).removeprefix("torch.")
    if short.get(text, text) not in named:
        raise InputError(
            f"dtype={dtype!r} is not for Florence-2: take {', '.join(map(repr, named))}, or leave it out."
        )
    return named[short.get(text, text)]


def _attention(device: torch.device, dtype: torch.dtype) -> str:
    import torch

    fits = device.type == "cuda" and dtype in (torch.float16, torch.bfloat16)
    if fits and importlib.util.find_spec("flash_attn") and torch.cuda.get_device_capability(device) >= (8, 0):
        return "flash_attention_2"
    return "sdpa"


@contextmanager
def no_bars() -> Iterator[None]:
    """Reading from the disk takes moments: its bar would only be noise in a notebook. The bar of a download
    stays.
    """
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
