"""An address as a QR code, for the terminal and as a picture. Needs segno; without it there is no code."""

from __future__ import annotations

import importlib.util
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import segno

HOW_TO_GET_IT = "pip install segno adds a QR code of it."
QUIET = 4
"""Modules of empty margin, as the standard asks for."""
_DARK, _LIGHT = 16, 231  # black and white among the 256 colours of a terminal, which no theme changes


def code_of(address: str) -> segno.QRCode | None:
    """None if segno is missing."""
    if importlib.util.find_spec("segno") is None:
        return None
    import segno

    return segno.make_qr(address, error="m")


def for_terminal(code: segno.QRCode, encoding: str) -> str:
    """The code in letters, black on white in every theme: a line is two rows of modules, or one where the
    encoding has no half blocks.
    """
    rows = [list(row) for row in code.matrix_iter(border=QUIET)]
    try:
        "▀".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return "".join("".join(f"{_colour(48, one)}  " for one in row) + "\x1b[0m\n" for row in rows)
    pairs = zip_longest(rows[::2], rows[1::2], fillvalue=[0] * len(rows))
    return "".join("".join(map(_half_blocks, *pair)) + "\x1b[0m\n" for pair in pairs)


def _half_blocks(upper: int, lower: int) -> str:
    return f"{_colour(38, upper)}{_colour(48, lower)}▀"


def _colour(where: int, module: int) -> str:
    return f"\x1b[{where};5;{_DARK if module else _LIGHT}m"


def as_svg(code: segno.QRCode, title: str) -> str:
    """The code as an SVG element on white, so that it works on a dark page, too."""
    return code.svg_inline(border=QUIET, dark="#000", light="#fff", title=title, omitsize=True)
