"""What is in the wheel: every package of the disk, the lessons and the pages for teachers."""

import sys
from pathlib import Path

from florence_nb.kit.lessons import IN_A_CLONE, shipped

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]


def names(folder: Path, ending: str) -> list[str]:
    return sorted(path.name for path in folder.glob(f"*{ending}"))


def test_the_packages_of_the_project_are_those_of_the_disk():
    found = {
        ".".join(path.parent.relative_to(ROOT).parts) for path in ROOT.glob("florence_nb/**/__init__.py")
    }
    mapped = {f"florence_nb.{name}": folder for name, folder in IN_A_CLONE.items()}
    assert sorted(SETUPTOOLS["packages"]) == sorted(found | set(mapped))
    assert SETUPTOOLS["package-dir"] == mapped


def test_the_package_finds_what_travels_with_it():
    assert names(shipped("lessons"), ".ipynb") == names(ROOT / "notebooks", ".ipynb") != []
    assert names(shipped("workshop"), ".md") == names(ROOT / "workshop", ".md") != []
