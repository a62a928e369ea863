"""Open any picture as plain RGB, the one form that Florence-2's processor takes without surprises.

The processor fails on RGBA, grey and palette pictures, ignores the camera's EXIF orientation, and scales
floats in 0–1 twice, so that they turn nearly black. `open_image` mends all of that before the model sees the
picture; see notebooks/03_run_example.ipynb.
"""

from __future__ import annotations

import difflib
import errno
import os
import re
import unicodedata
import urllib.request
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from PIL import Image

from ..errors import InputError
from ..web import read_url, shown
from .arrays import MAX_PIXELS, as_array, from_array
from .decoding import decode, from_pil, to_rgb, unwrapped

__all__ = ["MAX_PIXELS", "open_image", "samples"]

SAMPLES_FOLDER = Path(__file__).parents[1] / "samples"
# name: (file in samples/, one line about it); the origin and licence of each file stand in samples/CREDITS.md
SAMPLES = {
    "astronaut": (
        "astronaut.jpg",
        "photograph: an astronaut in an orange suit, a flag and a model of the shuttle",
    ),
    "chelsea": ("chelsea.jpg", "photograph: the face of a tabby cat"),
    "china": ("china.jpg", "photograph: a tower of the Summer Palace above a lake"),
    "coffee": ("coffee.jpg", "photograph: a cup of espresso with saucer and spoon on a wooden table"),
    "rocket": ("rocket.jpg", "photograph: a rocket on its launch pad at dusk"),
    "text": ("text.jpg", "photograph: a handwritten formula on lined paper, grey"),
}


def samples() -> dict[str, str]:
    """The pictures that come with the package: name (for `open_image`) -> one line about it."""
    scenes = {
        name: f"drawing: {scene.answer('<CAPTION>')[len('</s><s>') : -len('.</s>')]}"
        for name, scene in _scenes().items()
    }
    return {**scenes, **{name: line for name, (_, line) in SAMPLES.items()}}


def _scenes() -> dict:
    from ..scenes.gallery import GALLERY

    return GALLERY


def open_image(source: Any) -> Image.Image:
    """Return a new RGB picture; the source stays untouched.

    source: a sample's name, a path, an http(s) or file URL, a ``data:`` URL or base64 text, the bytes of an
    image file, an open file, a PIL image, a row ``{"bytes": …, "path": …}`` of `datasets`, an image object
    of IPython or ipywidgets, or an array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of bool, uint8 (0–255),
    uint16 (0–65535), other integers (0–255 or 0–65535) or floats (0–1). A torch tensor may have its channels
    first, or be a batch of one.

    The camera's EXIF orientation is applied, transparency is laid on white, an animation gives its first
    frame, a TIFF whose first page is a small copy its full page. A file that lacks only its end opens with a
    warning, as viewers show it, where at most a tenth of it is missing (JPEG, PNG, GIF, BMP, plain TIFF).
    A name of `samples()` means the sample; for a file of that name write "./name".

    Raises InputError when the source is not an image, is damaged, has more than 250 million pixels, or holds
    16-bit values that leave the highest bit unused, which would be nearly black.
    """
    if isinstance(source, Image.Image):
        return from_pil(source)
    if isinstance(source, str):
        return _open_text(source.strip(" \t\r\n\u202a\u202c\ufeff"))  # Windows adds invisible marks to paths
    if isinstance(source, (bytes, bytearray, memoryview)):
        return decode(bytes(source), "The file in these bytes")
    if isinstance(source, os.PathLike):
        return _open_file(_path_text(source))
    if hasattr(source, "__array__"):
        return to_rgb(from_array(as_array(source)), "This array")
    inside = _inside(source)
    if inside is None:
        raise _unknown(source)
    return open_image(inside)


# ---- objects


def _inside(source: Any) -> bytes | str | None:
    """What an object of another library holds: the bytes of an image file, or its address; else None."""
    if isinstance(source, dict):
        return source.get("bytes") or source.get("path")
    if isinstance(source, type):
        return None
    for name in ("read", "read_bytes", "_repr_png_", "_repr_jpeg_"):
        found = _called(source, name) if callable(getattr(source, name, None)) else None
        if found:
            return found
    for name in ("data", "value", "content"):  # IPython, ipywidgets, requests
        found = getattr(source, name, None)
        if isinstance(found, (bytes, bytearray, memoryview)) and len(found):
            return bytes(found)
    for name in ("url", "filename", "path"):
        found = getattr(source, name, None)
        if isinstance(found, str) and found:
            return found
    return None


def _called(source: Any, name: str) -> bytes | str | None:
    try:
        if name == "read" and hasattr(source, "seekable") and source.seekable():
            found = _read_whole(source)
        else:
            found = getattr(source, name)()
    except Exception as error:  # the method of a stranger
        reason = shown(str(error).split("\n")[0] or type(error).__name__)
        raise InputError(
            f"The image cannot be read from this {_kind(source)} ({reason}): give its path."
        ) from error
    found = found[0] if isinstance(found, tuple) else found
    if isinstance(found, str) and name == "read":
        raise InputError(f"This {_kind(source)} reads text, not bytes: open the file with open(path, 'rb').")
    return found if isinstance(found, (bytes, str)) else None


