"""The page of `florence-nb page` in Chromium: what a visitor does, and that its answers are Python's."""

from __future__ import annotations

import base64
import io
import json
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import florence_nb as fnb
from florence_nb.page.build import write_page
from florence_nb.scenes import GALLERY, Scene, Thing
from tests.browser.conftest import Waiter
from tests.page.reference import flat

PHONE = {
    "viewport": {"width": 360, "height": 740},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}
DRAW = """([place, things]) => {
    const { canvas, seen } = florence.world.draw({ place, things });
    return { png: canvas.toDataURL(), seen };
}"""
MEANT = """(phrase) => {
    const { drawn } = florence.state;
    return florence.truthOf(drawn, "<OPEN_VOCABULARY_DETECTION>", phrase).regions.length;
}"""
CHANGE = "() => {{ const {{ things }} = florence.state.scene; {}; florence.setScene(florence.state.scene); }}"
FRAMES = """() => {
    globalThis.frames = 0;
    const tick = () => { frames++; requestAnimationFrame(tick); };
    tick();
}"""
CACTUS = "{ kind: 'cactus', colour: 'green', at: [0.5, 0.4], size: 0.3, mirrored: false, tilt: 0, text: '' }"
PICTURE = "florence.state.picture.toDataURL()"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_) -> None:
        pass


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Addresses of the page: "http", from a plain server, and "file", the single file on the disk."""
    folder = tmp_path_factory.mktemp("page")
    write_page(folder)
    single = write_page(tmp_path_factory.mktemp("single"), single=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield {"http": f"http://127.0.0.1:{server.server_port}/index.html", "file": single.as_uri()}
    server.shutdown()
    thread.join()


class Visit(Waiter):
    """The page in a window of its own."""

    def __init__(self, page, url: str) -> None:
        super().__init__(page)
        self.errors: list[str] = []
        self.requests: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(url, wait_until="commit")

    def answers(self) -> int:
        return int(self.page.evaluate("document.body.dataset.answered ?? 0"))

    def answered(self, before: int = 0) -> dict:
        """The last answer, as soon as there are more than ``before`` and no question waits."""
        ready = "document.querySelector('#answer').getAttribute('aria-busy') === 'false'"
        self.until(lambda: self.answers() > before and self.page.evaluate(ready), "an answer")
        return self.page.evaluate("florence.state.last.answer")

    def ask(self, task: str) -> dict:
        before = self.answers()
        self.page.locator(f"#tasks input[value='{task}']").check()
        return self.answered(before)

    def words(self) -> str:
        return self.page.inner_text("#answer")


@pytest.fixture
def visit(browser, pages):
    contexts = []

    def opened(kind: str = "http", **window) -> Visit:
        context = browser.new_context(**window)
        contexts.append(context)
        seen = Visit(context.new_page(), pages[kind])
        seen.answered()
        return seen

    yield opened
    for context in contexts:
        context.close()


def opened_png(url: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(url.split(",", 1)[1]))).convert("RGB")


def picture_of(seen: Visit) -> Image.Image:
    """What is on the stage, as the model sees it."""
    return opened_png(seen.page.evaluate(PICTURE))


def as_python(florence, seen: Visit, task: str, text=None) -> None:
    """The answer on the page is Python's for the same pixels."""
    shown = seen.page.evaluate("florence.state.last.answer")
    answer = florence.run_example(task, picture_of(seen), text, num_beams=1)
    assert shown["task"] == task
    assert shown["raw"] == answer.raw
    assert {key: shown[key] for key in ("text", "labels")} == {"text": answer.text, "labels": answer.labels}
    np.testing.assert_allclose(
        np.array(shown["boxes"]).reshape(-1, 4), np.array(flat(answer)["boxes"]).reshape(-1, 4), atol=1e-3
    )


@pytest.mark.parametrize("kind", ["http", "file"])
def test_it_answers_as_python_and_asks_nobody_else(visit, pages, mini, kind):
    seen = visit(kind)
    as_python(mini, seen, "<OD>")
    assert "found" in seen.words() and "IoU" in seen.words()
    seen.ask("<CAPTION>")
    as_python(mini, seen, "<CAPTION>")
    seen.ask("<REFERRING_EXPRESSION_SEGMENTATION>")
    as_python(mini, seen, "<REFERRING_EXPRESSION_SEGMENTATION>", seen.page.input_value("#phrase"))
    home = pages[kind].rsplit("/", 1)[0]
    assert all(url.startswith((home, "data:", "blob:")) for url in seen.requests), seen.requests
    assert seen.errors == []


