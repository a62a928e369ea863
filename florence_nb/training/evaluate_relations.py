"""How well a checkpoint finds all of a kind, and the one that a relation means: ``python -m
florence_nb.training.evaluate_relations --scenes 300 --seed 7``.

The scenes are full of things of one or two kinds (`random_crowd`). Beside them it reads random letters and
digits, and asks about regions that touch nothing. All is greedy.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..answers import Answer
from ..florence import Florence
from ..scenes import WORDS, Scene, VisibleThing, random_scene, words
from ..scenes.random_scenes import random_crowd
from .evaluate import matching
from .questions import empty_region, jitter_box

FIND = "<OPEN_VOCABULARY_DETECTION>"


@dataclass(frozen=True)
class Question:
    """One question, the figure that it counts for, and the things or the text that are right."""

    figure: str
    scene: Scene
    task: str
    text_input: str | tuple[float, ...] | None
    right: Sequence[VisibleThing] | str


def questions(scene: Scene, rng: random.Random) -> Iterator[Question]:
    """About the kind of which there are two or three; none where there is no such kind."""
    counts = Counter(thing.kind for thing in scene.things)
    kinds = [kind for kind, count in counts.items() if count in (2, 3)]
    if not kinds:
        return
    kind = rng.choice(kinds)
    others = sorted(set(counts) - {kind})
    yield Question("all of a kind by <OD>", scene, "<OD>", None, words.things_meant(scene, kind))
    asked = {"all of a kind": kind, "largest or smallest": f"{rng.choice(('largest', 'smallest'))} {kind}"}
    asked["left or right"] = f"{kind} on the {rng.choice(('left', 'right'))}"
    if others:
        asked["next to"] = f"{kind} next to the {rng.choice(others)}"
        met = [f"{kind} {where} the {other}" for where in ("behind", "in front of") for other in others]
        asked["behind or in front"] = next((p for p in met if words.things_meant(scene, p)), "")
    for figure, phrase in asked.items():
        if phrase:
            yield Question(figure, scene, FIND, phrase, words.things_meant(scene, phrase))
    if others:
        both = [kind, rng.choice(others)]
        things = [thing for one in both for thing in words.things_meant(scene, one)]
        yield Question("several classes", scene, FIND, "<and>".join(both), things)


def other_questions(scene: Scene, rng: random.Random) -> Iterator[Question]:
    """About random letters and digits on a sign, and about a region that touches nothing."""
    codes = [thing for thing in scene.things if thing.text and not set(thing.text.split()) & set(WORDS)]
    if codes:
        thing = rng.choice(codes)
        region = jitter_box(thing.box, scene.size, rng)
        yield Question("codes by region", scene, "<REGION_TO_OCR>", region, thing.text)
    empty = empty_region(scene, rng)
    if empty:
        noun = words.BACKGROUND_NOUNS[scene.background]
        yield Question("empty region: the place", scene, "<REGION_TO_CATEGORY>", empty, noun)


def evaluate(florence: Florence, asked: Iterable[Question]) -> dict[str, tuple[float, float]]:
    """(recall, precision) by figure; for answers in words both are the share of right ones."""
    asked = list(asked)
    answers = florence.run_many(
        [(q.task, q.scene.image, q.text_input) for q in asked], num_beams=1, max_new_tokens=400, batch_size=16
    )
    sums: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(3))
    for question, answer in zip(asked, answers, strict=True):
        if isinstance(answer, Exception):
            raise answer
        sums[question.figure] += _counts(question, answer)
    return {
        name: (right / max(1, there), right / max(1, said)) for name, (right, there, said) in sums.items()
    }


def _counts(question: Question, answer: Answer) -> tuple[int, int, int]:
    """What is right, what there is, and what was said."""
    if isinstance(question.right, str):
        there, said = question.right.split(), answer.text.split()
        right = sum((Counter(there) & Counter(said)).values())
        return right, len(there), len(there)
    found = answer.regions
    if question.task == "<OD>":
        found = [region for region in found if region.label == question.right[0].kind]
    pairs = matching([r.box for r in found], [t.box for t in question.right], lambda i, j: True)
    return len(pairs), len(question.right), len(found)


def table(figures: dict[str, tuple[float, float]]) -> str:
    """A Markdown table."""
    rows = [f"| {name} | {recall:.3f} | {precision:.3f} |" for name, (recall, precision) in figures.items()]
    return "\n".join(["| figure | recall | precision |", "|---|---|---|", *rows])


def main(given: Sequence[str] | None = None) -> None:
    from ..loading import load

    parser = argparse.ArgumentParser(prog="python -m florence_nb.training.evaluate_relations")
    parser.add_argument("--scenes", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0, help="the scenes have seeds from SEED * 100 000 on")
    parser.add_argument("--checkpoint", default="mini")
    args = parser.parse_args(given)
    rng, seeds = random.Random(args.seed), range(args.seed * 100_000, args.seed * 100_000 + args.scenes)
    asked = [q for seed in seeds for q in questions(random_crowd(seed), rng)]
    asked += [q for seed in seeds for q in other_questions(random_scene(seed, signs=0.85), rng)]
    print(f"{args.scenes} scenes, seeds from {seeds[0]}\n\n{table(evaluate(load(args.checkpoint), asked))}")


if __name__ == "__main__":
    main()
