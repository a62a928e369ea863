"""Arrays and tensors as 8-bit pixels; which scale their numbers are on is never guessed."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from ..errors import InputError
from ..web import shown

# RGB takes 3 bytes a pixel, so this is 750 MB; 20 000 x 12 500 still opens.
MAX_PIXELS = 250_000_000
CHANNELS = (1, 3, 4)


def check_size(width: int, height: int, name: str) -> None:
    """Raises InputError for a picture without pixels, or with more than `MAX_PIXELS`."""
    if width < 1 or height < 1:
        raise InputError(f"{name} has no pixels ({width} x {height}): give a picture of at least 1 x 1.")
    if width * height > MAX_PIXELS:
        raise too_many(f"{name} ({width} x {height})")


def too_many(name: str) -> InputError:
    millions = MAX_PIXELS // 1_000_000
    return InputError(
        f"{name} has more than {millions} million pixels, which would take over {3 * millions} MB of memory: "
        "make it smaller first (Florence-2 looks at 768 x 768 pixels anyway)."
    )


def as_array(source: Any) -> np.ndarray:
    """The numbers of anything with ``__array__``; torch tensors with channels first or in a batch of one
    are turned to (H, W, C) where that has one meaning only.
    """
    try:
        return _from_tensor(source) if hasattr(source, "detach") else np.asarray(source)
    except InputError:
        raise
    except Exception as error:
        kind, reason = type(source).__name__, shown(str(error).split("\n")[0])
        raise InputError(
            f"This {kind} cannot be read as an array ({reason}): give its values as a NumPy array."
        ) from error


def _from_tensor(tensor: Any) -> np.ndarray:
    array = _values(tensor)
    if array.ndim == 4 and len(array) == 1:
        array, tensor = array[0], tensor[0]
    if array.ndim == 3 and array.shape[0] in CHANNELS:
        if array.shape[2] in CHANNELS:
            calls = _to_numpy(tensor)
            raise InputError(
                f"A tensor of shape {tuple(array.shape)} can be read with channels first or last: give"
                f" tensor.permute(1, 2, 0){calls} for channels first, tensor{calls} for channels last."
            )
        array = array.transpose(1, 2, 0)
    if array.ndim == 4:
        raise InputError(
            f"A batch of shape {tuple(array.shape)} cannot be opened as one image: give one picture of it,"
            " such as tensor[0]."
        )
    return array


def _values(tensor: Any) -> np.ndarray:
    tensor = tensor.detach().cpu()
    try:
        return np.asarray(tensor.numpy())
    except TypeError:  # bfloat16 and float8, which NumPy does not have
        return np.asarray(tensor.float().numpy())


def _to_numpy(tensor: Any) -> str:
    """The calls that make this tensor a NumPy array, as people write them."""
    calls = ".detach()" if tensor.requires_grad else ""
    calls += ".float()" if str(tensor.dtype).startswith(("torch.bfloat", "torch.float8")) else ""
    return calls + (".cpu()" if tensor.device.type != "cpu" else "") + ".numpy()"


def from_array(array: np.ndarray, called: str = "array") -> Image.Image:
    """An 8-bit picture of mode L, RGB or RGBA, from an array as `open_image` describes it; `called` is how
    its owner writes it.
    """
    shape = array.shape
    if array.ndim == 4 and len(array) == 1 and shape[3] in CHANNELS:
        array = array[0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in CHANNELS):
        raise InputError(f"Cannot open an array of shape {shown(shape)} as an image: {_shape_hint(shape)}.")
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    check_size(array.shape[1], array.shape[0], "This array")
    return Image.fromarray(np.ascontiguousarray(_to_uint8(array, called)))


def _shape_hint(shape: tuple[int, ...]) -> str:
    if len(shape) == 3 and shape[0] in CHANNELS:
        return "channels come last in an array, so give array.transpose(1, 2, 0)"
    if len(shape) == 4 and shape[0] == 1 and shape[1] in CHANNELS:
        return "give the one picture of the batch with channels last, array[0].transpose(1, 2, 0)"
    if len(shape) == 4:
        return "give one picture of the batch, such as array[0]"
    return "expected (H, W), (H, W, 1), (H, W, 3) or (H, W, 4)"


def _to_uint8(array: np.ndarray, called: str) -> np.ndarray:
    """Scale to 0–255; which scale a number is on follows from its type, and for wide integers from their
    range.
    """
    if array.dtype == np.uint8:
        return array
    if array.dtype == bool:
        return array.astype(np.uint8) * 255
    if array.dtype.kind == "V" and "float" in array.dtype.name:  # bfloat16 of JAX and TensorFlow
        array = array.astype(np.float32)
    if array.dtype.kind not in "uif":
        raise InputError(
            f"Cannot open an array of {shown(array.dtype)} as an image: expected uint8, uint16, bool or float"
            " in 0–1."
        )
    low, high = float(array.min()), float(array.max())
    if array.dtype.kind == "f":
        return _float_to_uint8(array, low, high)
    if low < 0 or high > 65_535:
        raise InputError(
            f"The values run from {low:.0f} to {high:.0f}, not within 0–255 or 0–65535: scale them to uint8"
            " first."
        )
    if high > 255 or array.dtype.newbyteorder("=") == np.uint16:
        if 0 < high < 32_768:
            _check_bits(array, int(low), int(high), called)
        return ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return array.astype(np.uint8)


def _check_bits(array: np.ndarray, low: int, high: int, called: str) -> None:
    """Cameras and microscopes store 10, 12 or 14 bits in 16: read as they stand, such a picture is nearly
    black. One that leaves the highest bit unused is refused, as floats out of their scale are, unless its
    values are those of 8 bits, spread over the full range.
    """
    if not any((array % step == 0).all() for step in (256, 257)):
        bits = next(bits for bits in (8, 10, 12, 14, 15) if high < 2**bits)
        raise InputError(
            f"The 16-bit values run only from {low} to {high}, not over 0–65535, and would give a nearly"
            f" black picture: divide by the true maximum, such as {called} / {2**bits - 1} (floats in 0–1)."
        )


def _float_to_uint8(array: np.ndarray, low: float, high: float) -> np.ndarray:
    # Resizing may overshoot by a hair; more than that is another scale, and guessing it would hide a mistake.
    # (NaN fails here too.)
    if not (low >= -0.001 and high <= 1.001):
        way_out = "divide by 255" if 1.001 < high <= 255 and low >= 0 else "scale them to 0–1"
        way_out = "replace NaN with numpy.nan_to_num" if np.isnan(low) else way_out
        raise InputError(
            f"A float picture needs values in 0–1, these run from {low:.3g} to {high:.3g}: {way_out} first."
        )
    return (np.clip(array, 0, 1).astype(np.float32) * 255 + 0.5).astype(np.uint8)
