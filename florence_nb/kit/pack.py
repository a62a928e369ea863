"""Write a folder from which laptops are installed without a network: the offline kit."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tqdm.auto import tqdm

from .. import __version__
from ..errors import CheckpointError, InputError
from . import unpack
from .lessons import pages, shipped
from .own_wheel import own_wheel
from .platforms import Target, targets
from .wheels import Wheel, fetch, resolve, with_sizes
from .whole_file import write_whole

INSTALLER = "install.py"
PAGE = "README.md"


@dataclass
class _Plan:
    """What goes into a kit; kept in it, so that an interrupted `pack` goes on with the same versions.

    Attributes:
        targets: such as ``"linux 3.12"`` -> names of wheels.
        wheels: by name, each one once.
        checkpoints: name -> folder in the kit.
    """

    targets: dict[str, list[str]]
    wheels: dict[str, Wheel]
    checkpoints: dict[str, str]
    finished: bool = False

    def asks_for(self, chosen: list[Target], checkpoints: list[str]) -> bool:
        """Is it a plan for just this?"""
        return {*self.targets} == {*map(str, chosen)} and {*self.checkpoints} == {*checkpoints}


def pack(
    out: str | Path,
    *,
    checkpoints: Sequence[str] = (),
    platforms: Sequence[str] = (),
    pythons: Sequence[str] = (),
    say: Callable[[str], None] = print,
) -> Path:
    """Write a kit, or complete one: wheels for every platform with every Python, lessons, workshop pages,
    checkpoints, an installer, a page that explains it, and a list of SHA-256 digests.

    Args:
        out: the folder; new, empty, or one that an earlier call wrote.
        checkpoints: names as in `load`; ``"mini"`` is in the package's wheel anyway.
        platforms: windows, macos, linux, linux-arm; this machine's by default.
        pythons: such as ``"3.12"``; this one by default.
        say: gets what a person should read, the size before anything is fetched.

    Returns:
        The folder.

    Raises:
        InputError: a name is not known, the folder is not to be used or full, or the index failed.
        CheckpointError: a checkpoint is not available.
    """
    out, chosen, names = Path(out), _targets(platforms, pythons), _checkpoints(checkpoints)
    before = _look_at(out)
    try:
        with tempfile.TemporaryDirectory() as temporary:
            say("Making the wheel of florence-nb …")
            own = own_wheel(Path(temporary))
            plan = before if before and before.asks_for(chosen, names) else _plan(own, chosen, names, say)
            missing = _missing(plan, out)
            _check_room(plan, missing, names, out, say)
            _start(out, plan)
            _bring_wheels(plan, missing, chosen, out)
            _keep(own, out / unpack.WHEELS / own.name)
            _drop_others(out / unpack.WHEELS, {own.name, *plan.wheels})
        _bring_pages(plan, chosen, out)
        _bring_checkpoints(plan, out)
        _finish(out, plan)
    except OSError as error:
        raise InputError(_could_not_write(out, error)) from error
    return out


def _targets(platforms: Sequence[str], pythons: Sequence[str]) -> list[Target]:
    system, _, python = unpack.this_machine().rpartition(" ")
    return targets(list(platforms) or [system], list(pythons) or [python])


def _checkpoints(names: Sequence[str]) -> list[str]:
    from ..checkpoints import CHECKPOINTS, hub_id, is_complete

    wanted = [name for name in dict.fromkeys(names) if name != "mini"]
    for name in wanted:
        folder = Path(os.path.expanduser(name))
        if name in CHECKPOINTS or not folder.is_dir():
            hub_id(name)  # raises where there is no such name
        elif not is_complete(folder):
            raise CheckpointError(f"{name} holds no whole checkpoint: name a folder that one was saved in.")
    return wanted


def _look_at(out: Path) -> _Plan | None:
    """The plan of the kit that is there, None for a new or empty folder."""
    if os.path.lexists(out) and not out.is_dir():
        raise InputError(f"{out} is a file: name a folder for the kit with --out.")
    try:
        there = [*os.scandir(out)] if out.is_dir() else []
    except OSError as error:
        raise InputError(_could_not_write(out, error)) from error
    if not there:
        return None
    try:
        about = unpack.read_about(out)
    except unpack.KitError:
        raise InputError(
            f"{out} holds something else ({there[0].name} …): name a new or empty folder with --out."
        ) from None
    if about["florence_nb"] != __version__:
        raise InputError(
            f"{out} holds a kit of florence-nb {about['florence_nb']}, and this is {__version__}: name"
            " another folder with --out, or delete that one."
        )
    wheels = {name: Wheel(**row) for name, row in about["wheels"].items()}
    own = f"florence_nb-{__version__}"
    each = {target: [n for n in row if not n.startswith(own)] for target, row in about["targets"].items()}
    return _Plan(each, wheels, about["checkpoints"], about["finished"])


def _plan(own: Path, chosen: list[Target], names: list[str], say: Callable[[str], None]) -> _Plan:
    say("Asking the package index what it needs; this takes about a minute a platform …")
    each = {}
    linux_first = sorted(chosen, key=lambda target: target.platform.system != "Linux")  # it may be refused
    for target in tqdm(linux_first, "asking the index", unit="platform", disable=None):
        each[str(target)] = resolve(own, target)
    wheels = with_sizes(list({wheel.name: wheel for row in each.values() for wheel in row}.values()))
    return _Plan(
        {target: [wheel.name for wheel in row] for target, row in each.items()},
        {wheel.name: wheel for wheel in wheels},
        {name: _folder_of(name) for name in names},
    )


def _folder_of(checkpoint: str) -> str:
    from ..checkpoints import CHECKPOINTS

    name = f"florence-2-{checkpoint}" if checkpoint in CHECKPOINTS else Path(checkpoint).name.lower()
    return f"checkpoints/{name}"


# ---- how large


def _missing(plan: _Plan, out: Path) -> list[Wheel]:
    """The wheels that are not there, or not whole."""
    folder = out / unpack.WHEELS
    rows = tqdm(plan.wheels.values(), "checking what is there", unit="wheel", leave=False, disable=None)
    return [wheel for wheel in rows if not _is_whole(folder / wheel.name, wheel)]


def _is_whole(path: Path, wheel: Wheel) -> bool:
    if not path.is_file() or (wheel.size is not None and path.stat().st_size != wheel.size):
        return False
    return bool(wheel.sha256) and unpack.digest(path) == wheel.sha256


def _check_room(
    plan: _Plan, missing: list[Wheel], names: list[str], out: Path, say: Callable[[str], None]
) -> None:
    from ..check import free_bytes

    models = {name: _checkpoint_bytes(name, out / plan.checkpoints[name]) for name in names}
    need = sum(wheel.size or 0 for wheel in missing) + sum(models.values()) + _own_bytes()
    free = free_bytes(out.absolute())
    unknown = sum(wheel.size is None for wheel in missing)
    say(_sizes(plan, missing, models, need, free, unknown))
    if need > free:
        raise InputError(
            f"{out} needs {need / 1e6:.0f} MB more, and its disk has {free / 1e6:.0f} MB free: free some"
            " space, or take fewer platforms, or a larger stick."
        )


def _sizes(
    plan: _Plan, missing: list[Wheel], models: dict[str, int], need: int, free: int, unknown: int
) -> str:
    total = sum(wheel.size or 0 for wheel in plan.wheels.values()) / 1e6
    parts = [f"{len(plan.wheels)} wheels ({total:.0f} MB) for {', '.join(map(unpack.spoken, plan.targets))}"]
    parts += [f"checkpoint {name} ({size / 1e6:.0f} MB)" for name, size in models.items()]
    at_least = f" or more, as {unknown} wheels come without a size" if unknown else ""
    here = (
        f"; {len(plan.wheels) - len(missing)} wheels are there already"
        if len(missing) < len(plan.wheels)
        else ""
    )
    own = f"florence-nb with mini and the lessons ({_own_bytes() / 1e6:.0f} MB)"
    return (
        f"The kit: {', '.join(parts)}, and {own}."
        f"\nTo write: {need / 1e6:.0f} MB{at_least}{here}. Free: {free / 1e6:.0f} MB."
    )


def _own_bytes() -> int:
    """florence-nb's wheel, and lessons and pages beside it."""
    package = Path(unpack.__file__).parents[1]
    data = [*(package / "mini").iterdir(), *(package / "samples").iterdir(), *_pages()]
    return sum(path.stat().st_size for path in data if path.is_file())


