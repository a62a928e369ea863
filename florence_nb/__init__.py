"""Learn Microsoft's Florence-2 in notebooks: load a checkpoint, ask about a picture, read the answer.

    import florence_nb as fnb
    florence = fnb.load("mini")
    answer = florence.run_example("<OD>", fnb.open_image("photo.jpg"))
    fnb.show(answer)

Everything below is imported on first use, so that ``import florence_nb`` takes a moment and not the seconds
of torch.
"""

from __future__ import annotations

import importlib
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

# Not lazy: importing a submodule named `check` would put the module in the function's place, unless that
# happened before.
from .check import check
from .errors import CheckpointError, InputError

if TYPE_CHECKING:
    from . import export, finetune, many, scenes
    from .answers import Answer
    from .checkpoints import CHECKPOINTS, fetch
    from .drawing import show, show_all
    from .exercises import exercise, report
    from .florence import Florence
    from .geometry import box_iou, mask_iou
    from .images import open_image, samples
    from .libraries import require
    from .loading import load
    from .locations import from_loc, to_loc
    from .parsing import parse
    from .recording import record
    from .tasks import TASKS, Task, build_prompt, get_task
    from .widgets.composer import scene_composer
    from .widgets.explorer import explore
    from .widgets.interact import interact
    from .widgets.playground import playground
    from .widgets.region import region_picker

try:
    __version__ = version("florence-nb")
except PackageNotFoundError:
    __version__ = "0.1.0"

_HOMES = {
    "answers": ("Answer",),
    "checkpoints": ("CHECKPOINTS", "fetch"),
    "drawing": ("show", "show_all"),
    "exercises": ("exercise", "report"),
    "florence": ("Florence",),
    "geometry": ("box_iou", "mask_iou"),
    "images": ("open_image", "samples"),
    "libraries": ("require",),
    "loading": ("load",),
    "locations": ("from_loc", "to_loc"),
    "parsing": ("parse",),
    "recording": ("record",),
    "tasks": ("TASKS", "Task", "build_prompt", "get_task"),
    "widgets.composer": ("scene_composer",),
    "widgets.explorer": ("explore",),
    "widgets.interact": ("interact",),
    "widgets.playground": ("playground",),
    "widgets.region": ("region_picker",),
}
_MODULES = ("export", "finetune", "many", "scenes")
"""Public modules: each holds what one or two lessons are about."""
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "CHECKPOINTS",
    "TASKS",
    "Answer",
    "CheckpointError",
    "Florence",
    "InputError",
    "Task",
    "__version__",
    "box_iou",
    "build_prompt",
    "check",
    "exercise",
    "explore",
    "export",
    "fetch",
    "finetune",
    "from_loc",
    "get_task",
    "interact",
    "load",
    "many",
    "mask_iou",
    "open_image",
    "parse",
    "playground",
    "record",
    "region_picker",
    "report",
    "require",
    "samples",
    "scene_composer",
    "scenes",
    "show",
    "show_all",
    "to_loc",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f".{name}", __name__)
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
