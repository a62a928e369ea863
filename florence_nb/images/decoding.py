"""From the bytes of a file, or a PIL image, to plain RGB: as viewers show it, or one sentence why not."""

from __future__ import annotations

import base64
import binascii
import importlib
import io
import re
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import unquote_to_bytes

import numpy as np
from PIL import Image, ImageFile, ImageOps, PngImagePlugin, features

from ..errors import InputError
from ..web import shown
from .arrays import MAX_PIXELS, check_size, from_array, too_many

# These two call other programs or the operating system to draw.
UNSAFE_FORMATS = {"EPS", "WMF"}
# Image generators keep whole workflows in a PNG's text, and Photoshop large colour profiles; Pillow allows
# 1 MB.
MAX_TEXT = 256 * 2**20
# A file that ends too early still opens when at most this share of it is missing. A JPEG's decoder holds the
# last rows of blocks back, and may lose its last block whole.
FORGIVEN_SHARE, HELD_BACK, BLOCK = 0.1, 32, 16 * 16

_pillow_limits = threading.Lock()

# What people hand over instead of an image: (its first bytes, after blanks and in lower case; what it is; the
# way out).
_BROWSER = "open it in a browser, and save the picture there or copy the address of the image itself"
_RAW = "export it as JPEG or PNG, or read it with `rawpy` and give the array"
NOT_IMAGES = (
    (rb"<!doctype html|<html|<.*<html", "a web page (HTML)", _BROWSER),
    (rb"<svg|<(\?xml|!--|!doctype svg).*<svg", "an SVG drawing", "export it as PNG"),
    (rb"<[a-z!?/]", "a web page (HTML) or XML text", _BROWSER),
    (rb"[{\[]\s*[\"{]", "JSON text", "give the picture, or its address, that the text holds"),
    (rb"%pdf", "a PDF", "export the page as PNG"),
    (rb"%!ps", "a PostScript drawing", "export it as PNG"),
    (rb"version https://git-lfs", "a Git LFS pointer", "run `git lfs pull` to get the file itself"),
    (rb"pk\x03\x04", "a ZIP archive", "unpack it and give one picture"),
    (rb"\x93numpy", "a NumPy file", "give the array that numpy.load reads from it"),
    (rb"\x1a\x65\xdf\xa3", "a video", "save one frame of it as PNG"),
    (rb"fujifilmccd-raw|iir[os]|iiu\0|ii\*\0.{4}cr\x02", "a camera's raw file", _RAW),
)

# Brands in the `ftyp` box, the first thing in HEIC, AVIF and MP4 files: the first brand is often a general
# one.
AVIF_BRANDS = {b"avif", b"avis"}
HEIF_BRANDS = set(b"heic heix heim heis hevc hevx hevm hevs heif mif1 mif2 msf1 miaf avci j2ki jpeg".split())
VIDEO_BRANDS = (b"iso", b"mp4", b"M4", b"qt", b"3g", b"avc1")
JPEG_XL = (b"\xff\x0a", b"\0\0\0\x0cJXL ")
# TIFF: NewSubfileType, whose lowest bit marks a smaller copy of another page; and the mark of a raw DNG.
REDUCED, DNG_VERSION, SUB_PAGES = 254, 50706, 330

# First bytes of pictures, by which base64 text of one is known.
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"II*\0", b"MM\0*")
_PICTURES = (*_SIGNATURES, b"BM", b"\0\0\0")


def unwrapped(data: bytes) -> bytes | None:
    """The bytes of a picture that comes as a ``data:`` URL or as base64 text, None where that is damaged;
    anything else as it is.
    """
    if data[:5].lower() == b"data:":
        head, _, body = data.partition(b",")
        plain = unquote_to_bytes(body)
        return _base64(plain) if head.lower().rstrip().endswith(b";base64") else plain
    start = _base64(data[:64].strip()[:16])
    return _base64(data) if start and start.startswith(_PICTURES) else data


def _base64(text: bytes) -> bytes | None:
    """What base64 text stands for, also in lines or without padding; None if it is none."""
    text = b"".join(text.split()).translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=")
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return None


