"""``python -m benchmarks``: measures, prints a table, and saves it as JSON, Markdown and a plot in
``benchmarks/results``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from pathlib import Path

import torch
import transformers
from tqdm import tqdm

from . import cases
from .lesson import RESULTS, read
from .models import build
from .timing import Figure

MODEL_CASES = {
    "time": cases.where_time_goes,
    "six": cases.six_prompts,
    "slider": cases.slider,
    "sixteen": cases.sixteen_pictures,
    "settings": cases.loading_settings,
    "throughput": cases.throughput,
    "decoding": cases.decoding,
}
CASES = (*MODEL_CASES, "cold", "memory", "further")


def machine(device: str) -> str:
    """What it ran on, in one line."""
    cpu = f"{platform.machine()} CPU, {torch.get_num_threads()} threads"
    where = torch.cuda.get_device_name() if device.startswith("cuda") else cpu
    versions = f"torch {torch.__version__.split('+')[0]}, transformers {transformers.__version__}"
    return f"{where}, {versions}, Python {platform.python_version()}"


def shown(figure: Figure) -> str:
    """A row of the Markdown table."""
    number = {"s": ".2f", "×": ".2f", "/s": ".1f", "GB": ".2f"}.get(figure.unit, ".0f")
    value, low, high = (format(v, number) for v in (figure.value, figure.low, figure.high))
    reached = {None: "", True: "yes", False: "**no**"}[figure.reached]
    same = {None: "", True: "yes", False: "**no**"}[figure.same]
    wanted = figure.wanted.replace(">=", "≥").replace("<=", "≤")
    cells = (
        figure.name,
        figure.against,
        f"{value} {figure.unit}".strip(),
        f"{low} – {high}",
        wanted,
        reached,
        same,
        figure.note,
    )
    return "| " + " | ".join(cells) + " |"


def table(figures: list[Figure]) -> str:
    """All figures as a Markdown table."""
    head = (
        "| what | against | median | range | wanted | reached | same tokens |"
        " |\n|---|---|---|---|---|---|---|---|"
    )
    return "\n".join([head, *map(shown, figures)])


def measure(names: list[str], sizes: list[str], rounds: int, device: str) -> list[Figure]:
    """Every case that was asked for; what is known so far is printed as it comes."""
    found: list[Figure] = []

    def take(figures) -> None:
        for figure in figures:
            found.append(figure)
            tqdm.write(shown(figure))

    work = [(size, name) for size in sizes for name in MODEL_CASES if name in names]
    florence = None
    for size, name in tqdm(work, desc="cases", disable=not work):
        if florence is None or florence.name != size:
            florence = build(size, device)
        take(MODEL_CASES[name](florence, rounds, device))
    del florence
    if "further" in names:
        take(cases.further_answer(rounds))
    if "cold" in names:
        take(cases.cold(rounds))
    if "memory" in names:
        with tempfile.TemporaryDirectory() as folder:
            take(cases.peak_memory(sizes, Path(folder)))
    return found


def merged(old: list[Figure], new: list[Figure]) -> list[Figure]:
    """The old figures, each replaced by its new one where there is one, then those that are only new."""
    fresh = {(figure.name, figure.against): figure for figure in new}
    kept = [fresh.pop((figure.name, figure.against), figure) for figure in old]
    return kept + list(fresh.values())


def plot(figures: list[Figure], path: Path) -> None:
    """Bars of the ratios against the plain loop."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    bars = [f for f in figures if f.against == "the plain loop"][::-1]
    if not bars:
        return
    figure, axes = plt.subplots(figsize=(9, 0.45 * len(bars) + 1.2), layout="constrained")
    axes.barh([b.name for b in bars], [b.value for b in bars], color="#3b7dd8")
    spread = [[b.value - b.low for b in bars], [b.high - b.value for b in bars]]
    axes.errorbar([b.value for b in bars], range(len(bars)), xerr=spread, fmt="none", color="#444", capsize=3)
    for index, bar in enumerate(bars):
        axes.text(bar.high, index, f"  {bar.value:.1f} ×", va="center")
    axes.axvline(1, color="#444", linewidth=1)
    axes.set_xlabel("times as fast as the plain loop (same weights, same settings)")
    axes.set_xlim(0, 1.15 * max(b.high for b in bars))
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=[c for c in CASES if c != "throughput"])
    parser.add_argument(
        "--sizes", nargs="+", choices=("mini", "base", "large"), default=["mini", "base", "large"]
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--name", help="name of the files in --into; the device when left out")
    parser.add_argument("--into", type=Path, default=RESULTS)
    parser.add_argument("--add", action="store_true", help="keep the other figures that the file has")
    args = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    figures = measure(args.cases, args.sizes, args.rounds, args.device)
    told, name = machine(args.device), args.name or args.device
    args.into.mkdir(parents=True, exist_ok=True)
    if args.add:
        figures = merged(read(args.into / f"{name}.json")[1], figures)
    record = {"machine": told, "figures": [f.to_dict() for f in figures]}
    (args.into / f"{name}.json").write_text(
        json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    (args.into / f"{name}.md").write_text(f"Measured on: {told}.\n\n{table(figures)}\n", encoding="utf-8")
    plot(figures, args.into / f"{name}.png")
    print(f"\n{told}\n\n{table(figures)}\n\nSaved: {args.into / name}.json, .md, .png")


if __name__ == "__main__":
    main()
