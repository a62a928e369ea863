"""Record once, show anywhere: a record answers what the model answered, and says the rest kindly."""

from __future__ import annotations

import errno
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

import florence_nb as fnb
from florence_nb import TASKS, Florence, InputError, cli, loading, parse, recording
from florence_nb.recording import RecordedFlorence, file, pictures, questions, recorder
from florence_nb.recording.page import empty_page
from florence_nb.scenes import random_scene
from florence_nb.widgets.explorer_model import beam_tree, token_table
from florence_nb.widgets.playground import playground
from tests import tiny

SAYS = {
    "<CAPTION>": "a cup on a table",
    "<DETAILED_CAPTION>": "In this image there is a cup on a table.",
    "<OD>": "cup<loc_100><loc_100><loc_500><loc_500>spoon<loc_500><loc_500><loc_800><loc_900>",
    "<DENSE_REGION_CAPTION>": "white cup<loc_100><loc_100><loc_500><loc_500>",
    "<OCR_WITH_REGION>": "hot<loc_1><loc_1><loc_99><loc_1><loc_99><loc_50><loc_1><loc_50>",
}


class Scripted(Florence):
    """Says at once what `SAYS` says; counts what it is asked, and fails at number ``stop``."""

    def __init__(self) -> None:
        processor = tiny.processor()
        super().__init__(tiny.model(processor.tokenizer), processor, "tiny")
        self.asked: list[tuple] = []
        self.stop: int | None = None

    def answer_batch(self, requests, settings):
        answers = []
        for request in requests:
            if len(self.asked) == self.stop:
                raise KeyboardInterrupt
            self.asked.append((request.task, request.text_input))
            raw = f"</s><s>{SAYS.get(request.task, 'nothing much')}</s>"
            answer = parse(raw, request.task, request.image.size)
            answer.text_input, answer.settings = request.text_input, settings.to_dict()
            answers.append(answer)
        return answers


@pytest.fixture
def florence() -> Scripted:
    return Scripted()


@pytest.fixture
def folder(tmp_path) -> Path:
    """Two photographs of a user's own."""
    made = tmp_path / "photos"
    made.mkdir()
    fnb.open_image("coffee").resize((300, 200)).save(made / "cup.jpg")
    fnb.open_image("chelsea").resize((120, 160)).save(made / "cat.png")
    return made


@pytest.fixture
def path(florence, folder, tmp_path) -> Path:
    """A record of both."""
    out = tmp_path / "tiny.json"
    recording.record(florence, folder, out, progress=False)
    return out


@pytest.fixture(scope="module")
def recorded() -> RecordedFlorence:
    return loading.load("recorded", quiet=True)


def loaded(path: Path) -> RecordedFlorence:
    return loading.load(path, quiet=True)


def refused(call) -> str:
    """The one sentence that a call ends with."""
    with pytest.raises(InputError) as caught:
        call()
    said = str(caught.value)
    assert "\n" not in said and len(said) < 420
    return said


# ---- the same answers


def test_a_record_of_mini_answers_as_mini_does(mini, tmp_path):
    scene, out = random_scene(5, most=3).image, tmp_path / "mini.json"
    mini_record = fnb.record(mini, {"scene": scene}, out, progress=False)
    asked = loaded(out).questions("scene")
    assert {task for task, _ in asked} == set(TASKS) and asked == mini_record.questions("scene")
    for task, text_input in dict(asked).items():  # one of each
        lived = mini.run_example(task, scene, text_input)
        replayed = loaded(out).run_example(task, scene, text_input)
        assert (lived.raw, lived.parsed, lived.labels) == (replayed.raw, replayed.parsed, replayed.labels)
        np.testing.assert_array_equal(lived.boxes, replayed.boxes)
        np.testing.assert_array_equal(lived.quads, replayed.quads)
        assert (lived.scores is None) == (replayed.scores is None)
        if lived.scores is not None:
            np.testing.assert_allclose(lived.scores, replayed.scores, atol=1e-3)  # of a batch
        assert (lived.token_ids, lived.settings) == (replayed.token_ids, replayed.settings)
        assert (*lived.notes, "Recorded from mini.") == replayed.notes