def decode(data: bytes, name: str) -> Image.Image:
    """The picture in the bytes of a file, upright and RGB; `name` stands for it in messages.

    Raises InputError when it is empty, damaged, too large or not an image.
    """
    plain = unwrapped(data)
    if plain is None:
        raise InputError(f"{name} is base64 text that is cut or damaged: give the whole of it.")
    data = plain
    if not data:
        raise InputError(f"{name} is empty (0 bytes): save or download the picture again.")
    _register_plugin(data, name)
    _check_kind(data, name)
    Image.init()
    formats = [form for form in Image.OPEN if form not in UNSAFE_FORMATS]

    def opened(content: bytes = data) -> ImageFile.ImageFile:
        return _largest_page(lambda: Image.open(io.BytesIO(content), formats=formats), name)

    with _limits_lifted():
        try:
            return to_rgb(opened(), name)
        except InputError:
            raise
        except OSError as error:
            if "truncated" not in str(error):
                known = data.startswith(_SIGNATURES) or bool(_brands(data))
                raise _reason(error, name, known) from error
            image, note = _cut_short(data, opened, name, error)
        except Exception as error:
            raise _reason(error, name) from error
    if note:
        warnings.warn(note, stacklevel=3)
    return image


def from_pil(image: Image.Image) -> Image.Image:
    """A PIL image as a new plain RGB one, upright."""
    name = "This PIL image"
    with _limits_lifted():
        try:
            if _is_reduced(image) and not image.tell():
                raise InputError(
                    f"{name} is only the small preview in its file: give the file's path, or a copy()."
                )
            return to_rgb(image, name)
        except InputError:
            raise
        except (MemoryError, Image.DecompressionBombWarning) as error:
            raise _reason(error, name) from error
        except Exception as error:
            file = getattr(image, "fp", None)
            if file is None or getattr(file, "closed", False) or "closed" in str(error):
                raise InputError(
                    f"{name} is closed: call load() or copy() on it inside its `with` block, or give the"
                    " file's path."
                ) from error
            reason = shown(str(error).split("\n")[0] or type(error).__name__)
            raise InputError(
                f"{name} cannot be loaded ({reason}): give the file's path, or open the file again."
            ) from error


@contextmanager
def _limits_lifted() -> Iterator[None]:
    """Pillow's limits are settings of the whole program: changed for one thread at a time, and put back."""
    with _pillow_limits, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # notes of decoders on odd metadata; the one that matters is raised:
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        limits = (
            (Image, "MAX_IMAGE_PIXELS", MAX_PIXELS),
            (PngImagePlugin, "MAX_TEXT_CHUNK", MAX_TEXT),
            (PngImagePlugin, "MAX_TEXT_MEMORY", MAX_TEXT),
            (ImageFile, "LOAD_TRUNCATED_IMAGES", ImageFile.LOAD_TRUNCATED_IMAGES),
        )
        before = [getattr(module, limit) for module, limit, _ in limits]
        try:
            for module, limit, value in limits:
                setattr(module, limit, value)
            yield
        finally:
            for (module, limit, _), value in zip(limits, before):
                setattr(module, limit, value)


def _reason(error: Exception, name: str, known: bool = False) -> InputError:
    """Whatever Pillow raises, as one sentence; `known`: the file begins as one of a known format."""
    if isinstance(error, (Image.DecompressionBombWarning, Image.DecompressionBombError, MemoryError)):
        return too_many(name)
    if isinstance(error, Image.UnidentifiedImageError) and known:
        return InputError(
            f"{name} is a damaged image (only its beginning is right): save or download it again."
        )
    if isinstance(error, Image.UnidentifiedImageError):
        return InputError(f"{name} is not an image that Pillow can read: save it as PNG or JPEG.")
    reason = str(error).split("\n")[0] or type(error).__name__
    if "text" in reason.lower() and "memory" in reason or "decompressed data too large" in reason.lower():
        return InputError(f"{name} holds more than {MAX_TEXT >> 20} MB of text: save it without metadata.")
    return InputError(f"{name} is a damaged image ({shown(reason)}): save or download it again.")


