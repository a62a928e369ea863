"""What the model has already computed, kept by content: the encoded picture, and the encoded picture with its
prompt.

On a CPU the vision tower takes most of a short answer's time, so ten requests about one picture should pay
for it once (notebooks/11_speed.ipynb measures it). The key of a picture is a digest of its pixels, never its
name or its address in memory: a picture that was edited in place is another picture.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from PIL import Image

DEFAULT_BYTES = 256 * 2**20


class FeatureCache:
    """Tensors by key, at most ``limit`` bytes of them; the least recently used goes first. ``limit=0`` keeps
    nothing.

    Safe to use from several threads. A tensor that was changed in place since it was kept is not given out
    again.
    """

    def __init__(self, limit: int = DEFAULT_BYTES) -> None:
        self.limit = limit
        self._kept: OrderedDict[Hashable, tuple[torch.Tensor, int]] = OrderedDict()  # with its version then
        self._lock = threading.Lock()

    @property
    def bytes(self) -> int:
        """What the tensors take now."""
        with self._lock:
            return self._size()

    def __len__(self) -> int:
        return len(self._kept)

    def __repr__(self) -> str:
        return f"FeatureCache({len(self)} tensors, {self.bytes / 2**20:.1f} of {self.limit / 2**20:.0f} MB)"

    def clear(self) -> None:
        """Drops every tensor."""
        with self._lock:
            self._kept.clear()

    def get(
        self, keys: Sequence[Hashable], compute: Callable[[list[int]], Sequence[torch.Tensor]]
    ) -> list[torch.Tensor]:
        """One tensor per key, in order.

        Args:
            keys: one for each tensor; None for one that is neither looked up nor kept.
            compute: gets the positions of the keys that are not here, each key once, and returns their
                tensors in that order. It is not called if nothing is missing. If it raises, nothing is kept.
        """
        found = self._find(keys)
        missing = [
            index
            for index, key in enumerate(keys)
            if key is None or (key not in found and key not in keys[:index])
        ]
        new = dict(zip(missing, compute(missing), strict=True)) if missing else {}
        found.update({keys[index]: tensor for index, tensor in new.items() if keys[index] is not None})
        self._keep(found)
        return [new[index] if key is None else found[key] for index, key in enumerate(keys)]

    def _find(self, keys: Sequence[Hashable]) -> dict[Hashable, torch.Tensor]:
        with self._lock:
            kept = {key: self._kept[key] for key in keys if key is not None and key in self._kept}
            return {key: tensor for key, (tensor, version) in kept.items() if _version(tensor) == version}

    def _keep(self, tensors: dict[Hashable, torch.Tensor]) -> None:
        with self._lock:
            for key, tensor in tensors.items():
                known = self._kept.pop(key, None)
                if tensor.nbytes > self.limit:
                    continue
                if known is None or known[0] is not tensor:
                    # A slice of a batch would hold the whole batch in memory.
                    tensor = tensor.clone() if tensor.untyped_storage().nbytes() > tensor.nbytes else tensor
                self._kept[key] = (tensor, _version(tensor))
            while self._kept and self._size() > self.limit:
                self._kept.popitem(last=False)

    def _size(self) -> int:
        return sum(tensor.nbytes for tensor, _ in self._kept.values())


def _version(tensor: torch.Tensor) -> int:
    """Raised by every change in place; a tensor of ``torch.inference_mode`` has none."""
    return 0 if tensor.is_inference() else tensor._version


def picture_key(image: Image.Image) -> str:
    """A digest of size and pixels of an RGB picture: about 1 ms per megapixel."""
    digest = hashlib.blake2b(repr((image.mode, image.size)).encode(), digest_size=16)
    digest.update(image.tobytes())
    return digest.hexdigest()
