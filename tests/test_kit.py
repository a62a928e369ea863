"""The offline kit, with a toy index and toy wheels: what is fetched, what is found broken, or refused."""

from __future__ import annotations

import errno
import importlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from florence_nb import __version__, cli
from florence_nb.errors import CheckpointError, InputError
from florence_nb.kit import own_wheel, platforms, unpack, wheels
from florence_nb.kit import pack as packing
from florence_nb.kit.offline import check_offline, no_network

from .toy_index import TAGS, Index, fill

MACHINE, _, PYTHON = unpack.this_machine().rpartition(" ")
OTHER = next(name for name in TAGS if name not in ("linux", "linux-arm", MACHINE))
pytestmark = pytest.mark.skipif(MACHINE not in TAGS, reason=f"no kit is made for {MACHINE}")


@pytest.fixture(scope="module")
def toys(tmp_path_factory):
    """The folder of the index, with florence-nb's own wheel and pip's, and its server."""
    folder = tmp_path_factory.mktemp("toys")
    own = fill(folder)
    own_wheel.wheel_of("pip", folder / "index")
    index = Index(folder)
    yield index, own
    index.close()


@pytest.fixture
def index(toys, monkeypatch):
    """The index as the only one that pip knows, and the toy florence-nb as what is packed."""
    index, own = toys
    for name in [name for name in os.environ if name.startswith("PIP_") or "proxy" in name.lower()]:
        monkeypatch.delenv(name)
    settings = {"CONFIG_FILE": os.devnull, "INDEX_URL": f"{index.address}/simple", "RETRIES": "0"}
    for name, value in {**settings, "NO_CACHE_DIR": "1"}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    monkeypatch.setattr(wheels, "CPU_INDEX", f"{index.address}/cpu")
    monkeypatch.setattr(packing, "own_wheel", lambda folder: Path(shutil.copy(own, folder)))
    index.sent, index.dies_after = [], 10_000
    return index


@pytest.fixture(scope="module")
def whole(toys, tmp_path_factory):
    """A kit for this machine, packed once; tests change copies of it."""
    with pytest.MonkeyPatch.context() as patch:
        index.__wrapped__(toys, patch)
        return packing.pack(tmp_path_factory.mktemp("whole") / "stick", say=quiet)


@pytest.fixture
def kit(whole, tmp_path):
    return Path(shutil.copytree(whole, tmp_path / "stick"))


@pytest.fixture
def quick(toys, monkeypatch):
    """Neither pip nor index: the wheels are copied from the folder of toys. Gives the names of what was."""
    index, own = toys
    fetched: list[str] = []

    def resolve(own: Path, target: platforms.Target) -> list[wheels.Wheel]:
        files = [*(index.folder / "index").glob("alpha*"), *(index.folder / "index").glob("jupyterlab*")]
        return [wheels.Wheel(path.name, path.as_uri(), unpack.digest(path)) for path in files]

    def fetch(wanted: list[wheels.Wheel], target: platforms.Target, bar):
        for wheel in wanted:
            fetched.append(wheel.name)
            yield wheel, index.folder / "index" / wheel.name

    monkeypatch.setattr(packing, "resolve", resolve)
    monkeypatch.setattr(packing, "fetch", fetch)
    monkeypatch.setattr(packing, "own_wheel", lambda folder: Path(shutil.copy(own, folder)))
    return fetched


def quiet(text: str) -> None:
    pass


def target(platform: str, python: str) -> platforms.Target:
    return platforms.targets([platform], [python])[0]


def names(folder: Path) -> set[str]:
    return {path.name.split("-")[0] for path in (folder / "wheels").iterdir()}


def refused(call, *words: str) -> str:
    """The sentence of an error; it must have these words."""
    with pytest.raises((InputError, CheckpointError, unpack.KitError)) as caught:
        call()
    text = str(caught.value)
    assert "\n" not in text and len(text) < 700 and all(word in text for word in words), text
    return text