# ---- what it is


def _register_plugin(data: bytes, name: str) -> None:
    """HEIC, AVIF and JPEG XL need a package that adds them to Pillow."""
    brands = _brands(data)
    if brands & AVIF_BRANDS:
        if not _has_avif():
            _plugin("pillow_avif", name, "an AVIF image", "`pip install --upgrade pillow` (11.3 or later)")
    elif brands & HEIF_BRANDS:
        plugin = _plugin("pillow_heif", name, "a HEIC (HEIF) photo", "`pip install pillow-heif`")
        plugin.register_heif_opener()
    elif b"crx " in brands:
        raise InputError(f"{name} is a camera's raw file, not an image: {_RAW}.")
    elif any(brand.startswith(VIDEO_BRANDS) for brand in brands):
        raise InputError(f"{name} is a video, not an image: save one frame of it as PNG.")
    elif data.startswith(JPEG_XL):
        _plugin("pillow_jxl", name, "a JPEG XL image", "`pip install pillow-jxl-plugin`")


def _brands(data: bytes) -> set[bytes]:
    if data[4:8] != b"ftyp":
        return set()
    end = min(max(int.from_bytes(data[:4], "big"), 16), 256)
    return {data[8:12]} | {data[place : place + 4] for place in range(16, end, 4)}


def _has_avif() -> bool:
    return "avif" in features.modules and bool(features.check("avif"))


def _plugin(module: str, name: str, what: str, way_out: str):
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InputError(
            f"{name} is {what}, which Pillow cannot read here: {way_out}, or save it as JPEG."
        ) from error


def _check_kind(data: bytes, name: str) -> None:
    head = data[:2000]
    if head.startswith((b"\xff\xfe<", b"\xfe\xff\0<")):
        head = head.decode("utf-16", "ignore").encode()
    head = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for magic, what, way_out in NOT_IMAGES:
        if re.match(magic, head, re.DOTALL):
            raise InputError(f"{name} is {what}, not an image: {way_out}.")


# ---- pages of a TIFF


def _tags(image: Image.Image) -> Mapping:
    return getattr(image, "tag_v2", {}) if image.format == "TIFF" else {}


def _is_reduced(image: Image.Image) -> bool:
    kind = _tags(image).get(REDUCED, 0)
    return isinstance(kind, int) and bool(kind & 1)


def _largest_page(opened: Callable[[], ImageFile.ImageFile], name: str) -> ImageFile.ImageFile:
    """The first page, unless it is a small copy of a later one, as in pyramids and in cameras' raw files."""
    image = opened()
    if image.format != "TIFF":
        return image
    page = _full_page(opened())
    if page:
        image.seek(page)
    elif _is_reduced(image):
        raw = DNG_VERSION in _tags(image) or SUB_PAGES in _tags(image)
        what = "a camera's raw file" if raw else "a TIFF"
        raise InputError(f"{name} is {what} of which only the small preview can be read: {_RAW}.")
    return image


def _full_page(image: Image.Image) -> int:
    """The number of the page that the first one is a small copy of; 0 where it is none."""
    reduced, (width, height) = _is_reduced(image), image.size
    best, most = 0, width * height
    for page in range(1, 100):
        try:
            image.seek(page)
        except Exception:  # the last page is behind us, or the next one is damaged
            break
        grown, area = image.width / width, image.width * image.height
        same_shape = grown >= 2 and abs(image.height / height - grown) <= 0.03 * grown
        if area > most and (reduced or same_shape):
            best, most = page, area
    return best


# ---- files that end too early


