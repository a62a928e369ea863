"""What a lesson says when a library that only it needs is missing."""

import sys

import pytest

import florence_nb as fnb


def test_what_is_there_passes_in_silence():
    assert fnb.require("json", "numpy") is None


def test_what_is_missing_is_named_with_the_line_that_installs_it():
    with pytest.raises(fnb.InputError, match=r"^nosuch is not installed here: run %pip install nosuch in"):
        fnb.require("json", "nosuch")
    with pytest.raises(fnb.InputError, match=r"nosuch and other are .* %pip install nosuch other in"):
        fnb.require("nosuch", "other")


def test_pip_knows_some_by_another_name(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(fnb.InputError, match=r'^ray is .* %pip install "ray\[data\]" in'):
        fnb.require("ray")


def test_what_was_just_installed_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(fnb.InputError):
        fnb.require("justnow")
    (tmp_path / "justnow.py").write_text("")
    fnb.require("justnow")
