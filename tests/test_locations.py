"""Pixels to location tokens and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from florence_nb.errors import InputError
from florence_nb.locations import from_loc, to_loc

SIDES = st.integers(1, 20_000)


def test_the_figures_of_the_reference():
    assert to_loc((34.24, 160.08, 597.44, 371.76), (640, 480)) == "<loc_53><loc_333><loc_933><loc_774>"
    assert to_loc((597, 0), (640, 480)) == "<loc_932><loc_0>"
    np.testing.assert_allclose(
        from_loc("car<loc_53><loc_333><loc_933><loc_774>", (640, 480)),
        [34.24, 160.08, 597.44, 371.76],
        rtol=1e-6,
    )


def test_the_right_and_lower_edge_are_bin_999():
    assert to_loc((0, 0, 640, 480), (640, 480)) == "<loc_0><loc_0><loc_999><loc_999>"
    assert to_loc((-5, -0.1, 9000, 1e9), (640, 480)) == "<loc_0><loc_0><loc_999><loc_999>"


def test_the_recorded_round_trip_of_transformers():
    """Size (800, 1200), from the tests of the native processor, which cuts the fraction of the bin centre
    off.
    """
    boxes = [[0, 0, 30, 40], [500, 550, 600, 690], [750, 1121, 851, 1239]]
    back = from_loc(to_loc(boxes, (800, 1200)), (800, 1200)).reshape(-1, 4)
    assert back.astype(int).tolist() == [[0, 0, 30, 40], [500, 550, 600, 690], [750, 1121, 799, 1199]]


def test_quads_and_long_lists_are_read_in_order():
    quad = np.array([[0, 0], [64, 0], [64, 48], [0, 48]])
    assert to_loc(quad, (640, 480)) == "<loc_0><loc_0><loc_100><loc_0><loc_100><loc_100><loc_0><loc_100>"


def test_from_loc_is_flat_float32_and_passes_over_the_rest():
    points = from_loc("cat <loc_1> and <loc_2><loc_><loc_x><loc_99999>", (1000, 1000))
    assert points.dtype == np.float32 and points.tolist() == [1.5, 2.5]
    assert from_loc("nothing", (10, 10)).shape == (0,)


@given(st.lists(st.integers(0, 999), max_size=40), SIDES, SIDES)
def test_every_bin_survives_the_round_trip(bins, width, height):
    bins = bins[: len(bins) // 2 * 2] or [0, 999]
    tokens = "".join(f"<loc_{b}>" for b in bins)
    assert to_loc(from_loc(tokens, (width, height)), (width, height)) == tokens


@given(st.integers(0, 20_000), SIDES)
def test_whole_pixels_get_the_exact_bin(x, width):
    assert to_loc((x, 0), (width, 1)) == f"<loc_{min(x * 1000 // width, 999)}><loc_0>"


@given(st.floats(0, 1), SIDES)
def test_a_pixel_moves_by_half_a_bin_at_most(share, width):
    x = share * width
    assert abs(from_loc(to_loc((x, 0), (width, 1)), (width, 1))[0] - x) <= width / 2000 * 1.001


@pytest.mark.parametrize(
    "box", [(), (1,), (1, 2, 3), (float("nan"), 1), (float("inf"), 1), "abcd", ["a", "b"], None]
)
def test_to_loc_says_what_is_wrong(box):
    with pytest.raises(InputError, match="to_loc"):
        to_loc(box, (640, 480))


@pytest.mark.parametrize(
    "size", [(0, 5), (5, -1), 5, None, (1, 2, 3), ("a", "b"), (float("nan"), 3), (float("inf"), 3)]
)
def test_an_impossible_size_is_refused(size):
    with pytest.raises(InputError, match="image_size is"):
        to_loc((1, 2), size)


def test_from_loc_refuses_what_the_vocabulary_lacks():
    with pytest.raises(InputError, match="locations end at <loc_999>"):
        from_loc("<loc_1000>", (10, 10))
    with pytest.raises(InputError, match="needs a string"):
        from_loc(5, (10, 10))


@pytest.mark.parametrize(
    "box", [(0.25, 0.25, 0.75, 0.75), (0, 0, 1, 1), [(0.1, 0.2), (0.3, 0.4), (0.5, 0.6)]]
)
def test_shares_of_the_picture_are_refused(box):
    with pytest.raises(InputError, match="shares of the picture"):
        to_loc(box, (640, 480))


def test_a_point_in_the_corner_is_no_share():
    assert to_loc((0, 0), (640, 480)) == "<loc_0><loc_0>" and to_loc((0, 0, 0, 0), (640, 480)).count("<") == 4
