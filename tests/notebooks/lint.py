"""What a lesson must look like before anyone runs it: `python -m tests.notebooks.lint [files]`.

Each rule is a generator over one notebook. What breaks one of RULES is an error, what breaks one of GUIDES is
advice.
"""

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from florence_nb.exercises.sheets import exercise_of
from tests.ci import address

from .execution import NOTEBOOKS, QUIZ, ROOT, errors_of, is_tagged, stderr_of
from .pictures import (
    MAX_BYTES,
    MAX_WIDTH,
    PREVIEW,
    PREVIEW_WIDTH,
    difference,
    encode,
    open_picture,
    picture_data,
    title_picture,
)

MAX_NOTEBOOK_BYTES = 400_000
MIN_COMPARED = 4
MAX_LINES = 10  # of nine code cells in ten
SKIP_TAGS = ("nbval-skip", "skip-execution")
IGNORE_TAGS = ("nbval-ignore-output", *SKIP_TAGS)
WIDGET = re.compile(
    r"\b(?:W|widgets)\.[A-Z]\w+\(|\b(?:playground|region_picker|scene_composer|explore|interact\w*)\("
)
OUTPUT_WIDGET = re.compile(r"(?<!fnb\.)\binteract(?:ive\w*|_manual)?\(|\b(?:W|widgets)\.Output\(")
INSIDE_IMPORT = re.compile(
    r"^\s*(?:from florence_nb\.\S+ import|import florence_nb\.\S+|.*import_module\(.florence_nb\.).*$",
    re.MULTILINE,
)
MACHINE_PATH = re.compile(r"(?<![\w./:])/(?:home|root|tmp|var|Users|work|mnt)/[\w.-]+|\b[A-Z]:\\Users\\")
IMAGE_WITHOUT_TEXT = re.compile(r"!\[\s*\]\(|<img(?![^>]*\balt=[\"'][^\"']+)[^>]*>")
PICTURE = re.compile(r"!\[[^\]]*\]\(\s*([^)\s]*)|<img[^>]*?\bsrc=[\"']?([^\"'\s>]*)")
COMMENT = re.compile(r"<!--.*?-->")
SKIPPED = re.compile(rf"{COMMENT.pattern}|!\[[^\]]*\]\([^)]*\)|<img[^>]*>", re.S)
"""No prose: comments, and pictures with the words that describe them."""
ADDRESS = address.read(ROOT)
VERSION = address.project(ROOT)["project"]["version"]
SET_UP = address.set_up_cell(ADDRESS, VERSION)

Messages = Iterator[tuple[int | None, str]]  # (index of the cell or None, what is wrong)


@dataclass(frozen=True)
class Finding:
    rule: str
    cell: int | None  # index in notebook.cells, as the file has it
    message: str
    is_error: bool

    def __str__(self) -> str:
        where = "" if self.cell is None else f" in cell {self.cell}"
        return f"{'error' if self.is_error else 'advice'} [{self.rule}]{where}: {self.message}"


@dataclass(frozen=True)
class Lesson:
    path: Path
    notebook: NotebookNode

    @property
    def code(self) -> list[tuple[int, NotebookNode]]:
        """(index, cell) of the code cells that hold code; an exercise's blank cell does not."""
        return [
            (i, c) for i, c in enumerate(self.notebook.cells) if c.cell_type == "code" and c.source.strip()
        ]

    @property
    def prose(self) -> list[tuple[int, NotebookNode]]:
        return [(i, c) for i, c in enumerate(self.notebook.cells) if c.cell_type == "markdown"]


def valid_format(lesson: Lesson) -> Messages:
    try:
        nbformat.validate(lesson.notebook)
    except nbformat.ValidationError as error:
        yield None, f"not a valid notebook: {error.message}"


def no_widget_state(lesson: Lesson) -> Messages:
    if "widgets" in lesson.notebook.metadata:
        yield None, "metadata.widgets is stored: GitHub may show 'Invalid Notebook'; run `make lessons`"


def executed_in_order(lesson: Lesson) -> Messages:
    for number, (index, cell) in enumerate(lesson.code, start=1):
        if cell.execution_count != number:
            yield (
                index,
                f"execution count {cell.execution_count} where a run from a fresh kernel gives {number}",
            )


def no_stderr(lesson: Lesson) -> Messages:
    for index, cell in lesson.code:
        if text := stderr_of(cell):
            yield index, f"stderr is stored: {text.strip()[:80]!r}"


def errors_are_meant(lesson: Lesson) -> Messages:
    for index, cell in lesson.code:
        for error in errors_of(cell):
            if not is_tagged(cell, "raises-exception"):
                yield index, f"{error.ename} is stored, and the cell has no tag raises-exception"


