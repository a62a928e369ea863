"""README.md and the pages beside it agree with the code and the disk: tables, tree, commands, links."""

import argparse
import importlib.util
import operator
import os
import re
import shlex
import string
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest
import torch
from PIL import Image

import florence_nb as fnb
from florence_nb import cli
from florence_nb.widgets.playground import Playground
from tests.ci import address

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "workshop").glob("*.md"))]
README, REFERENCE, TROUBLESHOOTING, CONTRIBUTING = (
    (ROOT / f"{name}.md").read_text(encoding="utf-8")
    for name in ("README", "REFERENCE", "TROUBLESHOOTING", "CONTRIBUTING")
)
LESSONS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
ADDRESS = address.read(ROOT)
LINK = re.compile(r"\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"")
MACHINE_PATH = re.compile(r"(?<![\w./:])/(?:home|root|tmp|var|Users|work|mnt)/[\w.-]+|\b[A-Z]:\\")
each_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))


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
    assert {path.name for path in PAGES} >= {"CHANGELOG.md", "notes.md", "quiz.md", "offline.md"}
    assert len(LESSONS) >= 11


# ---- tables


def test_the_task_table_is_that_of_the_package():
    expected = [
        [f"`{t.prompt}`", t.title, t.takes, t.gives, t.sentence.replace("{input}", "*{input}*")]
        for t in fnb.TASKS.values()
    ]
    assert rows(REFERENCE, "prompt") == expected


def test_the_lesson_table_is_that_of_the_notebooks():
    found = rows(README, "lesson")
    assert len(found) == len(LESSONS)
    for (link, _, minutes), path in zip(found, LESSONS, strict=True):
        head = first_cell(path)
        assert f"](notebooks/{path.name})" in link and link.startswith(f"[{path.name[:2]} ")
        assert minutes == re.search(r"(\d+) minutes", head)[1], path.name
        assert ("Open in Colab" in head) == bool(ADDRESS.repository)


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
    assert published and rows(REFERENCE, "name") == expected


def test_what_a_newcomer_needs_comes_first():
    order = [
        "For whom?",
        "](notebooks/pictures/first.jpg)",
        "git clone ",
        "make lab",
        "make test",
        "(TROUBLESHOOTING.md)",
        "| lesson |",
        "## The package in ten lines",
        "## Where things are",
    ]
    assert sorted(order, key=README.index) == order
    assert README.index("| lesson |") < 1800


# ---- the tree of the house


def tree() -> tuple[dict[str, list[str]], dict[str, str]]:
    """Of the tree in README: the names in florence_nb by part ("read this: …", …), and the line of each name
    in the tree.
    """
    (text,) = (block for block in blocks(README, "text") if "florence_nb/" in block)
    parts: dict[str, list[str]] = {}
    lines = {}
    for line in text.splitlines():
        if title := re.fullmatch(r"│ ── (.+) ──", line):
            part = parts.setdefault(title[1], [])
            continue
        inside, name = re.match(r"([├└]── )?(\S+)", line).groups()
        assert name not in lines, name
        lines[name] = line
        if inside:
            part.append(name)
    return parts, lines


def test_the_tree_is_that_of_the_disk():
    package = ROOT / "florence_nb"
    kept = [path for path in package.iterdir() if path.is_dir() and path.name[0] not in "._"]
    folders = {f"{path.name}/" for path in kept if any(path.glob("[!_.]*.*"))}  # not one of old bytecode
    parts, lines = tree()
    inside = {name for names in parts.values() for name in names}
    assert inside == folders | {path.name for path in package.glob("*.py")}
    assert all((ROOT / name).is_dir() for name in set(lines) - inside)


def test_the_tree_names_lessons_that_exist():
    numbers = {path.name[:2] for path in LESSONS}
    named = {
        name: re.findall(r"(?<=[ (])\d\d(?=[,) ])", line.partition(name)[2])
        for name, line in tree()[1].items()
    }
    assert {name: found for name, found in named.items() if not numbers.issuperset(found)} == {}
    part = next(names for title, names in tree()[0].items() if title.startswith("read this"))
    assert [name for name in part if not named[name]] == [], (
        "a learner is told to read it: which lesson helps?"
    )