def test_scenes_look_as_the_package_draws_them(visit):
    """Every scene, and a sign that is turned: the picture, and what is true of it."""
    seen = visit()
    things = (
        Thing("sign", "red", (0.5, 0.5), 0.5, tilt=12, text="STOP\nBUS 42"),
        Thing("banner", "blue", (0.4, 0.2), 0.5, text="MARKET"),
        Thing("dog", "black", (0.8, 0.8), 0.3, tilt=20),
    )
    turned = Scene(things, "field", seed=5)
    for name, scene in {**GALLERY, "meadow": turned}.items():
        drawn = seen.page.evaluate(DRAW, [name, [vars(thing) for thing in scene.wanted]])
        far = np.abs(np.asarray(opened_png(drawn["png"]), float) - np.asarray(scene.image, float)).mean()
        assert far < 4, (name, far)  # signs are drawn anew: their edges differ by less than a pixel
        assert [one["thing"]["kind"] for one in drawn["seen"]] == [one.kind for one in scene.things]
        for one, true in zip(drawn["seen"], scene.things, strict=True):
            assert np.abs(np.array(one["box"]) - true.box).max() <= 2, (name, true.kind, one["box"], true.box)
            assert abs(one["share"] - true.share) < 0.05
            for quad, wanted in zip(one["quads"], true.quads, strict=True):
                assert np.abs(np.array(quad).reshape(4, 2) - wanted).max() < 2.5, (name, true.text)


def test_a_phrase_means_the_same_things_as_in_python(visit):
    seen = visit()
    scene = GALLERY["cars"]
    seen.page.evaluate("florence.setScene(florence.sceneNamed('cars'))")
    phrases = (
        "car, the red car, red car on the left, largest car, two red cars, the bus behind the blue car,"
        " a car next to a bus, smallest red car, teapot, nonsense"
    ).split(", ")
    for phrase in phrases:
        told = fnb.parse(
            scene.answer("<OPEN_VOCABULARY_DETECTION>", phrase), "<OPEN_VOCABULARY_DETECTION>", scene.size
        )
        assert seen.page.evaluate(MEANT, phrase) == len(told.labels), phrase


