"""What a kind of thing is: a name, a shape of sheet, a home and a function that draws it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from .pen import Pen, Tone

Home = Literal["ground", "sky", "water", "table"]


@dataclass(frozen=True)
class Kind:
    """A kind of thing.

    Attributes:
        name: the word that answers use, such as ``"car"``.
        width, height: the sheet in design units; the longer side is 100 and the drawing fills the sheet.
        home: where a scene may put it. ``table`` things may also stand on the ground.
        draw: paints it with a `Pen` in a `Tone`, facing right.
    """

    name: str
    width: float
    height: float
    home: Home
    draw: Callable[[Pen, Tone], None]