def _read_whole(file: Any) -> bytes | str:
    """The contents from the beginning, as PIL.Image.open reads it; the file is left where it stood."""
    place = file.tell()
    try:
        file.seek(0)
        return file.read()
    finally:
        file.seek(place)


def _unknown(source: Any) -> InputError:
    way_out = f"give a path, a URL, bytes, an array, a PIL image or a sample's name ({_names()})"
    if isinstance(source, (list, tuple)) and len(source):
        way_out = "give one picture at a time, such as images[0], or a list of requests to run_many"
    if isinstance(source, dict):
        keys = [key for key in ("image", "img", "pixel_values") if key in source]
        way_out = f'give row["{keys[0]}"]' if keys else 'a row needs the key "bytes" or "path"'
    return InputError(f"Cannot open {_article(_kind(source))} as an image: {way_out}.")


def _kind(source: Any) -> str:
    kind = source if isinstance(source, type) else type(source)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    return shown(f"class {name}" if isinstance(source, type) else name)


def _article(word: str) -> str:
    return f"{'an' if word[:1] in 'aeiouAEIOU' else 'a'} {word}"


# ---- text


def _open_text(text: str) -> Image.Image:
    if text in SAMPLES:
        return decode((SAMPLES_FOLDER / SAMPLES[text][0]).read_bytes(), text)
    if text in _scenes():
        return _scenes()[text].image.copy()
    if re.match(r"data:[^/\\]*[,/]", text, re.IGNORECASE):
        return decode(text.encode("utf-8", "replace"), shown(text, 40))
    if text.lower().startswith("file:"):
        return _open_file(_path_of(text))
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
        return decode(read_url(text), shown(text))
    return _open_file(text)


def _path_text(path: os.PathLike) -> str:
    try:
        return os.fsdecode(path)
    except Exception as error:  # the method of a stranger
        raise InputError(f"This {_kind(path)} gives no path ({shown(error)}): give one as text.") from error


def _path_of(url: str) -> str:
    """The path in a file: URL; on this machine only."""
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost"):
        raise InputError(f"{shown(url)} is a file of another machine: copy it here and give its path.")
    return urllib.request.url2pathname(parts.path)


def _open_file(text: str) -> Image.Image:
    if not text:
        raise InputError(
            f"An empty name is not an image: give a path, a URL or a sample's name ({_names()})."
        )
    for meant in _spellings(text):
        if _exists(meant):
            return decode(_read_file(meant), shown(meant))
        if meant != text and re.match(r"(https?|file)://", meant):
            return _open_text(meant)
    if len(text) > 40 and re.fullmatch(r"[A-Za-z0-9+/_=\s-]+", text):
        plain = unwrapped(text.encode())
        if plain != text.encode():
            return decode(text.encode(), "This base64 text")
    return decode(_read_file(text), shown(text))  # raises: there is no such file


def _spellings(text: str) -> Iterator[str]:
    """A path as it was written, and as it was meant: from the home folder, without the quotes or the
    backslashes that it was copied with, with the accents of another system.
    """
    bare = text.strip("\"'`“”‘’").strip() or text
    unescaped = re.sub(r"\\(.)", r"\1", bare) if os.sep == "/" else bare
    for path in (text, bare, unescaped):
        for spelled in (path, unicodedata.normalize("NFC", path), unicodedata.normalize("NFD", path)):
            yield spelled
            yield os.path.expanduser(spelled)


def _exists(path: str) -> bool:
    try:
        return os.path.exists(path)  # False for names that are too long, too
    except ValueError:  # a NUL character
        return False


def _read_file(text: str) -> bytes:
    path, name = Path(text), shown(text)
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        here = shown(_here(), 80)
        raise InputError(f"There is no file {name} here ({here}): {_nearest(path)}.") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path
        if os.path.isdir(text):
            raise InputError(f"{name} is a folder: give the path of one picture in it.") from error
        if getattr(error, "errno", None) == errno.ENAMETOOLONG:
            raise InputError(
                f"This text of {len(text)} characters is not a path, a URL or base64 text of an image"
                f" ({name}): give one of these, or the image's bytes."
            ) from error
        reason = shown(getattr(error, "strerror", None) or error)
        raise InputError(
            f"{name} cannot be read ({reason}): check its name and your rights to it."
        ) from error


def _here() -> str:
    try:
        return os.getcwd()
    except OSError:
        return "the current folder was deleted"


def _nearest(path: Path) -> str:
    if str(path).startswith("www."):
        return f"if it is a web address, begin it with https://, as in https://{shown(path)}"
    try:
        files = [file.name for file in islice(path.parent.iterdir(), 2000)]
    except (OSError, ValueError):
        files = []
    near = difflib.get_close_matches(path.name, [*samples(), *files], n=1)
    hint = f"did you mean {shown(near[0], 80)}? Otherwise " if near else ""
    return f"{hint}check the path, or take one of the samples {_names()}"


def _names() -> str:
    return ", ".join([*_scenes(), *SAMPLES])
