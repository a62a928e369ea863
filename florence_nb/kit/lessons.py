"""The lessons as they travel with the package, and a copy of them in a folder of the learner's own."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputError

# In a wheel they lie inside the package; in a clone they are folders beside it, under these names.
IN_A_CLONE = {"lessons": "notebooks", "workshop": "workshop"}


def shipped(name: str) -> Path:
    """The folder of this installation that holds the "lessons" (``*.ipynb``, with their outputs) or the
    "workshop" (``*.md``, the pages for teachers).

    Raises:
        InputError: this installation has no such folder.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / name, package.parent / IN_A_CLONE[name]):
        if folder.is_dir():
            return folder
    raise InputError(f"The folder {name}/ is missing from this installation: install florence-nb again.")
