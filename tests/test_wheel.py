"""What is in the wheel: every package of the disk, the lessons and the pages for teachers."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from florence_nb.kit.lessons import IN_A_CLONE, shipped

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
LAB = """import sys, florence_nb.cli as cli

class Lab:
    def __init__(self, command):
        print(cli.__file__, command[3], sep="\\n")

    def wait(self):
        return 0

cli.subprocess.Popen = Lab
sys.exit(cli.main(["lab"]))"""
PIP = ("-m", "pip", "--disable-pip-version-check", "--quiet")


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
    assert names(shipped("lessons"), ".md") == ["glossary.md"]
    assert names(shipped("workshop"), ".md") == names(ROOT / "workshop", ".md") != []


# ---- for real: the wheel in an environment of its own, an empty folder


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built by pip from a copy of the sources: an old build folder beside them would leak into it."""
    folder = tmp_path_factory.mktemp("wheel")
    hidden = shutil.ignore_patterns("__pycache__", ".*")
    for name in ("florence_nb", *IN_A_CLONE.values()):
        shutil.copytree(ROOT / name, folder / "sources" / name, ignore=hidden)
    for name in ("pyproject.toml", "LICENSE", "README.md"):
        shutil.copy(ROOT / name, folder / "sources")
    offline = ("--no-deps", "--no-build-isolation", "--wheel-dir", folder)
    run(sys.executable, *PIP, "wheel", *offline, folder / "sources")
    (built,) = folder.glob("florence_nb-*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory) -> Path:
    """Of an environment that has the wheel, and sees the packages of this one."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder)
    windows = sys.platform == "win32"
    python = folder / ("Scripts/python.exe" if windows else "bin/python")
    packages = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    run(sys.executable, *PIP, "install", "--no-deps", "--target", packages, wheel)
    Path(packages, "others.pth").write_text(sysconfig.get_path("purelib"))
    return python


def run(*command: str | Path, **settings) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **settings)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_has_lessons_and_pages_once_and_nothing_of_the_tests(wheel):
    inside = zipfile.ZipFile(wheel).namelist()
    assert len(set(inside)) == len(inside)
    for name, folder in IN_A_CLONE.items():
        expected = {f"florence_nb/{name}/{path.name}" for path in (ROOT / folder).iterdir() if path.is_file()}
        assert {each for each in inside if each.startswith(f"florence_nb/{name}/")} == expected
    assert {each.partition("/")[0].partition("-")[0] for each in inside} == {"florence_nb"}


def test_from_a_bare_wheel_the_lessons_come_into_an_empty_folder(python, tmp_path):
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    home, first = run(python, "-c", LAB, cwd=tmp_path, env=environment).splitlines()
    assert Path(home).is_relative_to(python.parents[1]), "not the wheel"
    assert Path(first).parent == Path("florence-lessons")
    assert names(tmp_path / "florence-lessons", ".ipynb") == names(ROOT / "notebooks", ".ipynb")
    assert (tmp_path / "florence-lessons" / "glossary.md").is_file()
    cells = json.loads((tmp_path / first).read_text(encoding="utf-8"))["cells"]
    assert not any(cell.get("outputs") for cell in cells)
