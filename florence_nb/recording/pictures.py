"""The pictures of a record: from which place each is asked about, and where it is found again."""

from __future__ import annotations

import base64
import io
import mimetypes
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..engine.feature_cache import picture_key
from ..errors import InputError
from ..images import open_image, samples
from ..web import shown
from .file import RecordedPicture
from .page import empty_page

_SAME, _ALIKE = 3.0, 12.0
"""Of 255: by so much two decoders may differ, and by so much a copy that was resized or saved anew."""


# ---- to record


@dataclass(frozen=True)
class Source:
    """A picture to ask about, not yet opened. ``folder``: the last part of the folder that it lies in."""

    name: str
    picture: Any
    folder: str = ""

    def open(self, keep: bool) -> tuple[Image.Image, RecordedPicture]:
        """The picture, and its line in the record. ``keep``: the line holds it as a JPEG, and this JPEG is
        what is asked about; a picture of the package need not be kept.

        Raises:
            InputError: it is no image.
        """
        image, about, jpeg = open_image(self.picture), samples().get(self.name, ""), ""
        if keep and not self.is_sample:
            jpeg = _as_jpeg(image)
            image = open_image(base64.b64decode(jpeg))
        key, look = picture_key(image), _look(image)
        return image, RecordedPicture(self.name, image.size, key, look, self.folder, about, jpeg)

    @property
    def is_sample(self) -> bool:
        """Whether it is one that comes with the package."""
        return not self.folder and self.picture == self.name and self.name in samples()


def sources(pictures: Any, leave_out: Path) -> tuple[list[Source], list[str]]:
    """What to ask about, and a sentence for each file of a folder that is no picture by its name.

    Args:
        pictures: None (those of `fnb.samples`), a folder, a mapping of names to pictures, or a list of
            pictures, each whatever `open_image` takes.
        leave_out: a file of the folder that is known to be none: the record.

    Raises:
        InputError: there is no picture.
    """
    if pictures is None:
        return [Source(name, name) for name in samples()], []
    if isinstance(pictures, Mapping):
        found = [Source(str(name), picture) for name, picture in pictures.items()]
    elif isinstance(pictures, (list, tuple)):
        found = _named(pictures)
    else:
        return _in_folder(Path(os.path.expanduser(pictures)), leave_out)
    if not found:
        raise InputError("There is no picture to ask about: give a folder, a list or None for the samples.")
    return found, []


def _named(pictures: Sequence[Any]) -> list[Source]:
    found: dict[str, Source] = {}
    for number, picture in enumerate(pictures, start=1):
        is_text = isinstance(picture, str) and len(picture) < 500
        name = Path(picture).name if is_text or isinstance(picture, Path) else f"picture {number}"
        name = f"{name} ({number})" if name in found else name
        found[name] = Source(name, picture)
    return list(found.values())


def _in_folder(folder: Path, leave_out: Path) -> tuple[list[Source], list[str]]:
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
        files = [path for path in files if path.resolve() != leave_out.resolve()]
    except OSError as error:
        raise InputError(
            f"The folder of pictures {shown(folder)} cannot be read ({error.strerror}): check its path and"
            " your rights to it."
        ) from error
    good = [path for path in files if (mimetypes.guess_type(path.name)[0] or "image/").startswith("image/")]
    if not good:
        raise InputError(f"There is no picture in {shown(folder)}: put some .jpg or .png files in it.")
    other = [f"{shown(path.name)} is no picture and was left out." for path in files if path not in good]
    return [Source(path.name, path, folder.resolve().name) for path in good], other


def _as_jpeg(image: Image.Image) -> str:
    """Saved anew, so that the place and time that a camera writes into its files stay at home."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=92)
    return base64.b64encode(file.getvalue()).decode()


# ---- to show


class Pictures(Mapping[str, Image.Image]):
    """The pictures of a record by name, opened when asked for: from the record, from the package, or from a
    file beside the record. Where it is in none of these places, an empty page of its size stands for it.
    """

    def __init__(self, rows: Mapping[str, RecordedPicture], beside: Path) -> None:
        self.rows, self._beside = rows, beside
        self._opened: dict[str, tuple[Image.Image, bool]] = {}
        self._names = {row.key: row.name for row in reversed(list(rows.values())) if row.key}

    def __getitem__(self, name: str) -> Image.Image:
        return self._open(name)[0].copy()

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"Pictures({', '.join(map(repr, self))})"

    def is_here(self, name: str) -> bool:
        """Whether the picture itself is here, and not only a page in its place."""
        return self._open(name)[1]

    def name_of(self, image: Image.Image) -> str | None:
        """The name of the very same picture. The pictures that this object gave out count, too: another
        version of Pillow may decode a JPEG a shade differently.
        """
        key = picture_key(image)
        if key not in self._names:
            same_size = [name for name, row in self.rows.items() if row.size == image.size]
            self._names.update({picture_key(self._open(name)[0]): name for name in same_size})
        return self._names.get(key)

    def alike(self, image: Image.Image) -> str | None:
        """The name of a picture that this may be a changed copy of."""
        far = {name: _difference(row.look, image).mean() for name, row in self.rows.items() if row.look}
        near = min(far, key=lambda name: far[name], default=None)
        return near if near is not None and far[near] < _ALIKE else None

    def _open(self, name: str) -> tuple[Image.Image, bool]:
        if name not in self._opened:
            row = self.rows[name]
            found = next(self._found(row), None)
            page = found or empty_page(row.size, row.title or row.name)
            self._opened[name] = (page, found is not None)
        return self._opened[name]

    def _found(self, row: RecordedPicture) -> Iterator[Image.Image]:
        """The picture in each place where it is, if it is the one that was recorded there."""
        for place in self._places(row):
            try:
                image = open_image(place)
            except InputError:
                continue
            if row.look and image.size == row.size and _difference(row.look, image).max() <= _SAME:
                yield image

    def _places(self, row: RecordedPicture) -> Iterator[Any]:
        if row.jpeg:
            yield base64.b64decode(row.jpeg)
        if not row.folder and row.name in samples():
            yield row.name
        name, folder = Path(row.name).name, Path(row.folder).name
        yield from (place / name for place in (self._beside, self._beside / folder, Path(folder)))


def _look(image: Image.Image) -> str:
    return base64.b64encode(image.resize((8, 8), Image.Resampling.BOX).tobytes()).decode()


def _difference(look: str, image: Image.Image) -> np.ndarray:
    """How much each of 8 x 8 x 3 mean values differs, of 255."""
    one, other = (np.frombuffer(base64.b64decode(text), np.uint8) for text in (look, _look(image)))
    return np.abs(one.astype(float) - other) if len(one) == len(other) else np.full(1, 255.0)
