"""pip as a kit needs it: for other machines than this one, in a process of its own, with the index and the
settings that this machine's pip has.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import InputError
from .platforms import Target

# pip chooses wheels for another platform (--platform), but asks the machine that it runs on whether a
# requirement such as 'colorama; sys_platform == "win32"' counts. So it is told what the target would answer.
_FOR_ANOTHER = """
import json, sys
from pip._vendor.packaging import markers
answers = json.loads(sys.argv.pop(1))
markers.default_environment = lambda: dict(answers)
from pip._internal.cli.main import main
sys.exit(main())
"""
_SETTINGS = {
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_INPUT": "1",
    "PIP_REQUIRE_VIRTUALENV": "0",
    "PIP_USER": "0",
}
_NETWORK = re.compile(
    r"Retrying \(|NewConnectionError|ConnectionError|[Tt]imed out|Max retries|IncompleteRead"
)


@dataclass(frozen=True)
class Done:
    """What pip left: its stdout, why it failed ("" if it did not), and whether the network was the reason."""

    output: str
    fault: str = ""
    network: bool = False


def run_pip(
    arguments: list[str],
    target: Target | None = None,
    *,
    temporary: str | None = None,
    watch: Callable[[], None] | None = None,
) -> Done:
    """Run one command of pip and wait for it.

    Args:
        arguments: the command and its options.
        target: the machine to choose for, if not this one.
        temporary: where pip keeps what it downloads, until it is whole.
        watch: called some times a second while pip runs.

    Raises:
        InputError: this Python has no pip.
    """
    start = ["-c", _FOR_ANOTHER, json.dumps(target.markers())] if target else ["-m", "pip"]
    environment = {
        **os.environ,
        **_SETTINGS,
        **({"TMPDIR": temporary, "TEMP": temporary} if temporary else {}),
    }
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        command = [sys.executable, *start, *arguments]
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=err)
        try:
            _wait(process, watch)
        finally:
            process.kill()  # after Ctrl-C; nothing happens to one that is done
        output, errors = _text(out), _text(err)
    if not process.returncode:
        return Done(output)
    if "No module named" in errors and "pip" in errors:
        raise InputError(f"{sys.executable} has no pip, which fetches the wheels: python -m ensurepip")
    return Done(output, _reason(errors), bool(_NETWORK.search(errors)))


def _wait(process: subprocess.Popen, watch: Callable[[], None] | None) -> None:
    while process.poll() is None:
        time.sleep(0.1)
        if watch:
            watch()


def _text(file) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def _reason(errors: str) -> str:
    """The first line that pip marks as an error, without the mark."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    marked = [line for line in lines if line.startswith("ERROR:")]
    return (marked or lines or ["no reason given"])[0].removeprefix("ERROR:").strip()[:300]
