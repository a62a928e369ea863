"""Mistakes that learners make with boxes (n, 4), made on purpose; ``size`` is (width, height) in pixels."""

import numpy as np

import florence_nb as fnb
from florence_nb.scenes import Scene


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


def told(text: str, prompt: str, scene: Scene, asked: str | None = None, **settings) -> fnb.Answer:
    """An answer as a model might give it about the picture of a scene; ``text`` may be the raw string."""
    answer = fnb.parse(text if text.startswith("</s>") else f"</s><s>{text}</s>", prompt, scene.size)
    answer.image, answer.text_input, answer.settings = scene.image, asked, settings
    return answer
