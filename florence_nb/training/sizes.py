"""The sizes of the mini checkpoint, all in one place."""

SIDE = 288
"""Side of the square picture in pixels."""
GRID = 12
"""Image tokens along each side; one more token holds the average of all."""
IMAGE_TOKENS = GRID * GRID + 1
WIDTH = 192
"""Width of the language model (``d_model``)."""
