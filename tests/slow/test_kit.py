"""The offline kit for real: packed from the package index, installed and used where there is no network."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from florence_nb.errors import InputError
from florence_nb.kit import pack as packing
from florence_nb.kit import unpack

ROOT = Path(__file__).resolve().parents[2]
# A network of its own, that has only the address of the machine itself: Jupyter's kernels talk by it.
ALONE = ["unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up; exec "$@"', "sh"]
LESSON = "florence-lessons/05_detection.ipynb"


def has_namespaces() -> bool:
    if not (shutil.which("unshare") and shutil.which("ip")):
        return False
    return subprocess.run([*ALONE, "true"], capture_output=True).returncode == 0


@pytest.fixture(scope="module")
def stick(tmp_path_factory):
    """About 350 MB; where it is taken from another folder, nothing is fetched again."""
    out = Path(os.environ.get("FLORENCE_KIT") or tmp_path_factory.mktemp("kit") / "stick")
    try:
        return packing.pack(out)
    except InputError as error:
        pytest.skip(f"no kit can be packed here: {error}")


@pytest.mark.skipif(not has_namespaces(), reason="needs Linux with unshare and ip, and the right to use them")
def test_a_fresh_laptop_without_network_installs_and_runs_a_lesson(stick, tmp_path):
    def alone(*command: str) -> str:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(
            [*ALONE, *command], cwd=tmp_path, env=environment, text=True, capture_output=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    python = str(unpack.program(tmp_path / "florence-venv", "python"))
    links = alone("ip", "-brief", "link")
    assert links.split()[0] == "lo" and links.count("\n") == 1
    assert "Go on with this one command" in alone(sys.executable, str(stick / "install.py"))
    where = alone(python, "-c", "import florence_nb; print(florence_nb.__file__)")
    assert str(tmp_path) in where
    assert "asked what is in the street" in alone(python, "-m", "florence_nb", "check", "--offline")
    alone(python, "-m", "jupyter", "execute", "--inplace", LESSON)
    assert '"text/plain"' in (tmp_path / LESSON).read_text(encoding="utf-8")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_stick_that_is_really_full_loses_nothing(tmp_path, stick):
    """A disk of 8 MB, with a copy of a file that is larger."""
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", small]).returncode:
        pytest.skip("no small disk can be mounted here")
    try:
        wheel = max((stick / "wheels").iterdir(), key=lambda path: path.stat().st_size)
        with pytest.raises(OSError) as caught:
            packing._keep(wheel, small / wheel.name)
        text = packing._could_not_write(small, caught.value)
        assert "is full" in text and wheel.name in text and not [*small.iterdir()]
    finally:
        subprocess.run(["umount", small], check=True)
