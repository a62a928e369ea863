"""Things that people made: vehicles, buildings, and what stands about in a home."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .kind import Kind
from .pen import Pen, Tone, smooth

Points = Sequence[tuple[float, float]]

GLASS = (190, 226, 244)
TYRE = (58, 58, 66)
STEEL = (168, 174, 184)
MIST = (204, 209, 217)
WOOD = (158, 104, 58)
BARK = (92, 58, 34)
CREAM = (252, 244, 224)
GLOW = (255, 232, 130)
INK = (44, 42, 54)


def _body(pen: Pen, points: Points, tone: Tone, shade: float = 3) -> None:
    """A main part: light from the top left leaves a dark edge ``shade`` units wide at the lower right."""
    pen.polygon(points, fill=tone.dark)
    pen.polygon([(x - shade, y - shade) for x, y in points], fill=tone.base, inside=True)
    pen.polygon(points, line=tone.line, thick=2)


def _wheel(pen: Pen, x: float, y: float, r: float) -> None:
    pen.ellipse(x - r, y - r, x + r, y + r, fill=TYRE, line=INK, thick=1.5)
    pen.ellipse(x - r / 2, y - r / 2, x + r / 2, y + r / 2, fill=STEEL, line=INK, thick=1)


def _trim(tone: Tone) -> tuple[int, int, int]:
    """A second colour that shows on the body: cream, or pale grey on a white body."""
    return MIST if min(tone.base) > 200 else CREAM


def car(pen: Pen, tone: Tone) -> None:
    hull = smooth(
        [
            (2, 41),
            (2, 29),
            (6, 21),
            (19, 18),
            (30, 5),
            (46, 1.5),
            (61, 4),
            (76, 18),
            (93, 22),
            (98, 31),
            (98, 41),
            (94, 44),
            (6, 44),
        ]
    )
    _body(pen, hull, tone)
    pen.polygon([(26, 18), (34, 8.5), (45, 6.5), (45, 18)], fill=GLASS, line=tone.line)
    pen.polygon([(50, 18), (50, 6.5), (59, 8.5), (69, 18)], fill=GLASS, line=tone.line)
    pen.path([(47.5, 20), (47.5, 41)], tone.line, 1.2)
    pen.path([(52, 25), (58, 25)], tone.line, 2)
    pen.path([(8, 25), (40, 23.5)], tone.light, 2.4)
    pen.ellipse(90, 25, 96.5, 32, fill=GLOW, line=tone.line, thick=1.2)
    _wheel(pen, 24, 41, 10.5)
    _wheel(pen, 76, 41, 10.5)


def bus(pen: Pen, tone: Tone) -> None:
    _body(pen, [(4, 1.5), (93, 1.5), (96.5, 5), (98.5, 30), (98.5, 48), (1.5, 48), (1.5, 5)], tone)
    for x in (6, 22, 38, 54):
        pen.rect(x, 9, x + 12.5, 21, fill=GLASS, line=tone.line, radius=2)
    pen.rect(71, 9, 82, 45, fill=GLASS, line=tone.line, radius=2)
    pen.path([(76.5, 10), (76.5, 44)], tone.line, 1.6)
    pen.polygon([(88, 9), (96.4, 9), (97.7, 25), (88, 25)], fill=GLASS, line=tone.line)
    pen.rect(3, 29, 67, 33, fill=tone.light)
    pen.ellipse(90.5, 36, 97, 42.5, fill=GLOW, line=tone.line, thick=1.2)
    _wheel(pen, 22, 46.5, 9.8)
    _wheel(pen, 58, 46.5, 9.8)


def truck(pen: Pen, tone: Tone) -> None:
    pen.rect(3, 46, 97, 52, fill=INK)
    _body(pen, [(1.5, 1.5), (64, 1.5), (64, 47), (1.5, 47)], tone)
    for x in (14, 27, 40, 53):
        pen.path([(x, 6), (x, 42)], tone.dark, 2)
    pen.path([(6, 5.5), (58, 5.5)], tone.light, 2.4)
    pen.polygon(
        [(68, 18), (85, 18), (92, 33), (98.5, 36), (98.5, 51), (68, 51)],
        fill=tone.base,
        line=tone.line,
        thick=2,
    )
    pen.polygon([(74, 22.5), (83, 22.5), (88, 33), (74, 33)], fill=GLASS, line=tone.line)
    pen.path([(71.5, 38), (77, 38)], tone.line, 2)
    pen.ellipse(92, 38, 98, 44, fill=GLOW, line=tone.line, thick=1.2)
    _wheel(pen, 18, 50, 9.5)
    _wheel(pen, 42, 50, 9.5)
    _wheel(pen, 82, 50, 9.5)


def boat(pen: Pen, tone: Tone) -> None:
    pen.rect(38, 1, 43, 76, fill=WOOD, line=BARK, thick=1.2)
    _body(pen, [*smooth([(44, 4), (63, 22), (77, 44), (84, 67)], closed=False), (44, 67)], tone, 2.4)
    pen.polygon(
        [*smooth([(36.5, 12), (26, 30), (16, 50), (8, 67)], closed=False), (36.5, 67)],
        fill=_trim(tone),
        line=tone.line,
        thick=2,
    )
    _body(
        pen,
        [
            *smooth([(88.5, 73), (82, 88), (71, 98.5)], closed=False),
            *smooth([(20, 98.5), (8, 89), (1.5, 73)], closed=False),
        ],
        tone,
    )
    pen.path([(5.5, 80), (84, 80)], _trim(tone), 3)
    for x in (28, 45, 62):
        pen.ellipse(x - 4, 85, x + 4, 93, fill=GLASS, line=tone.line, thick=1.2)


def bicycle(pen: Pen, tone: Tone) -> None:
    for x in (22, 78):
        pen.ellipse(x - 21.5, 20.5, x + 21.5, 63.5, fill=TYRE)
        pen.ellipse(x - 17.5, 24.5, x + 17.5, 59.5, fill=tone.light, line=tone.line, thick=1.2)
        for turn in range(4):
            dx, dy = 16 * math.cos(turn * math.pi / 4), 16 * math.sin(turn * math.pi / 4)
            pen.path([(x - dx, 42 - dy), (x + dx, 42 + dy)], tone.base, 2.2)
    frame = [(22, 42), (36, 17), (68, 17), (47, 44), (22, 42)]
    for bar in (frame, [(47, 44), (33, 10)], [(78, 42), (66, 8)]):
        pen.path(bar, tone.line, 7)
    for bar in (frame, [(47, 44), (33, 10)], [(78, 42), (66, 8)]):
        pen.path(bar, tone.base, 4.4)
    pen.path([(26, 7), (40, 7)], INK, 6)
    pen.path([(66, 7), (76, 4), (79, 9)], INK, 5)
    pen.ellipse(42, 39, 52, 49, fill=STEEL, line=INK, thick=1.4)


def balloon(pen: Pen, tone: Tone) -> None:
    pen.polygon([(28, 72), (50, 72), (47, 88), (31, 88)], fill=GLASS, line=BARK, thick=2)
    shell = smooth(
        [(39, 1.5), (64, 9), (76.5, 33), (68, 56), (51, 75), (27, 75), (10, 56), (1.5, 33), (14, 9)]
    )
    _body(pen, shell, tone)
    pen.polygon(
        smooth([(39, 2), (20, 20), (17, 40), (28, 74), (33, 74), (29, 40), (31, 18)]),
        fill=_trim(tone),
        inside=True,
    )
    pen.polygon(
        smooth([(39, 2), (58, 20), (61, 40), (50, 74), (45, 74), (49, 40), (47, 18)]),
        fill=_trim(tone),
        inside=True,
    )
    pen.path(smooth([(11, 22), (8, 34), (13, 48)], closed=False), tone.light, 3)
    pen.polygon(shell, line=tone.line, thick=2)
    pen.rect(27, 83, 51, 99, fill=WOOD, line=BARK, thick=2, radius=3)
    pen.path([(29, 90), (49, 90)], BARK, 1.4)


def rocket(pen: Pen, tone: Tone) -> None:
    pen.polygon(
        smooth([(20, 78), (36, 78), (35, 90), (28, 99), (21, 90)]),
        fill=(255, 170, 50),
        line=(206, 92, 30),
        thick=1.4,
    )
    pen.polygon(smooth([(24, 80), (32, 80), (28, 93)]), fill=GLOW)
    _body(pen, [(14, 50), (1.5, 68), (1.5, 88), (15, 78)], tone)
    _body(pen, [(42, 50), (54.5, 68), (54.5, 88), (41, 78)], tone)
    hull = smooth(
        [(28, 1.5), (40, 18), (45.5, 42), (44, 62), (38, 80), (18, 80), (12, 62), (10.5, 42), (16, 18)]
    )
    _body(pen, hull, tone, 4)
    pen.polygon([(10, 0), (46, 0), (46, 20), (10, 20)], fill=_trim(tone), inside=True)
    pen.path([(15.5, 20), (40.5, 20)], tone.line, 1.6)
    pen.polygon(hull, line=tone.line, thick=2)
    pen.path(smooth([(16, 30), (15, 45), (17, 60)], closed=False), tone.light, 2.6)
    pen.ellipse(19.5, 31, 36.5, 48, fill=GLASS, line=tone.line, thick=2.6)
    pen.rect(25.5, 60, 30.5, 88, fill=tone.base, line=tone.line, radius=2)


def house(pen: Pen, tone: Tone) -> None:
    pen.rect(66, 8, 79, 40, fill=tone.base, line=tone.line, thick=2)
    _body(pen, [(10, 42), (48, 12), (86, 42), (86, 98.5), (10, 98.5)], tone)
    pen.polygon(
        [(48, 2), (95, 42), (88, 50), (48, 17), (8, 50), (1.5, 42)], fill=tone.dark, line=tone.line, thick=2
    )
    pen.path([(47, 6), (7, 41.5)], tone.base, 2.4)
    pen.ellipse(41, 28, 55, 42, fill=GLASS, line=tone.line, thick=2)
    for x in (17, 62):
        pen.rect(x, 55, x + 18, 74, fill=GLASS, line=tone.line, thick=2)
        pen.path([(x + 9, 56), (x + 9, 73)], tone.line, 1.6)
        pen.path([(x + 1, 64.5), (x + 17, 64.5)], tone.line, 1.6)
    pen.rect(40, 66, 57, 98.5, fill=WOOD, line=BARK, thick=2, radius=2)
    pen.ellipse(51, 81, 54.5, 84.5, fill=GLOW)


def lighthouse(pen: Pen, tone: Tone) -> None:
    tower = [(13, 32), (35, 32), (42, 95), (6, 95)]
    _body(pen, tower, tone)
    for y in (42, 67):
        pen.rect(0, y, 48, y + 6.5, fill=_trim(tone), inside=True)
    pen.polygon([(29, 33), (34, 33), (41, 94), (34, 94)], fill=(20, 20, 50, 40), inside=True)
    pen.polygon(tower, line=tone.line, thick=2)
    pen.rect(14, 13, 34, 28, fill=GLOW, line=tone.line, thick=2)
    pen.path([(24, 14), (24, 28)], tone.line, 2)
    pen.rect(4, 27, 44, 34, fill=tone.base, line=tone.line, thick=2, radius=2)
    _body(
        pen,
        [(7, 15), *smooth([(7, 14), (14, 6), (24, 1.5), (34, 6), (41, 14)], closed=False), (41, 15)],
        tone,
        2,
    )
    pen.rect(21, 54, 27, 62, fill=GLASS, line=tone.line, radius=2.5)
    pen.rect(18, 81, 30, 96, fill=WOOD, line=BARK, thick=1.8, radius=5)
    pen.rect(1, 92, 47, 99.5, fill=tone.base, line=tone.line, thick=2, radius=2)


def tent(pen: Pen, tone: Tone) -> None:
    _body(pen, [(36, 2), (78, 8), (98.5, 62), (68, 68), (36, 2)], tone)
    pen.path([(50, 12), (84, 58)], tone.dark, 1.6)
    pen.polygon([(36, 2), (70, 68), (1.5, 68)], fill=tone.base, line=tone.line, thick=2)
    pen.polygon([(36, 22), (52, 67), (20, 67)], fill=INK)
    pen.polygon([(36, 20), (28, 46), (14, 67), (24, 67), (34, 48)], fill=tone.light, line=tone.line)
    pen.polygon([(36, 20), (44, 46), (60, 67), (49, 67), (38, 48)], fill=tone.light, line=tone.line)
    pen.path([(34, 10), (7, 63)], tone.light, 2.4)


def robot(pen: Pen, tone: Tone) -> None:
    for x in (18, 40):
        pen.rect(x, 78, x + 12, 95, fill=STEEL, line=INK, thick=1.6)
        pen.rect(x - 3, 89, x + 15, 99, fill=tone.base, line=tone.line, thick=2, radius=4)
    for x in (1, 57):
        pen.rect(x, 45, x + 12, 76, fill=tone.base, line=tone.line, thick=2, radius=6)
        pen.ellipse(x, 68, x + 12, 80, fill=STEEL, line=INK, thick=1.6)
    pen.rect(28, 34, 42, 46, fill=STEEL, line=INK, thick=1.6)
    _body(pen, [(12, 43), (58, 43), (58, 82), (12, 82)], tone)
    _body(pen, [(9, 9), (61, 9), (61, 37), (9, 37)], tone)
    pen.rect(27, 1, 43, 10, fill=tone.light, line=tone.line, thick=2, radius=3)
    for x in (18, 40):
        pen.ellipse(x, 13, x + 12, 25, fill=(255, 255, 255), line=tone.line, thick=1.6)
        pen.ellipse(x + 4, 17, x + 9, 22, fill=INK)
    pen.rect(23, 28.5, 47, 33, fill=CREAM, line=tone.line, radius=2)
    pen.rect(20, 50, 50, 66, fill=tone.light, line=tone.line, radius=2)
    for x, lamp_colour in ((22, (224, 70, 60)), (32, GLOW), (42, (90, 190, 110))):
        pen.ellipse(x, 54, x + 7, 61, fill=lamp_colour, line=tone.line, thick=1)


def chair(pen: Pen, tone: Tone) -> None:
    for x in (14, 46):
        pen.rect(x, 60, x + 7, 92, fill=tone.dark, line=tone.line, thick=2)
    _body(pen, smooth([(6, 4), (30, 1.5), (54, 4), (53, 30), (51, 60), (9, 60), (7, 30)], steps=4), tone)
    for x in (16, 27, 38):
        pen.rect(x, 12, x + 6, 50, fill=tone.dark, radius=3)
    for x in (2, 51):
        pen.rect(x, 62, x + 8, 99, fill=tone.base, line=tone.line, thick=2, radius=2)
    _body(pen, [(9, 54), (52, 54), (60, 66), (60, 73), (1.5, 73), (1.5, 66)], tone)
    pen.polygon([(10, 56), (51, 56), (57, 65), (4, 65)], fill=tone.light)


def lamp(pen: Pen, tone: Tone) -> None:
    _body(pen, smooth([(12, 98), (17, 90.5), (35, 87), (53, 90.5), (58, 98)], closed=False), tone)
    pen.rect(31, 50, 39, 90, fill=STEEL, line=INK, thick=1.6)
    shade = [(20, 2), (50, 2), (68.5, 54), (1.5, 54)]
    _body(pen, shade, tone)
    pen.polygon([(21, 3), (27, 3), (17, 53), (4, 53)], fill=tone.light, inside=True)
    pen.polygon([(2, 47), (68, 47), (69, 54), (1, 54)], fill=_trim(tone), inside=True)
    pen.polygon(shade, line=tone.line, thick=2)
    pen.ellipse(25, 62, 45, 84, fill=tone.base, line=tone.line, thick=2)


def cup(pen: Pen, tone: Tone) -> None:
    pen.arc(57, 20, 99, 62, 0, 360, tone.line, 11)
    pen.arc(59, 22, 97, 60, 0, 360, tone.base, 7)
    _body(
        pen,
        smooth([(1.5, 12), (38, 16), (76, 12), (74, 50), (64, 74), (38, 78.5), (13, 74), (4, 50)]),
        tone,
        4,
    )
    pen.ellipse(1, 1, 77, 24, fill=tone.light, line=tone.line, thick=2)
    pen.ellipse(8, 6, 70, 21, fill=BARK, line=tone.line, thick=1.4)
    pen.path(smooth([(10, 30), (12, 48), (18, 64)], closed=False), tone.light, 4)


def umbrella(pen: Pen, tone: Tone) -> None:
    pen.path(smooth([(50, 40), (50, 82), (54, 90.5), (61, 92), (67, 86)], closed=False), BARK, 7.5)
    pen.path(smooth([(50, 40), (50, 82), (54, 90.5), (61, 92), (67, 86)], closed=False), WOOD, 4.5)
    dome = smooth([(50, 3), (76, 11), (93, 30), (98, 52)], closed=False)
    hem = smooth([(98, 52), (82, 46), (66, 54), (50, 47), (34, 54), (18, 46), (2, 52)], closed=False)
    canopy = [*dome, *hem, *[(100 - x, y) for x, y in reversed(dome)]]
    _body(pen, canopy, tone)
    pen.polygon(smooth([(50, 4), (28, 22), (18, 46), (34, 53), (38, 26)]), fill=tone.light, inside=True)
    pen.polygon(smooth([(50, 4), (72, 22), (82, 46), (66, 53), (62, 26)]), fill=tone.dark, inside=True)
    pen.polygon(canopy, line=tone.line, thick=2)
    for rib in (
        [(50, 4), (38, 26), (34, 54)],
        [(50, 4), (62, 26), (66, 54)],
        [(50, 4), (26, 24), (18, 46)],
        [(50, 4), (74, 24), (82, 46)],
    ):
        pen.path(smooth(rib, closed=False), tone.line, 1.4)
    pen.ellipse(46, 0.5, 54, 7, fill=tone.line)


def guitar(pen: Pen, tone: Tone) -> None:
    belly = smooth(
        [
            (23, 45),
            (35, 47),
            (38, 56),
            (35, 65),
            (44.5, 79),
            (38, 95),
            (23, 98.5),
            (8, 95),
            (1.5, 79),
            (11, 65),
            (8, 56),
            (11, 47),
        ]
    )
    _body(pen, belly, tone)
    pen.path(smooth([(11.5, 52), (12, 59), (14, 64)], closed=False), tone.light, 2.4)
    pen.path(smooth([(9, 71), (5.5, 79), (8, 89)], closed=False), tone.light, 2.4)
    pen.ellipse(15.5, 60.5, 30.5, 75.5, fill=INK, line=CREAM, thick=1.6)
    pen.rect(18.5, 16, 27.5, 64, fill=WOOD, line=BARK, thick=1.6)
    for y in (24, 32, 40, 48):
        pen.path([(19.5, y), (26.5, y)], CREAM, 1)
    _body(pen, [(15, 3), (23, 1.5), (31, 3), (28.5, 18), (17.5, 18)], tone, 2)
    pen.rect(14, 83, 32, 88, fill=BARK, radius=2)
    pen.path([(21.2, 16), (21.2, 84)], CREAM, 0.9)
    pen.path([(24.8, 16), (24.8, 84)], CREAM, 0.9)


def teapot(pen: Pen, tone: Tone) -> None:
    pen.arc(1, 22, 42, 62, 0, 360, tone.line, 9)
    pen.arc(2.5, 23.5, 40.5, 60.5, 0, 360, tone.base, 6)
    _body(pen, smooth([(68, 58), (80, 44), (86, 22), (98, 18), (98, 23), (93, 36), (86, 58), (74, 68)]), tone)
    _body(
        pen,
        smooth(
            [(48, 18), (68, 24), (80, 44), (74, 64), (62, 73.5), (34, 73.5), (22, 64), (16, 44), (28, 24)]
        ),
        tone,
        4,
    )
    pen.path(smooth([(29, 31), (24, 43), (28, 58)], closed=False), tone.light, 3.6)
    pen.polygon(
        smooth([(30, 25), (38, 15), (48, 12), (58, 15), (66, 25), (48, 28)]),
        fill=tone.light,
        line=tone.line,
        thick=2,
    )
    pen.ellipse(42, 1, 54, 13, fill=tone.base, line=tone.line, thick=2)
    for x, y in ((40, 52), (56, 52), (48, 43), (48, 61)):
        pen.ellipse(x - 4, y - 4, x + 4, y + 4, fill=_trim(tone))
    pen.ellipse(45, 49, 51, 55, fill=GLOW)


def _ray(angle: float) -> list[tuple[float, float]]:
    """A bent seam of the ball, from its pole to beyond its rim; ``angle`` in degrees clockwise from three
    o'clock.
    """
    bend, end = math.radians(angle - 16), math.radians(angle)
    return smooth(
        [
            (40, 32),
            (40 + 34 * math.cos(bend), 32 + 34 * math.sin(bend)),
            (40 + 86 * math.cos(end), 32 + 86 * math.sin(end)),
        ],
        closed=False,
    )


def ball(pen: Pen, tone: Tone) -> None:
    pen.ellipse(1, 1, 99, 99, fill=tone.base)
    for start in (15, 135, 255):
        gore = [*_ray(start), *reversed(_ray(start + 38))]
        pen.polygon(gore, fill=_trim(tone), line=tone.line, thick=2, inside=True)
    pen.polygon(
        smooth([(97, 30), (84, 68), (56, 90), (20, 94), (50, 108), (100, 100), (108, 60)]),
        fill=(20, 20, 50, 56),
        inside=True,
    )
    pen.ellipse(33, 25, 47, 39, fill=tone.light, line=tone.line, thick=2)
    pen.ellipse(13, 20, 23, 34, fill=(255, 255, 255, 150))
    pen.ellipse(1, 1, 99, 99, line=tone.line, thick=2.4)


KINDS: tuple[Kind, ...] = (
    Kind("car", width=100, height=52, home="ground", draw=car),
    Kind("bus", width=100, height=57, home="ground", draw=bus),
    Kind("truck", width=100, height=60, home="ground", draw=truck),
    Kind("boat", width=90, height=100, home="water", draw=boat),
    Kind("bicycle", width=100, height=64, home="ground", draw=bicycle),
    Kind("balloon", width=78, height=100, home="sky", draw=balloon),
    Kind("rocket", width=56, height=100, home="sky", draw=rocket),
    Kind("house", width=97, height=100, home="ground", draw=house),
    Kind("lighthouse", width=48, height=100, home="ground", draw=lighthouse),
    Kind("tent", width=100, height=70, home="ground", draw=tent),
    Kind("robot", width=70, height=100, home="ground", draw=robot),
    Kind("chair", width=62, height=100, home="table", draw=chair),
    Kind("lamp", width=70, height=100, home="table", draw=lamp),
    Kind("cup", width=100, height=80, home="table", draw=cup),
    Kind("umbrella", width=100, height=97, home="ground", draw=umbrella),
    Kind("guitar", width=46, height=100, home="ground", draw=guitar),
    Kind("teapot", width=100, height=75, home="table", draw=teapot),
    Kind("ball", width=100, height=100, home="ground", draw=ball),
)
"""The made things of the world."""