def test_the_answer_is_a_whole_one(path):
    real = loaded(path)
    answer = real.run_example("<OD>", real.pictures["cup.jpg"])
    assert [region.label for region in answer.regions] == ["cup", "spoon"]
    assert answer.florence is real and answer.image.size == answer.image_size == (300, 200)
    assert fnb.show(answer).width == 480


def test_many_are_answered_and_an_error_stands_in_its_place(path):
    real = loaded(path)
    cup = real.pictures["cup.jpg"]
    requests = [("<OD>", cup), ("<OD>", Image.new("RGB", (9, 9))), ("<CAPTION>", "cat.png"), ("<X>", cup)]
    good, unknown, named, typo = real.run_many(requests, progress=False)
    assert good.labels == ["cup", "spoon"] and named.text == "a cup on a table"
    assert isinstance(unknown, InputError) and isinstance(typo, InputError)


def test_a_region_counts_by_what_the_model_saw_of_it(path):
    real = loaded(path)
    (_, region), *_ = [row for row in real.questions("cup.jpg") if row[0] == "<REGION_TO_CATEGORY>"]
    tokens = fnb.to_loc(region, (300, 200))
    for spelled in (region, list(region), np.array(region), tokens):
        assert real.run_example("<REGION_TO_CATEGORY>", "cup.jpg", spelled).text == "nothing much"


