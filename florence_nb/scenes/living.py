"""Animals and plants of the drawn world.

Every function paints one kind, facing right, on a sheet of the size that its row in `KINDS` gives; units as
in `pen`.
"""

from __future__ import annotations

from .kind import Kind
from .pen import Pen, Tone, smooth

INK = (34, 30, 40)
CREAM = (250, 238, 214)
BARK = (138, 92, 52)
BARK_DARK = (92, 58, 32)
LEAF = (88, 160, 74)
LEAF_DARK = (44, 96, 48)
SKIN = (232, 158, 158)
BEAK = (246, 172, 52)
BEAK_DARK = (176, 104, 20)
SLUG = (222, 188, 142)
SLUG_DARK = (142, 104, 66)


def _body(pen: Pen, points, tone: Tone, focus=None, thick: float = 2.2) -> None:
    """A rounded body; with a ``focus`` (x, y) it is lit there and dark along the far edge."""
    curve = smooth(points)
    pen.polygon(curve, fill=tone.dark if focus else tone.base)
    if focus:
        fx, fy = focus
        pen.polygon([(fx + (x - fx) * 0.88, fy + (y - fy) * 0.88) for x, y in curve], fill=tone.base)
    pen.polygon(curve, line=tone.line, thick=thick)


def _limb(pen: Pen, points, tone: Tone, thick: float) -> None:
    """A thick rounded tail or arm along ``points``, outlined."""
    curve = smooth(points, closed=False)
    pen.path(curve, tone.line, thick)
    pen.path(curve, tone.base, thick - 4)


def _mark(tone: Tone) -> tuple[int, int, int]:
    """The colour of markings on the body: darker than it, but lighter on black, where dark ones would
    drown.
    """
    return tone.light if max(tone.base) < 80 else tone.dark


def _fleck(tone: Tone) -> tuple[int, int, int]:
    """The colour of pale flecks on the body: cream, but tan on white, where cream would drown."""
    return SLUG if min(tone.base) > 220 else (255, 250, 238)


def _eye(pen: Pen, x: float, y: float, r: float = 4.2) -> None:
    """A round eye with a spark; its white rim shows on black bodies too."""
    pen.ellipse(x - r - 1.4, y - r - 1.4, x + r + 1.4, y + r + 1.4, fill=(255, 255, 255))
    pen.ellipse(x - r, y - r, x + r, y + r, fill=INK)
    pen.ellipse(x - r * 0.1, y - r * 0.75, x + r * 0.65, y, fill=(255, 255, 255))


def cat(pen: Pen, tone: Tone) -> None:
    """A sitting cat with its tail curled up."""
    _limb(pen, [(32, 93), (14, 92), (6.5, 78), (11, 62)], tone, 11)
    _body(
        pen,
        [(38, 44), (28, 58), (22, 76), (23, 94), (38, 98.4), (60, 98.4), (69, 94), (67, 76), (61, 56)],
        tone,
        (42, 66),
    )
    pen.ellipse(39, 52, 59, 76, fill=tone.light, inside=True)
    pen.path([(49, 97), (49, 80)], _mark(tone), 2, inside=True)
    for x, way in ((26, 1), (71, -1)):
        pen.polygon([(x - way, 30), (x, 1.6), (x + 18 * way, 15)], fill=tone.base, line=tone.line, thick=2.2)
        pen.polygon([(x + 3.5 * way, 20), (x + 3.5 * way, 8), (x + 11 * way, 15)], fill=SKIN)
    pen.ellipse(23, 12, 74, 55, fill=tone.base, line=tone.line, thick=2.2)
    pen.ellipse(30, 15, 48, 24, fill=(*tone.light, 150))
    _eye(pen, 38, 33, 4.6)
    _eye(pen, 60, 33, 4.6)
    pen.polygon([(46, 40), (54, 40), (50, 45)], fill=SKIN, line=tone.line, thick=1)
    for x in (42, 50):
        pen.arc(x, 40, x + 8, 50, 25, 155, _mark(tone) if max(tone.base) < 80 else tone.line, 1.8)


