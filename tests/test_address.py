"""Where this repository lives stands in one place, and every copy of it agrees. Nothing installs florence-nb
by its name, or from an address that is not the one of that place.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ci import address

ROOT = Path(__file__).resolve().parents[1]
NAME = "florence-nb"  # in a variable, so that no line of this file looks like an install
LESSON = "notebooks/00_understanding_florence2.ipynb"
COPIED = ("README.md", "pyproject.toml", "Makefile", ".ci", LESSON, "notebooks/05_detection.ipynb")
ADA = address.Address("ada/florence", "v0.2.0", False)
STATES = [address.Address(), ADA, address.Address("ada/florence", "main", True)]
HERE = address.read(ROOT)
# Git's own settings, and the repository around this folder, have no say in these tests.
GIT = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}


@pytest.fixture
def tree(tmp_path):
    """A small copy of this repository, without an address."""
    folder = tmp_path / "tree"
    (folder / "notebooks").mkdir(parents=True)
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    address.stamp(folder, address.Address())
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    command = ["git", *who, "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=GIT).stdout


def told(capsys, folder: Path, *arguments: str) -> str:
    """What the command says where it refuses."""
    before = contents(folder)
    assert address.main(list(arguments), folder) == 1
    assert contents(folder) == before
    said = capsys.readouterr().err.strip()
    assert "\n" not in said
    return said


# ---- the copies


def test_all_copies_agree():
    assert address.stale_copies(ROOT) == []


@pytest.mark.parametrize("state", STATES, ids=["none", "github", "pypi"])
def test_the_set_up_cell_is_short_and_names_this_version(state):
    cell = address.set_up_cell(state, "3.1.4")
    assert len(cell.splitlines()) <= 8
    assert "florence_nb-3.1.4-py3-none-any.whl" in cell
    assert (state.source("3.1.4") or "git+") in cell or not state.repository
    assert "google.colab" not in cell


def test_without_an_address_there_is_no_link_to_anywhere(tree):
    for name in ("README.md", LESSON):
        text = (tree / name).read_text(encoding="utf-8")
        others = text.replace("https://github.com/huggingface/", "")  # threads that a lesson cites
        assert "colab.research" not in text and "mybinder" not in text and "github.com/" not in others
    assert "Repository =" not in (tree / "pyproject.toml").read_text(encoding="utf-8")
    assert "make wheel" in (tree / "README.md").read_text(encoding="utf-8")


def test_a_stamp_reaches_every_copy(tree):
    changed = address.stamp(tree, ADA)
    assert {path.name for path in changed} == {Path(n).name for n in COPIED} - {"Makefile", ".ci"}
    readme, lesson = ((tree / name).read_text(encoding="utf-8") for name in ("README.md", LESSON))
    assert "git clone https://github.com/ada/florence\ncd florence\n" in readme
    assert f"https://colab.research.google.com/github/ada/florence/blob/v0.2.0/{LESSON}" in readme
    assert "https://mybinder.org/v2/gh/ada/florence/v0.2.0?urlpath=lab/tree/notebooks/00_" in readme
    assert "https://codespaces.new/ada/florence/tree/v0.2.0" in readme
    assert f"https://colab.research.google.com/github/ada/florence/blob/v0.2.0/{LESSON}" in lesson
    assert "git+https://github.com/ada/florence@v0.2.0" in lesson
    assert address.project(tree)["project"]["urls"] == {"Repository": "https://github.com/ada/florence"}
    assert address.read(tree) == ADA
    assert address.stale_copies(tree) == []


def test_a_stamp_can_be_taken_away_and_twice_is_once(tree):
    before = contents(tree)
    address.stamp(tree, ADA)
    once = contents(tree)
    assert address.stamp(tree, ADA) == []
    assert contents(tree) == once != before
    assert address.main(["none"], tree) == 0
    assert contents(tree) == before


def test_another_address_takes_the_place_of_the_first(tree):
    address.stamp(tree, ADA)
    address.stamp(tree, address.Address("bob/learn", "main"))
    assert not [name for name, content in contents(tree).items() if b"ada/florence" in content]


def test_only_a_published_package_is_installed_by_its_name(tree):
    by_name = f"{NAME}=={address.project(ROOT)['project']['version']}".encode()
    assert not [name for name, content in contents(tree).items() if by_name in content]
    address.main(["ada/florence", "--ref", "main", "--pypi", "yes"], tree)
    assert by_name in (tree / LESSON).read_bytes()
    address.main(["ada/florence", "--ref", "main"], tree)
    assert not [name for name, content in contents(tree).items() if by_name in content]


def test_check_names_each_copy_that_differs(tree, capsys):
    for path, old in ((tree / "README.md", "git clone ADDRESS"), (tree / LESSON, "%pip install")):
        path.write_text(path.read_text(encoding="utf-8").replace(old, f"{old} x"), encoding="utf-8")
    assert address.main(["--check"], tree) == 1
    named = [line.split(" differs")[0] for line in capsys.readouterr().out.splitlines()]
    assert named == [f"{LESSON}: set-up cell", "README.md: clone"]
    address.main(["none"], tree)
    assert address.main(["--check"], tree) == 0


# ---- bad input


@pytest.mark.parametrize(
    "name", ["foo", "a/b/c", "/b", "a/", "a b/c", "a/b c", "-a/b", "a/..", "https://gitlab.com/a/b", "a/b;rm"]
)
def test_what_is_no_repository_is_refused(tree, capsys, name):
    arguments = [name, "--ref", "main"] if not name.startswith("-") else ["--ref", "main", "--", name]
    assert f"{name!r} is no repository on GitHub: write REPO=owner/name" in told(capsys, tree, *arguments)


@pytest.mark.parametrize("ref", ["two words", "a..b", "a/", ".a", "v1@x", "a#b", "v1.lock", 'v"1'])
def test_what_is_no_tag_or_branch_is_refused(tree, capsys, ref):
    assert f"{ref!r} is no tag or branch" in told(capsys, tree, "ada/florence", "--ref", ref)


def test_pypi_is_yes_or_no(tree, capsys):
    assert "PYPI=maybe" in told(capsys, tree, "ada/florence", "--ref", "main", "--pypi", "maybe")


def test_lost_marks_are_named_and_nothing_is_written(tree, capsys):
    readme = tree / "README.md"
    readme.write_text(readme.read_text(encoding="utf-8").replace("<!-- address: colab -->", ""), "utf-8")
    said = told(capsys, tree, "ada/florence", "--ref", "main")
    assert said.startswith("README.md: ") and "'colab'" in said


def test_a_lesson_without_a_set_up_cell_is_named(tree, capsys):
    lesson = tree / LESSON
    lesson.write_text(lesson.read_text(encoding="utf-8").replace("find_spec", "look"), encoding="utf-8")
    assert told(capsys, tree, "ada/florence", "--ref", "main").startswith(f"{LESSON}: ")


# ---- what git says


@pytest.mark.parametrize(
    "origin",
    [
        "https://github.com/ada/florence.git",
        "https://github.com/ada/florence",
        "https://token@github.com/ada/florence/",
        "git@github.com:ada/florence.git",
        "ssh://git@github.com/ada/florence.git",
    ],
)
def test_without_a_name_the_remote_origin_counts(tree, origin):
    git(tree, "init", "--quiet", "--initial-branch=main")
    git(tree, "remote", "add", "origin", origin)
    assert address.main([], tree) == 0
    assert address.read(tree) == address.Address("ada/florence", "main")


def test_no_origin_or_one_elsewhere_is_told(tree, capsys):
    git(tree, "init", "--quiet")
    assert "no git remote 'origin'" in told(capsys, tree)
    git(tree, "remote", "add", "origin", "https://codeberg.org/ada/florence.git")
    assert "'origin' is not on GitHub" in told(capsys, tree)


def test_the_tag_of_the_commit_comes_before_the_branch(tree, capsys):
    git(tree, "init", "--quiet", "--initial-branch=trunk")
    git(tree, "add", ".")
    git(tree, "commit", "--quiet", "--message", "all")
    address.main(["ada/florence"], tree)
    assert "at trunk (the branch" in capsys.readouterr().out
    git(tree, "tag", "v0.3.0")
    address.main(["ada/florence"], tree)
    assert "at v0.3.0 (the tag" in capsys.readouterr().out


def test_without_git_the_ref_is_main(tree, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert address.ref_in_sight(tree)[0] == "main"


# ---- make, and a fork


posix = pytest.mark.skipif(
    os.name == "nt", reason="the Makefile and the scripts of .ci run on Linux and macOS"
)


@posix
def test_make_address_calls_the_script(tree):
    command = ["make", "address", "REPO=ada/florence", "REF=v1 x", f"PYTHON={sys.executable}"]
    refused = subprocess.run(command, cwd=tree, capture_output=True, text=True)
    assert refused.returncode and refused.stderr.startswith("'v1 x' is no tag or branch")
    subprocess.run(
        [*command[:3], "REF=v1", "PYPI=yes", command[-1]], cwd=tree, check=True, capture_output=True
    )
    assert address.read(tree) == address.Address("ada/florence", "v1", True)


def push_to_a_fork(tree: Path, name: str) -> str:
    """What the workflow's script says on a push to the default branch of the fork of that name."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = GIT | {"GITHUB_REPOSITORY": name, "GITHUB_REF_NAME": "main", "PATH": path}
    return subprocess.run(
        [tree / ".ci" / "stamp-fork"], check=True, capture_output=True, text=True, env=env
    ).stdout


