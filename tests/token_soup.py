"""Random raw answers: anything that a model could write, and a little more."""

import json
import random

from florence_nb import Answer, parse
from florence_nb.tasks import SPECIAL_TOKENS, TASKS

WORDS = (
    "car",
    " red",
    "it",
    "the image",
    "é",
    "写",
    "\n",
    "",
    " ",
    "a b",
    "\ud83d",
    "<loc_",
    "<",
    "loc_12>",
    "٣",
    "\x00",
)
MARKS = tuple(sorted(SPECIAL_TOKENS))


def soup(rng: random.Random) -> str:
    """A sequence of up to 60 tokens; runs of locations are as long as those of boxes, quads and polygons."""
    pieces = []
    for _ in range(rng.randint(0, 12)):
        kind = rng.random()
        if kind < 0.5:
            count = rng.choice((1, 2, 3, 4, 4, 5, 6, 8, 8, 12))
            pieces.append("".join(f"<loc_{rng.randint(0, 1001)}>" for _ in range(count)))
        elif kind < 0.8:
            pieces.append(rng.choice(WORDS))
        else:
            pieces.append(rng.choice(MARKS))
    return "".join(pieces)


def check_answers(count: int, seed: int) -> int:
    """Parses so many random answers, all tasks in turn; returns how many regions were read."""
    rng, tasks, regions = random.Random(seed), tuple(TASKS), 0
    for number in range(count):
        raw, size = soup(rng), (rng.randint(1, 5000), rng.randint(1, 5000))
        answer = parse(raw, tasks[number % len(tasks)], size)
        regions += check_answer(answer, size)
        if number % 10 == 0:
            assert json.loads(json.dumps(answer.to_dict()))["labels"] == answer.labels and repr(answer)
    return regions


def check_answer(answer: Answer, size: tuple[int, int]) -> int:
    """What must hold of every answer: one label a region, all within the picture, ready for JSON."""
    count = len(answer.boxes) + len(answer.quads) + len(answer.polygons)
    assert len(answer.labels) == count == len(answer.regions)
    for region in answer.regions:
        x1, y1, x2, y2 = region.box
        assert 0 <= x1 <= x2 <= size[0] and 0 <= y1 <= y2 <= size[1]
    assert all(note.endswith(".") for note in answer.notes)
    return count
