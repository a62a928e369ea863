"""Fonts for every script, and text that fits. DejaVu Sans comes with matplotlib; what it lacks is looked for
on the computer.
"""

from __future__ import annotations

import importlib.util
import unicodedata
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

Font = ImageFont.FreeTypeFont


def clean(text: str) -> str:
    """One line: runs of blanks and line breaks become one blank; what cannot be drawn becomes U+FFFD."""
    return "".join(_drawable(c) for c in " ".join(text.split()))


def _drawable(character: str) -> str:
    return "\ufffd" if unicodedata.category(character) in ("Cc", "Cs", "Cn", "Co") else character


@lru_cache(maxsize=16)
def bundled(name: str) -> str:
    """The path of a font that comes with matplotlib, such as "DejaVuSans-Bold", without the tenth of a second
    of its import.
    """
    inside = Path("fonts", "ttf", f"{name}.ttf")
    package = getattr(importlib.util.find_spec("matplotlib"), "origin", None) or "__init__.py"
    path = Path(package).with_name("mpl-data") / inside
    if not path.is_file():  # some Linux distributions keep the fonts elsewhere, and matplotlib knows where
        import matplotlib

        path = Path(matplotlib.get_data_path()) / inside
    return str(path)


@lru_cache(maxsize=256)
def font_for(text: str, size: int) -> Font:
    """DejaVu Sans, or an installed font that has more of the letters in the text; ``size`` in pixels.

    A letter that no font has is drawn as a hollow box.
    """
    best = bundled("DejaVuSans")
    missing = _missing(best, text)
    if missing:
        best = min([best, *_others()], key=lambda path: len(_missing(path, text)))
    return ImageFont.truetype(best, size)


def fitted(text: str, font: Font, width: float) -> str:
    """The text, or its beginning and "…", so that it is at most ``width`` pixels wide."""
    if font.getlength(text) <= width:
        return text
    kept = 0
    while kept < len(text) and font.getlength(text[: kept + 1] + "…") <= width:
        kept += 1
    return text[:kept].rstrip() + "…"


def wrapped(text: str, font: Font, width: float, most: int) -> list[str]:
    """At most ``most`` lines of at most ``width`` pixels; line breaks in the text are kept, words too long
    for a line are cut.
    """
    lines: list[str] = []
    for paragraph in text.splitlines() or [""]:
        lines += _paragraph(clean(paragraph), font, width)
        if len(lines) > most:
            rest = f"{lines[most - 1]} {lines[most]}"
            return [*lines[: most - 1], _whole_words(fitted(rest, font, width - font.getlength("…")))]
    return lines


def _paragraph(text: str, font: Font, width: float) -> list[str]:
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if font.getlength(longer) <= width:
            lines[-1] = longer
            continue
        pieces = _cut(word, font, width)
        # Chinese and Japanese have no blanks: such a "word" goes on in the line that is there.
        lines += pieces if lines[-1] else []
        lines = lines if lines[-1] != "" else pieces
    return lines


def _whole_words(cut: str) -> str:
    """A text that may end in the middle of a word and "…", ended after the last whole word instead."""
    words = cut.rstrip("…").rstrip()
    return f"{words.rpartition(' ')[0] or words}…"


def _cut(word: str, font: Font, width: float) -> list[str]:
    """Pieces of a word that is too long for a line, after a mark such as _ where there is one."""
    pieces = [""]
    for character in word:
        if pieces[-1] and font.getlength(pieces[-1] + character) > width:
            mark = max(pieces[-1].rfind(mark) for mark in "_-/") + 1
            pieces[-1], rest = (pieces[-1][:mark], pieces[-1][mark:]) if mark else (pieces[-1], "")
            pieces.append(rest)
        pieces[-1] += character
    return pieces


@lru_cache(maxsize=1)
def _others() -> tuple[str, ...]:
    """Installed fonts that Pillow can use, those with many scripts first. Fonts within matplotlib are for
    formulas: left out.
    """
    from matplotlib import font_manager, get_data_path

    paths = {
        font.fname: font.name
        for font in font_manager.fontManager.ttflist
        if not font.fname.startswith(get_data_path())
    }
    hints = ("CJK", "Noto Sans", "Unicode", "Unifont", "Gothic", "Hei", "Song")
    usable = [
        path
        for path, name in paths.items()
        if "Emoji" not in name and "LastResort" not in name.replace(" ", "")
    ]
    return tuple(sorted(usable, key=lambda path: (not any(hint in paths[path] for hint in hints), path)))


def _missing(path: str, text: str) -> set[str]:
    letters = _letters(path)
    return {c for c in text if ord(c) not in letters and not c.isspace()}


@lru_cache(maxsize=512)
def _letters(path: str) -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    try:
        ImageFont.truetype(path, 12)
        return frozenset(FT2Font(path).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()