def dog(pen: Pen, tone: Tone) -> None:
    """A standing dog with a hanging ear."""
    _limb(pen, [(22, 44), (10, 34), (6.5, 17)], tone, 11)
    pen.rect(28, 54, 40, 83.4, fill=tone.dark, line=tone.line, thick=2.2, radius=4)
    pen.rect(50, 54, 61, 83.4, fill=tone.dark, line=tone.line, thick=2.2, radius=4)
    _body(
        pen,
        [
            (13, 44),
            (22, 36),
            (40, 37),
            (56, 36),
            (68, 36),
            (76, 48),
            (72, 64),
            (72, 81),
            (66, 82.6),
            (60, 81),
            (58, 66),
            (46, 67),
            (32, 65),
            (30, 80),
            (24, 82.6),
            (18, 81),
            (17, 64),
            (13, 54),
        ],
        tone,
    )
    pen.ellipse(24, 39, 54, 47, fill=(*tone.light, 150))
    _body(
        pen,
        [(58, 12), (72, 2), (84, 8), (89, 19), (98, 23), (98, 35), (88, 40), (74, 42), (62, 38), (56, 25)],
        tone,
        (74, 18),
    )
    ear = (92, 92, 102) if max(tone.base) < 80 else tone.dark
    _body(
        pen,
        [(60, 8), (69, 9), (72, 22), (68, 37), (60, 41), (53, 32), (55, 17)],
        Tone(ear, ear, ear, tone.line),
    )
    _eye(pen, 80, 17, 3.8)
    pen.ellipse(91, 19, 99.4, 27, fill=INK)
    pen.path([(96, 33), (90, 34), (85, 31)], _mark(tone), 1.8)


def bird(pen: Pen, tone: Tone) -> None:
    """A small bird in flight, its wing up."""
    pen.polygon([(86, 28), (99, 37), (86, 43)], fill=BEAK, line=BEAK_DARK, thick=1.6)
    _body(
        pen,
        [
            (2, 40),
            (20, 46),
            (40, 42),
            (54, 32),
            (64, 22),
            (78, 20),
            (88, 28),
            (90, 42),
            (84, 58),
            (68, 71),
            (46, 73),
            (28, 66),
            (12, 60),
            (10, 52),
        ],
        tone,
        (56, 48),
    )
    pen.ellipse(52, 50, 80, 68, fill=(*tone.light, 170), inside=True)
    _body(pen, [(38, 52), (26, 30), (18, 2), (36, 8), (52, 22), (62, 44), (56, 58)], tone)
    pen.path([(28, 12), (42, 26), (52, 44)], tone.light, 4)
    pen.path([(38, 36), (46, 50)], _mark(tone), 2.4)
    _eye(pen, 76, 33, 4.4)


def fish(pen: Pen, tone: Tone) -> None:
    """A fish with a broad tail."""
    _body(
        pen,
        [(40, 16), (48, 3), (64, 2), (74, 14), (58, 22)],
        Tone(tone.dark, tone.dark, tone.dark, tone.line),
    )
    _body(pen, [(44, 50), (48, 62), (60, 64), (66, 52)], Tone(tone.dark, tone.dark, tone.dark, tone.line))
    _body(pen, [(30, 34), (16, 16), (3, 8), (4, 24), (9, 34), (4, 44), (3, 60), (16, 52)], tone)
    _body(
        pen, [(24, 34), (38, 18), (60, 10), (84, 16), (98, 34), (84, 52), (60, 58), (38, 50)], tone, (64, 28)
    )
    pen.ellipse(52, 15, 78, 24, fill=(*tone.light, 170))
    pen.arc(62, 12, 80, 56, 100, 260, _mark(tone), 2.2)
    for x, y in ((50, 28), (50, 40), (40, 34)):
        pen.arc(x - 6, y - 6, x + 6, y + 6, 110, 250, _mark(tone), 2.4)
    for y in (26, 34, 42):
        pen.path([(8, 34 + (y - 34) * 2), (18, y)], _mark(tone), 2, inside=True)
    _eye(pen, 82, 29, 5)
    pen.arc(84, 34, 97, 46, 60, 180, _mark(tone), 2, inside=True)


