"""Which wheels a kit needs, how large they are, and how they come into its folder."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from tqdm.auto import tqdm

from ..errors import InputError
from .platforms import Target
from .run_pip import Done, run_pip

CPU_INDEX = "https://download.pytorch.org/whl/cpu"
# Not every network lets that address through: then it should not be waited for long.
_QUICK = ["--retries", "1", "--timeout", "15"]
EXTRA = "lab"
# What only the CUDA builds of torch need: several GB, and no use on a laptop of a class.
_CUDA = re.compile(r"(nvidia|cuda|triton)(-|$)")
# One call of pip fetches at most so many bytes: what it has fetched counts only when it ends.
_BATCH = 32_000_000


@dataclass(frozen=True)
class Wheel:
    """One file of a kit.

    Attributes:
        name: of the file. url: where it comes from.
        sha256: in hexadecimal; "" where the index does not say.
        size: in bytes; None where nobody says.
    """

    name: str
    url: str
    sha256: str
    size: int | None = None


# ---- which


def resolve(own: Path, target: Target) -> list[Wheel]:
    """All wheels that florence-nb needs on a target, its own one not among them.

    Args:
        own: florence-nb's own wheel. target: the machine.

    Raises:
        InputError: the index does not answer, lacks a wheel, or has only CUDA builds of torch.
    """
    torch = _cpu_torch(target) if target.platform.system == "Linux" else []
    found = _report([f"florence-nb[{EXTRA}] @ {own.resolve().as_uri()}", "pip", *torch], target)
    _check_no_cuda([_name(item) for item in found], target)
    _check_closed(found, target)
    return [_wheel(item) for item in found if _name(item) != "florence-nb"]


def _report(requirements: list[str], target: Target, *more: str) -> list[dict]:
    """What pip would install, by its own report."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        command = ["install", "--dry-run", "--ignore-installed", "--quiet", "--report", str(report)]
        command += ["--target", folder, *target.pip_options(), *more, *requirements]
        done = run_pip(command, target)
        if done.fault:
            raise InputError(_unresolved(done, target))
        return json.loads(report.read_text(encoding="utf-8"))["install"]


def _unresolved(done: Done, target: Target) -> str:
    if done.network:
        return f"The package index does not answer ({done.fault}): check the network, then run it again."
    return (
        f"Not all wheels are to be had for {target.spoken} ({done.fault}): take another --python, or leave"
        " that platform out."
    )


def _cpu_torch(target: Target) -> list[str]:
    """The requirement of the newest CPU build: from the index that pip has, or else from PyTorch's own."""
    for more in ([], ["--index-url", CPU_INDEX, *_QUICK]):
        builds = [version for version in _versions_of_torch(target, more) if version.endswith("+cpu")]
        if builds:
            found = _report([f"torch=={max(builds, key=Version)}"], target, "--no-deps", *more)
            return [f"torch @ {found[0]['download_info']['url']}"]
    plain = _report(["torch"], target, "--no-deps")[0]
    _check_no_cuda([canonicalize_name(need.name) for need in _needs(plain, "", target)], target)
    return []


def _versions_of_torch(target: Target, more: list[str]) -> list[str]:
    done = run_pip(["index", "versions", "torch", *target.pip_options(), *more], target)
    line = re.search(r"Available versions: (.*)", done.output)
    return line[1].strip().split(", ") if line else []


def _check_no_cuda(names: list[str], target: Target) -> None:
    extra = [name for name in names if _CUDA.match(name)]
    if extra:
        raise InputError(
            f"Only a CUDA build of torch is to be had for {target.spoken}, with several GB of {extra[0]} and"
            f" others: make {CPU_INDEX} reachable, or take another --python, or put a CPU wheel of torch into"
            " a folder and set PIP_FIND_LINKS to it."
        )


def _check_closed(found: list[dict], target: Target) -> None:
    """pip decided for a machine that it does not run on, so its answer is proved: each requirement that
    counts there is met.
    """
    packages = {_name(item): item for item in found}
    waiting = [("florence-nb", EXTRA)]
    seen: set[tuple[str, str]] = set()
    while waiting:
        name, extra = waiting.pop()
        for need in _needs(packages[name], extra, target):
            key = canonicalize_name(need.name)
            version = packages[key]["metadata"]["version"] if key in packages else None
            if version is None or not need.specifier.contains(version, prereleases=True):
                raise InputError(f"pip chose no wheels for {target.spoken} that fit: {name} needs {need}.")
            new = {(key, wanted) for wanted in ("", *need.extras)} - seen
            seen |= new
            waiting += new


