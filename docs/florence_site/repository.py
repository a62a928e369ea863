"""This repository: where its files lie, here and on the web."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@cache
def address() -> Any:
    """The address of `make address`, an `Address` of .ci/address.py; its ``repository`` is "" without one."""
    spec = importlib.util.spec_from_file_location("florence_site_address", ROOT / ".ci" / "address.py")
    assert spec and spec.loader
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.read(ROOT)


def on_the_web(path: str) -> str:
    """Where a file or folder, named from the root, is on GitHub; "" while there is no address."""
    if not address().repository:
        return ""
    kind = "tree" if (ROOT / path).is_dir() else "blob"
    return f"{address().url}/{kind}/{address().ref}/{path}"
