"""The playground without a browser: its logic, and the panel driven as the browser would drive it."""

from __future__ import annotations

import io
import threading

import pytest
import torch
from PIL import Image

import florence_nb as fnb
from florence_nb import TASKS, Florence, InputError, parse
from florence_nb.widgets import playground_model
from florence_nb.widgets.panel import alt_text
from florence_nb.widgets.playground import playground
from florence_nb.widgets.playground_model import AskQueue, Call, Picture, State
from florence_nb.widgets.upload import Upload
from tests import tiny

USUAL = {**playground_model._USUAL, "max_new_tokens": 160}
SHORT = {"max_new_tokens": 6, "num_beams": 1}
CAR = "car<loc_100><loc_100><loc_500><loc_500></s>"


class Scripted(Florence):
    """Says ``raw``, counts its calls, and waits before each one for ``gate``."""

    def __init__(self, raw: str = CAR) -> None:
        processor = tiny.processor()
        super().__init__(tiny.model(processor.tokenizer), processor, "tiny")
        self.raw, self.calls, self.gate, self.fail = raw, 0, threading.Event(), None
        self.gate.set()

    def run_example(self, *asked, **settings):
        self.calls += 1
        assert self.gate.wait(20)
        if self.fail:
            raise self.fail
        script = tiny.Script(self.processor.tokenizer, self.raw)
        answer = super().run_example(*asked, **settings, logits_processor=[script])
        answer.settings.pop("logits_processor")
        return answer


def picture(colour: str = "red", size=(80, 60)) -> Picture:
    return Picture.of(Image.new("RGB", size, colour))


@pytest.fixture(scope="module")
def random_florence():
    processor = tiny.processor()
    return Florence(tiny.model(processor.tokenizer), processor, "tiny")


# what is asked


def test_every_task_is_in_one_group():
    assert sorted(
        prompt for group in playground_model.GROUPS for _, prompt in playground_model.tasks_of(group)
    ) == sorted(TASKS)


def test_only_settings_that_matter_are_passed():
    assert playground_model.settings_of(USUAL, USUAL) == {}
    assert playground_model.settings_of(USUAL | {"temperature": 0.5, "top_p": 0.5, "seed": 3}, USUAL) == {}
    sampled = playground_model.settings_of(USUAL | {"do_sample": True, "temperature": 0.5}, USUAL)
    assert sampled == {"do_sample": True, "temperature": 0.5, "seed": 0}
    assert playground_model.settings_of(USUAL | {"num_beams": 1, "length_penalty": 2.0}, USUAL) == {
        "num_beams": 1
    }
    assert playground_model.settings_of(USUAL | {"num_beams": 4, "length_penalty": 2.0}, USUAL) == {
        "num_beams": 4,
        "length_penalty": 2.0,
    }


def test_what_is_usual_comes_from_the_checkpoint(random_florence, monkeypatch):
    assert playground_model.usual_settings(random_florence) == USUAL
    monkeypatch.setattr(random_florence.model.generation_config, "no_repeat_ngram_size", 3)
    assert playground_model.usual_settings(random_florence)["no_repeat_ngram_size"] == 3


REQUESTS = [
    ("<OD>", None, {}),
    ("<CAPTION>", None, {"num_beams": 5, "length_penalty": 2.0, "max_new_tokens": 9}),
    (
        "<OPEN_VOCABULARY_DETECTION>",
        'it\'s a "red" car\\n',
        {"do_sample": True, "seed": 3, "temperature": 0.7, "num_beams": 1},
    ),
    ("<REGION_TO_CATEGORY>", (10, 10, 40, 40), {"no_repeat_ngram_size": 2, "max_new_tokens": 5}),
]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda row: row[0])
def test_the_python_that_is_shown_gives_the_same_answer(random_florence, request_):
    task, text_input, settings = request_
    request = Call(task, Picture.of("coffee"), text_input, settings)
    queue = AskQueue(random_florence)
    queue.ask(request)
    assert queue.wait(60)
    names = {"florence": random_florence, "fnb": fnb}
    exec(request.call(), names)
    assert names["answer"] == queue.history[0].answer


def test_each_trouble_is_named_before_asking():
    red = picture()
    assert Call("<OPEN_VOCABULARY_DETECTION>", red, "").problem() == "Type what to look for first."
    assert Call("<OPEN_VOCABULARY_DETECTION>", red, "  ").problem() == "Type what to look for first."
    assert Call("<REGION_TO_OCR>", red, None).problem() == "Draw a box on the picture first."
    assert "special token <image>" in Call("<OPEN_VOCABULARY_DETECTION>", red, "a <image>").problem()
    assert "leaves the picture" in Call("<REGION_TO_OCR>", red, (0, 0, 500, 20)).problem()
    assert Call("<OD>", red).problem() == ""


