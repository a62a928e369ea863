"""The glossary: its index, its anchors, and the links that lead to it."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
GLOSSARY = (ROOT / "notebooks" / "glossary.md").read_text(encoding="utf-8")
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PAGES = [*ROOT.glob("*.md"), *(ROOT / "workshop").glob("*.md")]
HEADINGS = re.findall(r"^### (.+)$", GLOSSARY, re.M)


def anchor(heading: str) -> str:
    """GitHub lowers the letters and JupyterLab does not, so a heading has small letters only."""
    return heading.replace(" ", "-")


ANCHORS = [anchor(heading) for heading in HEADINGS]


def prose(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    cells = json.loads(text)["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def linked(path: Path) -> list[str]:
    return re.findall(r"glossary\.md#([^)\s\"']+)", prose(path))


def test_the_anchors_are_the_same_on_github_and_in_jupyterlab():
    assert [h for h in HEADINGS if not re.fullmatch(r"[a-z][a-z -]*", h)] == []
    assert len(set(ANCHORS)) == len(ANCHORS) > 50


def test_the_index_names_each_term_once_in_alphabetical_order():
    index = re.findall(r"\[[^\]]+\]\(#([^)]+)\)", GLOSSARY.split("### ")[0])
    assert index == ANCHORS == sorted(ANCHORS, key=lambda each: each.replace("-", " "))


def test_each_term_has_one_to_four_short_sentences_and_a_lesson():
    for entry in GLOSSARY.split("\n### ")[1:]:
        term, text = entry.split("\n", 1)
        assert re.search(r"Lessons? \[\d\d\]\((\d\d_\w+\.ipynb)\)", text), term
        plain = re.sub(r"`[^`]*`|\([^)]*\)", "", text)
        assert 1 <= len(re.findall(r"[.?:](?:\s|$)", plain)) <= 6 and len(plain.split()) < 75, term


def test_links_of_the_glossary_lead_somewhere():
    for lesson in re.findall(r"\]\((\d\d_[^)]+)\)", GLOSSARY):
        assert (ROOT / "notebooks" / lesson).is_file(), lesson
    assert set(re.findall(r"\]\(#([^)]+)\)", GLOSSARY)) <= set(ANCHORS)


@pytest.mark.parametrize("path", [*LESSONS, *PAGES], ids=lambda path: path.name)
def test_a_link_to_the_glossary_has_its_heading(path):
    assert [each for each in linked(path) if each not in ANCHORS] == []


def unlinked() -> list[str]:
    """Terms that no lesson and no page links to: `python -m tests.test_glossary` prints them."""
    used = {each for path in [*LESSONS, *PAGES] for each in linked(path)}
    return [each for each in ANCHORS if each not in used]


if __name__ == "__main__":
    print("\n".join(unlinked()))
