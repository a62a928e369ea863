"""Florence-2's four parts as modules that `torch.onnx.export` can trace.

The vision tower is the native one. BART's layers are written out here in plain tensor operations, with past
keys and values as tensors that go in and come out: the cache objects and mask helpers of transformers cannot
be traced for every length. Names of inputs and outputs are those that transformers.js expects.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import nn

HIDDEN = torch.finfo(torch.float32).min
"""Added to the attention score of what may not be looked at."""
CACHED = ("decoder.key", "decoder.value", "encoder.key", "encoder.value")
"""What each layer of the decoder keeps: keys and values of its own words, and of the encoder's output."""
FIRST_POSITION = 2
"""BART's table of positions begins with two rows that are not used."""


@dataclass
class Graph:
    """One part: the file's name, the module, an example of its inputs, their names, and those of the outputs.

    ``axes`` names the dimensions that may change from call to call.
    """

    name: str
    module: nn.Module
    example: tuple[torch.Tensor, ...]
    inputs: list[str]
    outputs: list[str]
    axes: dict[str, dict[int, str]] = field(default_factory=dict)


class Vision(nn.Module):
    """pixel_values (n, 3, side, side) → image_features (n, image tokens, width)."""

    def __init__(self, model):
        super().__init__()
        self.tower, self.projector = model.model.vision_tower, model.model.multi_modal_projector

    def forward(self, pixel_values):
        x = pixel_values
        for conv, block in zip(self.tower.convs, self.tower.blocks):
            x = conv(x)
            for layer in block:
                x = layer(x)
        return self.projector(x)


class Embed(nn.Module):
    """input_ids (n, tokens) int64 → inputs_embeds (n, tokens, width)."""

    def __init__(self, model):
        super().__init__()
        self.table = model.get_input_embeddings()
        self.scale = getattr(self.table, "embed_scale", 1.0)  # sqrt(width) where scale_embedding is set

    def forward(self, input_ids):
        vectors = nn.functional.embedding(input_ids, self.table.weight)
        return vectors if self.scale == 1 else vectors * self.scale