# ---- what is packed


def test_a_kit_has_everything_and_sha256sum_agrees(whole):
    assert names(whole) == {"florence_nb", "torch", "alpha", "jupyterlab", "pip"} | (
        {"only_windows"} if MACHINE == "windows" else set()
    )
    for page in (
        "notebooks/05_detection.ipynb",
        "notebooks/glossary.md",
        "workshop/offline.md",
        "workshop/setup_help.py",
    ):
        assert (whole / page).is_file(), page
    unpack.check_files(whole)
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=whole, check=True)
    page = (whole / "README.md").read_text(encoding="utf-8")
    assert page.count("pip install --no-index") == 1 and MACHINE in page and "{" not in page


def test_linux_gets_the_cpu_build_and_windows_its_own_needs(index, tmp_path):
    """Whatever machine packs: what only Windows needs comes for Windows, and only there."""
    out = packing.pack(tmp_path / "s", platforms=["windows", "linux"], pythons=["3.12"], say=quiet)
    about = unpack.read_about(out)
    assert any(name.startswith("torch-2.8.0+cpu") for name in about["targets"]["linux 3.12"])
    assert any(name.startswith("only_windows") for name in about["targets"]["windows 3.12"])
    assert not any(name.startswith("only_windows") for name in about["targets"]["linux 3.12"])
    assert not any(name.startswith(("nvidia", "old")) for name in names(out))


def test_the_size_is_said_before_anything_is_fetched(quick, tmp_path):
    told = []
    packing.pack(tmp_path / "s", say=lambda text: told.append((text, len(quick))))
    text, fetched = told[-1]
    assert f"{MACHINE} with Python {PYTHON}" in text and "To write: " in text and "or more" not in text
    assert fetched == 0 and len(quick) == 2


def test_a_cpu_build_in_the_index_of_pip_is_enough(index, toys, monkeypatch):
    monkeypatch.setattr(wheels, "CPU_INDEX", "http://127.0.0.1:1/nobody")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index.folder / "cpu"))
    found = {wheel.name for wheel in wheels.resolve(toys[1], target("linux", "3.12"))}
    assert any(name.startswith("torch-2.8.0+cpu-") for name in found)


def test_cuda_builds_are_refused_before_anything_is_fetched(index, toys, monkeypatch):
    monkeypatch.setattr(wheels, "CPU_INDEX", "http://127.0.0.1:1/nobody")
    words = ("Only a CUDA build of torch", "linux with Python 3.12", "nvidia-cublas", "PIP_FIND_LINKS")
    refused(lambda: wheels.resolve(toys[1], target("linux", "3.12")), *words)


def test_a_resolution_that_leaves_a_need_open_is_refused():
    windows = target("windows", "3.12")
    found = [
        {
            "metadata": {
                "name": "florence-nb",
                "version": "1",
                "requires_dist": ['b>=2; sys_platform == "win32"'],
            }
        },
        {"metadata": {"name": "b", "version": "1.5"}},
    ]
    refused(lambda: wheels._check_closed(found, windows), "florence-nb needs b>=2")
    found[1]["metadata"]["version"] = "2.0"
    wheels._check_closed(found, windows)


def test_a_checkpoint_travels_as_a_plain_folder(quick, tmp_path, monkeypatch):
    import florence_nb as fnb

    monkeypatch.chdir(tmp_path)
    shutil.copytree(fnb.fetch("mini"), "My-Model")
    out = packing.pack(Path("s"), checkpoints=["./My-Model", "mini"], say=quiet)
    assert (out / "checkpoints" / "my-model" / "model.safetensors").is_file()
    assert 'fnb.load("./my-model")' in (out / "README.md").read_text(encoding="utf-8")
    unpack._bring_checkpoints(out, unpack.read_about(out), tmp_path / "lessons")
    unpack._bring_checkpoints(out, unpack.read_about(out), tmp_path / "lessons")
    assert (tmp_path / "lessons" / "my-model" / "model.safetensors").is_file()


