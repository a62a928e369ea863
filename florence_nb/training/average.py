"""The mean of two exported checkpoints: ``python -m florence_nb.training.average OLDER NEWER --into mini``.

Weights from the end of a run jitter around the best place, and their mean lies nearer to it. That holds only
for two points of one path: NEWER went on from OLDER. Source: Izmailov et al. 2018, "Averaging Weights Leads
to Wider Optima and Better Generalization".
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from .model import HEADS_FILE


def average(older: Path, newer: Path, into: Path, share: float = 0.8) -> None:
    """Writes the checkpoint with the weights (1 - share) · older + share · newer, in half precision; the rest
    is copied from ``newer``.

    Raises:
        ValueError: the two have other tensors, or the share is not between 0 and 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"The share of the newer checkpoint lies between 0 and 1, not at {share}.")
    mixed = {
        name: _mixed(load_file(older / name), load_file(newer / name), share)
        for name in ("model.safetensors", HEADS_FILE)
    }
    if into != newer:
        shutil.copytree(newer, into, dirs_exist_ok=True)
    for name, tensors in mixed.items():
        save_file(tensors, into / name, metadata={"format": "pt"})


def _mixed(older: dict, newer: dict, share: float) -> dict[str, torch.Tensor]:
    if {name: one.shape for name, one in older.items()} != {name: one.shape for name, one in newer.items()}:
        raise ValueError("The two checkpoints have other tensors: one does not go on from the other.")
    return {
        name: torch.lerp(older[name].float(), one.float(), share).half() if one.is_floating_point() else one
        for name, one in newer.items()
    }


def main(given: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m florence_nb.training.average", description=__doc__)
    parser.add_argument("older", type=Path, help="an exported checkpoint")
    parser.add_argument("newer", type=Path, help="one that went on from it")
    parser.add_argument("--share", type=float, default=0.8, help="of the newer one")
    parser.add_argument("--into", type=Path, default=Path("mini"), help="the folder to write")
    args = parser.parse_args(given)
    average(args.older, args.newer, args.into, args.share)


if __name__ == "__main__":
    main()
