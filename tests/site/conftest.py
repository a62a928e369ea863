"""The website, built once as `make site` builds it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> tuple[Path, str]:
    """The folder of the site, and what its making said."""
    for name in ("sphinx", "myst_nb", "furo"):
        pytest.importorskip(name, reason='pip install -e ".[site]"')
    # From another folder, so that an installed florence_nb is not hidden by the one of the repository.
    home = tmp_path_factory.mktemp("site")
    paths = os.pathsep.join(filter(None, [str(ROOT / "docs"), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-m", "florence_site", "--out", str(home / "site")],
        env=os.environ | {"PYTHONPATH": paths},
        cwd=home,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    assert "WARNING" not in done.stderr
    return home / "site", done.stdout


@pytest.fixture(scope="session")
def site(built) -> Path:
    return built[0]