def test_loading_a_record_needs_no_torch(path):
    code = (
        f"import sys, florence_nb as fnb; real = fnb.load({str(path)!r});"
        " real.run_example('<OD>', 'cup.jpg'); fnb.load('recorded');"
        " print('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    said, _, heavy = ran.stdout.strip().splitlines()
    assert heavy == "False"
    assert re.fullmatch(r"RecordedFlorence\(.*2 pictures, recorded from tiny.*computes nothing\.", said)


# ---- what is asked


def test_phrases_and_regions_come_from_the_answers(florence, tmp_path):
    fnb.record(florence, ["coffee"], tmp_path / "a.json", progress=False)
    asked = [text for _, text in florence.asked]
    assert asked[: len(questions.FIRST)] == [None] * 8
    assert SAYS["<CAPTION>"] in asked and {"cup", "spoon", "cup<and>spoon", "white cup", "a penguin"} <= {
        *asked[8:19]
    }
    assert ("<REGION_TO_OCR>", (1, 1, 60, 20)) in florence.asked  # the line of text, in whole pixels
    assert ("<REGION_TO_CATEGORY>", (60, 40, 300, 200)) in florence.asked


def test_where_nothing_was_found_every_task_is_asked_all_the_same():
    asked = questions.follow_ups({}, (400, 300))
    assert {task for task, _ in asked} | {task for task, _ in questions.FIRST} == set(TASKS)
    assert ("<REGION_TO_OCR>", (100, 75, 300, 225)) in asked


def test_no_task_is_asked_more_than_a_few_times():
    answer = parse(
        "".join(f"thing {n}<loc_{n}><loc_{n}><loc_{n + 99}><loc_900>" for n in range(40)) + "</s>",
        "<OD>",
        (800, 600),
    )
    asked = [task for task, _ in questions.follow_ups({"<OD>": answer}, (800, 600))]
    assert max(map(asked.count, asked)) <= questions.MOST + 2 and len(asked) + 8 <= questions.EXPECTED + 2


# ---- the file


def test_the_file_can_be_read_by_a_person(path):
    text = path.read_text(encoding="utf-8")
    plain = json.loads(text)
    assert plain["format"] == "florence-nb record" and plain["made_with"]["transformers"]
    assert [row["size"] for row in plain["pictures"]] == [[120, 160], [300, 200]]
    assert len(text.splitlines()) == 13 + sum(
        len(plain[key]) for key in ("pictures", "answers", "checkpoints")
    )
    assert str(path.parent) not in text  # no path of this machine


def test_the_checkpoint_is_told_with_its_place_on_the_hub(florence):
    florence.name, florence.folder = "microsoft/Florence-2-large", Path("hub/x/snapshots/0123abcd")
    told = recorder._checkpoint(florence)
    assert (told.hub_id, told.revision) == ("florence-community/Florence-2-large", "0123abcd")
    florence.name, florence.folder = "somewhere/of/mine/my-florence", Path("somewhere/of/mine/my-florence")
    told = recorder._checkpoint(florence)
    assert (told.name, told.hub_id, told.revision, told.dtype) == ("my-florence", "", "", "float32")


def test_load_tells_where_it_found_the_files(mini):
    assert (mini.folder / "model.safetensors").is_file()


def test_a_run_that_was_stopped_goes_on(florence, folder, tmp_path):
    out = tmp_path / "a.json"
    florence.stop = 21
    with pytest.raises(KeyboardInterrupt):
        fnb.record(florence, folder, out, progress=False, batch_size=4)
    kept = len(json.loads(out.read_text(encoding="utf-8"))["answers"])
    assert 16 <= kept <= 21 and list(tmp_path.glob("*.part")) == []
    florence.stop = None
    before = len(florence.asked)
    real = fnb.record(florence, folder, out, progress=False, batch_size=4)
    in_all = sum(len(real.questions(name)) for name in real.pictures)
    assert len(florence.asked) - before == in_all - kept
    fnb.record(florence, folder, out, progress=False)
    assert len(florence.asked) - before == in_all - kept  # nothing is asked twice


def test_pictures_may_be_added_later(florence, folder, path):
    before = len(florence.asked)
    fnb.open_image("rocket").resize((90, 120)).save(folder / "rocket.png")
    real = fnb.record(florence, folder, path, progress=False)
    assert [*real.pictures] == ["cat.png", "cup.jpg", "rocket.png"]
    assert 20 < len(florence.asked) - before < 40


@pytest.mark.parametrize(
    "change, said",
    [
        (
            lambda f, d: setattr(f, "name", "large"),
            "holds answers of tiny float32, and this is large float32",
        ),
        (
            lambda f, d: (d / "cup.jpg").replace(d / "x.jpg") and (d / "cat.png").unlink(),
            "about other pictures",
        ),
        (
            lambda f, d: Image.new("RGB", (40, 40)).save(d / "cup.jpg"),
            "cup.jpg is not the picture of this name",
        ),
    ],
)
def test_a_file_of_something_else_is_never_written_over(florence, folder, path, change, said):
    before = path.read_bytes()
    change(florence, folder)
    told = refused(lambda: fnb.record(florence, folder, path, progress=False))
    assert said in told and "choose another file" in told
    assert path.read_bytes() == before


def test_other_files_are_not_taken_for_a_record(florence, folder, tmp_path):
    out = tmp_path / "mine.json"
    out.write_text('{"my": "work"}')
    assert "choose another file" in refused(lambda: fnb.record(florence, folder, out, progress=False))
    assert out.read_text() == '{"my": "work"}' and not florence.asked
    assert "ends in .json" in refused(
        lambda: fnb.record(florence, folder, tmp_path / "large", progress=False)
    )


def test_a_full_disk_is_found_before_the_first_question_and_later_costs_nothing(
    florence, folder, path, tmp_path, monkeypatch
):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    before, asked = path.read_bytes(), len(florence.asked)
    fnb.open_image("rocket").resize((90, 120)).save(folder / "rocket.png")
    monkeypatch.setattr("os.replace", full)
    said = refused(lambda: fnb.record(florence, folder, path, progress=False))
    assert "No space left on device" in said and "the next run goes on from it" in said
    assert path.read_bytes() == before and list(tmp_path.glob("*.part")) == []
    monkeypatch.setattr(file.Path, "touch", full)
    asked = len(florence.asked)
    assert "No space" in refused(lambda: fnb.record(florence, folder, tmp_path / "b.json", progress=False))
    assert len(florence.asked) == asked


def test_a_folder_without_rights(florence, folder, tmp_path, monkeypatch):
    def locked(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(file.Path, "mkdir", locked)
    said = refused(lambda: fnb.record(florence, folder, tmp_path / "a.json", progress=False))
    assert "cannot be written (Permission denied)" in said and not florence.asked


def test_a_question_without_answer_is_told_and_asked_again(florence, folder, tmp_path, capsys, monkeypatch):
    out, whole = tmp_path / "a.json", Scripted.answer_batch

    def broken(self, requests, settings):
        if any(request.task == "<OCR>" for request in requests):
            raise MemoryError("The GPU's memory is full.")
        return whole(self, requests, settings)

    monkeypatch.setattr(Scripted, "answer_batch", broken)
    fnb.record(florence, folder, out, progress=False)
    assert "2 got no answer, such as <OCR> about cat.png (MemoryError" in capsys.readouterr().out
    monkeypatch.setattr(Scripted, "answer_batch", whole)
    real = fnb.record(florence, folder, out, progress=False)
    assert ("<OCR>", None) in real.questions("cat.png") and capsys.readouterr().out == ""


# ---- pictures


def test_files_that_cannot_be_asked_about_are_named(florence, folder, tmp_path, capsys):
    (folder / "notes.txt").write_text("no picture")
    (folder / "broken.jpg").write_bytes(b"no picture")
    (folder / ".hidden").write_text("nobody's business")
    real = fnb.record(florence, folder, folder / "in-the-folder.json", progress=False)
    said = capsys.readouterr().out
    assert re.search(r"notes\.txt is no picture", said) and re.search(r"broken\.jpg was left out: ", said)
    assert said.count("\n") == 2 and [*real.pictures] == ["cat.png", "cup.jpg"]


@pytest.mark.parametrize("given", [[], {}, "empty", "nowhere", "broken"])
def test_no_pictures_at_all(florence, tmp_path, given):
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.jpg").write_bytes(b"no picture")
    given = tmp_path / given if isinstance(given, str) else given
    said = refused(lambda: fnb.record(florence, given, tmp_path / "a.json", progress=False))
    assert "picture" in said and not florence.asked


def test_lists_and_mappings_of_pictures(florence, tmp_path):
    given = [Image.new("RGB", (64, 64), "red"), tmp_path / "b.png", tmp_path / "c" / "b.png"]
    (tmp_path / "c").mkdir()
    for number, place in enumerate(given[1:]):
        Image.new("RGB", (50 + number, 40)).save(place)
    real = fnb.record(florence, given, tmp_path / "a.json", progress=False)
    assert [*real.pictures] == ["picture 1", "b.png", "b.png (3)"]


def test_the_default_are_all_samples():
    found, said = pictures.sources(None, Path("a.json"))
    assert [source.name for source in found] == [*fnb.samples()] and said == []


def test_pictures_lie_in_the_package_or_beside_the_record(florence, folder, tmp_path):
    fnb.record(florence, folder, tmp_path / "a.json", progress=False)
    fnb.record(florence, ["street", "coffee"], tmp_path / "b.json", progress=False)
    own, samples = loaded(tmp_path / "a.json").pictures, loaded(tmp_path / "b.json").pictures
    assert all(map(samples.is_here, samples)) and all(map(own.is_here, own))
    assert own["cat.png"].tobytes() == fnb.open_image(folder / "cat.png").tobytes()
    (folder / "cat.png").unlink()
    own = loaded(tmp_path / "a.json").pictures
    assert not own.is_here("cat.png") and own["cat.png"].size == (120, 160)
    Image.new("RGB", (120, 160), "red").save(folder / "cat.png")
    assert not loaded(tmp_path / "a.json").pictures.is_here("cat.png")  # another picture of this name


def test_pictures_can_travel_in_the_file(florence, folder, tmp_path):
    out = tmp_path / "a.json"
    fnb.record(
        florence, {"mine": folder / "cup.jpg", "coffee": "coffee"}, out, with_pictures=True, progress=False
    )
    rows = json.loads(out.read_text(encoding="utf-8"))["pictures"]
    assert ["jpeg" in row for row in rows] == [True, False]
    (folder / "cup.jpg").unlink()
    real = loaded(out)
    assert real.pictures.is_here("mine") and real.run_example("<OD>", real.pictures["mine"]).labels


def test_a_picture_that_was_decoded_a_shade_differently_is_known(path):
    """Another version of Pillow: the pixels of the file are not those of the digest."""
    real = loaded(path)
    text = path.read_text(encoding="utf-8").replace(real.record.pictures["cup.jpg"].key, "f" * 32)
    path.write_text(text, encoding="utf-8")
    real = loaded(path)
    assert real.run_example("<OD>", real.pictures["cup.jpg"]).labels == ["cup", "spoon"]


@pytest.mark.parametrize(
    "change",
    [
        lambda image: image.resize((150, 100)),
        lambda image: ImageOps.posterize(image, 6),
        lambda image: Image.blend(image, Image.new("RGB", image.size, "grey"), 0.04),
    ],
)
def test_a_changed_copy_is_recognised_and_not_answered(path, change):
    real = loaded(path)
    said = refused(lambda: real.run_example("<OD>", change(real.pictures["cup.jpg"])))
    assert "looks like 'cup.jpg'" in said and "florence.pictures['cup.jpg']" in said


def test_a_picture_may_be_drawn_on_without_harm(path):
    real = loaded(path)
    real.pictures["cup.jpg"].paste("black", (0, 0, 99, 99))
    assert real.run_example("<OD>", real.pictures["cup.jpg"]).labels


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (900, 3), (64, 48), (2000, 1500)])
def test_a_page_of_any_size_can_be_drawn(size):
    page = empty_page(size, "A title\nin two lines with 中文, " + "and much more " * 30)
    assert page.size == size and page.mode == "RGB" and max(page.getpixel((0, 0))) < 240


