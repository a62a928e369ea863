"""A folder of ONNX graphs, tokenizer and settings, laid out as transformers.js and `OnnxFlorence` read it."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tqdm.auto import tqdm

from ..errors import InputError
from ..loading import load
from .names import DTYPES, SUFFIXES, Precision

OPSET = 20
"""The newest set of ONNX operators that onnxruntime-web of 2024 knows as well."""
COPIED = ("generation_config.json", "tokenizer.json", "tokenizer_config.json", "processor_config.json")
PROMPTS = ("task_prompts_without_inputs", "task_prompts_with_input", "tasks_answer_post_processing_type")
"""Tables of the processor that transformers.js reads from a file."""
LARGEST = 2 * 1024**3
"""A graph in one file holds less than so many bytes: protobuf allows no more."""
FEW = 32
"""Smaller weights stay as they are."""
CHANNEL = {"MatMul": -1, "Conv": 0, "Gather": 0}
"""By operation: the axis of its weight that counts the output channels, or the rows of a table."""
NEEDED = "The export needs onnx, and what it writes onnxruntime: pip install onnx onnxruntime"


@dataclass(frozen=True)
class Exported:
    """What was written: the folder, the precision of the weights, and the bytes of each graph."""

    folder: Path
    precision: Precision
    bytes: dict[str, int]

    def __str__(self) -> str:
        rows = "\n".join(f"{size / 1e6:8.1f} MB  {name}" for name, size in self.bytes.items())
        return f"{rows}\n{sum(self.bytes.values()) / 1e6:8.1f} MB  in {self.folder}"


def export_onnx(
    folder: Path | str,
    checkpoint: str | Path = "mini",
    precision: Precision = "float16",
    *,
    progress: bool = True,
) -> Exported:
    """Writes a checkpoint as ONNX: ``onnx/vision_encoder_fp16.onnx`` and three more, beside its settings.

    Args:
        folder: where to; made if it is not there. Files of an earlier export are replaced, those of another
            precision stay beside them; transformers.js then takes the one that was written last.
        checkpoint: what `load` takes. A model with LoRA is merged first and saved, see lesson 14.
        precision: of the stored weights. All is computed in float32, so with "float16" a checkpoint that is
            stored in float16 loses nothing. "int8" rounds each weight to one of 255 steps, which changes some
            answers (lesson 16 counts them), the same ones on every processor.
        progress: show a progress bar; mini takes some ten seconds.

    Raises:
        InputError: onnx is not installed, the folder cannot be written, the precision does not
            exist, or a graph takes more than 2 GB.
        CheckpointError: as `load`.
    """
    if precision not in SUFFIXES:
        raise InputError(f"precision is {precision!r}, but must be one of: {', '.join(SUFFIXES)}.")
    _check_packages()
    florence = load(
        checkpoint, device="cpu", dtype="float32", attn_implementation="eager", cache=False, quiet=True
    )
    target = _folder(Path(folder).expanduser())
    written = _write_graphs(florence, target / "onnx", precision, progress)
    _write_settings(florence, target, precision)
    return Exported(
        target, precision, {path.relative_to(target).as_posix(): path.stat().st_size for path in written}
    )


def _check_packages() -> None:
    try:
        import onnx  # noqa: F401
    except ImportError as error:
        raise InputError(NEEDED) from error


def _folder(target: Path) -> Path:
    try:
        (target / "onnx").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{target} cannot be written ({error.strerror}): choose a folder of your own."
        ) from error
    return target


def _write_graphs(florence, folder: Path, precision: Precision, progress: bool) -> list[Path]:
    from .graphs import graphs

    size, written = florence.processor.image_processor.size, []
    parts = graphs(florence.native_model.eval(), size["height"])
    for graph in tqdm(parts, desc="export", unit="graph", disable=not progress):
        path = folder / f"{graph.name}{SUFFIXES[precision]}.onnx"
        _trace(graph, path)
        if precision != "float32":
            _store_smaller(path, precision)
        written.append(path)
    return written


def _trace(graph, path: Path) -> None:
    import torch

    weights = sum(p.numel() * p.element_size() for p in graph.module.parameters())
    if weights > LARGEST:
        raise InputError(
            f"{graph.name} has {weights / 1e9:.1f} GB of weights, and one ONNX file holds 2: export base or"
            " mini."
        )
    with torch.no_grad(), _quiet():
        torch.onnx.export(
            graph.module.eval(),
            graph.example,
            str(path),
            input_names=graph.inputs,
            output_names=graph.outputs,
            dynamic_axes=graph.axes,
            opset_version=OPSET,
            dynamo=False,  # the new exporter cannot cut a tensor by a value, as the decoder does
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the tracer's notes: that sizes of a picture become constants is meant here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _store_smaller(path: Path, precision: Precision) -> None:
    """Stores the weights of a graph as float16 or int8, each behind a node that makes float32 of it."""
    import onnx

    model = onnx.load(path)
    graph, nodes = model.graph, []
    uses = {name: node.op_type for node in graph.node for name in node.input}
    for weight in [each for each in graph.initializer if each.data_type == onnx.TensorProto.FLOAT]:
        smaller = _as_int8(weight, uses.get(weight.name, "")) if precision == "int8" else None
        if (smaller := smaller or _as_half(weight)) is None:
            continue
        stored, node = smaller
        graph.initializer.remove(weight)
        graph.initializer.extend(stored)
        nodes.append(node)
    nodes += graph.node
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _as_half(weight):
    """What is stored of a weight, and the node that casts it; None where halves cannot hold it."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    values, name = numpy_helper.to_array(weight), f"{weight.name}_half"
    if values.size < FEW or np.abs(values).max() > np.finfo(np.float16).max:
        return None
    stored = numpy_helper.from_array(values.astype(np.float16), name)
    return [stored], helper.make_node("Cast", [name], [weight.name], to=TensorProto.FLOAT)


