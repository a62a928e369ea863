import pytest

import florence_nb as fnb


@pytest.fixture(scope="session")
def mini():
    return fnb.load("mini", quiet=True)


@pytest.fixture(autouse=True)
def an_empty_folder(tmp_path, monkeypatch):
    """Progress is written beside the notebook, so never here."""
    monkeypatch.chdir(tmp_path)