# ---- what was not asked


def test_it_says_kindly_what_it_was_not_asked(path):
    real = loaded(path)
    cup = real.pictures["cup.jpg"]
    said = refused(lambda: real.run_example("<OPEN_VOCABULARY_DETECTION>", cup, "spoons"))
    assert "with 'spoons': recorded are 'spoon', " in said
    said = refused(lambda: real.run_example("<REGION_TO_CATEGORY>", cup, (1, 2, 30, 40)))
    assert "with (1, 2, 30, 40): recorded are (30, 20, 150, 100), (150, 100, 240, 180)" in said
    said = refused(lambda: real.run_example("<OD>", Image.new("RGB", (99, 70), "blue")))
    assert "does not know the picture of 99 x 70: it knows cat.png, cup.jpg" in said
    said = refused(lambda: real.questions("dog.png"))
    assert "cat.png, cup.jpg" in said


def test_a_task_that_was_not_asked(recorded):
    said = refused(lambda: recorded.run_example("<OCR>", "car"))
    assert "<OCR> was not recorded for 'car': recorded are <CAPTION>, <OD>" in said
    assert "needs text_input" in refused(lambda: recorded.run_example("<OPEN_VOCABULARY_DETECTION>", "car"))
    assert "did you mean <OD>" in refused(lambda: recorded.run_example("<od>", "car"))


