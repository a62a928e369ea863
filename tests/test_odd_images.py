"""Odd pictures that every viewer shows open; what cannot be opened is one sentence that fits the cause."""

from __future__ import annotations

import base64
import io
import os
import struct
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, PngImagePlugin, TiffImagePlugin, features

from florence_nb.errors import InputError
from florence_nb.images import decoding, open_image

from .test_images import encode, is_plain, two_halves

SIZE = (40, 20)


def said(source) -> str:
    """The one sentence that `open_image` refuses `source` with."""
    with pytest.raises(InputError) as caught:
        open_image(source)
    text = str(caught.value)
    assert len(text) <= 500 and "\n" not in text and text.isprintable()
    return text


def photograph(size: tuple[int, int] = (256, 256)) -> Image.Image:
    return open_image("chelsea").resize(size)


# ---- large texts in a PNG


@pytest.mark.parametrize("kind", ["zTXt", "iTXt", "iCCP", "many"])
def test_a_png_with_megabytes_of_text_opens(kind):
    info, options = PngImagePlugin.PngInfo(), {}
    text = "a" * (3 * 2**20)
    if kind == "iTXt":
        info.add_itxt("workflow", text, zip=True)
    elif kind == "iCCP":
        options["icc_profile"] = b"\0" * len(text)
    else:
        for number in range(70 if kind == "many" else 1):
            info.add_text(f"part {number}", text[: 2**20 - 9] if kind == "many" else text, zip=True)
    limits = PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY
    assert open_image(encode(two_halves(), pnginfo=info, **options)).size == SIZE
    assert (PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY) == limits


def test_text_without_end_is_named(monkeypatch):
    monkeypatch.setattr(decoding, "MAX_TEXT", 2**20)
    info = PngImagePlugin.PngInfo()
    info.add_text("workflow", "a" * 2**21, zip=True)
    assert "without metadata" in said(encode(two_halves(), pnginfo=info))


# ---- HEIC, AVIF, JPEG XL


def boxed(brand: bytes, *compatible: bytes) -> bytes:
    return (
        struct.pack(">I4s4s4x", 16 + 4 * len(compatible), b"ftyp", brand) + b"".join(compatible) + b"\0" * 99
    )


HEIC = [(b"heic",), (b"heix",), (b"heim",), (b"heis",), (b"hevc",), (b"hevx",), (b"mif1",), (b"msf1",)]
HEIC += [(b"mif1", b"heic"), (b"mif2", b"miaf"), (b"odd1", b"mif1", b"heic"), (b"msf1", b"iso8", b"hevc")]
AVIF = [(b"avif",), (b"avis", b"msf1", b"iso8"), (b"mif1", b"avif", b"miaf"), (b"mif1", b"miaf", b"avif")]


@pytest.mark.parametrize("brands", HEIC)
def test_every_brand_of_heic_names_its_plugin(brands, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)  # the import fails
    assert "HEIC" in said(boxed(*brands)) and "pip install pillow-heif" in said(boxed(*brands))