def _checkpoint_bytes(name: str, target: Path) -> int:
    from ..checkpoints import CHECKPOINTS, find, is_complete

    try:
        folder = find(name, local_files_only=True, quiet=True)
    except CheckpointError:
        return CHECKPOINTS[name].download_bytes if name in CHECKPOINTS else 0
    there = target.is_dir() and is_complete(target)
    return 0 if there else sum(path.stat().st_size for path in _checkpoint_files(folder))


# ---- what is written


def _start(out: Path, plan: _Plan) -> None:
    """From here on the folder is a kit, and not a whole one."""
    (out / unpack.WHEELS).mkdir(parents=True, exist_ok=True)
    (out / unpack.LIST).unlink(missing_ok=True)
    plan.finished = False
    _write_about(out, plan)


def _write_about(out: Path, plan: _Plan, own: str = "") -> None:
    about = {"format": unpack.FORMAT, "florence_nb": __version__, **asdict(plan)}
    if own:
        about["targets"] = {target: [own, *names] for target, names in plan.targets.items()}
    write_whole(out / unpack.ABOUT, json.dumps(about, indent=1).encode() + b"\n")


def _bring_wheels(plan: _Plan, missing: list[Wheel], chosen: list[Target], out: Path) -> None:
    waiting = {wheel.name: wheel for wheel in missing}
    total = sum(wheel.size or 0 for wheel in missing)
    with tqdm(desc="fetching wheels", total=total, unit="B", unit_scale=True, disable=None) as bar:
        for target in chosen:
            mine = [waiting.pop(name) for name in plan.targets[str(target)] if name in waiting]
            for wheel, path in fetch(mine, target, bar):
                digest = _keep(path, out / unpack.WHEELS / wheel.name)
                if wheel.sha256 not in ("", digest):
                    raise InputError(
                        f"{wheel.name} came changed or cut off from {wheel.url}: run the same command again."
                    )
                plan.wheels[wheel.name] = Wheel(wheel.name, wheel.url, digest, path.stat().st_size)


