"""What is checked before the model is asked: one request, and the settings of generation."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import InputError

if TYPE_CHECKING:
    from PIL import Image

MAX_NEW_TOKENS = 1024
# What `Florence` itself hands to generate.
_MADE_HERE = ("inputs", "input_ids", "inputs_embeds", "pixel_values", "attention_mask", "encoder_outputs")
# Kinds of search that transformers moved out, and ways to run code of a repository.
_REMOTE = (
    "num_beam_groups", "diversity_penalty", "penalty_alpha", "dola_layers", "constraints", "force_words_ids",
    "custom_generate", "trust_remote_code",
)  # fmt: skip
# These would change what comes back, so that there would be no one answer to read.
RESERVED_ARGUMENTS = {
    "max_length": "use max_new_tokens",
    "num_return_sequences": "ask again with do_sample=True and another seed",
    "return_dict_in_generate": "call florence.model.generate for its own output",
    "output_scores": "read answer.scores, or call florence.model.generate",
    **dict.fromkeys(_MADE_HERE, "it is made from the picture and the prompt"),
    **dict.fromkeys(
        _REMOTE, "transformers would run remote code for it; use num_beams, or do_sample=True and seed"
    ),
}


@dataclass(frozen=True)
class PreparedRequest:
    """One request that was checked: all that the model needs.

    Attributes:
        task: the task prompt, such as ``"<OD>"``.
        text_input: as given: None, a phrase, or a region in pixels.
        image: the picture, RGB.
        ids: token ids of the prompt, ``<s>`` and ``</s>`` included, without those of the picture.
    """

    task: str
    text_input: Any
    image: Image.Image
    ids: tuple[int, ...]


@dataclass(frozen=True)
class Settings:
    """Settings of generation that were checked.

    Attributes:
        max_new_tokens: at least 1, at most the decoder's positions.
        num_beams: at least 1.
        do_sample: draw each token by its probability.
        seed: of the draw; None leaves the random numbers as they are.
        more: any other argument of transformers' ``generate``.
        notes: sentences for the answer, on what was changed here.
    """

    max_new_tokens: int
    num_beams: int
    do_sample: bool
    seed: int | None
    more: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON; an object, such as a logits processor, counts by the name of its
        class.
        """
        named = {
            "max_new_tokens": self.max_new_tokens,
            "num_beams": self.num_beams,
            "do_sample": self.do_sample,
        }
        return (
            named
            | ({} if self.seed is None else {"seed": self.seed})
            | {key: _plain(value) for key, value in self.more.items()}
        )


def make_settings(
    positions: int,
    *,
    max_new_tokens: int = MAX_NEW_TOKENS,
    num_beams: int = 3,
    do_sample: bool = False,
    seed: int | None = None,
    **more: Any,
) -> Settings:
    """Settings that are safe for a decoder with so many positions: a larger ``max_new_tokens`` is clamped,
    with a note.

    Raises:
        InputError: a count that is no whole number above zero, or an argument of `RESERVED_ARGUMENTS`.
    """
    _check_reserved(more)
    asked, beams = _count("max_new_tokens", max_new_tokens), _count("num_beams", num_beams)
    # Beyond it a GPU stops with a device-side assert that kills the kernel (transformers does not check).
    notes = (
        f"max_new_tokens={asked} is more than the model's {positions} positions, so {positions} were used.",
    )
    if beams == 1:
        # The published checkpoints set it to True, and transformers then complains about it whenever there is
        # one beam.
        more = {"early_stopping": False} | more
    clamped = asked > max(positions, MAX_NEW_TOKENS)
    return Settings(min(asked, positions), beams, bool(do_sample), seed, more, notes if clamped else ())


def _check_reserved(more: Mapping[str, Any]) -> None:
    for name in more.keys() & RESERVED_ARGUMENTS.keys():
        raise InputError(f"{name} is not supported here: {RESERVED_ARGUMENTS[name]}.")
    if getattr(more.get("generation_config"), "num_return_sequences", None) not in (None, 1):
        raise InputError(
            f"num_return_sequences is not supported here: {RESERVED_ARGUMENTS['num_return_sequences']}."
        )


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, (str, int, float)) else type(value).__name__


def _count(name: str, value: Any) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise InputError(f"{name} is a whole number, not {value!r}.") from None
    if number < 1:
        raise InputError(f"{name} is at least 1, not {number}.")
    return number
