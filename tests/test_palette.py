"""Colours of labels stay apart for everybody, whatever cones their eyes have."""

import re

import numpy as np
import pytest
from PIL import ImageColor

from florence_nb.drawing import PALETTE, Drawing, _readable_on, colour_of, show, show_all
from florence_nb.kit import handout
from florence_nb.kit import slides as slides_module
from florence_nb.parsing import parse

from .colour_vision import SEEN_BY, ciede2000, contrast, nearest

COLOURS = np.array([colour_of("", [colour]) for colour in PALETTE]) / 255
APART = 10
"""CIEDE2000; the palette before this one had 0.4 (orange and ochre, without green cones)."""


@pytest.mark.parametrize("seen_by", SEEN_BY)
def test_any_two_colours_stay_apart(seen_by):
    apart, one, other = nearest(COLOURS, seen_by)
    assert apart >= APART, f"{PALETTE[one]} and {PALETTE[other]}: {apart:.1f}"


def test_a_name_can_be_read_on_its_plate():
    ink = {"black": np.zeros(3), "white": np.ones(3)}
    for name, colour in zip(PALETTE, COLOURS):
        written = ink[_readable_on(colour_of("", [name]))]
        assert contrast(colour, written) >= 4.5, name


def test_the_measure_itself():
    """Three pairs of Sharma, Wu and Dalal (2005), and two colours that nobody without red cones can tell."""
    pairs = [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ]
    for one, other, known in pairs:
        assert ciede2000([one], [other])[0] == pytest.approx(known, abs=1e-4)
    alike = np.array([(101, 133, 255), (168, 119, 255)]) / 255
    assert nearest(alike)[0] > 13 and nearest(alike, "protanopia")[0] < 1


def test_a_label_can_have_a_colour_of_its_own():
    assert colour_of("car", {"car": "blue"}) == (0, 0, 255)
    assert colour_of("dog", {"car": "blue"}) == colour_of("dog")


def test_pictures_are_shown_with_words():
    answer = parse("car<loc_1><loc_2><loc_300><loc_400></s>", "<OD>", (64, 48))
    one, sheet = show(answer), show_all([answer, parse("a dog</s>", "<CAPTION>", (64, 48))])
    assert 'alt="Answer to &lt;OD&gt; drawn on the picture: car."' in one._repr_html_()
    assert sheet.alt.endswith("drawn on the picture: car. Answer to <CAPTION>: a dog")
    assert isinstance(one, Drawing) and not isinstance(one.copy(), Drawing), (
        "a changed copy shows another thing"
    )


def test_words_on_slides_and_the_handout_can_be_read():
    """Each colour of words on the paper of its theme, and on the tint behind code."""
    slides, page = (slides_module.HERE / "slides.css").read_text(encoding="utf-8"), handout._STYLE
    light, dark = re.findall(r":root \{(.*?)\}", slides)
    for theme in (light, light + dark, page[: page.index("}")] + " --paper: #ffffff;"):
        colours = {name: ImageColor.getrgb(value) for name, value in re.findall(r"--(\w+): (#\w{6})", theme)}
        rgb = {name: np.array(colour) / 255 for name, colour in colours.items()}
        tint = 0.13 * rgb["mark"] + 0.87 * rgb["paper"]
        for name in ("ink", "quiet", "mark"):
            assert contrast(rgb[name], rgb["paper"]) >= 4.5, (name, theme)
        assert contrast(rgb["ink"], tint) >= 4.5 and contrast(rgb["quiet"], tint) >= 4.5, theme
