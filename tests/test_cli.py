"""The command line: JSON on stdout, one sentence on stderr, exit codes that a script can use."""

from __future__ import annotations

import base64
import importlib
import io
import json
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
from PIL import Image

from florence_nb import checkpoints, cli, images, loading
from florence_nb.answers import Answer
from florence_nb.errors import CheckpointError
from florence_nb.images import open_image
from florence_nb.parsing import parse

from . import tiny

check_module = importlib.import_module("florence_nb.check")  # the package's own `check` is the function

FIRST_LESSON = "00_understanding_florence2.ipynb"
OD = "</s><s>cup<loc_100><loc_100><loc_500><loc_900></s>"


class Recorder:
    """Stands where the model stands, and keeps what it was asked."""

    def __init__(self) -> None:
        self.loads: list[tuple] = []
        self.calls: list[dict] = []

    def load(self, name: str, **settings) -> Recorder:
        print("something that a person should know")
        self.loads.append((name, settings))
        return self

    def run_example(self, task, image, text_input=None, **settings) -> Answer:
        self.calls.append({"task": task, "size": image.size, "text_input": text_input, **settings})
        answer = parse(OD if task == "<OD>" else "</s><s>a cup, café 車</s>", task, image.size)
        answer.image = image
        return answer


@pytest.fixture
def florence(monkeypatch, tmp_path) -> Recorder:
    recorder = Recorder()
    monkeypatch.setattr(loading, "load", recorder.load)
    monkeypatch.chdir(tmp_path)
    return recorder


def error_of(capsys, *arguments: str) -> str:
    """Run a command that must end with code 2, print nothing on stdout and one line on stderr; return that
    line.
    """
    assert cli.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith(f"florence-nb {arguments[0]}: ")
    return err


# ---- run


@pytest.mark.parametrize("task", ["OD", "od", "<OD>", "<od>"])
def test_run_prints_json_and_saves_the_picture(florence, capsys, task):
    assert cli.main(["run", "coffee", task]) == 0
    out, err = capsys.readouterr()
    answer = json.loads(out)
    assert answer["task"] == "<OD>" and answer["labels"] == ["cup"] and len(answer["boxes"][0]) == 4
    assert "coffee-od.png" in err and "something that a person should know" in err
    picture = Image.open("coffee-od.png")
    assert picture.mode == "RGB" and picture.width > 100
    assert florence.loads == [("mini", {"device": None, "dtype": None})]
    assert (
        florence.calls[0] | {"task": "<OD>", "size": (600, 400), "num_beams": 3, "max_new_tokens": 1024}
        == florence.calls[0]
    )


def test_run_passes_every_setting_on(florence):
    arguments = (
        "run coffee od --checkpoint large --device cpu --dtype float32 --beams 1 --max-new-tokens 7 --sample"
    )
    assert (
        cli.main([*arguments.split(), "--temperature", "0.5", "--top-p", "0.9", "--seed", "4", "--no-save"])
        == 0
    )
    assert florence.loads == [("large", {"device": "cpu", "dtype": "float32"})]
    wanted = {
        "num_beams": 1,
        "max_new_tokens": 7,
        "do_sample": True,
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 4,
    }
    assert florence.calls[0] | wanted == florence.calls[0]
    assert list(Path(".").iterdir()) == []


def test_run_with_base64_a_data_url_and_a_locked_folder(florence, capsys, monkeypatch):
    data = base64.b64encode((images.SAMPLES_FOLDER / "coffee.jpg").read_bytes()).decode()
    for image in (data, f"data:image/jpeg;base64,{data}"):
        assert cli.main(["run", image, "od"]) == 0
        assert Path("picture-od.png").is_file()
        Path("picture-od.png").unlink()
    capsys.readouterr()
    assert "not a path" in error_of(capsys, "run", "b" * 5000, "od")
    monkeypatch.setattr(cli.os, "access", lambda *_: False)
    assert "may not be written" in error_of(capsys, "run", "coffee", "od")
    assert florence.calls and len(florence.loads) == 2


def test_run_with_a_phrase_and_with_a_region(florence):
    assert cli.main(["run", "coffee", "open-vocabulary-detection", "a cup", "--no-save"]) == 0
    assert (
        cli.main(["run", "coffee", "region-to-category", "--region", "10", "20.5", "110", "90", "--no-save"])
        == 0
    )
    assert [call["task"] for call in florence.calls] == [
        "<OPEN_VOCABULARY_DETECTION>",
        "<REGION_TO_CATEGORY>",
    ]
    assert florence.calls[0]["text_input"] == "a cup"
    assert list(florence.calls[1]["text_input"]) == [10, 20.5, 110, 90]


def test_letters_of_every_script_reach_any_console(florence, monkeypatch):
    for encoding, kept in [("utf-8", True), ("cp1252", False)]:
        console = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        monkeypatch.setattr(sys, "stdout", console)
        assert cli.main(["run", "coffee", "caption", "--no-save"]) == 0
        console.flush()
        text = console.buffer.getvalue().decode(encoding)
        assert json.loads(text)["text"] == "a cup, café 車" and ("車" in text) is kept


