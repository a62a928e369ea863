"""One answer, token by token: what the decoder wrote, how sure it was, what else it had in mind, and where it
looked.

An answer of n tokens takes one pass of the decoder, not n: it is given the whole answer and says at each
place what it would have written next ("teacher forcing"). What it says is what `generate` saw, before beams,
sampling or a ban on repeats had their say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw

from ..answers import Answer
from ..engine.location_scores import until_end
from ..errors import InputError
from ..images import open_image
from ..locations import LOC, centres
from ..recording import needs_model

if TYPE_CHECKING:
    import torch

    from ..florence import Florence, PreparedRequest

MOST_TOKENS = 256
"""Longer answers are explored up to here: the attention of Florence-2-large to each token is 7 MB."""
MOST_IN_TREE = 40
"""Beams are drawn for answers up to this many tokens."""
RUNNERS_UP = 5
# Settings of sampling mean nothing to a search with beams, and the rest is given anew.
_NOT_FOR_BEAMS = {
    "max_new_tokens",
    "num_beams",
    "do_sample",
    "seed",
    "temperature",
    "top_p",
    "top_k",
    "early_stopping",
}
# Objects, of which an answer's settings keep only the name.
_NOT_FOR_BEAMS |= {"logits_processor", "stopping_criteria", "streamer"}


@dataclass(frozen=True)
class Place:
    """What a location token says: ``axis`` 0 for x, 1 for y, and the bin's centre in pixels of the image."""

    axis: int
    pixel: float


@dataclass(frozen=True, eq=False)
class Token:
    """One token of an answer.

    Attributes:
        text: as decoded, ``" car"``; a piece of a letter is shown as the vocabulary spells it.
        id: its number in the vocabulary.
        probability: 0 to 1, of the model itself.
        runners_up: the five most probable others, ``(text, probability)``, best first.
        attention: float32 (layers, rows, columns), the share of the decoder's look that each image token of
            the grid got when this token was chosen, mean over the heads. Row 0 is the top of the picture.
        average: float32 (layers,), the share of the first image token, which is the average of all others.
        prompt: float32 (layers,), the share of the prompt's tokens. Together the three make 1.
        place: for a location token, what it says; else None.
        special: it is a mark such as ``</s>`` or ``<sep>``, no word and no location.
    """

    text: str
    id: int
    probability: float
    runners_up: tuple[tuple[str, float], ...]
    attention: np.ndarray
    average: np.ndarray
    prompt: np.ndarray
    place: Place | None = None
    special: bool = False


@dataclass(frozen=True)
class BeamNode:
    """A piece that all beams below it share.

    Attributes:
        text: of the piece.
        probability: of the piece, given all that stands before it.
        next: how it goes on, the more probable first; empty at the end of a beam.
        rank: at the end of a beam, its place in the search: 1 is the answer; else None.
    """

    text: str
    probability: float
    next: tuple[BeamNode, ...] = field(default=())
    rank: int | None = None


def token_table(answer: Answer) -> list[Token]:
    """Every token of an answer with all that can be told about it.

    Takes one pass of the decoder with the model's eager attention (the faster kinds do not hand out their
    weights). Answers longer than `MOST_TOKENS` are told up to there. An answer without token ids is split
    into tokens again.

    Raises:
        InputError: the answer does not know its model or its picture (it was parsed from a string, or kept
            without them).
    """
    import torch

    florence, question = _asked(answer)
    ids = _ids(answer, florence)[: MOST_TOKENS + 1]
    with florence.inference_mode():
        hidden = florence.encode([question])[0]
        with _eager(florence.model):
            output = _forced(florence, hidden, [ids[:-1]], output_attentions=True)
        logs = output.logits[0].float().log_softmax(dim=-1)
        looks = (
            torch.stack([layer[0].float().mean(dim=0) for layer in output.cross_attentions], dim=1)
            .cpu()
            .numpy()
        )
        best = logs.topk(min(RUNNERS_UP + 1, logs.shape[-1]), dim=-1)
    chosen = logs[torch.arange(len(ids) - 1), torch.tensor(ids[1:], device=logs.device)].exp().tolist()
    likely = zip(best.indices.tolist(), best.values.exp().tolist())
    words = Words(florence.processor.tokenizer)
    tokens = [
        _token(words, id, sure, zip(*others), look, florence.processor.num_image_tokens)
        for id, sure, others, look in zip(ids[1:], chosen, likely, looks)
    ]
    return _placed(tokens, answer.image_size)


