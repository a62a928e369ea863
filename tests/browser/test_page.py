"""The page of `florence-nb page` in Chromium: what a visitor does, and that its answers are Python's."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import florence_nb as fnb
from florence_nb.page.build import write_page
from florence_nb.scenes import GALLERY, Scene, Thing
from tests.browser.conftest import Waiter
from tests.page.reference import flat
from tests.served import served

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
FRAMES = """() => {
    globalThis.frames = 0;
    const tick = () => { frames++; requestAnimationFrame(tick); };
    tick();
}"""
PICTURE = "florence.state.picture.toDataURL()"


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Addresses of the page: "http", from a plain server, and "file", the single file on the disk."""
    folder = tmp_path_factory.mktemp("page")
    write_page(folder)
    single = write_page(tmp_path_factory.mktemp("single"), single=True)
    with served(folder) as url:
        yield {"http": f"{url}/index.html", "file": single.as_uri()}


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


def change(seen: Visit, act) -> str:
    """What the judge says of the answer after a change."""
    before = seen.answers()
    act()
    seen.answered(before)
    return seen.page.inner_text("#judged")


def slide(seen: Visit, name: str, value: int) -> str:
    return change(seen, lambda: seen.page.locator(f"#{name}").fill(str(value)))


def drag(seen: Visit, index: int, to: tuple[float, float]) -> str:
    """Takes a thing that is not chosen by its middle; places are shares of the picture."""
    picture = seen.page.locator("#picture")
    picture.evaluate("e => e.scrollIntoView({ block: 'center', behavior: 'instant' })")
    box, at = picture.bounding_box(), seen.page.evaluate(f"florence.state.scene.things[{index}].at")
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (at, to)]
    seen.page.mouse.move(*places[0])
    seen.page.mouse.down()
    seen.page.mouse.move(*places[1], steps=3)
    return change(seen, seen.page.mouse.up)


def test_the_challenges_are_met_by_hand_on_a_phone(visit):
    """From the list to the last one, with nothing but fingers; the judge stands below the picture."""
    seen = visit(**PHONE)
    page, clock = seen.page, lambda: seen.page.inner_text("#clock")
    start = page.locator("#challenges button").first
    assert change(seen, start.click) == "It still finds the house."
    seen.until(lambda: clock() > "0:00", "the clock")
    place = page.locator("#judged").bounding_box()
    assert 0 < place["y"] < PHONE["viewport"]["height"] - place["height"]
    page.locator("#tasks input[value='<CAPTION>']").check()
    seen.until(lambda: "What counts is" in page.inner_text("#judged"), "the hint to the right task")
    seen.ask("<OD>")
    drag(seen, 4, (0.9, 0.9))  # the dog, which stood where the house shall go
    page.locator("#things button", has_text="blue house").click()
    slide(seen, "size", 12)
    slide(seen, "turn", 180)
    page.locator("#things button", has_text="blue house").click()  # without handles in the way
    assert "Done in" in drag(seen, 0, (0.06, 0.93))
    took = page.evaluate("florence.state.challenge.took")
    seen.until(lambda: clock() == f"{took // 60}:{took % 60:02}", "the clock to stand still")
    assert page.inner_text("#leave") == "Next"
    assert change(seen, page.locator("#leave").click) == "Everything that it named is there."
    page.locator("#add summary").click()
    change(seen, page.locator("#kinds button", has_text="cactus").click)
    if not page.evaluate("florence.state.challenge.done"):  # its colour and place were chance
        change(seen, page.locator("#colours button[title=green]").click)
    assert "Done in" in page.inner_text("#judged")
    assert change(seen, page.locator("#leave").click) == "It read every sign."
    page.locator("#things button", has_text="BUS 42").click()
    change(seen, lambda: page.locator("#words").fill("Q0O0QO0Q/OQ0OQ0QO"))
    if not page.evaluate("florence.state.challenge.done"):
        slide(seen, "size", 22)
    assert "Done in" in page.inner_text("#judged")
    page.locator("#leave").click()
    assert page.locator("#quest").is_hidden()
    assert seen.errors == []