def test_the_first_region_can_be_asked_about_however_small_the_picture():
    for size in [(1, 1), (2, 1), (3, 900), (640, 427)]:
        assert (
            Call("<REGION_TO_OCR>", picture(size=size), playground_model.first_region(size)).problem() == ""
        )


def test_a_file_comes_in_pieces():
    upload, seen = Upload(), []
    upload.observe(lambda change: seen.append(change["new"]), ["file", "refused"])
    for start, piece in [(0, b"abc"), (3, b"de")]:
        upload._handle_custom_msg({"name": "a.png", "size": 5, "at": start}, [memoryview(piece)])
    upload._handle_custom_msg({"name": "a.png", "size": 99, "at": 0}, [b"broken off"])
    upload._handle_custom_msg({"name": "big.png", "size": 10**9, "refused": True}, [])
    upload._handle_custom_msg({"name": "b.png", "size": 0, "at": 0}, [b""])
    assert seen == [("a.png", b"abcde"), None, ("big.png", 10**9), None, ("b.png", b"")]


def test_an_upload_that_cannot_be_used_is_refused_with_the_reason():
    with pytest.raises(InputError, match="big.png has 21.0 MB, and at most 20 MB"):
        Picture.uploaded("big.png", bytes(21 * 2**20))
    with pytest.raises(InputError, match="notes.txt is not an image"):
        Picture.uploaded("notes.txt", b"hello")


# asking in the background


def test_a_repeated_setting_comes_from_memory():
    florence, states = Scripted(), []
    queue = AskQueue(florence, states.append)
    for _ in range(2):
        queue.ask(Call("<OD>", picture(), None, SHORT))
        assert queue.wait(60)
    assert florence.calls == 1 and len(queue.history) == 1 and states[-1].again
    queue.ask(Call("<OD>", picture("blue"), None, SHORT))
    assert queue.wait(60) and florence.calls == 2
    with torch.no_grad():
        florence.model.get_input_embeddings().weight.mul_(1.0)
    queue.ask(Call("<OD>", picture(), None, SHORT))
    assert queue.wait(60) and florence.calls == 3, "a changed model must be asked again"


@pytest.mark.parametrize("beams", [1, 3])
def test_a_running_call_is_seen_and_can_be_stopped(beams):
    florence, states, first_token = Scripted("a" * 150), [], threading.Event()
    florence.gate.clear()
    queue = AskQueue(
        florence, lambda state: (states.append(state), first_token.set() if state.tokens else None)
    )
    watch = playground_model._StopWhenTold.__call__

    def stop_at_ten(self, input_ids, scores, **more):
        self.next = 0
        if input_ids.shape[1] == 11:
            queue.stop()
        return watch(self, input_ids, scores, **more)

    playground_model._StopWhenTold.__call__ = stop_at_ten
    try:
        queue.ask(Call("<CAPTION>", picture(), None, {"num_beams": beams}))
        florence.gate.set()
        assert queue.wait(60)
    finally:
        playground_model._StopWhenTold.__call__ = watch
    assert states[0] == State(running=True) and first_token.is_set()
    turn = states[-1].turn
    assert (
        turn.stopped
        and 5 < len(turn.answer.text) < 20
        and turn.answer.notes == ("You stopped this answer before its end.",)
    )
    assert "stopping_criteria" not in turn.answer.settings
    queue.ask(turn.request)
    assert queue.wait(60) and florence.calls == 2, "a stopped answer is not remembered"


def test_the_newest_request_wins():
    florence, states = Scripted(), []
    florence.gate.clear()
    queue = AskQueue(florence, states.append)
    for beams in (1, 2, 4):
        queue.ask(Call("<OD>", picture(), None, {"num_beams": beams}))
    florence.gate.set()
    assert queue.wait(60)
    shown = [state.turn.request.settings["num_beams"] for state in states if state.turn]
    assert shown == [4] and florence.calls <= 2


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (InputError("The prompt is too long."), "The prompt is too long."),
        (ZeroDivisionError("division\nby zero"), "The call failed with ZeroDivisionError: division"),
        (MemoryError(), "The call failed with MemoryError: no further words"),
    ],
)
def test_an_error_is_a_sentence_and_the_next_call_works(error, words):
    florence, states = Scripted(), []
    queue = AskQueue(florence, states.append)
    florence.fail = error
    queue.ask(Call("<OD>", picture(), None, SHORT))
    assert queue.wait(60) and states[-1].error == words and not queue.history
    florence.fail = None
    queue.ask(Call("<OD>", picture(), None, SHORT))
    assert queue.wait(60) and len(queue.history) == 1


