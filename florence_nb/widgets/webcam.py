"""A picture from the webcam of the computer that shows the notebook."""

from __future__ import annotations

from pathlib import Path

from .upload import Upload

_CSS = """
.fnb-webcam video { width: 100%; max-width: 320px; display: block; border-radius: 4px; margin-bottom: 4px }
.fnb-webcam [hidden] { display: none !important }
.fnb-webcam .said { font: 12px/1.45 var(--jp-ui-font-family, sans-serif);
  color: var(--jp-ui-font-color1, inherit); opacity: .8 }
"""


class Webcam(Upload):
    """``file`` holds ("webcam.jpg", bytes of the last picture that was taken), or None before the first."""

    _esm = Path(__file__).with_name("webcam.js")
    _css = _CSS

    def __repr__(self) -> str:
        return "Webcam"