@pytest.mark.parametrize("brands", AVIF)
def test_every_brand_of_avif_names_its_plugin(brands, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_avif", None)
    monkeypatch.setattr(decoding, "_has_avif", lambda: False)
    assert "AVIF" in said(boxed(*brands)) and "pip install --upgrade pillow" in said(boxed(*brands))


def test_jpeg_xl_names_its_plugin(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_jxl", None)
    assert "pillow-jxl-plugin" in said(b"\0\0\0\x0cJXL \r\n\x87\n....")


@pytest.mark.skipif(not decoding._has_avif(), reason="this Pillow reads no AVIF")
def test_avif_with_a_general_first_brand_opens():
    data = encode(two_halves(), "AVIF")
    assert open_image(data).size == SIZE and features.check("avif")


def test_heic_with_a_general_first_brand_opens_in_a_fresh_process():
    pytest.importorskip("pillow_heif")
    code = """
import io, sys, pillow_heif
from PIL import Image
from florence_nb import open_image
buffer = io.BytesIO()
pillow_heif.from_pillow(Image.new("RGB", (64, 48), "red")).save(buffer)
data = bytearray(buffer.getvalue())
data[8:12] = b"mif1"
assert open_image(bytes(data)).size == (64, 48)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


# ---- text that is a picture


def base64_forms(data: bytes) -> dict[str, str]:
    plain = base64.b64encode(data).decode()
    return {
        "plain": plain,
        "in lines": base64.encodebytes(data).decode(),
        "for URLs": base64.urlsafe_b64encode(data).decode(),
        "without padding": plain.rstrip("="),
        "data URL": f"data:image/png;base64,{plain}",
        "data URL in capitals": f"DATA:image/png;charset=x;BASE64,{plain}",
        "data URL, percent": "data:image/png;base64," + plain.replace("+", "%2B").replace("/", "%2F"),
        "data URL without base64": "data:image/png," + "".join(f"%{byte:02x}" for byte in data),
    }


@pytest.mark.parametrize("form", list(base64_forms(b"")))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"])
def test_base64_opens_as_text_and_as_bytes(form, kind):
    for image in (two_halves(), Image.effect_noise((90, 70), 60).convert("RGB")):
        text = base64_forms(encode(image, kind))[form]
        for source in (text, text.encode()):
            assert open_image(source).size == image.size


@pytest.mark.parametrize(
    "text, words",
    [
        ("B" * 5000, "5000 characters"),
        ("A" * 5000, "base64 text"),
        ("<html>" * 900, "5400 characters"),
        ('{"image": "' + "x" * 3000, "characters"),
        ("a b " * 1000, "characters"),
        ("x" * 300 + ".png", "304 characters"),
        ("/" + "d/" * 3000 + "a.png", "characters"),
        ("data:image/png;base64,iVBORw0KGg*", "base64 text that is cut or damaged"),
        ("data:image/svg+xml,<svg/>", "SVG"),
        ("data:,", "empty"),
        ("iVBORw0KGgoAAAANSUhEUgAAACgAAAAUCAIAAABwJOjsAAAAAA", "base64 text"),
        ("looks/like/base64/but/is/a/path/of/a/picture/without/an/ending", "There is no file"),
    ],
)
def test_long_and_odd_text_is_told_in_one_sentence(text, words):
    assert words in said(text)
    if not text.startswith("data:"):
        assert said(Path(text))


# ---- names of files


@pytest.mark.parametrize("name", ["~a.png", "~", "~nobody42", "a'b.png", '"quoted".png', "a b.png", "ä.png"])
def test_files_with_odd_names_open_as_text_and_as_path(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(encode(two_halves()))
    assert open_image(name).size == open_image(Path(name)).size == SIZE


PASTED = [
    '"{}"',
    "'{}'",
    "“{}”",
    " {}\n",
    "`{}`",
    "\u202a{}",
    "file://{}",
    "FILE://localhost{}",
    '"file://{}"',
]


@pytest.mark.parametrize("form", PASTED)
def test_pasted_paths_open(form, tmp_path):
    file = tmp_path / "holiday photo ä.png"
    file.write_bytes(encode(two_halves()))
    assert open_image(form.format(file)).size == SIZE


def test_other_spellings_of_a_path_open(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "holiday ä.png").write_bytes(encode(two_halves()))
    paths = ["~/holiday ä.png", '"~/holiday ä.png"', "~/holiday a\u0308.png", Path("~/holiday ä.png")]
    paths += [f"{tmp_path}/holiday\\ ä.png"] if os.sep == "/" else []
    paths += [(tmp_path / "holiday%20%C3%A4.png").as_uri().replace("%25", "%")]
    for path in paths:
        assert open_image(path).size == SIZE


def test_no_home_and_unknown_users_are_no_crash(monkeypatch):
    monkeypatch.delenv("HOME", raising=False)
    if os.name == "posix":
        import pwd

        monkeypatch.setattr(pwd, "getpwuid", lambda _: (_ for _ in ()).throw(KeyError("no such user")))
    for name in ("~/a.png", "~nobody42/a.png", "~nobody42", Path("~/a.png")):
        assert "There is no file" in said(name)


def test_folders_and_files_that_may_not_be_read(tmp_path, monkeypatch):
    assert all("is a folder" in said(name) for name in (".", "..", os.sep, Path("."), "file:///"))
    assert "folder" in said(tmp_path) and "folder" in said(f"{tmp_path}{os.sep}")
    (tmp_path / "a.png").write_bytes(b"x")
    assert "There is no file" in said(tmp_path / "a.png" / "b.png")

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert "your rights" in said(tmp_path / "a.png")
    monkeypatch.setattr(Path, "iterdir", refuse)
    monkeypatch.setattr(Path, "read_bytes", lambda _: (_ for _ in ()).throw(FileNotFoundError(2, "No")))
    assert "There is no file" in said(tmp_path / "b.png")


@pytest.mark.skipif(os.name != "posix", reason="other systems keep the folder of a running program")
def test_a_current_folder_that_was_deleted(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert "There is no file a.png" in said("a.png")


# ---- objects


class Png:
    def _repr_png_(self):
        return encode(two_halves()), {"width": 40}


def test_objects_of_other_libraries_open(tmp_path):
    display = pytest.importorskip("IPython.display")
    widgets = pytest.importorskip("ipywidgets")
    data = encode(two_halves())
    file = tmp_path / "a.png"
    file.write_bytes(data)
    stream = io.BytesIO(data)
    stream.seek(0, io.SEEK_END)
    with file.open("rb") as opened:
        sources = [
            display.Image(data=data),
            display.Image(filename=str(file)),
            display.Image(url=file.as_uri()),
            widgets.Image(value=data),
            {"bytes": data, "path": None},
            {"bytes": None, "path": str(file)},
            {"path": file, "bytes": b""},
            SimpleNamespace(content=data, status_code=200),
            Png(),
            opened,
            stream,
        ]
        place = stream.tell()
        for source in sources:
            assert np.array_equal(np.asarray(open_image(source)), np.asarray(two_halves()))
        assert stream.tell() == place


class BadPath(os.PathLike):
    def __fspath__(self):
        raise OSError("boom")


@pytest.mark.parametrize(
    "source, words",
    [
        (None, "Cannot open a NoneType as an image"),
        ({}, '"bytes" or "path"'),
        ({"image": 1, "label": 2}, 'row["image"]'),
        ([two_halves()], "images[0]"),
        (Image.Image, "class PIL.Image.Image"),
        (io.StringIO("a"), "open(path, 'rb')"),
        (BadPath(), "gives no path (boom)"),
        (SimpleNamespace(data=3), "a types.SimpleNamespace"),
        (open, "as an image"),
    ],
)
def test_objects_that_hold_no_picture(source, words):
    assert words in said(source)


def test_objects_that_fail_are_no_crash():
    class Bad:
        def _repr_png_(self):
            raise OSError("the tube is broken\nreally")

    assert "the tube is broken" in said(Bad())
    closed = io.BytesIO(b"x")
    closed.close()
    assert "closed" in said(closed)


# ---- PIL images in a wrong state


def test_closed_images_are_told_as_closed(tmp_path):
    file = tmp_path / "a.png"
    two_halves().save(file)
    with Image.open(file) as one:
        pass
    with file.open("rb") as stream:
        two = Image.open(stream)
    three = Image.new("RGB", (8, 8))
    three.close()
    four = Image.open(file)
    four.fp.close()
    for image in (one, two, three, four):
        assert "is closed" in said(image) and "damaged" not in said(image) and "copy()" in said(image)
    with Image.open(file) as fine:
        fine.load()
    assert open_image(fine).size == SIZE


def test_a_pil_image_of_a_cut_file_is_not_called_damaged():
    assert "cannot be loaded" in said(Image.open(io.BytesIO(encode(photograph(), "JPEG")[:3000])))


# ---- pages of a TIFF


def pages(*sizes: tuple[int, int], kind: int | None = None) -> bytes:
    """A TIFF with a page of each size, in its own colour; the first one has NewSubfileType `kind`."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    if kind is not None:
        tags[254] = kind
    images = [Image.new("RGB", size, (60 * number, 0, 200)) for number, size in enumerate(sizes)]
    for image in images[1:]:
        image.encoderinfo = {"tiffinfo": TiffImagePlugin.ImageFileDirectory_v2()}
    return encode(images[0], "TIFF", save_all=True, append_images=images[1:], tiffinfo=tags)


@pytest.mark.parametrize(
    "data, size",
    [
        (pages((160, 120), (1600, 1200), kind=1), (1600, 1200)),
        (pages((16, 12), (160, 120), (80, 60), kind=1), (160, 120)),
        (pages((16, 12), (32, 24), (64, 48)), (64, 48)),
        (pages((64, 48), (32, 24), (16, 12)), (64, 48)),
        (pages((40, 20), (20, 40), (400, 100)), (40, 20)),
        (pages((40, 20), (40, 20)), (40, 20)),
    ],
)
def test_the_full_page_of_a_tiff_is_taken(data, size):
    assert open_image(data).size == size
    opened = Image.open(io.BytesIO(data))
    opened.seek(1)
    assert open_image(opened).size == opened.size


def test_a_raw_file_of_which_only_the_preview_opens():
    assert "small preview" in said(pages((160, 120), kind=1))
    assert "small preview" in said(Image.open(io.BytesIO(pages((160, 120), (320, 240), kind=1))))
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[254], tags[50706] = 1, b"\1\4\0\0"
    assert "camera's raw file" in said(encode(two_halves(), "TIFF", tiffinfo=tags))


# ---- files that end too early


@pytest.mark.parametrize(
    "form, options", [("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {}), ("BMP", {})]
)
@pytest.mark.parametrize("lost", [2, 5, 40, 0.01])
def test_a_file_that_lacks_its_end_opens_with_a_warning(form, options, lost):
    whole = encode(photograph(), form, **options)
    data = whole[: -(lost if lost >= 1 else int(lost * len(whole)))]
    with warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always")
        opened = np.asarray(open_image(data)).astype(int)
    original = np.asarray(open_image(whole)).astype(int)
    assert np.abs(opened - original)[:224].max() <= 32 or form == "BMP"
    assert np.abs(opened - original).max() <= 32 or any("ends too early" in str(n.message) for n in noted)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF"])
@pytest.mark.parametrize("kept", [0.02, 0.1, 0.3, 0.5, 0.7])
def test_a_file_that_is_mostly_missing_is_refused(form, kept):
    data = encode(photograph(), form)
    assert said(data[: int(kept * len(data))])


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("lost", [1, 2])
def test_a_small_jpeg_without_its_end_marker_is_whole(mode, lost):
    data = encode(photograph((64, 48)).convert(mode), "JPEG")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        opened = np.asarray(open_image(data[:-lost]))
    assert np.array_equal(opened, np.asarray(open_image(data)))


@pytest.mark.parametrize("restart", [0, 2])
@pytest.mark.parametrize("colour", ["black", "white", "grey"])
def test_a_plain_bottom_does_not_hide_that_rows_are_missing(colour, restart):
    image = photograph((256, 512))
    image.paste(colour, (0, 128, 256, 512))
    data = encode(image, "JPEG", restart_marker_rows=restart)
    assert "damaged" in said(data[: int(0.5 * len(data))])


# ---- two hundred odd files

SHAPES = [(1, 1), (1, 300), (300, 1), (33, 17)]
SAVED = [
    ("PNG", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"], {}),
    ("JPEG", ["L", "RGB", "CMYK"], {"quality": 30}),
    ("JPEG", ["RGB"], {"progressive": True}),
    ("TIFF", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I;16", "I", "F"], {}),
    ("TIFF", ["1", "L", "RGB"], {"compression": "tiff_lzw"}),
    ("GIF", ["1", "L", "P", "RGB"], {}),
    ("WEBP", ["RGB", "RGBA"], {"lossless": True}),
    ("BMP", ["1", "L", "P", "RGB", "RGBA"], {}),
    ("PPM", ["1", "L", "RGB", "I"], {}),
    ("TGA", ["L", "P", "RGB", "RGBA", "LA"], {}),
    ("PCX", ["1", "L", "P", "RGB"], {}),
    ("ICO", ["RGB", "RGBA"], {}),
    ("DDS", ["RGB", "RGBA"], {}),
    ("SGI", ["L", "RGB", "RGBA"], {}),
]
WHOLE = [(form, mode, options) for form, modes, options in SAVED for mode in modes]


def odd(mode: str, size: tuple[int, int]) -> Image.Image:
    noise = np.random.default_rng(len(mode)).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    image = Image.fromarray(noise)
    if mode == "I;16":
        return Image.fromarray(noise[..., 0].astype(np.uint16) * 257)
    if mode in ("I", "F"):
        return image.convert("L").convert(mode)
    if mode == "LAB":
        return Image.frombytes("LAB", size, noise.tobytes())
    return image.convert("RGBA").convert(mode) if mode in ("LA", "RGBA") else image.convert(mode)


def loads(data: bytes) -> bool:
    """Whether Pillow reads what it wrote."""
    try:
        return bool(Image.open(io.BytesIO(data)).load())
    except Exception:
        return False


def damages(data: bytes) -> dict[str, bytes]:
    middle = len(data) // 2
    return {
        "whole": data,
        "its end is cut": data[:-3],
        "half": data[:middle],
        "header only": data[:12],
        "zeros in the middle": data[:middle] + b"\0" * 20 + data[middle + 20 :],
        "ones at the start": data[:8] + b"\xff" * 8 + data[16:],
        "more at the end": data + b"<html>" * 50,
        "twice": data + data,
    }


@pytest.mark.parametrize("form, mode, options", WHOLE, ids=[f"{f}-{m}-{len(o)}" for f, m, o in WHOLE])
@pytest.mark.filterwarnings("ignore:.*ends too early")
def test_the_ring_of_odd_files(form, mode, options):
    for size in SHAPES:
        try:
            data = encode(odd(mode, size), form, **options)
        except (OSError, ValueError, struct.error, SystemError):
            continue  # Pillow cannot write this one
        for damage, changed in damages(data).items():
            try:
                image = open_image(changed)
            except InputError as error:
                assert len(str(error)) <= 500 and "\n" not in str(error)
                assert damage != "whole" or mode in ("F", "I") or not loads(data), (size, str(error))
            else:
                assert is_plain(image)


@pytest.mark.filterwarnings("ignore:.*ends too early")
def test_damaged_checksums_and_lengths_of_a_png():
    data = encode(two_halves())
    for place in range(8, len(data)):
        changed = data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :]
        try:
            assert is_plain(open_image(changed))
        except InputError as error:
            assert len(str(error)) <= 500
