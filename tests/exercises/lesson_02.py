"""Answers to the exercises of lesson 02: RIGHT must pass, WRONG must get a sentence with these words."""

import dataclasses

import florence_nb as fnb
from florence_nb.exercises.lesson_02 import _names

from .helpers import perfect

NAMES = _names()
PROJECTOR = [name for name in NAMES if "multi_modal_projector" in name]
LARGE = fnb.CHECKPOINTS["large"]
SIZE = LARGE.download_bytes / LARGE.parameters
WHOLE = perfect("street", "<OD>")
NOTHING = dataclasses.replace(WHOLE, boxes=WHOLE.boxes[:0], labels=[])
THREE = dataclasses.replace(WHOLE, boxes=WHOLE.boxes[:3], labels=WHOLE.labels[:3])
TWO = dataclasses.replace(WHOLE, boxes=WHOLE.boxes[:2], labels=WHOLE.labels[:2])
WRONG_NAMES = dataclasses.replace(WHOLE, labels=["boat"] * 5)

RIGHT = {
    "02.1": {"a list": PROJECTOR, "a set": set(PROJECTOR), "the lost tensors": dict.fromkeys(PROJECTOR, 0)},
    "02.2": {"divided": SIZE, "by heart": 2},
    "02.3": {
        "a dictionary": {"k_proj.bias": WHOLE, "encoder_attn": NOTHING},
        "pairs": [("vision_tower", NOTHING), ("norm1.bias", THREE)],
        "boxes with wrong names": {"k_proj.bias": THREE, "shared": WRONG_NAMES},
    },
}
WRONG = {
    "02.1": {
        "all": (NAMES, "these are all"),
        "what is left": ([name for name in NAMES if name not in PROJECTOR], "still there"),
        "ends only": ([name.rsplit(".", 1)[-1] for name in PROJECTOR], "the whole names"),
        "how many": (6, "this is a number"),
        "one missing": (PROJECTOR[1:], "5 of 6 tensors found"),
        "weights only": ([name for name in PROJECTOR if name.endswith("weight")], "4 of 6 tensors found"),
        "the image encoder": ([n for n in NAMES if "vision_tower" in n], "belongs to the image encoder"),
        "none": ([], "no tensor in your list"),
    },
    "02.2": {
        "upside down": (0.5, "upside down"),
        "bits": (16, "bits"),
        "float32": (4, "float32"),
        "gigabytes": (SIZE / 1e9, "gigabytes"),
        "all gigabytes": (1.54, "whole download"),
        "all bytes": (LARGE.download_bytes, "divide them by the parameters"),
        "all numbers": (LARGE.parameters, "how many numbers"),
        "base": (LARGE.download_bytes / fnb.CHECKPOINTS["base"].parameters, "of base"),
        "the format": ("float16", "the text 'float16'"),
    },
    "02.3": {
        "both survive": ({"k_proj.bias": WHOLE, "norm1.bias": THREE}, "lose more"),
        "neither survives": ({"encoder_attn": NOTHING, "vision_tower": TWO}, "lose less"),
        "one only": ({"encoder_attn": NOTHING}, "two losses are wanted"),
        "a name that is not there": ({"k_proj.bias": WHOLE, "decoder.layer.0": NOTHING}, "nothing was lost"),
        "every name": ({"k_proj.bias": WHOLE, "": NOTHING}, "in every name"),
        "another picture": (
            {"k_proj.bias": WHOLE, "encoder_attn": perfect("snow", "<OD>")},
            "the picture 'snow'",
        ),
        "labels": ({"k_proj.bias": WHOLE.labels, "encoder_attn": []}, "a text with a list"),
        "the answers alone": ([WHOLE, NOTHING], "this is a list"),
        "one answer": (NOTHING, "this is an Answer"),
    },
}
