"""Answers to the exercises of lesson 04: RIGHT must pass, WRONG must get a sentence with these words."""

import florence_nb as fnb
from florence_nb.scenes import GALLERY, Scene, Thing

from .helpers import told

KITCHEN, BEACH = GALLERY["kitchen"], GALLERY["beach"]
SHORT, MIDDLE, LONG = "<CAPTION>", "<DETAILED_CAPTION>", "<MORE_DETAILED_CAPTION>"
TRUE = KITCHEN.answer(MIDDLE)


def drawn(*texts, prompt=SHORT, scene=BEACH, sample=True, seeds=range(9)):
    """Captions as sampling gives them, each with a seed."""
    return [
        told(text, prompt, scene, do_sample=sample, **({} if seed is None else {"seed": seed}))
        for text, seed in zip(texts, seeds)
    ]


BALL, TREE = "A yellow ball on a beach.", "A pink tree on a beach."
HOT = drawn(BALL, "A blue chair.", "A white duck.", TREE, "Aumbrella")
TEAPOT = Scene((Thing("teapot", "green", (0.5, 0.6), 0.6),), "room", seed=1)
SIGN = Scene((Thing("sign", "white", (0.5, 0.5), 0.2, text="TEA"), Thing("car", "red")), "beach")
VASE = told("The image shows a scene in a room. There is a green cup.", LONG, TEAPOT)
RIGHT = {
    "04.1": {
        "an answer": told(TRUE, MIDDLE, KITCHEN),
        "four things": "An orange lamp, a red cup, a green cup and a white rabbit in a room.",
        "an error of the model": "A red lamp, a red cup, a green cup, a purple guitar, a white rabbit.",
    },
    "04.2": {"a list": HOT, "a tuple of more": tuple(drawn(*[TREE] * 8))},
    "04.3": {
        "a kind that it never saw": (TEAPOT, VASE),
        "small letters": [SIGN, told("There is a white sign. The sign says IEA.", LONG, SIGN)],
        "a wrong number": (SIGN, told("On the left there are two red cars.", LONG, SIGN)),
    },
}
WRONG = {
    "04.1": {
        "the prompt": (MIDDLE, "this is the prompt"),
        "the short caption": ("A purple guitar next to an orange lamp in a room.", "2 of 5 things named"),
        "the paragraph": (told(KITCHEN.answer(LONG), LONG, KITCHEN), "in 6 sentences"),
        "cut": ("The image shows an orange lamp, a white", "in the middle of a sentence"),
        "another picture": (fnb.parse(BEACH.answer(MIDDLE), MIDDLE, BEACH.size).text, "'beach'"),
        "the raw string": (TRUE, "special tokens"),
        "a dictionary": ({MIDDLE: "An orange lamp."}, "a dictionary"),
        "how many": (5, "a text is wanted"),
    },
    "04.2": {
        "one answer": (HOT[0], "this is one answer"),
        "texts": ([each.text for each in HOT], "not a part of it"),
        "one seed": (drawn(*[TREE] * 5, seeds=[0] * 5), "the same seed, 0"),
        "no seed": (drawn(TREE, TREE, seeds=[None, None]), "no seed"),
        "no sampling": (drawn(*[BALL] * 5, sample=False), "do_sample=True"),
        "too few": (HOT[3:], "2 seeds so far"),
        "too cool": (drawn(*[BALL] * 5), "raise the temperature"),
        "another prompt": (drawn(*[TREE] * 5, prompt=LONG), "ask for <CAPTION>"),
        "another picture": (drawn(*[TREE] * 5, scene=KITCHEN), "'kitchen'"),
    },
    "04.3": {
        "the answer alone": (VASE, "two things are wanted"),
        "exchanged": ((VASE, TEAPOT), "the scene comes first"),
        "the picture": ((TEAPOT.image, VASE), "not its picture"),
        "the text": ((TEAPOT, VASE.text), "this is text"),
        "another scene": ((SIGN, VASE), "not about your scene"),
        "another prompt": ((TEAPOT, told("A green cup.", MIDDLE, TEAPOT)), "ask for <MORE_DETAILED_CAPTION>"),
        "nothing said": ((TEAPOT, told("", LONG, TEAPOT)), "no lie either"),
        "the truth": ((SIGN, told(SIGN.answer(LONG), LONG, SIGN)), "phrases of this caption are true"),
    },
}
