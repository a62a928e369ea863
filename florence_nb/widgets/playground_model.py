"""What the playground does, without its controls: what to ask, asking it in the background, keeping its
answers, comparing.

`florence_nb.widgets.playground` is the view on it; notebooks/10_playground.ipynb uses both.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

from PIL import Image

from ..answers import Answer
from ..engine.feature_cache import picture_key
from ..engine.model_state import state_key
from ..engine.requests import MAX_NEW_TOKENS
from ..errors import InputError
from ..florence import Florence
from ..images import open_image, samples
from ..recording import RecordedFlorence
from ..tasks import TASKS, build_prompt, get_task
from .panel import sentence
from .region import snapped

GROUPS = {
    "caption": "describe",
    "detection": "detect",
    "grounding": "find words",
    "segmentation": "outline",
    "ocr": "read",
    "region": "ask about a region",
}
MOST_BYTES = 20 * 2**20
_USUAL = {
    "num_beams": 3,
    "max_new_tokens": MAX_NEW_TOKENS,
    "length_penalty": 1.0,
    "no_repeat_ngram_size": 0,
    "do_sample": False,
    "temperature": 1.0,
    "top_p": 1.0,
    "seed": 0,
}
_SAMPLING = ("temperature", "top_p", "seed")


@dataclass(frozen=True)
class Picture:
    """A picture and how Python would name it: ``written`` is the expression, ``comment`` what one must know
    to use it, ``name`` is for people."""

    image: Image.Image
    name: str
    written: str
    comment: str = ""

    @classmethod
    def of(cls, source: Any) -> Picture:
        """From a sample's name, a path, a URL or whatever else `open_image` takes.

        Raises:
            InputError: it cannot be opened as an image.
        """
        image = open_image(source)
        if isinstance(source, str):
            return cls(image, source.strip(), repr(source.strip()))
        return cls(image, "your picture", "image", "image is the picture that you gave")

    @classmethod
    def uploaded(cls, name: str, content: bytes) -> Picture:
        """From the bytes of a file that was chosen in the browser.

        Raises:
            InputError: over 20 MB, or no picture.
        """
        if len(content) > MOST_BYTES:
            raise InputError(too_large(name, len(content)))
        try:
            return cls(open_image(bytes(content)), name, repr(name), f"with {name} beside the notebook")
        except InputError as error:
            raise InputError(str(error).replace("these bytes", name)) from None


@dataclass(frozen=True)
class Call:
    """One call of `run_example`; ``settings`` holds only what is not as usual."""

    task: str
    picture: Picture
    text_input: Any = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def call(self) -> str:
        """The Python that gives the same answer; its width suits a narrow column."""
        arguments = [repr(self.task), self.picture.written]
        arguments += [] if self.text_input is None else [repr(self.text_input)]
        arguments += [f"{name}={value!r}" for name, value in self.settings.items()]
        inside = ", ".join(arguments)
        if len(inside) > 50:
            inside = "\n    " + ",\n    ".join(arguments) + ",\n"
        comment = f"# {self.picture.comment}\n" if self.picture.comment else ""
        return f"{comment}answer = florence.run_example({inside})\nfnb.show(answer)"

    def words(self) -> str:
        """The request in a line for people."""
        asked = (
            f" “{self.text_input}”"
            if isinstance(self.text_input, str)
            else f" {self.text_input}"
            if self.text_input
            else ""
        )
        chosen = ", ".join(f"{name} {value}" for name, value in self.settings.items() if name != "do_sample")
        return f"{self.task}{asked} · {self.picture.name}" + (f" · {chosen}" if chosen else "")

    def problem(self) -> str:
        """Why this cannot be asked, in a sentence; "" if it can."""
        try:
            build_prompt(self.task, self.text_input, self.picture.image.size)
        except InputError as error:
            return _in_panel_words(get_task(self.task).takes, self.text_input) or str(error)
        return ""


def _in_panel_words(takes: str, text_input: Any) -> str:
    """The commonest trouble, said as one sees it in the panel and not as one writes it in Python."""
    if (
        isinstance(text_input, str)
        and text_input.strip()
        or text_input is not None
        and not isinstance(text_input, str)
    ):
        return ""
    return {"phrase": "Type what to look for first.", "region": "Draw a box on the picture first."}.get(
        takes, ""
    )


def tasks_of(group: str) -> list[tuple[str, str]]:
    """The tasks of a group for a menu: (title, prompt)."""
    return [(task.title, task.prompt) for task in TASKS.values() if task.group == group]


def text_input_of(task: str, phrase: str, box: Any) -> Any:
    """Of what stands in the controls, what the task takes."""
    return {"nothing": None, "phrase": phrase.strip(), "region": box}[get_task(task).takes]


def first_region(image_size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The middle of a picture: a region to begin with, in pixels."""
    width, height = image_size
    return snapped((width / 4, height / 4, width * 3 / 4, height * 3 / 4), image_size)


