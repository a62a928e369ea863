"""Compares numbers with the true ones; a known wrong number gets its own sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .refusals import MayBeTheModel, NotYet
from .values import number_of


def check_number(
    answer: Any,
    truth: float,
    within: float = 0.0,
    slips: Mapping[float, str] | None = None,
    unit: str = "",
    off: type[NotYet] = NotYet,
) -> str:
    """Whether a number is right; returns it in words.

    Args:
        within: how far off it may be.
        slips: known wrong numbers, with the sentence that says how one comes to them.
        off: what to raise.

    Raises:
        NotYet: it is another number.
    """
    number = number_of(answer)
    if abs(number - truth) <= within + 1e-9:
        return f"{number:g}{unit} it is."
    for slip, words in (slips or {}).items():
        if abs(number - slip) <= max(within, 1e-6 * max(1.0, abs(slip))):
            raise off(words)
    raise off(f"{number:g}{unit} is too {'large' if number > truth else 'small'}.")


def check_share(
    answer: Any, truth: float, within: float, slips: Mapping[float, str] | None = None, meant: str = "share"
) -> str:
    """Whether a share, 0 to 1, is about right; returns it in words.

    Args:
        within: how far off it may be.
        slips: known wrong shares, each with its sentence; they count within a tenth of their value.
        meant: what it is a share of, in words.

    Raises:
        NotYet: it is another number. Percent and a fraction turned upside down are named.
    """
    share = number_of(answer)
    if abs(share - truth) <= within:
        return f"{share:.2f} it is; the true {meant} is {truth:.2f}."
    if abs(share / 100 - truth) <= within and share > 1:
        raise NotYet("this is in percent: a share goes from 0 to 1, so divide by 100.")
    if share > 1 and abs(1 / share - truth) <= within:
        raise NotYet("the fraction is upside down: divide the part by the whole.")
    for slip, words in (slips or {}).items():
        if abs(share - slip) <= 0.1 * abs(slip):
            raise NotYet(words)
    raise MayBeTheModel(f"{share:.4g} is too {'large' if share > truth else 'small'} for the {meant}.")


def also_rounded(slips: Mapping[float, str]) -> dict[float, str]:
    """The known wrong numbers of `check_number`, and each with 2, 3 and 4 digits, as people write them."""
    return {
        float(f"{number:.{digits}g}"): words for number, words in slips.items() for digits in (17, 4, 3, 2)
    }
