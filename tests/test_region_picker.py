"""The region picker without a browser: what Python sees and what a static notebook shows."""

from __future__ import annotations

import io

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image

from florence_nb import InputError, build_prompt, parse
from florence_nb.widgets.region import region_picker, shapes_of, snapped

SIZE = (320, 200)


def picture(size=SIZE) -> Image.Image:
    return Image.new("RGB", size, "seagreen")


@pytest.mark.parametrize(
    ("drawn", "snaps_to"),
    [
        ((10, 20, 100, 120), (10, 20, 100, 120)),
        ((100, 120, 10, 20), (10, 20, 100, 120)),
        ((-50, -1, 400, 999), (0, 0, 320, 200)),
        ((9.6, 19.5, 99.4, 120), (10, 20, 99, 120)),
        ((50, 50, 50, 50), (50, 50, 52, 52)),
        ((500, 300, 600, 400), (318, 198, 320, 200)),
        ((-9, -9, -2, -2), (0, 0, 2, 2)),
    ],
)
def test_a_box_snaps_to_the_picture(drawn, snaps_to):
    assert snapped(drawn, SIZE) == snaps_to


@given(st.lists(st.floats(-1e9, 1e9), min_size=4, max_size=4), st.integers(1, 4000), st.integers(1, 4000))
def test_every_snapped_box_can_be_asked_about(drawn, width, height):
    assume(not all(0 <= value <= 1 for value in drawn))  # shares of the picture, which are refused
    box = snapped(drawn, (width, height))
    assert build_prompt("<REGION_TO_CATEGORY>", box, (width, height)).count("<loc_") == 4


def test_shares_of_the_picture_are_no_pixels():
    with pytest.raises(InputError, match="multiply x by its width"):
        region_picker(picture(), boxes=[(0.25, 0.25, 0.75, 0.75)])


@pytest.mark.parametrize(
    "bad", [(1, 2, 3), (1, 2, 3, float("nan")), "1234x", None, (1, 2, 3, float("inf")), [[1, 2, 3, 4]]]
)
def test_what_is_no_box_is_refused(bad):
    with pytest.raises(InputError, match="four numbers"):
        snapped(bad, SIZE)


def test_a_drag_in_the_browser_arrives_in_python():
    picker, seen = region_picker(picture()), []
    picker.observe(lambda change: seen.append(change["new"]), "box")
    picker.set_state({"boxes": [[10, 20, 100, 500]], "chosen": 0})
    assert picker.box == (10, 20, 100, 200) and picker.boxes == [(10, 20, 100, 200)]
    picker.set_state({"boxes": [], "chosen": -1})
    assert seen == [(10, 20, 100, 200), None]


def test_of_several_boxes_the_chosen_one_is_the_box():
    picker = region_picker(picture(), boxes=[(0, 0, 10, 10), (20, 20, 40, 40)], several=True)
    assert picker.box == (20, 20, 40, 40)
    picker.chosen = 0
    assert picker.box == (0, 0, 10, 10)
    picker.box = (1, 2, 3, 4)
    assert picker.boxes == [(0, 0, 10, 10), (20, 20, 40, 40), (1, 2, 3, 4)] and picker.chosen == 2
    picker.box = None
    assert picker.boxes == [] and picker.box is None


def test_without_several_a_new_box_takes_the_place_of_the_old_one():
    picker = region_picker(picture(), boxes=[(0, 0, 10, 10), (20, 20, 40, 40)])
    assert picker.boxes == [(20, 20, 40, 40)]
    picker.box = (1000, 1000, 2000, 2000)
    assert picker.boxes == [(318, 198, 320, 200)] == [picker.box]


def test_another_picture_takes_boxes_and_shapes_away():
    picker = region_picker(
        picture(), boxes=[(0, 0, 10, 10)], answer=parse("car<loc_1><loc_1><loc_9><loc_9></s>", "<OD>", SIZE)
    )
    picker.set_image(picture((64, 48)))
    assert (picker.width, picker.height, picker.boxes, picker.box, picker.shapes) == (64, 48, [], None, [])


def test_a_large_picture_travels_small_and_keeps_its_pixels():
    picker = region_picker(picture((5000, 2500)), boxes=[(0, 0, 5000, 2500)])
    assert max(Image.open(io.BytesIO(picker.picture)).size) == 1024
    assert picker.box == (0, 0, 5000, 2500)


def test_shapes_have_label_score_and_outline_and_small_ones_lie_on_top():
    raw = "car<loc_100><loc_100><loc_200><loc_200>house<loc_0><loc_0><loc_900><loc_900></s>"
    answer = parse(raw, "<OD>", SIZE, location_scores=[-0.5] * 8)
    house, car = shapes_of(answer)
    assert (house["label"], car["label"]) == ("house", "car")
    assert car["score"] == pytest.approx(0.6065, abs=1e-3) and len(car["parts"][0]) == 4
    assert car["colour"].startswith("#") and len(car["colour"]) == 7
    assert shapes_of(None) == []


def test_quads_and_masks_are_shapes_too():
    quad = "STOP" + "".join(f"<loc_{n}>" for n in (10, 10, 90, 10, 90, 40, 10, 40)) + "</s>"
    assert [shape["label"] for shape in shapes_of(parse(quad, "<OCR_WITH_REGION>", SIZE))] == ["STOP"]
    mask = "".join(f"<loc_{n}>" for n in (10, 10, 90, 10, 90, 40)) + "</s>"
    (shape,) = shapes_of(parse(mask, "<REFERRING_EXPRESSION_SEGMENTATION>", SIZE))
    assert len(shape["parts"][0]) == 3 and shape["score"] is None


def test_a_static_notebook_shows_picture_and_words():
    picker = region_picker(picture(), boxes=[(10, 20, 100, 120)], width=200)
    bundle, _ = picker._repr_mimebundle_()
    assert bundle["text/plain"] == "RegionPicker on 320x200, drawn: (10, 20, 100, 120)"
    assert {"image/jpeg", "application/vnd.jupyter.widget-view+json"} < bundle.keys()
    still = picker.still()
    assert still.size == (200, 125) and still.getpixel((30, 13)) != still.getpixel((100, 100))
