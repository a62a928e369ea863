"""Draw the picture of FLD-5B's data engine in lesson 00: `python notebooks/pictures/data_engine.py`.

It writes the picture into the text of the lesson, as `make lessons` does with the title picture. The dark
card suits a light and a dark page.
"""

import base64
import io
import re
from pathlib import Path

from PIL import Image, ImageDraw

from florence_nb.fonts import font_for

LESSON = Path(__file__).parents[1] / "00_understanding_florence2.ipynb"
STEPS = (
    ("126 million\nimages", "#4a4f5c"),
    ("1  specialist\nmodels write\nannotations", "#7a4fc0"),
    ("2  filters\nthrow out\nwrong ones", "#b0440f"),
    ("3  Florence-2,\ntrained on them,\nwrites better ones", "#0b7285"),
)
BARS = (("text", 0.5), ("text + regions", 1.3), ("phrases + regions", 3.6))  # billions of annotations
FONT = font_for("a", 14)
CARD, GREY = "#23262e", "#d4d6dc"


def arrow(draw: ImageDraw.ImageDraw, points: list[tuple[int, int]], turn: tuple[int, int]) -> None:
    """A line along the points with a head at its end; ``turn`` is its direction, such as (1, 0)."""
    (x, y), (dx, dy) = points[-1], turn
    draw.line(points, GREY, 3)
    back_x, back_y = x - 10 * dx, y - 10 * dy
    corners = [(x, y), (back_x - 6 * dy, back_y - 6 * dx), (back_x + 6 * dy, back_y + 6 * dx)]
    draw.polygon(corners, GREY)


def engine() -> Image.Image:
    """The three steps above, the three kinds of annotations below; 672 x 290 pixels."""
    picture = Image.new("RGBA", (672, 290), (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((0, 0, 671, 289), 12, CARD)
    for index, (words, colour) in enumerate(STEPS):
        left = 16 + 163 * index
        draw.rounded_rectangle((left, 16, left + 148, 90), 8, colour)
        draw.multiline_text((left + 74, 53), words, "white", FONT, "mm", align="center", spacing=5)
        if index:
            arrow(draw, [(left - 14, 53), (left - 2, 53)], (1, 0))
    arrow(draw, [(579, 91), (579, 116), (416, 116), (416, 93)], (0, -1))
    draw.text((497, 122), "again, in rounds", GREY, FONT, "mt")
    for index, (name, billions) in enumerate(BARS):
        top = 156 + 38 * index
        end = 170 + round(100 * billions)
        draw.text((160, top + 14), name, GREY, FONT, "rm")
        draw.rounded_rectangle((170, top, end, top + 28), 4, STEPS[3][1])
        draw.text((end + 10, top + 14), f"{billions} billion", GREY, FONT, "lm")
    return picture


def address(picture: Image.Image) -> str:
    made = io.BytesIO()
    picture.quantize(64).save(made, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(made.getvalue()).decode()


if __name__ == "__main__":
    old = LESSON.read_text(encoding="utf-8")
    made = address(engine())
    new, count = re.subn(r"(!\[The data engine[^\]]*\]\()[^)]*", lambda found: found[1] + made, old)
    if count != 1:
        raise SystemExit(f"{LESSON.name} has {count} pictures '![The data engine …](…)': one is wanted")
    LESSON.write_text(new, encoding="utf-8")
