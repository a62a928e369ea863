"""First stage: the tower learns to see, without any language.

The vision tower and the projector are trained so that linear heads can read from every image token what is
seen there.
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
from ..scenes import COLOURS
from .cells import CHARACTERS, TRAINED_KINDS, cell_losses, cell_scores, cell_truth
from .crops import random_crop, random_crop_box
from .model import HAS_AVX512, CellHeads, autocast, grow, load_exported, new_config, new_model
from .optimiser import Optimiser
from .pool import CROWDS, PAGES, Facts, open_shard, shards_in

Made = TypeVar("Made")

CPU_ATTENTION = "eager" if HAS_AVX512 else "sdpa"
"""The quicker one in training. With AVX-512 a step takes 3.3 s with plain attention and 4.9 s with the fused
one, whose way back is slow; without it, the fused one is quicker.
"""
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
WEIGHTS = {
    "kind": 1.0,
    "nothing": 1.0,
    "colour": 0.5,
    "middle": 0.3,
    "edge distances": 6.0,
    "shape": 0.7,
    "letters": 2.0,
    "letter_index": 0.5,
    "letters_left": 0.5,
    "no letter": 0.5,
    "corners": 6.0,
}


def to_pixels(pictures: np.ndarray) -> torch.Tensor:
    """(n, h, w, 3) uint8 to what the processor makes of it: (n, 3, h, w) float32."""
    pixels = torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float() / 255
    return (
        (pixels - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(DEVIATION).view(1, 3, 1, 1)
    ).contiguous()


def batches(
    folder: Path, size: int, seed: int, held_back: int = 1, pages: int = 0, scenes: int = 1
) -> Iterator[tuple[np.ndarray, np.ndarray, list[Facts]]]:
    """Endless batches of pictures, instances and facts, shard by shard in a random order.

    The first ``held_back`` shards are left out; shards of pages come ``pages`` times each, others ``scenes``
    times.

    Raises:
        InputError: there are no other shards.
    """
    rng = np.random.default_rng(seed)
    while True:
        numbers = [
            n
            for n in shards_in(folder)
            if n >= held_back
            for _ in range(pages if PAGES <= n < CROWDS else scenes)
        ]
        if not numbers:
            raise InputError(
                f"{folder} holds no shards from number {held_back} on: draw some with florence_nb.training"
                " pool."
            )
        for group in _grouped(rng.permutation(numbers), 8):
            shards = [open_shard(folder, int(n)) for n in group]
            places = [(s, i) for s in range(len(shards)) for i in range(len(shards[s].facts))]
            order = rng.permutation(len(places))
            for start in range(0, len(order) - size + 1, size):
                chosen = [places[k] for k in order[start : start + size]]
                yield (
                    np.stack([shards[s].pictures[i] for s, i in chosen]),
                    np.stack([shards[s].instances[i] for s, i in chosen]),
                    [shards[s].facts[i] for s, i in chosen],
                )


def _grouped(numbers: np.ndarray, size: int) -> list[np.ndarray]:
    return [numbers[i : i + size] for i in range(0, len(numbers), size)]


def prefetch(work: Iterator[Made], most: int = 3) -> Iterator[Made]:
    """The same endless things, made ahead by a thread, at most so many; what goes wrong there is raised
    here.
    """
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


def cropped(
    pool: Path, size: int, seed: int, pages: int = 2, scenes: int = 1
) -> Iterator[tuple[np.ndarray, np.ndarray, list[Facts]]]:
    """The same as `batches`; three pictures of four are cropped at random."""
    rng = np.random.default_rng(seed)
    for pictures, instances, facts in batches(pool, size, seed, pages=pages, scenes=scenes):
        for i in np.flatnonzero(rng.random(size) < 0.75):
            crop = random_crop_box(facts[i].size, rng)
            pictures[i], instances[i], facts[i] = random_crop(pictures[i], instances[i], facts[i], crop, rng)
        yield pictures, instances, facts


def _supply(pool: Path, size: int, seed: int) -> Iterator[tuple[torch.Tensor, dict[str, torch.Tensor]]]:
    """Batches of pixels and truth."""
    for pictures, instances, facts in cropped(pool, size, seed):
        yield to_pixels(pictures), stacked_truth(facts, instances)


def stacked_truth(facts: list[Facts], instances: np.ndarray) -> dict[str, torch.Tensor]:
    """`cell_truth` of a batch."""
    truths = [cell_truth(f, o) for f, o in zip(facts, instances)]
    return {key: torch.from_numpy(np.stack([t[key] for t in truths])) for key in truths[0]}


def cosine_lr(done: float, top: float, floor: float = 0.05) -> float:
    """Learning rate: a cosine from ``top`` to ``floor`` of it as ``done`` goes from 0 to 1."""
    return top * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, done))))


class TowerTrainer:
    """Vision tower and projector in training, with the heads that read from them.

    It goes on from ``run/tower.pt`` if that is there, else from the tower of an exported checkpoint in
    ``begin``.
    """

    def __init__(self, run: Path, device: str = "cpu", seed: int = 0, begin: Path | None = None):
        model = new_model(new_config(1664, 1600), 600, seed)
        if device == "cpu":
            model.set_attn_implementation(CPU_ATTENTION)
        self.device, self.saved, self.step = device, run / "tower.pt", 0
        self.tower = model.model.vision_tower.to(device)
        self.projector = model.model.multi_modal_projector.to(device)
        self.heads = CellHeads(len(TRAINED_KINDS), len(COLOURS), len(CHARACTERS)).to(device)
        self.parts = {"tower": self.tower, "projector": self.projector, "heads": self.heads}
        self.optimiser = Optimiser([(part, 1.0) for part in self.parts.values()], outside=[self.heads])
        if self.saved.exists():
            self._load(torch.load(self.saved, map_location=device))
        elif begin:
            exported, heads, _ = load_exported(begin)
            grow(self.tower, exported.model.vision_tower)
            self.projector.load_state_dict(exported.model.multi_modal_projector.state_dict())
            self.heads.load_state_dict(heads)

    def _load(self, state: dict) -> None:
        for name, part in self.parts.items():
            part.load_state_dict(state[name])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = state["step"]

    def save(self) -> None:
        """Writes ``run/tower.pt`` in one go."""
        parts = {name: part.state_dict() for name, part in self.parts.items()}
        draft = self.saved.with_suffix(".tmp")
        torch.save({**parts, "optimiser": self.optimiser.state_dict(), "step": self.step}, draft)
        draft.replace(self.saved)

    def features(self, pixels: torch.Tensor) -> torch.Tensor:
        """(n, 3, SIDE, SIDE) to what is told of each cell, (n, GRID * GRID, WIDTH) float32."""
        with autocast(self.device):
            return self.projector(self.tower(pixels.to(self.device)).last_hidden_state)[:, 1:].float()

    def learn(self, pixels: torch.Tensor, truth: dict[str, torch.Tensor], lr: float) -> dict[str, float]:
        """One step on a batch; returns its losses."""
        truth = {name: value.to(self.device) for name, value in truth.items()}
        losses = cell_losses(self.heads, self.features(pixels), truth)
        self.optimiser.zero_grad()
        sum(WEIGHTS[name] * value for name, value in losses.items()).backward()
        self.optimiser.step(lr)
        self.step += 1
        return {name: value.item() for name, value in losses.items()}

    @torch.no_grad()
    def unseen(self, pool: Path) -> dict[str, float]:
        """How often the heads are right on 64 pictures of the shard that is held back."""
        shard, chosen = open_shard(pool, 0), slice(0, 64)
        truth = stacked_truth(shard.facts[chosen], shard.instances[chosen])
        truth = {name: value.to(self.device) for name, value in truth.items()}
        scores = cell_scores(self.heads, self.features(to_pixels(shard.pictures[chosen])), truth)
        return {name: round(value, 3) for name, value in scores.items()}


def train_tower(
    pool: Path,
    run: Path,
    minutes: float,
    steps: int,
    size: int = 12,
    lr: float = 1e-3,
    seed: int = 0,
    device: str = "cpu",
    begin: Path | None = None,
) -> None:
    """Trains for ``steps`` or ``minutes``, whichever is over first, and writes ``run/tower.pt``; see
    `TowerTrainer`.
    """
    trainer = TowerTrainer(run, device, seed, begin)
    first, start = trainer.step, time.time()
    means: dict[str, float] = defaultdict(float)
    supply = prefetch(_supply(pool, size, seed + first))
    for step in tqdm(range(first, steps), initial=first, total=steps, desc="tower", mininterval=10):
        spent = (time.time() - start) / 60
        done = max(step / steps, spent / minutes)
        losses = trainer.learn(*next(supply), cosine_lr(done, lr) * min(1.0, (step - first + 1) / 100))
        for name, value in losses.items():
            means[name] += (value - means[name]) * (0.05 if step - first > 20 else 0.5)
        if step % 50 == 49:
            tqdm.write(f"{step + 1} {spent:.1f} min " + " ".join(f"{n} {v:.3f}" for n, v in means.items()))
        if step % 200 == 199:
            tqdm.write(f"  unseen: {trainer.unseen(pool)}")
            trainer.save()
        if (time.time() - start) / 60 > minutes:
            break
    trainer.save()
    tqdm.write(f"  unseen: {trainer.unseen(pool)}")
