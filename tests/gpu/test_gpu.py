"""On a CUDA device, `make test-gpu`: the answers of mini are those of the CPU, in every dtype, and memory
does not grow.
"""

import pytest
import torch

import florence_nb as fnb
from florence_nb.scenes import random_scene

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
SCENES = 12
TASKS = ("<CAPTION>", "<OD>", "<DENSE_REGION_CAPTION>", "<OCR>", "<REGION_PROPOSAL>")
REQUESTS = [(task, random_scene(seed).image) for seed in range(SCENES) for task in TASKS]
# Rounding decides between two tokens that are nearly equally likely: such a place is one or two bins
# elsewhere. On a CPU 0.80 of these answers in bfloat16 and 0.98 in float16 are those in float32, letter by
# letter; on other scenes 0.75 and 0.95 at the least.
AGREEING = {"float32": 0.97, "bfloat16": 0.7, "float16": 0.9}


@pytest.fixture(scope="module")
def on_cpu(mini):
    return [answer.raw for answer in mini.run_many(REQUESTS, num_beams=1, progress=False)]


@pytest.mark.parametrize("dtype", AGREEING)
def test_answers_agree_with_the_cpu(on_cpu, dtype):
    florence = fnb.load("mini", device="cuda", dtype=dtype, quiet=True)
    raws = [answer.raw for answer in florence.run_many(REQUESTS, num_beams=1, progress=False)]
    assert sum(a == b for a, b in zip(raws, on_cpu)) >= AGREEING[dtype] * len(REQUESTS)


def test_batches_agree_with_single_calls():
    florence = fnb.load("mini", device="cuda", dtype="float32", quiet=True)
    together = [answer.raw for answer in florence.run_many(REQUESTS, progress=False)]
    florence.forget()
    assert together == [florence.run_example(*request).raw for request in REQUESTS]


def test_memory_stays_within_the_bound_of_what_is_cached():
    florence = fnb.load("mini", device="cuda", quiet=True)
    florence.feature_cache.limit = 2**20
    florence.run_many(REQUESTS[:16], progress=False)
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    florence.run_many(REQUESTS, progress=False)
    assert torch.cuda.memory_allocated() - before < 2**20
