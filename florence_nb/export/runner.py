"""Florence-2 without torch and transformers, from an exported folder.

florence = OnnxFlorence("my-export")
answer = florence.run_example("<OD>", image)  # an Answer, like that of `Florence.run_example`, greedy
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..answers import Answer
from ..errors import CheckpointError, InputError
from ..images import open_image
from ..parsing import parse
from ..tasks import TASKS, build_prompt

PARTS = ("vision_encoder", "embed_tokens", "encoder_model", "decoder_model_merged")


class OnnxFlorence:
    """A folder that `export_onnx` wrote, ready to answer.

    Args:
        folder: the exported folder.
        threads: of onnxruntime; None leaves the choice to it.

    Raises:
        InputError: onnxruntime or tokenizers is not installed.
        CheckpointError: files of the folder are missing.
    """

    def __init__(self, folder: Path | str, threads: int | None = None):
        self.folder = Path(folder).expanduser()
        ort, tokenizers = _libraries()
        files = [_graph_file(self.folder, part) for part in PARTS]
        options = ort.SessionOptions()
        options.log_severity_level = 3  # errors only
        if threads:
            options.intra_op_num_threads = threads
        sessions = [ort.InferenceSession(str(file), options, ["CPUExecutionProvider"]) for file in files]
        self.vision, self.embed, self.encoder, self.decoder = sessions
        self.tokenizer = tokenizers.Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        self.images = json.loads((self.folder / "preprocessor_config.json").read_text())
        self.settings = json.loads((self.folder / "generation_config.json").read_text())

    def run_example(
        self, task: str, image: Any, text_input: str | list[float] | None = None, max_new_tokens: int = 1024
    ) -> Answer:
        """Asks one picture, greedily: the token with the highest logit each time.

        Raises:
            InputError: as `Florence.run_example`.
        """
        picture = open_image(image)
        words = build_prompt(task, text_input, picture.size).removeprefix(task)
        sentence = TASKS[task].sentence.replace("{input}", words)
        ids = self.generate(self.pixels(picture), self.prompt_ids(sentence), max_new_tokens)
        raw = self.tokenizer.decode(ids, skip_special_tokens=False)
        return parse(raw, task, picture.size)

    def prompt_ids(self, sentence: str) -> list[int]:
        """Ids of a sentence between ``<s>`` and ``</s>``."""
        words = self.tokenizer.encode(sentence, add_special_tokens=False).ids
        return [self.settings["bos_token_id"], *words, self.settings["eos_token_id"]]

    def pixels(self, picture: Image.Image) -> np.ndarray:
        """(1, 3, side, side) float32, squeezed to a square and normalised as the image processor does."""
        side = self.images["size"]["height"]
        squeezed = picture.convert("RGB").resize((side, side), Image.Resampling(self.images["resample"]))
        values = np.asarray(squeezed, np.float32) / 255
        normal = (values - np.float32(self.images["image_mean"])) / np.float32(self.images["image_std"])
        return normal.transpose(2, 0, 1)[None]

    def generate(self, pixels: np.ndarray, prompt: list[int], max_new_tokens: int = 1024) -> list[int]:
        """Ids of the answer, with the one that starts the decoder, up to ``</s>`` or ``max_new_tokens``."""
        (features,) = self.vision.run(None, {"pixel_values": pixels})  # (1, image tokens, width)
        seen = np.concatenate([features, self._embedded(prompt)], axis=1)  # (1, image tokens + prompt, width)
        mask = np.ones(seen.shape[:2], np.int64)
        (states,) = self.encoder.run(None, {"attention_mask": mask, "inputs_embeds": seen})
        start, end = self.settings["decoder_start_token_id"], self.settings["eos_token_id"]
        ids, first = [start], self.settings.get("forced_bos_token_id")
        past, names = self._empty_past(), [output.name for output in self.decoder.get_outputs()]
        for step in range(max_new_tokens):
            inputs = {
                "encoder_attention_mask": mask,
                "encoder_hidden_states": states,
                "inputs_embeds": self._embedded(ids[-1:]),
                "use_cache_branch": np.array([step > 0]),
            }
            logits, *kept = self.decoder.run(names, {**inputs, **past})
            past = dict(zip(past, kept))
            ids.append(first if step == 0 and first is not None else int(logits[0, -1].argmax()))
            if ids[-1] == end:
                break
        return ids

    def _embedded(self, ids: list[int]) -> np.ndarray:
        return self.embed.run(None, {"input_ids": np.array([ids], np.int64)})[0]  # (1, tokens, width)

    def _empty_past(self) -> dict[str, np.ndarray]:
        """For each input past_key_values.…: (1, heads, 0, head width) float32."""
        shapes = {i.name: i.shape for i in self.decoder.get_inputs() if i.name.startswith("past_key_values")}
        return {name: np.zeros((1, shape[1], 0, shape[3]), np.float32) for name, shape in shapes.items()}


def _libraries():
    try:
        import onnxruntime
        import tokenizers
    except ImportError as error:
        raise InputError(f"{error.name} is not installed: pip install onnxruntime tokenizers") from error
    return onnxruntime, tokenizers


def _graph_file(folder: Path, part: str) -> Path:
    """The graph's file, of whatever precision; where there are several, the most exact."""
    for suffix in ("", "_fp16", "_int8"):
        if (path := folder / "onnx" / f"{part}{suffix}.onnx").exists():
            return path
    raise CheckpointError(
        f"{folder} has no onnx/{part}.onnx: write such a folder with florence-nb export {folder}."
    )