def _keep(source: Path, target: Path) -> str:
    """Copy a file into the kit, all of it or nothing, and down to the stick; returns its SHA-256."""
    summed, part = hashlib.sha256(), target.with_name(target.name + ".part")
    try:
        with open(source, "rb") as incoming, open(part, "wb") as outgoing:
            while block := incoming.read(1 << 20):
                summed.update(block)
                outgoing.write(block)
            outgoing.flush()
            os.fsync(outgoing.fileno())
        os.replace(part, target)
    except OSError as error:  # that of a write does not say which file it was
        raise OSError(error.errno, error.strerror, str(target)) from error
    finally:
        part.unlink(missing_ok=True)
    return summed.hexdigest()


def _drop_others(folder: Path, wanted: set[str]) -> None:
    """Wheels of an earlier plan: pip would take them if they are newer."""
    for path in folder.iterdir():
        if path.name not in wanted and path.suffix in (".whl", ".part"):
            path.unlink()


def _pages() -> dict[Path, str]:
    """Each page, and the folder of the kit that it goes to."""
    workshop = shipped("workshop")
    for_teachers = sorted([*workshop.glob("*.md"), *workshop.glob("*.py")])
    return {**dict.fromkeys(pages(), "notebooks"), **dict.fromkeys(for_teachers, "workshop")}


def _bring_pages(plan: _Plan, chosen: list[Target], out: Path) -> None:
    for path, name in _pages().items():
        folder = out / name
        folder.mkdir(exist_ok=True)
        _keep(path, folder / path.name)
    _keep(Path(unpack.__file__), out / INSTALLER)
    write_whole(out / PAGE, _page(plan, chosen).encode())


