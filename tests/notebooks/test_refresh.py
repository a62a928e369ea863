"""A refreshed notebook holds nothing that changes from run to run."""

from pathlib import Path

import nbformat
import pytest

from florence_nb.drawing import jpeg, show
from florence_nb.parsing import parse

from . import refresh
from .sample import executed, index_of, unexecuted


def test_a_second_run_stores_the_same_bytes():
    first, again = executed(), refresh.execute(unexecuted(), Path(__file__).parent)
    for notebook in (first, again):
        notebook.cells[
            index_of("address")
        ].outputs = []  # an address is sanitised when it is compared, not when it is stored
    assert nbformat.writes(again) == nbformat.writes(first)


def test_what_is_stored():
    notebook = executed()
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert [cell.execution_count for cell in notebook.cells[1:-1]] == list(range(1, len(notebook.cells) - 1))
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    assert "vnd.jupyter" not in nbformat.writes(notebook)
    error = notebook.cells[index_of("error")].outputs[0]
    assert error.traceback == ["ValueError: invalid literal for int() with base 10: 'three'"]


def test_a_lesson_that_fails_is_not_written(tmp_path, monkeypatch, capsys):
    notebook = unexecuted()
    notebook.cells[index_of("text")].source = "1 / 0"
    path = tmp_path / "00_sample.ipynb"
    nbformat.write(notebook, path)
    before = path.read_bytes()
    assert refresh.refresh(path) is False
    assert path.read_bytes() == before
    assert "not written" in capsys.readouterr().out


def test_an_unknown_lesson_is_refused():
    with pytest.raises(SystemExit, match="No lesson starts with '99'"):
        refresh.choose(["99"])


def test_the_words_of_a_picture_are_stored_and_its_html_is_not():
    answer = parse("car<loc_1><loc_2><loc_300><loc_400></s>", "<OD>", (64, 48))
    drawing = show(answer)
    data = {"image/jpeg": jpeg(drawing), "text/html": drawing._repr_html_()}
    output = nbformat.v4.new_output("display_data", data=data)
    refresh.normalise_output(output)
    (kind,) = output.data
    assert output.metadata[kind]["alt"] == "Answer to <OD> drawn on the picture: car."
