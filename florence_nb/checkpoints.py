"""Which checkpoints there are, and where their files lie: in the package, in a folder, in the hub's cache, or
on the hub.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from .errors import CheckpointError

MINI_FOLDER = Path(__file__).parent / "mini"
# Weights, configuration, tokenizer, processor. No *.py and no *.bin: neither is needed, and both can run
# code.
WANTED = ["*.json", "*.safetensors", "*.txt"]

# What went wrong, by the name of the exception: huggingface_hub, its HTTP client and the system each raise
# their own.
_NO_ANSWER = "but it did not answer (no network, or a proxy in between)"
_REASONS = {
    "RepositoryNotFoundError": "which knows no such checkpoint, or wants a login for it",
    "GatedRepoError": "which wants a login and an accepted licence for it",
    "RevisionNotFoundError": "which has no such revision of it",
    "OfflineModeIsEnabled": "but HF_HUB_OFFLINE is set",
    "LocalEntryNotFoundError": _NO_ANSWER,
    "ConnectError": _NO_ANSWER,
}


@dataclass(frozen=True)
class Checkpoint:
    """A published Florence-2.

    Attributes:
        name: what `load` takes. hub_id: its place on huggingface.co; "" for the one inside the package.
        parameters: their number. download_bytes: the size of the weights, to the nearest megabyte or so.
            about: one line.
    """

    name: str
    hub_id: str
    parameters: int
    download_bytes: int
    licence: str
    about: str


# Parameters: counted from the configurations, with the vocabulary padded to 51 328 rows. Bytes: two a
# parameter (float16).
_ROWS = (
    Checkpoint("mini", "", 7_695_968, 0, "MIT", "drawn scenes only; comes with the package"),
    Checkpoint(
        "base", "florence-community/Florence-2-base", 231_443_968, 464_000_000, "MIT", "pretrained on FLD-5B"
    ),
    Checkpoint(
        "base-ft",
        "florence-community/Florence-2-base-ft",
        231_443_968,
        464_000_000,
        "MIT",
        "base, tuned further",
    ),
    Checkpoint(
        "large",
        "florence-community/Florence-2-large",
        770_213_888,
        1_543_107_459,
        "MIT",
        "pretrained on FLD-5B",
    ),
    Checkpoint(
        "large-ft",
        "florence-community/Florence-2-large-ft",
        770_213_888,
        1_543_107_459,
        "MIT",
        "large, tuned further",
    ),
)
CHECKPOINTS: Mapping[str, Checkpoint] = MappingProxyType({row.name: row for row in _ROWS})


def find(
    name: str | Path,
    *,
    revision: str | None = None,
    local_files_only: bool | None = None,
    quiet: bool = False,
) -> Path:
    """The folder of a checkpoint on this disk; what is not there is downloaded, with a progress bar.

    Arguments and errors are those of `load`.
    """
    if str(name) == "mini":
        if not (MINI_FOLDER / "config.json").is_file():
            raise CheckpointError(
                f"The mini checkpoint is missing from {MINI_FOLDER}: install florence-nb again."
            )
        return MINI_FOLDER
    if isinstance(name, Path) or _looks_local(name):
        folder = Path(name).expanduser()
        if not folder.is_dir():
            raise CheckpointError(f"There is no folder {folder}: give one that a checkpoint was saved in.")
        return folder
    repository = hub_id(name)
    if not quiet and name.lower().startswith("microsoft/"):
        print(
            f"{name} needs remote code that no longer runs: taking its native twin {repository}, the same"
            " model."
        )
    return _from_hub(name, repository, revision, local_files_only)


def hub_id(name: str) -> str:
    """The place on huggingface.co: of a name of `CHECKPOINTS`, of a ``microsoft/Florence-2-…`` (its twin), or
    the id itself.

    Raises:
        CheckpointError: it is none of these.
    """
    owner, _, bare = name.strip().rpartition("/")
    short = bare.lower().removeprefix("florence-2-")
    if (
        owner.lower() in ("", "microsoft", "florence-community")
        and short in CHECKPOINTS
        and CHECKPOINTS[short].hub_id
    ):
        return CHECKPOINTS[short].hub_id
    if owner and "/" not in owner and owner.lower() != "microsoft":
        return name.strip()
    raise CheckpointError(
        f"There is no checkpoint {name!r}: take one of {', '.join(CHECKPOINTS)}, the hub id of a native"
        " Florence-2 such as 'florence-community/Florence-2-base', or an existing folder."
    )


def _looks_local(name: str) -> bool:
    """A path, or a folder of that name in the current one; but "base" and "large" stay what `CHECKPOINTS`
    says.
    """
    return name not in CHECKPOINTS and (name.startswith((".", "/", "~", "\\")) or Path(name).is_dir())


def fetch(name: str, *, revision: str | None = None) -> Path:
    """Downloads a checkpoint, or its newer version, with a progress bar, for use without a network; returns
    its folder.

    What is there already is not fetched again, and a broken download goes on where it stopped. Errors are
    those of `load`.
    """
    return find(name, revision=revision, local_files_only=False, quiet=True)


def _from_hub(name: str, repository: str, revision: str | None, local_files_only: bool | None) -> Path:
    tried = []
    if local_files_only is not False:
        cached = _cached(repository, revision)
        if cached:
            return cached
        tried.append("the cache on this disk")
    if local_files_only:
        raise CheckpointError(
            _not_to_be_had(name, repository, tried, "and local_files_only=True forbids the network")
        )
    folder = _downloaded(name, repository, revision, [*tried, "huggingface.co"])
    if not is_complete(folder):
        reason = "which has no *.safetensors for it, or sent only a part"
        raise CheckpointError(_not_to_be_had(name, repository, [*tried, "huggingface.co"], reason))
    return folder


def _cached(repository: str, revision: str | None) -> Path | None:
    from huggingface_hub import snapshot_download

    try:
        folder = Path(
            snapshot_download(repository, revision=revision, allow_patterns=WANTED, local_files_only=True)
        )
    except Exception:  # not there in one way or another: the network comes next
        return None
    return folder if is_complete(folder) else None


def _downloaded(name: str, repository: str, revision: str | None, tried: list[str]) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(repository, revision=revision, allow_patterns=WANTED))
    except Exception as error:
        kind = type(error).__name__
        first = (str(error).strip() or "no reason given").splitlines()[0]
        reason = _REASONS.get(kind, f"which failed: {kind}: {first}")
        raise CheckpointError(_not_to_be_had(name, repository, tried, reason)) from error


def is_complete(folder: Path) -> bool:
    """Whether configuration, tokenizer and all files of weights are there: a stopped download leaves a part
    of them.
    """
    return all(
        path.is_file()
        for path in (folder / "config.json", folder / "tokenizer_config.json", *weight_files(folder))
    )


def weight_files(folder: Path) -> list[Path]:
    index = folder / "model.safetensors.index.json"
    names = (
        json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
        if index.is_file()
        else ["model.safetensors"]
    )
    return [folder / name for name in dict.fromkeys(names)]


def _not_to_be_had(name: str, repository: str, tried: list[str], reason: str) -> str:
    sizes = {row.hub_id: row.download_bytes for row in _ROWS}
    size = f", {sizes[repository] / 1e9:.1f} GB" if repository in sizes else ""
    return (
        f"The checkpoint {repository}{size} cannot be had: tried {' and '.join(tried)}, {reason}. Three ways"
        " on: "
        f'load("mini") needs no download; run `florence-nb fetch {name}` where there is a network; '
        f"or give load() the path of a folder that holds {repository}."
    )