@posix
def test_a_fork_stamps_itself_once(tree, tmp_path):
    address.stamp(tree, address.Address("ada/florence", "v0.2.0", True))
    git(tmp_path, "init", "--quiet", "--bare", "fork.git")
    git(tree, "init", "--quiet", "--initial-branch=main")
    git(tree, "remote", "add", "origin", str(tmp_path / "fork.git"))
    git(tree, "add", ".")
    git(tree, "commit", "--quiet", "--message", "all")
    assert "already" in push_to_a_fork(tree, "Ada/Florence")
    push_to_a_fork(tree, "bob/learn")
    assert address.read(tree) == address.Address("bob/learn", "main", False)
    pushed = git(tmp_path / "fork.git", "log", "--format=%s", "main").splitlines()
    assert pushed == ["The address is bob/learn", "all"]
    assert "already" in push_to_a_fork(tree, "bob/learn")
    assert len(git(tmp_path / "fork.git", "log", "--format=%s", "main").splitlines()) == 2


# ---- nothing of somebody else's


INSTALLER = re.compile(r"\b(?:pip3?|uv|uvx|pipx|conda|mamba|poetry)\b(.*)")
BY_NAME = re.compile(r"florence[-_.]nb(?:\[[\w,-]*\])?(?:[=<>!~@].*)?", re.IGNORECASE)
OURS = re.compile(
    r"(?:github\.com|githubusercontent\.com|/github|/gh|codespaces\.new)/([\w.-]+/florence-nb)\b"
)


