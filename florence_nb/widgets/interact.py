"""A function with sliders: `interact` calls it whenever one is let go, and shows what it returns."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import ipywidgets
import traitlets
from PIL import Image

from ..answers import Answer
from ..drawing import show
from ..errors import InputError
from .panel import Panel, alt_text, img, page, sentence, trouble
from .region import RegionPicker

WIDTH = 400
"""Width in pixels of a drawn answer; `florence_nb.show` makes other ones."""
_STYLE = {"description_width": "initial"}
_RUNNING = "<p class='faint' role='status'>Running …</p>"
_READY = "<p role='status'>&nbsp;</p>"  # as high, so that nothing jumps
_CONTROLS = "a tuple, a list, a bool, a string or a widget"


class Interact(Panel):
    """See `interact`.

    Attributes:
        controls: the widgets by the name of their parameter.
        result: what the function returned last, or None if it raised.
        error: the exception that it raised instead, or None.
    """

    def __init__(self, function: Callable[..., Any], controls: Mapping[str, Any]) -> None:
        self.function, self.controls = function, dict(controls)
        self.result: Any = None
        self.error: Exception | None = None
        self._quiet = False
        self.output, self.busy = ipywidgets.HTML(), ipywidgets.HTML(page(_READY))
        shown = [widget for widget in self.controls.values() if isinstance(widget, ipywidgets.Widget)]
        for widget in shown:
            widget.observe(self._run, "value")
        row = ipywidgets.HBox(shown, layout={"flex_flow": "row wrap", "grid_gap": "0 24px"})
        super().__init__([row, self.busy, self.output])
        self._run()

    @property
    def values(self) -> dict[str, Any]:
        """What the controls are set to."""
        return {name: control.value for name, control in self.controls.items()}

    def set(self, **values: Any) -> Any:
        """Moves controls as a hand would, and returns what the function then gives; an error of it is raised.

        Raises:
            InputError: no such control, or it does not go to that value.
        """
        self._quiet = True
        try:
            for name, value in values.items():
                self._move(name, value)
        finally:
            self._quiet = False
            self._run()
        if self.error is not None:
            raise self.error
        return self.result

    def _move(self, name: str, value: Any) -> None:
        if name not in self.controls:
            raise InputError(f"There is no control {name!r}: the function has {', '.join(self.controls)}.")
        control = self.controls[name]
        try:
            control.value = value
        except traitlets.TraitError as error:
            raise InputError(f"{name} cannot be set to {value!r}: {_choices(control)}.") from error
        if control.value != value:  # a slider goes to its end instead
            raise InputError(f"{name} cannot be set to {value!r}: {_choices(control)}.")

    def _run(self, _change: Any = None) -> None:
        if self._quiet:
            return
        self.busy.value = page(_RUNNING)
        try:
            self.result, self.error = self.function(**self.values), None
        except Exception as error:  # whatever it is, the controls stay usable
            self.result, self.error = None, error
            self.output.value = trouble(InputError(sentence(error)))
        else:
            self.output.value = page(*(_html(part) for part in _parts(self.result)))
        finally:
            self.busy.value = page(_READY)

    def still(self) -> Image.Image | None:
        stills = [control.still() for control in self.controls.values() if isinstance(control, RegionPicker)]
        pictures = [_picture(part) for part in _parts(self.result)]
        return next((picture for picture in [*stills, *pictures] if picture is not None), None)

    def __repr__(self) -> str:
        name = getattr(self.function, "__name__", "function")
        call = f"{name}({', '.join(f'{key}={value!r}' for key, value in self.values.items())})"
        texts = (
            [_text(part) for part in _parts(self.result)] if self.error is None else [sentence(self.error)]
        )
        return "\n".join([call, *filter(None, texts)])


def interact(function: Callable[..., Any], /, **controls: Any) -> Interact:
    """Calls a function with the values of some controls whenever one is let go, and shows what it returns.

        fnb.interact(describe, percent=(2, 90), name=["street", "market"])

    Args:
        function: any. It may return text, an `Answer`, a picture (PIL), another value, or a tuple of such;
            all are shown, None is not. An exception is shown as one sentence.
        controls: for each parameter, as in ipywidgets: ``(2, 90)`` or ``(0.1, 0.9, 0.1)`` a slider, a list or
            dict a dropdown, True or False a checkbox, a string a text field, ``ipywidgets.fixed(value)``
            nothing; a `region_picker` gives the box that is drawn; or a widget of your own. A slider or
            dropdown begins at the parameter's default.

    Returns:
        A panel. ``panel.set(percent=12)`` moves a control from Python and returns the result,
        ``panel.result`` is the last one. In a page that is not running (GitHub, a saved file) the first
        picture and the text stand in its place.

    Raises:
        InputError: a control for which the function has no parameter, a parameter without control and
            default, or something that is no control.
    """
    parameters = inspect.signature(function).parameters
    _check_parameters(parameters, controls)
    defaults = {name: parameter.default for name, parameter in parameters.items()}
    made = {
        name: _control(name, given, defaults.get(name, inspect.Parameter.empty))
        for name, given in controls.items()
    }
    return Interact(function, made)


def _check_parameters(parameters: Mapping[str, inspect.Parameter], controls: Mapping[str, Any]) -> None:
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for name in controls:
        if name not in parameters and not takes_any:
            raise InputError(f"The function has no parameter {name!r}: it takes {', '.join(parameters)}.")
    for name, parameter in parameters.items():
        named = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        if named and parameter.default is parameter.empty and name not in controls:
            raise InputError(
                f"The parameter {name!r} has no default: give it a control, such as {name}=(1, 9)."
            )


def _control(name: str, given: Any, default: Any) -> Any:
    """The widget of an abbreviation of ipywidgets, which begins at the parameter's default and waits for
    release.
    """
    if isinstance(given, RegionPicker):
        # In a row it would shrink to its text.
        given.layout = {"width": f"{given.shown}px", "max_width": "98%"}
        return given
    try:
        widget = ipywidgets.interactive.widget_from_abbrev(given, default)
    except Exception as error:
        raise InputError(f"{name}={given!r} is no control: {error}.") from error
    if widget is None:
        raise InputError(f"{name}={given!r} is no control: give {_CONTROLS}.")
    if widget is given:
        return widget
    several = isinstance(given, (tuple, list, dict))
    if several and default is not inspect.Parameter.empty and widget.value != default:
        raise InputError(f"{name} begins at {default!r}, which {name}={given!r} does not hold.")
    widget.description, widget.style = name.replace("_", " "), _STYLE
    widget.layout = {"width": "340px", "max_width": "98%"}
    if widget.has_trait("continuous_update"):
        widget.continuous_update = False
    return widget


def _choices(control: Any) -> str:
    if hasattr(control, "options"):
        names = [str(option) for option in getattr(control, "_options_labels", control.options)]
        return f"choose one of {', '.join(names)}"
    if hasattr(control, "min"):
        return f"it goes from {control.min} to {control.max} in steps of {control.step}"
    return f"it is a {type(control).__name__}"


def _parts(result: Any) -> tuple:
    return result if isinstance(result, tuple) else (result,)


def _picture(part: Any) -> Image.Image | None:
    if isinstance(part, Answer):
        return show(part, width=WIDTH)
    return part.convert("RGB") if isinstance(part, Image.Image) else None


def _text(part: Any) -> str:
    if part is None or isinstance(part, Image.Image):
        return ""
    return repr(part) if isinstance(part, Answer) else str(part)


def _html(part: Any) -> str:
    picture = _picture(part)
    if picture is not None:
        told = alt_text(part) if isinstance(part, Answer) else getattr(part, "alt", "")
        return img(picture, told or "the picture that the function returned")
    return f'<p style="white-space: pre-wrap">{escape(_text(part))}</p>' if part is not None else ""