def usual_settings(florence: Florence) -> dict[str, Any]:
    """The value of each setting where a call says nothing. A checkpoint may bring its own in its
    generation_config.json.
    """
    usual = dict(_USUAL)
    if isinstance(florence, RecordedFlorence):
        return usual
    own = florence.model.generation_config
    for name in ("length_penalty", "no_repeat_ngram_size", "temperature", "top_p"):
        value = getattr(own, name, None)
        usual[name] = _USUAL[name] if value is None else value
    usual["max_new_tokens"] = min(MAX_NEW_TOKENS, florence.model.config.text_config.max_position_embeddings)
    return usual


def settings_of(chosen: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    """What to pass to `run_example` for the values of all controls.

    Left out is what is as it would be anyway, what has no effect without sampling (temperature, top_p, seed),
    and the length penalty with one beam. With sampling the seed stays in, so that the call gives the same
    answer again.
    """
    passed = {name: value for name, value in chosen.items() if value != usual[name]}
    if not chosen.get("do_sample"):
        passed = {name: value for name, value in passed.items() if name not in _SAMPLING}
    elif "seed" in chosen:
        passed["seed"] = chosen["seed"]
    if chosen.get("num_beams") == 1:
        passed.pop("length_penalty", None)
    return passed


def too_large(name: str, size: int) -> str:
    """Why a file of ``size`` bytes is refused."""
    return (
        f"{name} has {size / 2**20:.1f} MB, and at most {MOST_BYTES // 2**20} MB are accepted: make it"
        " smaller first."
    )


def picture_names(florence: Florence) -> list[tuple[str, str]]:
    """The pictures for a menu, (name with its description, name): the samples, or what a record knows."""
    if isinstance(florence, RecordedFlorence):
        rows = florence.pictures.rows.values()
        return [(f"{row.name}: {row.title}" if row.title else row.name, row.name) for row in rows]
    return [(f"{name}: {line}", name) for name, line in samples().items()]


def picture_of(florence: Florence, source: Any) -> Picture:
    """From a name of the menu, or whatever else `open_image` takes.

    Raises:
        InputError: it cannot be opened as an image.
    """
    if isinstance(florence, RecordedFlorence) and isinstance(source, str) and source in florence.pictures:
        return Picture(florence.pictures[source], source, repr(source))
    return Picture.of(source)


def first_picture(florence: Florence) -> str:
    """The one to begin with."""
    names = [name for _, name in picture_names(florence)]
    return "coffee" if "coffee" in names else names[0]


def first_task(florence: Florence, picture: Picture) -> str:
    """The one to begin with: ``<OD>``, or, if a record has no answer to it, the first one that it has."""
    recorded = [task for task, _ in recorded_questions(florence, picture)]
    return recorded[0] if recorded and "<OD>" not in recorded else "<OD>"


def recorded_questions(florence: Florence, picture: Picture) -> list[tuple[str, Any]]:
    """What a record can answer about a picture, as (task, text_input); nothing for a model, which answers
    anything.
    """
    name = florence.pictures.name_of(picture.image) if isinstance(florence, RecordedFlorence) else None
    return [] if name is None else florence.questions(name)  # type: ignore[attr-defined]


def recorded_inputs(florence: Florence, picture: Picture, task: str) -> list[tuple[str, Any]]:
    """Of these, the phrases or regions of one task for a menu: (words, text_input)."""
    found = [text_input for other, text_input in recorded_questions(florence, picture) if other == task]
    return [
        (
            text_input if isinstance(text_input, str) else "region {}, {}, {}, {}".format(*text_input),
            text_input,
        )
        for text_input in found
        if text_input is not None
    ]


@dataclass(frozen=True)
class HistoryEntry:
    """A request that was answered. ``seconds`` is the time it took; ``stopped``: cut short by the stop
    button.
    """

    number: int
    request: Call
    answer: Answer
    seconds: float
    stopped: bool = False


@dataclass(frozen=True)
class State:
    """What the panel shows: how far a running call is, or what came of the last one.

    Attributes:
        running: a call is in progress. tokens: how many it has generated so far; 0 while the picture is
            encoded.
        turn: the last answer. again: it was asked before. error: why there is none, as a sentence.
    """

    running: bool = False
    tokens: int = 0
    turn: HistoryEntry | None = None
    again: bool = False
    error: str = ""


class AskQueue:
    """Asks in a thread of its own, one request at a time, and keeps every answer.

    A request that comes while another runs stops that one and takes its place. ``tell`` is called with each
    new `State`, mostly from that thread. ``history`` holds all answers, oldest first.
    """

    def __init__(self, florence: Florence, tell: Callable[[State], None] = lambda state: None) -> None:
        self.florence, self.tell = florence, tell
        self.history: list[HistoryEntry] = []
        self._answers: dict[tuple, HistoryEntry] = {}
        self._lock = threading.Lock()
        self._latest: Call | None = None  # what was asked for last: no other answer is shown
        self._waiting: Call | None = None
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def ask(self, request: Call) -> None:
        """Gives the answer at once if it is known, or starts to ask."""
        with self._lock:
            known = self._answers.get(self._key(request))
            self._latest, self._waiting = request, None if known else request
            self._stop.set()
            if known is None and self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()
        if known:
            self.tell(State(turn=known, again=True))

    def stop(self) -> None:
        """Ends the running call after the token it is at; what it has until then is shown, and not
        kept.
        """
        with self._lock:
            self._waiting = None
            self._stop.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Until nothing runs any more; False if that took longer than ``seconds``."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)
        return thread is None or not thread.is_alive()

    def _key(self, request: Call) -> tuple:
        asked = (
            tuple(request.text_input) if isinstance(request.text_input, (list, tuple)) else request.text_input
        )
        settings = tuple(sorted(request.settings.items()))
        return (
            self._state(),
            picture_key(request.picture.image),
            request.task,
            asked,
            settings,
        )

    def _state(self) -> Any:
        """Where the state of the model cannot be told, no answer is known."""
        if isinstance(self.florence, RecordedFlorence):
            return id(self.florence)
        return state_key(self.florence.native_model, self.florence.processor.image_processor) or object()

    def _work(self) -> None:
        while True:
            with self._lock:
                request, self._waiting = self._waiting, None
                if request is None:
                    self._thread = None
                    return
                self._stop.clear()
            self._tell_if_latest(request, State(running=True))
            state = self._answered(request)
            self._tell_if_latest(request, state)

    def _tell_if_latest(self, request: Call, state: State) -> None:
        if request is self._latest:
            self.tell(state)

    def _answered(self, request: Call) -> State:
        began = time.perf_counter()
        try:
            answer = self._run(request)
        except Exception as error:  # whatever it is, the panel says it and goes on
            return State(error=sentence(error))
        stopped = self._stop.is_set() and answer.truncated
        if stopped:
            answer.notes = ("You stopped this answer before its end.",)
        turn = HistoryEntry(len(self.history) + 1, request, answer, time.perf_counter() - began, stopped)
        if not stopped:
            self._answers[self._key(request)] = turn
        if not stopped or request is self._latest:
            self.history.append(turn)
        return State(turn=turn)

    def _run(self, request: Call) -> Answer:
        asked = (request.task, request.picture.image, request.text_input)
        if isinstance(self.florence, RecordedFlorence):
            return self.florence.run_example(*asked, **request.settings)
        from transformers import StoppingCriteriaList

        watch = StoppingCriteriaList(
            [_StopWhenTold(self._stop, lambda n: self._tell_if_latest(request, State(True, n)))]
        )
        answer = self.florence.run_example(*asked, **request.settings, stopping_criteria=watch)
        answer.settings.pop("stopping_criteria")
        return answer


class _StopWhenTold:
    """A stopping criterion that stops when told to, and tells now and then how many tokens there are."""

    def __init__(self, stop: threading.Event, seen: Callable[[int], None]) -> None:
        self.stop, self.seen, self.next = stop, seen, time.perf_counter() + 0.3

    def __call__(self, input_ids: Any, scores: Any, **_more: Any) -> Any:
        if time.perf_counter() > self.next:
            self.next = time.perf_counter() + 0.3
            self.seen(input_ids.shape[1] - 1)
        return input_ids.new_full((input_ids.shape[0],), self.stop.is_set(), dtype=bool)


def differences(
    one: HistoryEntry, other: HistoryEntry, usual: Mapping[str, Any]
) -> list[tuple[str, str, str]]:
    """(what, in the one, in the other) for everything in which two turns differ: what was asked, and how long
    it took.
    """
    rows = [
        ("task", one.request.task, other.request.task),
        ("picture", one.request.picture.name, other.request.picture.name),
    ]
    rows.append(("asked", str(one.request.text_input), str(other.request.text_input)))
    for name, value in usual.items():
        rows.append(
            (name, str(one.request.settings.get(name, value)), str(other.request.settings.get(name, value)))
        )
    rows.append(("tokens", str(len(one.answer.token_ids or ())), str(len(other.answer.token_ids or ()))))
    rows = [row for row in rows if row[1] != row[2]]
    return [*rows, ("seconds", f"{one.seconds:.1f}", f"{other.seconds:.1f}")]


_TOKEN = re.compile(r"<loc_\d+>|</?[a-z_]+>")


def tokens_html(raw: str) -> str:
    """The raw answer, with a frame around each special token."""
    pieces, at = [], 0
    for token in _TOKEN.finditer(raw):
        kind = "place" if token.group().startswith("<loc_") else "mark"
        pieces += [
            escape(raw[at : token.start()]),
            f'<span class="{kind}">{escape(token.group())}</span><wbr>',
        ]
        at = token.end()
    return "".join([*pieces, escape(raw[at:])])
