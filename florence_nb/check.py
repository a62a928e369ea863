"""Say what this machine has for Florence-2, what is missing, and what to do about it. Explained in
notebooks/01_setup.ipynb.
"""

from __future__ import annotations

import html
import importlib
import importlib.metadata
import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .web import shown

# What the 2024 guides install, and why none of it is needed today.
EXTRAS = {
    "flash-attn": (
        "not needed: attention runs on PyTorch's own sdpa; it can help on a CUDA card with half precision"
    ),
    "timm": "not needed: only the old remote code took its layers from timm",
    "einops": "not needed: only the old remote code moved its tensors with einops",
}
OK, TODO, EXTRA = "ok", "to do", "extra"
# JupyterLab draws widgets with this package; each series of ipywidgets has its own series of it.
MANAGERS = {"7": "1", "8": "3"}


@dataclass(frozen=True)
class Row:
    """One thing that was looked at: `state` is "ok", "to do" or "extra" (works without it)."""

    name: str
    state: str
    found: str
    advice: str = ""


@dataclass(frozen=True, repr=False)
class Report:
    """What `check` found; prints as text, and as a table in a notebook. `ok` is True when nothing is left to
    do.
    """

    rows: tuple[Row, ...]

    @property
    def ok(self) -> bool:
        return all(row.state != TODO for row in self.rows)

    def __str__(self) -> str:
        wide = max(len(row.name) for row in self.rows)
        lines = [self._headline(), ""]
        for row in self.rows:
            lines.append(f"{row.state:<5}  {row.name:<{wide}}  {row.found}")
            if row.advice:
                lines.append(f"{'':<5}  {'':<{wide}}  -> {row.advice}")
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        body = "".join(_html_row(row) for row in self.rows)
        head = "".join(
            f'<th scope="col" style="text-align:left">{title}</th>'
            for title in ("", "what", "found, and what to do")
        )
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f"<p><b>{self._headline()}</b></p>{table}"

    def _headline(self) -> str:
        todo = sum(row.state == TODO for row in self.rows)
        if not todo:
            return "Everything that Florence-2 needs is here."
        return f"{todo} {'thing is' if todo == 1 else 'things are'} to do (marked “{TODO}”)."


def _html_row(row: Row) -> str:
    weight = "bold" if row.state == TODO else "normal"
    advice = f"<br><i>{html.escape(row.advice)}</i>" if row.advice else ""
    style = f"text-align:left;vertical-align:top;font-weight:{weight}"
    short = "".join(
        f'<td style="{style};white-space:nowrap">{html.escape(text)}</td>' for text in (row.state, row.name)
    )
    return f'<tr>{short}<td style="{style}">{html.escape(row.found)}{advice}</td></tr>'


def check() -> Report:
    """Look at Python, packages, device, widgets, disk and checkpoints.

    Takes some seconds, because it really imports torch and transformers. Uses no network. Raises nothing:
    whatever goes wrong is a row that says what to do.
    """
    steps = {
        "Python": _python,
        "packages": _packages,
        "Florence-2 class": _model_class,
        "device": _device,
        "widgets": _widgets,
        "extras": _extras,
        "disk": _disk,
        "checkpoints": _checkpoints,
    }
    return Report(tuple(row for name, step in steps.items() for row in _rows(name, step)))


def _rows(name: str, step: Callable[[], Iterator[Row]]) -> Iterator[Row]:
    try:
        yield from step()
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # an import can end in SystemExit, and in a panic of its own kind
        reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        advice = "put this right first, then run the check again"
        yield Row(f"{name} (not all)", TODO, f"could not be looked at ({shown(reason)})", advice)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except Exception:  # not installed, or what an interrupted installation left of it
        return None


def _numbers(version: str) -> tuple[int, ...]:
    """ "2.13.0+cpu" -> (2, 13, 0), "5.0rc1" -> (5, 0)."""
    leading = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(number) for number in leading.group().split(".")) if leading else ()


def _python() -> Iterator[Row]:
    found = ".".join(map(str, sys.version_info[:3]))
    old = sys.version_info < (3, 10)
    yield Row("Python", TODO if old else OK, found, "florence-nb needs Python 3.10 or later" if old else "")


