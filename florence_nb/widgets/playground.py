"""The playground: every task, every setting, on any picture. A thin view over
`florence_nb.widgets.playground_model`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets
from PIL import Image

from ..drawing import show, show_all
from ..errors import InputError
from ..florence import Florence
from ..recording import RecordedFlorence
from ..tasks import get_task
from . import playground_model
from .panel import Panel, alt_text, img, page
from .playground_model import AskQueue, Call, HistoryEntry, Picture, State
from .region import RegionPicker, region_picker
from .upload import Upload
from .webcam import Webcam

_SMALL = 50e6
_STRIP = 8
_WIDE = {"width": "auto"}  # a dict, as a Layout would be shared, and hide all when it hides one
_LIST = {"style": {"description_width": "60px"}, "layout": _WIDE}
_STYLE = """<style>
.fnb pre { margin: 0 0 8px; padding: 6px 8px; max-height: 190px; overflow: auto; white-space: pre-wrap;
  overflow-wrap: anywhere;
  font: 12px/1.5 var(--jp-code-font-family, monospace); background: #8881; color: inherit;
  border-radius: 4px }
.fnb .call { user-select: all; cursor: copy }
.fnb .place, .fnb .mark { display: inline-block; border-radius: 3px; padding: 0 2px; background: #8883 }
.fnb .place { background: #1c7ed633 }
.fnb .thumb img { height: 84px; width: 118px; object-fit: cover; object-position: top }
.fnb .thumb { font-size: 11px; line-height: 1.3; overflow-wrap: anywhere }
.fnb-playground { container-type: inline-size; width: 100% }
.fnb-playground .fnb-three { display: grid; grid-template: "controls picture" auto "controls answer" 1fr
  / minmax(290px, 340px) minmax(0, 600px); gap: 8px 24px; align-items: start }
.fnb-playground .fnb-three > :nth-child(1) { grid-area: picture }
.fnb-playground .fnb-three > :nth-child(2) { grid-area: controls }
.fnb-playground .fnb-three > :nth-child(3) { grid-area: answer }
.fnb-playground .fnb-picture img { width: auto; max-height: 75vh }
.fnb-playground .widget-readout { min-width: 44px }
@container (max-width: 580px) {
  .fnb-playground .fnb-three { grid-template: "picture" "controls" "answer" / 100% }
  .fnb-playground .fnb-picture img { max-height: 38vh }
}
</style>"""


def playground(
    florence: Florence, image: Any = None, *, task: str | None = None, ask: bool = True
) -> Playground:
    """A panel to try every task and every setting with.

    Args:
        florence: of `florence_nb.load`. A record offers its pictures, phrases and regions, and no settings.
        image: the picture to begin with, anything `open_image` takes; None: "coffee", or the first one of a
            record. In the panel you can choose another.
        task: the task to begin with; None: ``"<OD>"``, or the first one that a record knows.
        ask: ask at once, so that there is something to see, also in a saved notebook. The cell takes as long
            as `run_example`.

    A model of up to 50 million parameters is asked again at every change, when a slider is let go; a larger
    one when you press "Ask". Both can be switched in the panel. ``.answer`` is the answer that is shown,
    ``.history`` are all so far.

    Raises:
        InputError: no such task, or no image.
    """
    first = playground_model.first_picture(florence) if image is None else image
    picture = playground_model.picture_of(florence, first)
    chosen = playground_model.first_task(florence, picture) if task is None else get_task(task).prompt
    return Playground(florence, picture, chosen, ask)


class Playground(Panel):
    """See `playground`. Setting the value of a control from Python does what a hand does; then `wait`.

    Attributes:
        source, group, task: dropdowns and buttons for the picture, the group of tasks and the task prompt.
        phrase: the text field of tasks that take one.
        settings: the control of each setting by its name, such as ``settings["num_beams"]``.
        recorded: with a record, the phrases or regions that it knows for the task; else empty.
        run: the button "Ask"; ``run.click()`` presses it.
    """

    def __init__(self, florence: Florence, picture: Picture, task: str, ask: bool) -> None:
        self.florence, self.is_record = florence, isinstance(florence, RecordedFlorence)
        self.queue = AskQueue(florence, self._tell)
        self.usual = playground_model.usual_settings(florence)
        self.chosen = self.given = picture
        self.shown: HistoryEntry | None = None
        self._quiet = False
        self._one_at_a_time = threading.RLock()  # a hand changes what the asking thread shows
        self._make_source()
        self._make_task(task)
        self._make_settings(florence)
        self._make_answer()
        self._make_history()
        settings = [] if self.is_record else self.settings.values()
        controls = ipywidgets.VBox(
            [
                self.source,
                self.source_more,
                self.group,
                self.task,
                self.recorded,
                self.input,
                *settings,
                self.live,
                self.buttons,
                self.status,
            ]
        )
        # The picture comes first: on a narrow page it stands above the controls that change it.
        three = ipywidgets.Box([self.picture, controls, ipywidgets.VBox([self.result, self.call])])
        three.add_class("fnb-three")
        super().__init__([three, self.strip, self.comparison])
        self.add_class("fnb-playground")
        self._choose_task()
        if ask:
            self._ask()
            self.queue.wait()

    @property
    def answer(self) -> Any:
        return None if self.shown is None else self.shown.answer

    def wait(self, seconds: float | None = None) -> bool:
        """Until nothing runs any more; False if that took longer than ``seconds``."""
        return self.queue.wait(seconds)

    @property
    def history(self) -> tuple[HistoryEntry, ...]:
        """All answers so far, oldest first."""
        return tuple(self.queue.history)

    @property
    def turns(self) -> tuple[HistoryEntry, ...]:
        """The earlier name of ``history``."""
        return self.history

    # the controls

    def _make_source(self) -> None:
        more = [
            ("a file of yours …", "upload"),
            ("an address on the web …", "url"),
            ("the webcam …", "webcam"),
        ]
        names = playground_model.picture_names(self.florence)
        own = [] if self.chosen.name in dict(names).values() else [(self.chosen.name, "given")]
        first = "given" if own else self.chosen.name
        self.source = ipywidgets.Dropdown(
            options=[*own, *names, *more],
            value=first,
            description="picture",
            **_LIST,
        )
        self.upload = Upload(most=playground_model.MOST_BYTES)
        self.url = ipywidgets.Text(
            placeholder="https://…", continuous_update=False, description="address", **_LIST
        )
        self.webcam = Webcam()
        self.source_more = ipywidgets.VBox()
        self.source.observe(self._choose_source, "value")
        self.upload.observe(self._take(lambda: _sent(self.upload)), "file")
        self.webcam.observe(self._take(lambda: _sent(self.webcam)), "file")
        self.upload.observe(
            lambda change: (
                self._say(playground_model.too_large(*change["new"]), True) if change["new"] else None
            ),
            "refused",
        )
        self.url.observe(
            self._take(lambda: Picture.of(self.url.value) if self.url.value.strip() else None), "value"
        )

    def _make_task(self, task: str) -> None:
        group = get_task(task).group
        self.group = ipywidgets.ToggleButtons(
            options=[(name, key) for key, name in playground_model.GROUPS.items()],
            value=group,
            style={"button_width": "auto"},
            tooltips=[f"Tasks to {name}" for name in playground_model.GROUPS.values()],
        )
        self.task = ipywidgets.Dropdown(
            options=playground_model.tasks_of(group), value=task, description="task", **_LIST
        )
        self.phrase = ipywidgets.Text(description="words", **_LIST)
        self.region: RegionPicker = region_picker(self.chosen.image, width=340)
        self.input = ipywidgets.VBox()
        self.recorded = ipywidgets.Dropdown(description="recorded", layout={**_WIDE, "display": "none"})
        self.recorded.observe(self._choose_recorded, "value")
        self.group.observe(self._choose_group, "value")
        self.task.observe(self._choose_task, "value")
        self.phrase.observe(self._prepare, "value")
        self.phrase.on_msg(
            lambda _widget, content, _buffers: self._ask() if content.get("event") == "submit" else None
        )
        self.region.observe(self._changed, "box")
        self.region.on_ask(self._ask)

    def _make_settings(self, florence: Florence) -> None:
        most = self.usual["max_new_tokens"]
        self.settings: dict[str, Any] = {
            "num_beams": _slider(ipywidgets.IntSlider, min=1, max=10),
            "max_new_tokens": _slider(ipywidgets.IntSlider, min=1, max=most),
            "length_penalty": _slider(
                ipywidgets.FloatSlider, min=-2.0, max=4.0, step=0.1, readout_format=".1f"
            ),
            "no_repeat_ngram_size": _slider(ipywidgets.IntSlider, min=0, max=10),
            "do_sample": ipywidgets.Checkbox(indent=False, layout=_WIDE),
            "temperature": _slider(ipywidgets.FloatSlider, min=0.1, max=3.0, step=0.1, readout_format=".1f"),
            "top_p": _slider(ipywidgets.FloatSlider, min=0.05, max=1.0, step=0.05),
            "seed": _slider(ipywidgets.IntSlider, min=0, max=20),
        }
        for name, control in self.settings.items():
            control.value, control.description = self.usual[name], name
            control.observe(self._changed, "value")
        small = self.is_record or _is_small(florence)
        self.live = ipywidgets.Checkbox(
            value=small, description="ask at every change", indent=False, layout=_WIDE
        )
        self.run = ipywidgets.Button(
            description="Ask", button_style="primary", icon="play", tooltip="Ask Florence-2"
        )
        self.halt = ipywidgets.Button(
            description="Stop", icon="stop", disabled=True, tooltip="Stop the running call"
        )
        self.buttons = ipywidgets.HBox([self.run, self.halt])
        self.status = ipywidgets.HTML()
        self.run.on_click(lambda _button: self._ask())
        self.halt.on_click(lambda _button: self.queue.stop())

    def _make_answer(self) -> None:
        self.picture, self.result, self.call = ipywidgets.HTML(), ipywidgets.HTML(), ipywidgets.HTML()
        self.picture.add_class("fnb-picture")
        self._show_unasked()

    def _make_history(self) -> None:
        self.strip = ipywidgets.HBox(layout={"flex_flow": "row wrap", "grid_gap": "4px 8px"})
        self.comparison = ipywidgets.HTML()
        self.thumbs: dict[int, ipywidgets.VBox] = {}
        self.marked: list[int] = []

    # what is chosen

    def request(self) -> Call:
        """What the controls ask for now."""
        text_input = playground_model.text_input_of(self.task.value, self.phrase.value, self.region.box)
        values = {name: control.value for name, control in self.settings.items()}
        return Call(
            self.task.value, self.chosen, text_input, playground_model.settings_of(values, self.usual)
        )

    def _choose_source(self, _change: Any = None) -> None:
        more = {"upload": self.upload, "url": self.url, "webcam": self.webcam}.get(self.source.value)
        self.source_more.children = [more] if more else []
        self._prepare()  # takes the trouble of another source away
        if self.source.value == "given":
            self._use(self.given)
        elif not more:
            self._use(playground_model.picture_of(self.florence, self.source.value))

    def _take(self, opened: Callable[[], Picture | None]) -> Callable[[Any], None]:
        """An observer that opens a picture, and says in the panel why not if it cannot."""

        def observer(_change: Any) -> None:
            try:
                picture = opened()
            except InputError as error:
                self._say(str(error), trouble=True)
                return
            if picture is not None:
                self._use(picture)

        return observer

    def _use(self, picture: Picture) -> None:
        self.chosen = picture
        self._show_unasked()
        self._quiet = True
        self.region.set_image(picture.image, f"The picture {picture.name}")
        self.region.box = playground_model.first_region(picture.image.size)
        self._offer_recorded()
        self._quiet = False
        self._changed()

    def _choose_group(self, _change: Any) -> None:
        with self._one_at_a_time:  # between two lists there is no task
            self.task.options = playground_model.tasks_of(self.group.value)

    def _choose_task(self, _change: Any = None) -> None:
        if self.task.value is None:  # between two lists of options
            return
        task = get_task(self.task.value)
        self.input.children = {"nothing": [], "phrase": [self.phrase], "region": [self.region]}[task.takes]
        self._quiet = True
        self.phrase.placeholder = f"such as: {task.example}" if task.takes == "phrase" else ""
        if self.region.box is None:
            self.region.box = playground_model.first_region(self.chosen.image.size)
        self._offer_recorded()
        self._quiet = False
        self._changed()

    def _offer_recorded(self) -> None:
        """What the record knows for this task and picture; the first of it is put in."""
        inputs = playground_model.recorded_inputs(self.florence, self.chosen, self.task.value)
        self.recorded.options = inputs
        self.recorded.layout.display = None if inputs else "none"
        if inputs:
            self._put_in(inputs[0][1])

    def _choose_recorded(self, change: Any) -> None:
        if self._quiet or change["new"] is None:
            return
        self._quiet = True
        self._put_in(change["new"])
        self._quiet = False
        self._changed()

    def _put_in(self, text_input: Any) -> None:
        if isinstance(text_input, str):
            self.phrase.value = text_input
        else:
            self.region.box = text_input

    def _changed(self, _change: Any = None) -> None:
        if self._quiet:
            return
        self._prepare()
        if self.live.value and not self.run.disabled and self.shown is not None:
            self._ask()

    def _prepare(self, _change: Any = None) -> None:
        with self._one_at_a_time:
            self._show_call()

    def _show_call(self) -> None:
        """The call for what is chosen now, and whether it can be made."""
        sampling = self.settings["do_sample"].value
        for name in ("temperature", "top_p", "seed"):
            self.settings[name].layout.display = None if sampling else "none"
        self.settings["length_penalty"].disabled = self.settings["num_beams"].value == 1
        request = self.request()
        problem = request.problem()
        self.run.disabled = bool(problem)
        self._say(problem)
        if problem:  # the old answer belongs to another question
            self._show_unasked()
        code = f'<h4>The same in Python</h4><pre class="call" tabindex="0">{escape(request.call())}</pre>'
        self.call.value = "" if problem else page(code)

    # asking

    def _ask(self) -> None:
        request = self.request()
        if not request.problem():
            self.queue.ask(request)

    def _tell(self, state: State) -> None:
        with self._one_at_a_time:
            self._show_state(state)

    def _show_state(self, state: State) -> None:
        self.halt.disabled = not state.running
        if self.request().problem():  # by now the panel asks something else, for which words are missing
            self._show_history()
        elif state.running:
            self._say(
                f"Writing: {state.tokens} tokens so far …" if state.tokens else "Looking at the picture …"
            )
        elif state.error:
            self._say(state.error, trouble=True)
        elif state.turn:
            self._show(state.turn, state.again)

    def _say(self, words: str, trouble: bool = False) -> None:
        kind = 'class="trouble" role="alert"' if trouble else 'class="faint" role="status"'
        self.status.value = page(f"<p {kind}>{escape(words)}</p>") if words else ""

    def _show_unasked(self) -> None:
        self._show_picture(self.chosen.image, f"The picture {self.chosen.name}, not asked about yet")
        self.result.value = ""

    def _show_picture(self, picture: Image.Image, alt: str) -> None:
        picture = picture.copy()
        picture.thumbnail((600, 900))
        self.picture.value = _STYLE + page(img(picture, alt))

    def _show(self, turn: HistoryEntry, again: bool) -> None:
        answer = turn.answer
        self.shown = turn
        self._show_picture(show(answer, width=600), alt_text(answer))
        self.result.value = page(
            f"<h4>The answer</h4><pre tabindex='0'>{escape(repr(answer))}</pre>"
            f"<h4>What the model wrote</h4><pre tabindex='0'>{playground_model.tokens_html(answer.raw)}</pre>"
        )
        self.region.show_answer(
            answer if answer.text_input is not None and get_task(answer.task).takes == "region" else None
        )
        tokens = len(answer.token_ids or ())
        where = "Cached answer" if again else "Stopped" if turn.stopped else "Done"
        self._say(f"{where}: {tokens} tokens" + ("." if again else f" in {turn.seconds:.1f} s."))
        self._show_history()

    # history

    def _show_history(self) -> None:
        recent = self.queue.history[-_STRIP:]
        self.strip.children = [self._thumb(turn) for turn in recent] if len(self.queue.history) > 1 else []

    def _thumb(self, turn: HistoryEntry) -> ipywidgets.Widget:
        if turn.number not in self.thumbs:
            small, words = show(turn.answer, width=236), f"{turn.number}. {turn.request.words()}"
            look = ipywidgets.HTML(page(f'<div class="thumb">{img(small, words)}{escape(words)}</div>'))
            tip = f"Compare answer {turn.number}"
            mark = ipywidgets.ToggleButton(description="compare", layout={"width": "118px"}, tooltip=tip)
            mark.observe(lambda change: self._mark(turn.number, change["new"]), "value")
            self.thumbs[turn.number] = ipywidgets.VBox(
                [look, mark], layout={"width": "122px", "justify_content": "space-between"}
            )
        return self.thumbs[turn.number]

    def _mark(self, number: int, on: bool) -> None:
        self.marked = [other for other in self.marked if other != number] + ([number] if on else [])
        if len(self.marked) > 2:
            self.thumbs[self.marked[0]].children[1].value = False  # comes back here
            return
        self._compare()

    def _compare(self) -> None:
        turns = [self.queue.history[number - 1] for number in self.marked]
        if len(turns) < 2:
            self.comparison.value = (
                page('<p class="faint">Mark another one to compare the two.</p>') if turns else ""
            )
            return
        self.comparison.value = page(_side_by_side(turns[0], turns[1], self.usual))

    # without a kernel

    def still(self) -> Image.Image:
        return self.chosen.image if self.shown is None else show(self.shown.answer)

    def __repr__(self) -> str:
        return f"Playground of {self.queue.florence.name!r} on {self.chosen.name}" + (
            f"\n{self.answer!r}" if self.shown else ""
        )


def _sent(sender: Upload) -> Picture | None:
    return Picture.uploaded(*sender.file) if sender.file else None


def _is_small(florence: Florence) -> bool:
    return sum(weight.numel() for weight in florence.model.parameters()) <= _SMALL


def _slider(kind: type, **options: Any) -> ipywidgets.Widget:
    """A slider that speaks when it is let go."""
    return kind(continuous_update=False, style={"description_width": "152px"}, layout=_WIDE, **options)


def _side_by_side(one: HistoryEntry, other: HistoryEntry, usual: dict[str, Any]) -> str:
    both = show_all([one.answer, other.answer], columns=2, width=960)
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(left)}</td><td>{escape(right)}</td></tr>"
        for name, left, right in playground_model.differences(one, other, usual)
    )
    alt = f"Side by side. Left: {alt_text(one.answer)} Right: {alt_text(other.answer)}"
    head = f"<tr><th></th><th>answer {one.number}</th><th>answer {other.number}</th></tr>"
    texts = "<th>answer</th>" + "".join(
        f"<td><pre>{escape(repr(turn.answer))}</pre></td>" for turn in (one, other)
    )
    return (
        f"<h4>Answer {one.number} and answer"
        f" {other.number}</h4>{img(both, alt)}<table>{head}{rows}<tr>{texts}</tr></table>"
    )