def _cut_short(
    data: bytes, opened: Callable[..., ImageFile.ImageFile], name: str, error: Exception
) -> tuple[Image.Image, str]:
    """As viewers show it, with a note, where nearly all of the picture is there."""
    try:
        image = opened()
        late = _late_scan(data, image)
        missing, forgiven = (0.0, True) if late else _missing(data, opened)
        ImageFile.LOAD_TRUNCATED_IMAGES = forgiven  # put back by _limits_lifted
        whole = to_rgb(image, name)
    except InputError:
        raise
    except Exception as second:
        raise _reason(second, name) from error
    if not (missing or late):
        return whole, ""
    lost = f"about {max(missing, 0.01):.0%} of it is guessed" if missing else "its finest details are missing"
    return whole, f"{name} ends too early: {lost}. Save or download it again for the whole picture."


def _missing(data: bytes, opened: Callable[..., ImageFile.ImageFile]) -> tuple[float, bool]:
    """The share of the picture that is missing, and whether that is little enough to show the rest."""
    image = opened()
    width, height = image.size
    rows = _missing_rows(opened)
    if image.format != "JPEG":
        return rows / height, rows <= FORGIVEN_SHARE * height
    pixels = _open_pixels(data, opened)
    few = pixels <= max(FORGIVEN_SHARE * width * height, min(BLOCK, width * height / 2))
    return pixels / (width * height), few and rows <= FORGIVEN_SHARE * height + HELD_BACK


def _open_pixels(data: bytes, opened: Callable[..., ImageFile.ImageFile]) -> int:
    """Pixels of a cut JPEG that its data do not settle: they differ when other data follow."""
    start, length = data.rstrip(b"\xff"), len(data) // 4 + 4096
    drawn = [
        np.asarray(opened(start + tail * length + b"\xff\xd9").convert("RGB"))
        for tail in (b"", b"\x5a", b"\xa5")
    ]
    return int(((drawn[0] != drawn[1]) | (drawn[0] != drawn[2])).any(axis=2).sum())


def _missing_rows(opened: Callable[..., ImageFile.ImageFile]) -> int:
    """Rows that the decoder leaves untouched: they differ when it draws on two backgrounds."""
    drawn = []
    for colour in (0, 255):
        image = opened()
        ground = Image.new(image.mode, image.size, colour)
        image.im = ground.im
        try:
            image.load()
        except OSError:
            image.tile = []  # nothing more to read
        if image.im is not ground.im:
            return image.height
        drawn.append(np.asarray(image))
    differ = drawn[0] != drawn[1]
    return int(differ.reshape(len(differ), -1).any(axis=1).sum())


def _late_scan(data: bytes, image: Image.Image) -> bool:
    """Whether a progressive JPEG got as far as its last scans, which add the last bit to each coefficient."""
    start = data.rfind(b"\xff\xda") + 2
    header = data[start : start + int.from_bytes(data[start : start + 2], "big")]
    return bool(image.info.get("progressive")) and header[-1:] == b"\x10"


# ---- colours


def to_rgb(image: Image.Image, name: str) -> Image.Image:
    """A new RGB picture: loaded, upright, transparency on white, every mode on the scale 0–255."""
    check_size(*image.size, name)
    wide = image.mode[:1] not in "IF" and ";16" in str(getattr(image, "tile", ""))
    image.load()
    if wide:
        _check_high_bits(image, name)
    image = _upright(image)
    if image.mode.startswith(("I", "F")):  # convert("RGB") would cut at 255 instead of scaling
        image = from_array(np.asarray(image), "numpy.asarray(image)")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    image = image.convert("RGB")
    image.info.clear()  # an EXIF orientation left there would be applied a second time by the next reader
    return image


def _check_high_bits(image: Image.Image, name: str) -> None:
    """Of colours with 16 bits Pillow keeps the upper 8: nothing is left of those that use the lower ones."""
    pixels = np.asarray(image)
    high = int(pixels[..., : 1 if image.mode.startswith("L") else 3].max())
    if high < 128:
        raise InputError(
            f"{name} has 16 bits for each colour, of which it uses the lower ones only (to about"
            f" {256 * high + 255} of 65535), and would be nearly black: save it over the full range, or"
            " with 8 bits."
        )


def _upright(image: Image.Image) -> Image.Image:
    """Return a turned copy, or a plain one where nothing is to turn."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # broken EXIF is common, and no reason to refuse a picture that decodes well
        return image.copy()
