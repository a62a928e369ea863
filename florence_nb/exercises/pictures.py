"""Which picture an answer is about."""

from __future__ import annotations

from typing import Any

from ..answers import Answer
from ..scenes import GALLERY, Scene
from .refusals import NotYet


def same_picture(one: Any, other: Any) -> bool:
    """Whether two pictures have the same pixels."""
    return one is other or (one.size == other.size and one.tobytes() == other.tobytes())


def check_picture(answer: Answer, scene: Scene, name: str) -> None:
    """Whether an answer is about the picture of a scene. One that keeps no picture is believed.

    Raises:
        NotYet: it is about another one.
    """
    if answer.image is not None and not same_picture(answer.image, scene.image):
        other = picture_of(answer)
        told = f" {other!r}," if other else ""
        raise NotYet(f"an answer is about another picture,{told} not about {name}.")


def picture_of(answer: Any) -> str:
    """The name of the gallery's picture that an `Answer` is about, or "". Those already drawn are looked at
    first, for drawing takes time.
    """
    for name, scene in sorted(GALLERY.items(), key=lambda item: "_drawn" not in vars(item[1])):
        if answer.image is not None and same_picture(answer.image, scene.image):
            return name
    return ""


def scene_of(answer: Answer) -> Scene | None:
    """The drawn scene of the gallery that an answer is about, told by its pixels; None if it is another
    picture.
    """
    return GALLERY.get(picture_of(answer))
