"""One checkpoint, ready to be asked. `Florence.run_example` is the whole way from a picture and a task to an
`Answer`.

It gives what the plain loop gives (processor, ``model.generate(**inputs)``, ``batch_decode``; built step by
step in notebooks/03_run_example.ipynb), with two differences: a picture is encoded once however often it is
asked about, and the text encoder sees the picture's features in front of the prompt's embeddings without the
detour over ``<image>`` tokens.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .answers import Answer
from .engine.cross_attention_cache import cross_attention_cache
from .engine.feature_cache import DEFAULT_BYTES, FeatureCache, picture_key
from .engine.location_scores import LocationScores, ended_by_choice, first_location, until_end
from .engine.model_state import state_key, unwrapped
from .engine.requests import MAX_NEW_TOKENS, PreparedRequest, Settings, make_settings
from .errors import InputError
from .images import open_image
from .parsing import parse
from .tasks import build_prompt, get_task

if TYPE_CHECKING:
    import torch
    from PIL import Image
    from transformers import Florence2ForConditionalGeneration, Florence2Processor

CPU_PIXELS = 2 * 768 * 768
"""So many pixels go through the vision tower at once on a CPU: eight large pictures take a third longer at
once than in turn.
"""


class Florence:
    """A model with its processor; `florence_nb.load` makes one.

    Attributes:
        model: ``Florence2ForConditionalGeneration``. processor: ``Florence2Processor``. name: what `load` was
            asked for.
        feature_cache: the encoded pictures and prompts (see `engine.feature_cache`); ``feature_cache.limit``
            is its bound in bytes.
        folder: where its files are, if `load` made it.
    """

    folder: Path | None = None

    def __init__(
        self,
        model: Florence2ForConditionalGeneration,
        processor: Florence2Processor,
        name: str = "unnamed",
        *,
        cache: bool = True,
    ) -> None:
        self.model, self.processor, self.name = model, processor, name
        self.feature_cache = FeatureCache(DEFAULT_BYTES if cache else 0)
        self._inference_lock, self._inside = threading.Lock(), 0
        self._training: list[torch.nn.Module] = []

    @property
    def native_model(self) -> Florence2ForConditionalGeneration:
        """``model`` without what is wrapped around it (peft, ``torch.compile``); all is asked of this one."""
        return unwrapped(self.model)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.native_model.device

    @property
    def dtype(self) -> torch.dtype:
        """The number format of the weights."""
        return self.native_model.dtype

    @property
    def remembered(self) -> FeatureCache:
        """The earlier name of ``feature_cache``."""
        return self.feature_cache

    def __repr__(self) -> str:
        millions = sum(weight.numel() for weight in self.model.parameters()) / 1e6
        return (
            f"Florence({self.name!r}: {millions:.1f} M parameters, {str(self.dtype).removeprefix('torch.')}"
            f" on {self.device})"
        )

    def run_example(
        self,
        task_prompt: str,
        image: Any,
        text_input: Any = None,
        *,
        max_new_tokens: int = MAX_NEW_TOKENS,
        num_beams: int = 3,
        do_sample: bool = False,
        seed: int | None = None,
        **generate_kwargs: Any,
    ) -> Answer:
        """Asks one thing about one picture.

        Args:
            task_prompt: one of the 15 task prompts of `florence_nb.TASKS`, such as ``"<OD>"``.
            image: whatever `florence_nb.open_image` takes.
            text_input: nothing, a phrase, or a region ``(x1, y1, x2, y2)`` in pixels of the image, as the
                task wants.
            max_new_tokens: where the answer is cut at the latest. The decoder has a position for 1024 tokens;
                more is clamped.
            num_beams: how many drafts of the answer are followed side by side; 1 is greedy and fastest.
            do_sample: draw each token by its probability; ``seed`` makes the draw repeatable.
            generate_kwargs: any other argument of transformers' ``generate``: ``temperature``,
                ``no_repeat_ngram_size`` …

        Raises:
            InputError: the task, the picture, the text or a setting cannot be used, or the prompt is too long
                for the model.
            MemoryError: the GPU's memory is full.
        """
        settings = self.make_settings(
            max_new_tokens=max_new_tokens,
            num_beams=num_beams,
            do_sample=do_sample,
            seed=seed,
            **generate_kwargs,
        )
        return self.answer_batch([self.prepare(task_prompt, image, text_input)], settings)[0]

    def run_many(
        self,
        requests: Sequence[tuple],
        *,
        batch_size: int = 8,
        out: str | Path | None = None,
        progress: bool = True,
        max_new_tokens: int = MAX_NEW_TOKENS,
        num_beams: int = 3,
        do_sample: bool = False,
        seed: int | None = None,
        **generate_kwargs: Any,
    ) -> list[Answer | Exception]:
        """Asks many things, in batches; the settings are those of `run_example`.

        Args:
            requests: ``(task_prompt, image)`` or ``(task_prompt, image, text_input)``, tasks and sizes mixed
                as you like.
            batch_size: how many are asked at once. More is faster on a GPU until its memory is full.
            out: a file for the answers, one JSON object a line, written as they come; it is made with its
                folders before the first batch. A run that was stopped goes on where it stopped when it is
                called again with the same settings and file: an answer is known by its request, so pictures
                may be added, removed or sorted anew. With ``out`` the answers carry no picture, so that a
                long job fits in memory: ``show(answer, image)``.
            progress: show a progress bar.

        Returns:
            One answer per request, in order. In the place of a request that cannot be answered stands its
            error.
        """
        from .engine.batches import run_many

        settings = self.make_settings(
            max_new_tokens=max_new_tokens,
            num_beams=num_beams,
            do_sample=do_sample,
            seed=seed,
            **generate_kwargs,
        )
        return run_many(self, requests, settings, batch_size, None if out is None else Path(out), progress)

    def forget(self) -> None:
        """Empties the feature cache: for memory, or after you changed some rows of a weight through
        ``.data``.
        """
        self.feature_cache.clear()

    def make_settings(self, **chosen: Any) -> Settings:
        """The settings of `run_example` by name, checked for this model; see
        `engine.requests.make_settings`.
        """
        return make_settings(self.native_model.config.text_config.max_position_embeddings, **chosen)

    def prepare(self, task_prompt: str, image: Any, text_input: Any = None) -> PreparedRequest:
        """Checks a request and turns its prompt into token ids, ``<s>`` and ``</s>`` included."""
        task = get_task(task_prompt).prompt
        picture = open_image(image)
        prompt = build_prompt(task, text_input, picture.size)
        tokenizer = self.processor.tokenizer
        sentence = self.processor(text=prompt, verbose=False)["input_ids"][0]
        ids = (tokenizer.bos_token_id, *sentence, tokenizer.eos_token_id)
        taken = self.processor.num_image_tokens
        room = self.native_model.config.text_config.max_position_embeddings - taken
        if len(ids) > room:
            raise InputError(
                f"The prompt has {len(ids)} tokens, but beside the {taken} of the picture this model has room"
                f" for {room}: shorten text_input, or ask in several parts."
            )
        return PreparedRequest(task, text_input, picture, ids)

    def answer_batch(self, requests: Sequence[PreparedRequest], settings: Settings) -> list[Answer]:
        """Answers prepared requests as one batch, in order.

        Raises:
            MemoryError: the GPU's memory is full.
        """
        with self.inference_mode(), _seeded(settings.seed, self.device), _out_of_memory_explained():
            encoded = self.encode(requests)
            generated, log_probabilities = self.generate_ids(encoded, settings)
            ended = [
                self._ended(ids, hidden, settings) for ids, hidden in zip(generated, encoded, strict=True)
            ]
        rows = zip(requests, generated, log_probabilities, ended, strict=True)
        return [
            self._read(request, ids, scores, complete, settings) for request, ids, scores, complete in rows
        ]

    # Their names in version 0.1.0.
    answer, question = answer_batch, prepare

    @contextmanager
    def inference_mode(self) -> Iterator[None]:
        """No gradients and no dropout, also in the middle of a training; when the last thread leaves it, all
        is as it was.
        """
        import torch

        with self._inference_lock:
            if not self._inside:
                self._training = [module for module in self.model.modules() if module.training]
                self.model.eval()
            self._inside += 1
        try:
            with torch.no_grad():
                yield
        finally:
            with self._inference_lock:
                self._inside -= 1
                if not self._inside:
                    for module in self._training:
                        module.training = True

    def encode(self, requests: Sequence[PreparedRequest]) -> list[torch.Tensor]:
        """The text encoder's output for each request, (image tokens + prompt tokens, width), from the feature
        cache where it is.
        """
        keys = self._picture_keys(requests)

        def encode_missing(indices: list[int]) -> list[torch.Tensor]:
            images, missing = [requests[i].image for i in indices], [keys[i] for i in indices]
            features = self.feature_cache.get(
                missing, lambda new: self.encode_images([images[i] for i in new]).unbind()
            )
            return self.encode_prompts(features, [requests[i].ids for i in indices])

        with_prompts = [key and (*key, r.ids) for key, r in zip(keys, requests, strict=True)]
        return self.feature_cache.get(with_prompts, encode_missing)

    def _picture_keys(self, requests: Sequence[PreparedRequest]) -> list[tuple | None]:
        """What the encoding of each request's picture is known by; None where it must be computed anew."""
        state: Hashable = 0  # where nothing is kept, only the pictures of one batch are compared
        if self.feature_cache.limit:
            state = state_key(self.native_model, self.processor.image_processor)
        if state is None:
            return [None] * len(requests)
        methods = [
            getattr(method, "__func__", method) for method in (self.encode_images, self.encode_prompts)
        ]
        digests = {id(r.image): picture_key(r.image) for r in requests}
        return [(state, *methods, digests[id(r.image)]) for r in requests]

    def encode_images(self, images: Sequence[Image.Image]) -> torch.Tensor:
        """Vision tower and projector on RGB pictures of any size: (pictures, image tokens, width), in the
        model's dtype.
        """
        import torch

        pixels = self.processor.image_processor(images=list(images), return_tensors="pt")[
            "pixel_values"
        ]  # (n, 3, side, side)
        at_once = max(1, CPU_PIXELS // pixels[0, 0].numel()) if self.device.type == "cpu" else len(images)
        parts = pixels.to(self.device, self.dtype).split(at_once)
        return torch.cat([self.native_model.get_image_features(part).pooler_output for part in parts])

    def encode_prompts(
        self, features: Sequence[torch.Tensor], ids: Sequence[Sequence[int]]
    ) -> list[torch.Tensor]:
        """The text encoder over picture and prompt together.

        Args:
            features: per row (image tokens, width), of `encode_images`.
            ids: per row the token ids of the prompt, of `prepare`; shorter rows are padded, masked and cut
                again.

        Returns:
            Per row (image tokens + prompt tokens, width).
        """
        import torch

        embed = self.native_model.get_input_embeddings()
        rows = [
            torch.cat([seen, embed(torch.tensor(i, device=self.device))])
            for seen, i in zip(features, ids, strict=True)
        ]
        inputs, mask = _padded(rows)  # (rows, longest, width), (rows, longest)
        encoded = self.native_model.get_encoder()(inputs_embeds=inputs, attention_mask=mask).last_hidden_state
        return [out[: len(row)] for out, row in zip(encoded, rows, strict=True)]

    def generate_ids(
        self, encoded: Sequence[torch.Tensor], settings: Settings
    ) -> tuple[list[list[int]], list[list[float] | None]]:
        """The decoder on the output of `encode` or `encode_prompts`.

        Returns:
            Per row the generated ids, with the one that starts the decoder, up to the first ``</s>``; and per
            row the log-probability of each location token, or None where they are unknown.
        """
        from transformers.modeling_outputs import BaseModelOutput

        from .engine.cpu_linear import transposed_linear

        hidden, mask = _padded(encoded)  # (rows, longest, width), (rows, longest)
        more = dict(settings.more)
        first = first_location(self.processor.tokenizer)
        scores = None if first is None else LocationScores(first, settings.num_beams > 1)
        with transposed_linear(self.native_model):
            output = self.native_model.generate(
                # A new one each time: generate repeats its rows for the beams in place.
                encoder_outputs=BaseModelOutput(last_hidden_state=hidden),
                attention_mask=mask,
                max_new_tokens=settings.max_new_tokens,
                num_beams=settings.num_beams,
                do_sample=settings.do_sample,
                logits_processor=[*([scores] if scores else []), *more.pop("logits_processor", [])],
                return_dict_in_generate=True,
                **cross_attention_cache(self.native_model, hidden, settings.num_beams, more),
                **more,
            )
        return self._unpacked(output, scores)

    def _unpacked(
        self, output: Any, scores: LocationScores | None
    ) -> tuple[list[list[int]], list[list[float] | None]]:
        start, *_ = output.sequences[0].tolist()
        end = self.processor.tokenizer.eos_token_id
        generated = [until_end(ids[1:], end) for ids in output.sequences.tolist()]
        read: list[list[float] | None] = [None] * len(generated)
        if scores:
            read = scores.read(generated, output.get("beam_indices"))
        return [[start, *ids] for ids in generated], read

    def _ended(self, ids: list[int], hidden: torch.Tensor, settings: Settings) -> bool:
        end = self.processor.tokenizer.eos_token_id
        if len(ids) <= settings.max_new_tokens:
            return ids[-1] == end
        return ended_by_choice(self.native_model, hidden[None], ids, end)

    def _read(
        self,
        request: PreparedRequest,
        ids: list[int],
        scores: list[float] | None,
        complete: bool,
        settings: Settings,
    ) -> Answer:
        raw = self.processor.tokenizer.decode(
            ids, skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        if scores is not None and raw.count("<loc_") != len(scores):
            scores = None  # the model spelt a location in letters
        answer = parse(raw, request.task, request.image.size, ended=complete, location_scores=scores)
        answer.text_input, answer.image, answer.florence = request.text_input, request.image, self
        answer.token_ids, answer.settings = tuple(ids), settings.to_dict()
        answer.notes = (*settings.notes, *answer.notes)
        return answer


def _padded(rows: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """(batch, longest, width) with zeros at the right, and the int64 mask (batch, longest) that hides
    them.
    """
    import torch

    mask = torch.nn.utils.rnn.pad_sequence(
        [torch.ones(len(row), dtype=torch.long) for row in rows], batch_first=True
    )
    return torch.nn.utils.rnn.pad_sequence(list(rows), batch_first=True), mask.to(rows[0].device)


@contextmanager
def _seeded(seed: int | None, device: torch.device) -> Iterator[None]:
    """The random numbers of ``seed``; those of everybody else go on as if nothing had been."""
    import torch

    if seed is None:
        yield
        return
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


@contextmanager
def _out_of_memory_explained() -> Iterator[None]:
    import torch

    try:
        yield
    except torch.OutOfMemoryError as error:
        raise MemoryError(
            "The GPU's memory is full: lower num_beams, max_new_tokens or batch_size, load with"
            " dtype='float16' or a smaller checkpoint ('base'), or restart other notebooks that hold a model."
        ) from error