JUDGE = """([name, things, missed, more]) => {
    const challenge = florence.CHALLENGES.find((one) => one.name === name), { task } = challenge;
    const drawn = florence.world.draw({ place: "meadow", things }), truth = florence.truthOf(drawn, task);
    const corner = (label) => ({ name: label, box: [0, 0, 9, 9], quad: [0, 0, 9, 0, 9, 9, 0, 9] });
    const all = [...truth.regions.filter((_, i) => !missed.includes(i)), ...more.map(corner)];
    const outlines = { boxes: [], quads: [], polygons: [] };
    if (task === "<OD>") outlines.boxes = all.map(({ box }) => box);
    else outlines.quads = all.map(({ quad }) => quad);
    const answer = { task, text: "", labels: all.map(({ name: label }) => label), ...outlines };
    return challenge.judge({ drawn, answer, truth, judged: florence.judge(drawn, answer, truth) });
}"""


def thing(kind: str, at: tuple[float, float] = (0.5, 0.5), size: float = 0.4, text: str = "") -> dict:
    return {
        "kind": kind,
        "at": at,
        "size": size,
        "text": text,
        "colour": "blue",
        "mirrored": False,
        "tilt": 0,
    }


DOG, HOUSE, SIGN = thing("dog", (0.15, 0.8), 0.2), thing("house"), thing("sign", text="STOP")
BEHIND = thing("house", (0, 0))
# challenge, things, which the model missed (from left to right), what it made up in a corner, the verdict
JUDGED = [
    ("miss", [HOUSE, DOG], [], [], "It still finds the house."),
    ("miss", [HOUSE, DOG], [1], [], ""),
    ("miss", [HOUSE, DOG], [1], ["house"], ""),  # named, but nowhere near
    ("miss", [DOG], [], [], "There must be a house in the picture."),
    ("miss", [HOUSE, thing("car", size=0.5)], [0, 1], [], "of the house can be seen; 60 % must be."),
    ("miss", [BEHIND], [0], [], "of the house can be seen; 60 % must be."),
    ("miss", [thing("house", size=0.06)], [0], [], "The house must be at least 24 pixels wide and high."),
    ("miss", [BEHIND, HOUSE], [0, 1], [], ""),
    ("miss", [BEHIND, HOUSE], [0], [], "It still finds the house."),
    ("invent", [HOUSE, DOG], [], [], "Everything that it named is there."),
    ("invent", [HOUSE, DOG], [], ["cat"], ""),
    ("invent", [HOUSE, DOG], [], ["dog"], "Everything that it named is there."),
    ("invent", [HOUSE, DOG], [], ["xyz"], "Everything that it named is there."),  # no kind of thing
    ("misread", [SIGN], [], [], "It read every sign."),
    ("misread", [SIGN], [0], ["SHOP"], ""),
    ("misread", [SIGN], [0], ["STOP"], "It read every sign."),  # right, only in a wrong place
    ("misread", [HOUSE], [], [], "There must be a sign."),
    ("misread", [thing("sign", size=0.1, text="STOP")], [0], [], "A sign must be at least 60 pixels wide."),
    ("misread", [thing("sign", (0, 0.5), 0.6, "STOP")], [0], [], "in the picture and uncovered."),
    ("misread", [SIGN, thing("bird", size=0.12)], [0], [], "in the picture and uncovered."),
    (
        "misread",
        [thing("sign", (0.2, 0.3), 0.3, "STOP"), thing("sign", (0.7, 0.7), 0.3, "STOP")],
        [1],
        [],
        "",
    ),
]


def test_the_judges_are_fair(visit):
    seen = visit()
    for name, things, missed, more, wanted in JUDGED:
        said = seen.page.evaluate(JUDGE, [name, things, missed, more])
        assert said.endswith(wanted) and bool(said) == bool(wanted), (name, things, missed, more, said)


def test_a_slow_phone_answers_and_stays_alive(visit):
    seen = visit(**PHONE, color_scheme="dark")
    session = seen.page.context.new_cdp_session(seen.page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    seen.page.evaluate(FRAMES)
    answer = seen.ask("<MORE_DETAILED_CAPTION>")
    assert answer["text"].startswith("This is a picture taken on a street at night. On the left we see")
    assert answer["text"].endswith("The sign says STOP.")
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