def small_pictures(lesson: Lesson) -> Messages:
    for index, cell in lesson.code:
        for content in filter(None, map(picture_data, cell.outputs)):
            width = open_picture(content).width
            if width > MAX_WIDTH or len(content) > MAX_BYTES:
                yield (
                    index,
                    (
                        f"a picture of {width} pixels, {len(content)} bytes; at most {MAX_WIDTH} pixels and"
                        f" {MAX_BYTES} bytes"
                    ),
                )


def small_file(lesson: Lesson) -> Messages:
    size = lesson.path.stat().st_size
    if size > MAX_NOTEBOOK_BYTES:
        yield None, f"the file has {size} bytes; at most {MAX_NOTEBOOK_BYTES}"


def title_first(lesson: Lesson) -> Messages:
    first = lesson.notebook.cells[0] if lesson.notebook.cells else None
    if first is None or first.cell_type != "markdown" or not first.source.startswith("# "):
        yield 0, "the first cell must be prose that begins with the title (# …)"
    elif with_badge(first.source, lesson.path.name) != first.source:
        yield 0, "the link to Colab is not that of [tool.florence-nb]: make address"


def with_badge(title: str, name: str) -> str | None:
    """The title cell as `make address` would write it, None where it has no place for the link to Colab."""
    try:
        return address.replace_marked(title, "badge", lambda _: address.badge(ADDRESS, name))
    except address.AddressError:
        return None


def preview_first(lesson: Lesson) -> Messages:
    """The picture that the learner will have made stands in the first cell, and is that of the tagged
    cell.
    """
    made = [
        data
        for _, cell in lesson.code
        if is_tagged(cell, PREVIEW)
        for data in map(picture_data, cell.outputs)
        if data
    ]
    first = lesson.notebook.cells[0]
    kept = title_picture(first.source)
    if len(made) != 1 or kept is None:
        yield 0, f"one cell with one picture has the tag {PREVIEW}; the first cell shows it: ![…]({PREVIEW})"
    elif told := difference(kept, encode(made[0], PREVIEW_WIDTH)[1]):
        yield 0, f"the picture in the first cell is out of date: {told}"


def set_up_cell(lesson: Lesson) -> Messages:
    source = lesson.code[0][1].source if lesson.code else ""
    if source != SET_UP:
        yield None, f"the first code cell must be that of every lesson (make address):\n{SET_UP}"


def cells_are_compared(lesson: Lesson) -> Messages:
    compared = [index for index, cell in lesson.code if is_compared(cell)]
    if len(compared) < MIN_COMPARED:
        yield None, f"{len(compared)} cells have an output that is compared; at least {MIN_COMPARED}"


def is_compared(cell: NotebookNode) -> bool:
    return (
        bool(cell.outputs) and not is_tagged(cell, *IGNORE_TAGS) and "NBVAL_IGNORE_OUTPUT" not in cell.source
    )


def nothing_skipped(lesson: Lesson) -> Messages:
    for index, cell in lesson.code:
        if is_tagged(cell, *SKIP_TAGS) or "NBVAL_SKIP" in cell.source:
            yield index, "the cell is never run; show such code as prose (a fenced block) or make it run"


def no_trailing_semicolon(lesson: Lesson) -> Messages:
    for index, cell in lesson.code:
        if cell.source.rstrip().endswith(";"):
            yield index, "a trailing ; shows the value all the same under nbval: write _ = …"


def plain_twin(lesson: Lesson) -> Messages:
    """A cell that makes controls stands under a cell of plain code with an output: the same thing without a
    widget.
    """
    before = None
    for index, cell in lesson.code:
        if WIDGET.search(cell.source) and (
            before is None or WIDGET.search(before.source) or not before.outputs
        ):
            yield (
                index,
                "a cell with controls needs its plain-code twin, with an output, as the code cell just above",
            )
        before = cell


def public_door(lesson: Lesson) -> Messages:
    """A lesson shows what its readers can use themselves: names of ``import florence_nb as fnb``."""
    for index, cell in lesson.code:
        if found := INSIDE_IMPORT.search(cell.source):
            yield index, f"{found[0].strip()!r} reaches behind the public door: use a name of fnb"


def no_machine_paths(lesson: Lesson) -> Messages:
    for index, cell in lesson.code:
        if found := MACHINE_PATH.search(f"{cell.source}\n{text_of(cell)}"):
            yield index, f"names a folder of one machine: {found[0]}"


def text_of(cell: NotebookNode) -> str:
    """All output text. Pictures are left out: base64 holds every short string sooner or later."""
    data = [
        value
        for output in cell.outputs
        for kind, value in output.get("data", {}).items()
        if not kind.startswith("image/")
    ]
    plain = [output.get(key, "") for output in cell.outputs for key in ("text", "evalue")]
    return "\n".join(map(str, data + plain + [line for error in errors_of(cell) for line in error.traceback]))


def pictures_are_described(lesson: Lesson) -> Messages:
    for index, cell in lesson.prose:
        if IMAGE_WITHOUT_TEXT.search(cell.source):
            yield index, "a picture without alternative text"


