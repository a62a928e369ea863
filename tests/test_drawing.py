"""Pixels of the pictures that `show` and `show_all` make."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from florence_nb import drawing, fonts
from florence_nb.drawing import PALETTE, colour_of, show, show_all
from florence_nb.errors import InputError
from florence_nb.parsing import parse
from florence_nb.scenes import GALLERY
from florence_nb.tasks import TASKS, build_prompt
from tests import colour_vision

SIZE = (400, 300)
WIDTH = 480
STRIP = (247, 247, 244)


def locs(*bins):
    return "".join(f"<loc_{b}>" for b in bins)


def answered(raw, task="<OD>", size=SIZE, ground="white", **fields):
    answer = parse(raw, task, size)
    answer.image = Image.new("RGB", size, ground)
    for name, value in fields.items():
        setattr(answer, name, value)
    return answer


def close(pixels, colour, within=12):
    """Where the pixels have the colour; bool, one less axis."""
    return (np.abs(np.asarray(pixels, dtype=int) - colour) <= within).all(axis=-1)


def extent(mask):
    """(left, top, right, bottom) of the true pixels."""
    ys, xs = np.nonzero(mask)
    return xs.min(), ys.min(), xs.max() + 1, ys.max() + 1


def contrast(a, b):
    return colour_vision.contrast(np.divide(a, 255), np.divide(b, 255))


@pytest.mark.parametrize("ground", ["white", "black", "#777777"])
def test_a_box_lies_where_the_answer_says(ground):
    picture = show(answered(f"car{locs(250, 250, 749, 749)}</s>", ground=ground))
    assert picture.mode == "RGB" and picture.size == (480, 360)
    found = close(picture, colour_of("car"))
    lines = found.copy()
    lines[:88] = False  # the plate stands above the box
    left, _, right, bottom = extent(lines)
    assert abs(left - 120) <= 2 and abs(right - 360) <= 2 and abs(bottom - 270) <= 2
    assert found[:88].any() and not found[:, :115].any()
    assert not found[100:260, 130:350].any(), "the inside stays as it was"


def test_the_rim_sets_a_line_off_from_a_ground_of_its_own_colour():
    colour = colour_of("car")
    ground = "#{:02x}{:02x}{:02x}".format(*colour)
    column = np.asarray(show(answered(f"car{locs(250, 250, 749, 749)}</s>", ground=ground)))[
        200, 110:130
    ].astype(int)
    assert np.abs(column - colour).sum(axis=1).max() > 100


def test_the_picture_itself_is_left_alone():
    answer = answered(f"car{locs(250, 250, 749, 749)}</s>")
    before = answer.image.tobytes()
    show(answer)
    assert answer.image.tobytes() == before


def test_the_same_answer_gives_the_same_pixels():
    answer = answered(f"car{locs(1, 2, 300, 400)}dog{locs(500, 500, 900, 900)}</s>")
    assert show(answer).tobytes() == show(answer).tobytes()


@pytest.mark.parametrize(
    "box", [(0, 0, 999, 999), (0, 0, 40, 40), (960, 960, 999, 999), (960, 0, 999, 40), (0, 970, 30, 999)]
)
def test_plates_are_whole_at_every_edge(box):
    name = "a label longer than its box"
    picture = show(answered(f"{name}{locs(*box)}</s>", ground="black"))
    font = fonts.font_for(name, 13)
    rows = close(picture, colour_of(name)).sum(axis=1)
    plate_rows = (rows > font.getlength(name) * 0.5).sum()
    assert plate_rows >= 13 and extent(close(picture, colour_of(name)))[2] <= 480


def test_a_label_wider_than_the_picture_ends_in_dots():
    name = "word " * 60
    assert show(answered(f"{name}{locs(100, 300, 900, 900)}</s>")).size == (480, 360)
    font = fonts.font_for(name, 13)
    short = fonts.fitted(name, font, 200)
    assert short.endswith("…") and font.getlength(short) <= 200


def test_plates_of_equal_boxes_do_not_cover_each_other(monkeypatch):
    plates = []
    place = drawing._place
    monkeypatch.setattr(drawing, "_place", lambda *a: plates.append(place(*a)) or plates[-1])
    show(answered("".join(f"thing {n}{locs(300, 300, 600 + n, 600)}" for n in range(8)) + "</s>"))
    assert len(plates) == 8
    assert all(drawing._shared(a, b) == 0 for i, a in enumerate(plates) for b in plates[:i])
    assert all(0 <= x1 and 0 <= y1 and x2 <= 480 and y2 <= 360 for x1, y1, x2, y2 in plates)


@pytest.mark.parametrize(
    "task, text", [("<OD>", None), ("<REFERRING_EXPRESSION_SEGMENTATION>", "the guitar")]
)
def test_a_plate_hides_nothing_that_it_names(task, text, monkeypatch):
    plates, place = [], drawing._place
    monkeypatch.setattr(
        drawing, "_place", lambda mark, *a: plates.append((mark, place(mark, *a))) or plates[-1][1]
    )
    scene = GALLERY["kitchen"]
    answer = parse(scene.answer(task, text), task, scene.size)
    answer.text_input = text
    show(answer, scene.image)
    assert plates and not any(drawing._shared(spot, drawing._core(mark)) for mark, spot in plates)


def test_pictures_of_a_row_begin_at_one_height():
    scene = GALLERY["street"]
    asked = [("<OD>", None), ("<REFERRING_EXPRESSION_SEGMENTATION>", "the car")]
    answers = [parse(scene.answer(task, text), task, scene.size) for task, text in asked]
    for answer, (_, text) in zip(answers, asked):
        answer.text_input = text
    sheet = np.asarray(show_all(answers, width=610))
    begins = [int((sheet[:, x] != drawing._STRIP).any(axis=1).argmax()) for x in (298, 608)]
    assert begins[0] == begins[1] > 0


def test_a_prompt_too_long_for_its_column_breaks_at_a_mark():
    font = fonts.font_for("x", 14)
    lines = fonts.wrapped("<REFERRING_EXPRESSION_SEGMENTATION>", font, 200, most=4)
    assert len(lines) > 1 and all(line.endswith("_") for line in lines[:-1])


def test_a_text_too_long_ends_after_a_whole_word():
    lines = fonts.wrapped("alpha beta gamma delta " * 9, fonts.font_for("x", 14), 160, most=2)
    assert lines[-1].rstrip("…").split()[-1] in ("alpha", "beta", "gamma", "delta")


def test_scores_stand_on_the_plate():
    raw = f"car{locs(300, 300, 900, 900)}</s>"
    plain, scored = answered(raw), answered(raw, scores=np.array([0.5]))
    assert (
        close(show(scored), colour_of("car"))[:106].sum()
        > close(show(plain), colour_of("car"))[:106].sum() * 1.3
    )


def test_masks_are_translucent():
    square = locs(250, 250, 749, 250, 749, 749, 250, 749)
    answer = answered(f"<s>{square}</s>", "<REFERRING_EXPRESSION_SEGMENTATION>", text_input="a cup")
    pixels = np.asarray(show(answer)).astype(int)
    inside, outside = pixels[240, 200], pixels[340, 20]
    colour = np.array(colour_of("a cup"))
    assert outside.tolist() == [255, 255, 255]
    np.testing.assert_allclose(inside, colour * 110 / 255 + 255 * 145 / 255, atol=3)


def test_a_mask_of_two_parts_leaves_the_gap_free():
    left, right = locs(100, 300, 300, 300, 300, 700, 100, 700), locs(600, 300, 800, 300, 800, 700, 600, 700)
    pixels = np.asarray(show(answered(f"<s>{left}<sep>{right}</s>", "<REGION_TO_SEGMENTATION>")))
    assert pixels[200, 216].tolist() == [255, 255, 255]
    assert pixels[200, 96].tolist() == pixels[200, 336].tolist() != [255, 255, 255]


def test_a_quad_is_drawn_as_a_quad():
    answer = answered(f"STOP{locs(500, 200, 800, 500, 500, 800, 200, 500)}</s>", "<OCR_WITH_REGION>")
    found = close(show(answer), colour_of("STOP"), within=40)
    assert found[160:200, 92:104].any() and found[280:290, 230:250].any()
    assert not found[280:, 96:140].any(), "no line in the corner of the surrounding box"


def test_the_region_that_was_asked_about_is_dashed():
    for region in [
        (100, 75, 300, 225),
        np.array([100, 75, 300, 225]),
        "<loc_250><loc_250><loc_749><loc_749>",
    ]:
        picture = show(answered("cat</s>", "<REGION_TO_CATEGORY>", text_input=region, ground="#777777"))
        row = np.asarray(picture)[89:92, 130:350]
        assert close(row, (255, 255, 255)).any() and close(row, (0, 0, 0), 40).any()


def test_words_stand_in_a_strip_below():
    picture = np.asarray(show(answered("a green car</s>", "<CAPTION>", ground="black")))
    strip = picture[360:]
    assert 20 < len(strip) < 40 and strip[0, 0].tolist() == list(STRIP)
    assert (strip < 100).all(axis=-1).sum() > 50


def test_a_longer_caption_makes_a_higher_strip_up_to_a_limit():
    heights = [show(answered("word " * n + "</s>", "<CAPTION>")).height for n in (1, 60, 400, 4000)]
    assert heights[0] < heights[1] < heights[2] == heights[3] < 360 + 13 * 20


def test_notes_are_shown():
    whole, cut = (show(answered(raw, "<CAPTION>")) for raw in ("a car</s>", "a car"))
    assert cut.height > whole.height
    assert close(cut, (156, 74, 0), 30).any() and not close(whole, (156, 74, 0), 30).any()


@pytest.mark.parametrize("task", ["<OD>", "<OPEN_VOCABULARY_DETECTION>", "<OCR_WITH_REGION>", "<CAPTION>"])
def test_nothing_found_is_said(task):
    picture = show(answered("</s>", task))
    assert picture.height > 360 and (np.asarray(picture)[360:] < 140).any()


def test_every_task_can_be_shown_with_what_it_was_asked():
    raw = f"car{locs(100, 100, 800, 100, 800, 800, 100, 800)}</s>"
    answers = [answered(raw, task.prompt, text_input=task.example or None) for task in TASKS.values()]
    assert all(build_prompt(a.task, a.text_input, SIZE) for a in answers)
    sheet = show_all(answers)
    assert sheet.mode == "RGB" and 950 < sheet.width <= 960 and sheet.height > 5 * 235


@pytest.mark.parametrize("size", [(1, 1), (2, 4000), (20_000, 2), (3, 5), (5000, 5000)])
@pytest.mark.parametrize("raw", [f"a car{locs(0, 0, 999, 999)}</s>", "</s>"])
def test_any_shape_of_picture(size, raw):
    picture = show(answered(raw, size=size))
    assert picture.width == WIDTH and 24 <= picture.height <= 720 + 60


def test_a_narrow_picture_has_its_plate_beside_it():
    picture = show(answered(f"pole{locs(0, 400, 999, 600)}</s>", size=(20, 3000), ground="black"))
    left, top, right, bottom = extent(close(picture, colour_of("pole")))
    assert 230 <= left <= 240 and right < 300 and 265 <= top <= 290 and bottom <= 435


def test_a_picture_of_another_size_is_scaled_to():
    answer = parse(f"car{locs(250, 250, 749, 749)}</s>", "<OD>", SIZE)
    double = show(answer, Image.new("RGB", (800, 600), "white"))
    assert double.tobytes() == show(answered(answer.raw)).tobytes()


def test_without_a_picture_a_blank_sheet():
    picture = show(parse(f"car{locs(250, 250, 749, 749)}</s>", "<OD>", SIZE))
    assert picture.size == (480, 360) and picture.getpixel((5, 350)) == (226, 228, 232)


def test_the_palette():
    colours = [colour_of("", [c]) for c in PALETTE]
    assert len(set(colours)) == 12
    assert all(contrast(c, (0, 0, 0)) > 5 and contrast(c, (20, 20, 20)) > 4.5 for c in colours)
    assert colour_of("Car") == colour_of("car")
    picture = show(answered(f"car{locs(250, 250, 749, 749)}</s>"), palette=["red"])
    assert close(picture, (255, 0, 0)).any()


def test_colours_never_change():
    """Recorded: who compares pictures of two sessions relies on it."""
    assert [colour_of(label) for label in ("car", "dog", "café 車")] == [
        (128, 204, 128), (128, 204, 128), (255, 179, 230)
    ]  # fmt: skip


def test_the_kinds_of_the_drawn_world_share_colours_evenly():
    from collections import Counter

    kinds = (
        "car bus truck boat bicycle balloon rocket house lighthouse tent robot chair lamp cup umbrella guitar"
        " teapot ball cat dog bird fish rabbit tree flower mushroom cactus duck snail butterfly"
    ).split()
    assert max(Counter(colour_of(kind) for kind in kinds).values()) <= 3


def test_nameless_regions_take_the_colours_in_turn():
    picture = show(answered(f"{locs(100, 100, 300, 300)}{locs(500, 500, 900, 900)}</s>", "<REGION_PROPOSAL>"))
    first, second = (colour_of("", [c]) for c in PALETTE[:2])
    assert close(picture, first)[:130, :200].any() and close(picture, second)[150:, 200:].any()


LABELS = [
    "café",
    "Привет",
    "שלום",
    "مرحبا",
    "中文",
    "a\nb",
    "\x00",
    "\ud800",
    "😀",
    "x" * 500,
    "\t",
    "e\u0301",
]


@pytest.mark.parametrize("label", LABELS, ids=ascii)
def test_any_script_can_be_a_label_and_a_caption(label):
    assert show(answered(f"{label}{locs(250, 250, 749, 749)}</s>")).size == (480, 360)
    assert show(answered(f"{label}</s>", "<OCR>")).height > 360


def test_a_font_with_more_of_the_letters_is_preferred(monkeypatch, tmp_path):
    formulas = fonts.bundled("STIXGeneral")
    lacking = fonts._letters(formulas) - fonts._letters(fonts.bundled("DejaVuSans"))
    letter = next(chr(c) for c in sorted(lacking) if c > 128)
    monkeypatch.setattr(fonts, "_others", lambda: (str(tmp_path / "none.ttf"), formulas))
    fonts.font_for.cache_clear()
    assert fonts.font_for(letter, 13).path.endswith("STIXGeneral.ttf")
    assert fonts.font_for("plain", 13).path.endswith("DejaVuSans.ttf")
    fonts.font_for.cache_clear()


def test_wrapping_keeps_every_word_and_every_line_break():
    font = fonts.font_for("a", 14)
    lines = fonts.wrapped("one two three four five\nsix " + "x" * 80 + " 中文中文", font, 120, most=50)
    assert all(font.getlength(line) <= 120 for line in lines)
    assert "".join(lines).replace(" ", "") == "onetwothreefourfivesix" + "x" * 80 + "中文中文"
    assert fonts.wrapped("", font, 120, most=3) == [""]
    short = fonts.wrapped("word " * 99, font, 120, most=3)
    assert len(short) == 3 and short[-1].endswith("…") and font.getlength(short[-1]) <= 120


@pytest.mark.parametrize(
    ("count", "columns", "rows"), [(1, None, 1), (2, None, 1), (5, None, 2), (5, 2, 3), (4, 1, 4)]
)
def test_a_sheet_of_answers(count, columns, rows):
    answers = [answered(f"car{locs(250, 250, 749, 749)}</s>") for _ in range(count)]
    sheet = show_all(answers, columns, width=600)
    assert 598 <= sheet.width <= 600
    one = show_all(
        answers[:1], 1, width=(600 - 10 * ((columns or min(count, 3)) - 1)) // (columns or min(count, 3))
    )
    assert sheet.height == rows * one.height + 10 * (rows - 1)


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda a: show(a, width=5), "at least 100"),
        (lambda a: show(a, width=300.5), "whole pixels"),
        (lambda a: show(a, palette=[]), "A palette is"),
        (lambda a: show(a, palette=["no such colour"]), "A palette is"),
        (lambda a: show(a, palette=[(1, 2)]), "A palette is"),
        (lambda a: show(a, palette=5), "A palette is"),
        (lambda a: show_all([]), "at least one answer"),
        (lambda a: show_all([a], 0), "no room for 0 columns"),
        (lambda a: show_all([a] * 9, 9, width=400), "use 1 to 3"),
    ],
)
def test_bad_arguments_are_told(call, why):
    with pytest.raises(InputError, match=why):
        call(answered("</s>"))


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_font_that_comes_with_matplotlib_is_where_matplotlib_keeps_it(monkeypatch, elsewhere):
    import matplotlib

    if elsewhere:
        monkeypatch.setattr(fonts.importlib.util, "find_spec", lambda name: None)
    fonts.bundled.cache_clear()
    assert (
        Path(fonts.bundled("DejaVuSans"))
        == Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    )
    fonts.bundled.cache_clear()


def test_an_error_in_place_of_an_answer_is_shown_as_its_sentence():
    error = InputError("There is no file a.png here: check the path.")
    answer = parse("</s><s>car<loc_1><loc_2><loc_300><loc_400></s>", "<OD>", (64, 48))
    assert show(error, width=300).width == 300
    assert show_all([answer, error], width=400).width == 400
    with pytest.raises(InputError, match="not str"):
        show("a picture")
