"""How mini is made: ``python -m florence_nb.training pool|tower|language|export POOL RUN``.

``pool`` draws the pictures, ``tower`` and ``language`` are the two stages of training, ``export`` writes the
checkpoint. ``language --begin florence_nb/mini`` goes on from the package's own checkpoint. The model card
tells with which settings mini was made.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from .language import Trainer, train_language
from .pool import draw_pool
from .tower import train_tower


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m florence_nb.training", description=__doc__)
    parser.add_argument("stage", choices=("pool", "tower", "language", "export"))
    parser.add_argument("pool", type=Path, help="folder of drawn pictures, see florence_nb.training.pool")
    parser.add_argument("run", type=Path, nargs="?", default=Path("run"), help="folder for checkpoints")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--rate", type=float, default=6e-4, help="language: learning rate")
    parser.add_argument(
        "--decay",
        type=float,
        default=0.3,
        help="language: share of the time in which the rate falls to nothing",
    )
    parser.add_argument(
        "--frozen", type=int, default=600, help="language: steps, of all, before the tower learns along"
    )
    parser.add_argument("--begin", type=Path, help="an exported checkpoint to go on from")
    parser.add_argument("--into", type=Path, default=Path("mini"), help="export: the folder to write")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument(
        "--shards", type=int, nargs=3, default=(0, 40, 1), help="pool: first, last (left out), step"
    )
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main() -> None:
    args = _arguments()
    if args.stage != "pool":
        args.run.mkdir(parents=True, exist_ok=True)
    if args.threads:
        torch.set_num_threads(args.threads)
    if args.stage == "pool":
        draw_pool(args.pool, *args.shards)
    elif args.stage == "tower":
        train_tower(
            args.pool,
            args.run,
            args.minutes,
            args.steps,
            lr=args.rate,
            seed=args.seed,
            device=args.device,
            begin=args.begin,
        )
    elif args.stage == "export":
        Trainer(args.run).export(args.into)
    else:
        named = ("steps", "decay", "frozen", "device", "seed", "begin")
        train_language(
            args.pool, args.run, args.minutes, lr=args.rate, **{name: getattr(args, name) for name in named}
        )


if __name__ == "__main__":
    main()
