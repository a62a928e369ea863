"""Checks of lesson 01: setting up."""

import re
from collections.abc import Callable
from typing import Any

from ..check import EXTRA, EXTRAS, OK, TODO, needed
from ..checkpoints import CHECKPOINTS
from .exercise import told
from .numbers import also_rounded, check_number
from .refusals import NotYet, WrongForm
from .registry import checks
from .values import kind_of, short, words_of
from .words import some

_MEMORIES = (0.25, 1, 2, 3, 4, 8)  # GB
_BYTES = {"float32": 4, "float16": 2}
_Choice = tuple[str, str]


@checks("01.1")
def extra_rows(answer: Any) -> str:
    rows = answer if isinstance(answer, (list, tuple)) else []
    if any(hasattr(row, "state") for row in rows):
        raise WrongForm("these are whole rows; their names are wanted: row.name.")
    names = [name.replace("_", "-") for name in words_of(answer)]
    if set(names) & {OK, TODO, EXTRA}:
        raise WrongForm("these are states; the names of the rows are wanted: row.name.")
    if "not installed" in names or any("not needed" in name for name in names):
        raise WrongForm("this is what was found, or the advice; the names of the rows are wanted: row.name.")
    must = [name for name in ("Python", "Florence-2 class", "device", *needed()) if name in names]
    if must:
        raise NotYet(f"{some(must)} must be there: only rows whose state is 'extra' count.")
    missing = [name for name in EXTRAS if name not in names]
    if missing:
        raise NotYet(
            f"your list holds {len(EXTRAS) - len(missing)} of the {len(EXTRAS)} packages that old guides"
            " install: all of them are extra on every machine."
        )
    others = [name for name in names if name not in EXTRAS]
    more = f"; on your machine also {some(others)}" if others else ""
    return f"{some(list(EXTRAS))} are extra{more}."


@checks("01.2")
def one_byte_a_number(answer: Any) -> str:
    count = CHECKPOINTS["large"].parameters
    slips = {
        count / 2**30: "these are GiB, of 1 073 741 824 bytes each; a GB has 1e9 bytes.",
        count / 1e6: "these are megabytes: divide by 1e9 for gigabytes.",
        count: "these are bytes: divide by 1e9 for gigabytes.",
        count * 8 / 1e9: "this counts 8 for each parameter: those are bits, and one byte has 8 of them.",
        count / 8e9: "one parameter takes one byte here, not one bit.",
        count * 2 / 1e9: "this is float16, with 2 bytes a parameter; int8 has one.",
        count * 4 / 1e9: "this is float32, with 4 bytes a parameter; int8 has one.",
        CHECKPOINTS["base"].parameters / 1e9: "this is base; large is asked for.",
    }
    return check_number(answer, count / 1e9, 0.006, also_rounded(slips), " GB")


@checks("01.3")
def choose_for_any_machine(answer: Any) -> str:
    if not callable(answer):
        called = " Write choose without brackets behind it." if isinstance(answer, (tuple, str)) else ""
        raise WrongForm(f"a function is wanted; this is {kind_of(answer)}.{called}")
    chosen = [_chosen(answer, memory) for memory in _MEMORIES]
    right = [_rule(memory) for memory in _MEMORIES]
    if chosen == right:
        return f"for {len(right)} memories from {_MEMORIES[0]:g} to {_MEMORIES[-1]:g} GB it chooses well."
    for words, rule in _OTHER_RULES.items():
        if chosen == [rule(memory) for memory in _MEMORIES]:
            raise NotYet(words)
    wrong = [(m, c) for m, c, r in zip(_MEMORIES, chosen, right) if c != r]
    memory, choice = wrong[0]
    raise NotYet(
        f"for {len(right) - len(wrong)} of {len(right)} memories it chooses well; choose({memory:g}) gives"
        f" {' in '.join(choice)}."
    )


def _chosen(choose: Callable[[float], Any], memory: float) -> _Choice:
    """What the learner's function chooses, from a pair or from words such as ``"large in float16"``."""
    try:
        given = choose(memory)
    except (Exception, SystemExit) as error:
        raise NotYet(f"choose({memory:g}) stops with {told(error)}.") from None
    if given is None:
        raise WrongForm(
            f"choose({memory:g}) gives nothing back: it needs a return, also where only mini fits."
        )
    text = " ".join(map(str, given)) if isinstance(given, (tuple, list)) else str(given)
    name, dtype = re.search(r"\b(mini|base|large)\b", text), re.search(r"float(16|32)\b", text)
    if not name:
        raise WrongForm(
            f"choose({memory:g}) gives {short(text)}: a checkpoint's name is wanted, such as 'base'."
        )
    if name[1] == "mini":
        return "mini", "float32"
    if not dtype:
        raise WrongForm(f"choose({memory:g}) gives {short(text)}: the number format is wanted, too.")
    return name[1], dtype[0]


def _rule(
    memory: float,
    share: float = 0.5,
    names: tuple[str, ...] = ("large", "base"),
    formats: tuple[str, ...] = ("float32", "float16"),
    unit: float = 1e9,
) -> _Choice:
    for name in names:
        for dtype in formats:
            if CHECKPOINTS[name].parameters * _BYTES[dtype] / unit <= memory * share:
                return name, dtype
    return "mini", "float32"


_OTHER_RULES: dict[str, Callable[[float], _Choice]] = {
    "the weights fill the whole memory: leave half of it for the work.": lambda m: _rule(m, share=1),
    "it leaves more than half of the memory free: weights may fill one half.": lambda m: _rule(m, share=0.25),
    "it takes the smallest that fits: try large before base.": lambda m: _rule(m, names=("base", "large")),
    "float32 comes first where both formats fit.": lambda m: _rule(m, formats=("float16", "float32")),
    "it looks at float32 only: where that is too large, float16 may fit.": lambda m: _rule(
        m, formats=("float32",)
    ),
    "it counts in GiB, of 1 073 741 824 bytes each; a GB has 1e9 bytes.": lambda m: _rule(m, unit=2**30),
}