def installs_by_name(line: str) -> bool:
    """Whether a command in this line asks a package index for florence-nb."""
    found = INSTALLER.search(line)
    if not found or "--no-index" in line:
        return False
    words = [word.strip("\"'`\\.,;:()") for word in found[1].split()]
    verbs = {"install", "download", "wheel", "add", "run", "tool"}
    return (bool(verbs & set(words)) or "uvx" in line) and any(BY_NAME.fullmatch(word) for word in words)


def tracked() -> list[Path]:
    """The text files of this repository, as git knows them, or as they lie here where there is no git."""
    listed = address.git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    paths = [ROOT / name for name in listed if name] or [
        path for path in ROOT.rglob("*") if not {".venv", ".venv-colab", "build", "dist"} & set(path.parts)
    ]
    kinds = {".md", ".py", ".ipynb", ".toml", ".yml", ".yaml", ".json", ".txt", ".cfg", ".js", ""}
    return [path for path in paths if path.suffix in kinds and path.is_file()]


@pytest.mark.parametrize(
    "line",
    [
        f"pip install {NAME}",
        f'    "    %pip install -q \\"{NAME}==0.1.0\\""',
        f'# first torch, then pip install --no-build-isolation "{NAME}[flash]".',
        f"python -m pip download --dest there {NAME}[lab]==0.1.0",
        f"`pip install {NAME.replace('-', '_')}`, or",
        f"uv pip install {NAME}",
        f"uvx {NAME} lab",
    ],
)
def test_an_install_by_name_is_seen(line):
    assert installs_by_name(line)


@pytest.mark.parametrize(
    "line",
    [
        'pip install -e ".[lab]"',
        "pip install dist/florence_nb-0.1.0-py3-none-any.whl",
        f"pip install --no-index --find-links wheelhouse {NAME}",
        f"conda activate {NAME}",
    ],
)
def test_another_install_is_not(line):
    assert not installs_by_name(line)


@pytest.mark.skipif(HERE.pypi, reason="florence-nb on PyPI is this package")
def test_nothing_installs_the_package_by_its_name():
    paths = [path for path in tracked() if path != ROOT / ".ci" / "address.py"]
    assert len(paths) > 100
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()[:120]}"
        for path in paths
        for line in path.read_text(encoding="utf-8").splitlines()
        if installs_by_name(line)
    ]
    assert found == []


def test_no_address_of_somebody_else_is_given_for_ours():
    assert OURS.findall(f"git+https://github.com/eve/{NAME}@main") == [f"eve/{NAME}"]
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in tracked()
        for name in OURS.findall(path.read_text(encoding="utf-8"))
        if name != HERE.repository
    }
    assert found == set()
