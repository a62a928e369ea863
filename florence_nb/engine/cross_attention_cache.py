"""What the decoder reads of an encoded picture and prompt, computed once for all beams.

At every step each layer of the decoder looks at the encoder's output through keys and values that never
change, and that all beams of a row share. Left alone, ``generate`` computes them for every beam, and copies
them whenever beams change places.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

_CACHE_NAMES = ("cache", "past_key_values")
_OWN_CACHE = {*_CACHE_NAMES, "cache_implementation", "use_cache"}


def cross_attention_cache(
    model: Any, hidden: torch.Tensor, beams: int, more: dict[str, Any]
) -> dict[str, Any]:
    """The cache to give to ``model.generate``, under the name that this transformers has for it.

    Args:
        hidden: the encoder's output (rows, tokens, width).
        beams: beams of each row.
        more: the other arguments of ``generate``; where they say something about the cache, nothing is given.
    """
    from transformers import DynamicCache, EncoderDecoderCache

    if _OWN_CACHE & more.keys() or model.generation_config.cache_implementation:
        return {}

    def keys_and_values(attention: Any) -> list[torch.Tensor]:
        projected = (
            project(hidden)
            .unflatten(-1, (-1, attention.head_dim))
            .transpose(1, 2)  # (rows, heads, tokens, head width)
            for project in (attention.k_proj, attention.v_proj)
        )
        # (rows * beams, heads, tokens, head width), a view
        return [part.unsqueeze(1).expand(-1, beams, -1, -1, -1).flatten(0, 1) for part in projected]

    layers = model.model.language_model.decoder.layers
    cache = EncoderDecoderCache(
        DynamicCache(), filled_cache(keys_and_values(layer.encoder_attn) for layer in layers)
    )
    cache.reorder_cache = cache.self_attention_cache.reorder_cache
    return {cache_name(model): cache}


def filled_cache(layers: Iterable[Iterable[torch.Tensor]]) -> Any:
    """A ``DynamicCache`` that holds these keys and values (rows, heads, tokens, width) of each layer, no
    copies.
    """
    from transformers import DynamicCache

    cache = DynamicCache()
    for number, (keys, values) in enumerate(layers):
        # Its own update would copy them; with one token it only makes the layer.
        cache.update(keys[:, :, :1], values[:, :, :1], number)
        cache.layers[number].keys, cache.layers[number].values = keys, values
    return cache


def cache_name(model: Any) -> str:
    """What the argument for the cache is called: ``cache``, in earlier versions of transformers
    ``past_key_values``.
    """
    return next(name for name in _CACHE_NAMES if name in inspect.signature(model.forward).parameters)
