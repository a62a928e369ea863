from types import SimpleNamespace

from ._record import record

_widgets = SimpleNamespace(_installed_url=None)  # anywidget reads it


def enable_custom_widget_manager():
    record("output.enable_custom_widget_manager")
    _widgets._installed_url = "https://ssl.gstatic.com/colaboratory-static/widgets/manager.js"


def disable_custom_widget_manager():
    record("output.disable_custom_widget_manager")
    _widgets._installed_url = None


def register_callback(name, function):
    record("output.register_callback", name)


def eval_js(script, ignore_result=False):
    record("output.eval_js", script)


def clear():
    record("output.clear")
