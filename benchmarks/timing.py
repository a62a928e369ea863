"""Two ways of doing the same, timed by turns."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Attributes:
        name: what was measured. against: what it is compared with, or "".
        value: a ratio, or seconds, as ``unit`` says; the median of all rounds. low, high: the smallest and
            largest of them.
        wanted: ``">= 2.3"`` and the like. same: whether both sides gave the same tokens; None where there is
            nothing to compare.
        note: seconds of each side, or what else helps to read it.
    """

    name: str
    against: str
    value: float
    low: float
    high: float
    unit: str
    wanted: str
    same: bool | None = None
    note: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the wanted figure is reached; None where none is wanted."""
        if not self.wanted:
            return None
        sign, number = self.wanted.split()[:2]
        return self.value >= float(number) if sign == ">=" else self.value <= float(number)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"reached": self.reached}


def seconds(work: Callable[[], Any], device: str = "cpu") -> tuple[float, Any]:
    """How long it takes, and what comes out."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    start = time.perf_counter()
    result = work()
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter() - start, result


def by_turns(
    sides: dict[str, Callable[[], Any]], rounds: int, device: str = "cpu", warm: bool = True
) -> tuple[dict[str, list[float]], dict[str, Any]]:
    """Seconds of every side for every round, one after the other in each, and the last results.

    With ``warm`` one round before them is not counted.
    """
    times: dict[str, list[float]] = {name: [] for name in sides}
    results: dict[str, Any] = {}
    for turn in range(rounds + warm):
        for name, work in sides.items():
            taken, results[name] = seconds(work, device)
            if turn >= warm:
                times[name].append(taken)
    return times, results


def ratio(
    name: str, against: str, slow: list[float], fast: list[float], wanted: str = "", same: bool | None = None
) -> Figure:
    """How many times faster: the median of the rounds' ratios."""
    ratios = [s / f for s, f in zip(slow, fast, strict=True)]
    note = f"{statistics.median(slow):.2f} s → {statistics.median(fast):.2f} s"
    return Figure(name, against, statistics.median(ratios), min(ratios), max(ratios), "×", wanted, same, note)


def plain(name: str, values: list[float], unit: str, wanted: str = "", note: str = "") -> Figure:
    """The median of some values."""
    return Figure(name, "", statistics.median(values), min(values), max(values), unit, wanted, None, note)