def rabbit(pen: Pen, tone: Tone) -> None:
    """A sitting rabbit with long ears."""
    pen.ellipse(1, 74, 17, 90, fill=CREAM, line=BARK, thick=1.6)
    _body(
        pen, [(33, 54), (16, 66), (8, 84), (14, 98), (33, 98.4), (52, 98), (58, 84), (50, 66)], tone, (30, 76)
    )
    for points, inner in (
        ([(20, 42), (12, 22), (13, 4), (20, 1.6), (28, 16), (31, 38)], (15, 8, 24, 34)),
        ([(46, 42), (54, 22), (53, 4), (46, 1.6), (38, 16), (35, 38)], (42, 8, 51, 34)),
    ):
        _body(pen, points, tone)
        pen.ellipse(*inner, fill=SKIN)
    pen.ellipse(10, 32, 56, 67, fill=tone.base, line=tone.line, thick=2.2)
    pen.ellipse(22, 70, 44, 93, fill=tone.light)
    for x in (12, 37):
        pen.ellipse(x, 88, x + 18, 99.4, fill=tone.base, line=tone.line, thick=2)
    _eye(pen, 23, 47)
    _eye(pen, 43, 47)
    pen.polygon([(30, 53), (36, 53), (33, 57)], fill=SKIN, line=tone.line, thick=1)
    pen.rect(29.5, 58, 36.5, 64, fill=(255, 255, 255), line=INK, thick=1)
    pen.path([(33, 58), (33, 64)], INK, 1)


def tree(pen: Pen, tone: Tone) -> None:
    """A tree with a round crown; the crown has the colour."""
    pen.polygon(
        [(34, 60), (33, 84), (26, 98.8), (56, 98.8), (49, 84), (48, 60)], fill=BARK, line=BARK_DARK, thick=2.2
    )
    pen.path([(41, 76), (41, 92)], BARK_DARK, 2)
    _body(
        pen,
        [
            (28, 8),
            (42, 2),
            (56, 8),
            (70, 16),
            (74, 28),
            (81, 42),
            (76, 56),
            (64, 64),
            (52, 70),
            (40, 67),
            (26, 71),
            (14, 64),
            (4, 56),
            (2, 42),
            (8, 30),
            (12, 16),
        ],
        tone,
        (38, 32),
    )
    for x, y, r in ((28, 24, 11), (22, 46, 7), (48, 36, 7), (54, 18, 6)):
        pen.ellipse(x - r, y - r * 0.8, x + r, y + r * 0.8, fill=(*tone.light, 190))
    for x, y in ((40, 52), (62, 44), (62, 28)):
        pen.arc(x - 6, y - 5, x + 6, y + 5, 20, 160, _mark(tone), 2.4)


def flower(pen: Pen, tone: Tone) -> None:
    """One big blossom on a short stem; the petals have the colour."""
    pen.path([(38, 60), (38, 97)], LEAF_DARK, 5.6)
    pen.path([(38, 60), (38, 97)], LEAF, 2.6)
    for side in (-1, 1):
        pen.polygon(
            smooth([(38, 95), (38 + side * 8, 80), (38 + side * 26, 79), (38 + side * 21, 92)]),
            fill=LEAF,
            line=LEAF_DARK,
        )
    petals = ((38, 16), (58.6, 27), (58.6, 49), (38, 60), (17.4, 49), (17.4, 27))
    for x, y in petals:
        pen.ellipse(x - 16.4, y - 15, x + 16.4, y + 15, fill=tone.base, line=tone.line, thick=2)
    pen.ellipse(20, 20, 56, 56, fill=tone.base)
    for x, y in petals[:1] + petals[4:]:
        pen.ellipse(x - 8, y - 8, x + 4, y + 4, fill=(*tone.light, 190))
    pen.ellipse(27, 27, 49, 49, fill=(156, 104, 50), line=BARK_DARK, thick=2)
    pen.ellipse(31, 30, 40, 38, fill=(206, 156, 84))


