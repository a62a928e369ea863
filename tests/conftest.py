"""Fixtures that all tests share. A plain `pytest` runs the unit tests; the rings below run where their folder
is named.
"""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
RINGS = [ROOT / "tests" / name for name in ("notebooks", "browser", "colab", "gpu")]
LARGE_FILES = (
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
)


def pytest_ignore_collect(collection_path, config):
    """A ring is collected only where the command line names it or something in it; None leaves all else to
    pytest.
    """
    asked = [
        Path(config.invocation_params.dir, str(argument).split("::")[0]).resolve() for argument in config.args
    ]
    if collection_path in RINGS and not any(path.is_relative_to(collection_path) for path in asked):
        return True
    return None


def pytest_report_header(config):
    import florence_nb

    return f"florence_nb: {Path(florence_nb.__file__).parent}"


def pytest_sessionstart(session):
    """With EXPECT_INSTALLED set, the tests must see the installed wheel and not the folder that they lie
    in.
    """
    import florence_nb

    home = Path(florence_nb.__file__).resolve()
    if os.environ.get("EXPECT_INSTALLED") and not home.is_relative_to(Path(sys.prefix).resolve()):
        pytest.exit(
            f"florence_nb was imported from {home}, not from the environment {sys.prefix}", returncode=3
        )


@pytest.fixture(scope="session")
def mini():
    """The embedded checkpoint, loaded once for all tests: do not change its model."""
    import florence_nb

    return florence_nb.load("mini")


@pytest.fixture(scope="session")
def large_files():
    """Folder with the real Florence-2-large's configuration and tokenizer (no weights)."""
    named = os.environ.get("FLORENCE2_LARGE_FILES")
    found = Path(named) if named else next(ROOT.parent.glob("*/florence2-large-files"), None)
    if found is None or not all((found / name).is_file() for name in LARGE_FILES):
        pytest.skip(
            "the tokenizer and configuration of Florence-2-large are not here; to run this, fetch"
            f" {', '.join(LARGE_FILES)} of florence-community/Florence-2-large and set FLORENCE2_LARGE_FILES"
            " to their folder"
        )
    return found
