"""`Florence.run_many`: batches that answer as single calls do, errors in their place, and a file that
survives kill -9.
"""

from __future__ import annotations

import errno
import io
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from florence_nb import TASKS, Answer, Florence, InputError
from florence_nb.scenes import random_scene, words
from tests import tiny

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = {"max_new_tokens": 12, "progress": False}


def picture(number: int) -> Image.Image:
    return Image.effect_mandelbrot((60 + 7 * number, 50 + number), (-2, -1, 1, 1 + number / 9), 40).convert(
        "RGB"
    )


def mixed() -> list[tuple]:
    return [
        ("<OD>", picture(0)),
        ("<CAPTION_TO_PHRASE_GROUNDING>", picture(1), "a red car beside a very old house"),
        ("<REGION_TO_CATEGORY>", picture(0), (5, 5, 40, 40)),
        ("<CAPTION>", np.asarray(picture(2))),
        ("<OCR_WITH_REGION>", picture(3)),
        ("<OPEN_VOCABULARY_DETECTION>", picture(0), "car"),
        ("<REFERRING_EXPRESSION_SEGMENTATION>", picture(4), "the red car"),
    ]


@pytest.fixture(scope="module")
def florence() -> Florence:
    processor = tiny.processor()
    return Florence(tiny.model(processor.tokenizer), processor, "tiny")


def lines(out: Path) -> list[dict]:
    return [json.loads(line) for line in out.read_bytes().decode("utf-8").split("\n")[:-1]]


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_batched_answers_equal_single_ones(florence, beams, batch_size):
    florence.forget()
    many = florence.run_many(mixed(), batch_size=batch_size, num_beams=beams, **SETTINGS)
    florence.forget()
    for request, answer in zip(mixed(), many, strict=True):
        single = florence.run_example(*request, num_beams=beams, max_new_tokens=12)
        assert (answer.task, answer.token_ids, answer.raw) == (single.task, single.token_ids, single.raw)
        assert (
            answer.truncated == single.truncated
            and answer.labels == single.labels
            and answer.image_size == single.image_size
        )
        if single.scores is not None:
            np.testing.assert_allclose(answer.scores, single.scores, rtol=1e-3)


@pytest.mark.parametrize("beams", [1, 3])
def test_batched_answers_of_mini_equal_single_ones(mini, beams):
    """All fifteen tasks, pictures of three shapes, a model that means what it says."""
    scenes = [
        random_scene(seed, size=size, most=3)
        for seed, size in enumerate([(288, 288), (384, 256), (200, 300)])
    ]
    give = {
        "nothing": lambda s: (),
        "phrase": lambda s: (words.name_of(s.things[0]),),
        "region": lambda s: (s.things[0].box,),
    }
    requests = [
        (task.prompt, s.image, *give[task.takes](s))
        for number, task in enumerate(TASKS.values())
        for s in [scenes[number % 3]]
    ]
    mini.forget()
    many = mini.run_many(requests, batch_size=8, num_beams=beams, max_new_tokens=40, progress=False)
    mini.forget()
    singles = [mini.run_example(*request, num_beams=beams, max_new_tokens=40) for request in requests]
    assert [answer.raw for answer in many] == [answer.raw for answer in singles]
    assert sum(len(answer.token_ids) > 3 for answer in many) >= 12


def test_rows_of_a_batch_end_where_they_end(florence):
    """A short answer beside a long one is padded: neither its raw string nor its ids show it."""
    words, seen = florence.processor.tokenizer, []
    texts = ["<s>car<loc_1><loc_2><loc_3><loc_4></s>", "<s>a long answer <loc_5><loc_6><loc_7><loc_8></s>"]
    scripts = [tiny.Script(words, text) for text in texts]

    def both(input_ids, scores):
        seen.append(len(input_ids))
        rows = [script(input_ids, scores) for script in scripts]
        scores = rows[0].clone()
        scores[1] = rows[1][1]
        return scores

    requests = [("<OD>", picture(0)), ("<OD>", picture(1))]
    short, long = florence.run_many(requests, num_beams=1, logits_processor=[both], progress=False)
    assert (short.raw, long.raw) == tuple("</s>" + text for text in texts)
    assert (
        (short.labels, long.labels) == (["car"], ["a long answer"])
        and not short.truncated
        and not long.truncated
    )
    assert "<pad>" not in short.raw and len(short.scores) == len(long.scores) == 1


