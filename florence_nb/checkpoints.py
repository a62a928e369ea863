"""Which checkpoints there are, and where their files lie: in the package, in a folder, in the hub's cache, or
on the hub.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from .errors import CheckpointError, first_line
from .web import causes, network_fault, shown

MINI_FOLDER = Path(__file__).parent / "mini"
# Weights, configuration, tokenizer, processor. No *.py and no *.bin: neither is needed, and both can run
# code.
WANTED = ["*.json", "*.safetensors", "*.txt"]

_NO_ANSWER = ("but it did not answer (no network, or a proxy in between)", "")
_OWN_CACHE = "Set HF_HOME to a folder of your own on a disk with room."
# What went wrong, and the cure: by the name of huggingface_hub's exceptions, of which the first that fits
# counts; by the number that the hub answers with; and by the system's number of an error.
_BY_NAME = {
    "OfflineModeIsEnabled": ("but HF_HUB_OFFLINE is set", "Unset it to download."),
    "GatedRepoError": (
        "which wants a login and an accepted licence for it",
        "Accept the licence on its page, then run `hf auth login`.",
    ),
    "RevisionNotFoundError": ("which has no such revision of it", "Check revision=."),
    "RepositoryNotFoundError": (
        "which knows no such checkpoint, or wants a login for it",
        "Check its name; for a private one, run `hf auth login`.",
    ),
    "HFValidationError": ("which has no names of this form", "Check its name."),
    "JSONDecodeError": (
        "but something else answered, such as the login page of a network",
        "Open the hub in a browser, and log in to the network.",
    ),
}
_BY_STATUS = {
    401: (
        "which refuses your token as not valid (401)",
        "Remove it (unset HF_TOKEN, or `hf auth logout`): public checkpoints need none.",
    ),
    403: (
        "which refuses access (403 Forbidden)",
        "Check that your token may read it, and that no filter of the network is in between.",
    ),
    404: ("which does not have it (404)", "Check its name, and HF_ENDPOINT if it is set."),
    407: ("but a proxy in between wants a login (407)", "Set HTTPS_PROXY=http://user:password@proxy:port."),
    429: ("which gets too many requests (429)", "Wait some minutes, or log in with `hf auth login`."),
}
_BY_ERRNO = {
    errno.ENOSPC: ("but the disk is full", "Free some space, or set HF_HOME to a folder on a larger disk."),
    errno.EDQUOT: ("but your quota of the disk is used up", _OWN_CACHE),
    errno.EACCES: ("but the cache may not be written (no rights)", _OWN_CACHE),
    errno.EPERM: ("but the cache may not be written (no rights)", _OWN_CACHE),
    errno.EROFS: ("but the disk of the cache is read-only", _OWN_CACHE),
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
    Checkpoint("mini", "", 8_765_792, 0, "MIT", "drawn scenes only; comes with the package"),
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
    if isinstance(name, os.PathLike) or _looks_local(name):
        return _local(os.fspath(name))
    repository = hub_id(name)
    if not quiet and name.lower().startswith("microsoft/"):
        print(
            f"{name} needs remote code that no longer runs: taking its native version {repository}, the same"
            " model."
        )
    return _from_hub(name, repository, revision, local_files_only)


def _local(name: str) -> Path:
    folder = Path(os.path.expanduser(name))  # unlike Path.expanduser, no error where there is no home
    try:
        found = folder.is_dir()
    except OSError as error:
        raise CheckpointError(
            f"{shown(folder)} cannot be looked at ({error.strerror}): check the path and your rights to it."
        ) from error
    if not found:
        raise CheckpointError(f"There is no folder {shown(folder)}: give one that a checkpoint was saved in.")
    return folder


def hub_id(name: str) -> str:
    """The place on huggingface.co: of a name of `CHECKPOINTS`, of a ``microsoft/Florence-2-…`` (its native
    version), or the id itself.

    Raises:
        CheckpointError: it is none of these.
    """
    if not isinstance(name, str):
        raise CheckpointError(f"A checkpoint's name is text or a path, not {shown(repr(name))}.")
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
        f"There is no checkpoint {shown(repr(name))}: take one of {', '.join(CHECKPOINTS)}, the hub id of a"
        " native Florence-2 such as 'florence-community/Florence-2-base', or an existing folder."
    )


def _looks_local(name: str) -> bool:
    """A path, or a folder of that name in the current one; but "base" and "large" stay what `CHECKPOINTS`
    says.
    """
    if not isinstance(name, str) or name in CHECKPOINTS:
        return False
    return name.startswith((".", "/", "~", "\\")) or ("\0" not in name and os.path.isdir(name))


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
        tried.append("the cache on this disk" + _locked())
    if local_files_only:
        why = ("and local_files_only=True forbids the network", "")
        raise CheckpointError(_not_available(name, repository, tried, why))
    tried.append(_hub())
    folder = _downloaded(name, repository, revision, tried)
    if not is_complete(folder):
        why = ("which has no *.safetensors for it, or sent only a part", "")
        raise CheckpointError(_not_available(name, repository, tried, why))
    return folder


def _hub() -> str:
    """The hub as people know it, or the mirror that HF_ENDPOINT names."""
    from huggingface_hub import constants

    address = constants.ENDPOINT
    return "huggingface.co" if "://huggingface.co" in address else f"{shown(address, 60)} (HF_ENDPOINT)"


def _locked() -> str:
    """A word on a cache that this user may not read: what lies in it looks as if it were not there."""
    from huggingface_hub import constants

    try:
        os.scandir(constants.HF_HUB_CACHE).close()
    except PermissionError:
        return " (which you may not read: check your rights, or set HF_HOME)"
    except OSError:
        pass
    return ""


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
        raise CheckpointError(_not_available(name, repository, tried, _why(error, repository))) from error


def _why(error: Exception, repository: str) -> tuple[str, str]:
    """What went wrong, and the cure ("" where there is no special one): huggingface_hub wraps most errors in
    others, so all of them are looked at.
    """
    from huggingface_hub import constants

    chain = causes(error)
    names = {base.__name__ for cause in chain for base in type(cause).__mro__}
    statuses = [getattr(getattr(cause, "response", None), "status_code", None) for cause in chain]
    status = next((number for number in statuses if number is not None), None)
    if status == 401:
        blamed = _token_to_blame(repository, names, " ".join(map(str, chain)))
        return _BY_STATUS[401] if blamed else _BY_NAME["RepositoryNotFoundError"]
    for name, why in _BY_NAME.items():
        if name in names:
            return why
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status is not None and status >= 400:
        return f"which answers {status}", "Try again later."
    return _net_fault(error, constants.ENDPOINT) or _disk_fault(chain) or _other(error, names)


def _token_to_blame(repository: str, names: set[str], text: str) -> bool:
    """The hub answers 401 to a wrong token, but also where there is no such repository, or a private one. The
    published checkpoints need no login: where one is asked for, the token is wrong.
    """
    from huggingface_hub import get_token

    published = repository in {row.hub_id for row in _ROWS}
    sent = bool(get_token()) and (published or "RepositoryNotFoundError" not in names)
    return sent or "Invalid credentials" in text


def _disk_fault(chain: list[BaseException]) -> tuple[str, str] | None:
    text = " ".join(map(str, chain))
    for number, why in _BY_ERRNO.items():
        # hf_xet hands the system's error on as text, with its number.
        if f"(os error {number})" in text or any(getattr(one, "errno", None) == number for one in chain):
            return why
    return None


def _net_fault(error: Exception, endpoint: str) -> tuple[str, str] | None:
    fault = network_fault(error, endpoint)
    if fault is None:
        return None
    reason, cure = fault
    return f"but {reason}", f"{cure[0].upper()}{cure[1:]}." if cure else ""


def _other(error: Exception, names: set[str]) -> tuple[str, str]:
    if "LocalEntryNotFoundError" in names:
        return _NO_ANSWER
    first = first_line(error, "no reason given")
    return f"which failed: {type(error).__name__}: {shown(first, 100)}", ""


def is_complete(folder: Path) -> bool:
    """Whether configuration, tokenizer and all files of weights are there: a stopped download leaves a part
    of them.
    """
    try:
        weights = weight_files(folder)
    except (OSError, ValueError, LookupError, AttributeError, TypeError):  # a damaged index
        return False
    return all(
        os.path.isfile(path) for path in (folder / "config.json", folder / "tokenizer_config.json", *weights)
    )


def weight_files(folder: Path) -> list[Path]:
    index = folder / "model.safetensors.index.json"
    names = (
        json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
        if index.is_file()
        else ["model.safetensors"]
    )
    return [folder / name for name in dict.fromkeys(names)]


def _not_available(name: str, repository: str, tried: list[str], why: tuple[str, str]) -> str:
    sizes = {row.hub_id: row.download_bytes for row in _ROWS}
    size = f", {sizes[repository] / 1e9:.1f} GB" if repository in sizes else ""
    reason, cure = why
    return (
        f"The checkpoint {shown(repository, 60)}{size} is not available: tried {' and '.join(tried)},"
        f" {reason}.{' ' if cure else ''}{cure} Three options:"
        ' load("mini") needs no download; run'
        f" `florence-nb fetch {shown(name, 60)}` where there is a network;"
        " or give load() the path of a folder that holds it."
    )
