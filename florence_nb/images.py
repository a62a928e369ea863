"""Open any picture as plain RGB, the one form that Florence-2's processor takes without surprises.

The processor fails on RGBA, grey and palette pictures, ignores the camera's EXIF orientation, and scales
floats in 0–1 twice, so that they turn nearly black. `open_image` mends all of that before the model sees the
picture; see notebooks/03_run_example.ipynb.
"""

from __future__ import annotations

import difflib
import io
import os
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from .errors import InputError
from .web import read_url

SAMPLES_FOLDER = Path(__file__).parent / "samples"
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

# RGB takes 3 bytes a pixel, so this is 750 MB; 20 000 x 12 500 still opens.
MAX_PIXELS = 250_000_000
# These two call other programs or the operating system to draw.
UNSAFE_FORMATS = {"EPS", "WMF"}
_pillow_limit = threading.Lock()

# What people hand over instead of an image: (first bytes, after blanks, in lower case; what it is; the way
# out).
NOT_IMAGES = (
    (b"<!doctype html", "a web page (HTML)", "open it in a browser and save the picture itself"),
    (b"<html", "a web page (HTML)", "open it in a browser and save the picture itself"),
    (b"<?xml", "an XML or SVG drawing", "export it as PNG"),
    (b"<svg", "an SVG drawing", "export it as PNG"),
    (b"%pdf", "a PDF", "export the page as PNG"),
    (b"%!ps", "a PostScript drawing", "export it as PNG"),
    (b"version https://git-lfs", "a Git LFS pointer", "run `git lfs pull` to get the file itself"),
)


def samples() -> dict[str, str]:
    """The pictures that come with the package: name (for `open_image`) -> one line about it."""
    scenes = {
        name: f"drawing: {scene.answer('<CAPTION>')[len('</s><s>') : -len('.</s>')]}"
        for name, scene in _scenes().items()
    }
    return {**scenes, **{name: line for name, (_, line) in SAMPLES.items()}}


def _scenes() -> dict:
    from .scenes.gallery import GALLERY

    return GALLERY


def open_image(source: str | os.PathLike | bytes | np.ndarray | Image.Image) -> Image.Image:
    """Return a new RGB picture; the source stays untouched.

    source: a sample's name, a path, an http(s) URL, the bytes of an image file, a PIL image, or an array (H,
    W), (H, W, 1), (H, W, 3) or (H, W, 4) of bool, uint8, uint16 (0–65535), other integers (0–255 or 0–65535)
    or floats (0–1). The camera's EXIF orientation is applied, transparency is laid on white, an animation
    gives its first frame. A name of `samples()` means the sample; for a file of that name write "./name".
    Raises InputError when the source is no image, is damaged, or has more than 250 million pixels.
    """
    if isinstance(source, Image.Image):
        return _guarded(lambda: source, "this PIL image")
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _decode(bytes(source), "these bytes")
    if isinstance(source, str):
        return _open_text(source.strip())
    if isinstance(source, os.PathLike):
        return _decode(_read_file(Path(source)), str(source))
    if hasattr(source, "__array__"):
        return _from_array(_as_array(source))
    kind = type(source).__name__
    raise InputError(
        f"A {kind} is no picture: give a path, a URL, bytes, an array, a PIL image or a sample's name"
        f" ({_names()})."
    )


def _open_text(text: str) -> Image.Image:
    if text in SAMPLES:
        return _decode((SAMPLES_FOLDER / SAMPLES[text][0]).read_bytes(), text)
    if text in _scenes():
        return _scenes()[text].image.copy()
    if text.lower().startswith(("data:", "file:")) or "://" in text:
        return _decode(read_url(text), text)
    return _decode(_read_file(Path(text).expanduser()), text)


def _read_file(path: Path) -> bytes:
    if not path.name:
        raise InputError(f"An empty name is no picture: give a path, a URL or a sample's name ({_names()}).")
    if path.is_dir():
        raise InputError(f"{path} is a folder: give the path of one picture in it.")
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"There is no file {path} here ({Path.cwd()}): {_nearest(path)}.") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"{path} cannot be read ({reason}): check its name and your rights to it."
        ) from error


def _nearest(path: Path) -> str:
    if str(path).startswith("www."):
        return f"if it is a web address, begin it with https://, as in https://{path}"
    files = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, [*samples(), *files], n=1)
    hint = f"did you mean {near[0]}? Otherwise " if near else ""
    return f"{hint}check the path, or take one of the samples {_names()}"


def _names() -> str:
    return ", ".join([*_scenes(), *SAMPLES])


