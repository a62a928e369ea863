"""What an encoded picture depends on beside its pixels, as a key: when any of it changes, the feature cache
must not answer.

What cannot be seen cheaply (a hook, an active mode of PyTorch, a patched method) gives no key at all, and the
cache steps aside.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from ..errors import InputError

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
_PLAIN = {bool, int, float, str, type(None), tuple}
_NESTED = {list, set, dict}


def state_key(model: Any, image_processor: Any) -> Hashable | None:
    """Equal for equal weights, modules, settings and modes of computing; None where the cache must step
    aside.

    Every in-place change of a tensor raises its version counter, so the sum tells a step of an optimiser. A
    change through ``.data`` does not raise it: it is seen where it changes the first value of a tensor, so
    call ``florence.forget()`` after one that changes some rows only. Takes 2 or 3 ms for mini.
    """
    modes = _modes(model)
    if modes is None or _global_hooks():
        return None
    modules, weights = _walk(model)
    if any(_is_patched(module) for module in modules):
        return None
    settings = hash(tuple([_settings(module) for module in modules]))
    return (
        id(model),
        _tensors(weights),
        settings,
        _dtype_and_attention(model),
        modes,
        _processor(image_processor),
    )


def unwrapped(model: Any) -> Any:
    """The native model inside ``torch.compile(model)``, a model of peft or ``DataParallel``.

    Adapters such as LoRA live in the native model's own layers, so its answers are those of the adapted
    model.

    Raises:
        InputError: adapters that live outside of it (prompt tuning).
    """
    while True:
        if getattr(getattr(model, "active_peft_config", None), "is_prompt_learning", False):
            raise InputError(
                "Prompt tuning changes what goes into the model, which is not supported here: use LoRA, or"
                " call model.generate yourself."
            )
        inside = model.__dict__.get("_modules", {}) if hasattr(model, "__dict__") else {}
        if "_orig_mod" in inside:
            model = inside["_orig_mod"]
        elif hasattr(model, "get_base_model"):
            model = model.get_base_model()
        elif type(model).__name__.endswith("DataParallel") and "module" in inside:
            model = inside["module"]
        else:
            return model


def _walk(model: Any) -> tuple[list[Any], list[Any]]:
    """Every module, and every parameter and buffer; ``model.modules()`` and the like take three times as
    long.
    """
    modules, weights, seen, waiting = [], [], set(), [model]
    while waiting:
        module = waiting.pop()
        if module is None or id(module) in seen:
            continue
        seen.add(id(module))
        inside = module.__dict__
        modules.append(module)
        weights += inside["_parameters"].values()
        weights += inside["_buffers"].values()
        waiting += inside["_modules"].values()
    return modules, weights


def _tensors(weights: list[Any]) -> Hashable:
    there = [weight for weight in weights if weight is not None]
    versions = sum(0 if weight.is_inference() else weight._version for weight in there)
    return len(there), versions, sum(weight.data_ptr() for weight in there), _first_values(there)


def _first_values(weights: list[Any]) -> Hashable:
    """The first number of each tensor, read at once for each format and device."""
    import torch

    groups: dict[Hashable, list[Any]] = {}
    for weight in weights:
        if weight.numel():
            groups.setdefault((weight.dtype, weight.device), []).append(weight.detach()[(0,) * weight.ndim])
    return tuple([str(torch.stack(firsts).tolist()) for firsts in groups.values()])


def _dtype_and_attention(model: Any) -> Hashable:
    return str(model.dtype), str(model.device), getattr(model.config, "_attn_implementation", None)


def _is_patched(module: Any) -> bool:
    """Whether something other than the module's own class has a say in its output."""
    inside = module.__dict__
    return "forward" in inside or any([inside[name] for name in _HOOKS if name in inside])


def _settings(module: Any) -> Hashable:
    """The module's class and every plain value in it, such as ``eps``, ``p`` or the active adapters."""
    values = module.__dict__
    plain = [value for value in values.values() if type(value) in _PLAIN]
    nested = [repr(values[name]) for name in values if name[0] != "_" and type(values[name]) in _NESTED]
    adapters = repr(values.get("_active_adapter"))  # of peft
    compiled = id(values.get("_compiled_call_impl"))
    return id(module), id(type(module).forward), repr(plain), *nested, adapters, compiled


def _global_hooks() -> bool:
    from torch.nn.modules import module

    names = ("_global_forward_hooks", "_global_forward_pre_hooks", "_global_backward_hooks")
    return any(getattr(module, name, None) for name in names)


def _modes(model: Any) -> Hashable | None:
    """How PyTorch computes now; None where a mode is active that may do anything."""
    import torch

    if torch._C._len_torch_function_stack() or torch._C._len_torch_dispatch_stack():
        return None
    kind = model.device.type
    autocast = torch.is_autocast_enabled(kind) and str(torch.get_autocast_dtype(kind))
    try:
        precision = torch.get_float32_matmul_precision()
    except RuntimeError:  # set through both of PyTorch's ways at once
        return None
    cuda, cudnn = torch.backends.cuda, torch.backends.cudnn
    switches = (cuda.matmul.allow_tf32, cudnn.allow_tf32, cuda.flash_sdp_enabled(), cuda.math_sdp_enabled())
    return autocast, precision, switches, torch.are_deterministic_algorithms_enabled()


def _processor(image_processor: Any) -> Hashable:
    kind = type(image_processor)
    return id(kind), id(kind.__call__), repr(vars(image_processor))
