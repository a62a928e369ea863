"""open_image: every kind of picture becomes upright RGB, and everything else becomes one clear sentence."""

from __future__ import annotations

import http.server
import io
import re
import socket
import struct
import threading
import time
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from florence_nb import images, web
from florence_nb.errors import InputError
from florence_nb.images import SAMPLES, SAMPLES_FOLDER, open_image, samples

RED, BLUE = (255, 0, 0), (0, 0, 255)


def encode(image: Image.Image, form: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def two_halves() -> Image.Image:
    """40 x 20, left half red, right half blue."""
    image = Image.new("RGB", (40, 20), RED)
    image.paste(BLUE, (20, 0, 40, 20))
    return image


def near(image: Image.Image, xy: tuple[int, int], colour: tuple[int, int, int], by: int = 3) -> bool:
    return max(abs(a - b) for a, b in zip(image.getpixel(xy), colour, strict=True)) <= by


def is_plain(image: Image.Image) -> bool:
    return type(image) is Image.Image and image.mode == "RGB" and not image.getexif()


# ---- samples


def test_samples_open_and_have_a_line_each():
    assert {"astronaut", "coffee", "chelsea", "rocket", "text", "china"} <= set(samples())
    for name, line in samples().items():
        image = open_image(name)
        assert is_plain(image) and max(image.size) <= 640 and len(line) > 10


def test_sample_files_table_and_credits_agree():
    files = {p.name for p in SAMPLES_FOLDER.iterdir() if p.suffix in (".jpg", ".png")}
    assert files == {file for file, _ in SAMPLES.values()}
    assert all((SAMPLES_FOLDER / file).stat().st_size <= 80_000 for file in files)
    credits = (SAMPLES_FOLDER / "CREDITS.md").read_text(encoding="utf-8")
    photographs = {file for file, line in SAMPLES.values() if line.startswith("photograph")}
    assert len(photographs) >= 6 and all(f"`{file}`" in credits for file in photographs)


def test_a_file_beside_a_sample_of_the_same_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("coffee").write_bytes(encode(two_halves()))
    assert open_image("coffee").size == (600, 400)
    assert open_image("./coffee").size == (40, 20)
    assert open_image(Path("coffee")).size == (40, 20)


# ---- sources


def test_every_kind_of_source_gives_the_same_picture(tmp_path):
    file = tmp_path / "zwei Hälften.png"
    two_halves().save(file)
    sources = [
        file,
        str(file),
        f"  {file} ",
        file.read_bytes(),
        bytearray(file.read_bytes()),
        memoryview(file.read_bytes()),
    ]
    sources += [two_halves(), Image.open(file), np.asarray(two_halves())]
    for source in sources:
        image = open_image(source)
        assert is_plain(image) and np.array_equal(np.asarray(image), np.asarray(two_halves()))


def test_the_source_is_not_changed_and_not_shared():
    source = two_halves()
    open_image(source).paste((1, 2, 3), (0, 0, 40, 20))
    assert source.getpixel((0, 0)) == RED
    array = np.asarray(source).copy()
    open_image(array).paste((1, 2, 3), (0, 0, 40, 20))
    assert tuple(array[0, 0]) == RED


# ---- modes


def test_transparency_is_laid_on_white():
    image = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    image.putpixel((1, 1), (255, 0, 0, 255))
    image.putpixel((2, 2), (255, 0, 0, 128))
    for source in (image, encode(image), encode(image, "WEBP", lossless=True), np.asarray(image)):
        opened = open_image(source)
        assert opened.getpixel((0, 0)) == (255, 255, 255) and opened.getpixel((1, 1)) == RED
        assert near(opened, (2, 2), (255, 127, 127))


def test_grey_with_alpha_and_transparent_colour():
    assert open_image(encode(Image.new("LA", (3, 3), (0, 0)))).getpixel((0, 0)) == (255, 255, 255)
    assert open_image(encode(Image.new("LA", (3, 3), (10, 255)))).getpixel((0, 0)) == (10, 10, 10)
    assert open_image(encode(Image.new("RGB", (3, 3), RED), transparency=RED)).getpixel((0, 0)) == (
        255,
        255,
        255,
    )


def test_palette_with_and_without_transparency():
    image = two_halves().quantize(4)
    assert near(open_image(encode(image)), (0, 0), RED) and near(open_image(encode(image)), (39, 0), BLUE)
    clear = image.getpixel((0, 0))
    assert open_image(encode(image, transparency=clear)).getpixel((0, 0)) == (255, 255, 255)
    assert near(open_image(encode(image, transparency=clear)), (39, 0), BLUE)


GREYS = [("L", 77, 77), ("1", 1, 255), ("1", 0, 0), ("I;16", 65_535, 255), ("I;16", 32_896, 128)]


@pytest.mark.parametrize("mode, value, grey", GREYS)
@pytest.mark.parametrize("form", ["PNG", "TIFF", None])
def test_grey_one_bit_and_sixteen_bit(mode, value, grey, form):
    image = Image.new(mode, (5, 3), value)
    opened = open_image(encode(image, form) if form else image)
    assert is_plain(opened) and opened.getpixel((2, 1)) == (grey, grey, grey)


def test_sixteen_bit_keeps_its_range_and_is_not_cut_at_255():
    ramp = np.linspace(0, 65_535, 256).astype(np.uint16).reshape(1, 256)
    opened = np.asarray(open_image(Image.fromarray(ramp)))[0, :, 0].astype(int)
    assert np.abs(opened - np.arange(256)).max() <= 1


def test_wide_integer_and_float_modes_of_pillow():
    assert open_image(Image.new("I", (2, 2), 200)).getpixel((0, 0)) == (200, 200, 200)
    assert open_image(Image.new("I", (2, 2), 65_535)).getpixel((0, 0)) == (255, 255, 255)
    assert open_image(Image.new("F", (2, 2), 0.5)).getpixel((0, 0)) == (128, 128, 128)


@pytest.mark.parametrize("form", ["JPEG", "TIFF", None])
def test_cmyk(form):
    image = two_halves().convert("CMYK")
    opened = open_image(encode(image, form, **({"quality": 95} if form == "JPEG" else {})) if form else image)
    assert is_plain(opened) and near(opened, (2, 2), RED, 12) and near(opened, (37, 2), BLUE, 12)


@pytest.mark.parametrize("mode", ["YCbCr", "HSV", "LAB"])
def test_other_colour_spaces(mode):
    from PIL import ImageCms

    if mode == "LAB":
        to_lab = ImageCms.buildTransform(
            ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
        )
        image = ImageCms.applyTransform(two_halves(), to_lab)
    else:
        image = two_halves().convert(mode)
    assert near(open_image(image), (2, 2), RED, 6)


# Where the left (red) half of the stored picture is seen after each of the eight EXIF orientations.
TURNED = {1: "left", 2: "right", 3: "right", 4: "left", 5: "top", 6: "top", 7: "bottom", 8: "bottom"}


@pytest.mark.parametrize("orientation, side", TURNED.items())
@pytest.mark.parametrize("form", ["JPEG", "PNG", "opened"])
def test_exif_orientation_is_applied_once(orientation, side, form):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(two_halves(), "JPEG" if form == "JPEG" else "PNG", exif=exif)
    image = open_image(Image.open(io.BytesIO(data)) if form == "opened" else data)
    assert image.size == ((40, 20) if orientation < 5 else (20, 40))
    spot = {"left": (3, 10), "right": (36, 10), "top": (10, 3), "bottom": (10, 36)}[side]
    assert near(image, spot, RED, 10)
    assert np.array_equal(np.asarray(open_image(image)), np.asarray(image))


def test_broken_exif_does_not_matter():
    assert open_image(encode(two_halves(), "PNG", exif=b"Exif\0\0garbage that is no TIFF header")).size == (
        40,
        20,
    )


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "TIFF"])
def test_an_animation_gives_its_first_frame(form):
    frames = [Image.new("RGB", (8, 8), RED), Image.new("RGB", (8, 8), BLUE)]
    data = encode(
        frames[0],
        form,
        save_all=True,
        append_images=frames[1:],
        **({"lossless": True} if form == "WEBP" else {}),
    )
    assert Image.open(io.BytesIO(data)).n_frames == 2
    assert near(open_image(data), (4, 4), RED)


