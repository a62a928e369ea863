"""One checkpoint, ready to be asked. `Florence.run_example` is the whole way from a picture and a task to an `Answer`.

It gives what the well-known loop gives (processor, ``model.generate(**inputs)``, ``batch_decode``), with two differences:
a picture is encoded once however often it is asked about, and the text encoder sees the picture's features in front of the prompt's
embeddings without the detour over ``<image>`` tokens. notebooks/03_run_example.ipynb builds the plain loop step by step.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .answers import Answer
from .beams import shared_by_beams
from .certainty import LocationWatch, chose_end, first_location, until_end
from .errors import InputError
from .images import open_image
from .parsing import parse
from .remembered import DEFAULT_BYTES, Remembered, model_key, picture_key
from .tasks import build_prompt, get_task

if TYPE_CHECKING:
    import torch
    from PIL import Image
    from transformers import Florence2ForConditionalGeneration, Florence2Processor

MAX_NEW_TOKENS = 1024
CPU_PIXELS = 2 * 768 * 768
"""So many pixels go through the vision tower at once on a CPU: eight large pictures take a third longer at once than in turn."""
# These would change what comes back, so that there would be no one answer to read.
_OURS = {
    "max_length": "use max_new_tokens",
    "num_return_sequences": "ask again with do_sample=True and another seed",
    "return_dict_in_generate": "call florence.model.generate for its own output",
    "output_scores": "read answer.scores, or call florence.model.generate",
}


@dataclass(frozen=True)
class Question:
    """One request that was checked: all that the model needs."""

    task: str
    text_input: Any
    image: Image.Image
    ids: tuple[int, ...]


@dataclass(frozen=True)
class Settings:
    """Settings of generation that were checked."""

    max_new_tokens: int
    num_beams: int
    do_sample: bool
    seed: int | None
    more: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        named = {"max_new_tokens": self.max_new_tokens, "num_beams": self.num_beams, "do_sample": self.do_sample}
        return named | ({} if self.seed is None else {"seed": self.seed}) | {key: _plain(value) for key, value in self.more.items()}


class Florence:
    """A model with its processor; `florence_nb.load` makes one.

    Attributes:
        model: ``Florence2ForConditionalGeneration``. processor: ``Florence2Processor``. name: what `load` was asked for.
        remembered: what was encoded so far (see `florence_nb.remembered`); ``remembered.limit`` is its bound in bytes.
    """

    def __init__(
        self,
        model: Florence2ForConditionalGeneration,
        processor: Florence2Processor,
        name: str = "unnamed",
        *,
        cache: bool = True,
    ) -> None:
        self.model, self.processor, self.name = model, processor, name
        self.remembered = Remembered(DEFAULT_BYTES if cache else 0)

    @property
    def device(self) -> torch.device:
        return self.model.device

    @property
    def dtype(self) -> torch.dtype:
        return self.model.dtype

    def __repr__(self) -> str:
        millions = sum(weight.numel() for weight in self.model.parameters()) / 1e6
        return f"Florence({self.name!r}: {millions:.1f} M parameters, {str(self.dtype).removeprefix('torch.')} on {self.device})"

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
            task_prompt: one of the 15 markers of `florence_nb.TASKS`, such as ``"<OD>"``.
            image: whatever `florence_nb.open_image` takes.
            text_input: nothing, a phrase, or a region ``(x1, y1, x2, y2)`` in pixels of the image, as the task wants.
            max_new_tokens: where the answer is cut at the latest. The decoder has a position for 1024 tokens; more is clamped.
            num_beams: how many drafts of the answer are followed side by side; 1 is greedy and fastest.
            do_sample: draw each token by its probability; ``seed`` makes the draw repeatable.
            generate_kwargs: any other argument of transformers' ``generate``: ``temperature``, ``no_repeat_ngram_size`` …

        Raises:
            InputError: the task, the picture, the text or a setting cannot be used, or the prompt is too long for the model.
            MemoryError: the GPU's memory is full.
        """
        settings = self.check_settings(max_new_tokens, num_beams, do_sample, seed, generate_kwargs)
        return self.answer([self.question(task_prompt, image, text_input)], settings)[0]

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
            requests: ``(task_prompt, image)`` or ``(task_prompt, image, text_input)``, tasks and sizes mixed as you like.
            batch_size: how many are asked at once. More is faster on a GPU until its memory is full.
            out: a file for the answers, one JSON object a line, written as they come. A run that was stopped goes on where it
                stopped when it is called again with the same requests, settings and file. With ``out`` the answers carry no
                picture, so that a long job fits in memory: ``show(answer, image)``.
            progress: show a progress bar.

        Returns:
            One answer per request, in order. In the place of a request that cannot be answered stands its error.
        """
        from .many import run_many

        settings = self.check_settings(max_new_tokens, num_beams, do_sample, seed, generate_kwargs)
        return run_many(self, requests, settings, batch_size, None if out is None else Path(out), progress)

    def forget(self) -> None:
        """Forgets all encoded pictures: for memory, or after you changed weights through ``.data``."""
        self.remembered.clear()

    def check_settings(self, max_new_tokens: int, num_beams: int, do_sample: bool, seed: int | None, more: dict) -> Settings:
        """Settings that are safe for this model: ``max_new_tokens`` past the decoder's positions is clamped, with a note."""
        for name in more.keys() & _OURS.keys():
            raise InputError(f"{name} is not taken here: {_OURS[name]}.")
        asked, beams = _count("max_new_tokens", max_new_tokens), _count("num_beams", num_beams)
        limit = self.model.config.text_config.max_position_embeddings
        # Beyond it a GPU stops with a device-side assert that kills the kernel (transformers does not check).
        notes = (f"max_new_tokens={asked} is more than the model's {limit} positions, so {limit} were used.",)
        if beams == 1:
            # The published checkpoints set it to True, and transformers then complains about it whenever there is one beam.
            more = {"early_stopping": False} | more
        return Settings(min(asked, limit), beams, bool(do_sample), seed, more, notes if asked > max(limit, MAX_NEW_TOKENS) else ())

    def question(self, task_prompt: str, image: Any, text_input: Any = None) -> Question:
        """Checks a request and turns its prompt into token ids, ``<s>`` and ``</s>`` included."""
        task = get_task(task_prompt).prompt
        picture = open_image(image)
        prompt = build_prompt(task, text_input, picture.size)
        words = self.processor.tokenizer
        sentence = self.processor(text=prompt, verbose=False)["input_ids"][0]
        ids = (words.bos_token_id, *sentence, words.eos_token_id)
        taken = self.processor.num_image_tokens
        room = self.model.config.text_config.max_position_embeddings - taken
        if len(ids) > room:
            raise InputError(
                f"The prompt has {len(ids)} tokens, but beside the {taken} of the picture this model has room for {room}: "
                "shorten text_input, or ask in several parts."
            )
        return Question(task, text_input, picture, ids)

    def answer(self, questions: Sequence[Question], settings: Settings) -> list[Answer]:
        """Answers questions as one batch."""
        import torch

        with torch.no_grad(), _as_in_use(self.model), _drawn_by(settings.seed, self.device), _memory_explained():
            encoded = self._encode(questions)
            generated, log_probabilities = self._generate(encoded, settings)
            ended = [self._ended(ids, hidden, settings) for ids, hidden in zip(generated, encoded, strict=True)]
        rows = zip(questions, generated, log_probabilities, ended, strict=True)
        return [self._read(question, ids, certain, complete, settings) for question, ids, certain, complete in rows]

    def _encode(self, questions: Sequence[Question]) -> list[torch.Tensor]:
        """The text encoder's output for each question: (image tokens + prompt tokens, width)."""
        model = model_key(self.model)
        pictures = {id(q.image): picture_key(q.image) for q in questions}
        keys = [(model, pictures[id(q.image)]) for q in questions]
        with_prompt = [(*key, q.ids) for key, q in zip(keys, questions, strict=True)]

        def encode(at: list[int]) -> Sequence[torch.Tensor]:
            features = self.remembered.get([keys[i] for i in at], lambda new: self._see([questions[at[j]].image for j in new]))
            return self._merge(features, [questions[i].ids for i in at])

        return self.remembered.get(with_prompt, encode)

    def _see(self, images: list[Image.Image]) -> torch.Tensor:
        """Vision tower and projector: (pictures, image tokens, width)."""
        import torch

        pixels = self.processor.image_processor(images=images, return_tensors="pt")["pixel_values"]
        at_once = max(1, CPU_PIXELS // pixels[0, 0].numel()) if self.device.type == "cpu" else len(images)
        parts = pixels.to(self.device, self.dtype).split(at_once)
        return torch.cat([self.model.get_image_features(part).pooler_output for part in parts])

    def _merge(self, features: Sequence[torch.Tensor], ids: Sequence[Sequence[int]]) -> list[torch.Tensor]:
        """The text encoder over picture and prompt together; padding of shorter prompts is masked and cut off again."""
        import torch

        embed = self.model.get_input_embeddings()
        rows = [torch.cat([seen, embed(torch.tensor(i, device=self.device))]) for seen, i in zip(features, ids, strict=True)]
        inputs, mask = _padded(rows)
        merged = self.model.get_encoder()(inputs_embeds=inputs, attention_mask=mask).last_hidden_state
        return [out[: len(row)] for out, row in zip(merged, rows, strict=True)]

    def _generate(self, encoded: list[torch.Tensor], settings: Settings) -> tuple[list[list[int]], list[list[float] | None]]:
        """The generated ids of each row (with the one that starts the decoder), and its locations' log-probabilities."""
        from transformers.modeling_outputs import BaseModelOutput

        from .few_rows import few_rows

        hidden, mask = _padded(encoded)
        more = dict(settings.more)
        first = first_location(self.processor.tokenizer)
        watch = None if first is None else LocationWatch(first, settings.num_beams > 1)
        with few_rows(self.model):
            output = self.model.generate(
                # A new one each time: generate repeats its rows for the beams in place.
                encoder_outputs=BaseModelOutput(last_hidden_state=hidden),
                attention_mask=mask,
                max_new_tokens=settings.max_new_tokens,
                num_beams=settings.num_beams,
                do_sample=settings.do_sample,
                logits_processor=[*([watch] if watch else []), *more.pop("logits_processor", [])],
                return_dict_in_generate=True,
                **shared_by_beams(self.model, hidden, settings.num_beams, more),
                **more,
            )
        start, *_ = output.sequences[0].tolist()
        end = self.processor.tokenizer.eos_token_id
        generated = [until_end(ids[1:], end) for ids in output.sequences.tolist()]
        certain: list[list[float] | None] = [None] * len(generated)
        if watch:
            certain = watch.read(generated, output.get("beam_indices"))
        return [[start, *ids] for ids in generated], certain

    def _ended(self, ids: list[int], hidden: torch.Tensor, settings: Settings) -> bool:
        end = self.processor.tokenizer.eos_token_id
        if len(ids) <= settings.max_new_tokens:
            return ids[-1] == end
        return chose_end(self.model, hidden[None], ids, end)

    def _read(self, question: Question, ids: list[int], certain: list[float] | None, complete: bool, settings: Settings) -> Answer:
        raw = self.processor.tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        if certain is not None and raw.count("<loc_") != len(certain):
            certain = None  # the model spelt a location in letters
        answer = parse(raw, question.task, question.image.size, ended=complete, location_scores=certain)
        answer.text_input, answer.image, answer.florence = question.text_input, question.image, self
        answer.token_ids, answer.settings = tuple(ids), settings.to_dict()
        answer.notes = (*settings.notes, *answer.notes)
        return answer


def _plain(value: Any) -> Any:
    """What JSON knows stays; an object, such as a logits processor, counts by the name of its class."""
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, (str, int, float)) else type(value).__name__