def test_a_photograph_is_turned_as_its_exif_says(visit, mini, tmp_path):
    photo = Image.open(Path(fnb.__file__).parent / "samples" / "coffee.jpg").convert("RGB")
    exif = Image.Exif()
    exif[274] = 6  # turn by a quarter to see it upright
    photo.save(tmp_path / "phone.jpg", quality=95, exif=exif)
    seen = visit()
    before = seen.answers()
    seen.page.set_input_files("#photo", str(tmp_path / "phone.jpg"))
    seen.answered(before)
    shown, python = picture_of(seen), fnb.open_image(tmp_path / "phone.jpg")
    assert shown.size == python.size == photo.size[::-1]
    assert np.abs(np.asarray(shown, float) - np.asarray(python, float)).max() <= 2
    as_python(mini, seen, "<OD>")
    assert "only ever seen drawn scenes" in seen.words()
    seen.page.set_input_files(
        "#photo", {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"}
    )
    seen.until(lambda: "cannot open notes.txt" in seen.words(), "the sentence about the file")


def test_a_large_photograph_is_made_smaller_first(visit, tmp_path):
    """24 megapixels, as phones take them: at most 12 are kept, in the same shape."""
    left, right = Image.new("RGB", (3000, 4000), "red"), Image.new("RGB", (3000, 4000), "blue")
    photo = Image.new("RGB", (6000, 4000))
    photo.paste(left, (0, 0))
    photo.paste(right, (3000, 0))
    photo.save(tmp_path / "large.jpg", quality=80)
    seen = visit(**PHONE)
    before = seen.answers()
    seen.page.set_input_files("#photo", str(tmp_path / "large.jpg"))
    seen.answered(before)
    width, height, *edges = seen.page.evaluate("""() => {
        const canvas = florence.state.picture, ctx = canvas.getContext("2d");
        const red = (x, y) => ctx.getImageData(x, y, 1, 1).data[0];
        const { width, height } = canvas;
        return [width, height, red(9, 9), red(width - 9, height - 9)];
    }""")
    assert width * height <= 12e6 * 1.001 and width / height == pytest.approx(1.5, abs=0.001)
    assert edges[0] > 240 and edges[1] < 15
    assert seen.errors == []


def test_things_are_moved_by_finger_and_by_keys(visit):
    seen = visit(**PHONE)
    assert seen.page.evaluate("document.documentElement.scrollWidth") == 360
    box = seen.page.locator("#picture").bounding_box()
    thing = "florence.state.scene.things[3]"  # the yellow car
    at = lambda: seen.page.evaluate(f"{thing}.at")  # noqa: E731
    (x, y), before = at(), seen.answers()
    seen.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
    seen.page.mouse.down()
    seen.page.mouse.move(box["x"] + (x + 0.1) * box["width"], box["y"] + y * box["height"], steps=3)
    seen.page.mouse.up()
    seen.answered(before)
    assert at()[0] == pytest.approx(x + 0.1, abs=0.02)
    assert seen.page.locator("#editor").is_visible()
    seen.page.locator("#things button", has_text="yellow car").focus()
    for key, check in (
        ("ArrowUp", f"{thing}.at[1] < {y}"),
        ("+", f"{thing}.size > 0.42"),
        ("c", f"{thing}.colour === 'green'"),
    ):
        before = seen.answers()
        seen.page.keyboard.press(key)
        seen.answered(before)
        assert seen.page.evaluate(check), key
    before = seen.answers()
    seen.page.keyboard.press("Delete")
    seen.answered(before)
    assert seen.page.evaluate("florence.state.scene.things.length") == 4
    assert seen.errors == []


def test_a_sign_says_own_words(visit):
    seen = visit()
    seen.ask("<OCR>")
    seen.page.locator("#things button", has_text="STOP").click()
    before = seen.answers()
    seen.page.fill("#words", "taxi")
    assert "TAXI" in seen.answered(before)["text"]
    assert "Right." in seen.words()
    seen.page.fill("#words", "ÄÖ!")
    assert "1 to 8 letters" in seen.page.inner_text("#words-note")
    assert seen.page.evaluate("florence.state.scene.things[2].text") == "TAXI"


def test_a_region_is_drawn_and_tokens_explain_themselves(visit, mini):
    seen = visit()
    seen.page.locator("#tasks input[value='<REGION_TO_CATEGORY>']").check()
    seen.until(lambda: "Draw a box" in seen.words(), "the invitation to draw")
    box = seen.page.locator("#picture").bounding_box()
    before = seen.answers()
    seen.page.mouse.move(box["x"] + 0.02 * box["width"], box["y"] + 0.2 * box["height"])
    seen.page.mouse.down()
    seen.page.mouse.move(box["x"] + 0.43 * box["width"], box["y"] + 0.78 * box["height"], steps=3)
    seen.page.mouse.up()
    assert seen.answered(before)["text"] == "house"
    as_python(mini, seen, "<REGION_TO_CATEGORY>", seen.page.evaluate("florence.state.region"))
    seen.page.locator("#tokens button.word").first.click()
    assert "had" in seen.page.inner_text("#token") and "%" in seen.page.inner_text("#token")
    before = seen.answers()
    seen.page.locator("#things button", has_text="dog").click()  # without a finger: a thing's box
    assert seen.answered(before)["text"] == "dog"


SOLUTIONS = {
    "miss": "things[0] = { ...things[0], size: 0.12, at: [0.06, 0.96], tilt: 180 }",
    "invent": f"things.push({CACTUS})",
    "misread": "things[1] = { ...things[1], size: 0.22, text: 'Q0O0QO0Q OQ0OQ0QO' }",
}


def test_the_challenges_judge(visit):
    seen = visit()
    for index, (name, solution) in enumerate(SOLUTIONS.items()):
        before = seen.answers()
        seen.page.locator("#challenges button").nth(index).click()
        seen.answered(before)
        assert seen.page.evaluate("florence.state.challenge.done") is False, name
        before = seen.answers()
        seen.page.evaluate(CHANGE.format(solution))
        seen.answered(before)
        assert seen.page.evaluate("florence.state.challenge.done"), (name, seen.page.inner_text("#judged"))
        assert "done in" in seen.page.inner_text("#judged")


def test_a_slow_phone_answers_and_stays_alive(visit):
    seen = visit(**PHONE, color_scheme="dark")
    session = seen.page.context.new_cdp_session(seen.page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    seen.page.evaluate(FRAMES)
    answer = seen.ask("<MORE_DETAILED_CAPTION>")
    assert answer["text"].startswith("The image shows a scene")
    assert seen.page.evaluate("frames") > 2
    assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 30)"


def test_a_checkpoint_that_cannot_run_is_refused_with_the_reason(browser, pages):
    context = browser.new_context()
    page = context.new_page()
    waiter = Waiter(page)

    def older(route) -> None:
        config = json.loads((Path(fnb.__file__).parent / "mini" / "config.json").read_text(encoding="utf-8"))
        config["text_config"]["activation_function"] = "relu"
        route.fulfill(json=config)

    page.route("**/checkpoint/config.json", older)
    page.goto(pages["http"], wait_until="commit")
    waiter.until(lambda: page.evaluate("document.body?.dataset.failed"), "the refusal")
    assert 'activation_function is "relu", and only "gelu" is built in' in page.inner_text("#loading")
    context.close()
