"""The token explorer: a thin view over `florence_nb.widgets.explorer_model`."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import traitlets
from PIL import Image

from ..answers import Answer
from ..errors import InputError
from . import explorer_model
from .explorer_model import BeamNode, Token
from .panel import Panel, img, page

WIDTH = 350
_BESIDE = ipywidgets.Layout(flex="1 1 230px", min_width="220px", max_width="420px")


class Chips(anywidget.AnyWidget):
    """The tokens in a row; ``selected`` is the index of the one that was chosen."""

    _esm = Path(__file__).with_name("chips.js")
    _css = Path(__file__).with_name("chips.css")
    chips: traitlets.List = traitlets.List().tag(sync=True)
    selected = traitlets.Int(0).tag(sync=True)


class Explorer(Panel):
    """See `explore`. ``tokens`` is the table, ``tree`` the beams, ``chips.selected`` the token that is
    shown.
    """

    def __init__(self, answer: Answer, beams: int = 4) -> None:
        self.answer = answer
        self.tokens = explorer_model.token_table(answer)
        self.tree = explorer_model.beam_tree(answer, beams) if beams else ()
        self.chips = Chips(chips=[_chip(token) for token in self.tokens], selected=_first(self.tokens))
        layers = len(self.tokens[0].average)
        choices = [("all layers", 0), *((f"layer {n}", n) for n in range(1, layers + 1))]
        self.layer = ipywidgets.Dropdown(
            options=choices,
            value=0,
            description="look of",
            style={"description_width": "50px"},
            layout={"width": "190px"},
        )
        self.picture, self.details = (
            ipywidgets.HTML(layout={"flex": f"0 1 {WIDTH + 8}px"}),
            ipywidgets.HTML(layout=_BESIDE),
        )
        self.chips.observe(self._update, "selected")
        self.layer.observe(self._update, "value")
        beside = ipywidgets.HBox(
            [self.picture, self.details], layout={"flex_flow": "row wrap", "grid_gap": "0 20px"}
        )
        beams_shown = ipywidgets.HTML(page(_tree_words(self.tree, self.answer)) if beams else "")
        super().__init__(
            [
                ipywidgets.HTML(page(_heading(answer, self.tokens))),
                self.chips,
                beside,
                self.layer,
                beams_shown,
            ]
        )
        self._update()

    def _update(self, _change: Any = None) -> None:
        index, layer = self.chips.selected, self.layer.value or None
        token = self.tokens[index]
        lit = explorer_model.attention_overlay(self.answer, self.tokens, index, layer=layer, width=WIDTH)
        self.picture.value = page(
            img(lit, f"The picture, bright where the decoder looked when it wrote {token.text!r}.")
        )
        self.details.value = page(_details(self.tokens, index, layer))

    def still(self) -> Image.Image:
        return explorer_model.attention_overlay(self.answer, self.tokens, self.chips.selected, width=WIDTH)

    def __repr__(self) -> str:
        written = "".join(token.text for token in self.tokens)
        return f"Token explorer: {len(self.tokens)} tokens of the answer to {self.answer.task}\n  {written!r}"


def explore(answer: Answer, *, beams: int = 4) -> Explorer:
    """The answer as chips, one per token: choose one to see how sure the model was, what else it had in mind,
    and where it looked.

    Location tokens are marked on the picture. Answers of up to 40 tokens are searched for again with
    ``beams`` beams and shown as a tree; 0 leaves it out. The numbers without the panel: `token_table` and
    `beam_tree` of `florence_nb.widgets.explorer_model`.

    Raises:
        InputError: what is given is not an Answer, it does not know its model or picture, or it comes from a
            record.
    """
    if not isinstance(answer, Answer):
        raise InputError(f"explore takes the Answer that run_example returned, not {type(answer).__name__}.")
    return Explorer(answer, beams)


def _first(tokens: Sequence[Token]) -> int:
    """The first word: what stands before it are marks."""
    return next((index for index, token in enumerate(tokens) if not token.special), 0)


def _visible(text: str) -> str:
    return text.replace("\n", "⏎").replace(" ", "␣")


def _chip(token: Token) -> dict[str, Any]:
    kind = "place" if token.place else "special" if token.special else "word"
    label = f"{token.text.strip() or 'blank'}, probability {_percent(token.probability)}"
    return {"text": _visible(token.text), "kind": kind, "label": label, "share": round(token.probability, 4)}


def _percent(share: float) -> str:
    if share < 0.0005:
        return "< 0.1\u00a0%"
    return f"{100 * share:.0f}\u00a0%" if share >= 0.0995 else f"{100 * share:.1f}\u00a0%"


def _heading(answer: Answer, tokens: Sequence[Token]) -> str:
    cut = (
        f" Only the first {explorer_model.MOST_TOKENS} tokens are shown."
        if len(tokens) == explorer_model.MOST_TOKENS
        else ""
    )
    return (
        f"<p>The answer to <code>{escape(answer.task)}</code> has {len(tokens)} tokens. Choose one, or use"
        f" the arrow keys. The bar below each is its probability.{cut}</p>"
    )


def _details(tokens: Sequence[Token], index: int, layer: int | None) -> str:
    token = tokens[index]
    candidates = [(token.text, token.probability, True), *((*other, False) for other in token.runners_up)]
    rows = "".join(_candidate(*row) for row in sorted(candidates, key=lambda row: -row[1]))
    return (
        f"<h4>Token {index + 1} of {len(tokens)}:"
        f" <code>{escape(_visible(token.text))}</code></h4>{_meaning(token)}<table aria-label='This token and"
        f" its runners-up'>{rows}</table>{_looks(token, layer)}"
    )


def _meaning(token: Token) -> str:
    if token.place:
        return f"<p>{'xy'[token.place.axis]} = {token.place.pixel:.1f} px of the picture: the blue line</p>"
    return "<p>a mark, no word</p>" if token.special else ""


def _candidate(text: str, share: float, chosen: bool) -> str:
    name = f"<code>{escape(_visible(text))}</code>"
    shown = f"<b>{name}</b>&nbsp;✓" if chosen else name
    bar = f"<div class='bar{' chosen' if chosen else ''}' style='width:{100 * share:.1f}%'></div>"
    return f"<tr><td>{shown}</td><td class='bars'>{bar}</td><td class='n'>{_percent(share)}</td></tr>"


def _looks(token: Token, layer: int | None) -> str:
    chosen = slice(None) if layer is None else slice(layer - 1, layer)
    shares = (
        token.attention[chosen].sum(axis=(1, 2)).mean(),
        token.average[chosen].mean(),
        token.prompt[chosen].mean(),
    )
    grid = "×".join(map(str, token.attention.shape[1:]))
    words = (
        "To write it, the decoder looked {} at the {} image tokens of the picture, {} at their average and {}"
        " at the prompt."
    )
    return f"<p class='faint'>{words.format(_percent(shares[0]), grid, *map(_percent, shares[1:]))}</p>"


def _tree_words(tree: Sequence[BeamNode], answer: Answer) -> str:
    if not tree:
        return (
            f"<p class='faint'>Beams are drawn for answers of up to {explorer_model.MOST_IN_TREE} tokens;"
            " this one is longer.</p>"
        )
    return (
        f"{_TREE_STYLE}<h4>Beams: the drafts that came through</h4><ul"
        f" class='tree'>{''.join(map(_node, tree))}</ul>"
    )


_TREE_STYLE = """<style>
.fnb ul.tree, .fnb ul.tree ul { list-style: none; margin: 0; padding: 0 0 0 18px }
.fnb ul.tree { padding-left: 0 }
.fnb ul.tree ul li { position: relative; padding-left: 4px }
.fnb ul.tree ul li::before { content: ""; position: absolute; left: -12px; top: 0; height: 100%;
  border-left: 1px solid #8889 }
.fnb ul.tree ul li:last-child::before { height: .75em }
.fnb ul.tree ul li::after { content: ""; position: absolute; left: -12px; top: .75em; width: 12px;
  border-top: 1px solid #8889 }
</style>"""


def _node(node: BeamNode) -> str:
    rank = "the best" if node.rank == 1 else f"number {node.rank}"
    end = (
        ""
        if node.rank is None
        else f" ← {'<b>' if node.rank == 1 else ''}{rank}{'</b>' if node.rank == 1 else ''}"
    )
    below = f"<ul>{''.join(map(_node, node.next))}</ul>" if node.next else ""
    text = escape(node.text.replace("\n", "⏎"))
    return f"<li><code>{text}</code> <span class='faint'>{_percent(node.probability)}{end}</span>{below}</li>"