def mushroom(pen: Pen, tone: Tone) -> None:
    """A mushroom with a spotted cap; the cap has the colour."""
    stem = smooth([(38, 52), (38, 72), (32, 86), (40, 90.6), (62, 90.6), (68, 86), (62, 72), (62, 52)])
    pen.polygon(stem, fill=CREAM, line=SLUG_DARK, thick=2.2)
    pen.path([(61, 64), (62, 76), (65, 84)], SLUG, 4, inside=True)
    _body(
        pen,
        [(2, 50), (6, 32), (22, 10), (50, 1.6), (78, 10), (94, 32), (98, 50), (86, 60), (50, 64), (14, 60)],
        tone,
        (42, 24),
    )
    pen.ellipse(20, 50, 80, 63, fill=CREAM, line=tone.line, thick=1.6)
    for x, y, rx, ry in ((38, 18, 9, 7), (70, 26, 8, 8), (18, 40, 6, 7), (48, 40, 7, 6), (86, 46, 4, 5)):
        pen.ellipse(x - rx, y - ry, x + rx, y + ry, fill=_fleck(tone), line=(*tone.line, 110), thick=1)


def cactus(pen: Pen, tone: Tone) -> None:
    """A cactus with two arms and a blossom on top."""
    arms = ([(36, 66), (18, 64), (9.5, 54), (9.5, 38)], [(36, 56), (56, 54), (62.5, 44), (62.5, 28)])
    for arm in arms:
        _limb(pen, arm, tone, 17)
    _body(
        pen,
        [(22, 26), (36, 9), (50, 26), (51, 60), (50, 92), (46, 98.6), (26, 98.6), (22, 92), (21, 60)],
        tone,
        (33, 50),
    )
    for rib in (30, 42):
        pen.path([(rib, 26), (rib, 90)], _mark(tone), 2)
    pen.path([(26, 26), (26, 80)], tone.light, 2.4)
    for x, y in (
        (36, 30),
        (36, 46),
        (36, 62),
        (36, 78),
        (47, 70),
        (9.5, 46),
        (62.5, 36),
        (9.5, 58),
        (62.5, 50),
    ):
        pen.path([(x - 2, y - 2), (x, y + 2), (x + 2, y - 2)], _fleck(tone), 1.6)
    for x, y in ((28, 10), (44, 10), (36, 6)):
        pen.ellipse(x - 6, y - 5, x + 6, y + 6, fill=(255, 240, 240), line=SKIN, thick=1.6)
    pen.ellipse(32.5, 8.5, 39.5, 15, fill=BEAK, line=BEAK_DARK, thick=1)


def duck(pen: Pen, tone: Tone) -> None:
    """A swimming duck."""
    pen.polygon(
        smooth([(80, 24), (90, 20), (98, 26), (98, 33), (86, 37), (78, 34)]),
        fill=BEAK,
        line=BEAK_DARK,
        thick=1.8,
    )
    _body(
        pen,
        [
            (2, 38),
            (16, 46),
            (36, 46),
            (50, 42),
            (50, 30),
            (47, 16),
            (56, 4),
            (70, 1.6),
            (82, 10),
            (84, 24),
            (78, 38),
            (84, 52),
            (82, 70),
            (68, 80),
            (36, 80.6),
            (14, 74),
            (3, 56),
        ],
        tone,
        (60, 54),
    )
    _body(pen, [(20, 54), (38, 50), (58, 54), (60, 66), (44, 73), (28, 68)], tone)
    pen.path([(28, 57), (40, 54.5), (52, 56)], tone.light, 3)
    for y in (62, 67):
        pen.path([(31, y - 1), (43, y + 1)], _mark(tone), 2)
    pen.ellipse(55, 6, 68, 13, fill=(*tone.light, 190))
    _eye(pen, 70, 19, 4.4)
    pen.path([(84, 30), (96, 30)], BEAK_DARK, 1.6)


