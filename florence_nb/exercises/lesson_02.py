"""Checks of lesson 02: loading a checkpoint."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from ..checkpoints import CHECKPOINTS, MINI_FOLDER
from ..scenes import GALLERY
from .boxes import found_in
from .numbers import also_rounded, check_number
from .pictures import picture_of
from .refusals import NotYet, WrongForm
from .registry import checks
from .values import kind_of
from .words import check_words, counted

_PROJECTOR = "multi_modal_projector"
_PARTS = {
    "vision_tower": "belongs to the image encoder",
    "encoder": "belongs to the encoder",
    "decoder": "belongs to the decoder",
}
_SURVIVES, _DIES = 3, 1


@cache
def _names() -> list[str]:
    """The names of all tensors of mini."""
    from safetensors import safe_open

    with safe_open(MINI_FOLDER / "model.safetensors", framework="pt") as file:
        return list(file.keys())


@checks("02.1")
def names_of_the_projector(answer: Any) -> str:
    wanted = [name for name in _names() if _PROJECTOR in name]
    several = isinstance(answer, (list, tuple, set, Mapping))
    given = {one for one in answer if isinstance(one, str)} if several else set()
    if given == set(_names()):
        raise NotYet(
            f"these are all {len(given)} tensors: only the {len(wanted)} of the projector are wanted."
        )
    if given == set(_names()) - set(wanted):
        raise NotYet("these are the tensors that are still there; those that were lost are wanted.")
    if given and given <= {name.rsplit(".", 1)[-1] for name in _names()} | {_PROJECTOR}:
        raise NotYet("these are pieces of names; the whole names are wanted.")
    slips = {n: words for n in _names() for part, words in _PARTS.items() if f".{part}." in n}
    return check_words(answer, wanted, "tensor", slips)


@checks("02.2")
def bytes_a_number(answer: Any) -> str:
    row = CHECKPOINTS["large"]
    size = row.download_bytes / row.parameters
    slips = {
        1 / size: "it is upside down: divide the bytes by the parameters.",
        8 * size: "these are bits; a byte has 8 of them.",
        4: "4 bytes is float32, which you may ask for when you load; the file holds less.",
        size / 1e9: "this is in gigabytes: take download_bytes as it is.",
        row.download_bytes / 1e9: "this is the whole download in GB: divide the bytes by the parameters.",
        row.download_bytes: "these are the bytes of all numbers together: divide them by the parameters.",
        row.parameters: "this is how many numbers there are: divide the bytes by it.",
        row.download_bytes
        / CHECKPOINTS["base"].parameters: "these are the parameters of base, not of large.",
    }
    said = check_number(answer, size, 0.02, also_rounded(slips), " bytes")
    return f"{said} 2 bytes are half precision, so that is what the file holds."


@checks("02.3")
def two_losses(answer: Any) -> str:
    losses = _losses(answer)
    scene = GALLERY["street"]
    found = {part: found_in(one, scene) for part, one in losses.items()}
    told = "; ".join(
        f"without {part!r} ({counted(_lost(part), 'tensor')}), {count} of {len(scene.things)} things are"
        " found"
        for part, count in found.items()
    )
    if max(found.values()) < _SURVIVES:
        raise NotYet(f"{told}. One loss must be survived, with {_SURVIVES} things found: lose less.")
    if min(found.values()) > _DIES:
        raise NotYet(f"{told}. One loss must be too much, with at most {_DIES} thing found: lose more.")
    return f"{told}. And no error in either case."


def _losses(answer: Any) -> dict[str, Any]:
    """Part of a name -> answer without it, from a dictionary or from pairs."""
    try:
        losses = dict(answer)
    except (TypeError, ValueError):
        raise WrongForm(
            f"a dictionary is wanted, {{part: answer, part: answer}}; this is {kind_of(answer)}."
        ) from None
    for part, one in losses.items():
        if not isinstance(part, str) or not hasattr(one, "boxes"):
            raise WrongForm(
                "each entry is a part of a name and the answer without it; one of yours is"
                f" {kind_of(part)} with {kind_of(one)}."
            )
        if not part.strip():
            raise NotYet("an empty text is in every name: name a part.")
        if not _lost(part):
            raise NotYet(f"no tensor has {part!r} in its name, so nothing was lost.")
        if picture_of(one) not in ("street", ""):
            raise NotYet(f"one answer is about the picture {picture_of(one)!r}, not about the street.")
    if len(losses) < 2:
        raise NotYet(f"two losses are wanted; there is {len(losses) or 'none'}.")
    return losses


def _lost(part: str) -> int:
    return sum(part in name for name in _names())
