"""Pictures drawn ahead of time, in shards on disk, so that training never waits for drawing.

Drawing may be stopped and started again, and several processes may draw side by side, each its own shards.
"""

from __future__ import annotations

import os
import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from ..scenes import Scene, VisibleThing
from ..scenes.random_scenes import random_crowd, random_page, random_scene
from .sizes import SIDE

SHARD = 500
"""Pictures in a shard."""
FEW_SIGNS, MANY_SIGNS = 0.35, 0.85
"""How likely a thing carries text: as the world is, and in every fourth shard, where reading is practised."""
PAGES = 1000
"""Shards from this number on hold pages full of boards, from which the tower learns letters."""
CROWDS = 2000
"""Shards from this number on hold scenes with several things of few kinds."""
INSTANCE_GRID = 48
"""Cells along each side of the map that says which thing is seen where."""
TRAINING_SEEDS = 1_000_000_000
"""Seeds from here on are for training; smaller ones never are."""


@dataclass(frozen=True)
class Facts:
    """What `scenes.truth` needs to know of a scene when its picture is already drawn."""

    things: tuple[VisibleThing, ...]
    background: str
    size: tuple[int, int]


@dataclass(frozen=True)
class Shard:
    """Pictures (n, SIDE, SIDE, 3) uint8, instances (n, INSTANCE_GRID, INSTANCE_GRID) uint8 (0 or 1 + index of
    the thing) and facts, one each.
    """

    pictures: np.ndarray
    instances: np.ndarray
    facts: list[Facts]


def squeeze(picture: Image.Image) -> Image.Image:
    """The picture at the size that the processor makes of it."""
    return picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def draw_shard(number: int) -> Shard:
    """Draws one shard; its number fixes its scenes."""
    pictures = np.empty((SHARD, SIDE, SIDE, 3), np.uint8)
    instances = np.empty((SHARD, INSTANCE_GRID, INSTANCE_GRID), np.uint8)
    facts = []
    for i in tqdm(range(SHARD), desc=f"shard {number}", mininterval=10):
        seed = TRAINING_SEEDS + number * SHARD + i
        scene = _scene(number, seed)
        pictures[i] = np.asarray(squeeze(scene.image))
        rows = ((np.arange(INSTANCE_GRID) + 0.5) / INSTANCE_GRID * scene.size[1]).astype(int)
        columns = ((np.arange(INSTANCE_GRID) + 0.5) / INSTANCE_GRID * scene.size[0]).astype(int)
        instances[i] = scene.instance_map[rows][:, columns]
        facts.append(Facts(scene.things, scene.background, scene.size))
    return Shard(pictures, instances, facts)


def _scene(number: int, seed: int) -> Scene:
    if number >= CROWDS:
        return random_crowd(seed)
    if number >= PAGES:
        return random_page(seed)
    return random_scene(seed, signs=MANY_SIGNS if number % 4 == 3 else FEW_SIGNS)


def save_shard(folder: Path, number: int, shard: Shard) -> None:
    """Writes one shard; a shard is either whole or not there."""
    np.save(folder / f"pictures-{number:05d}.npy", shard.pictures)
    np.save(folder / f"instances-{number:05d}.npy", shard.instances)
    rest = folder / f"facts-{number:05d}.tmp"
    rest.write_bytes(pickle.dumps(shard.facts))
    os.replace(rest, rest.with_suffix(".pkl"))


def shards_in(folder: Path) -> list[int]:
    """Numbers of the finished shards."""
    return sorted(int(path.stem.split("-")[1]) for path in folder.glob("facts-*.pkl"))


def open_shard(folder: Path, number: int) -> Shard:
    """Opens one shard; its pictures stay on disk until they are read."""
    pictures = np.load(folder / f"pictures-{number:05d}.npy", mmap_mode="r")
    instances = np.load(folder / f"instances-{number:05d}.npy")
    return Shard(pictures, instances, pickle.loads((folder / f"facts-{number:05d}.pkl").read_bytes()))


def draw_pool(folder: Path, first: int, last: int, step: int = 1) -> None:
    r"""Draws every ``step``\ th shard from ``first`` to ``last`` (left out) that is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, last, step):
        if number not in shards_in(folder):
            save_shard(folder, number, draw_shard(number))
