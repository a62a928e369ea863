"""The wheel of florence-nb itself: built from a clone, or made again from what is installed."""

from __future__ import annotations

import base64
import csv
import hashlib
import importlib.metadata
import io
import shutil
import zipfile
from pathlib import Path

from ..errors import InputError
from .run_pip import run_pip

# What the installer wrote, and no part of the wheel.
_OF_THE_INSTALLER = {"INSTALLER", "REQUESTED", "RECORD", "direct_url.json", "uv_cache.json", "uv_build.json"}
_NOT_COPIED = (".*", "build", "dist", "*.egg-info", "__pycache__", "tests", "benchmarks")


def own_wheel(folder: Path) -> Path:
    """Write the wheel of this florence-nb into `folder`; never one of that name from a package index.

    Raises:
        InputError: it could not be built, or the installation is not whole.
    """
    source = Path(__file__).resolve().parents[2]
    return (
        _built(source, folder) if (source / "pyproject.toml").is_file() else wheel_of("florence-nb", folder)
    )


def _built(source: Path, folder: Path) -> Path:
    """From a copy, because a build leaves files in the clone, and takes old ones along."""
    copy = folder / "source"
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns(*_NOT_COPIED))
    done = run_pip(["wheel", "--no-deps", "--wheel-dir", str(folder), str(copy)])
    shutil.rmtree(copy)
    if done.fault:
        raise InputError(
            f"The wheel of florence-nb could not be built from {source} ({done.fault}): building needs the"
            " package index once, for setuptools."
        )
    return next(folder.glob("florence_nb-*.whl"))


def wheel_of(name: str, folder: Path) -> Path:
    """Make the wheel of an installed package again, from the files that its RECORD lists.

    Raises:
        InputError: files of it are missing.
    """
    package = importlib.metadata.distribution(name)
    files = sorted(file for file in package.files or [] if _belongs(file))
    missing = [file for file in files if not Path(str(file.locate())).is_file()]
    if missing or not files:
        raise InputError(f"{name} is not installed whole ({missing[:1] or 'no RECORD'}): install it again.")
    info = next(file.parent for file in files if file.name == "METADATA")
    target = folder / f"{info.name.removesuffix('.dist-info')}-{_tag(package)}.whl"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        rows = [_add(archive, file.as_posix(), Path(str(file.locate())).read_bytes()) for file in files]
        record = f"{info.as_posix()}/RECORD"
        archive.writestr(record, _as_csv([*rows, (record, "", "")]))
    return target


def _belongs(file: importlib.metadata.PackagePath) -> bool:
    outside = ".." in file.parts or Path(file).is_absolute()  # programs, which the next installer makes anew
    written = file.parent.suffix == ".dist-info" and file.name in _OF_THE_INSTALLER
    return not outside and not written and "__pycache__" not in file.parts


def _tag(package: importlib.metadata.Distribution) -> str:
    lines = (package.read_text("WHEEL") or "").splitlines()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("Tag:")), "py3-none-any")


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> tuple[str, str, str]:
    """The row of RECORD: name, digest, bytes."""
    archive.writestr(name, data)
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return name, f"sha256={digest}", str(len(data))


def _as_csv(rows: list[tuple[str, str, str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
