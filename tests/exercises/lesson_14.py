"""Answers to the exercises of lesson 14: RIGHT must pass, WRONG must get a sentence with these words."""

import numpy as np

import florence_nb as fnb

EDGE = fnb.scenes.Scene((fnb.scenes.Thing("cactus", "green", (0.93, 0.55), 0.6),), "field", seed=4)
BOX = EDGE.things[0].box
LOCS = fnb.to_loc(BOX, EDGE.size)
SCENES = [fnb.scenes.random_scene(seed) for seed in (1, 2, 4, 5, 7)]


def edge(answer, task="<OD>", image=EDGE.image, given=None):
    return (task, image, given, answer)


def loc(*numbers):
    return "".join(f"<loc_{int(number)}>" for number in numbers)


def rows(kind=lambda scene: min(scene.things, key=lambda t: t.box[0]).kind, task="<LEFTMOST>", given=None):
    return [(task, scene.image, given, kind(scene)) for scene in SCENES]


def bins(of):
    return [of * number / side for number, side in zip(BOX, (*EDGE.size, *EDGE.size))]


RIGHT = {
    "14.1": {
        "plain": edge("cactus" + LOCS),
        "a raw string, in a list": list(edge(EDGE.answer("<OD>"))),
        "times 999": edge("cactus" + loc(*bins(999))),
    },
    "14.2": {"a number": 61440, "a float": 61440.0, "of NumPy": np.int64(61440)},
    "14.3": {"a pair": ("cat", "black"), "a list, exchanged": ["Black", "cat "]},
    "14.4": {"rows": rows(), "another order": rows()[::-1], "lists": [list(row) for row in rows()]},
}
WRONG = {
    "14.1": {
        "bin 1000": (edge("cactus" + loc(*map(round, bins(1000)))), "<loc_1000> is no token"),
        "pixels": (edge("cactus" + loc(*BOX)), "these are pixels"),
        "x and y": (
            edge("cactus" + fnb.to_loc([BOX[i] for i in (1, 0, 3, 2)], EDGE.size[::-1])),
            "exchanged",
        ),
        "bare numbers": (edge(f"cactus {BOX}"), "<loc_…> tokens"),
        "a point": (edge("cactus" + loc(900, 500)), "here are 2"),
        "a blank": (edge("cactus " + LOCS), "'cactus '"),
        "empty": (edge(""), "empty"),
        "another task": (edge("cactus" + LOCS, task="<OCR>"), "<OD> is wanted"),
        "another picture": (edge("cactus" + LOCS, image=SCENES[0].image), "edge.image"),
        "a phrase": (edge("cactus" + LOCS, given="cactus"), "None"),
        "the wrong place": (edge("cactus" + loc(100, 100, 300, 300)), "is off by"),
        "the answer only": ("cactus" + LOCS, "this is a text"),
        "three parts": (("<OD>", EDGE.image, "cactus" + LOCS), "this has 3"),
        "a box": (edge(BOX), "this is a tuple"),
    },
    "14.2": {
        "the whole layer": (768 * 3072, "whole layer"),
        "the first": (12288, "the second"),
        "the second": (49152, "the first,"),
        "rank 1": (3840, "rank 1"),
        "multiplied": (768 * 16 * 3072, "do not multiply"),
        "with a bias": (64528, "no bias"),
        "bytes": (245760, "bytes"),
        "all": (768 * 3072 + 61440, "frozen"),
        "a guess": (1000, "too small"),
    },
    "14.3": {
        "another kind": (("dog", "black"), "labels of dog"),
        "another colour": (("cat", "white"), "not called white"),
        "no kind": (("lion", "black"), "'lion' is no kind"),
        "no colour": (("cat", "beige"), "'beige' is no colour"),
        "one text": ("black cat", "this is a text"),
        "numbers": ((1, 2), "one is a number"),
    },
    "14.4": {
        "rightmost": (rows(lambda s: max(s.things, key=lambda t: t.box[2]).kind), "to the right"),
        "with colours": (
            rows(lambda s: (lambda t: f"{t.colour} {t.kind}")(min(s.things, key=lambda t: t.box[0]))),
            "the kind alone",
        ),
        "in the drawn order": (rows(lambda s: s.things[0].kind)[:1], "back to front"),
        "four": (rows()[:4], "4 scenes of 5"),
        "another task": (rows(task="<OD>"), "<LEFTMOST> is wanted"),
        "a phrase": (rows(given="left"), "the third part"),
        "one row": (rows()[0], "put five"),
        "no kind": (rows(lambda s: "thing"), "no kind"),
        "empty": (rows(lambda s: ""), "empty"),
        "scenes": ([(scene, "", "", "dog") for scene in SCENES], "row 1 teaches a scene"),
        "the wrong picture": ([("<LEFTMOST>", EDGE.image, None, "dog")], "none of the five"),
        "words": ("cat", "a list of rows is wanted"),
    },
}
