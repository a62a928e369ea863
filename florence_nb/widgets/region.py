"""Draw boxes on a picture and read them in Python. notebooks/09_regions.ipynb asks Florence-2 about what was
drawn.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets
from PIL import Image, ImageDraw

from ..answers import Answer, Region
from ..drawing import colour_of
from ..errors import InputError
from ..images import open_image
from ..locations import check_pixels
from ..tasks import SMALLEST_SIDE
from .panel import jpeg

Box = tuple[int, int, int, int]
_SENT = 1024  # pixels of the longer side that travel to the browser


def region_picker(
    image: Any,
    *,
    boxes: Sequence[Sequence[float]] = (),
    several: bool = False,
    answer: Answer | Exception | None = None,
    width: int = 480,
) -> RegionPicker:
    """A picture to draw boxes on, with mouse, finger or keyboard.

    Args:
        image: anything `open_image` takes.
        boxes: where to begin, ``(x1, y1, x2, y2)`` in pixels of the image. What leaves the picture is cut to
            it.
        several: keep every box that is drawn; otherwise a new one takes the place of the old one.
        answer: its regions are shown too; hover over one to read its label and score.
        width: of the picture on the screen, in pixels, at most.

    Returns:
        A widget: ``.box`` is the box chosen last, or None; ``.boxes`` are all. ``picker.observe(function,
        "box")`` calls ``function`` whenever a drag ends, and `interact` takes the picker as a control.

    Raises:
        InputError: no image, or a box that is not four finite numbers.
    """
    opened = open_image(image)
    picker = RegionPicker(several=several, shown=width)
    picker.set_image(opened)
    for box in boxes:
        picker.draw(box)
    picker.show_answer(answer)
    return picker


def snapped(box: Sequence[float], image_size: tuple[int, int]) -> Box:
    """The box in whole pixels, corners in order, cut to the picture, and at least `SMALLEST_SIDE` pixels wide
    and high.

    Raises:
        InputError: not four finite numbers.
    """
    try:
        numbers = [float(value) for value in box]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)):
        raise InputError(f"A box is four numbers (x1, y1, x2, y2) in pixels of the image, not {box!r}.")
    if any(number % 1 for number in numbers):
        check_pixels(np.array(numbers), image_size)
    x1, x2 = _within(numbers[0], numbers[2], image_size[0])
    y1, y2 = _within(numbers[1], numbers[3], image_size[1])
    return x1, y1, x2, y2


def _within(one: float, other: float, length: int) -> tuple[int, int]:
    least = min(SMALLEST_SIDE, length)
    low = min(max(round(min(one, other)), 0), length - least)
    return low, min(max(round(max(one, other)), low + least), length)


def shapes_of(answer: Answer | None) -> list[dict[str, Any]]:
    """Every region of an answer for the picture: outlines in pixels, label, score (or None) and colour; large
    ones first.

    The small ones come last, so that they lie on top and can be reached.
    """
    shapes = [_shape(region) for region in answer.regions] if answer is not None else []
    return sorted(shapes, key=_extent, reverse=True)


def _shape(region: Region) -> dict[str, Any]:
    return {
        "parts": [outline.tolist() for outline in region.outlines],
        "label": region.label,
        "score": None if region.score is None else round(region.score, 4),
        "colour": "#{:02x}{:02x}{:02x}".format(*colour_of(region.label)),
    }


def _extent(shape: dict[str, Any]) -> float:
    points = [point for part in shape["parts"] for point in part] or [[0, 0]]
    xs, ys = zip(*points, strict=True)
    return (max(xs) - min(xs)) * (max(ys) - min(ys))


class RegionPicker(anywidget.AnyWidget):
    """See `region_picker`. All positions are pixels of the image, origin top left.

    Attributes:
        boxes: list of ``(x1, y1, x2, y2)``. box: the chosen one or None; set it to draw one from Python.
        value: the same as ``box``, under the name that controls have.
        shapes: regions that are shown and not drawn (see `shapes_of`). hovered: index of the shape under the
            pointer, or -1.
        names: what the boxes are called, instead of "Box 1".
        help: the words below while no box is chosen, if they are not the usual ones.

    ``on_ask(function)`` calls the function when Enter is pressed on a box.
    """

    _esm = Path(__file__).with_name("region.js")
    _css = Path(__file__).with_name("region.css")
    _ipython_display_ = None  # see Panel

    picture = traitlets.Bytes().tag(sync=True)
    width = traitlets.Int(1).tag(sync=True)
    height = traitlets.Int(1).tag(sync=True)
    shown = traitlets.Int(480).tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)
    several = traitlets.Bool(False).tag(sync=True)
    boxes: Any = traitlets.List().tag(sync=True)
    chosen = traitlets.Int(-1).tag(sync=True)
    shapes: Any = traitlets.List().tag(sync=True)
    hovered = traitlets.Int(-1).tag(sync=True)
    notice = traitlets.Unicode().tag(sync=True)
    names: Any = traitlets.List().tag(sync=True)
    help = traitlets.Unicode().tag(sync=True)
    box = traitlets.Any(None)
    value = traitlets.Any(None)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        traitlets.link((self, "box"), (self, "value"))

    def set_image(self, image: Any, alt: str = "") -> None:
        """Another picture; boxes and shapes of the old one go."""
        self.image = open_image(image)
        self.boxes, self.shapes, self.chosen = [], [], -1
        self.width, self.height = self.image.size
        self.alt = alt or f"Picture of {self.width} by {self.height} pixels"
        sent, file = self.image.copy(), io.BytesIO()
        sent.thumbnail((_SENT, _SENT))
        sent.save(file, "JPEG", quality=88)
        self.picture = file.getvalue()

    def show_answer(self, answer: Answer | Exception | None) -> None:
        """Shows the regions of an answer, or none; of an error of `run_many` the sentence."""
        error = answer if isinstance(answer, Exception) else None
        self.notice = str(error or "")
        self.shapes = [] if error else shapes_of(answer)  # type: ignore[arg-type]

    def on_ask(self, function: Callable[[], Any]) -> None:
        """Calls the function when somebody presses Enter on a box."""
        self.on_msg(lambda _widget, content, _buffers: function() if content.get("ask") else None)

    def draw(self, box: Sequence[float]) -> None:
        """Draws a box as a drag would: beside the others if ``several``, else in place of the old one."""
        self.boxes = [*(self.boxes if self.several else []), snapped(box, self.image.size)]
        self.chosen = len(self.boxes) - 1

    @traitlets.validate("boxes")
    def _snap_all(self, proposal: Any) -> list[Box]:
        return [snapped(box, (self.width, self.height)) for box in proposal["value"]]

    @traitlets.validate("box", "value")
    def _snap(self, proposal: Any) -> Box | None:
        return None if proposal["value"] is None else snapped(proposal["value"], (self.width, self.height))

    def _current(self) -> Box | None:
        if not self.boxes:
            return None
        return self.boxes[self.chosen if self.chosen < len(self.boxes) else -1]

    @traitlets.observe("boxes", "chosen")
    def _choose(self, _change: Any) -> None:
        self.box = self._current()

    @traitlets.observe("box")
    def _box_set(self, change: Any) -> None:
        if change["new"] is None and self.boxes:
            self.boxes, self.chosen = [], -1
        elif change["new"] not in (None, self._current()):
            self.draw(change["new"])

    def still(self) -> Image.Image:
        """The picture with its boxes, for notebooks without a kernel."""
        picture = self.image.copy()
        picture.thumbnail((self.shown, 4 * self.shown))
        draw, scale = ImageDraw.Draw(picture), picture.width / self.width
        for box in self.boxes:
            corners = [value * scale for value in box]
            draw.rectangle(corners, outline="black", width=4)
            draw.rectangle(corners, outline="#ffd43b", width=2)
        return picture

    def __repr__(self) -> str:
        drawn = ", ".join(map(str, self.boxes)) or "nothing yet"
        return f"RegionPicker on {self.width}x{self.height}, drawn: {drawn}"

    def _repr_mimebundle_(self, **wanted: Any) -> Any:
        shown, metadata = super()._repr_mimebundle_(**wanted)  # type: ignore[misc]
        return {**shown, "image/jpeg": jpeg(self.still())}, metadata
