"""A few rows are multiplied the other way round, with the same result."""

import time

import pytest
import torch
from torch.nn.functional import linear

from florence_nb.engine import cpu_linear as module
from florence_nb.engine.cpu_linear import TransposedLinear, transposed_linear


@pytest.mark.parametrize("rows", (1, 2, 3, 24, 25))
@pytest.mark.parametrize("shape", ((48, 16), (16, 48)))
@pytest.mark.parametrize("bias", (True, False))
def test_the_result_is_that_of_linear(rows, shape, bias):
    torch.manual_seed(0)
    inputs, weight, add = (
        torch.randn(rows, 1, shape[1]),
        torch.randn(*shape),
        torch.randn(shape[0]) if bias else None,
    )
    with TransposedLinear():
        out = linear(inputs, weight, add)
        layer = torch.nn.Linear(shape[1], shape[0])(inputs)
    assert torch.allclose(out, linear(inputs, weight, add), atol=1e-5) and out.is_contiguous()
    assert layer.shape == (rows, 1, shape[0])


@pytest.mark.parametrize("dtype", (torch.float64, torch.bfloat16))
def test_other_numbers_are_left_alone(dtype):
    inputs, weight = torch.randn(3, 8, dtype=dtype), torch.randn(16, 8, dtype=dtype)
    with TransposedLinear():
        assert (
            torch.equal(linear(inputs, weight), linear(inputs, weight))
            and linear(inputs, weight).dtype == dtype
        )


def test_only_wide_models_on_a_cpu_take_it(mini, monkeypatch):
    monkeypatch.setattr(module, "is_faster_here", lambda threads: True)
    assert not isinstance(transposed_linear(mini.model), TransposedLinear)
    plain = mini.run_example("<OD>", "street")
    monkeypatch.setattr(module, "LEAST_WIDTH", 1)
    assert isinstance(transposed_linear(mini.model), TransposedLinear)
    wide = mini.run_example("<OD>", "street")
    assert wide.token_ids == plain.token_ids
    mini.forget()


@pytest.mark.parametrize(("flipped", "pays"), ((0.0, True), (0.02, False)))
def test_a_cpu_on_which_it_is_slower_does_without(mini, monkeypatch, flipped, pays):
    """The plain way takes 0.01 s, the other one ``flipped`` seconds."""
    inside = []
    monkeypatch.setattr(TransposedLinear, "__enter__", lambda self: inside.append(self))
    monkeypatch.setattr(TransposedLinear, "__exit__", lambda self, *_: inside.clear())
    monkeypatch.setattr(torch.nn.functional, "linear", lambda *_: time.sleep(flipped if inside else 0.01))
    module.is_faster_here.cache_clear()
    monkeypatch.setattr(module, "LEAST_WIDTH", 1)
    try:
        assert isinstance(transposed_linear(mini.model), TransposedLinear) == pays
    finally:
        module.is_faster_here.cache_clear()