def test_save_goes_where_it_is_told(florence, tmp_path):
    assert cli.main(["run", "coffee", "od", "--save", str(tmp_path / "out.jpg")]) == 0
    assert Image.open("out.jpg").format == "JPEG" and not Path("coffee-od.png").exists()


@pytest.mark.parametrize(
    "arguments, message",
    [
        ("nowhere.png od", "no file nowhere.png"),
        ("coffee odd", "<OD>"),
        ("coffee open-vocabulary-detection", "OPEN_VOCABULARY_DETECTION"),
        ("coffee od cats", "<OD>"),
        ("coffee region-to-category", "region"),
        ("coffee region-to-category --region 10 10 5 5", "region"),
        ("coffee region-to-category --region 700 10 800 50", "600"),
        ("coffee region-to-category cup --region 1 1 5 5", "either TEXT or --region"),
        ("coffee od --temperature 0.5", "No use of --temperature without --sample"),
        ("coffee od --beams 0", "--beams is 0"),
        ("coffee od --max-new-tokens 0", "--max-new-tokens is 0"),
        ("coffee od --save out", "no picture format"),
        ("coffee od --save out.txt", "no picture format"),
        ("coffee od --save no/such/out.png", "no folder"),
        ("ftp://example.com/a.png od", "not an http"),
    ],
)
def test_wrong_input_ends_with_one_sentence_before_any_model_is_loaded(florence, capsys, arguments, message):
    assert message in error_of(capsys, "run", *arguments.split())
    assert florence.calls == []
    assert list(Path(".").iterdir()) == []


def test_the_picture_asked_about_is_never_overwritten(florence, capsys):
    open_image("coffee").save("mine.png")
    before = Path("mine.png").read_bytes()
    assert "overwrite" in error_of(capsys, "run", "mine.png", "od", "--save", "./mine.png")
    assert Path("mine.png").read_bytes() == before


def test_a_checkpoint_that_cannot_be_had(florence, capsys, monkeypatch):
    def load(name, **_):
        raise CheckpointError(f"{name} is not here.")

    monkeypatch.setattr(loading, "load", load)
    assert "large is not here." in error_of(capsys, "run", "coffee", "od", "--checkpoint", "large")


