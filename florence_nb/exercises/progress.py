"""What was tried in which exercise, kept in one small file beside the notebooks, since each lesson has a
kernel of its own. Nothing leaves the machine; a learner may delete the file at any time.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ..kit.whole_file import write_whole

FILE = "florence-progress.json"


@dataclass
class Progress:
    """Tries until the first *Right* (or so far), hints and solution looked at."""

    tries: int = 0
    done: bool = False
    hints: int = 0
    solution: bool = False


_known: dict[str, Progress] = {}


def note_try(name: str, right: bool) -> None:
    """One more look at an answer; after the first *Right* tries are not counted any more."""
    kept = _entry(name)
    if not kept.done:
        kept.tries, kept.done = kept.tries + 1, right
        _save()


def note_hint(name: str, count: int) -> None:
    """So many hints were shown."""
    kept = _entry(name)
    kept.hints = max(kept.hints, count)
    _save()


def note_solution(name: str) -> None:
    """The solution was looked at."""
    _entry(name).solution = True
    _save()


def all_progress() -> dict[str, Progress]:
    """What is known of each exercise that was begun."""
    _load()
    return dict(sorted(_known.items()))


def _entry(name: str) -> Progress:
    _load()
    return _known.setdefault(name, Progress())


def _load() -> None:
    """Takes what another lesson's kernel wrote; what cannot be read counts as none."""
    with contextlib.suppress(OSError, ValueError, AttributeError, RecursionError):
        for name, entry in json.loads(Path(FILE).read_text(encoding="utf-8")).items():
            with contextlib.suppress(TypeError, ValueError):
                _known[name] = _both(_known.get(name, Progress()), Progress(**entry))


def _both(one: Progress, other: Progress) -> Progress:
    """What two kernels know of one exercise. TypeError or ValueError if it is no progress."""
    return Progress(
        max(one.tries, int(other.tries)),
        one.done or bool(other.done),
        max(one.hints, int(other.hints)),
        one.solution or bool(other.solution),
    )


def _save() -> None:
    """A folder that may not be written keeps the progress of this kernel only."""
    known = {name: asdict(kept) for name, kept in sorted(_known.items())}
    with contextlib.suppress(OSError):
        write_whole(Path(FILE), json.dumps(known, indent=1).encode())
