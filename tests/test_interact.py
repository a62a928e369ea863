"""`fnb.interact`: abbreviations as in ipywidgets, value widgets only, and a still without a kernel."""

import ipywidgets
import pytest
from PIL import Image

import florence_nb as fnb
from florence_nb import InputError, parse
from florence_nb.widgets.panel import VIEW

RED = Image.new("RGB", (60, 40), "red")
ANSWER = parse("</s><s>car<loc_1><loc_2><loc_300><loc_400></s>", "<OD>", RED.size)
ANSWER.image = RED


def describe(percent=30, name="street", big=False, note="x"):
    return f"{name} at {percent} %, {big}, {note}"


def test_abbreviations_become_the_widgets_of_ipywidgets():
    panel = fnb.interact(describe, percent=(2, 90), name=["street", "market"], big=False, note="hello")
    kinds = {name: type(control) for name, control in panel.controls.items()}
    assert kinds == {
        "percent": ipywidgets.IntSlider,
        "name": ipywidgets.Dropdown,
        "big": ipywidgets.Checkbox,
        "note": ipywidgets.Text,
    }
    assert panel.values == {"percent": 30, "name": "street", "big": False, "note": "hello"}
    assert not panel.controls["percent"].continuous_update and not panel.controls["note"].continuous_update


def test_a_float_slider_with_a_step_a_dict_a_fixed_value_and_a_widget_of_ones_own():
    own = ipywidgets.IntText(4)
    panel = fnb.interact(
        lambda a, b, c, d: (a, b, c, d),
        a=(0.1, 0.9, 0.2),
        b={"one": 1, "two": 2},
        c=ipywidgets.fixed("c"),
        d=own,
    )
    assert isinstance(panel.controls["a"], ipywidgets.FloatSlider) and panel.controls["a"].step == 0.2
    assert panel.set(b=2, d=7)[1:] == (2, "c", 7)


def test_a_moved_control_calls_the_function_and_shows_what_it_returns():
    panel = fnb.interact(describe, percent=(2, 90), name=["street", "market"])
    assert "street at 30 %" in panel.output.value
    panel.controls["percent"].value = 40
    assert "street at 40 %" in panel.output.value and panel.result == describe(40)
    calls = []
    both = fnb.interact(lambda a, b: calls.append((a, b)), a=(1, 9), b=(1, 9))
    assert both.set(a=2, b=3) is None and calls[1:] == [(2, 3)], "one call for both"


def test_only_value_widgets_so_that_nbval_and_colab_see_the_same():
    panel = fnb.interact(describe, percent=(2, 90))
    widgets = [panel, *panel.children, *panel.children[0].children]
    assert not any(isinstance(widget, ipywidgets.Output) for widget in widgets)


@pytest.mark.parametrize(
    "returned, shown, told",
    [
        ("a <b> & c\nd", "a &lt;b&gt; &amp; c\nd", "a <b> & c\nd"),
        (3.5, "3.5", "3.5"),
        (RED, "data:image/jpeg;base64", ""),
        (ANSWER, "Answer to &lt;OD&gt; drawn on the picture: car.", "Answer to <OD> on 60x40: 1 box"),
        (("text", RED), "data:image/jpeg", "text"),
        (None, "", ""),
    ],
)
def test_what_may_be_returned(returned, shown, told):
    panel = fnb.interact(lambda: returned)
    assert shown in panel.output.value and told in repr(panel) and panel.result is returned


def test_without_a_kernel_the_first_picture_and_the_text_stand_there():
    bundle = fnb.interact(lambda size=5: (f"size {size}", ANSWER, RED), size=(1, 9))._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "image/jpeg", VIEW}
    assert bundle["text/plain"].startswith("<lambda>(size=5)\nsize 5\nAnswer to <OD>")
    assert set(fnb.interact(lambda: "words")._repr_mimebundle_()) == {"text/plain", VIEW}


def test_an_exception_is_one_sentence_and_the_controls_go_on():
    def picky(size=5):
        if size == 7:
            raise ValueError("seven is <bad>\nsecond line")
        return size

    panel = fnb.interact(picky, size=(1, 9))
    panel.controls["size"].value = 7
    assert "seven is &lt;bad&gt;" in panel.output.value and "second line" not in panel.output.value
    assert panel.result is None and isinstance(panel.error, ValueError) and "seven is <bad>" in repr(panel)
    with pytest.raises(ValueError, match="seven"):
        panel.set(size=7)
    assert panel.set(size=8) == 8 and panel.error is None


@pytest.mark.parametrize(
    "values, words",
    [
        ({"percent": 99}, "percent cannot be set to 99: it goes from 2 to 90 in steps of 1."),
        ({"name": "moon"}, "name cannot be set to 'moon': choose one of street, market."),
        ({"size": 1}, "There is no control 'size': the function has percent, name."),
    ],
)
def test_set_refuses_what_a_hand_could_not_do(values, words):
    panel = fnb.interact(describe, percent=(2, 90), name=["street", "market"])
    with pytest.raises(InputError) as caught:
        panel.set(**values)
    assert str(caught.value) == words and panel.set(percent=2) == describe(2)


@pytest.mark.parametrize(
    "controls, words",
    [
        ({"size": (1, 2)}, "The function has no parameter 'size': it takes percent, name, big, note."),
        ({"percent": (40, 90)}, "percent begins at 30, which percent=(40, 90) does not hold."),
        ({"percent": (90, 2)}, "percent=(90, 2) is no control"),
        ({"percent": object()}, "give a tuple, a list, a bool, a string or a widget"),
    ],
)
def test_controls_that_cannot_be_made(controls, words):
    with pytest.raises(InputError) as caught:
        fnb.interact(describe, **controls)
    assert words in str(caught.value)


def test_a_parameter_without_control_and_default():
    with pytest.raises(InputError, match="'size' has no default"):
        fnb.interact(lambda size: size)


def test_a_function_that_takes_any_keyword():
    assert fnb.interact(lambda **settings: settings, size=(1, 9)).set(size=2) == {"size": 2}


def test_it_says_that_the_function_runs():
    seen = []
    panel = fnb.interact(lambda size=5: seen.append(panel.busy.value if size == 7 else ""), size=(1, 9))
    panel.set(size=7)
    assert "Running" in seen[-1] and "Running" not in panel.busy.value


def test_a_region_picker_is_a_control():
    picker = fnb.region_picker(RED, boxes=[(10, 5, 30, 20)])
    panel = fnb.interact(lambda box: f"asked about {box}", box=picker)
    assert panel.result == "asked about (10, 5, 30, 20)" and panel.still().size == RED.size
    picker.box = (20, 10, 90, 30)  # cut to the picture
    assert panel.result == "asked about (20, 10, 60, 30)"
    assert panel.set(box=(1, 2, 33, 34)) == "asked about (1, 2, 33, 34)" and picker.box == (1, 2, 33, 34)
    picker.box = None
    assert panel.result == "asked about None"