def needed() -> dict[str, str]:
    """What the package needs to run, from its own metadata: name -> versions, such as ``">=2.6"``.

    In a clone that was never installed, from its pyproject.toml; without either, {}.
    """
    try:
        lines = importlib.metadata.requires("florence-nb") or []
    except Exception:
        lines = _of_the_clone()
    found = [
        re.match(r"([\w.-]+)\s*(?:\[[^]]*\])?\s*([^;]*)", line) for line in lines if "extra ==" not in line
    ]
    return {match[1]: match[2].strip(" ()") for match in found if match}


def _of_the_clone() -> list[str]:
    try:
        import tomllib  # Python 3.11

        text = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
        return tomllib.loads(text)["project"]["dependencies"]
    except Exception:
        return []


def _allowed(version: str, versions: str) -> bool:
    """Whether a version lies in a range such as ``">=7.7,<9"``."""
    limits = re.findall(r"(>=|<(?!=))\s*([\d.]+)", versions)
    here = _numbers(version)
    return all((here >= _numbers(limit)) == (sign == ">=") for sign, limit in limits)


def _packages() -> Iterator[Row]:
    for package, versions in needed().items():
        found = _version(package)
        enough = found is not None and _allowed(found, versions)
        restart = ", then restart the kernel" if found else ""
        advice = "" if enough else f'pip install "{package}{versions}"{restart}'
        yield Row(package, OK if enough else TODO, found or "not installed", advice)
    if not needed():
        found = "is not installed, so that the versions it needs are not known"
        yield Row("florence-nb", EXTRA, found, "pip install its wheel, or pip install -e . in its folder")


def outdated(packages: list[str]) -> str:
    """What to do where one of the packages is installed in a version that does not fit; "" where all do."""
    rows = [row for row in _packages() if row.name in packages and row.state == TODO]
    return rows[0].advice if rows else ""


