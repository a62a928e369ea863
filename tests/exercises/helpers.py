"""Mistakes that learners make with boxes (n, 4), made on purpose; ``size`` is (width, height) in pixels."""

import dataclasses

import numpy as np

import florence_nb as fnb
from florence_nb.geometry import rasterize
from florence_nb.scenes import GALLERY, Scene


def truth(scene: Scene) -> np.ndarray:
    """The true boxes of a scene, float64 (n, 4)."""
    return np.array([thing.box for thing in scene.things], float)


def sides(size: tuple[int, int]) -> np.ndarray:
    return np.array([*size, *size], float)


def in_bins(boxes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.floor(boxes * 1000 / sides(size))


def shares(boxes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return boxes / sides(size)


def squeezed(boxes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """In pixels of the 288 × 288 picture that mini looks at."""
    return boxes * 288 / sides(size)


def xywh(boxes: np.ndarray) -> np.ndarray:
    return np.c_[boxes[:, :2], boxes[:, 2:] - boxes[:, :2]]


def swapped_axes(boxes: np.ndarray) -> np.ndarray:
    return boxes[:, [1, 0, 3, 2]]


def bottom_up(boxes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.c_[boxes[:, 0], size[1] - boxes[:, 3], boxes[:, 2], size[1] - boxes[:, 1]]


def perfect(picture: str | Scene, task: str, text_input=None, settings=None, **more) -> fnb.Answer:
    """The answer of a model that never errs, to a scene or a picture of the gallery.

    Args:
        settings: what differs from the usual settings of generation.
        more: other parts of the answer to replace.
    """
    scene = GALLERY[picture] if isinstance(picture, str) else picture
    answer = fnb.parse(scene.answer(task, text_input), task, scene.size)
    settings = {"max_new_tokens": 1024, "num_beams": 3, "do_sample": False} | (settings or {})
    parts = {"image": scene.image, "text_input": text_input, "settings": settings}
    return dataclasses.replace(answer, **parts | more)


def mask_of_thing(thing, size: tuple[int, int]) -> np.ndarray:
    """The true mask of a thing, bool (height, width)."""
    return rasterize(thing.polygons, size)


def told(text: str, prompt: str, scene: Scene, asked: str | None = None, **settings) -> fnb.Answer:
    """An answer as a model might give it about the picture of a scene; ``text`` may be the raw string."""
    answer = fnb.parse(text if text.startswith("</s>") else f"</s><s>{text}</s>", prompt, scene.size)
    answer.image, answer.text_input, answer.settings = scene.image, asked, settings
    return answer


def in_bins_to_1000(boxes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Rounded up, so that an edge becomes ``<loc_1000>``, which is no token."""
    return np.ceil(boxes * 1000 / sides(size))


def centred(boxes: np.ndarray) -> np.ndarray:
    """Centre, width and height."""
    return np.c_[(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]]


def swapped_sides(boxes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """As if ``image.size`` were (height, width)."""
    return boxes * sides(size[::-1]) / sides(size)
