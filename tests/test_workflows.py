"""The workflows on GitHub only call what is tested here: make targets, scripts, lines of the Makefile."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.ci import address

ROOT = Path(__file__).resolve().parents[1]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
WORKFLOWS = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / ".github" / "workflows").glob("*.yml"))
}
STEPS = [
    (f"{name}.{job}", step)
    for name, flow in WORKFLOWS.items()
    for job, told in flow["jobs"].items()
    for step in told["steps"]
]
RUNS = [(job, step["run"]) for job, step in STEPS if "run" in step]
WINDOWS = [run.removeprefix("python -m ") for job, run in RUNS if job == "test.windows"]
ACTION = r"actions/(checkout|setup-python|configure-pages|upload-pages-artifact|deploy-pages)@v\d+"
posix = pytest.mark.skipif(os.name == "nt", reason="a script for Linux and macOS")


def triggers(name: str):
    return WORKFLOWS[name].get("on", WORKFLOWS[name].get(True))  # YAML 1.1 reads `on` as true


def test_the_workflows_are_there():
    assert set(WORKFLOWS) == {"address", "site", "test"}
    assert triggers("address") == "push" and triggers("test") == ["push", "pull_request"]


def test_only_those_that_push_or_publish_may_write():
    assert {name: flow["permissions"] for name, flow in WORKFLOWS.items()} == {
        "address": {"contents": "write"},
        "site": {"contents": "read", "pages": "write", "id-token": "write"},
        "test": {"contents": "read"},
    }


@pytest.mark.parametrize(("job", "run"), RUNS, ids=[f"{job}: {run[:30]}" for job, run in RUNS])
def test_each_step_calls_what_is_here(job, run):
    assert "\n" not in run and "${{" not in run
    if found := re.fullmatch(r"make ([\w-]+)", run):
        assert re.search(rf"^{found[1]}:", MAKEFILE, flags=re.MULTILINE)
    elif run.startswith(".ci/"):
        assert os.access(ROOT / run, os.X_OK)
    else:
        assert job == "test.windows" and run.startswith("python -m ")


def test_actions_are_those_of_github_at_a_major_version():
    used = {step["uses"] for _, step in STEPS if "uses" in step}
    assert used and all(re.fullmatch(ACTION, each) for each in used)


def test_linux_runs_everything_from_the_oldest_python_on():
    linux = WORKFLOWS["test"]["jobs"]["linux"]
    oldest = address.project(ROOT)["project"]["requires-python"].removeprefix(">=")
    assert {oldest, "3.13"} <= set(linux["strategy"]["matrix"]["python"])
    assert linux["steps"][-1] == {"run": "make test"}
    assert linux["steps"][1]["with"]["python-version"] == "${{ matrix.python }}"


def test_the_others_run_the_unit_ring():
    assert ("test.macos", "make test-unit") in RUNS
    wanted = [f'pip install {value("TORCH")} --editable ".[dev]"']
    wanted += ["ruff check", "mypy", f"pytest {value('SPREAD')}"]
    assert WINDOWS == wanted
    assert WORKFLOWS["test"]["jobs"]["windows"]["env"] == {"OMP_NUM_THREADS": 1}
    unit = re.search(r"^test-unit: lint\n\t(.*)$", MAKEFILE, flags=re.MULTILINE)[1]
    assert unit == "OMP_NUM_THREADS=1 $(BIN)/pytest $(SPREAD)"


def value(name: str) -> str:
    return re.search(rf"^{name} \??= (.+)$", MAKEFILE, flags=re.MULTILINE)[1]


def test_a_fork_is_stamped_on_its_default_branch_only():
    job = WORKFLOWS["address"]["jobs"]["stamp"]
    assert job["if"] == "github.ref == format('refs/heads/{0}', github.event.repository.default_branch)"
    assert WORKFLOWS["address"]["concurrency"] == "address"
    assert job["steps"][-1] == {"run": ".ci/stamp-fork"}


def test_the_site_is_built_when_the_address_is_right():
    """A push of `address` starts no workflow, so the site waits for it, and takes the newest commit."""
    flow, job = triggers("site"), WORKFLOWS["site"]["jobs"]["publish"]
    assert flow["workflow_run"] == {"workflows": ["address"], "types": ["completed"]}
    assert "workflow_dispatch" in flow and WORKFLOWS["address"]["name"] == "address"
    assert job["steps"][0]["with"] == {"ref": "${{ github.event.repository.default_branch }}"}
    assert "conclusion == 'success'" in job["if"] and "has_pages" in job["if"]


def test_what_make_site_writes_is_published():
    steps = WORKFLOWS["site"]["jobs"]["publish"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == ["make site"]
    names = [re.sub(r"actions/|@v\d+", "", step.get("uses", step.get("run"))) for step in steps]
    assert names[2:] == ["make site", "configure-pages", "upload-pages-artifact", "deploy-pages"]
    assert steps[-2]["with"] == {"path": "site"}
    assert re.search(r"^/site/$", (ROOT / ".gitignore").read_text(), flags=re.MULTILINE)


@posix
@pytest.mark.parametrize("name", ["run", "stamp-fork", "chromium"])
def test_the_scripts_are_readable_by_bash(name):
    subprocess.run([shutil.which("bash"), "-n", ROOT / ".ci" / name], check=True)


@posix
@pytest.mark.parametrize("there", ["chromium", "google-chrome"])
def test_a_browser_that_is_there_is_enough(tmp_path, there):
    """Nothing else is on the PATH, so a call of apt-get would be seen."""
    for name, says in ((there, "exit 0"), ("apt-get", "echo called")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{says}\n")
        (tmp_path / name).chmod(0o755)
    command = [shutil.which("bash"), ROOT / ".ci" / "chromium"]
    done = subprocess.run(command, env={"PATH": str(tmp_path)}, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


@posix
def test_without_a_browser_apt_installs_one(tmp_path):
    for name in ("apt-get", "sudo"):
        (tmp_path / name).write_text(f'#!/bin/sh\necho {name} "$@" >&2\n')
        (tmp_path / name).chmod(0o755)
    (tmp_path / "id").write_text("#!/bin/sh\necho 0\n")
    (tmp_path / "id").chmod(0o755)
    shutil.copy(shutil.which("env"), tmp_path / "env")
    command = [shutil.which("bash"), ROOT / ".ci" / "chromium"]
    done = subprocess.run(command, env={"PATH": str(tmp_path)}, capture_output=True, text=True)
    assert done.returncode == 0 and "install -y -qq --no-install-recommends chromium" in done.stderr