def beam_tree(answer: Answer, beams: int = 4) -> tuple[BeamNode, ...]:
    """The answer searched for again with so many beams, and the drafts that came through as a tree.

    Nodes end where drafts part. ``()`` if the answer is longer than `MOST_IN_TREE` tokens.

    Raises:
        InputError: as `token_table`.
    """
    import torch
    from transformers.modeling_outputs import BaseModelOutput

    florence, question = _asked(answer)
    length = len(_ids(answer, florence)) - 1
    if length > MOST_IN_TREE:
        return ()
    room = MOST_IN_TREE + 8  # other drafts may be a little longer
    beams = max(beams, answer.settings.get("num_beams", 1), 2)
    more = {name: value for name, value in answer.settings.items() if name not in _NOT_FOR_BEAMS}
    with florence.inference_mode():
        hidden = florence.encode([question])[0]
        drafts = florence.model.generate(
            encoder_outputs=BaseModelOutput(last_hidden_state=hidden[None]),
            attention_mask=torch.ones((1, len(hidden)), dtype=torch.long, device=hidden.device),
            max_new_tokens=min(answer.settings.get("max_new_tokens", room), room),
            num_beams=beams,
            num_return_sequences=beams,
            do_sample=False,
            **more,
        )
        logs = _forced(florence, hidden, drafts[:, :-1].tolist()).logits.float().log_softmax(dim=-1)
    sure = logs.gather(-1, drafts[:, 1:, None])[..., 0].tolist()
    end = florence.processor.tokenizer.eos_token_id
    rows = [_until(list(zip(ids[1:], row)), end) for ids, row in zip(drafts.tolist(), sure)]
    return _grown(rows, list(range(1, beams + 1)), Words(florence.processor.tokenizer))


def attention_map(token: Token, layer: int | None = None) -> np.ndarray:
    """Where the decoder looked, float32 (rows, columns) that sum up to at most 1; ``layer`` from 1, None: the
    mean of all.
    """
    return token.attention.mean(axis=0) if layer is None else token.attention[layer - 1]


def attention_overlay(
    answer: Answer, tokens: Sequence[Token], index: int, *, layer: int | None = None, width: int = 480
) -> Image.Image:
    """The picture with where the decoder looked when it wrote token ``index``, and the places that the answer
    names.

    Bright and warm is where it looked most (each map is scaled to its own maximum), grey and dim where it did
    not look. Small dots are the points of all location tokens; the line and the ring belong to this token.

    Returns: RGB, ``width`` pixels wide.

    Raises InputError when the answer carries no picture.
    """
    if answer.image is None:
        raise InputError("This answer carries no picture: ask again without out=, or set answer.image.")
    picture = open_image(answer.image)
    size = (width, max(1, round(width * picture.height / picture.width)))
    picture = _lit(picture.resize(size, Image.Resampling.LANCZOS), attention_map(tokens[index], layer))
    _mark(picture, tokens, index, np.array(size) / answer.image_size)
    return picture


def points(tokens: Sequence[Token]) -> list[tuple[int, float, float]]:
    """The points that the location tokens name: (index of the x token, x, y) in pixels; the y token is the
    next one.
    """
    pairs = zip(range(len(tokens)), tokens, tokens[1:])
    return [
        (i, one.place.pixel, two.place.pixel)
        for i, one, two in pairs
        if one.place and two.place and (one.place.axis, two.place.axis) == (0, 1)
    ]


