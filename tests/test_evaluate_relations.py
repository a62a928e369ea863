"""The second evaluation: all of a kind, relations, codes and empty regions."""

import random

from florence_nb import parse
from florence_nb.scenes import Scene, Thing, random_scene
from florence_nb.scenes.random_scenes import random_crowd
from florence_nb.training import evaluate_relations as relations

CARS = Scene(
    (
        Thing("tree", "green", (0.3, 0.5), 0.5),
        Thing("car", "red", (0.25, 0.7), 0.3),
        Thing("car", "blue", (0.75, 0.7), 0.4),
    )
)


class Oracle:
    """Answers as a perfect model would, or with every box moved away."""

    def __init__(self, asked, shift=0):
        self.scenes, self.shift = {id(q.scene.image): q.scene for q in asked}, shift

    def run_many(self, requests, **settings):
        answers = []
        for task, image, text_input in requests:
            scene = self.scenes[id(image)]
            answer = parse(scene.answer(task, text_input), task, scene.size)
            answer.boxes = answer.boxes + self.shift
            answers.append(answer)
        return answers


def all_questions():
    rng = random.Random(0)
    crowds = [q for seed in range(40) for q in relations.questions(random_crowd(seed), rng)]
    return crowds + [
        q for seed in range(20) for q in relations.other_questions(random_scene(seed, signs=0.9), rng)
    ]


def test_a_perfect_model_reaches_one_in_every_figure():
    asked = all_questions()
    figures = relations.evaluate(Oracle(asked), asked)
    assert len(figures) == 9 and all(min(pair) > 0.99 for pair in figures.values()), figures


def test_boxes_beside_the_things_count_as_missed():
    asked = [q for q in relations.questions(CARS, random.Random(0))]
    figures = relations.evaluate(Oracle(asked, shift=500), asked)
    assert all(pair == (0, 0) for pair in figures.values()) and "next to" in figures


def test_what_a_relation_means():
    asked = {q.figure: q for q in relations.questions(CARS, random.Random(1))}
    assert [t.colour for t in asked["behind or in front"].right] == ["red"]
    assert len(asked["all of a kind"].right) == 2 and len(asked["several classes"].right) == 3


def test_the_table_has_a_row_a_figure():
    assert relations.table({"next to": (0.5, 0.25)}).splitlines()[-1] == "| next to | 0.500 | 0.250 |"
