"""Build the wheel into a folder, dist/ if none is named: `make wheel`. Prints where it lies."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("florence_nb", "notebooks", "workshop", "pyproject.toml", "LICENSE", "README.md")


def copy_sources(folder: Path) -> Path:
    """A copy of what the wheel is made from: an old build folder beside the sources would leak into it."""
    ignored = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
    for source in (ROOT / name for name in SOURCES):
        if source.is_dir():
            shutil.copytree(source, folder / source.name, ignore=ignored)
        elif source.exists():
            shutil.copy(source, folder)
    return folder


def build(into: Path) -> Path:
    """The wheel in that folder. CalledProcessError where pip cannot build it; pip has then said why."""
    with tempfile.TemporaryDirectory() as scratch:
        sources, made = Path(scratch, "sources"), Path(scratch, "made")
        sources.mkdir()
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]
        subprocess.run([*pip, "--wheel-dir", str(made), str(copy_sources(sources))], check=True)
        (wheel,) = made.glob("florence_nb-*.whl")
        into.mkdir(parents=True, exist_ok=True)
        return Path(shutil.move(wheel, into / wheel.name))


if __name__ == "__main__":
    print(build(Path(sys.argv[1]) if sys.argv[1:] else ROOT / "dist"))
