"""How well a checkpoint sees the drawn world: ``python -m florence_nb.training.evaluate --scenes 300 --seed
0``.

Every scene is asked all fifteen prompts (those on text only where some is written); answers are compared with
what was drawn, not with the wording of the true answer. The result is a table, and the worst scenes as a
contact sheet.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..answers import Answer
from ..florence import Florence
from ..geometry import WELL_PLACED, box_iou, mask_iou, match, rasterize
from ..scenes import HELD_OUT, KINDS, Scene, VisibleThing, random_scene, words
from ..scenes.pen import COLOURS
from ..scenes.truth import lines_of

AIM = {
    "OD F1": 0.975,
    "OD mean IoU": 0.93,
    "dense F1": 0.95,
    "category": 0.98,
    "description": 0.98,
    "grounding recall": 0.96,
    "vocabulary recall": 0.95,
    "absent: nothing": 0.985,
    "referring mask IoU": 0.87,
    "region mask IoU": 0.88,
    "OCR words": 0.95,
    "OCR with region": 0.94,
    "region OCR": 0.96,
    "captions: named": 0.975,
    "captions: invented": 0.01,
    "well-formed": 1.0,
}
"""What we want each figure to be at least; for ``captions: invented`` at most."""
AT_MOST = "captions: invented"


@dataclass
class Tally:
    """Sums for the figures.

    Attributes:
        points, out_of: by name; a figure is points / out of.
        detections: (F1, answer) of ``<OD>`` for every scene.
    """

    points: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    out_of: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    detections: list[tuple[float, Answer]] = field(default_factory=list)

    def add(self, name: str, points: float, out_of: float = 1) -> None:
        self.points[name] += points
        self.out_of[name] += out_of

    def figures(self) -> dict[str, float]:
        """Every figure as a share of one, in the order of `AIM`."""
        shares = {name: self.points[name] / self.out_of[name] for name in self.points if self.out_of[name]}
        for name in ("OD", "dense"):
            if f"{name} right" in shares:
                right, said, there = (self.points[f"{name} {part}"] for part in ("right", "said", "there"))
                shares[f"{name} F1"] = 2 * right / max(1, said + there)
        return {name: shares[name] for name in AIM if name in shares}


def evaluate(
    florence: Florence, scenes: Iterable[Scene], *, seed: int = 0, batch_size: int = 16, progress: bool = True
) -> Tally:
    """Asks everything about every scene, greedily, and counts what is right.

    Args:
        florence: what is asked.
        scenes: each with at least one thing, of the kinds that are in training or held out.
        seed: fixes what is asked about.
    """
    rng = random.Random(seed)
    asked = [(scene, *question) for scene in scenes for question in questions(scene, rng)]
    requests = [(task, scene.image, text) for scene, task, text, _ in asked]
    answers = florence.run_many(
        requests, batch_size=batch_size, progress=progress, num_beams=1, max_new_tokens=400
    )
    tally = Tally()
    for (scene, _, _, aim), answer in zip(asked, answers):
        if isinstance(answer, Exception):
            raise answer
        count(tally, scene, answer, aim)
    return tally


def count(tally: Tally, scene: Scene, answer: Answer, aim: Any) -> None:
    """Adds one answer; ``aim`` is what the question was about, see `questions`."""
    tally.add("well-formed", not answer.truncated and not answer.notes)
    _CHECKS[answer.task](tally, scene, answer, aim)


def questions(scene: Scene, rng: random.Random) -> list[tuple[str, Any, Any]]:
    """(task, text input, what it is about: a thing, things or None) for one scene."""
    from .questions import absent, jitter_box, refer

    thing = rng.choice(scene.things)
    region = jitter_box(thing.box, scene.size, rng)
    missing, phrase = absent(scene, rng), refer(scene, rng)
    caption = " and ".join(dict.fromkeys(words.article(words.name_of(t)) for t in scene.things))
    name = words.name_of(thing)
    found: list[tuple[str, Any, Any]] = [
        ("<OD>", None, None),
        ("<DENSE_REGION_CAPTION>", None, None),
        ("<REGION_PROPOSAL>", None, None),
        ("<CAPTION>", None, None),
        ("<DETAILED_CAPTION>", None, None),
        ("<MORE_DETAILED_CAPTION>", None, None),
        ("<REGION_TO_CATEGORY>", region, thing),
        ("<REGION_TO_DESCRIPTION>", region, thing),
        ("<REGION_TO_SEGMENTATION>", region, [thing]),
        ("<REFERRING_EXPRESSION_SEGMENTATION>", phrase, words.things_meant(scene, phrase)),
        ("<CAPTION_TO_PHRASE_GROUNDING>", caption, list(scene.things)),
        ("<OPEN_VOCABULARY_DETECTION>", name, words.things_meant(scene, name)),
        ("<OPEN_VOCABULARY_DETECTION>", missing, []),
    ]
    if any(t.text for t in scene.things):
        texted = rng.choice([t for t in scene.things if t.text])
        found += [
            ("<OCR>", None, None),
            ("<OCR_WITH_REGION>", None, None),
            ("<REGION_TO_OCR>", jitter_box(texted.box, scene.size, rng), texted),
        ]
    return found


def matching(
    found: Iterable, wanted: Iterable, alike: Callable[[int, int], bool]
) -> list[tuple[int, int, float]]:
    """Pairs (index in found, index in wanted, IoU) of boxes that agree, each box used once, best first.

    They agree where their IoU is at least `WELL_PLACED` and ``alike(index in found, index in wanted)``.
    """
    pairs = ((box_iou(f, w), i, j) for i, f in enumerate(found) for j, w in enumerate(wanted))
    return match((iou, i, j) for iou, i, j in pairs if iou >= WELL_PLACED and alike(i, j))


def mask_of(scene: Scene, things: Iterable[VisibleThing]) -> np.ndarray:
    """(height, width) bool: where these things are seen."""
    numbers = [scene.things.index(thing) + 1 for thing in things]
    return np.isin(scene.instance_map, numbers)


_Check = Callable[[Tally, Scene, Answer, Any], None]


def _check_boxes(name: str, label: Callable[[VisibleThing], str]) -> _Check:
    def check(tally: Tally, scene: Scene, answer: Answer, _: Any) -> None:
        wanted = [t.box for t in scene.things]
        names = [label(t) for t in scene.things]
        pairs = matching(answer.boxes, wanted, lambda i, j: answer.labels[i] == names[j])
        tally.add(f"{name} right", len(pairs))
        tally.add(f"{name} said", len(answer.boxes))
        tally.add(f"{name} there", len(wanted))
        if name == "OD":
            tally.add("OD mean IoU", sum(share for _, _, share in pairs), len(pairs))
            tally.detections.append((2 * len(pairs) / max(1, len(answer.boxes) + len(wanted)), answer))

    return check


def _check_word(name: str, label: Callable[[VisibleThing], str]) -> _Check:
    def check(tally: Tally, _: Scene, answer: Answer, thing: VisibleThing) -> None:
        tally.add(name, answer.text.strip() == label(thing))

    return check


def _check_recall(tally: Tally, scene: Scene, answer: Answer, things: list[VisibleThing]) -> None:
    if not things:
        tally.add("absent: nothing", not answer.labels)
        return
    name = "grounding recall" if answer.task == "<CAPTION_TO_PHRASE_GROUNDING>" else "vocabulary recall"
    boxes = list(answer.boxes) + [_around(parts) for parts in answer.polygons]
    right = matching(
        boxes, [t.box for t in things], lambda i, j: things[j] in words.things_meant(scene, answer.labels[i])
    )
    tally.add(name, len(right), len(things))


def _around(parts: list[np.ndarray]) -> np.ndarray:
    points = np.concatenate(parts)
    return np.concatenate([points.min(axis=0), points.max(axis=0)])


def _check_mask(name: str) -> _Check:
    def check(tally: Tally, scene: Scene, answer: Answer, things: list[VisibleThing]) -> None:
        told = rasterize((part for parts in answer.polygons for part in parts), scene.size)
        tally.add(name, mask_iou(told, mask_of(scene, things)))

    return check


def _check_reading(tally: Tally, scene: Scene, answer: Answer, thing: VisibleThing | None) -> None:
    name = "region OCR" if thing else "OCR words"
    wanted = thing.text.split() if thing else [word for line, _ in lines_of(scene) for word in line.split()]
    left = answer.text.split()
    for word in wanted:
        tally.add(name, word in left)
        if word in left:
            left.remove(word)


def _check_quads(tally: Tally, scene: Scene, answer: Answer, _: Any) -> None:
    for line, quad in lines_of(scene):
        alike = [rasterize([q], scene.size) for label, q in zip(answer.labels, answer.quads) if label == line]
        truth = rasterize([quad], scene.size)
        tally.add("OCR with region", any(mask_iou(one, truth) >= WELL_PLACED for one in alike))


def _check_caption(tally: Tally, scene: Scene, answer: Answer, _: Any) -> None:
    """Named: a thing of that colour and kind is there; the two longer captions should name every thing."""
    there = {words.name_of(t) for t in scene.things}
    said = names_in(answer.text)
    if answer.task != "<CAPTION>":
        tally.add("captions: named", len(there & said), len(there))
    tally.add(AT_MOST, len(said - there), max(1, len(said)))


def names_in(text: str) -> set[str]:
    """Every "colour kind" that a text names, singular."""
    said = [phrase.lower() for phrase in words.phrases_in(text)]
    return {
        f"{colour} {kind}"
        for colour in COLOURS
        for kind in KINDS
        if any(phrase.endswith((f"{colour} {kind}", f"{colour} {words.plural(kind)}")) for phrase in said)
    }


_CHECKS: dict[str, _Check] = {
    "<OD>": _check_boxes("OD", lambda t: t.kind),
    "<DENSE_REGION_CAPTION>": _check_boxes("dense", words.name_of),
    "<REGION_PROPOSAL>": lambda *_: None,
    "<CAPTION>": _check_caption,
    "<DETAILED_CAPTION>": _check_caption,
    "<MORE_DETAILED_CAPTION>": _check_caption,
    "<REGION_TO_CATEGORY>": _check_word("category", lambda t: t.kind),
    "<REGION_TO_DESCRIPTION>": _check_word("description", words.name_of),
    "<REGION_TO_SEGMENTATION>": _check_mask("region mask IoU"),
    "<REFERRING_EXPRESSION_SEGMENTATION>": _check_mask("referring mask IoU"),
    "<CAPTION_TO_PHRASE_GROUNDING>": _check_recall,
    "<OPEN_VOCABULARY_DETECTION>": _check_recall,
    "<OCR>": _check_reading,
    "<REGION_TO_OCR>": _check_reading,
    "<OCR_WITH_REGION>": _check_quads,
}


def answer_time(florence: Florence, scene: Scene, times: int = 9) -> float:
    """Median seconds of one greedy answer of 20 tokens, picture included."""
    taken = []
    for _ in range(times):
        florence.forget()
        start = time.perf_counter()
        florence.run_example(
            "<DETAILED_CAPTION>", scene.image, num_beams=1, max_new_tokens=20, min_new_tokens=20
        )
        taken.append(time.perf_counter() - start)
    return float(np.median(taken))


def table(figures: dict[str, float]) -> str:
    """The figures as a Markdown table, each beside what it should be."""
    rows = ["| figure | measured | aim |", "|---|---|---|"]
    for name, value in figures.items():
        sign, good = ("≤", value <= AIM[name]) if name == AT_MOST else ("≥", value >= AIM[name])
        rows.append(f"| {name} | {value:.3f} | {sign} {AIM[name]:.3f}{'' if good else ' (not reached)'} |")
    return "\n".join(rows)


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m florence_nb.training.evaluate", description=__doc__)
    parser.add_argument("--scenes", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0, help="the scenes have seeds from SEED * 100 000 on")
    parser.add_argument("--checkpoint", default="mini")
    parser.add_argument(
        "--held-out", action="store_true", help="only scenes with the kinds that were never in training"
    )
    parser.add_argument(
        "--sheet",
        type=Path,
        default=Path("worst-scenes.png"),
        help="where to save the worst scenes as a picture",
    )
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> None:
    from ..drawing import show_all
    from ..loading import load

    args = _arguments(given)
    florence = load(args.checkpoint)
    seeds = range(args.seed * 100_000, args.seed * 100_000 + args.scenes)
    scenes = [random_scene(seed, kinds=HELD_OUT if args.held_out else None) for seed in seeds]
    tally = evaluate(florence, scenes, seed=args.seed)
    print(f"{args.scenes} scenes, seeds {seeds[0]} to {seeds[-1]}, greedy\n\n{table(tally.figures())}")
    print(f"\none 20-token greedy answer, picture included: {1000 * answer_time(florence, scenes[0]):.0f} ms")
    worst = sorted(tally.detections, key=lambda found: found[0])[:12]
    show_all([answer for _, answer in worst], columns=4).save(args.sheet)
    print(f"the worst twelve: {args.sheet}")


if __name__ == "__main__":
    main()
