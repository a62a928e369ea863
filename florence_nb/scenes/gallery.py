"""A few scenes composed by hand: the pictures of the lessons."""

from __future__ import annotations

from .scene import Scene
from .thing import Thing

GALLERY: dict[str, Scene] = {
    "street": Scene(
        (
            Thing("house", "blue", (0.24, 0.5), 0.48),
            Thing("tree", "green", (0.54, 0.53), 0.4),
            Thing("sign", "red", (0.86, 0.62), 0.3, text="STOP"),
            Thing("car", "yellow", (0.55, 0.8), 0.42),
            Thing("dog", "black", (0.16, 0.84), 0.2),
        ),
        "night street",
        seed=4,
    ),
    "harbour": Scene(
        (
            Thing("lighthouse", "white", (0.13, 0.48), 0.56),
            Thing("boat", "red", (0.42, 0.44), 0.36),
            Thing("bird", "orange", (0.7, 0.16), 0.2, mirrored=True),
            Thing("bicycle", "green", (0.72, 0.78), 0.4),
            Thing("cat", "black", (0.4, 0.83), 0.27),
        ),
        "harbour",
        seed=3,
    ),
    "beach": Scene(
        (
            Thing("balloon", "purple", (0.2, 0.24), 0.34),
            Thing("umbrella", "pink", (0.3, 0.66), 0.42),
            Thing("chair", "blue", (0.52, 0.72), 0.36),
            Thing("ball", "yellow", (0.7, 0.86), 0.18),
            Thing("duck", "white", (0.82, 0.5), 0.2),
        ),
        "beach",
        seed=11,
    ),
    "kitchen": Scene(
        (
            Thing("lamp", "orange", (0.2, 0.52), 0.4),
            Thing("cup", "red", (0.47, 0.63), 0.2),
            Thing("cup", "green", (0.62, 0.63), 0.18, mirrored=True),
            Thing("guitar", "purple", (0.84, 0.66), 0.55, tilt=-6),
            Thing("rabbit", "white", (0.4, 0.85), 0.27),
        ),
        "room",
        seed=2,
    ),
    "snow": Scene(
        (
            Thing("tent", "orange", (0.27, 0.64), 0.46),
            Thing("rabbit", "black", (0.56, 0.72), 0.32),
            Thing("robot", "pink", (0.83, 0.67), 0.5),
        ),
        "snow",
        seed=7,
    ),
    "meadow": Scene(
        (
            Thing("tree", "green", (0.16, 0.5), 0.52),
            Thing("mushroom", "red", (0.42, 0.76), 0.26),
            Thing("snail", "purple", (0.66, 0.84), 0.28),
            Thing("butterfly", "yellow", (0.62, 0.34), 0.24),
            Thing("flower", "pink", (0.88, 0.7), 0.3),
        ),
        "field",
        seed=5,
    ),
    "market": Scene(
        (
            Thing("banner", "yellow", (0.5, 0.17), 0.62, text="MARKET"),
            Thing("sign", "white", (0.2, 0.56), 0.36, text="TEA\nCAFE"),
            Thing("truck", "blue", (0.64, 0.66), 0.46),
            Thing("number plate", "white", (0.7, 0.89), 0.34, text="FL0R2"),
        ),
        "field",
        seed=8,
    ),
    "signs": Scene(
        (
            Thing("sign", "green", (0.24, 0.5), 0.42, text="HELLO", tilt=8),
            Thing("number plate", "blue", (0.74, 0.36), 0.42, text="BUS 42"),
            Thing("sign", "orange", (0.66, 0.76), 0.34, text="GO", tilt=-10),
        ),
        "beach",
        seed=6,
    ),
    "cars": Scene(
        (
            Thing("bus", "green", (0.26, 0.56), 0.5),
            Thing("car", "red", (0.76, 0.62), 0.36, mirrored=True),
            Thing("car", "blue", (0.28, 0.84), 0.4),
            Thing("car", "red", (0.74, 0.86), 0.3),
        ),
        "night street",
        seed=9,
    ),
}
"""Name -> scene. `florence_nb.open_image` knows these names too."""