def pictures_travel(lesson: Lesson) -> Messages:
    """A lesson is one file: Colab does not show attachments or the files beside it, and an address of the web
    is broken where there is no network.
    """
    for index, cell in lesson.prose:
        if cell.get("attachments"):
            yield index, "an attachment: write the picture into the text, ![…](data:image/…;base64,…)"
        for address_of in map("".join, PICTURE.findall(cell.source)):
            if not address_of.startswith("data:image/") and (index, address_of) != (0, PREVIEW):
                yield index, f"the picture {address_of[:60]} is not in this file: ![…](data:image/…;base64,…)"


def right_length(lesson: Lesson) -> Messages:
    """Without exercises and quiz, and without pictures and what describes them."""
    words = sum(len(SKIPPED.sub("", cell.source).split()) for _, cell in lesson.prose if not is_derived(cell))
    code = sum(not is_derived(cell) for _, cell in lesson.code)
    if not 450 <= words <= 1000:
        yield None, f"{words} words of prose; a lesson has 500 to 900"
    if not 9 <= code <= 20:
        yield None, f"{code} code cells; a lesson has 10 to 16"


def is_derived(cell: NotebookNode) -> bool:
    """Whether a cell is an exercise or the quiz, which have their truth elsewhere."""
    return is_tagged(cell, QUIZ) or bool(exercise_of(cell))


def short_cells(lesson: Lesson) -> Messages:
    long = [index for index, cell in lesson.code if len(cell.source.strip().splitlines()) > MAX_LINES]
    if len(long) > max(1, len(lesson.code) // 10):
        yield None, f"cells {long} have more than {MAX_LINES} lines; one in ten may"


def value_widgets(lesson: Lesson) -> Messages:
    for index, cell in lesson.code:
        if OUTPUT_WIDGET.search(cell.source) and not is_tagged(cell, *IGNORE_TAGS):
            yield (
                index,
                (
                    "what an Output widget shows is not compared: let the control set the value of a display"
                    " widget"
                ),
            )


def usual_parts(lesson: Lesson) -> Messages:
    prose = "\n".join(cell.source for _, cell in lesson.prose).lower()
    for part in ("you will", "exercise", "you can now"):
        if part not in prose:
            yield None, f"no {part!r} in the prose"


RULES: dict[str, Callable[[Lesson], Messages]] = {
    "format": valid_format,
    "widget-state": no_widget_state,
    "executed": executed_in_order,
    "stderr": no_stderr,
    "error": errors_are_meant,
    "picture-size": small_pictures,
    "file-size": small_file,
    "title": title_first,
    "preview": preview_first,
    "set-up": set_up_cell,
    "compared": cells_are_compared,
    "skipped": nothing_skipped,
    "semicolon": no_trailing_semicolon,
    "plain-twin": plain_twin,
    "public-door": public_door,
    "machine-path": no_machine_paths,
    "alt-text": pictures_are_described,
    "picture-inside": pictures_travel,
}
GUIDES: dict[str, Callable[[Lesson], Messages]] = {
    "length": right_length,
    "cell-length": short_cells,
    "value-widgets": value_widgets,
    "parts": usual_parts,
}


def panel_alone(lesson: Lesson) -> Messages:
    """A kiosk is one short title and the panel, the value of its only code cell."""
    kinds = [cell.cell_type for cell in lesson.notebook.cells]
    title = lesson.notebook.cells[0].source if kinds else ""
    if kinds != ["markdown", "code"] or not re.fullmatch(r"# .{1,20}", title):
        yield None, "a kiosk has a title of at most 20 letters (# …) and one cell of code"
    elif not WIDGET.search(lesson.notebook.cells[1].source.splitlines()[-1]):
        yield 1, "the last line of a kiosk is the panel"


TO_TEACH = {"title", "preview", "set-up", "compared", "plain-twin"}
KIOSK_RULES = {name: rule for name, rule in RULES.items() if name not in TO_TEACH} | {"kiosk": panel_alone}


def check(path: Path) -> list[Finding]:
    """All findings of one notebook file, errors first. What stands in a folder ``kiosk`` need not teach."""
    lesson = Lesson(path, nbformat.read(path, as_version=nbformat.NO_CONVERT))
    kiosk = path.parent.name == "kiosk"
    tables = ((KIOSK_RULES, True),) if kiosk else ((RULES, True), (GUIDES, False))
    return [
        Finding(name, cell, message, is_error)
        for table, is_error in tables
        for name, rule in table.items()
        for cell, message in rule(lesson)
    ]


def main(names: list[str]) -> int:
    paths = [Path(name) for name in names] or NOTEBOOKS
    if not paths:
        raise SystemExit("There is no lesson in notebooks/ yet: nothing was checked")
    findings = {path: check(path) for path in paths}
    for path, found in findings.items():
        print(f"{path.name}: {'; '.join(map(str, found)) or 'fine'}")
    return 1 if any(finding.is_error for found in findings.values() for finding in found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