# ---- interrupted


def test_a_network_that_dies_midway_loses_nothing(index, kit, monkeypatch):
    monkeypatch.setattr(wheels, "_BATCH", 1)  # one wheel a call, so that some are there before the end
    for name in ("alpha", "jupyterlab"):
        next((kit / "wheels").glob(f"{name}-*")).unlink()
    index.dies_after = 1
    refused(lambda: packing.pack(kit, say=quiet), "could not be fetched to the end", "nothing is lost")
    assert len(index.sent) == 1 and index.sent[0] in os.listdir(kit / "wheels")
    refused(lambda: unpack.check_files(kit), "is not whole", "pack again to its end")
    there, index.sent, index.dies_after = index.sent, [], 10_000
    packing.pack(kit, say=quiet)
    assert len(index.sent) == 1 and index.sent != there
    unpack.check_files(kit)


def test_an_index_that_never_answers_is_named(index, toys, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    words = ("package index does not answer", "check the network")
    refused(lambda: wheels.resolve(toys[1], target("windows", "3.12")), *words)


def test_a_second_pack_mends_what_is_broken_and_fetches_nothing_else(index, kit):
    torch = next((kit / "wheels").glob("torch-*"))
    torch.write_bytes(torch.read_bytes()[:-5])
    (kit / "wheels" / "newer-9.0-py3-none-any.whl").write_bytes(b"of an earlier plan")
    packing.pack(kit, say=quiet)
    assert set(index.sent) == {torch.name} and "newer" not in names(kit)
    unpack.check_files(kit)


def test_a_full_stick_is_said_before_and_on_the_way(quick, tmp_path, monkeypatch):
    check = importlib.import_module("florence_nb.check")  # the package's own `check` is the function
    with monkeypatch.context() as patch:
        patch.setattr(check, "free_bytes", lambda folder: 1000)
        refused(lambda: packing.pack(tmp_path / "s"), "MB more", "free some space")
    assert not (tmp_path / "s").exists()

    def fsync(file) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        refused(
            lambda: packing.pack(tmp_path / "s"), "is full", ".whl did not fit", "goes on where it stopped"
        )
    assert not [*(tmp_path / "s" / "wheels").iterdir()]
    packing.pack(tmp_path / "s", say=quiet)
    unpack.check_files(tmp_path / "s")


def test_a_wheel_that_comes_changed_is_not_taken(quick, tmp_path, monkeypatch):
    real = packing.resolve

    def resolve(*args) -> list[wheels.Wheel]:
        return [wheels.replace(wheel, sha256="0" * 64) for wheel in real(*args)]

    monkeypatch.setattr(packing, "resolve", resolve)
    refused(lambda: packing.pack(tmp_path / "s"), "alpha-1.0", "came changed or cut off")
    assert not (tmp_path / "s" / "SHA256SUMS").exists()


# ---- refused before it starts


def test_a_folder_with_something_else_is_left_alone(tmp_path, kit):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all my work")
    refused(lambda: packing.pack(tmp_path / "mine"), "holds something else (thesis.txt", "--out")
    assert os.listdir(tmp_path / "mine") == ["thesis.txt"]
    refused(lambda: packing.pack(tmp_path / "mine" / "thesis.txt"), "is a file")


def test_a_kit_of_another_version_is_left_alone(kit):
    about = json.loads((kit / "kit.json").read_text())
    (kit / "kit.json").write_text(json.dumps({**about, "florence_nb": "0.0.1"}))
    refused(lambda: packing.pack(kit), "kit of florence-nb 0.0.1", __version__)
    (kit / "kit.json").write_text(json.dumps({**about, "format": 99}))
    refused(lambda: unpack.unpack(kit), "another version", "install.py")


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"platforms": ["beos"]}, ("no platform 'beos'", "windows", "linux-arm")),
        ({"platforms": ["macos-intel"]}, ("Intel", "no torch since 2.2")),
        ({"pythons": ["3.12.1"]}, ("no version of Python", "3.12")),
        ({"pythons": ["3.8"]}, ("too old", "3.10")),
        ({"checkpoints": ["huge"]}, ("no checkpoint 'huge'", "base")),
    ],
)
def test_unknown_names_are_refused_at_once(tmp_path, wanted, words):
    refused(lambda: packing.pack(tmp_path / "s", **wanted), *words)
    assert not (tmp_path / "s").exists()


