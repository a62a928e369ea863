"""A drawn world whose truth is known.

``random_scene(seed)``, or ``Scene([Thing("car", "red")], "beach")``, has an ``image``, ``things`` with boxes
and outlines, and with ``answer("<OD>")`` the raw string that a perfect model would produce. ``GALLERY`` holds
the pictures of the lessons.
"""

from .backgrounds import BACKGROUNDS
from .gallery import GALLERY
from .pen import COLOURS
from .random_scenes import random_scene
from .scene import CameraEffects, Scene
from .signs import WORDS
from .thing import HELD_OUT, KINDS, Thing, VisibleThing
from .words import phrases_in, things_meant

# Their names in version 0.1.0.
Seen, Weather = VisibleThing, CameraEffects

__all__ = [
    "BACKGROUNDS",
    "COLOURS",
    "GALLERY",
    "HELD_OUT",
    "KINDS",
    "WORDS",
    "CameraEffects",
    "Scene",
    "Thing",
    "VisibleThing",
    "phrases_in",
    "random_scene",
    "things_meant",
]