def _model_class() -> Iterator[Row]:
    """The import itself, because a torchvision built for another torch breaks it although every version looks
    right.
    """
    try:
        importlib.import_module("transformers").Florence2ForConditionalGeneration  # noqa: B018
    except Exception as error:  # a broken neighbour package can raise anything
        reason = shown(f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
        advice = outdated(["safetensors", "transformers", "torch", "numpy"]) or _advice_on_neighbours()
        yield Row("Florence-2 class", TODO, f"cannot be imported ({reason})", advice)
    else:
        yield Row("Florence-2 class", OK, "transformers has it; no remote code is run")


def _advice_on_neighbours() -> str:
    if importlib.util.find_spec("torchvision"):
        return (
            "pip uninstall torchvision timm (they do not fit this torch, and are not needed), then restart"
            " the kernel"
        )
    return 'pip install --upgrade "transformers>=5.13" torch, then restart the kernel'


def _device() -> Iterator[Row]:
    try:
        import torch
    except Exception as error:  # a half-installed torch raises OSError, RuntimeError, ImportError …
        yield Row(
            "device", TODO, f"unknown: torch cannot be imported ({type(error).__name__})", "pip install torch"
        )
        return
    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        yield Row("device", OK, f"cuda: {properties.name}, {properties.total_memory / 1e9:.0f} GB")
    elif torch.backends.mps.is_available():
        yield Row("device", OK, "mps: the graphics processor of this Mac")
    else:
        advice = "mini answers at once here; the real base and large work too, but take seconds a picture"
        yield Row(
            "device", OK, f"cpu: {os.cpu_count()} cores, no CUDA or Apple graphics processor seen", advice
        )


def in_colab() -> bool:
    """True in a Colab kernel."""
    return "google.colab" in sys.modules or "COLAB_RELEASE_TAG" in os.environ


def _widgets() -> Iterator[Row]:
    if in_colab():
        advice = "to draw regions: from google.colab import output; output.enable_custom_widget_manager()"
        yield Row("widgets in Colab", OK, "Colab draws them itself", advice)
        return
    lab, manager, widgets = _version("jupyterlab"), _version("jupyterlab_widgets"), _version("ipywidgets")
    yield Row(
        "jupyterlab",
        OK if lab else EXTRA,
        lab or "not installed",
        "" if lab else "for the lessons: pip install jupyterlab",
    )
    if widgets:
        yield _manager_row(widgets, manager)


def _manager_row(widgets: str, manager: str | None) -> Row:
    series = MANAGERS.get(widgets.split(".")[0])
    if series is None:
        return Row(
            "widgets manager",
            TODO,
            f"ipywidgets {widgets} is newer than this package knows",
            'pip install "ipywidgets<9"',
        )
    if manager and manager.split(".")[0] == series:
        return Row("widgets manager", OK, f"jupyterlab_widgets {manager} fits ipywidgets {widgets}")
    found = (
        f"jupyterlab_widgets {manager} does not fit ipywidgets {widgets}"
        if manager
        else "jupyterlab_widgets is missing"
    )
    advice = f'pip install "jupyterlab_widgets=={series}.*", restart JupyterLab and reload the page'
    return Row("widgets manager", TODO, found, advice)


def _extras() -> Iterator[Row]:
    for package, advice in EXTRAS.items():
        found = _version(package)
        yield Row(package, EXTRA, found or "not installed", advice)


def cache_folder() -> Path:
    """Where huggingface_hub keeps what it downloads."""
    try:
        from huggingface_hub.constants import HF_HUB_CACHE
    except Exception:  # missing or broken: a row of its own
        return Path(os.path.expanduser("~"))
    return Path(HF_HUB_CACHE)


def free_bytes(folder: Path) -> int:
    """Free space on the disk where `folder` is, or will be made."""
    return shutil.disk_usage(_there(folder)).free


def _there(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there and may be looked at."""
    above = (folder, *folder.parents)
    return next((path for path in above if os.path.exists(path)), Path("."))


def _disk() -> Iterator[Row]:
    from .checkpoints import CHECKPOINTS

    folder = cache_folder()
    free, need = free_bytes(folder), max(entry.download_bytes for entry in CHECKPOINTS.values())
    advice = (
        f"the largest checkpoint takes {need / 1e9:.1f} GB: free some space, or set HF_HOME to a folder on a"
        " larger disk"
    )
    yield Row(
        "disk",
        OK if free > need else EXTRA,
        f"{free / 1e9:.1f} GB free at {_short(folder)}",
        "" if free > need else advice,
    )
    if not os.access(_there(folder), os.R_OK | os.W_OK | os.X_OK):
        found = f"you have no rights to {_short(folder)}"
        yield Row("cache", TODO, found, "set HF_HOME to a folder of your own, and restart the kernel")


def _short(folder: Path) -> str:
    """The folder with the home folder as ``~``, as people write it and as notebooks may show it."""
    home = os.path.expanduser("~")  # unlike Path.home, no error where there is none
    return f"~/{folder.relative_to(home).as_posix()}" if folder.is_relative_to(home) else shown(folder)


def _checkpoints() -> Iterator[Row]:
    from .checkpoints import CHECKPOINTS

    for name, entry in CHECKPOINTS.items():
        if name == "mini":
            yield _mini_row()
        elif is_here(name):
            yield Row(
                f"checkpoint {name}", OK, f"in the cache, loads without network: florence_nb.load({name!r})"
            )
        else:
            yield Row(
                f"checkpoint {name}",
                EXTRA,
                "not here",
                f"florence-nb fetch {name}  ({entry.download_bytes / 1e6:.0f} MB)",
            )
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        yield Row("network", EXTRA, "HF_HUB_OFFLINE is set", "unset it before you fetch a checkpoint")


def _mini_row() -> Row:
    if is_here("mini"):
        return Row("checkpoint mini", OK, "part of the package, for drawn scenes: florence_nb.load('mini')")
    return Row(
        "checkpoint mini",
        TODO,
        "its files are missing",
        "install the package again: pip install --force-reinstall --no-deps, and its wheel or its folder",
    )


def is_here(name: str) -> bool:
    """Whether the checkpoint lies complete on this disk. Uses no network."""
    from .checkpoints import find

    try:
        return bool(find(name, local_files_only=True, quiet=True))
    except Exception:  # not there, or no working huggingface_hub (transformers brings it: its row above)
        return False