def _needs(item: dict, extra: str, target: Target) -> Iterator[Requirement]:
    for line in item["metadata"].get("requires_dist", []):
        need = Requirement(line)
        if need.marker is None or need.marker.evaluate({**target.markers(), "extra": extra}):
            yield need


def _name(item: dict) -> str:
    return canonicalize_name(item["metadata"]["name"])


def _wheel(item: dict) -> Wheel:
    info = item["download_info"]
    url = info["url"].split("#")[0]
    sha256 = info.get("archive_info", {}).get("hashes", {}).get("sha256", "")
    return Wheel(unquote(urlsplit(url).path.rpartition("/")[2]), url, sha256)


# ---- how large


def with_sizes(wheels: list[Wheel]) -> list[Wheel]:
    """The same wheels with their sizes, as the servers say them; no file is fetched."""
    with ThreadPoolExecutor(8) as pool:
        sizes = pool.map(_size, wheels)
        bar = tqdm(sizes, "asking for sizes", total=len(wheels), unit="wheel", leave=False, disable=None)
        return [replace(wheel, size=size) for wheel, size in zip(wheels, bar)]


def _size(wheel: Wheel) -> int | None:
    import requests

    parts = urlsplit(wheel.url)
    try:
        if parts.scheme == "file":
            return os.path.getsize(_path(wheel.url))
        answer = requests.head(wheel.url, timeout=10, allow_redirects=True)
        return int(answer.headers["Content-Length"]) if answer.ok else None
    except (OSError, KeyError, ValueError):  # a server may refuse it: then the size is not known
        return None


def _path(url: str) -> str:
    from urllib.request import url2pathname

    return url2pathname(urlsplit(url).path)


# ---- fetching


def fetch(wheels: list[Wheel], target: Target, bar: tqdm) -> Iterator[tuple[Wheel, Path]]:
    """Fetch wheels with pip, in batches; each file is there until the next one is asked for.

    Args:
        wheels: those of one target. bar: moves on by bytes.

    Raises:
        InputError: the network or the index failed.
    """
    for batch in _batches(wheels):
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary, "whole")
            _fetch_batch(batch, target, folder, bar)
            yield from ((wheel, folder / wheel.name) for wheel in batch)


def _batches(wheels: Iterable[Wheel]) -> Iterator[list[Wheel]]:
    batch: list[Wheel] = []
    for wheel in wheels:
        if batch and sum(one.size or 0 for one in [*batch, wheel]) > _BATCH:
            yield batch
            batch = []
        batch.append(wheel)
    if batch:
        yield batch


def _fetch_batch(batch: list[Wheel], target: Target, folder: Path, bar: tqdm) -> None:
    before, size = bar.n, sum(wheel.size or 0 for wheel in batch)

    def watch() -> None:
        bar.n = before + min(_bytes_under(folder.parent), size)
        bar.refresh()

    wanted = [f"{_project(wheel)} @ {wheel.url}{_fragment(wheel)}" for wheel in batch]
    command = ["download", "--no-deps", "--quiet", "--dest", str(folder), *target.pip_options(), *wanted]
    done = run_pip(command, target, temporary=str(folder.parent), watch=watch)
    if done.fault:
        raise InputError(
            f"The wheels could not be fetched to the end ({done.fault}): nothing is lost; check the network,"
            " and run the same command again, which fetches only what is missing."
        )
    bar.n = before + size
    bar.refresh()


def _project(wheel: Wheel) -> str:
    return wheel.name.split("-")[0]


def _fragment(wheel: Wheel) -> str:
    return f"#sha256={wheel.sha256}" if wheel.sha256 else ""


def _bytes_under(folder: Path) -> int:
    """What pip has so far; files may vanish while they are counted."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.path.getsize(os.path.join(place, name))
            except OSError:
                continue
    return total