class Words:
    """Texts of token ids."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.special = {*tokenizer.all_special_ids, *tokenizer.get_added_vocab().values()}

    def text(self, id: int) -> str:
        text = self.tokenizer.decode([id], skip_special_tokens=False, clean_up_tokenization_spaces=False)
        return text if text and "\ufffd" not in text else str(self.tokenizer.convert_ids_to_tokens(id))

    def texts(self, ids: Sequence[int]) -> str:
        return self.tokenizer.decode(list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False)


def _asked(answer: Answer) -> tuple[Florence, PreparedRequest]:
    florence = answer.florence
    if florence is None:
        raise InputError(
            "This answer does not know the model that gave it (it was parsed, or the model is no longer in"
            " memory): explore what run_example returned while its model is in a variable, or set"
            " answer.florence to your model."
        )
    needs_model(florence, "The token explorer")
    if answer.image is None:
        raise InputError("This answer does not hold its picture: set answer.image to it first.")
    return florence, florence.prepare(answer.task, answer.image, answer.text_input)


def _ids(answer: Answer, florence: Florence) -> list[int]:
    """The token that starts the decoder, then the answer."""
    words, start = florence.processor.tokenizer, florence.model.generation_config.decoder_start_token_id
    if answer.token_ids is not None:
        return list(answer.token_ids)
    ids = words(answer.raw, add_special_tokens=False)["input_ids"]
    return ids if ids[:1] == [start] else [start, *ids]


def _forced(florence: Florence, hidden: torch.Tensor, rows: Sequence[Sequence[int]], **more: Any) -> Any:
    """The decoder over whole answers: place i of the logits and attentions belongs to token i + 1.

    hidden: (length, width), what the text encoder made of picture and prompt. rows: ids, all of one length,
    without the last one, as nothing follows it.
    """
    import torch
    from transformers.modeling_outputs import BaseModelOutput

    given = torch.tensor(rows, device=hidden.device)
    hidden = hidden.expand(len(given), *hidden.shape)
    return florence.model(
        encoder_outputs=BaseModelOutput(last_hidden_state=hidden),
        attention_mask=torch.ones(hidden.shape[:2], dtype=torch.long, device=hidden.device),
        decoder_input_ids=given,
        use_cache=False,
        **more,
    )


@contextmanager
def _eager(model: Any) -> Iterator[None]:
    """Attention in plain steps, the only kind that hands out its weights; then as it was."""
    before = model.config._attn_implementation
    if before == "eager":
        yield
        return
    model.set_attn_implementation("eager")
    try:
        yield
    finally:
        model.set_attn_implementation(before)


def _token(words: Words, id: int, sure: float, likely: Any, look: np.ndarray, image_tokens: int) -> Token:
    """look: (layers, image tokens + prompt tokens)."""
    others = tuple((words.text(other), p) for other, p in likely if other != id)[:RUNNERS_UP]
    side = round((image_tokens - 1) ** 0.5)
    seen = look[:, 1:image_tokens].reshape(-1, side, side)
    text = words.text(id)
    special = id in words.special and not LOC.fullmatch(text)
    return Token(
        text, id, sure, others, seen, look[:, 0], look[:, image_tokens:].sum(axis=1), special=special
    )


def _placed(tokens: Sequence[Token], size: tuple[int, int]) -> list[Token]:
    """Location tokens with their places: x and y take turns, and each row of them begins with x."""
    told, run = [], 0
    for token in tokens:
        match = LOC.fullmatch(token.text)
        if match:
            axis = run % 2
            bins = [0, int(match[1])] if axis else [int(match[1])]
            token = replace(token, place=Place(axis, float(centres(bins, size)[-1])))
        run = run + 1 if match else 0
        told.append(token)
    return told


def _until(row: list[tuple[int, float]], end: int) -> list[tuple[int, float]]:
    """Up to the first ``end`` and with it: the rest fills up the batch."""
    return row[: len(until_end([id for id, _ in row], end))]


def _grown(rows: list[list[tuple[int, float]]], ranks: list[int], words: Words) -> tuple[BeamNode, ...]:
    """rows: per beam the (id, log-probability) of what is left of it. Beams that begin alike share a node up
    to where they part.
    """
    nodes = []
    for first in dict.fromkeys(row[0][0] for row in rows if row):
        mine = [(row, rank) for row, rank in zip(rows, ranks) if row and row[0][0] == first]
        shared = _shared([row for row, _ in mine])
        ids, logs = zip(*mine[0][0][:shared])
        rest = [row[shared:] for row, _ in mine]
        ended = next((rank for row, (_, rank) in zip(rest, mine) if not row), None)
        nodes.append(
            BeamNode(
                words.texts(ids),
                float(np.exp(sum(logs))),
                _grown(rest, [rank for _, rank in mine], words),
                ended,
            )
        )
    return tuple(sorted(nodes, key=lambda node: -node.probability))


def _shared(rows: list[list[tuple[int, float]]]) -> int:
    """How many ids all rows begin with."""
    same = [len({id for id, _ in column}) == 1 for column in zip(*rows)]
    return same.index(False) if False in same else len(same)


def _lit(picture: Image.Image, look: np.ndarray) -> Image.Image:
    """Warm light where the decoder looked, a dim grey picture elsewhere."""
    grid = Image.fromarray((255 * look / max(float(look.max()), 1e-9)).astype(np.uint8))
    heat = grid.resize(picture.size, Image.Resampling.BICUBIC)
    share = np.asarray(heat, np.float32)[..., None] / 255
    bright = np.asarray(picture, np.float32)
    grey = bright.mean(axis=-1, keepdims=True)
    dim = 0.35 * grey + 0.12 * bright + 12
    glow = bright + np.array([90, 45, -35], np.float32) * share**2
    return Image.fromarray(np.clip(dim + (glow - dim) * np.minimum(1, 1.15 * share), 0, 255).astype(np.uint8))


def _mark(picture: Image.Image, tokens: Sequence[Token], index: int, scale: np.ndarray) -> None:
    draw = ImageDraw.Draw(picture)
    width, height = picture.size
    place = tokens[index].place
    if place:
        at = place.pixel * scale[place.axis]
        line = [(at, 0), (at, height)] if place.axis == 0 else [(0, at), (width, at)]
        draw.line(line, fill=(20, 20, 24), width=4)
        draw.line(line, fill=(90, 215, 255), width=2)
    for i, x, y in points(tokens):
        mine = place is not None and index in (i, i + 1)
        r = 7 if mine else 3
        x, y = x * scale[0], y * scale[1]
        draw.ellipse((x - r - 1, y - r - 1, x + r + 1, y + r + 1), fill=(20, 20, 24))
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(90, 215, 255) if mine else (255, 255, 255))
