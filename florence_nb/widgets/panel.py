"""What the panels share: a box of controls that also shows something where no kernel runs, and pieces of
HTML.
"""

from __future__ import annotations

import base64
import io
from html import escape
from typing import Any

import ipywidgets
from IPython.display import display
from PIL import Image

from ..answers import Answer
from ..errors import CheckpointError, InputError, first_line

VIEW = "application/vnd.jupyter.widget-view+json"
STYLE = """<style>
.fnb { font: 13px/1.45 var(--jp-ui-font-family, sans-serif); color: var(--jp-ui-font-color1, inherit) }
.fnb h4 { margin: 0 0 4px; font-size: 14px; font-weight: 600 }
.fnb p { margin: 4px 0 }
.fnb .faint { opacity: .7 }
.fnb .trouble { border-left: 3px solid #c25100; padding: 2px 10px }
.fnb code { font-size: 12px; background: none; color: inherit; white-space: pre-wrap }
.fnb img { max-width: 100%; height: auto; display: block; border-radius: 4px; margin: 0 }
.fnb table { border-collapse: collapse; margin: 6px 0; width: 100%; font-size: 13px }
.fnb th, .fnb td { text-align: left; padding: 2px 8px 2px 0; background: none; color: inherit;
  vertical-align: top }
.fnb th { font-weight: 600; opacity: .7 }
.fnb td.n, .fnb th.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
.fnb td:has(+ .bars) { white-space: nowrap }
.fnb td.bars { width: 42%; vertical-align: middle }
.fnb .bar { height: 9px; min-width: 1px; border-radius: 2px; background: #868e96 }
.fnb .bar.chosen { background: #2b8a3e }
.fnb tr { background: none !important }
</style>"""


class Panel(ipywidgets.VBox):
    """A column of widgets. In a static notebook its picture and its text stand in its place.

    A panel sets `still()`, the picture, and `__repr__`, the text: both must be the same on every run.
    """

    def still(self) -> Image.Image | None:
        return None

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        shown = {
            "text/plain": repr(self),
            VIEW: {"version_major": 2, "version_minor": 0, "model_id": self.model_id},
        }
        picture = self.still()
        return shown if picture is None else shown | {"image/jpeg": jpeg(picture)}

    def _ipython_display_(self) -> None:
        # As display_data and not as the cell's result: only there does Colab add what a custom widget needs.
        display(self._repr_mimebundle_(), raw=True)


def jpeg(picture: Image.Image, quality: int = 88) -> str:
    """An RGB picture as JPEG in base64."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return base64.b64encode(file.getvalue()).decode()


def img(picture: Image.Image, alt: str) -> str:
    """The picture as an ``<img>`` of its own size that shrinks with the page; ``alt`` tells it to who cannot
    see it.
    """
    return (
        f'<img src="data:image/jpeg;base64,{jpeg(picture)}" width="{picture.width}"'
        f' alt="{escape(alt, quote=True)}">'
    )


def page(*pieces: str) -> str:
    """Pieces of HTML in the panel's look."""
    return f'{STYLE}<div class="fnb">{"".join(pieces)}</div>'


def trouble(error: Exception) -> str:
    """An error as a sentence in the panel."""
    return page(f'<p class="trouble" role="alert">{escape(str(error) or type(error).__name__)}</p>')


def sentence(error: BaseException) -> str:
    """An error as a sentence for the panel; ours are sentences already."""
    if isinstance(error, (InputError, CheckpointError, MemoryError)) and str(error):
        return str(error)
    first = first_line(error, "no further words")
    return f"The call failed with {type(error).__name__}: {first}"


def alt_text(answer: Answer) -> str:
    """An answer in a sentence, for who cannot see the picture."""
    if answer.labels:
        names = ", ".join(label or "a region without a name" for label in answer.labels[:12])
        return f"Answer to {answer.task} drawn on the picture: {names}" + (
            " and more." if len(answer.labels) > 12 else "."
        )
    return f"Answer to {answer.task}: {answer.text or 'nothing found'}"