@pytest.mark.parametrize(
    "other", [{"num_beams": 1}, {"max_new_tokens": 7}, {"do_sample": True}, {"top_p": 0.5}]
)
def test_other_settings_were_not_asked(path, other):
    real = loaded(path)
    said = refused(lambda: real.run_example("<OD>", "cup.jpg", **other))
    (name, value), *_ = other.items()
    assert f"{name}={value!r} was not recorded, but max_new_tokens=160, num_beams=3" in said


def test_the_settings_of_the_record_are_taken(path, recorded):
    assert loaded(path).run_example("<OD>", "cup.jpg", num_beams=3, max_new_tokens=160).labels
    answer = recorded.run_example("<OD>", "car", max_new_tokens=100)
    assert answer.settings == {"max_new_tokens": 100}
    assert answer.notes == ("Recorded from base, max_new_tokens=100.",)


@pytest.mark.parametrize(
    "use",
    [
        lambda real: real.model,
        lambda real: real.processor,
        lambda real: real.device,
        lambda real: real.dtype,
        lambda real: real.feature_cache,
        lambda real: real.encode_images([]),
        lambda real: real.forget(),
        lambda real: token_table(real.run_example("<CAPTION>", "car")),
        lambda real: beam_tree(real.run_example("<CAPTION>", "car")),
        lambda real: fnb.explore(real.run_example("<CAPTION>", "car")),
        lambda real: fnb.scene_composer(real),
        lambda real: fnb.record(real, out="a.json"),
    ],
)
def test_what_needs_the_model_says_so(recorded, use):
    said = refused(lambda: use(recorded))
    assert "needs the model itself" in said and 'load("mini")' in said