def test_a_folder_without_weights_is_no_checkpoint(tmp_path):
    refused(lambda: packing.pack(tmp_path / "s", checkpoints=[str(tmp_path)]), "no whole checkpoint")


def test_a_python_without_wheels_is_named(index, toys, monkeypatch):
    """The toys have wheels for every Python, but none for one that is not there: a folder without torch."""
    monkeypatch.setenv("PIP_INDEX_URL", f"{index.address}/cpu")
    words = (f"{OTHER} with Python 3.99", "--python")
    refused(lambda: wheels.resolve(toys[1], target(OTHER, "3.99")), *words)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="an administrator may write everywhere")
def test_no_rights_is_one_sentence(tmp_path, kit, quick):
    tmp_path.chmod(0o500)
    refused(lambda: packing.pack(tmp_path / "s"), "could not be written", "a folder of your own")
    refused(lambda: unpack.unpack(kit, tmp_path / "v"), "may not write", "--into")
    tmp_path.chmod(0o700)


def test_a_disk_without_rights_is_one_sentence(quick, tmp_path, monkeypatch):
    def mkdir(self, *args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", mkdir)
    refused(lambda: packing.pack(tmp_path / "s"), "could not be written", "Permission denied")


# ---- unpacked


def run_installer(kit: Path, place: Path, *more: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-I", str(kit / "install.py"), *more]
    return subprocess.run(command, cwd=place, capture_output=True, text=True)


def test_install_py_alone_installs_from_the_kit(kit, tmp_path, monkeypatch):
    """As on a laptop that has only Python, and whatever the settings of its pip say."""
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    monkeypatch.setenv("PIP_TARGET", str(tmp_path / "elsewhere"))
    (tmp_path / "home" / "florence-venv").mkdir(parents=True)  # as an interrupted call leaves it
    (tmp_path / "home" / "florence-venv" / unpack._MARK).touch()
    done = run_installer(kit, tmp_path / "home")
    assert done.returncode == 0, done.stderr
    python = unpack.program(tmp_path / "home" / "florence-venv", "python")
    assert "1 lesson written." in done.stdout and "florence-nb" in done.stdout.splitlines()[-1]
    assert subprocess.run([python, "-c", "import florence_nb, alpha, torch, jupyterlab, pip"]).returncode == 0
    assert (tmp_path / "home" / "florence-lessons" / "05_detection.ipynb").is_file()


def test_an_environment_of_the_learner_is_left_alone(kit, tmp_path):
    (tmp_path / "florence-venv").mkdir()
    done = run_installer(kit, tmp_path)
    assert done.returncode == 2 and "is there already, and no kit made it" in done.stderr
    assert not [*(tmp_path / "florence-venv").iterdir()]


@pytest.mark.parametrize("how", ["missing", "cut off or changed"])
def test_a_half_copied_kit_names_the_file_and_makes_nothing(kit, tmp_path, how):
    alpha = kit / "wheels" / "alpha-1.0-py3-none-any.whl"
    alpha.write_bytes(alpha.read_bytes()[:-1]) if "cut" in how else alpha.unlink()
    done = run_installer(kit, tmp_path)
    assert done.returncode == 2 and f"alpha-1.0-py3-none-any.whl is {how}" in done.stderr
    assert done.stderr.count("\n") == 1 and not (tmp_path / "florence-venv").exists()


def test_a_broken_file_of_another_system_does_not_stop_this_one(kit, tmp_path):
    (kit / "notebooks" / "05_detection.ipynb").write_text("changed")
    unpack.check_files(kit, unpack._needed(kit, unpack.read_about(kit), ["alpha-1.0-py3-none-any.whl"]))
    done = run_installer(kit, tmp_path, "--only-check")
    assert done.returncode == 2 and "05_detection.ipynb is cut off or changed" in done.stderr


def test_a_kit_for_other_machines_says_what_it_has(kit):
    about = unpack.read_about(kit)
    refused(
        lambda: unpack.wheels_for(about, "beos 3.12"),
        "beos with Python 3.12",
        f"{MACHINE} with Python {PYTHON}",
    )
    refused(lambda: unpack.wheels_for(about, f"{MACHINE} 3.99"), f"start install.py with Python {PYTHON}")


def test_what_is_no_kit_is_named(tmp_path, capsys):
    assert cli.main(["unpack", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert err.startswith("florence-nb unpack: ") and "is no kit" in err and err.count("\n") == 1


def test_nothing_is_installed_on_the_stick(kit, monkeypatch):
    monkeypatch.chdir(kit)
    assert unpack.default_place(kit) == Path.home() / "florence-venv"
    refused(lambda: unpack._check_place(kit / "venv", kit), "lies in the kit")


def test_a_laptop_with_a_full_disk_is_told_before(kit, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=10))
    refused(lambda: unpack.unpack(kit, tmp_path / "v"), "GB free", "--into")


def test_the_installer_needs_nothing_but_python(kit):
    command = [sys.executable, "-I", "-S", str(kit / "install.py"), "--help"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and "--only-check" in done.stdout


# ---- florence-nb's own wheel


def test_the_wheel_of_what_is_installed_is_made_again_and_installs(tmp_path):
    """Of a package with programs, here of pip, and as pip itself sees it."""
    wheel = own_wheel.wheel_of("pip", tmp_path)
    with zipfile.ZipFile(wheel) as archive:
        inside = archive.namelist()
    assert not [
        name for name in inside if ".." in name or name.endswith((".pyc", "INSTALLER", "direct_url.json"))
    ]
    command = ["install", "--quiet", "--no-index", "--no-deps", "--target", str(tmp_path / "t"), str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", *command], check=True)
    assert (tmp_path / "t" / "pip" / "__main__.py").is_file()


# ---- check --offline


def test_check_offline_asks_mini_and_lists_the_checkpoints_of_a_kit(tmp_path, monkeypatch, capsys):
    import florence_nb as fnb

    monkeypatch.chdir(tmp_path)
    shutil.copytree(fnb.fetch("mini"), tmp_path / "florence-lessons" / "florence-2-base")
    cli.main(["check", "--offline"])
    out = capsys.readouterr().out
    assert "asked what is in the street: " in out and "nothing asked for it" in out
    assert 'florence_nb.load("./florence-lessons/florence-2-base")' in out


def test_check_offline_sees_who_asks_for_the_network(monkeypatch):
    import requests

    from florence_nb.kit import offline

    def ask() -> offline.Row:
        with pytest.raises(requests.ConnectionError):
            requests.get("http://example.org", timeout=5)
        return offline.Row("mini", "ok", "")

    monkeypatch.setattr(offline, "_ask_mini", ask)
    report = check_offline()
    assert not report.ok and "was asked for: example.org" in str(report)


def test_the_network_comes_back_after_the_check():
    import socket

    before = socket.getaddrinfo, socket.socket.connect
    with no_network() as tried, pytest.raises(OSError):
        socket.create_connection(("localhost", 9))
    assert tried == ["localhost"] and (socket.getaddrinfo, socket.socket.connect) == before
