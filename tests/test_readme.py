"""README.md and the workshop's pages agree with the code: tables, commands, links."""

import argparse
import re
import shlex
import string
import sys
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest
from PIL import Image

import florence_nb as fnb
from florence_nb import cli

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "workshop").glob("*.md"))]
LESSONS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REPOSITORY = PROJECT["urls"]["Repository"]
_ON_COLAB = REPOSITORY.replace("github.com", "colab.research.google.com/github")
COLAB = f"{_ON_COLAB}/blob/v{PROJECT['version']}/notebooks"
LINK = re.compile(r"\]\(([^)\s]+)\)")
MACHINE_PATH = re.compile(r"(?<![\w./:])/(?:home|root|tmp|var|Users|work|mnt)/[\w.-]+|\b[A-Z]:\\")
each_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)


def rows(text: str, first: str) -> list[list[str]]:
    """The cells of the table whose first header is `first`, without header and rule."""
    lines = text.split(f"\n| {first} |", 1)[1].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def prose(path: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def anchors(path: Path) -> set[str]:
    """The names that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", prose(path), flags=re.MULTILINE)
    dropped = str.maketrans("", "", string.punctuation.replace("-", "").replace("_", ""))
    return {heading.lower().translate(dropped).replace(" ", "-") for heading in headings}


def first_cell(path: Path) -> str:
    return nbformat.read(path, as_version=4).cells[0].source


def test_all_pages_are_there():
    assert {path.name for path in PAGES} >= {"README.md", "CHANGELOG.md", "notes.md", "quiz.md", "offline.md"}
    assert len(LESSONS) >= 11


# ---- tables


def test_the_task_table_is_that_of_the_package():
    expected = [
        [f"`{t.prompt}`", t.title, t.takes, t.gives, t.sentence.replace("{input}", "*{input}*")]
        for t in fnb.TASKS.values()
    ]
    assert rows(README, "prompt") == expected


def test_the_lesson_table_is_that_of_the_notebooks():
    found = rows(README, "lesson")
    assert len(found) == len(LESSONS)
    for (link, _, minutes, badge), path in zip(found, LESSONS, strict=True):
        head = first_cell(path)
        assert f"](notebooks/{path.name})" in link and link.startswith(f"[{path.name[:2]} ")
        assert minutes == re.search(r"(\d+) minutes", head)[1], path.name
        assert f"({COLAB}/{path.name})" in badge and f"({COLAB}/{path.name})" in head


def test_the_checkpoint_table_is_that_of_the_package():
    published = [row for row in fnb.CHECKPOINTS.values() if row.hub_id]
    expected = [
        [
            f"`{c.name}`",
            f"`{c.hub_id}`",
            f"{c.parameters / 1e6:.0f} million",
            f"{c.download_bytes / 1e9:.2f} GB",
            c.licence,
        ]
        for c in published
    ]
    assert published and rows(README, "name") == expected


def test_the_first_screen_comes_first():
    order = [
        "make lab",
        "make test",
        "| lesson |",
        "## Install",
        "## Colab",
        "## Troubleshooting",
        "## Development",
    ]
    assert sorted(order, key=README.index) == order
    assert README.index("| lesson |") < 1800


# ---- commands


@each_page
def test_make_targets_exist(path):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    text = path.read_text(encoding="utf-8")
    named = set(
        re.findall(r"`make ([\w-]+)", text)
        + re.findall(r"^make ([\w-]+)", "".join(blocks(text, "sh")), flags=re.M)
    )
    assert {name for name in named if not re.search(rf"^{name}:", makefile, flags=re.MULTILINE)} == set()
    assert path != PAGES[0] or named >= {"lab", "test", "venv", "lessons"}


@each_page
def test_commands_are_understood(path):
    text = path.read_text(encoding="utf-8")
    lines = re.findall(r"^florence-nb (.+)$", "".join(blocks(text, "sh")), flags=re.MULTILINE)
    lines += re.findall(r"`florence-nb ([^`]+)`", text)
    for line in lines:
        try:
            cli._parser().parse_args(shlex.split(line))
        except SystemExit as stopped:
            assert stopped.code == 0, line  # --help
    assert path != PAGES[0] or {line.split()[0] for line in lines} == set(subcommands())


def subcommands() -> list[str]:
    (action,) = (a for a in cli._parser()._actions if isinstance(a, argparse._SubParsersAction))
    return list(action.choices)


def test_nbval_is_called_as_the_makefile_does():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert (
        f"pytest {re.search(r'^NBVAL = (.+)$', makefile, flags=re.MULTILINE)[1]} tests/notebooks notebooks\n"
        in README
    )


def test_the_ten_lines_run(mini, tmp_path, monkeypatch, capsys):
    (code,) = (block for block in blocks(README, "python") if "import florence_nb" in block)
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    assert Image.open("street-boxes.png").width <= 480
    assert "<loc_" in capsys.readouterr().out


@each_page
def test_python_parses_and_names_what_the_package_has(path):
    text = path.read_text(encoding="utf-8")
    for block in blocks(text, "python"):
        compile(block, path.name, "exec")
    assert {name for name in re.findall(r"\bfnb\.(\w+)", text) if not hasattr(fnb, name)} == set()


# ---- links


@each_page
def test_links_lead_somewhere(path):
    for link in LINK.findall(prose(path)):
        if link.startswith("http"):
            assert not link.startswith(f"{REPOSITORY}/blob"), f"{link}: link the file itself"
            continue
        file, _, anchor = unquote(link).partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@each_page
def test_no_page_names_a_machine(path):
    assert MACHINE_PATH.findall(path.read_text(encoding="utf-8")) == []


def test_the_picture_is_small_and_described():
    alt, link = re.search(r"!\[([^\]]+)\]\((notebooks/[^)]+)\)", README).groups()
    assert len(alt) > 40
    assert (ROOT / link).stat().st_size <= 80_000
    assert Image.open(ROOT / link).width <= 960


# ---- the workshop


@pytest.mark.parametrize("minutes, title", [(210, "## Half a day"), (90, "## 90 minutes")])
def test_the_plan_adds_up(minutes, title):
    plan = (ROOT / "workshop" / "README.md").read_text(encoding="utf-8").split(title)[1]
    clock = 0
    for at, takes, what, _ in rows(plan, "at"):
        hours, past = at.split(":")
        assert 60 * int(hours) + int(past) == clock, what
        clock += int(takes)
    assert clock == minutes


@pytest.mark.parametrize("name", ["notes.md", "quiz.md"])
def test_every_lesson_has_its_part(name):
    parts = re.split(r"^## ", (ROOT / "workshop" / name).read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    assert [part[:2] for part in parts] == [path.name[:2] for path in LESSONS]
    if name == "quiz.md":
        for part in parts:
            asked = len(re.findall(r"^\d\. ", part, flags=re.MULTILINE))
            assert 3 <= asked <= 5 and part.count("<summary>Answer</summary>") == asked, part[:30]
    else:
        assert all(f"**{word}:**" in part for part in parts for word in ("Stays", "Stuck", "Cut", "Ask"))
