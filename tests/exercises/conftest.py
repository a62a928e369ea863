import pytest

from florence_nb import loading


@pytest.fixture(autouse=True)
def an_empty_folder(tmp_path, monkeypatch):
    """Progress is written beside the notebook, so never here."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def no_real_checkpoint(monkeypatch):
    """What another test of this process loaded last would make a check judge the form only."""
    monkeypatch.setattr(loading, "last_loaded", None)
