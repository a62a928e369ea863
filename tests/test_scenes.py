"""The drawn world: what a scene says about its things is what is painted."""

import dataclasses
import random

import numpy as np
import pytest
from PIL import Image, ImageDraw

from florence_nb.errors import InputError
from florence_nb.scenes import (
    BACKGROUNDS,
    COLOURS,
    GALLERY,
    HELD_OUT,
    KINDS,
    CameraEffects,
    Scene,
    Thing,
    random_scene,
)
from florence_nb.scenes import scene as scene_module
from florence_nb.scenes import thing as thing_module
from florence_nb.scenes.backgrounds import HOMES, paint
from florence_nb.scenes.random_scenes import SHARE_SEEN, random_text
from florence_nb.scenes.signs import FONTS, SIGN_KINDS
from florence_nb.scenes.thing import home_of

# Thin rods and round curves lose most when an outline has at most 18 points.
LEAST_OVERLAP = 0.78


def thing_of(kind, colour="red", text="STOP", **more):
    return Thing(kind, colour, text=text if kind in SIGN_KINDS else "", **more)


def covered(polygons, size):
    picture = Image.new("1", size)
    for polygon in polygons:
        ImageDraw.Draw(picture).polygon([tuple(map(float, point)) for point in polygon], fill=1)
    return np.asarray(picture)


def box_iou(one, other):
    return (one & other).sum() / (one | other).sum()


def inside(quad, x, y):
    """Whether a point lies in a convex quad given clockwise (y down)."""
    steps = np.roll(quad, -1, axis=0) - quad
    return all(
        step[0] * (y - corner[1]) - step[1] * (x - corner[0]) >= 0
        for corner, step in zip(quad, steps, strict=True)
    )


@pytest.fixture(scope="module")
def scenes():
    return [*GALLERY.values(), *(random_scene(seed) for seed in range(6))]


def all_things(scenes):
    return [(scene, number, thing) for scene in scenes for number, thing in enumerate(scene.things, 1)]


def test_the_world_is_as_large_as_promised():
    assert len(KINDS) >= 24 and len(COLOURS) == 9 and len(BACKGROUNDS) == 6 and set(HELD_OUT) < set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_box_outline_and_owner_agree_for_every_kind(kind):
    scene = Scene([thing_of(kind, size=0.6)], size=(200, 150))
    (thing,) = scene.things
    mask = scene.instance_map == 1
    rows, columns = np.nonzero(mask)
    assert thing.box == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert box_iou(covered(thing.polygons, scene.size), mask) > LEAST_OVERLAP
    assert thing.share > 0.99 and (thing.kind, thing.colour) == (kind, "red")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_colour(kind):
    """At least a tenth of what is painted is near the colour asked for, so that no colour is a mere
    detail.
    """
    scene = Scene([thing_of(kind, "blue", size=0.6)], size=(120, 120))
    near = np.abs(np.asarray(scene.image, int) - COLOURS["blue"]).sum(axis=2) < 60
    assert near[scene.instance_map == 1].mean() > 0.1


def test_outlines_are_clockwise_rings_within_the_box(scenes):
    for scene, _, thing in all_things(scenes):
        for ring in thing.polygons:
            x, y = ring.T
            assert 3 <= len(ring) <= 18 and not np.array_equal(ring[0], ring[-1])
            assert (x * np.roll(y, -1) - y * np.roll(x, -1)).sum() > 0
            assert (
                x.min() >= thing.box[0]
                and y.min() >= thing.box[1]
                and x.max() <= thing.box[2]
                and y.max() <= thing.box[3]
            )
        assert (
            0 <= thing.box[0] < thing.box[2] <= scene.size[0]
            and 0 <= thing.box[1] < thing.box[3] <= scene.size[1]
        )
        assert thing.polygon is thing.polygons[0]


def test_outlines_cover_what_is_seen(scenes):
    shares = [
        box_iou(covered(t.polygons, scene.size), scene.instance_map == number)
        for scene, number, t in all_things(scenes)
    ]
    assert min(shares) > 0.7 and np.mean(shares) > 0.88


def test_owner_numbers_the_things(scenes):
    for scene in scenes:
        assert (
            scene.instance_map.shape == (scene.size[1], scene.size[0])
            and scene.instance_map.dtype == np.uint8
        )
        assert set(np.unique(scene.instance_map)) - {0} == set(range(1, len(scene.things) + 1))
        assert scene.image.size == scene.size and scene.image.mode == "RGB"


def test_letters_lie_in_their_quads(scenes):
    written = [(scene, thing) for scene, _, thing in all_things(scenes) if thing.text]
    assert len(written) >= 5
    for _, thing in written:
        lines = thing.text.split("\n")
        assert len(thing.quads) == len(lines) and "".join(c for c, _, _ in thing.letters) == "".join(
            thing.text.split()
        )
        owner = [quad for line, quad in zip(lines, thing.quads, strict=True) for _ in line.replace(" ", "")]
        assert all(inside(quad, x, y) for quad, (_, x, y) in zip(owner, thing.letters, strict=True)), (
            thing.text
        )
        assert thing.quad is thing.quads[0]


