"""The scene composer: a thin view over `florence_nb.widgets.composer_model`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets
from PIL import Image

from ..drawing import show_all
from ..errors import InputError
from ..recording import needs_model
from ..scenes import HELD_OUT, KINDS, Scene
from ..scenes.backgrounds import BACKGROUNDS
from ..scenes.pen import COLOURS
from ..scenes.signs import SIGN_KINDS
from . import composer_model
from .composer_model import ASKED, Comparison, Match
from .panel import Panel, img, page, trouble
from .region import region_picker

if TYPE_CHECKING:
    from ..florence import Florence

_HELP = (
    "Drag a thing or its corners; or Tab to it: arrows move, Shift+arrows resize, Delete removes."
    " A box drawn beside them puts the new thing there."
)
_WIDE = {"description_width": "80px"}
_FULL = {"width": "270px"}
_NAMES = {"boxes": "boxes", "mask": "mask of the chosen thing", "caption": "caption", "reading": "words read"}


class SceneComposer(Panel):
    """See `scene_composer`. Setting the value of a control from Python does what a hand does.

    Attributes:
        scene: what is drawn now.
        comparisons: what the model said of it beside the truth, one `Comparison` for each thing asked for.
        refused: the last error, or None.
        thing: dropdown, the index of the chosen thing in ``scene.wanted``.
        stage: the picture on which things are dragged, a `RegionPicker` with a box for each.
        across, down, size: sliders in percent of the picture. colour, mirrored, words: of the chosen thing.
        background: dropdown. asked: a checkbox for each of boxes, mask, caption and reading.
    """

    def __init__(self, florence: Florence, scene: Scene, what: Sequence[str]) -> None:
        self.florence, self.scene = florence, scene
        self.comparisons: list[Comparison] = []
        self.refused: Exception | None = None
        self._filling = False
        self._make_controls(what)
        self._make_stage()
        self.status = ipywidgets.HTML()
        self.result = ipywidgets.HTML(layout={"flex": "8 1 440px", "min_width": "0"})
        groups = [self._thing_box(), self._scene_box()]
        row = {"flex_flow": "row wrap", "grid_gap": "0 24px"}
        controls = ipywidgets.HBox([self.stage, *groups], layout={"flex": "1 1 280px", **row})
        layout = {"flex_flow": "row wrap", "grid_gap": "0 20px", "align_items": "flex-start"}
        super().__init__([ipywidgets.HBox([controls, self.result], layout=layout), self.status])
        self._list_things(0)
        self._answer()

    def _make_controls(self, what: Sequence[str]) -> None:
        self.thing = ipywidgets.Dropdown(description="thing", style=_WIDE, layout=_FULL)
        self.across = _slider("across %", 0, 100)
        self.down = _slider("down %", 0, 100)
        self.size = _slider("size %", 8, 90)
        self.colour = ipywidgets.Dropdown(
            options=list(COLOURS), description="colour", style=_WIDE, layout=_FULL
        )
        self.mirrored = ipywidgets.Checkbox(description="mirrored", indent=True, style=_WIDE, layout=_FULL)
        self.words = ipywidgets.Text(description="words", continuous_update=False, style=_WIDE, layout=_FULL)
        self.remove = ipywidgets.Button(
            description="Remove",
            tooltip="Take the chosen thing out of the scene",
            layout={"width": "84px", "margin": "2px 2px 12px 86px"},
        )
        kinds = [(f"{kind} (never seen)" if kind in HELD_OUT else kind, kind) for kind in sorted(KINDS)]
        self.kind = ipywidgets.Dropdown(
            options=kinds, value="house", description="new thing", style=_WIDE, layout={"width": "212px"}
        )
        self.add = ipywidgets.Button(
            description="Add", tooltip="Put a new thing into the scene", layout={"width": "54px"}
        )
        self.background = ipywidgets.Dropdown(
            options=list(BACKGROUNDS),
            value=self.scene.background,
            description="background",
            style=_WIDE,
            layout=_FULL,
        )
        self.asked = {
            key: ipywidgets.Checkbox(description=_NAMES[key], value=key in what, indent=False, layout=_FULL)
            for key in ASKED
        }
        self._observe()

    def _make_stage(self) -> None:
        self.stage = region_picker(self.scene.image, several=True, width=280)
        self.stage.layout = {"width": "280px"}
        self.stage.help = _HELP
        self.stage.observe(self._drag, "boxes")
        self.stage.observe(self._choose_box, "chosen")

    def _observe(self) -> None:
        self.thing.observe(self._choose, "value")
        for control in (self.across, self.down, self.size, self.colour, self.mirrored, self.words):
            control.observe(self._change, "value")
        self.background.observe(self._set_background, "value")
        for box in self.asked.values():
            box.observe(self._answer, "value")
        self.add.on_click(self._add)
        self.remove.on_click(self._remove)

    def _thing_box(self) -> ipywidgets.VBox:
        place = [self.across, self.down, self.size]
        return ipywidgets.VBox(
            [self.thing, *place, self.colour, self.mirrored, self.words, self.remove],
            layout={"width": "280px"},
        )

    def _scene_box(self) -> ipywidgets.VBox:
        new = ipywidgets.HBox([self.kind, self.add])
        ask = ipywidgets.HTML(page("<p class='faint'>ask for</p>"))
        return ipywidgets.VBox([self.background, new, ask, *self.asked.values()], layout={"width": "280px"})

    @property
    def index(self) -> int | None:
        """Which of ``scene.wanted`` is chosen; None in an empty scene."""
        return self.thing.value

    def _drag(self, change: Any) -> None:
        if self._filling:
            return
        boxes, kind = change["new"], self.kind.value
        chosen = min(composer_model.changed_box(self.scene, boxes), len(boxes) - 1)
        if not self._turn_into(lambda: composer_model.dragged(self.scene, boxes, kind), chosen):
            self._list_things(self.index)

    def _choose_box(self, change: Any) -> None:
        if not self._filling and 0 <= change["new"] < len(self.scene.wanted):
            self.thing.value = change["new"]

    def _show_stage(self) -> None:
        with self.stage.hold_sync():  # the page gets one message, and keeps the focus on the box
            self.stage.set_image(self.scene.image, f"The scene: {self._told()}")
            self.stage.names = [composer_model.title_of(thing) for thing in self.scene.wanted]
            self.stage.boxes = composer_model.boxes_of(self.scene)
            self.stage.chosen = -1 if self.index is None else self.index

    def _told(self) -> str:
        return ", ".join(map(composer_model.title_of, self.scene.wanted)) or "nothing"

    def _list_things(self, chosen: int | None) -> None:
        """Names in the list and values in the controls, without an answer for each of them."""
        self._filling = True
        things = self.scene.wanted
        self.thing.options = [(composer_model.title_of(thing), number) for number, thing in enumerate(things)]
        self.thing.value = min(chosen or 0, len(things) - 1) if things else None
        self._fill()
        self._show_stage()
        self._filling = False

    def _fill(self) -> None:
        editors = (
            self.thing,
            self.across,
            self.down,
            self.size,
            self.colour,
            self.mirrored,
            self.words,
            self.remove,
        )
        for control in editors:
            control.disabled = self.index is None
        self.words.layout.display = "none"
        if self.index is None:
            return
        thing = self.scene.wanted[self.index]
        self.across.value, self.down.value = (round(100 * share) for share in thing.at)
        self.size.value, self.colour.value, self.mirrored.value = (
            round(100 * thing.size),
            thing.colour,
            thing.mirrored,
        )
        self.words.value = thing.text.replace("\n", " / ")
        sign = thing.kind in SIGN_KINDS
        self.words.layout.display, self.mirrored.disabled = None if sign else "none", sign

    def _choose(self, _change: Any) -> None:
        if not self._filling:
            self._list_things(self.index)
            self._answer()

    def _change(self, change: Any) -> None:
        if self._filling or self.index is None:
            return
        at = (self.across.value / 100, self.down.value / 100)
        values = {
            self.across: {"at": at},
            self.down: {"at": at},
            self.size: {"size": self.size.value / 100},
            self.colour: {"colour": self.colour.value},
            self.mirrored: {"mirrored": self.mirrored.value},
            self.words: {"text": self.words.value},
        }
        self._turn_into(
            lambda: composer_model.changed(self.scene, self.index, **values[change["owner"]]), self.index
        )

    def _set_background(self, change: Any) -> None:
        self._turn_into(lambda: replace(self.scene, background=change["new"]), self.index)

    def _add(self, _button: Any) -> None:
        self._turn_into(
            lambda: composer_model.with_thing(self.scene, self.kind.value), len(self.scene.wanted)
        )

    def _remove(self, _button: Any) -> None:
        self._turn_into(lambda: composer_model.without(self.scene, self.index), self.index)

    def _turn_into(self, new: Any, chosen: int | None) -> bool:
        try:
            self.scene = new()
        except InputError as error:
            self._refuse(error)
            return False
        self._list_things(chosen)
        self._answer()
        return True

    def _refuse(self, error: Exception) -> None:
        self.refused, self.status.value = error, trouble(error)

    def _answer(self, _change: Any = None) -> None:
        start = time.perf_counter()
        try:
            self.comparisons = composer_model.ask(
                self.florence, self.scene, self.index, [key for key, box in self.asked.items() if box.value]
            )
        except Exception as error:  # whatever goes wrong in a model: the panel says it, and stays
            self._refuse(error)
            return
        seconds = time.perf_counter() - start
        self.refused = None
        self.result.value = page(
            _STYLE,
            _pictures(self.comparisons, self.scene),
            _tables(self.comparisons),
            _captions(self.comparisons),
        )
        count = len(self.comparisons)
        words = f"{count} {'answer' if count == 1 else 'answers'} in {1000 * seconds:.0f} ms"
        self.status.value = page(f"<p class='faint' role='status'>{words}</p>")

    def still(self) -> Image.Image:
        shown = [one.answer for one in self.comparisons if one.what != "caption"]
        return show_all(shown, width=720) if shown else self.scene.image

    def __repr__(self) -> str:
        return f"Scene composer: {self._told()} ({self.scene.background})"


def scene_composer(
    florence: Florence, scene: Scene | None = None, *, ask: Sequence[str] = tuple(ASKED)
) -> SceneComposer:
    """Compose a scene with sliders, and see what the model makes of it, beside the truth and the IoU.

    Args:
        florence: of `florence_nb.load`; ``mini`` knows the drawn world, the large ones were not trained on
            it.
        scene: to begin with; None: a car, a tree and a sign.
        ask: what is asked for at first, of ``"boxes"``, ``"mask"``, ``"caption"``, ``"reading"``.

    Raises:
        InputError: ``ask`` names something else, or ``florence`` is a record, which knows no new picture.
    """
    needs_model(florence, "The scene composer")
    unknown = [name for name in ask if name not in ASKED]
    if unknown:
        raise InputError(f"The composer cannot ask for {unknown[0]!r}: choose from {', '.join(ASKED)}.")
    return SceneComposer(florence, scene or composer_model.first_scene(), ask)


def _slider(name: str, low: int, high: int) -> ipywidgets.IntSlider:
    return ipywidgets.IntSlider(
        min=low, max=high, description=name, continuous_update=False, style=_WIDE, layout=_FULL
    )


_STYLE = """<style>
.fnb .pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(250px, 1fr)); gap: 6px 12px }
.fnb figure { margin: 0 } .fnb figcaption { font-weight: 600; margin-bottom: 2px }
.fnb figure img { width: 100% }
.fnb td.good { color: #1f6b2f } .fnb td.bad { color: #a83f00 }
[data-jp-theme-light=false] .fnb td.good { color: #69db7c }
[data-jp-theme-light=false] .fnb td.bad { color: #ffa94d }
</style>"""


def _pictures(comparisons: Sequence[Comparison], scene: Scene) -> str:
    said, true = (composer_model.drawn(comparisons, scene, truth=truth, width=400) for truth in (False, True))
    return (
        "<div class='pair'><figure><figcaption>The"
        f" model</figcaption>{img(said, _told(comparisons, False))}</figure><figure><figcaption>The"
        f" truth</figcaption>{img(true, _told(comparisons, True))}</figure></div>"
    )


def _told(comparisons: Sequence[Comparison], truth: bool) -> str:
    """What a picture shows, in words."""
    answers = [
        (one.truth if truth else one.answer).labels for one in comparisons if one.what in ("boxes", "reading")
    ]
    names = ", ".join(label for labels in answers for label in labels)
    return f"{'The truth' if truth else 'What the model found'}: {names or 'nothing'}."


def _tables(comparisons: Sequence[Comparison]) -> str:
    rows = [(one, match) for one in comparisons for match in one.matches]
    if not rows:
        return ""
    head = "<tr><th>what</th><th></th><th>verdict</th><th class='n'>IoU</th></tr>"
    return (
        "<table aria-label='The model beside the"
        f" truth'>{head}{''.join(_row(one.what, match) for one, match in rows)}</table>"
    )


_KINDS = {"boxes": "box", "mask": "mask", "reading": "words"}


def _row(what: str, match: Match) -> str:
    iou = "" if match.iou is None else f"{match.iou:.2f}"
    return (
        f"<tr><td>{escape(match.name)}</td><td class='faint'>{_KINDS[what]}</td><td"
        f" class='{'good' if match.verdict == 'found' else 'bad'}'>{match.verdict}</td><td"
        f" class='n'>{iou}</td></tr>"
    )


def _captions(comparisons: Sequence[Comparison]) -> str:
    told = [(escape(one.answer.text), escape(one.truth.text)) for one in comparisons if one.what == "caption"]
    return "".join(
        f"<p><b>Caption:</b> {said}<br><span class='faint'><b>Truth:</b> {true}</span></p>"
        for said, true in told
    )
