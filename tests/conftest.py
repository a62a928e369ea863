"""Fixtures that all tests share. A plain `pytest` runs the unit tests; the rings in folders of
their own (``norecursedirs`` in pyproject.toml) run where the folder is named.
"""

import os
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LARGE_FILES = (
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
)

FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync --use-fake-device-for-media-stream"
    " --use-fake-ui-for-media-stream"
).split()


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
    found = Path(os.environ.get("FLORENCE2_LARGE_FILES", "nowhere"))
    if not all((found / name).is_file() for name in LARGE_FILES):
        pytest.skip(
            "the tokenizer and configuration of Florence-2-large are not here; to run this, fetch"
            f" {', '.join(LARGE_FILES)} of florence-community/Florence-2-large and set FLORENCE2_LARGE_FILES"
            " to their folder"
        )
    return found


def _chromium() -> str:
    named = os.environ.get("CHROMIUM")
    found = named or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if found is None:
        says = "no Chromium is here: apt-get install chromium, or set CHROMIUM to its program"
        (pytest.fail if os.environ.get("EXPECT_INSTALLED") else pytest.skip)(says)
    return found


@pytest.fixture(scope="session")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=_chromium(), headless=True, args=FLAGS)
        yield chromium
        chromium.close()
