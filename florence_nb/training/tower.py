"""First lesson: the tower learns to see, without any language.

The vision tower and the projector are trained so that linear heads can read from every image token what is seen there.
"""

from __future__ import annotations

import math
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from tqdm import tqdm

from ..errors import InputError
from ..scenes.pen import COLOURS
from .cells import CHARACTERS, TRAINED_KINDS, cell_losses, cell_scores, cell_truth
from .model import CellHeads, load_exported, new_config, new_model
from .optimiser import Optimiser
from .pool import PAGES, Facts, open_shard, shards_in
from .windows import random_window, through_window

Made = TypeVar("Made")

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
WEIGHTS = {
    "kind": 1.0,
    "nothing": 1.0,
    "colour": 0.5,
    "middle": 0.3,
    "reach": 6.0,
    "shape": 0.7,
    "letters": 2.0,
    "turns": 0.5,
    "rests": 0.5,
    "no letter": 0.5,
    "corners": 6.0,
}


def to_pixels(pictures: np.ndarray) -> torch.Tensor:
    """(n, h, w, 3) uint8 to what the processor makes of it: (n, 3, h, w) float32."""
    pixels = torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float() / 255
    return ((pixels - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(DEVIATION).view(1, 3, 1, 1)).contiguous()


def batches(
    folder: Path, size: int, seed: int, held_back: int = 1, pages: int = 0
) -> Iterator[tuple[np.ndarray, np.ndarray, list[Facts]]]:
    """Endless batches of pictures, owners and facts, shard by shard in an order by lot.

    The first ``held_back`` shards are left out; shards of pages come ``pages`` times as often as others.

    Raises:
        InputError: there are no other shards.
    """
    rng = np.random.default_rng(seed)
    while True:
        numbers = [n for n in shards_in(folder) if n >= held_back for _ in range(pages if n >= PAGES else 1)]
        if not numbers:
            raise InputError(f"{folder} holds no shards from number {held_back} on: draw some with florence_nb.training pool.")
        for group in _grouped(rng.permutation(numbers), 8):
            shards = [open_shard(folder, int(n)) for n in group]
            places = [(s, i) for s in range(len(shards)) for i in range(len(shards[s].facts))]
            order = rng.permutation(len(places))
            for start in range(0, len(order) - size + 1, size):
                chosen = [places[k] for k in order[start : start + size]]
                yield (
                    np.stack([shards[s].pictures[i] for s, i in chosen]),
                    np.stack([shards[s].owners[i] for s, i in chosen]),
                    [shards[s].facts[i] for s, i in chosen],
                )


def _grouped(numbers: np.ndarray, size: int) -> list[np.ndarray]:
    return [numbers[i : i + size] for i in range(0, len(numbers), size)]


def ahead(work: Iterator[Made], most: int = 3) -> Iterator[Made]:
    """The same endless things, made ahead by a thread, at most so many; what goes wrong there is raised here."""
    ready: queue.Queue = queue.Queue(maxsize=most)

    def fill() -> None:
        try:
            for made in work:
                ready.put(made)
        except Exception as error:
            ready.put(error)

    threading.Thread(target=fill, daemon=True).start()
    while True:
        made = ready.get()
        if isinstance(made, Exception):
            raise made
        yield made


def _supply(pool: Path, size: int, seed: int) -> Iterator[tuple[torch.Tensor, dict[str, torch.Tensor]]]:
    """Batches of pixels and truth; three pictures of four are seen through a window by lot."""
    rng = np.random.default_rng(seed)
    for pictures, owners, facts in batches(pool, size, seed, pages=2):
        for i in np.flatnonzero(rng.random(size) < 0.75):
            window = random_window(facts[i].size, rng)
            pictures[i], owners[i], facts[i] = through_window(pictures[i], owners[i], facts[i], window, rng)
        yield to_pixels(pictures), stacked_truth(facts, owners)


def stacked_truth(facts: list[Facts], owners: np.ndarray) -> dict[str, torch.Tensor]:
    """`cell_truth` of a batch."""
    truths = [cell_truth(f, o) for f, o in zip(facts, owners)]
    return {key: torch.from_numpy(np.stack([t[key] for t in truths])) for key in truths[0]}


def rate(done: float, top: float, floor: float = 0.05) -> float:
    """Learning rate: a cosine from ``top`` to ``floor`` of it as ``done`` goes from 0 to 1."""
    return top * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, done))))


