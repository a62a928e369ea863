"""A file from the computer that shows the notebook.

The FileUpload of ipywidgets sends a file as one message, and over 10 MB Jupyter Server closes the connection
on it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import traitlets


class Upload(anywidget.AnyWidget):
    """``file``: (name, bytes) of the file that came last, or None. ``refused``: (name, bytes it has) of one
    that was too large.

    ``most``: how many bytes are taken; a larger file does not leave the browser.
    """

    _esm = Path(__file__).with_name("upload.js")
    most = traitlets.Int(20 * 2**20).tag(sync=True)
    file = traitlets.Any(None)
    refused = traitlets.Any(None)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._pieces = bytearray()
        self.on_msg(self._receive)

    def _receive(self, _widget: Any, content: dict[str, Any], buffers: list) -> None:
        self.refused = None
        if content.get("refused"):
            self.refused = (content["name"], content["size"])
            return
        if content["at"] == 0:
            self.file, self._pieces = None, bytearray()
        self._pieces += bytes(buffers[0])
        if len(self._pieces) == content["size"]:
            self.file = (content["name"], bytes(self._pieces))
            self._pieces = bytearray()

    def __repr__(self) -> str:
        return "Upload"