@pytest.mark.parametrize("font", FONTS)
def test_a_quad_is_tight_around_the_ink(font):
    """In height to a pixel; in width it also holds the blank that belongs to the outer letters."""
    scene = Scene([Thing("sign", "white", text="HELLO", size=0.7, font=font)], size=(240, 240))
    (x0, y0), (x1, y1) = scene.things[0].quad.min(axis=0), scene.things[0].quad.max(axis=0)
    board = np.asarray(scene.image.convert("L"))[round(y0) - 3 : round(y1) + 3, round(x0) - 3 : round(x1) + 3]
    rows, columns = np.nonzero(board < 100)
    assert (rows.min() - 3, len(board) - 4 - rows.max()) == pytest.approx((0, 0), abs=1.5)
    assert 0 <= columns.min() - 3 < 7 and 0 <= board.shape[1] - 4 - columns.max() < 7


@pytest.mark.parametrize("tilt", (-15, -6, 10, 15))
def test_a_tilted_sign_has_a_tilted_quad(tilt):
    quad = Scene([Thing("number plate", "white", text="AB12", tilt=tilt, size=0.6)]).things[0].quad
    across = quad[1] - quad[0]
    assert np.degrees(np.arctan2(-across[1], across[0])) == pytest.approx(tilt, abs=1)


@pytest.mark.parametrize("font", FONTS)
@pytest.mark.parametrize("kind", SIGN_KINDS)
def test_every_board_takes_every_font(kind, font):
    (thing,) = Scene([Thing(kind, "blue", text="TEA 42\nW", font=font)], size=(160, 120)).things
    assert len(thing.quads) == 2 and thing.quads[0][:, 1].max() < thing.quads[1][:, 1].min() + 1


@pytest.mark.parametrize("size", ((90, 90), (160, 90), (90, 160), (180, 90), (90, 120), (135, 90)))
def test_every_aspect(size):
    for seed in range(3):
        scene = random_scene(seed, size=size)
        assert scene.image.size == size and 1 <= len(scene.things) <= 7
        assert all(
            home_of(t.kind) in ("ground", "table", *HOMES[scene.background]) or t.text for t in scene.things
        )


def test_random_scenes_have_every_aspect_and_place():
    found = [random_scene(seed, most=1, kinds=["ball"], clean=True) for seed in range(30)]
    assert {scene.background for scene in found} == set(BACKGROUNDS)
    assert len({round(scene.size[0] / scene.size[1], 1) for scene in found}) >= 6


def test_nothing_is_covered_by_more_than_a_third(scenes):
    for scene in scenes[len(GALLERY) :]:
        assert len(scene.things) == len(scene.wanted)
        assert len(scene.things) == 1 or min(t.share for t in scene.things) >= SHARE_SEEN


def test_held_out_kinds_appear_only_when_asked_for():
    for seed in range(12):
        assert not {t.kind for t in random_scene(seed, size=(64, 64), clean=True).wanted} & set(HELD_OUT)
    assert {t.kind for t in random_scene(0, kinds=HELD_OUT).wanted} <= set(HELD_OUT)


@pytest.mark.parametrize("kind", ("boat", "balloon", "teapot", "banner"))
def test_only_what_was_asked_for_appears(kind):
    """Whatever its home: places without water are no places for boats."""
    for seed in range(6):
        scene = random_scene(seed, kinds=[kind], size=(80, 80), clean=True)
        assert {t.kind for t in scene.wanted} == {kind}
        assert kind in SIGN_KINDS or home_of(kind) in ("table", *HOMES[scene.background])


@pytest.mark.parametrize("kinds", ([], ["unicorn"], ["car", "unicorn"]))
def test_random_scene_with_impossible_kinds(kinds):
    with pytest.raises(InputError, match="choose one or more of"):
        random_scene(0, kinds=kinds)


def test_at_most_so_many():
    assert max(len(random_scene(seed, most=2, size=(80, 80), clean=True).wanted) for seed in range(12)) == 2


def test_the_same_seed_gives_the_same_scene():
    one = random_scene(17)
    pixels, boxes = one.image.tobytes(), [t.box for t in one.things]
    for cache in (thing_module.sprite, thing_module._stamped, scene_module.backdrop):
        cache.cache_clear()
    other = random_scene(17)
    assert other == one and other.image.tobytes() == pixels and [t.box for t in other.things] == boxes
    assert random_scene(18) != one


def test_scenes_can_be_compared_and_their_things_too():
    one, other = random_scene(3, size=(80, 80)), random_scene(3, size=(80, 80))
    assert one == other and hash(one) == hash(other)
    assert one.things[0] == one.things[0] and one.things[0] != other.things[0]


@pytest.mark.parametrize("name", BACKGROUNDS)
def test_a_place_has_the_homes_that_it_is_listed_with(name):
    for seed in range(3):
        place = paint(name, random.Random(seed), (60, 40))
        assert tuple(place.zones) == HOMES[name] and place.image.size == (60, 40)
        assert all(0 <= low < high <= 1 for low, high in place.zones.values())


