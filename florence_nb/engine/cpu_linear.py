"""Linear layers with a row for each beam, on a CPU.

On one machine PyTorch multiplies three rows by a table of 51 328 words in 35 ms on two cores, but the table
by three columns, which gives the same numbers, in 6 ms. On another it is 5 ms against 10. So `is_faster_here`
tries it. One row and many are as fast either way, and a layer that narrows is better left alone.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

MOST_ROWS = 24
LEAST_WIDTH = 512
"""In narrower models (mini) a layer takes less time than the choice between the two orders."""


class TransposedLinear(TorchFunctionMode):
    """While it is entered, linear layers multiply few rows of float32 the quick way round."""

    def __torch_function__(self, func: Callable, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is not torch.nn.functional.linear or kwargs or len(args) < 2:
            return func(*args, **(kwargs or {}))
        inputs, weight = args[:2]
        rows = inputs.numel() // inputs.shape[-1]
        ours = inputs.dtype == torch.float32 and inputs.device.type == "cpu"
        if not ours or not 1 < rows <= MOST_ROWS or weight.shape[0] < weight.shape[1]:
            return func(*args)
        # Attention wants the numbers of a row side by side.
        out = (weight @ inputs.reshape(rows, -1).t()).t().contiguous()
        if len(args) > 2 and args[2] is not None:
            out = out + args[2]
        return out.reshape(*inputs.shape[:-1], -1)


@cache
def is_faster_here(threads: int) -> bool:
    """Whether the other way round takes less than two thirds of the time on this CPU: measured once for a
    number of threads.
    """
    inputs, weight = torch.ones(3, 768), torch.ones(16384, 768)

    def seconds(mode: AbstractContextManager) -> float:
        with mode:
            return min(timeit.repeat(lambda: torch.nn.functional.linear(inputs, weight), number=1, repeat=5))

    return 1.5 * seconds(TransposedLinear()) < seconds(nullcontext())


def transposed_linear(model: Any) -> AbstractContextManager:
    """`TransposedLinear` where it pays: in wide models, in float32, on a CPU that is slower without."""
    fits = (
        model.device.type == "cpu"
        and model.dtype == torch.float32
        and model.config.text_config.d_model >= LEAST_WIDTH
    )
    return TransposedLinear() if fits and is_faster_here(torch.get_num_threads()) else nullcontext()
