"""A file is written whole or not at all."""

import contextlib
import os
from pathlib import Path


def write_whole(path: Path, data: bytes, *, sync: bool = False) -> None:
    """Writes beside the place and then moves it there: a full disk or Ctrl-C leaves what was there, and no
    part. With ``sync`` the name comes after the bytes also when the power fails.

    Raises:
        OSError: it cannot be written; its ``filename`` is the file that was to be.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        if sync:
            with part.open("rb+") as file:
                os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:  # that of a write names no file
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
