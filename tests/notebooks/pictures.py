"""The pictures in a notebook's outputs: read them, shrink them for storing, compare them as an eye would."""

import base64
import html
import io
import re

import numpy as np
from nbformat import NotebookNode
from PIL import Image

PICTURE_TYPES = ("image/png", "image/jpeg")
MAX_WIDTH = 480  # pixels
MAX_BYTES = 100_000  # of one stored picture
PREVIEW = "preview"  # tag of the cell whose picture is also shown in the first cell, under the title
PREVIEW_WIDTH = 360  # pixels
# The picture stands in the text itself, as Colab writes it: Colab and GitHub do not show attachments, and an
# address is broken where there is no network. A new lesson has ![…](preview), until it is executed.
TITLE_PICTURE = re.compile(rf"!\[([^\]]+)\]\((?:{PREVIEW}|data:(image/(?:png|jpeg));base64,([\w+/=]+))\)")
MAX_RMS = 8.0  # of 255: antialiasing and JPEG stay below 3, another picture is above 20


def picture_data(output: NotebookNode) -> bytes | None:
    """The bytes of an output's picture, None where it has none. One object shown as PNG and as JPEG is one
    picture.
    """
    data = output.get("data", {})
    found = next((data[kind] for kind in PICTURE_TYPES if kind in data), None)
    return None if found is None else base64.b64decode(found)


def take_html(output: NotebookNode) -> str:
    """Takes away the HTML that shows an output's picture once more; returns its alternative text."""
    if picture_data(output) is None:
        return ""
    found = re.search(r'<img[^>]* alt="([^"]*)"', output.data.pop("text/html", ""))
    return html.unescape(found[1]) if found else ""


def title_picture(source: str) -> bytes | None:
    """The bytes of the picture in a title cell, None where it has none, or several."""
    found = TITLE_PICTURE.findall(source)
    return base64.b64decode(found[0][2]) if len(found) == 1 and found[0][2] else None


def put_title_picture(source: str, kind: str, content: bytes) -> str:
    """The title cell with that picture in place of its own. `kind` is the media type."""
    data = base64.b64encode(content).decode()
    return TITLE_PICTURE.sub(lambda found: f"![{found[1]}](data:{kind};base64,{data})", source)


def open_picture(content: bytes) -> Image.Image:
    """RGB, transparent parts on white."""
    picture = Image.open(io.BytesIO(content)).convert("RGBA")
    white = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(white, picture).convert("RGB")


def encode(content: bytes, widest: int = MAX_WIDTH) -> tuple[str, bytes]:
    """(media type, bytes) of the picture at most so many pixels wide, as PNG or as JPEG, whichever is
    smaller.
    """
    picture = open_picture(content)
    if picture.width > widest:
        height = max(1, round(picture.height * widest / picture.width))
        picture = picture.resize((widest, height), Image.Resampling.LANCZOS)
    made = {kind: io.BytesIO() for kind in PICTURE_TYPES}
    picture.save(made["image/png"], "PNG", optimize=True)
    picture.save(made["image/jpeg"], "JPEG", quality=82, optimize=True)
    kind = min(made, key=lambda name: made[name].tell())
    return kind, made[kind].getvalue()


def difference(stored: bytes, new: bytes) -> str | None:
    """What tells the two pictures apart, None where an eye sees the same: same shape within 5 %, and close on
    a 64 x 64 grid.
    """
    first, second = open_picture(stored), open_picture(new)
    ratio = (first.width / first.height) / (second.width / second.height)
    if not 0.95 < ratio < 1.05:
        return (
            f"the stored picture is {first.width}x{first.height} pixels, the new one"
            f" {second.width}x{second.height}"
        )
    grids = [
        np.asarray(each.resize((64, 64), Image.Resampling.BOX), dtype=np.float32) for each in (first, second)
    ]
    rms = float(np.sqrt(np.mean((grids[0] - grids[1]) ** 2)))
    return f"the pictures differ (rms {rms:.1f} of 255, allowed {MAX_RMS:.0f})" if rms > MAX_RMS else None