def test_ctrl_c(florence, capsys, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(loading, "load", stopped)
    assert cli.main(["run", "coffee", "od"]) == 130
    assert capsys.readouterr() == ("", "stopped\n")


def test_run_for_real_in_its_own_process(tmp_path):
    checkpoint = tiny.save(tmp_path / "tiny")
    open_image("coffee").save(tmp_path / "cup.png")
    command = [sys.executable, "-m", "florence_nb", "run", "cup.png", "od", "--checkpoint", str(checkpoint)]
    done = subprocess.run([*command, "--max-new-tokens", "9"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["task"] == "<OD>" and json.loads(done.stdout)["image_size"] == [600, 400]
    assert Image.open(tmp_path / "cup-od.png").width > 100


# ---- check, lab, and what argparse refuses


def test_check_prints_the_report_and_its_verdict(capsys, monkeypatch):
    for state, code in [(check_module.OK, 0), (check_module.TODO, 1)]:
        report = check_module.Report((check_module.Row("Python", state, "3.11"),))
        monkeypatch.setattr(check_module, "check", lambda report=report: report)
        assert cli.main(["check"]) == code
        assert "Python  3.11" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", ["", "dance", "run", "run coffee", "run coffee od --beems 3", "fetch"])
def test_unknown_commands_and_options(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments.split())
    assert caught.value.code == 2 and "usage: florence-nb" in capsys.readouterr().err


def test_help_names_all_commands(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert all(name in text for name in ("check", "lab", "run", "fetch"))


@pytest.fixture
def started(monkeypatch, tmp_path) -> list[list[str]]:
    calls: list[list[str]] = []
    monkeypatch.chdir(tmp_path)

    class Lab:
        """Is interrupted once, then ends."""

        def __init__(self, command: list[str]) -> None:
            calls.append(command)
            self.answers = [KeyboardInterrupt(), 0]

        def wait(self) -> int:
            answer = self.answers.pop(0)
            if isinstance(answer, KeyboardInterrupt):
                raise answer
            return answer

    monkeypatch.setattr(cli.subprocess, "Popen", Lab)
    return calls


def test_lab_opens_the_first_lesson_passes_options_on_and_outlives_ctrl_c(started, tmp_path, capsys):
    pytest.importorskip("jupyterlab")
    assert cli.main(["lab", "--no-browser", "--port", "8889"]) == 0
    lesson = str(Path("florence-lessons") / FIRST_LESSON)
    assert started == [[sys.executable, "-m", "jupyterlab", lesson, "--no-browser", "--port", "8889"]]
    assert (tmp_path / lesson).is_file() and "lessons written" in capsys.readouterr().err


def test_lab_takes_a_folder_and_keeps_outputs(started, tmp_path, monkeypatch):
    pytest.importorskip("jupyterlab")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert cli.main(["lab", "--folder=~/my class", "--with-outputs"]) == 0
    assert started == [[sys.executable, "-m", "jupyterlab", str(tmp_path / "my class" / FIRST_LESSON)]]
    assert '"output_type"' in (tmp_path / "my class" / FIRST_LESSON).read_text(encoding="utf-8")


def test_lab_with_a_file_in_the_folders_place(started, tmp_path, capsys):
    (tmp_path / "florence-lessons").write_text("a letter")
    assert "florence-lessons is no folder" in error_of(capsys, "lab") and started == []


def test_lab_without_jupyterlab_still_copies_the_lessons(started, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(cli.importlib.util, "find_spec", lambda name: None)
    assert cli.main(["lab"]) == 2 and started == []
    assert "pip install jupyterlab" in capsys.readouterr().err
    assert (tmp_path / "florence-lessons" / FIRST_LESSON).is_file()


# ---- fetch


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A hub that gives a folder with the files named in `hub.files`, or raises `hub.error`."""
    import huggingface_hub

    class Hub:
        files: tuple[str, ...] = ("config.json", "tokenizer_config.json", "model.safetensors")
        error: Exception | None = None
        asked: dict = {}

    def snapshot_download(repository, **options):
        if options.get("local_files_only"):
            raise FileNotFoundError("the cache is empty")
        Hub.asked = {"repository": repository, **options}
        if Hub.error:
            raise Hub.error
        for file in Hub.files:
            (tmp_path / file).write_text("")
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    return Hub


@pytest.mark.parametrize(
    "name, repository",
    [
        ("large", "florence-community/Florence-2-large"),
        ("base-ft", "florence-community/Florence-2-base-ft"),
        ("microsoft/Florence-2-base", "florence-community/Florence-2-base"),
        ("someone/fine-tuned", "someone/fine-tuned"),
    ],
)
def test_fetch_says_how_to_use_the_result_here_and_elsewhere(hub, capsys, tmp_path, name, repository):
    assert cli.main(["fetch", name]) == 0
    out = capsys.readouterr().out
    assert (
        f'load("{name}", local_files_only=True)' in out
        and str(tmp_path) in out
        and "On another machine" in out
    )
    assert hub.asked["repository"] == repository and hub.asked["revision"] is None


def test_fetch_of_a_revision_tells_to_load_that_revision(hub, capsys):
    assert cli.main(["fetch", "large", "--revision", "abc"]) == 0
    assert 'load("large", revision="abc", local_files_only=True)' in capsys.readouterr().out
    assert hub.asked["revision"] == "abc"


def test_fetch_leaves_other_formats_on_the_hub(hub):
    cli.main(["fetch", "base"])

    def taken(file: str) -> bool:
        return any(fnmatch(file, pattern) for pattern in hub.asked["allow_patterns"])

    needed = "model.safetensors config.json tokenizer.json vocab.json merges.txt preprocessor_config.json"
    others = "pytorch_model.bin flax_model.msgpack model.onnx modeling.py README.md"
    assert [file for file in needed.split() if not taken(file)] == []
    assert [file for file in others.split() if taken(file)] == []


def test_fetch_mini_needs_nothing(hub, capsys, monkeypatch):
    monkeypatch.setattr(checkpoints, "find", lambda name, **_: Path(name))
    assert cli.main(["fetch", "mini"]) == 0
    assert "part of the package" in capsys.readouterr().out and hub.asked == {}


def test_fetch_without_network_names_the_three_ways_on(capsys, monkeypatch, tmp_path):
    import huggingface_hub

    real = huggingface_hub.snapshot_download
    nowhere = {"cache_dir": tmp_path / "empty", "endpoint": "http://127.0.0.1:9"}
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *a, **k: real(*a, **k, **nowhere))
    message = error_of(capsys, "fetch", "large")
    for words in (
        "florence-community/Florence-2-large",
        "1.5 GB",
        'load("mini")',
        "florence-nb fetch large",
        "folder",
    ):
        assert words in message


def test_fetch_of_what_the_hub_does_not_have(hub, capsys):
    hub.error = type("RepositoryNotFoundError", (Exception,), {})("404 Client Error\nmore")
    assert "knows no such checkpoint" in error_of(capsys, "fetch", "someone/nothing")
    assert "There is no checkpoint 'larg'" in error_of(capsys, "fetch", "larg")


def test_fetch_that_came_incomplete(hub, capsys):
    hub.files = ("config.json",)
    assert "only a part" in error_of(capsys, "fetch", "base")


def test_fetch_on_a_full_disk(hub, capsys, monkeypatch):
    monkeypatch.setattr(check_module.shutil, "disk_usage", lambda _: type("D", (), {"free": 5e6})())
    message = error_of(capsys, "fetch", "large")
    assert "1543 MB" in message and "5 MB free" in message and "HF_HOME" in message and hub.asked == {}
