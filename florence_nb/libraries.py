"""The libraries that only some lessons need: `require`."""

from __future__ import annotations

import importlib
import importlib.util

from .errors import InputError

_PIP_NAMES = {"ray": "ray[data]"}
"""What pip installs, where that is not called as the module."""


def require(*modules: str) -> None:
    """Says in one sentence which of these modules are missing, and the line that installs them.

    Lessons 12 to 16 begin with it; ``make lab`` has installed what they need.

    Raises:
        InputError: a module is not installed.
    """
    importlib.invalidate_caches()  # %pip may just have installed one
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        named = " ".join(f'"{_PIP_NAMES[name]}"' if name in _PIP_NAMES else name for name in missing)
        raise InputError(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed here: run "
            f"%pip install {named} in a cell of its own, then this cell again."
        )
