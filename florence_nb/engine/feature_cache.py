"""What the model has already computed, kept by content: the encoded picture, and the encoded picture with its
prompt.

On a CPU the vision tower takes most of a short answer's time, so ten requests about one picture should pay
for it once (notebooks/11_speed.ipynb measures it). The key of a picture is a digest of its pixels, never its
name or its address in memory: a picture that was edited in place is another picture.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from PIL import Image

DEFAULT_BYTES = 256 * 2**20


class FeatureCache:
    """Tensors by key, at most ``limit`` bytes of them; the least recently used goes first. ``limit=0`` keeps
    nothing.
    """

    def __init__(self, limit: int = DEFAULT_BYTES) -> None:
        self.limit = limit
        self.bytes = 0
        self._tensors: OrderedDict[Hashable, torch.Tensor] = OrderedDict()

    def __len__(self) -> int:
        return len(self._tensors)

    def __repr__(self) -> str:
        return f"FeatureCache({len(self)} tensors, {self.bytes / 2**20:.1f} of {self.limit / 2**20:.0f} MB)"

    def clear(self) -> None:
        """Drops every tensor."""
        self._tensors.clear()
        self.bytes = 0

    def get(
        self, keys: Sequence[Hashable], compute: Callable[[list[int]], Sequence[torch.Tensor]]
    ) -> list[torch.Tensor]:
        """One tensor per key, in order.

        compute: gets the positions of the keys that are not here, each key once, and returns their tensors in
        that order. It is not called if nothing is missing.
        """
        found = {key: self._tensors[key] for key in keys if key in self._tensors}
        missing = [index for index, key in enumerate(keys) if key not in found and key not in keys[:index]]
        if missing:
            found.update(zip([keys[index] for index in missing], compute(missing), strict=True))
        for key, tensor in found.items():
            self._keep(key, tensor)
        return [found[key] for key in keys]

    def _keep(self, key: Hashable, tensor: torch.Tensor) -> None:
        if key in self._tensors:
            self._tensors.move_to_end(key)
        elif tensor.nbytes <= self.limit:
            # A slice of a batch would hold the whole batch in memory.
            self._tensors[key] = (
                tensor.clone() if tensor.untyped_storage().nbytes() > tensor.nbytes else tensor
            )
            self.bytes += tensor.nbytes
        while self.bytes > self.limit:
            self.bytes -= self._tensors.popitem(last=False)[1].nbytes


def picture_key(image: Image.Image) -> str:
    """A digest of size and pixels of an RGB picture: about 1 ms per megapixel."""
    digest = hashlib.blake2b(repr((image.mode, image.size)).encode(), digest_size=16)
    digest.update(image.tobytes())
    return digest.hexdigest()


def model_key(model: Any) -> tuple:
    """Changes when the model does: moved, cast, trained, exchanged, or told to compute attention otherwise.

    Every in-place change of a tensor raises its version counter, so the sum tells a step of an optimiser. A
    change through ``.data`` does not raise it: call ``florence.forget()`` after one.
    """
    weights = [*model.parameters(), *model.buffers()]
    versions = sum(0 if weight.is_inference() else weight._version for weight in weights)
    places = sum(weight.data_ptr() for weight in weights)
    attention = getattr(model.config, "_attn_implementation", None)
    return id(model), str(model.dtype), str(model.device), attention, len(weights), versions, places
