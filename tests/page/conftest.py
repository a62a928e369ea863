import json
import shutil
import subprocess
from pathlib import Path

import pytest

from florence_nb.page.build import write_page

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def page_folder(tmp_path_factory) -> Path:
    """The page with mini, written as a folder."""
    return write_page(tmp_path_factory.mktemp("page")).parent


@pytest.fixture(scope="session")
def node():
    """Runs one of the scripts beside this file with Node, and returns the JSON that it prints."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("Node is not here, so the page's JavaScript is tested in Chromium alone (tests/browser)")

    def run(script: str, *arguments: object) -> dict:
        command = [program, str(HERE / script), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout)

    return run