def _bring_checkpoints(plan: _Plan, out: Path) -> None:
    from ..checkpoints import find

    for name, folder in plan.checkpoints.items():
        (out / folder).mkdir(parents=True, exist_ok=True)
        files = _checkpoint_files(find(name, quiet=True))
        for path in tqdm(files, f"copying {folder}", unit="file", disable=None):
            target = out / folder / path.name
            same = target.is_file() and target.stat().st_size == path.stat().st_size
            if not (same and unpack.digest(target) == unpack.digest(path)):
                _keep(path, target)


def _checkpoint_files(folder: Path) -> list[Path]:
    """Links in the hub's cache are followed later, when a file is copied."""
    from ..checkpoints import WANTED

    return sorted({path for pattern in WANTED for path in folder.glob(pattern)})


def _finish(out: Path, plan: _Plan) -> None:
    """Everything is read back from the stick: its digests are the list, and those of wheels are compared."""
    plan.finished = True
    own = next(path.name for path in (out / unpack.WHEELS).iterdir() if path.name.startswith("florence_nb-"))
    _write_about(out, plan, own)
    digests = {}
    hidden = (".", unpack.LIST)  # such as .DS_Store, which a Mac writes and changes as it likes
    files = sorted(path for path in out.rglob("*") if path.is_file() and not path.name.startswith(hidden))
    for path in tqdm(files, "checking every file", unit="file", disable=None):
        digests[path.relative_to(out).as_posix()] = unpack.digest(path)
    for name, wheel in plan.wheels.items():
        if digests.get(f"{unpack.WHEELS}/{name}") != wheel.sha256:
            raise InputError(
                f"{name} is not on the stick as it was written: run it again, or change the stick."
            )
    lines = [f"{digest}  {path}\n" for path, digest in digests.items()]
    write_whole(out / unpack.LIST, "".join(lines).encode())


def _could_not_write(out: Path, error: OSError) -> str:
    what = Path(error.filename).name.removesuffix(".part") if error.filename else "the next file"
    if error.errno in unpack.FULL:
        return (
            f"{out} is full ({what} did not fit): free some space and run the same command again, which goes"
            " on where it stopped; or take a larger stick."
        )
    return f"{what} could not be written to {out} ({error.strerror or error}): name a folder of your own."


# ---- the page


def _page(plan: _Plan, chosen: list[Target]) -> str:
    models = "".join(
        f"- `{folder}/`: the checkpoint {name}, for photographs. `install.py` copies it beside the lessons:"
        f' there `fnb.load("./{Path(folder).name}")`.\n'
        for name, folder in plan.checkpoints.items()
    )
    rows = "".join(f"| {t.platform.name} | {t.python} | {t.platform.about} |\n" for t in chosen)
    return _TEXT.format(version=__version__, rows=rows, models=models, what=unpack.WHAT, venv=unpack.VENV)


_TEXT = """# Florence-2 in notebooks, without a network

This folder installs florence-nb {version}, with its lessons and a small Florence-2 called mini. It needs only
Python.

| for | Python | |
|---|---|---|
{rows}
## Install

Open a terminal in a folder of your computer (not on the stick), and type `python3` and the path of this
folder's `install.py`, such as

    python3 /media/STICK/install.py

On Windows: `py D:\\install.py`. It compares the files with the list, makes `{venv}` and `florence-lessons`,
and says the one command that opens the first lesson. It takes some minutes, uses no network, and changes
nothing else. If it stops, run it again: it goes on.

By hand, with `STICK` for this folder (on Windows the second line is `{venv}\\Scripts\\activate`):

    python3 -m venv {venv}
    source {venv}/bin/activate
    python -m pip install --no-index --find-links STICK/wheels "{what}"

Then `florence-nb check --offline` proves that all works, and `florence-nb lab` opens the first lesson.

## What is here

- `wheels/`: all packages, with torch for the CPU.
- `notebooks/`: the lessons with their outputs, to read where nothing can be installed. `workshop/`: pages for
  the teacher.
- Photographs are in the package: `fnb.samples()` lists them.
{models}- `SHA256SUMS`: what every file must be. `python3 install.py --only-check` compares them all, as does
  `sha256sum -c SHA256SUMS`.
- `kit.json`: what `install.py` and `florence-nb pack` read.
"""


def bytes_of(folder: Path) -> int:
    """The size of a kit."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