def snail(pen: Pen, tone: Tone) -> None:
    """A snail; its shell has the colour."""
    for x in (84, 94):
        pen.path([(86, 50), (x, 26)], SLUG_DARK, 6)
        pen.path([(86, 50), (x, 26)], SLUG, 3)
        pen.ellipse(x - 4.6, 21, x + 4.6, 30.4, fill=(255, 255, 255), line=INK, thick=1.6)
        pen.ellipse(x - 0.6, 24, x + 3, 28, fill=INK)
    foot = smooth(
        [(2, 72), (16, 62), (50, 58), (70, 58), (78, 42), (90, 38), (98, 46), (94, 62), (84, 74), (40, 76)]
    )
    pen.polygon(foot, fill=SLUG, line=SLUG_DARK, thick=2.2)
    _body(pen, [(42, 2), (66, 9), (76, 34), (68, 58), (44, 67), (18, 62), (8, 36), (18, 10)], tone, (38, 28))
    spiral = [
        (68, 60),
        (72, 36),
        (58, 16),
        (36, 14),
        (22, 32),
        (28, 52),
        (46, 54),
        (56, 40),
        (48, 28),
        (37, 34),
        (42, 42),
    ]
    pen.path(smooth(spiral, closed=False), tone.light if max(tone.base) < 80 else tone.line, 2.6, inside=True)
    pen.ellipse(24, 8, 40, 14, fill=(*tone.light, 200), inside=True)
    pen.arc(84, 50, 95, 60, 30, 150, SLUG_DARK, 1.8)


def butterfly(pen: Pen, tone: Tone) -> None:
    """A butterfly from above; its wings have the colour."""
    for points in (
        [(50, 42), (62, 20), (82, 2), (97, 6), (97, 28), (84, 44), (62, 50)],
        [(50, 46), (70, 46), (86, 56), (84, 72), (70, 80), (58, 70)],
    ):
        _body(pen, [(100 - x, y) for x, y in points], tone)
        _body(pen, points, tone)
    for x in (16, 84):
        pen.ellipse(x - 9, 12, x + 9, 28, fill=tone.light, line=tone.dark, thick=2)
    for x in (28, 72):
        pen.ellipse(x - 6, 58, x + 6, 70, fill=tone.light, line=tone.dark, thick=2)
        pen.ellipse(x - 4, 32, x + 4, 39, fill=_mark(tone))
    for side in (-1, 1):
        pen.path([(50, 30), (50 + side * 9, 16)], INK, 2.6)
        pen.ellipse(50 + side * 9 - 3, 13, 50 + side * 9 + 3, 19, fill=INK)
    pen.ellipse(45, 34, 55, 78, fill=BARK, line=BARK_DARK, thick=2)
    pen.ellipse(43, 24, 57, 38, fill=BARK, line=BARK_DARK, thick=2)
    for eye in (47.4, 52.6):
        pen.ellipse(eye - 1.6, 28, eye + 1.6, 32, fill=(255, 255, 255))


KINDS: tuple[Kind, ...] = (
    Kind("cat", width=75, height=100, home="ground", draw=cat),
    Kind("dog", width=100, height=84, home="ground", draw=dog),
    Kind("bird", width=100, height=75, home="sky", draw=bird),
    Kind("fish", width=100, height=66, home="water", draw=fish),
    Kind("rabbit", width=60, height=100, home="ground", draw=rabbit),
    Kind("tree", width=82, height=100, home="ground", draw=tree),
    Kind("flower", width=76, height=100, home="ground", draw=flower),
    Kind("mushroom", width=100, height=92, home="ground", draw=mushroom),
    Kind("cactus", width=72, height=100, home="ground", draw=cactus),
    Kind("duck", width=100, height=82, home="water", draw=duck),
    Kind("snail", width=100, height=78, home="ground", draw=snail),
    Kind("butterfly", width=100, height=82, home="sky", draw=butterfly),
)
"""The living kinds."""
