"""A drawn world whose truth is known.

``random_scene(seed)``, or ``Scene([Thing("car", "red")], "beach")``, has an ``image``, ``things`` with boxes and outlines, and with
``answer("<OD>")`` the raw string that a perfect model would produce.
"""

from .backgrounds import BACKGROUNDS
from .pen import COLOURS
from .scene import HELD_OUT, KINDS, Scene, Seen, Thing, Weather, random_scene

__all__ = ["BACKGROUNDS", "COLOURS", "HELD_OUT", "KINDS", "Scene", "Seen", "Thing", "Weather", "random_scene"]