def test_a_picture_asked_many_things_is_seen_once(florence, monkeypatch):
    seen = []
    real = Florence.encode_images
    monkeypatch.setattr(
        Florence, "encode_images", lambda self, images: (seen.append(len(images)), real(self, images))[1]
    )
    for kept in (256, 0):
        florence.forget()
        monkeypatch.setattr(florence.feature_cache, "limit", kept * 2**20)
        florence.run_many(
            [("<OD>", picture(5)), ("<CAPTION>", picture(5)), ("<OCR>", picture(6))], **SETTINGS
        )
    assert seen == [2, 2]


def test_one_bad_request_costs_one_answer(florence, tmp_path):
    (tmp_path / "text.txt").write_text("no picture")
    requests = [
        ("<OD>", picture(0)),
        ("<OD>", tmp_path / "text.txt"),
        ("<OD>", tmp_path / "nowhere.png"),
        ("<od>", picture(0)),
        "<OD>",
        ("<REGION_TO_OCR>", picture(0), (50, 5, 4, 40)),
        ("<CAPTION>", picture(0)),
    ]
    answers = florence.run_many(requests, batch_size=4, **SETTINGS)
    assert [isinstance(answer, Answer) for answer in answers] == [
        True,
        False,
        False,
        False,
        False,
        False,
        True,
    ]
    assert all(isinstance(error, InputError) for error in answers[1:6])
    assert "did you mean <OD>" in str(answers[3]) and "A request is (task, image)" in str(answers[4])


def test_no_requests_no_answers(florence, tmp_path):
    assert florence.run_many([], out=tmp_path / "a.jsonl", **SETTINGS) == []


def test_batch_size_is_checked(florence):
    with pytest.raises(InputError, match="batch_size is at least 1"):
        florence.run_many(mixed(), batch_size=0, **SETTINGS)


def test_the_file_has_one_line_an_answer_and_gives_them_back(florence, tmp_path, monkeypatch):
    out = tmp_path / "answers.jsonl"
    requests = [*mixed(), ("<OD>", tmp_path / "nowhere.png")]
    first = florence.run_many(requests, batch_size=3, out=out, **SETTINGS)
    assert [line["index"] for line in lines(out)] == list(range(8)) and "nowhere.png" in lines(out)[-1][
        "error"
    ]
    assert all(answer.image is None for answer in first[:-1])
    monkeypatch.setattr(Florence, "answer_batch", None)
    again = florence.run_many(requests, batch_size=3, out=out, **SETTINGS)
    assert again[:-1] == first[:-1] and str(again[-1]) == str(first[-1]) and len(lines(out)) == 8
    for one, other in zip(first[:-1], again[:-1], strict=True):
        np.testing.assert_array_equal(one.boxes, other.boxes)
        assert repr(one) == repr(other)


def test_line_separators_in_an_answer_do_not_break_its_line(florence, tmp_path):
    out, odd = tmp_path / "answers.jsonl", "one\u2028two\x85three\nfour"
    settings = {
        "logits_processor": [tiny.Script(florence.processor.tokenizer, f"<s>{odd}</s>")],
        "progress": False,
        "num_beams": 1,
    }
    first = florence.run_many([("<OCR>", picture(0))], out=out, **settings)
    assert first[0].text == odd and florence.run_many([("<OCR>", picture(0))], out=out, **settings) == first


def test_answers_without_a_file_carry_their_picture(florence):
    assert florence.run_many([("<OD>", picture(0))], **SETTINGS)[0].image.size == picture(0).size


@pytest.mark.parametrize("keep", [0, 1, 200, 2000])
def test_a_broken_last_line_is_asked_again(florence, tmp_path, keep):
    out = tmp_path / "answers.jsonl"
    whole = florence.run_many(mixed(), batch_size=2, out=out, **SETTINGS)
    data = out.read_bytes()
    out.write_bytes(data[: len(data) - keep])
    assert florence.run_many(mixed(), batch_size=2, out=out, **SETTINGS) == whole
    assert sorted(line["index"] for line in lines(out)) == list(range(7))


