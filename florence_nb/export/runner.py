"""Florence-2 without torch and transformers, from an exported folder.

florence = OnnxFlorence("my-export")
answer = florence.run_example("<OD>", image)  # an Answer, like that of `Florence.run_example` with one beam
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..answers import Answer
from ..engine.requests import make_settings
from ..errors import CheckpointError, InputError, first_line
from ..images import open_image
from ..locations import BINS
from ..parsing import parse
from ..tasks import TASKS, build_prompt, get_task
from .names import PARTS, SUFFIXES, Precision


class OnnxFlorence:
    """A folder that `export_onnx` wrote, ready to answer.

    Args:
        folder: the exported folder.
        precision: of which graphs, if there are several; None takes the most exact.
        threads: of onnxruntime; None leaves the choice to it.

    Attributes:
        vision, embed, encoder, decoder: the four graphs, each an ``onnxruntime.InferenceSession``.

    Raises:
        InputError: onnxruntime or tokenizers is not installed, or the precision does not exist.
        CheckpointError: files of the folder are missing or broken.
    """

    def __init__(
        self, folder: Path | str, precision: Precision | None = None, *, threads: int | None = None
    ) -> None:
        self.folder = Path(folder).expanduser()
        ort, tokenizers = _libraries()
        files = _graph_files(self.folder, precision)
        self.config, self.images, self.generation = map(
            self._settings, ("config.json", "preprocessor_config.json", "generation_config.json")
        )
        options = ort.SessionOptions()
        options.log_severity_level = 3  # errors only
        options.intra_op_num_threads = threads or 0
        try:
            sessions = [ort.InferenceSession(str(file), options, ["CPUExecutionProvider"]) for file in files]
            self.tokenizer = tokenizers.Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        except Exception as error:  # each library has its own
            raise CheckpointError(f"{self.folder} cannot be read ({first_line(error)}): {_AGAIN}.") from error
        self.vision, self.embed, self.encoder, self.decoder = sessions

    def run_example(
        self, task_prompt: str, image: Any, text_input: Any = None, *, max_new_tokens: int = 1024
    ) -> Answer:
        """Asks one picture, greedily: the token with the highest logit each time.

        Args and errors are those of `Florence.run_example`, which gives the same answer with ``num_beams=1``.
        """
        settings = make_settings(self._positions, max_new_tokens=max_new_tokens, num_beams=1)
        picture, ids = self.prepare(task_prompt, image, text_input)
        states = self.encode_prompt(self.encode_image(picture), ids)
        token_ids, scores, ended = self.generate_ids(states, settings.max_new_tokens)
        raw = self.tokenizer.decode(token_ids, skip_special_tokens=False)
        exact = scores if raw.count("<loc_") == len(scores) else None  # it may spell a location in letters
        answer = parse(raw, task_prompt, picture.size, ended=ended, location_scores=exact)
        answer.text_input, answer.image, answer.token_ids = text_input, picture, tuple(token_ids)
        answer.settings, answer.notes = settings.to_dict(), (*settings.notes, *answer.notes)
        return answer

    def prepare(self, task_prompt: str, image: Any, text_input: Any = None) -> tuple[Image.Image, list[int]]:
        """The picture, and the ids of the prompt's sentence with ``<s>`` and ``</s>``."""
        task, picture = get_task(task_prompt).prompt, open_image(image)
        given = build_prompt(task, text_input, picture.size).removeprefix(task)
        sentence = TASKS[task].sentence.replace("{input}", given)
        words = self.tokenizer.encode(sentence, add_special_tokens=False).ids
        ids = [self.generation["bos_token_id"], *words, self.generation["eos_token_id"]]
        if len(ids) > (room := self._positions - self.images["image_seq_length"]):
            raise InputError(
                f"The prompt has {len(ids)} tokens, but beside the picture this model has room for {room}:"
                " shorten text_input, or ask in several parts."
            )
        return picture, ids

    def encode_image(self, picture: Image.Image) -> np.ndarray:
        """The vision tower's graph on an RGB picture of any size: (1, image tokens, width) float32."""
        return self.vision.run(None, {"pixel_values": self.pixels(picture)})[0]

    def pixels(self, picture: Image.Image) -> np.ndarray:
        """(1, 3, side, side) float32, squeezed to a square and normalised as the image processor does."""
        side = self.images["size"]["height"]
        squeezed = picture.convert("RGB").resize((side, side), Image.Resampling(self.images["resample"]))
        values = np.asarray(squeezed, np.float32) / 255  # (side, side, 3)
        normal = (values - np.float32(self.images["image_mean"])) / np.float32(self.images["image_std"])
        return normal.transpose(2, 0, 1)[None]

    def encode_prompt(self, features: np.ndarray, ids: list[int]) -> np.ndarray:
        """The text encoder over picture and prompt together: (1, image tokens + prompt tokens, width)."""
        both = np.concatenate([features, self._embedded(ids)], axis=1)
        mask = np.ones(both.shape[:2], np.int64)
        return self.encoder.run(None, {"attention_mask": mask, "inputs_embeds": both})[0]

    def generate_ids(
        self, states: np.ndarray, max_new_tokens: int = 1024
    ) -> tuple[list[int], list[float], bool]:
        """The decoder, step by step, on what `encode_prompt` gave.

        Returns:
            The ids, with the one that starts the decoder, up to ``</s>`` or ``max_new_tokens``; the
            log-probability of each location token; and whether the model itself ended there.
        """
        end, first = self.generation["eos_token_id"], self.tokenizer.token_to_id("<loc_0>")
        past, names = self._empty_past(), [output.name for output in self.decoder.get_outputs()]
        fixed = {
            "encoder_attention_mask": np.ones(states.shape[:2], np.int64),
            "encoder_hidden_states": states,
        }
        ids, scores = [self.generation["decoder_start_token_id"]], []
        for step in range(max_new_tokens):
            new = {"inputs_embeds": self._embedded(ids[-1:]), "use_cache_branch": np.array([step > 0])}
            logits, *kept = self.decoder.run(names, {**fixed, **new, **past})
            past, row = dict(zip(past, kept)), logits[0, -1]  # (vocabulary,)
            chosen = int(self._allowed(row, ids).argmax())
            ids.append(self._forced(step, max_new_tokens, chosen))
            if 0 <= ids[-1] - first < BINS:
                scores.append(float(row[ids[-1]] - np.logaddexp.reduce(row)))
            if ids[-1] == end:
                break
        return ids, scores, chosen == end

    def _allowed(self, logits: np.ndarray, ids: list[int]) -> np.ndarray:
        """-inf for a token that would write ``no_repeat_ngram_size`` tokens a second time, as the published
        checkpoints wish.
        """
        size = self.generation.get("no_repeat_ngram_size") or 0
        if not 0 < size <= len(ids):
            return logits
        head, allowed = ids[len(ids) - size + 1 :], logits.copy()
        repeats = [i for i in range(len(ids) - size + 1) if ids[i : i + size - 1] == head]
        allowed[[ids[i + size - 1] for i in repeats]] = -np.inf
        return allowed

    def _forced(self, step: int, limit: int, chosen: int) -> int:
        """If the checkpoint says so: ``<s>`` in front, and ``</s>`` at the end, also where it is cut."""
        if step == limit - 1 and (last := self.generation.get("forced_eos_token_id")) is not None:
            return last
        if step == 0 and (first := self.generation.get("forced_bos_token_id")) is not None:
            return first
        return chosen

    def _embedded(self, ids: list[int]) -> np.ndarray:
        return self.embed.run(None, {"input_ids": np.array([ids], np.int64)})[0]  # (1, tokens, width)

    def _empty_past(self) -> dict[str, np.ndarray]:
        """For each input past_key_values.…: (1, heads, 0, head width) float32."""
        shapes = {i.name: i.shape for i in self.decoder.get_inputs() if i.name.startswith("past_key_values")}
        return {name: np.zeros((1, shape[1], 0, shape[3]), np.float32) for name, shape in shapes.items()}

    @property
    def _positions(self) -> int:
        return self.config["text_config"]["max_position_embeddings"]

    def _settings(self, name: str) -> dict[str, Any]:
        try:
            return json.loads((self.folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{self.folder / name} cannot be read: {_AGAIN}.") from error


_AGAIN = "write the folder again with florence-nb export"


def _libraries():
    try:
        import onnxruntime
        import tokenizers
    except ImportError as error:
        raise InputError(f"{error.name} is not installed: pip install onnxruntime tokenizers") from error
    return onnxruntime, tokenizers


def _graph_files(folder: Path, precision: Precision | None) -> list[Path]:
    """The four graphs of one precision; of None, the most exact that is there."""
    if precision is not None and precision not in SUFFIXES:
        raise InputError(f"precision is {precision!r}, but must be one of: {', '.join(SUFFIXES)}.")
    for suffix in SUFFIXES.values() if precision is None else [SUFFIXES[precision]]:
        files = [folder / "onnx" / f"{part}{suffix}.onnx" for part in PARTS]
        if all(file.exists() for file in files):
            return files
    which = f" of {precision}" if precision else ""
    raise CheckpointError(
        f"{folder} has no graphs{which} (onnx/{PARTS[0]} and three more): write them with florence-nb export."
    )
