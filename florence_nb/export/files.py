"""A folder of ONNX graphs, tokenizer and settings, laid out as transformers.js and `OnnxFlorence` read it."""

from __future__ import annotations

import json
import logging
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
NEEDED = "The export needs two more packages: pip install onnx onnxruntime"


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
        precision: of the stored weights. They are cast to float32 when the graph is loaded, so with
            "float16" a checkpoint that is stored in float16 loses nothing. "int8" quantises the matrices,
            which changes some answers (lesson 16 counts them).
        progress: show a progress bar; mini takes some ten seconds.

    Raises:
        InputError: onnx or onnxruntime is not installed, the folder cannot be written, the precision does not
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
        import onnxruntime  # noqa: F401
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
        if precision == "float16":
            _store_halves(path)
        elif precision == "int8":
            _quantise(path)
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


def _store_halves(path: Path) -> None:
    """Stores the weights of a graph in float16, with a cast to float32 in front."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(path)
    graph, casts = model.graph, []
    for weight in [each for each in graph.initializer if each.data_type == TensorProto.FLOAT]:
        values = numpy_helper.to_array(weight)
        if values.size < 32 or np.abs(values).max() > np.finfo(np.float16).max or weight.name.endswith(SCALE):
            continue
        graph.initializer.remove(weight)
        graph.initializer.append(numpy_helper.from_array(values.astype(np.float16), f"{weight.name}_half"))
        casts.append(helper.make_node("Cast", [f"{weight.name}_half"], [weight.name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    onnx.save(model, path)


SCALE = "_scale"
"""How the name of what a quantised matrix is multiplied by ends: it stays in float32."""


def _quantise(path: Path) -> None:
    """Matrices and embeddings as int8 with one scale a column; activations are quantised as they come. What
    is left, such as convolutions, becomes float16.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    whole = path.with_suffix(".float32")
    path.replace(whole)
    try:
        with _no_advice():
            quantize_dynamic(
                whole,
                path,
                per_channel=True,
                weight_type=QuantType.QInt8,
                op_types_to_quantize=["MatMul", "Gather"],
                extra_options={"MatMulConstBOnly": True},
            )
    finally:
        whole.unlink()
    _store_halves(path)


@contextmanager
def _no_advice() -> Iterator[None]:
    """onnxruntime recommends, on the root logger, a preparation that changes nothing here."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


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
