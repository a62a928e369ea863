"""A Florence-2 as four ONNX graphs, to run without torch: `export_onnx`, `OnnxFlorence` (lesson 16).

``graphs`` writes the model down in plain tensor operations, ``files`` makes a folder of them, ``runner``
answers from such a folder with onnxruntime, numpy, tokenizers and Pillow alone.

``OnnxFlorence(folder)`` also works where neither torch nor transformers is installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .files import Exported, export_onnx
    from .runner import OnnxFlorence

__all__ = ["Exported", "OnnxFlorence", "export_onnx"]


def __getattr__(name: str):  # without torch the runner alone can be imported
    if name == "OnnxFlorence":
        from .runner import OnnxFlorence

        return OnnxFlorence
    if name in ("Exported", "export_onnx"):
        from . import files

        return getattr(files, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