def test_an_unknown_attribute_is_unknown(recorded):
    assert not hasattr(recorded, "_repr_html_") and repr(recorded).startswith(
        "RecordedFlorence('recorded': 11 "
    )


# ---- bad files


def changed(path: Path, **fields) -> Path:
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | fields), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "fields, said",
    [
        (
            {"version": 2, "made_with": {"florence-nb": "9.0"}},
            "format 2, and this florence-nb reads format 1",
        ),
        ({"format": "something else"}, "is no record of florence-nb"),
        ({"pictures": []}, "is a damaged record"),
        ({"checkpoints": []}, "is a damaged record"),
        ({"answers": 7}, "is a damaged record"),
        (
            {
                "answers": [
                    {"picture": "cup.jpg", "checkpoint": "tiny", "task": "<X>", "raw": "", "ended": True}
                ]
            },
            "<X>",
        ),
        (
            {
                "answers": [
                    {"picture": "cup.jpg", "checkpoint": "tiny", "task": "<OD>", "raw": 1, "ended": True}
                ]
            },
            "its text",
        ),
        ({"pictures": [{"name": "cup.jpg", "size": [10**6, 10**6]}]}, "1000000 x 1000000"),
    ],
)
def test_a_file_that_is_no_good_record(path, fields, said):
    assert said in refused(lambda: loaded(changed(path, **fields)))


def test_files_that_are_cut_off_missing_or_something_else(path, tmp_path):
    whole = path.read_bytes()
    for rest in (b"", whole[:-1000], b"\xff\xfe\x00", b"[" * 100_000, b"[1, 2]"):
        path.write_bytes(rest)
        assert "record" in refused(lambda: loaded(path))
    assert "There is no record" in refused(lambda: loaded(tmp_path / "nowhere.json"))
    assert "no record" in refused(
        lambda: loading.load(str(Path(__file__).parents[1] / "florence_nb/mini/config.json"))
    )


def test_a_record_of_another_version_of_the_package_is_read(path):
    plain = json.loads(path.read_text(encoding="utf-8"))
    answers = [row | {"scores": [0.5] * 77, "future": 1} for row in plain["answers"]]
    real = loaded(changed(path, made_with={"florence-nb": "0.0.1"}, later={"a": 1}, answers=answers))
    answer = real.run_example("<OD>", "cup.jpg")
    assert answer.labels == ["cup", "spoon"] and answer.scores is None  # they were counted otherwise


# ---- the real answers that come with the package


def test_real_answers_are_shown_on_pages(recorded):
    assert {name: recorded.pictures[name].size for name in recorded.pictures} == {
        "car": (640, 480),
        "australia": (1300, 876),
    }
    for name in recorded.pictures:
        for task, text_input in recorded.questions(name):
            answer = recorded.run_example(task, recorded.pictures[name], text_input)
            assert fnb.show(answer).width == 480 and "Recorded from" in answer.notes[-1]