def test_two_turns_differ_in_what_was_asked():
    queue = AskQueue(Scripted())
    for settings in ({"num_beams": 2}, {"num_beams": 4, "length_penalty": 2.0}):
        queue.ask(Call("<OD>", picture(), None, settings))
        assert queue.wait(60)
    rows = playground_model.differences(*queue.history, USUAL)
    assert (
        rows[:2] == [("num_beams", "2", "4"), ("length_penalty", "1.0", "2.0")] and rows[-1][0] == "seconds"
    )


def test_raw_tokens_cannot_smuggle_html():
    shown = playground_model.tokens_html("</s><s>a <b>&<loc_12></s>")
    assert "<b>" not in shown and "&lt;loc_12&gt;" in shown and "&amp;" in shown
    assert shown.count('class="place"') == 1


def test_the_words_for_who_cannot_see():
    assert alt_text(parse(CAR, "<OD>", (80, 60))) == "Answer to <OD> drawn on the picture: car."
    assert alt_text(parse("a car</s>", "<CAPTION>", (80, 60))) == "Answer to <CAPTION>: a car"
    assert alt_text(parse("</s>", "<OD>", (80, 60))) == "Answer to <OD>: nothing found"


# the panel


@pytest.fixture
def panel():
    made = playground(Scripted(), Image.new("RGB", (80, 60), "red"))
    yield made
    assert made.queue.wait(60)


def settle(panel):
    assert panel.queue.wait(60)
    return panel


def test_the_panel_answers_at_once_and_shows_it_without_a_kernel(panel):
    assert (
        panel.answer.labels == ["car"]
        and "car" in panel.result.value
        and "&lt;loc_100&gt;" in panel.result.value
    )
    assert 'alt="Answer to &lt;OD&gt; drawn on the picture: car."' in panel.picture.value
    bundle = panel._repr_mimebundle_()
    assert (
        bundle["text/plain"] == f"Playground of 'tiny' on your picture\n{panel.answer!r}"
        and "image/jpeg" in bundle
    )


def test_text_and_region_appear_only_where_the_task_takes_one(panel):
    for group in playground_model.GROUPS:
        panel.group.value = group
        for _, prompt in playground_model.tasks_of(group):
            panel.task.value = prompt
            wanted = {"nothing": (), "phrase": (panel.phrase,), "region": (panel.region,)}[
                TASKS[prompt].takes
            ]
            assert tuple(panel.input.children) == wanted
            settle(panel)


def test_a_slider_that_is_let_go_asks_again(panel):
    calls = panel.queue.florence.calls
    panel.settings["num_beams"].value = 2
    settle(panel)
    assert panel.queue.florence.calls == calls + 1 and panel.answer.settings["num_beams"] == 2
    assert "num_beams=2" in panel.call.value
    assert all(
        not slider.continuous_update
        for slider in panel.settings.values()
        if hasattr(slider, "continuous_update")
    )
    panel.live.value = False
    panel.settings["num_beams"].value = 4
    settle(panel)
    assert panel.answer.settings["num_beams"] == 2 and "num_beams=4" in panel.call.value
    panel.run.click()
    assert settle(panel).answer.settings["num_beams"] == 4


def test_an_empty_phrase_disables_the_button_and_says_why(panel):
    panel.group.value = "segmentation"
    panel.task.value = "<REFERRING_EXPRESSION_SEGMENTATION>"
    assert panel.run.disabled and "Type what to look for first." in panel.status.value
    calls = panel.queue.florence.calls
    panel.phrase.value = "the red car"
    assert not panel.run.disabled and panel.queue.florence.calls == calls, "typing asks nothing"
    panel.phrase._handle_custom_msg({"event": "submit"}, [])
    assert settle(panel).answer.text_input == "the red car"


def test_a_drawn_region_is_asked_about(panel):
    panel.group.value = "region"
    settle(panel)
    panel.region.set_state({"boxes": [[5, 5, 50, 500]], "chosen": 0})
    assert settle(panel).answer.text_input == (5, 5, 50, 60)
    panel.region.set_state({"boxes": [], "chosen": -1})
    assert panel.run.disabled and "Draw a box" in panel.status.value


def test_sampling_settings_appear_with_sampling(panel):
    temperature = panel.settings["temperature"]
    assert temperature.layout.display == "none" and panel.settings["num_beams"].layout.display is None
    panel.settings["do_sample"].value = True
    settle(panel)
    assert temperature.layout.display is None and "seed=0" in panel.call.value


