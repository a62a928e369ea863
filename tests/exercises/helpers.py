"""Mistakes that learners make with boxes (n, 4), made on purpose; ``size`` is (width, height) in pixels."""

import dataclasses

import numpy as np

import florence_nb as fnb
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


def perfect(picture: str, task: str, text: str | None = None, **more) -> fnb.Answer:
    """The answer of a model that never errs to a picture of the gallery; ``more`` replaces parts of it."""
    scene = GALLERY[picture]
    answer = fnb.parse(scene.answer(task, text), task, scene.size)
    return dataclasses.replace(answer, image=scene.image, text_input=text, **more)
