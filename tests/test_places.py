"""Binder and the development container install this folder, with the versions of pyproject.toml."""

import json
import os
import re
import shlex
import subprocess
from importlib import resources
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from .test_environment import ALL, EXTRAS, PROJECT, ROOT

BINDER = ROOT / ".binder"
CONTAINER = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
TORCH = re.search(r"^TORCH \?= torch==(.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)[
    1
]
PYTHON = SpecifierSet(PROJECT["requires-python"])
INDEX = "https://download.pytorch.org/whl/cpu"
on_posix = pytest.mark.skipif(os.name == "nt", reason="a shell script, for Linux")


def is_this_folder(requirement: str) -> bool:
    """`.` with extras that there are: never a name, which somebody else could own on a public index."""
    return requirement[0] == "." and set(Requirement(f"here{requirement[1:]}").extras) <= set(EXTRAS)


# ---- Binder


@pytest.fixture
def build_pack(monkeypatch):
    """How repo2docker understands this repository."""
    packs = pytest.importorskip("repo2docker.buildpacks", reason="pip install jupyter-repo2docker")
    monkeypatch.chdir(ROOT)
    found = packs.CondaBuildPack("buildpack-deps:jammy")
    found.platform = "linux/amd64"
    return found


def environment() -> list:
    return yaml.safe_load((BINDER / "environment.yml").read_text(encoding="utf-8"))["dependencies"]


def test_binder_takes_the_python_that_is_pinned(build_pack):
    assert build_pack.detect()
    assert build_pack.python_version == "3.12"
    assert Version(build_pack.python_version) in PYTHON


def test_binder_installs_the_environment_then_this_folder(build_pack):
    steps = build_pack.render({})
    order = [
        'env update -p ${NB_PYTHON_PREFIX} --file ".binder/environment.yml"',
        "COPY --chown=1000:1000 src/ ",
    ]
    order += ["RUN ./.binder/postBuild"]
    assert sorted(order, key=steps.index) == order


def test_binder_has_a_jupyter_that_the_project_allows(build_pack):
    """Else postBuild would replace what Binder's own server needs."""
    (lock,) = (path for path in build_pack.get_build_script_files() if path.endswith(".lock"))
    text = resources.files("repo2docker").joinpath("buildpacks", lock).read_text(encoding="utf-8")
    versions = dict(re.findall(r"/(jupyterlab|ipykernel|ipywidgets)-([\d.]+)-", text))
    assert len(versions) == 3
    assert [name for name, version in versions.items() if Version(version) not in ALL[name]] == []


def test_binder_gets_the_torch_of_the_makefile_for_the_cpu():
    pip = environment()[-1]["pip"]
    assert pip == [f"--extra-index-url {INDEX}", f"torch=={TORCH}+cpu"]
    assert environment()[:-1] == ["python=3.12", "pip"]


def post_build(folder: Path, status: int = 0) -> tuple[int, list[str]]:
    """The exit status of postBuild, and what it calls python with, where python does nothing but end so."""
    python = folder / "python"
    python.write_text(f'#!/bin/sh\necho "$@" >> {folder}/calls\nexit {status}\n')
    python.chmod(0o755)
    ran = subprocess.run([BINDER / "postBuild"], env={"PATH": f"{folder}:{os.environ['PATH']}"})
    return ran.returncode, (folder / "calls").read_text().splitlines()


@on_posix
def test_post_build_installs_this_folder_and_nothing_else(tmp_path):
    status, (call,) = post_build(tmp_path)
    *command, target = shlex.split(call)
    assert status == 0
    assert command == ["-m", "pip", "install", "--no-cache-dir", "--editable"]
    assert is_this_folder(target) and "[lab]" in target


@on_posix
def test_post_build_fails_where_the_installation_fails(tmp_path):
    assert post_build(tmp_path, status=1)[0] == 1


# ---- the development container


def test_the_container_opens_the_first_lesson():
    (first,) = CONTAINER["customizations"]["codespaces"]["openFiles"]
    assert ROOT / first == min((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))


def test_the_container_has_a_python_that_the_project_allows():
    version = re.fullmatch(r"mcr\.microsoft\.com/devcontainers/python:([\d.]+)", CONTAINER["image"])[1]
    assert Version(version) in PYTHON


def test_the_container_installs_torch_for_the_cpu_then_this_folder():
    torch, folder = map(shlex.split, CONTAINER["postCreateCommand"].split(" && "))
    install = ["pip", "install", "--no-cache-dir"]
    assert torch == [*install, "--index-url", INDEX, f"torch=={TORCH}"]
    assert folder[:-1] == [*install, "--editable"]
    assert is_this_folder(folder[-1]) and "[lab]" in folder[-1]


def test_the_container_names_its_ports():
    assert {str(port) for port in CONTAINER["forwardPorts"]} == set(CONTAINER["portsAttributes"])


@pytest.mark.parametrize("bad", ["florence-nb", "florence-nb[lab]", ".[labs]", "florence_nb==0.1.0"])
def test_a_name_is_not_this_folder(bad):
    assert not is_this_folder(bad)


# ---- the server for a class, and the kiosk


def test_the_hub_page_names_versions_and_files_that_exist():
    text = (ROOT / "workshop" / "hub.md").read_text(encoding="utf-8")
    assert set(re.findall(r"torch==([\d.]+)", text)) == {TORCH}
    assert set(re.findall(r"florence_nb-([\d.]+)-py3", text)) == {PROJECT["version"]}
    served = re.findall(r"voila (notebooks/\S+?)[ `]", text)
    assert len(served) == 2 and all((ROOT / path).exists() for path in served)


def test_no_place_installs_the_package_by_name():
    pages = [ROOT / "workshop" / "hub.md", *BINDER.iterdir(), ROOT / ".devcontainer" / "devcontainer.json"]
    for page in pages:
        assert re.findall(r"install[^\n]* \"?florence[-_]nb[\[\"=\s]", page.read_text(encoding="utf-8")) == []
