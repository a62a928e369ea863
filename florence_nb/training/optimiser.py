"""The optimiser: Muon for the matrices inside the layers, AdamW for all else (embeddings, convolutions,
heads, scales, shifts).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import nn

DECAY = 0.03
_Shared = list[tuple[nn.Parameter, float]]


class Muon(torch.optim.Optimizer):
    """`torch.optim.Muon` with ``adjust_lr_fn="match_rms_adamw"``, in the precision of the weights.

    That of torch orthogonalises in bfloat16, which a CPU without instructions for it only imitates: there a
    step of mini takes 14 seconds that way, and one in float32.
    """

    COEFFICIENTS = (3.4445, -4.7750, 2.0315)

    def __init__(self, params, lr: float, momentum: float = 0.95):
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure=None) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                average = self.state[p].setdefault("momentum_buffer", torch.zeros_like(p))
                average.lerp_(p.grad, 1 - group["momentum"])
                update = self._orthogonal(p.grad.lerp(average, group["momentum"]))
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(update, alpha=-group["lr"] * 0.2 * max(p.shape) ** 0.5)

    def _orthogonal(self, update: torch.Tensor) -> torch.Tensor:
        """The nearest orthogonal matrix, nearly, by five rounds of Newton and Schulz."""
        a, b, c = self.COEFFICIENTS
        turned = update.shape[0] > update.shape[1]
        x = update.T if turned else update
        x = x / x.norm().clamp(min=1e-7)
        for _ in range(5):
            gram = x @ x.T
            x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
        return x.T if turned else x


class Optimiser:
    """Two optimisers that act as one.

    Args:
        shares: (module, share) pairs: a module's parameters learn at that share of the rate.
        outside: modules whose matrices are no place for Muon: heads and embeddings.
    """

    def __init__(self, shares: Iterable[tuple[nn.Module, float]], outside: Iterable[nn.Module]):
        inner, rest, plain = _sorted(shares, {id(p) for module in outside for p in module.parameters()})
        self._adamw = torch.optim.AdamW(
            _groups(rest, DECAY) + _groups(plain, 0.0), lr=1e-4, betas=(0.9, 0.98)
        )
        self._muon = Muon(_groups(inner, DECAY), lr=1e-4)
        self._both = (self._muon, self._adamw)

    def parameters(self) -> Iterator[nn.Parameter]:
        """Every parameter that is trained."""
        return (p for one in self._both for group in one.param_groups for p in group["params"])

    def step(self, rate: float) -> None:
        """One step at this learning rate, gradients clipped to a norm of one."""
        torch.nn.utils.clip_grad_norm_(list(self.parameters()), 1.0)
        for one in self._both:
            for group in one.param_groups:
                group["lr"] = rate * group["share"]
            one.step()

    def zero_grad(self) -> None:
        for one in self._both:
            one.zero_grad(set_to_none=True)

    def state_dict(self) -> dict:
        return {"muon": self._muon.state_dict(), "adamw": self._adamw.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        self._muon.load_state_dict(state["muon"])
        self._adamw.load_state_dict(state["adamw"])


def _sorted(shares: Iterable[tuple[nn.Module, float]], outside: set[int]) -> tuple[_Shared, _Shared, _Shared]:
    """Parameters with their shares, each once: matrices inside the layers, other ones, and vectors."""
    inner: _Shared = []
    rest: _Shared = []
    plain: _Shared = []
    seen: set[int] = set()
    for module, share in shares:
        for name, p in module.named_parameters():
            if id(p) not in seen:
                seen.add(id(p))
                hidden = p.ndim == 2 and id(p) not in outside and "embed" not in name and "shared" not in name
                (inner if hidden else rest if p.ndim >= 2 else plain).append((p, share))
    return inner, rest, plain


def _groups(parameters: _Shared, decay: float) -> list[dict]:
    shares = sorted({share for _, share in parameters})
    return [
        {"params": [p for p, s in parameters if s == share], "share": share, "weight_decay": decay}
        for share in shares
    ]