def _count(name: str, value: Any) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise InputError(f"{name} is a whole number, not {value!r}.") from None
    if number < 1:
        raise InputError(f"{name} is at least 1, not {number}.")
    return number


def _padded(rows: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """(batch, longest, width) with zeros at the right, and the int64 mask (batch, longest) that hides them."""
    import torch

    mask = torch.nn.utils.rnn.pad_sequence([torch.ones(len(row), dtype=torch.long) for row in rows], batch_first=True)
    return torch.nn.utils.rnn.pad_sequence(list(rows), batch_first=True), mask.to(rows[0].device)


@contextmanager
def _as_in_use(model: Any) -> Iterator[None]:
    """Without dropout, also in the middle of a training."""
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True


@contextmanager
def _drawn_by(seed: int | None, device: torch.device) -> Iterator[None]:
    """The random numbers of ``seed``; those of everybody else go on as if nothing had been."""
    import torch

    if seed is None:
        yield
        return
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


@contextmanager
def _memory_explained() -> Iterator[None]:
    import torch

    try:
        yield
    except torch.OutOfMemoryError as error:
        raise MemoryError(
            "The GPU's memory is full: lower num_beams, max_new_tokens or batch_size, load with dtype='float16' or a smaller "
            "checkpoint ('base'), or restart other notebooks that hold a model."
        ) from error