@pytest.mark.parametrize("change", ["tasks", "pictures", "settings", "checkpoint", "junk"])
def test_a_file_of_something_else_is_not_touched(florence, tmp_path, change):
    out = tmp_path / "answers.jsonl"
    florence.run_many(mixed()[:3], out=out, **SETTINGS)
    requests, settings, other = mixed()[:3], dict(SETTINGS), florence
    if change == "tasks":
        requests = [("<OCR_WITH_REGION>", picture(n)) for n in range(3)]
    elif change == "pictures":
        requests = [("<OD>", picture(n)) for n in (11, 12)]
    elif change == "settings":
        settings["num_beams"] = 2
    elif change == "checkpoint":
        other = Florence(florence.model, florence.processor, "other")
    else:
        out.write_text("dear diary\n")
    before = out.read_bytes()
    with pytest.raises(InputError, match="choose another file"):
        other.run_many(requests, out=out, **settings)
    assert out.read_bytes() == before


@pytest.mark.parametrize(
    "order", [[0, 1, 9, 2], [9, 0, 1, 2], [2, 1, 0], [1], [0, 0, 1], [2, 9, 0, 10]], ids=str
)
def test_answers_are_known_by_their_request_and_not_by_their_place(florence, tmp_path, monkeypatch, order):
    out = tmp_path / "answers.jsonl"
    first = florence.run_many([("<OD>", picture(n)) for n in range(3)], out=out, **SETTINGS)
    asked, real = [], Florence.answer_batch
    monkeypatch.setattr(
        Florence, "answer_batch", lambda self, rs, settings: (asked.extend(rs), real(self, rs, settings))[1]
    )
    again = florence.run_many([("<OD>", picture(n)) for n in order], out=out, **SETTINGS)
    assert len(asked) == len(order) - len({*order} & {0, 1, 2})
    assert all(answer == first[n] for n, answer in zip(order, again, strict=True) if n < 3)


def test_the_file_is_made_with_its_folders_before_the_first_batch(florence, tmp_path):
    out = tmp_path / "new" / "folder" / "answers.jsonl"
    florence.run_many(mixed()[:2], out=out, **SETTINGS)
    assert len(lines(out)) == 2


@pytest.mark.parametrize("place", ["folder", "file in a file", "no rights", "full disk"])
def test_a_file_that_cannot_be_written_costs_no_batch(florence, tmp_path, monkeypatch, place):
    out = tmp_path / "answers.jsonl"
    if place == "folder":
        out.mkdir()
    elif place == "file in a file":
        (tmp_path / "plain").write_text("x")
        out = tmp_path / "plain" / "answers.jsonl"
    else:
        number = {"no rights": errno.EACCES, "full disk": errno.ENOSPC}[place]

        def refused(self, *args, **more):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(Path, "open", refused)
    monkeypatch.setattr(Florence, "answer_batch", None)
    with pytest.raises(InputError, match="cannot be written"):
        florence.run_many(mixed()[:2], out=out, **SETTINGS)


class Odd:
    """A picture that fails in whatever way."""

    def __init__(self, error):
        self.error = error

    @property
    def __array__(self):
        raise self.error


@pytest.mark.parametrize("with_file", [False, True])
def test_every_odd_request_gives_its_error_in_its_place(florence, tmp_path, with_file):
    odd = [
        ("<CAPTION>", Odd(RuntimeError("strange"))),
        ("<CAPTION>", Odd(RecursionError("deep"))),
        ("<CAPTION_TO_PHRASE_GROUNDING>", picture(0), "half an emoji \ud83d"),
        ("<OPEN_VOCABULARY_DETECTION>", picture(0), ["car"]),
        ("<REGION_TO_CATEGORY>", picture(0), (0.1, 0.1, 0.9, 0.9)),
        "street",
        (None, picture(0)),
        ("<CAPTION>", float("nan")),
    ]
    requests = [request for one in odd for request in (one, ("<CAPTION>", picture(1)))]
    out = tmp_path / "answers.jsonl" if with_file else None
    answers = florence.run_many(requests, out=out, **SETTINGS)
    assert all(isinstance(error, Exception) and str(error) for error in answers[::2])
    assert all(isinstance(answer, Answer) for answer in answers[1::2])


def test_a_batch_that_fails_is_asked_one_by_one(florence, monkeypatch):
    real = Florence.answer_batch

    def picky(self, requests, settings):
        if any(request.task == "<OCR>" for request in requests):
            raise MemoryError("The GPU's memory is full.")
        return real(self, requests, settings)

    monkeypatch.setattr(Florence, "answer_batch", picky)
    answers = florence.run_many(
        [("<OD>", picture(0)), ("<OCR>", picture(0)), ("<CAPTION>", picture(1))], **SETTINGS
    )
    assert [type(answer) for answer in answers] == [Answer, MemoryError, Answer]