# ---- sizes


def test_one_pixel():
    assert open_image(Image.new("RGB", (1, 1), RED)).getpixel((0, 0)) == RED
    assert open_image(np.zeros((1, 1))).size == (1, 1)


def test_twenty_thousand_pixels_wide_opens_without_a_warning():
    # 20 000 x 5 000 = 100 million pixels: Pillow warns from 89 million on.
    data = encode(Image.new("1", (20_000, 5_000)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert open_image(data).size == (20_000, 5_000)


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header promises width x height, as a decompression bomb does."""
    data = bytearray(encode(Image.new("1", (1, 1))))
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


@pytest.mark.parametrize("size", [(20_000, 14_000), (30_000, 30_000), (100_000, 100_000)])
def test_too_many_pixels_says_why_and_keeps_pillows_own_limit(size):
    before = Image.MAX_IMAGE_PIXELS
    with pytest.raises(InputError, match="250 million pixels.*750 MB.*smaller"):
        open_image(png_that_claims(*size))
    assert Image.MAX_IMAGE_PIXELS == before
    with pytest.raises(InputError, match="250 million"):
        open_image(np.broadcast_to(np.uint8(0), size))


# ---- arrays


@pytest.mark.parametrize(
    "array, grey",
    [
        (np.full((2, 3), 9, np.uint8), 9),
        (np.full((2, 3, 1), 9, np.uint8), 9),
        (np.full((2, 3, 3), 9, np.uint8), 9),
        (np.full((2, 3), True), 255),
        (np.full((2, 3, 3), 0.5), 128),
        (np.full((2, 3, 3), 1.0, np.float16), 255),
        (np.full((2, 3), 257 * 9, np.uint16), 9),
        (np.full((2, 3), 257 * 9, ">u2"), 9),
        (np.full((2, 3, 3), 257 * 9, np.uint16), 9),
        (np.full((2, 3), 200, np.int64), 200),
        (np.full((2, 3, 3), 9, np.uint8)[:, ::-1], 9),
    ],
)
def test_arrays(array, grey):
    image = open_image(array)
    assert is_plain(image) and image.size == (3, 2) and image.getpixel((0, 0)) == (grey, grey, grey)


@pytest.mark.parametrize(
    "array, message",
    [
        (np.zeros((3, 8, 9)), r"transpose\(1, 2, 0\)"),
        (np.zeros((2, 8, 9, 3)), "one picture"),
        (np.zeros((1, 3, 8, 9)), r"array\[0\]\.transpose\(1, 2, 0\)"),
        (np.zeros((8, 9, 2)), "expected"),
        (np.zeros(7), "expected"),
        (np.zeros((0, 9, 3)), "no pixels"),
        (np.full((4, 4), 200.0), "divide by 255"),
        (np.full((4, 4), -1.0), "scale them to 0–1"),
        (np.full((4, 4), np.nan), "nan_to_num"),
        (np.full((4, 4), -5), "scale them to uint8"),
        (np.full((4, 4), 70_000), "scale them to uint8"),
        (np.full((4, 4), 1j), "complex128"),
        (np.full((4, 4), "a"), "as an image"),
        (np.full((4, 4), None), "object"),
    ],
)
def test_arrays_that_are_refused(array, message):
    with pytest.raises(InputError, match=message):
        open_image(array)


def test_torch_tensors_of_every_layout_and_type_are_taken():
    torch = pytest.importorskip("torch")
    pixels = np.asarray(two_halves())
    tensor = torch.tensor(pixels)
    scaled = tensor / 255
    for source in (
        tensor,
        tensor.permute(2, 0, 1),
        tensor.permute(2, 0, 1)[None],
        tensor[None],
        scaled.permute(2, 0, 1),
        scaled.bfloat16(),
        scaled.half()[None],
        scaled.clone().requires_grad_(),
        scaled.permute(2, 0, 1).to(torch.float8_e4m3fn),
    ):
        assert np.array_equal(np.asarray(open_image(source)), pixels)
    assert open_image(torch.full((1, 4, 5), 0.5)).getpixel((0, 0)) == (128, 128, 128)
    assert open_image(torch.full((4, 5), True)).getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("shape", [(3, 20, 3), (1, 3, 20, 3), (1, 9, 1), (3, 3, 3)])
def test_the_ways_out_of_an_ambiguous_tensor_work(shape):
    torch = pytest.importorskip("torch")
    for batch in (torch.rand(shape), torch.rand(shape).bfloat16(), torch.rand(shape, requires_grad=True)):
        with pytest.raises(InputError, match="channels first or last") as caught:
            open_image(batch)
        ways = re.findall(r"tensor(\.\S*\([^)]*\)\S*\(\)|\.\S+\(\))", str(caught.value))
        assert len(ways) == 2, str(caught.value)
        tensor = batch[0] if len(shape) == 4 else batch
        for way in ways:
            assert open_image(eval("tensor" + way, {"tensor": tensor})).mode == "RGB"


def test_tensors_that_are_refused():
    torch = pytest.importorskip("torch")
    for tensor, message in (
        (torch.rand(2, 3, 8, 9), r"tensor\[0\]"),
        (torch.rand(2, 8, 9), "expected"),
        (torch.rand(3, 8, 9) * 255, "divide by 255"),
        (torch.rand(3, 8, 9, device="meta"), "cannot be read as an array"),
    ):
        with pytest.raises(InputError, match=message):
            open_image(tensor)


FEW_BITS = [9, 10, 12, 14, 15]


@pytest.mark.parametrize("bits", FEW_BITS)
def test_few_of_sixteen_bits_are_refused_with_the_range_and_a_way_out_that_works(bits):
    array = np.linspace(0, 2**bits - 1, 64 * 64).reshape(64, 64).astype(np.uint16)
    picture = Image.fromarray(array)
    for source in (array, array.astype(np.int64), picture, encode(picture, "TIFF"), encode(picture, "PNG")):
        with pytest.raises(InputError, match=f"from 0 to {2**bits - 1}") as caught:
            open_image(source)
        divisor = int(re.search(r" / (\d+)", str(caught.value))[1])
        assert np.asarray(open_image(array / divisor)).max() >= 120


def test_dark_pictures_that_use_sixteen_bits_are_taken():
    dark = np.arange(0, 90, dtype=np.uint16).reshape(9, 10)
    assert np.asarray(open_image(dark * 257)).max() == 89
    assert np.asarray(open_image(np.zeros((4, 4), np.uint16))).max() == 0


def png_of_sixteen_bits(values: np.ndarray) -> bytes:
    """A colour PNG with 16 bits a channel, which Pillow reads but does not write."""
    height, width, channels = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    parts = [struct.pack(">I", len(b)) + k + b + struct.pack(">I", zlib.crc32(k + b)) for k, b in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("channels", [3, 4])
def test_few_bits_in_colours(channels):
    full = np.full((4, 5, channels), 65_535, np.uint16)
    assert open_image(png_of_sixteen_bits(full)).getpixel((0, 0)) == (255, 255, 255)
    full[..., :3] = 4000
    with pytest.raises(InputError, match="uses the lower ones only"):
        open_image(png_of_sixteen_bits(full))


# ---- what is no image


@pytest.mark.parametrize(
    "data, message",
    [
        (b"", r"empty \(0 bytes\)"),
        (b"hello, I am text", "not an image that Pillow can read"),
        (b"\n  <!DOCTYPE html><html></html>", "web page"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"<!-- made by hand --><svg/>", "SVG"),
        (b"<?xml version='1.0'?>\n<!DOCTYPE html><html xmlns='a'/>", "web page"),
        ("\ufeff<!doctype html><html>".encode("utf-16-le"), "web page"),
        (b"<h1>Not found</h1>", "web page"),
        (b'{"error": "not found"}', "JSON"),
        (b"PK\x03\x04...", "ZIP archive"),
        (b"\x93NUMPY\x01\0", "numpy.load"),
        (b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41", "video"),
        (b"\x1a\x45\xdf\xa3webm", "video"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "camera's raw file"),
        (b"II*\0\x10\0\0\0CR\2\0", "camera's raw file"),
        (b'<?xml version="1.0"?><svg/>', "SVG"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "PostScript"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
    ],
)
def test_bytes_that_are_no_image(data, message, tmp_path):
    file = tmp_path / "photo.jpg"
    file.write_bytes(data)
    for source in (data, file):
        with pytest.raises(InputError, match=message):
            open_image(source)


def test_a_cut_file_is_called_damaged():
    data = encode(open_image("chelsea"), "JPEG")
    with pytest.raises(InputError, match="damaged"):
        open_image(data[: len(data) // 2])


@pytest.mark.parametrize(
    "source, message", [(None, "NoneType"), (7, "int"), ([[0]], "list"), ("", "empty"), ("  ", "empty")]
)
def test_things_that_are_no_source(source, message):
    with pytest.raises(InputError, match=message):
        open_image(source)


def test_missing_files_name_the_nearest(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    two_halves().save("holiday.png")
    typos = {
        "holidays.png": "did you mean holiday.png",
        "astronout": "did you mean astronaut",
        "a\0b": "cannot be read",
        "b\udc80.png": "There is no file b .png",
    }
    for typo, hint in typos.items():
        with pytest.raises(InputError, match=hint):
            open_image(typo)
    with pytest.raises(InputError, match="folder"):
        open_image(tmp_path)
    with pytest.raises(InputError, match="https://www.example.com/a.jpg"):
        open_image("www.example.com/a.jpg")
    with pytest.raises(InputError, match="check the path"):
        open_image("nowhere/at/all.png")


FORMATS = st.sampled_from(["PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP", "ICO"])
EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=8)  # (place in the file, new byte)


@settings(max_examples=150, deadline=None)
@given(FORMATS, EDITS, st.floats(0, 1))
def test_any_damage_gives_a_picture_or_an_input_error(form, edits, keep):
    data = bytearray(encode(two_halves(), form))
    for place, value in edits:
        data[int(place * (len(data) - 1))] = value
    try:
        assert is_plain(open_image(bytes(data[: int(len(data) * (0.5 + keep))])))
    except InputError as error:
        assert "\n" not in str(error)


# ---- the web


class Pictures(http.server.BaseHTTPRequestHandler):
    """A small server that behaves well, badly or not at all, by path."""

    def do_GET(self) -> None:
        name, _, rest = self.path.lstrip("/").partition("?")
        getattr(self, f"get_{name}")(rest)

    def answer(self, body: bytes, kind: str = "image/png", status: int = 200, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for key, value in {"Content_Length": str(len(body)), **headers}.items():
            self.send_header(key.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def get_good(self, _: str) -> None:
        self.answer(encode(two_halves()))

    def get_octets(self, _: str) -> None:
        self.answer(encode(two_halves()), "application/octet-stream")

    def get_agent(self, _: str) -> None:
        self.answer(self.headers["User-Agent"].encode(), "text/plain")

    def get_to(self, target: str) -> None:
        self.answer(b"", status=302, Location=target)

    def get_loop(self, _: str) -> None:
        self.answer(b"", status=302, Location="/loop")

    def get_html(self, _: str) -> None:
        self.answer(b"<html>a page</html>", "text/html; charset=utf-8")

    def get_liar(self, _: str) -> None:
        self.answer(b"<!doctype html><title>log in</title>", "image/png")

    def get_missing(self, _: str) -> None:
        self.answer(b"gone", status=404)

    def get_nothing(self, _: str) -> None:
        self.answer(b"")

    def get_large(self, _: str) -> None:
        self.answer(b"", Content_Length=str(web.MAX_BYTES + 1))

    def get_endless(self, _: str) -> None:
        self.send_response(200)
        self.end_headers()
        while True:
            self.wfile.write(b"\0" * 65_536)

    def get_silent(self, _: str) -> None:
        time.sleep(3)

    def get_stall(self, _: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"\x89PNG")
        time.sleep(3)

    def get_drip(self, _: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        for _second in range(30):
            self.wfile.write(b"x")
            self.wfile.flush()
            time.sleep(0.1)

    def get_cut(self, _: str) -> None:
        self.answer(encode(two_halves())[:30], Content_Length="5000")

    def log_message(self, *_: object) -> None:
        pass


class QuietServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Clients that hang up on purpose are what is tested here."""


@pytest.fixture(scope="module")
def server():
    with QuietServer(("127.0.0.1", 0), Pictures) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


@pytest.mark.parametrize("path", ["good", "octets", "to?/good", "to?/to?/good"])
def test_urls_that_answer_with_a_picture(server, path):
    assert np.array_equal(np.asarray(open_image(f"{server}/{path}")), np.asarray(two_halves()))
    assert open_image(f"HTTP{server[4:]}/good").size == (40, 20)


def test_the_request_says_who_asks(server):
    assert b"florence-nb" in web.read_url(f"{server}/agent")


@pytest.mark.parametrize(
    "path, message",
    [
        ("to?ftp://127.0.0.1/a.png", "redirects to ftp://127.0.0.1/a.png.*only those are read"),
        ("to?file:///etc/hostname", "redirects to file:///etc/hostname.*only those are read"),
        ("to?/to?file:///etc/hostname", "redirects to file:"),
        ("loop", "redirects again and again"),
        ("html", "web page.*the address of the image"),
        ("liar", "web page"),
        ("missing", "answers 404"),
        ("nothing", "0 bytes"),
        ("large", "more than 30 MB"),
        ("cut", "Could not read"),
    ],
)
def test_urls_that_do_not(server, path, message):
    with pytest.raises(InputError, match=message) as caught:
        open_image(f"{server}/{path}")
    assert server in str(caught.value) and "\n" not in str(caught.value)


def test_a_body_without_end_stops_at_the_cap(server, monkeypatch):
    monkeypatch.setattr(web, "MAX_BYTES", 2_000_000)
    with pytest.raises(InputError, match="more than 2 MB"):
        open_image(f"{server}/endless")


@pytest.mark.parametrize("path", ["silent", "stall"])
def test_silence_runs_into_the_read_limit(server, path, monkeypatch):
    monkeypatch.setattr(web, "READ_SECONDS", 0.3)
    started = time.monotonic()
    with pytest.raises(InputError, match="did not answer in time"):
        open_image(f"{server}/{path}")
    assert time.monotonic() - started < 2


def test_a_drip_runs_into_the_whole_limit(server, monkeypatch):
    monkeypatch.setattr(web, "WHOLE_SECONDS", 0.5)
    started = time.monotonic()
    with pytest.raises(InputError, match="did not answer in time"):
        open_image(f"{server}/drip")
    assert time.monotonic() - started < 1.5


def test_nobody_listens():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(InputError, match="refuses the connection"):
        open_image(f"http://127.0.0.1:{port}/a.png")


@pytest.mark.parametrize(
    "url, message",
    [
        ("ftp://example.com/a.jpg", "not an http or https"),
        ("file:///no/where/a.jpg", "There is no file /no/where/a.jpg"),
        ("file://server/share/a.jpg", "another machine"),
        ("s3://bucket/a.jpg", "download the picture"),
        ("data:image/png;base64,AAAA", "not an image that Pillow can read"),
        ("http://", "names no host"),
        ("https:///a.jpg", "names no host"),
        ("http://[1::2/a.jpg", "not a valid web address"),
        ("http://no-such-host.invalid/a.jpg", "no network|Could not read"),
    ],
)
def test_addresses_that_cannot_be_read(url, message):
    with pytest.raises(InputError, match=message):
        open_image(url)


def test_the_limits_are_the_documented_ones():
    assert (web.MAX_BYTES, web.CONNECT_SECONDS, web.READ_SECONDS, web.WHOLE_SECONDS) == (
        30_000_000,
        5,
        10,
        30,
    )
    assert images.MAX_PIXELS >= 20_000 * 12_000