def _as_int8(weight, use: str):
    """A matrix, convolution or table of vectors in 255 steps, with one scale for each output channel (or
    vector): what is stored, and the node that multiplies. None for other weights.
    """
    import numpy as np
    from onnx import helper, numpy_helper

    values = numpy_helper.to_array(weight)
    if use not in CHANNEL or values.ndim < 2:
        return None
    axis = CHANNEL[use] % values.ndim
    others = tuple(index for index in range(values.ndim) if index != axis)
    scale = np.maximum(np.abs(values).max(others, keepdims=True) / 127, np.finfo(np.float32).tiny)
    names = [f"{weight.name}_int8", f"{weight.name}_scale"]
    stored = np.round(values / scale).astype(np.int8), scale.ravel().astype(np.float32)
    made = [numpy_helper.from_array(array, name) for array, name in zip(stored, names)]
    return made, helper.make_node("DequantizeLinear", names, [weight.name], axis=axis)


def _write_settings(florence, target: Path, precision: Precision) -> None:
    """Tokenizer and settings as the checkpoint has them; the image processor's, with the task prompts, and
    the precision where transformers.js looks for them.
    """
    for name in COPIED:
        source = florence.folder / name
        if source.exists() and source.resolve() != (target / name).resolve():
            shutil.copy(source, target / name)
    processor = florence.processor
    images = {
        **processor.image_processor.to_dict(),
        "processor_class": type(processor).__name__,
        "image_seq_length": processor.num_image_tokens,
        **{name: getattr(processor, name) for name in PROMPTS},
    }
    _write_json(target / "preprocessor_config.json", images)
    config = json.loads((florence.folder / "config.json").read_text(encoding="utf-8"))
    _write_json(target / "config.json", {**config, "transformers.js_config": {"dtype": DTYPES[precision]}})


def _write_json(path: Path, values: dict) -> None:
    path.write_text(json.dumps(values, indent=2, default=str) + "\n", encoding="utf-8")
