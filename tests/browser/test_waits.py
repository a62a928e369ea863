"""Waits that follow progress: slow is waited for, and a standstill fails."""

import itertools
import time

import pytest

from . import conftest


def test_a_slow_thing_is_waited_for_and_a_standstill_is_not(monkeypatch):
    monkeypatch.setattr(conftest, "STALL", 0.4)
    steps, ends = itertools.count(), time.monotonic() + 1.5
    waited = conftest.wait_while_it_goes_on(
        lambda: time.monotonic() > ends and "done", lambda: next(steps), time.sleep, "the end"
    )
    assert waited == "done"
    with pytest.raises(pytest.fail.Exception, match=r"nothing happened for 0.4 s while waiting for a bus"):
        conftest.wait_while_it_goes_on(lambda: False, lambda: "same", time.sleep, "a bus")