def test_pictures_from_everywhere(panel, monkeypatch):
    panel.source.value = "coffee"
    assert settle(panel).answer.image_size == panel.region.image.size != (80, 60)
    panel.source.value = "upload"
    assert tuple(panel.source_more.children) == (panel.upload,)
    file = io.BytesIO()
    Image.new("RGB", (33, 22), "blue").save(file, "PNG")
    for content, width in [(file.getvalue(), 33), (b"no image", 33)]:
        panel.upload._handle_custom_msg({"name": "mine.png", "size": len(content), "at": 0}, [content])
        assert settle(panel).answer.image_size[0] == width
    assert "mine.png is not an image" in panel.status.value and not panel.run.disabled
    panel.upload._handle_custom_msg({"name": "huge.png", "size": 50 * 2**20, "refused": True}, [])
    assert "huge.png has 50.0 MB, and at most 20 MB are accepted" in panel.status.value
    panel.source.value = "url"
    panel.url.value = "file:///etc/hostname"
    assert "trouble" in panel.status.value and settle(panel).answer.image_size == (33, 22)
    panel.source.value = "webcam"
    assert tuple(panel.source_more.children) == (panel.webcam,)
    panel.webcam._handle_custom_msg(
        {"name": "webcam.jpg", "size": len(file.getvalue()), "at": 0}, [file.getvalue()]
    )
    assert settle(panel).chosen.name == "webcam.jpg"
    panel.source.value = "given"
    assert settle(panel).answer.image_size == (80, 60)


def test_an_error_leaves_the_panel_usable(panel):
    panel.queue.florence.fail = RuntimeError("out of luck")
    panel.settings["num_beams"].value = 2
    settle(panel)
    assert "out of luck" in panel.status.value and panel.answer.labels == ["car"]
    panel.queue.florence.fail = None
    panel.settings["num_beams"].value = 4
    assert settle(panel).answer.settings["num_beams"] == 4 and panel.halt.disabled


def test_two_answers_are_compared_side_by_side(panel):
    for beams in (1, 2):
        panel.settings["num_beams"].value = beams
        settle(panel)
    assert len(panel.strip.children) == 3
    marks = [thumb.children[1] for thumb in panel.strip.children]
    marks[0].value = True
    assert "another one" in panel.comparison.value
    marks[1].value = True
    assert "Answer 1 and answer 2" in panel.comparison.value and "num_beams" in panel.comparison.value
    marks[2].value = True
    assert [mark.value for mark in marks] == [
        False,
        True,
        True,
    ] and "Answer 2 and answer 3" in panel.comparison.value
    marks[2].value = False
    assert "another one" in panel.comparison.value


def test_nothing_is_asked_before_it_is_wanted():
    florence = Scripted()
    quiet = playground(florence, "coffee", task="<CAPTION>", ask=False)
    assert florence.calls == 0 and repr(quiet) == "Playground of 'tiny' on coffee"
    assert quiet.still().size == quiet.chosen.image.size
    with pytest.raises(InputError, match="<OD>"):
        playground(florence, "coffee", task="<ODD>")


def test_without_words_neither_the_old_answer_nor_python_that_fails(panel):
    panel.group.value = "grounding"
    assert "not asked about yet" in panel.picture.value and panel.result.value == "" == panel.call.value
    panel.phrase.value = "car"
    assert "&#x27;car&#x27;" in panel.call.value


def test_a_late_answer_does_not_hide_that_words_are_missing(panel):
    settle(panel)
    panel.queue.florence.gate.clear()
    panel.settings["num_beams"].value = 5  # asks, and waits for the gate
    panel.group.value = "grounding"
    panel.queue.florence.gate.set()
    settle(panel)
    assert "not asked about yet" in panel.picture.value and panel.result.value == "" == panel.call.value
    assert "Type what to look for first." in panel.status.value
    assert len(panel.queue.history) == 2, "the late answer is kept"


def test_a_hand_waits_while_an_answer_is_drawn(panel, monkeypatch):
    settle(panel)
    drawing, go_on = threading.Event(), threading.Event()
    show_picture = panel._show_picture

    def slowly(*shown):
        drawing.set()
        assert go_on.wait(20)
        show_picture(*shown)

    monkeypatch.setattr(panel, "_show_picture", slowly)
    panel.settings["num_beams"].value = 5  # asks
    assert drawing.wait(20)
    threading.Timer(0.2, go_on.set).start()
    panel.group.value = "grounding"
    settle(panel)
    assert "Type what to look for first." in panel.status.value
    assert "not asked about yet" in panel.picture.value and panel.result.value == ""


def test_the_trouble_of_an_address_goes_with_another_source(panel):
    panel.source.value = "url"
    panel.url.value = "nonsense.png"
    assert "trouble" in panel.status.value
    panel.source.value = "upload"
    assert panel.status.value == ""


def test_settings_are_called_as_in_python(panel):
    assert [control.description for control in panel.settings.values()] == list(panel.settings)
