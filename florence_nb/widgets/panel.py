"""What the panels share: a box of controls that also shows something where no kernel runs, and pieces of
HTML.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
from IPython.display import display
from PIL import Image

from ..drawing import alt_text, img, jpeg
from ..errors import CheckpointError, InputError, first_line

__all__ = ["Panel", "alt_text", "img", "jpeg", "page", "sentence", "trouble"]

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
.fnb-panel .widget-box, .fnb-panel.widget-box { overflow: visible }
.fnb-panel .widget-dropdown > select { text-overflow: ellipsis }
.fnb-panel :is(button, select, input, [tabindex], [contenteditable]):focus-visible {
  outline: 2px solid var(--jp-brand-color1, #1976d2) !important; outline-offset: 2px }
[data-jp-theme-light=false] .fnb img { filter: brightness(.85) }
[data-jp-theme-light=false] .fnb-panel .widget-dropdown > select { color-scheme: dark;
  background-image: url("data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 18 18'%3E\
%3Cpath d='M5 7l4 4 4-4' fill='none' stroke='%23eee' stroke-width='2'/%3E%3C/svg%3E") }
</style>"""


class Names(anywidget.AnyWidget):
    """Nothing to see: it gives the controls of a panel the names that screen readers read."""

    _esm = Path(__file__).with_name("names.js")


class Panel(ipywidgets.VBox):
    """A column of widgets. In a static notebook its picture and its text stand in its place.

    A panel sets `still()`, the picture, and `__repr__`, the text: both must be the same on every run.
    """

    def __init__(self, children: Sequence[ipywidgets.Widget]) -> None:
        super().__init__([*children, Names()])
        self.add_class("fnb-panel")

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