def test_what_to_read_is_as_long_as_the_tree_says():
    ((title, names),) = ((t, names) for t, names in tree()[0].items() if t.startswith("read this"))
    told = int(re.search(r"about ([\d ]+) lines", title)[1].replace(" ", ""))
    lines = sum(len((ROOT / "florence_nb" / name).read_text(encoding="utf-8").splitlines()) for name in names)
    assert abs(lines - told) <= 150, lines


# ---- commands


@each_page
def test_make_targets_exist(path):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    text = path.read_text(encoding="utf-8")
    named = make_targets(text)
    assert {name for name in named if not re.search(rf"^{name}:", makefile, flags=re.MULTILINE)} == set()


def make_targets(text: str) -> set[str]:
    in_blocks = re.findall(r"^make ([\w-]+)", "".join(blocks(text, "sh")), flags=re.MULTILINE)
    return {*re.findall(r"`make ([\w-]+)", text), *in_blocks}


def test_every_make_target_is_told():
    (phony,) = re.findall(
        r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    assert make_targets(README) - {"address", "wheel"} == {"lab", "test"}
    assert make_targets(README + REFERENCE + CONTRIBUTING) >= set(phony.split()) - {"lint", "clean"}


@each_page
def test_modules_that_are_run_exist_and_know_the_options(path):
    text = path.read_text(encoding="utf-8")
    lines = re.findall(r"python -m ((?:florence_nb|tests|benchmarks)[\w.]*)([^`\n#,]*)", text)
    for module, rest in lines:
        spec = importlib.util.find_spec(module)
        assert spec, module
        if spec.submodule_search_locations:
            spec = importlib.util.find_spec(f"{module}.__main__")
        source = Path(spec.origin).read_text(encoding="utf-8")
        assert [option for option in re.findall(r"--[\w-]+", rest) if f'"{option}"' not in source] == []
    assert path.name != "CONTRIBUTING.md" or len(lines) >= 7


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
    assert path.name != "REFERENCE.md" or {line.split()[0] for line in lines} == set(subcommands())


def subcommands() -> list[str]:
    (action,) = (a for a in cli._parser()._actions if isinstance(a, argparse._SubParsersAction))
    return list(action.choices)


def test_nbval_is_called_as_the_makefile_does():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert (
        f"pytest {re.search(r'^NBVAL = (.+)$', makefile, flags=re.MULTILINE)[1]} tests/notebooks notebooks\n"
        in CONTRIBUTING
    )


def test_the_ten_lines_run(mini, tmp_path, monkeypatch, capsys):
    (code,) = (block for block in blocks(README, "python") if "import florence_nb" in block)
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    assert Image.open("street-boxes.png").width <= 480
    assert "<loc_" in capsys.readouterr().out


def test_the_lines_on_regions_run(mini, capsys):
    (code,) = (block for block in blocks(REFERENCE, "python") if "fnb.scenes" in block)
    exec(compile(code, "REFERENCE.md", "exec"), {"fnb": fnb, "florence": mini})
    *found, truth = capsys.readouterr().out.splitlines()
    assert found and all(re.fullmatch(r".+ is .+ [01]\.\d+", line) for line in found)
    assert "<loc_" in truth


def test_old_and_new_names_in_the_changes_work(mini):
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    homes = {"florence": mini, "panel": Playground, "fnb": fnb, "florence_nb": fnb}
    for row in rows(changes, "old"):
        for name in re.findall(r"`([\w.]+)`", " ".join(row)):
            first, _, rest = name.partition(".")
            assert operator.attrgetter(rest)(homes[first]) is not None, name


@each_page
def test_python_parses_and_names_what_the_package_has(path):
    text = path.read_text(encoding="utf-8")
    for block in blocks(text, "python"):
        compile(block, path.name, "exec")
    assert {name for name in re.findall(r"\bfnb\.(\w+)", text) if not hasattr(fnb, name)} == set()


# ---- links


@each_page
def test_links_lead_somewhere(path):
    for link in map("".join, LINK.findall(prose(path))):
        if link.startswith("http"):
            assert not (ADDRESS.repository and link.startswith(f"{ADDRESS.url}/blob")), (
                f"{link}: link the file"
            )
            continue
        file, _, anchor = unquote(link).partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@each_page
def test_no_page_names_a_machine(path):
    assert MACHINE_PATH.findall(path.read_text(encoding="utf-8")) == []


def test_pictures_are_small_and_described():
    both = README + REFERENCE
    pictures = re.findall(r"!\[([^\]]*)\]\((\S+)\)", both)
    pictures += [pair[::-1] for pair in re.findall(r'<img src="(\S+)" width="\d+" alt="([^"]*)">', both)]
    assert len(pictures) == both.count("![") + both.count("<img") == 3
    for alt, link in pictures:
        assert len(alt) > 40, link
        assert (ROOT / link).stat().st_size <= 100_000, link
        assert Image.open(ROOT / link).width <= 960, link


def test_pages_lead_to_each_other():
    for page in ("REFERENCE", "TROUBLESHOOTING", "CONTRIBUTING", "CHANGELOG", "workshop/README"):
        assert f"({page}.md" in README
    assert re.search(r"[Pp]aste your error into the search of \[TROUBLESHOOTING", README)


# ---- troubleshooting


def entries() -> dict[str, str]:
    parts = re.split(r"^### (.+)$", TROUBLESHOOTING, flags=re.MULTILINE)[1:]
    return {
        title: re.split(r"^## ", text, flags=re.MULTILINE)[0] for title, text in zip(parts[::2], parts[1::2])
    }


def test_every_entry_has_its_cause_and_cure():
    assert len(entries()) >= 20
    for title, text in entries().items():
        assert re.findall(r"^- (\w+): \S", text, flags=re.MULTILINE) == ["Cause", "Cure"], title


def no_padding(florence, image):
    florence.processor(text=["<OD>", "<CAPTION>"], images=[image] * 2, return_tensors="pt")


def words_after_od(florence, image):
    florence.processor(text="<OD> cars", images=image, return_tensors="pt")


def another_size(florence, image):
    size = {"height": 384, "width": 384}
    inputs = florence.processor(text="<OD>", images=image, size=size, return_tensors="pt")
    florence.model.generate(**inputs, max_new_tokens=2)


def a_long_answer(florence, image):
    inputs = florence.processor(text="<OD>", images=image, return_tensors="pt")
    florence.model(**inputs, decoder_input_ids=torch.full((1, 1100), 2))


@pytest.mark.parametrize("mistake", [no_padding, words_after_od, another_size, a_long_answer])
def test_what_transformers_says_is_found_by_search(mistake, mini):
    with pytest.raises((ValueError, IndexError)) as raised:
        mistake(mini, fnb.open_image("street"))
    assert str(raised.value)[:40] in TROUBLESHOOTING


def test_what_the_package_says_without_network_is_found_by_search(tmp_path):
    code = "from florence_nb.checkpoints import find; find('large', local_files_only=True)"
    environment = os.environ | {"HF_HOME": str(tmp_path), "HF_HUB_CACHE": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    (said,) = re.findall(r"^[\w.]*CheckpointError: ([^:]+):", ran.stderr, flags=re.MULTILINE)
    assert said in TROUBLESHOOTING


# ---- the workshop


@pytest.mark.parametrize(
    "minutes, title", [(210, "## Half a day"), (90, "## 90 minutes"), (210, "## A second half day")]
)
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
            asked = len(re.findall(r"^\*\*\d\.\*\* ", part, flags=re.MULTILINE))
            assert 3 <= asked <= 5 and part.count("<b>Right.</b>") == asked, part[:30]
    else:
        assert all(
            f"**{word}:**" in part for part in parts for word in ("Stays", "Predict", "Stuck", "Cut", "Ask")
        )
