"""Answers to the exercises of lesson 16: RIGHT must pass, WRONG must get a sentence with these words."""

import dataclasses
import functools
import tempfile

import numpy as np
import pytest

import florence_nb as fnb
from florence_nb.exercises.lesson_16 import _words
from florence_nb.scenes import GALLERY

from .helpers import told

WORDS = _words("<OD>")  # (prompt tokens, 192)
PICTURE = np.random.default_rng(0).normal(size=(145, 192)).astype(np.float32)
ROW = np.concatenate([PICTURE, WORDS])[None]
SNOW, STREET = GALLERY["snow"], GALLERY["street"]
CAPTION = "<DETAILED_CAPTION>"
WAYS = {"phones": "page", "server": "onnx", "app": "onnx", "training": "torch", "beams": "torch"}


@functools.cache
def made_above() -> dict:
    """Graphs, made once for all solutions; the rounding of int8 does not matter to the first exercise."""
    for library in ("onnx", "onnxruntime"):
        pytest.importorskip(library)
    folder = tempfile.mkdtemp()
    fnb.export.export_onnx(folder, precision="int8", progress=False)
    small = fnb.export.OnnxFlorence(folder, threads=1)
    return {"elsewhere": small, "small": small}


def greedy(text: str, prompt: str = CAPTION, scene=SNOW, asked=None, **settings):
    return told(text, prompt, scene, asked, num_beams=1, **settings)


CAT, DOG = greedy("A red cat."), greedy("A red dog.")

RIGHT = {
    "16.1": {
        "by hand": ROW,
        "of int8": ROW + np.random.default_rng(1).normal(0, 0.01, ROW.shape),
        "a list": ROW.tolist(),
    },
    "16.2": {"exact": 18.48, "rounded": 18, "a little more": 18.5},
    "16.3": {
        "a word": (CAT, DOG),
        "a list": [CAT, DOG],
        "a box": (
            greedy("cat<loc_1><loc_2><loc_30><loc_40>", "<OD>"),
            greedy("cat<loc_1><loc_2><loc_30><loc_41>", "<OD>"),
        ),
        "shorter": (greedy("A red cat and a dog."), greedy("A red cat")),
    },
    "16.4": {"five": WAYS, "capitals": {job: way.upper() for job, way in WAYS.items()}},
}
WRONG = {
    "16.1": {
        "the picture": (PICTURE[None], "the picture alone"),
        "the words": (WORDS[None], "the words alone"),
        "without ends": (ROW[:, [*range(145), *range(146, ROW.shape[1] - 1)]], "</s> at the end"),
        "exchanged": (np.concatenate([WORDS, PICTURE])[None], "the picture first"),
        "another prompt": (np.concatenate([PICTURE, WORDS[::-1]])[None], "other words"),
        "zeros": (np.concatenate([0 * PICTURE, WORDS])[None], "all the same"),
        "no batch": (ROW[0], "a batch of one"),
        "ids": ([[0, 9, 12, 7, 2]], "elsewhere.embed"),
        "twice": (np.concatenate([ROW, ROW], axis=1), "tokens: "),
        "along the last axis": (np.zeros((1, 145, 384)), "axis=1"),
        "an image": (np.zeros((1, 3, 288, 288)), "(1, tokens, 192) is wanted"),
        "text": ("snow", "an array of numbers"),
    },
    "16.2": {
        "bytes for bits": (2.31, "8 bits, and"),
        "one person": (0.616, "one person: thirty"),
        "seconds": (1108.8, "these are seconds"),
        "hours": (0.308, "these are hours"),
        "float32": (36.96, "float32"),
        "int8": (9.24, "int8"),
        "bits twice": (147.84, "once"),
        "megabytes": (462, "for one person: how long"),
        "all megabytes": (13860, "for all: how long"),
        "a guess": (60, "too large"),
        "text": ("18 minutes", "the text"),
    },
    "16.3": {
        "the same": ((CAT, greedy("A red cat.")), "wrote the same"),
        "two questions": ((CAT, greedy("cat<loc_1><loc_2><loc_30><loc_40>", "<OD>")), "two questions"),
        "two pictures": ((CAT, greedy("A red dog.", scene=STREET)), "different pictures"),
        "other words": (
            (
                greedy("cat<loc_1><loc_2><loc_30><loc_40>", "<OPEN_VOCABULARY_DETECTION>", asked="cat"),
                greedy("dog<loc_1><loc_2><loc_30><loc_40>", "<OPEN_VOCABULARY_DETECTION>", asked="dog"),
            ),
            "'cat' and 'dog'",
        ),
        "three beams": ((told("A red cat.", CAPTION, SNOW, num_beams=3), DOG), "3 beams"),
        "no picture": ((dataclasses.replace(CAT, image=None), DOG), "has no picture"),
        "the raw strings": ((CAT.raw, DOG.raw), "not a part of it"),
        "one answer": (CAT, "two things are wanted"),
    },
    "16.4": {
        "all onnx": (dict.fromkeys(WAYS, "onnx"), "do not open on a phone"),
        "torch on a phone": (WAYS | {"phones": "torch"}, "no torch"),
        "torch on a server": (WAYS | {"server": "torch"}, "a tenth"),
        "a page for a server": (WAYS | {"server": "page"}, "small as mini"),
        "a page for an app": (WAYS | {"app": "page"}, "call the model itself"),
        "python in C#": (WAYS | {"app": "torch"}, "start Python"),
        "graphs that learn": (WAYS | {"training": "onnx"}, "does not learn"),
        "a page that learns": (WAYS | {"training": "page"}, "only answers"),
        "graphs with beams": (WAYS | {"beams": "onnx"}, "yours to write"),
        "a page with beams": (WAYS | {"beams": "page"}, "one beam"),
        "four": ({job: way for job, way in WAYS.items() if job != "beams"}, "'beams' is missing"),
        "a wish": (WAYS | {"app": "dotnet"}, "choose one of"),
        "a list": (list(WAYS.values()), "a dictionary is wanted"),
    },
}