def test_the_answers_of_one_checkpoint(recorded):
    assert recorded.checkpoints == ("large", "base")
    said = {
        name: recorded.of(name).run_example("<DETAILED_CAPTION>", "australia").text
        for name in ("large", "base")
    }
    assert "black car" in said["large"] and "New York City" in said["base"]
    assert recorded.run_example("<DETAILED_CAPTION>", "australia").text == said["large"]
    assert "'mini'" in refused(lambda: recorded.of("mini"))


# ---- the playground, and the command line


def test_the_playground_of_a_record_offers_what_it_knows(recorded):
    panel = playground(recorded)
    assert [name for _, name in panel.source.options][:2] == ["car", "australia"]
    assert panel.task.value == "<OD>" and panel.answer.labels == ["car", "door handle", "wheel", "wheel"]
    panel.group.value = "grounding"
    panel.task.value = "<OPEN_VOCABULARY_DETECTION>"
    assert [words for words, _ in panel.recorded.options] == ["car", "wheels"]
    panel.recorded.value = "wheels"
    assert panel.wait(20) and panel.answer.text_input == "wheels" and "Done" in panel.status.value
    panel.phrase.value = "a dog"
    panel.run.click()
    assert panel.wait(20) and "was not recorded for 'car' with 'a dog'" in panel.status.value.replace(
        "&#x27;", "'"
    )
    panel.source.value = "australia"
    panel.group.value = "ocr"
    assert panel.wait(20) and "中文" in panel.answer.text and panel.answer.image.size == (1300, 876)


def test_the_playground_puts_recorded_regions_in(path):
    panel = playground(loaded(path), "cup.jpg", task="<REGION_TO_CATEGORY>")
    assert panel.region.box == (30, 20, 150, 100) and panel.answer.text == "nothing much"
    panel.recorded.value = (150, 100, 240, 180)
    assert panel.wait(20) and panel.answer.text_input == (150, 100, 240, 180)
    shown = list(descendants(panel))
    assert panel.recorded in shown and panel.settings["num_beams"] not in shown  # no other settings are known


def descendants(widget):
    for child in getattr(widget, "children", ()):
        yield child
        yield from descendants(child)


def test_the_playground_of_a_model_is_as_it_was(mini):
    panel = playground(mini, "street", ask=False)
    assert panel.recorded.layout.display == "none" and panel.task.value == "<OD>"


def test_the_command_records_and_says_how_to_use_it(florence, folder, tmp_path, monkeypatch, capsys):
    loads = []
    monkeypatch.setattr(loading, "load", lambda name, **how: (loads.append((name, how)), florence)[1])
    monkeypatch.chdir(tmp_path)
    assert (
        cli.main(["record", "large", "--pictures", "photos", "--out", "large.json", "--dtype", "float16"])
        == 0
    )
    said = capsys.readouterr().out.splitlines()
    assert loads == [("large", {"device": None, "dtype": "float16", "revision": None, "quiet": True})]
    assert said[-2].startswith("RecordedFlorence('large.json': ")
    assert said[-1] == 'In Python: florence_nb.load("large.json")'
    assert cli.main(["record", "large", "--pictures", "nowhere", "--out", "b.json"]) == 2
    assert len(loads) == 1 and "The folder of pictures nowhere cannot be read" in capsys.readouterr().err


def test_a_record_is_a_checkpoint_of_the_command_line(florence, tmp_path, monkeypatch, capsys):
    fnb.record(florence, ["coffee"], tmp_path / "a.json", progress=False)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["run", "coffee", "OD", "--checkpoint", "a.json", "--no-save"]) == 0
    assert json.loads(capsys.readouterr().out)["labels"] == ["cup", "spoon"]


def test_the_lines_of_the_reference_run(florence, tmp_path, monkeypatch, capsys):
    reference = (Path(__file__).parents[1] / "REFERENCE.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(real = .*?)```", reference, flags=re.DOTALL)
    fnb.record(florence, ["coffee"], tmp_path / "large.json", progress=False)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "REFERENCE.md", "exec"), {"fnb": fnb})
    assert "recorded from tiny" in capsys.readouterr().out