def train_tower(
    pool: Path, run: Path, minutes: float, steps: int, size: int = 12, top: float = 1e-3, seed: int = 0, device: str = "cpu",
    begin: Path | None = None,
) -> None:  # fmt: skip
    """Trains for ``steps`` or ``minutes``, whichever is over first, and writes ``run/tower.pt``.

    It goes on from ``run/tower.pt`` if that is there, else from the tower of an exported checkpoint in ``begin``.
    """
    model = new_model(new_config(1664, 1600), 600, seed)
    if device == "cpu":
        # On a CPU the fused attention's way back takes three times as long as plain attention's.
        model.set_attn_implementation("eager")
    tower, projector = model.model.vision_tower, model.model.multi_modal_projector
    heads = CellHeads(len(TRAINED_KINDS), len(COLOURS), len(CHARACTERS))
    parts = {"tower": tower.to(device), "projector": projector.to(device), "heads": heads.to(device)}
    optimiser = Optimiser([(part, 1.0) for part in parts.values()], outside=[heads])
    saved, first = run / "tower.pt", 0
    if saved.exists():
        state = torch.load(saved, map_location=device)
        for name, part in parts.items():
            part.load_state_dict(state[name])
        optimiser.load_state_dict(state["optimiser"])
        first = state["step"]
    elif begin:
        exported, seen, _ = load_exported(begin)
        tower.load_state_dict(exported.model.vision_tower.state_dict())
        projector.load_state_dict(exported.model.multi_modal_projector.state_dict())
        heads.load_state_dict(seen)

    def save(step: int) -> None:
        state = {**{n: p.state_dict() for n, p in parts.items()}, "optimiser": optimiser.state_dict(), "step": step}
        torch.save(state, saved.with_suffix(".tmp"))
        saved.with_suffix(".tmp").replace(saved)

    means: dict[str, float] = defaultdict(float)
    start, step = time.time(), first - 1
    bar = tqdm(range(first, steps), initial=first, total=steps, desc="tower", mininterval=10)
    supply = ahead(_supply(pool, size, seed + first))
    for step in bar:
        done = max(step / steps, (time.time() - start) / 60 / minutes)
        pixels, truth = next(supply)
        with torch.autocast(device, torch.bfloat16):
            features = projector(tower(pixels.to(device)).last_hidden_state)[:, 1:].float()
        truth = {name: value.to(device) for name, value in truth.items()}
        losses = cell_losses(heads, features, truth)
        loss = sum(WEIGHTS[name] * value for name, value in losses.items())
        optimiser.forget_gradients()
        loss.backward()
        optimiser.step(rate(done, top) * min(1.0, (step - first + 1) / 100))
        for name, value in losses.items():
            means[name] += (value.item() - means[name]) * (0.05 if step - first > 20 else 0.5)
        if step % 50 == 49:
            tqdm.write(f"{step + 1} {(time.time() - start) / 60:.1f} min " + " ".join(f"{n} {v:.3f}" for n, v in means.items()))
        if step % 200 == 199:
            tqdm.write(f"  unseen: {_unseen(pool, tower, projector, heads)}")
            save(step + 1)
        if (time.time() - start) / 60 > minutes:
            break
    save(step + 1)
    tqdm.write(f"  unseen: {_unseen(pool, tower, projector, heads)}")


@torch.no_grad()
def _unseen(pool: Path, tower, projector, heads) -> dict[str, float]:
    shard = open_shard(pool, 0)
    chosen = slice(0, 64)
    device = next(heads.parameters()).device
    with torch.autocast(device.type, torch.bfloat16):
        features = projector(tower(to_pixels(shard.pictures[chosen]).to(device)).last_hidden_state)[:, 1:].float()
    truth = {name: value.to(device) for name, value in stacked_truth(shard.facts[chosen], shard.owners[chosen]).items()}
    return {n: round(v, 3) for n, v in cell_scores(heads, features, truth).items()}