def _decode(data: bytes, name: str) -> Image.Image:
    if not data:
        raise InputError(f"{name} is empty (0 bytes): save or download the picture again.")
    if data[4:12] in (b"ftypheic", b"ftypheix"):
        _register_heif(name)
    start = data[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for magic, what, way_out in NOT_IMAGES:
        if start.startswith(magic):
            raise InputError(f"{name} is {what}, not an image: {way_out}.")
    Image.init()
    formats = [form for form in Image.OPEN if form not in UNSAFE_FORMATS]
    return _guarded(lambda: Image.open(io.BytesIO(data), formats=formats), name)


def _register_heif(name: str) -> None:
    try:
        from pillow_heif import register_heif_opener
    except ImportError as error:
        way_out = "`pip install pillow-heif`, or save it as JPEG"
        raise InputError(f"{name} is a HEIC photo, which Pillow cannot read: {way_out}.") from error
    register_heif_opener()


def _guarded(opened: Callable[[], Image.Image], name: str) -> Image.Image:
    """Open, load and convert under our own pixel limit, and turn whatever Pillow raises into an
    InputError.
    """
    with _pillow_limit, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # notes of decoders on odd metadata; the one that matters is raised:
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, MAX_PIXELS
        try:
            image = opened()
            _check_size(*image.size, name)
            return _to_rgb(image)
        except InputError:
            raise
        except (Image.DecompressionBombWarning, Image.DecompressionBombError, MemoryError) as error:
            raise _too_many(name) from error
        except Image.UnidentifiedImageError as error:
            raise InputError(
                f"{name} is not an image that Pillow can read: save it as PNG or JPEG."
            ) from error
        except Exception as error:  # a damaged file can raise nearly anything inside a decoder
            reason = str(error).split("\n")[0] or type(error).__name__
            raise InputError(f"{name} is a damaged image ({reason}): save or download it again.") from error
        finally:
            Image.MAX_IMAGE_PIXELS = before


def _check_size(width: int, height: int, name: str) -> None:
    if width < 1 or height < 1:
        raise InputError(f"{name} has no pixels ({width} x {height}): give a picture of at least 1 x 1.")
    if width * height > MAX_PIXELS:
        raise _too_many(f"{name} ({width} x {height})")


def _too_many(name: str) -> InputError:
    millions = MAX_PIXELS // 1_000_000
    return InputError(
        f"{name} has more than {millions} million pixels, which would take over {3 * millions} MB of memory: "
        "make it smaller first (Florence-2 looks at 768 x 768 pixels anyway)."
    )


def _to_rgb(image: Image.Image) -> Image.Image:
    image.load()
    image = _upright(image)
    if image.mode.startswith(
        ("I", "F")
    ):  # 16-bit, 32-bit and float: convert("RGB") would cut at 255 instead of scaling
        return _from_array(np.asarray(image))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    image = image.convert("RGB")
    image.info.clear()  # an EXIF orientation left there would be applied a second time by the next reader
    return image


def _upright(image: Image.Image) -> Image.Image:
    """Return a turned copy, or a plain one where nothing is to turn."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # broken EXIF is common, and no reason to refuse a picture that decodes well
        return image.copy()


def _as_array(source) -> np.ndarray:
    try:
        return np.asarray(source)
    except Exception as error:
        kind, reason = type(source).__name__, str(error).split("\n")[0]
        raise InputError(
            f"This {kind} is no array ({reason}): give a torch tensor as .detach().cpu().numpy()."
        ) from error


def _from_array(array: np.ndarray) -> Image.Image:
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        first = array.ndim == 3 and array.shape[0] in (1, 3, 4)
        way_out = (
            "channels come last here, so give array.transpose(1, 2, 0)"
            if first
            else "give one picture, channels last"
        )
        raise InputError(
            f"An array of shape {array.shape} is no picture (H, W), (H, W, 1), (H, W, 3) or (H, W, 4):"
            f" {way_out}."
        )
    _check_size(array.shape[1], array.shape[0], "this array")
    return _to_rgb(Image.fromarray(np.ascontiguousarray(_to_uint8(array))))


def _to_uint8(array: np.ndarray) -> np.ndarray:
    """Scale to 0–255; which scale a number is on follows from its type, and for wide integers from their
    range.
    """
    if array.dtype == np.uint8:
        return array
    if array.dtype == bool:
        return array.astype(np.uint8) * 255
    if array.dtype.kind not in "uif":
        raise InputError(
            f"An array of {array.dtype} is no picture: give uint8, uint16, bool or float in 0–1."
        )
    low, high = float(array.min()), float(array.max())
    if array.dtype.kind == "f":
        return _float_to_uint8(array, low, high)
    if low < 0 or high > 65_535:
        raise InputError(
            f"The values run from {low:.0f} to {high:.0f}, not within 0–255 or 0–65535: scale them to uint8"
            " first."
        )
    if high > 255 or array.dtype.newbyteorder("=") == np.uint16:
        return ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return array.astype(np.uint8)


def _float_to_uint8(array: np.ndarray, low: float, high: float) -> np.ndarray:
    # Resizing may overshoot by a hair; more than that is another scale, and guessing it would hide a mistake.
    # (NaN fails here too.)
    if not (low >= -0.001 and high <= 1.001):
        way_out = "divide by 255" if 1.001 < high <= 255 and low >= 0 else "scale them to 0–1"
        raise InputError(
            f"A float picture needs values in 0–1, these run from {low:.3g} to {high:.3g}: {way_out} first."
        )
    return (np.clip(array, 0, 1).astype(np.float32) * 255 + 0.5).astype(np.uint8)
