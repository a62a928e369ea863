"""Long rings for the guards: many random answers, a job that is killed at any moment, threads with a small
cache.
"""

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

import florence_nb as fnb
from tests.test_batches import JOB, ROOT, job_requests, lines
from tests.token_soup import check_answers, soup


def test_a_hundred_thousand_answers_are_parsed_without_a_fault():
    assert check_answers(100_000, seed=1) > 50_000


def test_a_thousand_answers_are_drawn_without_a_fault():
    rng, tasks = random.Random(2), tuple(fnb.TASKS)
    image = Image.new("RGB", (64, 48), "white")
    for number in range(1000):
        answer = fnb.parse(soup(rng), tasks[number % len(tasks)], (64, 48))
        assert fnb.show(answer, image, width=120).width == 120


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is a signal of POSIX systems")
def test_a_job_killed_at_twenty_moments_loses_nothing(tmp_path):
    for n in range(5):
        Image.new("RGB", (40 + n, 30), (40 * n, 90, 90)).save(tmp_path / f"{n}.png")
    out, rng = tmp_path / "answers.jsonl", random.Random(3)
    job = textwrap.dedent(JOB).format(root=str(ROOT), folder=str(tmp_path), out=str(out))
    kills, before = 0, 0
    while kills < 20:
        process = subprocess.Popen([sys.executable, "-c", job])
        grown = before + rng.randint(0, 2) * 300
        while process.poll() is None and (not out.exists() or out.stat().st_size <= grown):
            time.sleep(0.005)
        time.sleep(rng.random() * 0.1)
        if process.poll() is not None:
            out.unlink(missing_ok=True)  # the job is done: begin anew
            before = 0
            continue
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
        before = out.stat().st_size if out.exists() else 0
    assert subprocess.run([sys.executable, "-c", job], timeout=600).returncode == 0
    whole = [line for line in lines(out) if "answer" in line]
    assert len(whole) == len(job_requests("")) == len({line["index"] for line in whole})


def test_eight_threads_and_a_small_cache_answer_as_one():
    florence = fnb.load("mini", quiet=True)
    florence.feature_cache.limit = 500_000  # room for two pictures with their prompts
    names = ["street", "beach", "snow", "harbour", "market", "kitchen"]
    tasks = ["<OD>", "<CAPTION>", "<OCR>"]
    work = [(task, name) for name in names for task in tasks] * 4

    def ask(request):
        return florence.run_example(*request, num_beams=1, max_new_tokens=40).raw

    alone = {request: ask(request) for request in set(work)}
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, work)) == [alone[request] for request in work]
    assert florence.feature_cache.bytes <= 500_000
