"""Install florence-nb from a folder that `florence-nb pack` wrote, without a network.

This file needs nothing but Python's standard library, because the kit carries a copy of it: install.py, for
laptops that have only Python. It changes nothing outside the two folders that it makes.
"""

from __future__ import annotations

import argparse
import errno
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import venv
import zipfile
from pathlib import Path

FORMAT = 1
LIST = "SHA256SUMS"
ABOUT = "kit.json"
WHEELS = "wheels"
VENV = "florence-venv"
LESSONS = "florence-lessons"
WHAT = "florence-nb[lab]"
PLATFORMS = {
    ("Windows", "amd64"): "windows",
    ("Darwin", "arm64"): "macos",
    ("Linux", "x86_64"): "linux",
    ("Linux", "aarch64"): "linux-arm",
}
_MARK = "made-by-florence-nb.txt"
FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
_CODE = "import sys; from florence_nb.kit.lessons import copy_lessons as c; print(*c(sys.argv[1]).notes)"


class KitError(ValueError):
    """The kit or the place for it cannot be used: one sentence, and the way out."""


def unpack(kit: str | Path, into: str | Path | None = None) -> Path:
    """Check a kit, make a virtual environment, install florence-nb in it, and copy lessons and checkpoints.

    Args:
        kit: the folder that `pack` wrote.
        into: the virtual environment; by default florence-venv in the current folder. The lessons go beside
            it. An environment that an earlier, interrupted call made is completed.

    Returns:
        The folder of the virtual environment.

    Raises:
        KitError: the kit is no kit, is not whole, or has nothing for this machine; or the place is taken,
            full, or may not be written.
    """
    kit = Path(kit)
    about = read_about(kit)
    wheels = wheels_for(about, this_machine())
    place = Path(into) if into else default_place(kit)
    _check_place(place, kit)
    check_files(kit, _needed(kit, about, wheels))
    _check_room(place, kit, about, wheels)
    try:
        python = _make_venv(place)
        _install(python, kit, about, wheels)
        _bring_lessons(python, place.parent / LESSONS)
        _bring_checkpoints(kit, about, place.parent / LESSONS)
    except OSError as error:
        raise KitError(_could_not_write(place, error)) from error
    return place


# ---- the kit