def test_settings_that_differ_by_a_hair_are_different(florence, tmp_path):
    fine = [{"do_sample": True, "temperature": value, "seed": 1, **SETTINGS} for value in (0.125, 0.12)]
    one, other = (florence.run_many([("<OD>", picture(0))], **settings)[0] for settings in fine)
    assert one.settings["temperature"] == 0.125 and one.to_dict()["settings"] != other.to_dict()["settings"]
    out = tmp_path / "answers.jsonl"
    florence.run_many([("<OD>", picture(0))], out=out, **fine[0])
    assert florence.run_many([("<OD>", picture(0))], out=out, **fine[0])[0].settings["temperature"] == 0.125


def test_requests_are_known_by_content(florence, tmp_path):
    out = tmp_path / "answers.jsonl"
    file = io.BytesIO()
    picture(0).save(file, "PNG")
    region = ("<REGION_TO_OCR>", picture(2), np.array([1, 2, 30, 40]))
    requests = [
        ("<OD>", file.getvalue()),
        ("<OD>", np.asarray(picture(1))),
        ("<OD>", np.zeros((1, 1, 3), np.uint8)),
        region,
    ]
    first = florence.run_many(requests, out=out, **SETTINGS)
    requests[-1] = ("<REGION_TO_OCR>", picture(2), (1, 2, 30, 40))
    assert florence.run_many(requests, out=out, **SETTINGS) == first and len(lines(out)) == 4


def test_the_progress_bar_counts_answers(florence, capsys):
    florence.run_many(mixed()[:3], batch_size=2, max_new_tokens=3)
    assert "3/3" in capsys.readouterr().err


JOB = """
    import sys, time
    sys.path.insert(0, {root!r})
    from tests import tiny
    from tests.test_batches import JOB_SETTINGS, job_requests
    from florence_nb import Florence

    class Slow(Florence):
        def answer_batch(self, questions, settings):
            time.sleep(0.2)
            return super().answer_batch(questions, settings)

    processor = tiny.processor()
    Slow(tiny.model(processor.tokenizer), processor, "tiny").run_many(job_requests({folder!r}), out={out!r},
    **JOB_SETTINGS)
"""
JOB_SETTINGS = {"batch_size": 2, "max_new_tokens": 20, "num_beams": 1, "progress": False}


def job_requests(folder: str) -> list[tuple]:
    return [("<OD>" if n % 2 else "<CAPTION>", f"{folder}/{n % 5}.png") for n in range(40)]


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is a signal of POSIX systems")
def test_a_killed_run_goes_on_where_it_stopped(florence, tmp_path):
    for n in range(5):
        picture(n).save(tmp_path / f"{n}.png")
    out = tmp_path / "answers.jsonl"
    command = [
        sys.executable,
        "-c",
        textwrap.dedent(JOB).format(root=str(ROOT), folder=str(tmp_path), out=str(out)),
    ]
    counts = [0]
    for _ in range(2):
        with subprocess.Popen(command, cwd=ROOT) as job:
            wait_for_more(out, counts[-1], job)
            os.kill(job.pid, signal.SIGKILL)
            assert job.wait() == -signal.SIGKILL
        counts.append(out.read_bytes().count(b"\n"))
    assert 0 < counts[1] < counts[2] < 40
    with out.open("ab") as file:  # what a kill in the middle of a write leaves
        file.write(b'{"index": 39, "requ')
    resumed = florence.run_many(job_requests(str(tmp_path)), out=out, **JOB_SETTINGS)
    assert sorted(line["index"] for line in lines(out)) == list(range(40))
    fresh = florence.run_many(job_requests(str(tmp_path)), **JOB_SETTINGS)
    assert [answer.token_ids for answer in resumed] == [answer.token_ids for answer in fresh]


def wait_for_more(out: Path, count: int, job: subprocess.Popen) -> None:
    until = time.monotonic() + 400  # a busy machine may take minutes to import torch
    while not out.exists() or out.read_bytes().count(b"\n") < count + 4:
        assert job.poll() is None and time.monotonic() < until, "the run ended or wrote nothing"
        time.sleep(0.05)
