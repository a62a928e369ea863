"""The two errors that florence_nb raises on its own account. Each message says in one sentence what is wrong,
and the way out.
"""


class InputError(ValueError):
    """What the caller gave cannot be used: an unknown task, a region outside the picture, a file that is no
    image …
    """


class CheckpointError(RuntimeError):
    """A checkpoint cannot be had, or is not what it should be."""
