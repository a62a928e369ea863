"""What the website is made of: a lesson as a page, links to files without a page, the check of links."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

pytest.importorskip("sphinx", reason='pip install -e ".[site]"')

from docutils import nodes  # noqa: E402
from florence_site import __main__ as command  # noqa: E402
from florence_site import elsewhere, gather, lessons, links, repository  # noqa: E402

from tests.ci import address  # noqa: E402

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
HEAD = f"""# A title

<!-- address: badge -->
<!-- /address -->

![A pixel](data:image/png;base64,{PIXEL})

*What it promises.*

- **You will do:** one thing,
  and another.
- **You will learn:** much.
- **You need:** lesson 03.
- **Time:** about 15 minutes."""


def lesson(folder, *cells, head=HEAD):
    path = folder / "77_title.ipynb"
    nbformat.write(new_notebook(cells=[new_markdown_cell(head), *cells]), path)
    return path


def shown(words, **data):
    return new_output("display_data", {"text/plain": words, **data})


# ---- a lesson


def test_the_head_of_a_lesson_is_told(tmp_path):
    told = lessons.told(lesson(tmp_path))
    assert (told.number, told.title, told.promise) == ("77", "A title", "What it promises.")
    assert (told.will, told.minutes, told.alt) == ("one thing, and another.", "15", "A pixel")
    assert told.place == "notebooks/77_title" and told.picture == "notebooks/pictures/77_title.png"
    assert lessons.title_picture(tmp_path / "77_title.ipynb")[1:4] == b"PNG"


@pytest.mark.parametrize(
    "lost, name",
    [("![A", "picture"), ("*What", "promise"), ("**Time", "Time"), ("**You will do", "You will do")],
)
def test_a_head_that_lacks_something_is_refused(tmp_path, lost, name):
    with pytest.raises(ValueError, match=f"77_title.ipynb: its first cell has no {name}"):
        lessons.told(lesson(tmp_path, head=HEAD.replace(lost, "_")))


def test_the_greeting_goes_and_the_rest_of_the_output_stays(tmp_path):
    greeting = 'mini is a small Florence-2 that knows drawn scenes only. For the real one: load("base").\n'
    cell = new_code_cell("1", outputs=[new_output("stream", text=greeting + "kept\n")])
    only = new_code_cell("2", outputs=[new_output("stream", text=greeting)])
    _, first, second = lessons.page(lesson(tmp_path, cell, only)).cells
    assert first.outputs[0].text == "kept\n" and second.outputs == []


def test_a_widget_that_only_a_kernel_shows_is_left_out_and_one_with_a_picture_is_told(tmp_path):
    bare = new_code_cell("1", outputs=[shown("VBox(children=(IntSlider(value=3),))")])
    live = new_code_cell("2", outputs=[shown("Playground of mini\non kitchen", **{"image/png": PIXEL})])
    plain = new_code_cell("3", outputs=[shown("<PIL.Image.Image mode=RGB size=3x4>", **{"image/png": PIXEL})])
    _, first, second, note, third = lessons.page(lesson(tmp_path, bare, live, plain)).cells
    assert first.outputs == [] and "controls" in note.source
    assert second.metadata.mystnb["image"]["alt"] == "Playground of mini on kitchen"
    assert third.metadata.mystnb["image"]["alt"] == "The picture that this cell shows, 3 by 4 pixels"


@pytest.mark.parametrize("bar", ["  0%|      | 0/120 [00:00<?]", "export:   0%|     | 0/4 [00:00<?]"])
def test_a_progress_bar_is_left_out(tmp_path, bar):
    _, cell = lessons.page(lesson(tmp_path, new_code_cell("1", outputs=[shown(bar)]))).cells
    assert cell.outputs == []


def test_a_picture_keeps_its_own_words(tmp_path):
    output = new_output("execute_result", {"image/png": PIXEL, "text/plain": "<x>"}, execution_count=1)
    output.metadata["image/png"] = {"alt": "Two cups."}
    _, cell = lessons.page(lesson(tmp_path, new_code_cell("1", outputs=[output]))).cells
    assert cell.metadata.mystnb["image"]["alt"] == "Two cups."


# ---- links to files that have no page


@pytest.fixture
def stamped(monkeypatch):
    monkeypatch.setattr(repository, "address", lambda: address.Address("owner/name", "main"))


def test_a_link_names_what_is_in_the_repository():
    assert elsewhere.repository_path("workshop/README", "../florence_nb/tasks.py") == "florence_nb/tasks.py"
    assert elsewhere.repository_path("CONTRIBUTING", "benchmarks/results") == "benchmarks/results"
    for target in ("../nothing.py", "#here", "", "../../../etc/passwd"):
        assert elsewhere.repository_path("workshop/README", target) == ""


def test_with_an_address_it_leads_to_the_repository(stamped):
    link = elsewhere.replacement(nodes.inline("", "the tasks"), "florence_nb/tasks.py")
    assert link["refuri"] == "https://github.com/owner/name/blob/main/florence_nb/tasks.py"
    assert link.astext() == "the tasks"
    assert repository.on_the_web("benchmarks").endswith("/tree/main/benchmarks")


def test_without_one_its_words_stay_as_code(monkeypatch):
    monkeypatch.setattr(repository, "address", lambda: address.Address())
    assert repository.on_the_web("florence_nb/tasks.py") == ""
    assert isinstance(elsewhere.replacement(nodes.inline("", "tasks"), "florence_nb/tasks.py"), nodes.literal)
    code = nodes.inline("", "", nodes.literal("", "tasks.py"))
    assert elsewhere.replacement(code, "florence_nb/tasks.py") is code


# ---- the menu


def test_a_new_page_comes_into_the_menu_by_itself(tmp_path, monkeypatch):
    for name, title in {"README": "The day", "zoo": "Later", "participants": "For `you`"}.items():
        (tmp_path / "workshop").mkdir(exist_ok=True)
        (tmp_path / "workshop" / f"{name}.md").write_text(f"# {title}\n")
    monkeypatch.setattr(gather, "ROOT", tmp_path)
    menu = gather.shelves()
    assert menu["Workshop"] == [
        ("The day", "workshop/README"),
        ("For you", "workshop/participants"),
        ("Later", "workshop/zoo"),
    ]
    assert menu["Lessons"] == []


# ---- the check of links

GOOD = '<a id="here"></a><a href="#here">a</a><a href="sub/b.html#there">b</a><a href="https://a.org/x?y#z">c</a>'
FAULTS = {
    '<a href="c.html">': "broken: a.html: c.html is not there",
    '<a href="sub/b.html#nowhere">': "broken: a.html: sub/b.html#nowhere is a place that is not there",
    '<a href="#nowhere">': "broken: a.html: #nowhere is a place that is not there",
    '<a href="../secret.html">': "broken: a.html: ../secret.html leaves the site",
    '<a href="file:///x.html">': "broken: a.html: file:///x.html has the scheme file",
    '<a href="https://example">': "broken: a.html: https://example is no address",
    '<img src="picture.png">': "broken: a.html: picture.png is not there",
    '<img src="https://a.org/x.png">': "loaded: a.html: <img> loads https://a.org/x.png",
    '<img srcset="//a.org/x.png 2x">': "loaded: a.html: <img> loads //a.org/x.png",
    '<script src="https://a.org/x.js"></script>': "loaded: a.html: <script> loads https://a.org/x.js",
    '<link rel="stylesheet" href="//a.org/x.css">': "loaded: a.html: <link> loads //a.org/x.css",
}


@pytest.fixture
def small(tmp_path):
    """A function that writes a small site whose first page also holds this, and checks it."""

    def checked(more="", style=""):
        (tmp_path / "site" / "sub").mkdir(parents=True)
        (tmp_path / "secret.html").write_text("")
        (tmp_path / "site" / "a.html").write_text(GOOD + more)
        (tmp_path / "site" / "sub" / "b.html").write_text('<p id="there"><a href="../a.html#here">')
        (tmp_path / "site" / "a.css").write_text(style)
        report = links.check(tmp_path / "site")
        return report, [f"broken: {each}" for each in report.broken] + [f"loaded: {e}" for e in report.loaded]

    return checked


def test_good_links_are_good(small):
    report, wrong = small()
    assert wrong == [] and (report.pages, report.links) == (2, 4)
    assert report.outside == {"https://a.org/x?y#z"}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_link_is_found(small, fault):
    assert small(fault)[1] == [FAULTS[fault]]


@pytest.mark.parametrize("style", ["@import '//a.org/x.css';", "a { background: url(https://a.org/x.png) }"])
def test_a_style_from_elsewhere_is_found(small, style):
    (wrong,) = small(style=style)[1]
    assert wrong.startswith("loaded: a.css: the style loads ") and "//a.org/x." in wrong


# ---- the command


def test_a_folder_of_somebody_else_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("")
    with pytest.raises(SystemExit, match="holds something else than a site: name another folder with --out"):
        command.check_place(tmp_path)
    assert (tmp_path / "mine.txt").exists()


def test_an_older_site_is_replaced(tmp_path):
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / command.MARK).write_text(name)
    command.check_place(tmp_path / "old")
    command.put(tmp_path / "new", tmp_path / "old")
    assert (tmp_path / "old" / command.MARK).read_text() == "new" and not (tmp_path / "new").exists()
    command.check_place(tmp_path / "nowhere")