def read_about(kit: Path) -> dict:
    """What kit.json says of a kit.

    Raises:
        KitError: the folder is no kit, or one that this version cannot read.
    """
    try:
        about = json.loads((kit / ABOUT).read_text(encoding="utf-8"))
        found, made, _ = about["format"], about["florence_nb"], (about["targets"], about["checkpoints"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KitError(
            f"{kit} is no kit ({ABOUT} is missing or damaged): name the folder that florence-nb pack wrote,"
            " or copy it again."
        ) from error
    if found != FORMAT:
        raise KitError(
            f"{kit} was packed by another version of florence-nb ({made}): run the kit's own installer,"
            f" python {kit / 'install.py'}"
        )
    return about


def this_machine() -> str:
    """Such as ``"linux 3.12"``: the system with its processor, and the version of Python."""
    key = (platform.system(), platform.machine().lower())
    name = PLATFORMS.get(key, "-".join(part for part in key if part))
    if sys.implementation.name != "cpython":
        name = f"{sys.implementation.name} on {name}"
    return f"{name} {sys.version_info[0]}.{sys.version_info[1]}"


def wheels_for(about: dict, machine: str) -> list[str]:
    """The names of the wheels that a machine needs.

    Raises:
        KitError: the kit has none for it.
    """
    found = about["targets"].get(machine)
    if found:
        return found
    system, _, python = machine.rpartition(" ")
    others = [name.rpartition(" ")[2] for name in about["targets"] if name.rpartition(" ")[0] == system]
    what = "; ".join(map(spoken, about["targets"]))
    way_out = (
        f"start install.py with Python {' or '.join(others)}"
        if others
        else "use another laptop, or pack a kit for this one"
    )
    raise KitError(f"This machine is {spoken(machine)}, and the kit is for {what}: {way_out}.")


def spoken(target: str) -> str:
    name, _, python = target.rpartition(" ")
    return f"{name} with Python {python}"


def _needed(kit: Path, about: dict, wheels: list[str]) -> list[str]:
    """The paths in the kit that this machine needs: a broken wheel of another system does no harm."""
    folders = tuple(f"{folder}/" for folder in about["checkpoints"].values())
    others = [path for path in read_list(kit) if path.startswith(folders)] if folders else []
    return [*(f"{WHEELS}/{name}" for name in wheels), *others]


def read_list(kit: Path) -> dict[str, str]:
    """The list of files: path with forward slashes -> SHA-256, as `sha256sum` writes it.

    Raises:
        KitError: there is none, so that the kit was not packed to its end.
    """
    try:
        lines = (kit / LIST).read_text(encoding="utf-8").splitlines()
        pairs = [line.split("  ", 1) for line in lines if line.strip()]
        return {path: digest for digest, path in pairs}
    except (OSError, ValueError) as error:
        raise KitError(
            f"{kit} is not whole ({LIST} is missing or damaged): run florence-nb pack again to its end, or"
            " copy the folder again."
        ) from error


def check_files(kit: Path, paths: list[str] | None = None) -> None:
    """Compare files of the kit with its list; all of them by default.

    Raises:
        KitError: some are missing or changed; the first ones are named.
    """
    listed = read_list(kit)
    wanted = list(listed) if paths is None else paths
    bad = []
    for number, path in enumerate(wanted, 1):
        _progress("checking files", number, len(wanted))
        why = _fault(kit / path, listed.get(path))
        bad += [f"{path} {why}"] if why else []
    if bad:
        more = f" and {len(bad) - 3} more" if len(bad) > 3 else ""
        raise KitError(
            f"The kit is not whole: {', '.join(bad[:3])}{more}. Copy the folder from a good stick again, or"
            " run the same florence-nb pack again: it fetches only what is missing."
        )


def _fault(path: Path, wanted: str | None) -> str:
    if wanted is None:
        return f"is not in {LIST}"
    if not path.is_file():
        return "is missing"
    try:
        return "" if digest(path) == wanted else "is cut off or changed"
    except OSError as error:
        return f"cannot be read ({error.strerror})"


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    summed = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            summed.update(block)
    return summed.hexdigest()


# ---- the place


def default_place(kit: Path) -> Path:
    """florence-venv in the current folder; in the home folder if the current one lies in the kit, because a
    stick is slow and goes back to the teacher.
    """
    here = Path.cwd()
    inside = kit.resolve() in (here.resolve(), *here.resolve().parents)
    return Path(os.path.expanduser("~"), VENV) if inside else Path(VENV)


def _check_place(place: Path, kit: Path) -> None:
    if kit.resolve() in (place.resolve(), *place.resolve().parents):
        raise KitError(f"{place} lies in the kit: name a folder of this computer with --into.")
    if os.path.lexists(place) and not (place / _MARK).is_file():
        raise KitError(f"{place} is there already, and no kit made it: name another folder with --into.")
    above = next(path for path in (place, *place.absolute().parents) if path.exists())
    if not os.access(above, os.W_OK):
        raise KitError(f"You may not write to {above}: name a folder of your own with --into.")


def _check_room(place: Path, kit: Path, about: dict, wheels: list[str]) -> None:
    need = sum(map(_installed_bytes, (kit / WHEELS / name for name in wheels)))
    files = [file for folder in about["checkpoints"].values() for file in (kit / folder).iterdir()]
    need += sum(file.stat().st_size for file in files)
    free = shutil.disk_usage(place.absolute().parent if place.absolute().parent.exists() else ".").free
    if free < need and not place.exists():
        raise KitError(
            f"{place} takes {need / 1e9:.1f} GB, and the disk has {free / 1e9:.1f} GB free: free some space,"
            " or name a folder on another disk with --into."
        )


def _installed_bytes(wheel: Path) -> float:
    """With a fifth more, for what Python compiles."""
    with zipfile.ZipFile(wheel) as archive:
        return 1.2 * sum(entry.file_size for entry in archive.infolist())


def _could_not_write(place: Path, error: OSError) -> str:
    if error.errno in FULL:
        why = f"The disk of {place} is full: free some space, and run the same command again"
    else:
        why = f"{error.filename or place} could not be written ({error.strerror or error}): name a folder"
        why += " of your own with --into"
    return f"{why}; what is there stays."


# ---- what is made


def _make_venv(place: Path) -> Path:
    """The environment's Python. Without pip, which the kit brings: on Debian and Ubuntu venv has none."""
    place.mkdir(parents=True, exist_ok=True)
    (place / _MARK).write_text("This folder was made from a kit of florence-nb. It may be deleted.\n")
    venv.create(place, with_pip=False, symlinks=os.name != "nt")
    return program(place, "python")


def program(place: Path, name: str) -> Path:
    """Where a virtual environment has a program."""
    return place / "Scripts" / f"{name}.exe" if os.name == "nt" else place / "bin" / name


def _install(python: Path, kit: Path, about: dict, wheels: list[str]) -> None:
    """By the kit's own pip, run out of its wheel, and without the settings of this machine's pip."""
    pip = next(name for name in wheels if name.startswith("pip-"))
    command = [str(python.absolute()), str((kit / WHEELS / pip).absolute() / "pip"), "install", "--isolated"]
    command += ["--no-index", "--find-links", str((kit / WHEELS).absolute()), "--no-warn-script-location"]
    command += ["--quiet", "--disable-pip-version-check", "pip", f"{WHAT}=={about['florence_nb']}"]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, env=_clean_environment(), stdout=log, stderr=log)
        _watch(process, python, len(wheels))
        log.seek(0)
        output = log.read().decode(errors="replace")
    if process.returncode:
        raise KitError(
            f"pip could not install from the kit ({_last_line(output)}): run the same command again, and if"
            " that does not help, pack the kit anew."
        )


def _watch(process: subprocess.Popen, python: Path, all_of_them: int) -> None:
    where = [*python.parents[1].glob("[Ll]ib/site-packages"), *python.parents[1].glob("lib/*/site-packages")]
    while sys.stderr.isatty() and process.poll() is None:
        done = sum(name.endswith(".dist-info") for folder in where for name in os.listdir(folder))
        _progress("installing packages", min(done, all_of_them - 1), all_of_them)
        time.sleep(0.5)
    process.wait()
    _progress("installing packages", all_of_them, all_of_them)


def _clean_environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
    return {**kept, "PIP_CONFIG_FILE": os.devnull}


def _bring_lessons(python: Path, folder: Path) -> None:
    command = [str(python.absolute()), "-c", _CODE, str(folder.absolute())]
    done = subprocess.run(command, env=_clean_environment(), capture_output=True, text=True)
    if done.returncode:
        raise KitError(f"The lessons could not be copied ({_last_line(done.stderr)}).")
    print(done.stdout.strip())


def _bring_checkpoints(kit: Path, about: dict, lessons: Path) -> None:
    """Beside the lessons, because reading from a stick is slow; what is there stays."""
    for folder in about["checkpoints"].values():
        place = lessons / Path(folder).name
        place.mkdir(parents=True, exist_ok=True)
        files = sorted((kit / folder).iterdir())
        for number, file in enumerate(files, 1):
            _copy(file, place / file.name)
            _progress(f"copying {place.name}", number, len(files))


def _copy(source: Path, target: Path) -> None:
    """All of it or nothing."""
    if target.exists():
        return
    part = target.with_name(target.name + ".part")
    try:
        shutil.copyfile(source, part)
        os.replace(part, target)
    finally:
        if part.exists():
            part.unlink()


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (lines or ["no reason given"])[-1][:300]


def _progress(what: str, done: int, of: int) -> None:
    """A bar of plain text, on a terminal only."""
    if sys.stderr.isatty():
        bar = "#" * (20 * done // max(of, 1))
        print(
            f"\r{what}  [{bar:<20}] {done} of {of}",
            end="\n" if done == of else "",
            file=sys.stderr,
            flush=True,
        )


# ---- install.py


def main(arguments: list[str] | None = None) -> int:
    """Run as a script, from the kit: returns 0, 2 if something is wrong, or 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(description="Install florence-nb from this folder, without a network.")
    options(parser)
    parser.set_defaults(kit=Path(__file__).resolve().parent)
    try:
        return run(parser.parse_args(arguments))
    except KitError as error:
        print(f"install.py: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; the same command goes on", file=sys.stderr)
        return 130


def options(parser: argparse.ArgumentParser) -> None:
    """The options of install.py and of `florence-nb unpack`."""
    parser.add_argument(
        "--into", type=Path, help=f"the virtual environment to make (default: {VENV}, in the current folder)"
    )
    parser.add_argument(
        "--only-check", action="store_true", help="compare all files with the list, and install nothing"
    )


def run(options: argparse.Namespace) -> int:
    """Do what the options say, and tell how to go on.

    Raises:
        KitError: as `unpack`.
    """
    if options.only_check:
        read_about(options.kit)
        check_files(options.kit)
        print(f"{options.kit}: {len(read_list(options.kit))} files, all whole.")
        return 0
    began = time.monotonic()
    place = unpack(options.kit, options.into)
    print(f"Installed in {place} ({time.monotonic() - began:.0f} s). Go on with this one command:")
    print(f"    {_go_on(place)}")
    return 0


def _go_on(place: Path) -> str:
    start = str(program(place, "florence-nb")) + " lab"
    here = place.absolute().parent == Path.cwd()
    return start if here else f"{start} --folder {place.parent / LESSONS}"


if __name__ == "__main__":
    sys.exit(main())