def split_heads(x: torch.Tensor, heads: int) -> torch.Tensor:
    """(n, tokens, width) → (n, heads, tokens, width / heads)."""
    return x.view(x.shape[0], -1, heads, x.shape[-1] // heads).transpose(1, 2)


def attend(layer, x, keys, values, hidden) -> torch.Tensor:
    """Attention of x (n, tokens, width) to keys and values (n, heads, seen, head width).

    ``hidden`` (n or 1, 1, tokens or 1, seen) is 0, or `HIDDEN` where nothing may be seen.
    """
    query = split_heads(layer.q_proj(x), layer.num_heads)  # (n, heads, tokens, head width)
    scores = torch.matmul(query * layer.scaling, keys.transpose(2, 3)) + hidden
    seen = torch.matmul(torch.softmax(scores, dim=-1), values)  # (n, heads, tokens, head width)
    return layer.out_proj(seen.transpose(1, 2).reshape(x.shape[0], -1, x.shape[-1]))


def project(layer, x) -> tuple[torch.Tensor, torch.Tensor]:
    """Keys and values of x, each (n, heads, tokens, head width)."""
    return split_heads(layer.k_proj(x), layer.num_heads), split_heads(layer.v_proj(x), layer.num_heads)


def feed_forward(layer, x):
    return layer.final_layer_norm(x + layer.fc2(layer.activation_fn(layer.fc1(x))))


def hide_padding(attention_mask: torch.Tensor) -> torch.Tensor:
    """(n, tokens) of 1 and 0 → (n, 1, 1, tokens) of 0 and `HIDDEN`."""
    return (1.0 - attention_mask[:, None, None, :].float()) * HIDDEN


class Encoder(nn.Module):
    """attention_mask (n, tokens) int64, inputs_embeds (n, tokens, width) → last_hidden_state, as the
    latter.
    """

    def __init__(self, model):
        super().__init__()
        self.encoder = model.model.language_model.encoder

    def forward(self, attention_mask, inputs_embeds):
        places = torch.arange(inputs_embeds.shape[1]) + FIRST_POSITION
        x = self.encoder.layernorm_embedding(inputs_embeds + self.encoder.embed_positions.weight[places])
        hidden = hide_padding(attention_mask)
        for layer in self.encoder.layers:
            keys, values = project(layer.self_attn, x)
            x = layer.self_attn_layer_norm(x + attend(layer.self_attn, x, keys, values, hidden))
            x = feed_forward(layer, x)
        return x


class Decoder(nn.Module):
    """One step: what was kept so far goes in, what is kept from now on comes out.

    encoder_attention_mask (n, seen) int64, encoder_hidden_states (n, seen, width), inputs_embeds
    (n, new, width), use_cache_branch (1,) bool, then per layer four of `CACHED`, (n, heads, past, head width)
    each → logits (n, new, vocabulary) and, per layer, the same four, longer. Keys of the encoder's output are
    made at the first step (``use_cache_branch`` false, everything past empty) and only handed on later.
    """

    def __init__(self, model):
        super().__init__()
        self.decoder, self.head = model.model.language_model.decoder, model.lm_head

    def forward(self, encoder_attention_mask, encoder_hidden_states, inputs_embeds, use_cache_branch, *past):
        # No states at all after the first step: their keys are among those of the past. No `If` is needed.
        states = encoder_hidden_states.shape[1] * (1 - use_cache_branch.to(torch.int64)[0])
        seen = encoder_hidden_states[:, :states]
        new, old = inputs_embeds.shape[1], past[0].shape[2]
        at = torch.arange(new) + old  # (new,)
        x = inputs_embeds + self.decoder.embed_positions.weight[at + FIRST_POSITION]
        x = self.decoder.layernorm_embedding(x)
        later = torch.where(torch.arange(new + old)[None] <= at[:, None], 0.0, HIDDEN)[None, None]  # causal
        padding = hide_padding(encoder_attention_mask)
        kept = []
        for layer, (own_keys, own_values, keys, values) in zip(self.decoder.layers, _by_layer(past)):
            more_keys, more_values = project(layer.self_attn, x)
            own_keys = torch.cat([own_keys, more_keys], dim=2)
            own_values = torch.cat([own_values, more_values], dim=2)
            x = layer.self_attn_layer_norm(x + attend(layer.self_attn, x, own_keys, own_values, later))
            more_keys, more_values = project(layer.encoder_attn, seen)
            keys, values = torch.cat([keys, more_keys], dim=2), torch.cat([values, more_values], dim=2)
            x = layer.encoder_attn_layer_norm(x + attend(layer.encoder_attn, x, keys, values, padding))
            x = feed_forward(layer, x)
            kept += [own_keys, own_values, keys, values]
        return self.head(x), *kept


def _by_layer(past) -> Iterator[tuple[torch.Tensor, ...]]:
    return (past[first : first + len(CACHED)] for first in range(0, len(past), len(CACHED)))


def graphs(model, side: int) -> list[Graph]:
    """The four graphs of a native Florence-2 (float32, evaluation mode) for pictures of ``side`` pixels."""
    text = model.config.text_config
    width, heads = text.d_model, text.decoder_attention_heads
    seen, head = 9, width // heads
    past = {
        f"{i}.{name}": torch.zeros(2, heads, 3, head) for i in range(text.decoder_layers) for name in CACHED
    }
    tokens = {0: "batch", 1: "tokens"}
    ends = {name: {0: "batch", 2: "past of " + name.split(".")[1]} for name in past}
    return [
        Graph(
            "vision_encoder",
            Vision(model),
            (torch.zeros(2, 3, side, side),),
            ["pixel_values"],
            ["image_features"],
            {"pixel_values": {0: "batch"}, "image_features": {0: "batch", 1: "image tokens"}},
        ),
        Graph(
            "embed_tokens",
            Embed(model),
            (torch.zeros(2, 3, dtype=torch.int64),),
            ["input_ids"],
            ["inputs_embeds"],
            {"input_ids": tokens, "inputs_embeds": tokens},
        ),
        Graph(
            "encoder_model",
            Encoder(model),
            (torch.ones(2, seen, dtype=torch.int64), torch.zeros(2, seen, width)),
            ["attention_mask", "inputs_embeds"],
            ["last_hidden_state"],
            {"attention_mask": tokens, "inputs_embeds": tokens, "last_hidden_state": tokens},
        ),
        Graph(
            "decoder_model_merged",
            Decoder(model),
            (
                torch.ones(2, seen + 3, dtype=torch.int64),  # 3 keys of the past and 9 new ones are seen
                torch.zeros(2, seen, width),
                torch.zeros(2, 2, width),
                torch.tensor([False]),
                *past.values(),
            ),
            [
                "encoder_attention_mask",
                "encoder_hidden_states",
                "inputs_embeds",
                "use_cache_branch",
                *(f"past_key_values.{name}" for name in past),
            ],
            ["logits", *(f"present.{name}" for name in past)],
            {
                "encoder_attention_mask": {0: "batch", 1: "seen"},
                "encoder_hidden_states": {0: "batch", 1: "seen"},
                "inputs_embeds": {0: "batch", 1: "new"},
                "logits": {0: "batch", 1: "new"},
                **{f"past_key_values.{name}": axes for name, axes in ends.items()},
                **{f"present.{name}": {0: "batch", 2: "now of " + name.split(".")[1]} for name in past},
            },
        ),
    ]