def test_what_lies_in_front_is_seen():
    scene = Scene([Thing("ball", "red", size=0.8), Thing("ball", "blue", size=0.4)], size=(100, 100))
    back, front = scene.things
    assert scene.instance_map[50, 50] == 2 and front.share == 1 and 0.6 < back.share < 0.85


def test_a_thing_cut_in_two_has_two_outlines():
    scene = Scene([Thing("bus", "red", size=0.9), Thing("lighthouse", "white", size=0.9)], size=(200, 200))
    bus = scene.things[0]
    assert (
        len(bus.polygons) == 2 and box_iou(covered(bus.polygons, scene.size), scene.instance_map == 1) > 0.75
    )


def test_what_is_not_seen_is_no_thing():
    scene = Scene(
        [Thing("cat", "red", size=0.1), Thing("ball", "blue", size=0.9), Thing("dog", "red", at=(-1, 0.5))]
    )
    assert [t.kind for t in scene.things] == ["ball"] and len(scene.wanted) == 3
    assert set(np.unique(scene.instance_map)) == {0, 1}


def test_a_thing_half_outside_ends_at_the_edge():
    (ball,) = Scene([Thing("ball", "red", at=(0, 0.5), size=0.5)], size=(100, 100)).things
    assert ball.box[0] == 0 and ball.share == pytest.approx(0.5, abs=0.05)


def test_an_empty_scene():
    scene = Scene(size=(50, 40))
    assert scene.things == () and not scene.instance_map.any() and scene.image.size == (50, 40)


def test_mirrored():
    plain, mirrored = (
        Scene([Thing("car", "red", mirrored=m, size=0.5)], size=(120, 120)).instance_map
        for m in (False, True)
    )
    assert box_iou(plain[:, ::-1] == 1, mirrored == 1) > 0.95 > box_iou(plain == 1, mirrored == 1)


def test_stretch_and_tilt_keep_the_size():
    widths = {}
    for stretch in (1.0, 2.0):
        box = Scene([Thing("ball", "red", stretch=stretch, size=0.5)], size=(200, 200)).things[0].box
        widths[stretch] = (box[2] - box[0], box[3] - box[1])
    assert widths[1.0] == pytest.approx((100, 100), abs=3) and widths[2.0] == pytest.approx((100, 50), abs=3)


@pytest.mark.parametrize(
    "change",
    ({"brightness": 0.8}, {"contrast": 0.8}, {"saturation": 0.5}, {"blur": 1}, {"noise": 5}, {"jpeg": 50}),
)
def test_weather_changes_the_picture_and_not_the_truth(change):
    clear = Scene([Thing("car", "red")], size=(80, 60))
    seen = dataclasses.replace(clear, effects=CameraEffects(**change))
    assert seen.image.tobytes() != clear.image.tobytes() and seen.things[0].box == clear.things[0].box
    assert seen.image.tobytes() == dataclasses.replace(seen).image.tobytes()


@pytest.mark.parametrize(
    "wrong, told",
    (
        ({"kind": "unicorn"}, "no kind"),
        ({"colour": "mauve"}, "no colour"),
        ({"text": "STOP"}, "Text belongs on"),
        ({"kind": "sign"}, "Text belongs on"),
        ({"kind": "sign", "text": "stop"}, "A-Z and 0-9"),
        ({"kind": "sign", "text": "ONE TWO THREE"}, "one or two words"),
        ({"kind": "sign", "text": "A\nB\nC"}, "one or two lines"),
        ({"kind": "sign", "text": "NINELETTER"}, "1-8 characters"),
        ({"kind": "sign", "text": "GO", "tilt": 20}, "-15 to 15"),
        ({"kind": "sign", "text": "GO", "font": "Comic"}, "no font"),
        ({"size": 0}, "size is a fraction"),
        ({"size": float("nan")}, "size is a fraction"),
        ({"at": (0.5, float("nan"))}, "at is the centre"),
        ({"at": (0.5,)}, "at is the centre"),
        ({"stretch": 0}, "stretch is a factor"),
        ({"tilt": float("inf")}, "tilt is in degrees"),
    ),
)
def test_bad_things_are_refused_at_once(wrong, told):
    with pytest.raises(InputError, match=told):
        Thing(**{"kind": "car", "colour": "red", **wrong})


@pytest.mark.parametrize(
    "wrong, told",
    (
        ({"background": "moon"}, "no background"),
        ({"size": (0, 10)}, "at least 1"),
        ({"size": "big"}, "image_size"),
        ({"wanted": ["car"]}, "not of 'car'"),
        ({"wanted": [Thing("ball", "red")] * 256}, "at most 255"),
    ),
)
def test_bad_scenes_are_refused_at_once(wrong, told):
    with pytest.raises(InputError, match=told):
        Scene(**wrong)


def test_words_for_signs_can_be_written():
    rng = random.Random(0)
    texts = [random_text(rng) for _ in range(300)]
    assert all(Thing("sign", "red", text=text) for text in texts)
    assert (
        {len(text) for text in texts} >= set(range(1, 9))
        and any("\n" in t for t in texts)
        and any(" " in t for t in texts)
    )
