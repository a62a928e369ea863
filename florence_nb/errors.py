"""The two errors that florence_nb raises on its own account. Each message says in one sentence what is wrong,
and the way out.
"""


class _OneLine(Exception):
    """In a notebook the message alone is shown; a script still gets the whole traceback."""

    def _render_traceback_(self) -> list[str]:  # called by IPython in place of its own
        return [f"{type(self).__name__}: {self}"]


class InputError(_OneLine, ValueError):
    """What the caller gave cannot be used: an unknown task, a region outside the picture, a file that is no
    image …
    """


class CheckpointError(_OneLine, RuntimeError):
    """A checkpoint is not available, or is not what it should be."""


def first_line(error: BaseException, default: str = "") -> str:
    """The first line of an error's message; if it has none, ``default``, or the name of its class."""
    return next(iter(str(error).strip().splitlines()), default or type(error).__name__)
