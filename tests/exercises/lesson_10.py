"""Answers to the exercises of lesson 10: RIGHT must pass, WRONG must get a sentence with these words."""

import florence_nb as fnb
from florence_nb.scenes import GALLERY

from .helpers import perfect

STREET = GALLERY["street"]
DENSE = "<DENSE_REGION_CAPTION>"
PIECES = ["to the right", "the right of", "right of it", "of it there", "it there is", "there is a"]
NAMES = ("snow", "beach", "harbour")
DEFAULTS = {"max_new_tokens": 1024, "num_beams": 3, "do_sample": False}


def caption(limit=1024, beams=1, wrote=15, scene=STREET, task="<CAPTION>"):
    """A caption of so many new tokens, as if asked with these settings."""
    answer = perfect(scene, task, settings={"max_new_tokens": limit, "num_beams": beams})
    answer.truncated = limit < wrote
    answer.token_ids = (2, *range(10, 9 + wrote), 2)
    return answer


def pair(name, beams=(1, 3), task=DENSE, **settings):
    return tuple(perfect(GALLERY[name], task, settings={"num_beams": number} | settings) for number in beams)


def detection(raw="dog", scene=STREET, truncated=False, task="<OD>", **settings):
    """An answer that finds nothing, or what stands in ``raw``."""
    answer = fnb.parse(raw, task, scene.size)
    answer.image, answer.settings, answer.truncated = scene.image, DEFAULTS | settings, truncated
    return answer


GOOD = perfect(STREET, "<OD>", settings={"num_beams": 1})

RIGHT = {
    "10.1": {"15 of 15": caption(15), "a longer caption": caption(21, wrote=21)},
    "10.2": {
        "a list": PIECES,
        "a set": set(PIECES),
        "tuples": [tuple(piece.split()) for piece in PIECES],
        "each twice": PIECES * 2,
    },
    "10.3": {
        "pairs": [pair(name) for name in NAMES],
        "by name, turned": {name: pair(name, (3, 1)) for name in NAMES},
        "other pictures": [list(pair(name)) for name in ("cars", "signs", "meadow", "market")],
    },
    "10.4": {
        "cut": (detection(truncated=True, max_new_tokens=8), "max_new_tokens"),
        "wild": [detection(do_sample=True, num_beams=1, temperature=5.0), "temperature"],
        "forbidden": (detection(no_repeat_ngram_size=1), "no_repeat_ngram_size"),
    },
}
WRONG = {
    "10.1": {
        "no limit": (caption(), "1024 is more"),
        "one too few": (caption(14), "still cut"),
        "one too many": (caption(16), "one too many"),
        "three beams": (caption(15, beams=3), "3 beams"),
        "a longer task": (caption(30, task="<DETAILED_CAPTION>", wrote=30), "<CAPTION> is asked for"),
        "another picture": (caption(15, scene=GALLERY["snow"]), "another picture"),
        "the number": (15, "number alone"),
        "the words": ("A blue house and a green tree.", "this is text"),
    },
    "10.2": {
        "words": (["to", "the", "right"], "single words"),
        "twos": (["to the", "the right", "right of"], "two words"),
        "fours": (["to the right of", "of it there is"], "four words"),
        "the whole": (["to the right of it there is a"], "longer than three"),
        "one missing": (PIECES[1:], "5 of 6 pieces found; 'to the right' is missing"),
        "one too many": ([*PIECES, "and to the"], "'and to the' comes only once"),
        "invented": ([*PIECES, "the left of"], "does not stand in"),
        "how many": (6, "this is a number"),
        "one text": ("to the right", "this is one text"),
    },
    "10.3": {
        "how often": (3, "this is a number"),
        "flat": ([answer for name in NAMES for answer in pair(name)], "single answers"),
        "raw strings": ([("dog<loc_1>", "dog<loc_1>")], "this is text"),
        "the same beams": ([pair(name, (3, 3)) for name in NAMES], "3 and 3 beams"),
        "one picture": ([pair("snow")] * 3, "same picture"),
        "two pictures": ([pair(name) for name in NAMES[:2]], "2 of 3 pairs"),
        "mixed": ([(pair("snow")[0], pair("beach")[1])], "different pictures"),
        "sampled": ([pair(name, do_sample=True) for name in NAMES], "sampling is on"),
        "another task": ([pair(name, task="<OD>") for name in NAMES], "you asked <OD>"),
    },
    "10.4": {
        "still good": (
            (perfect(STREET, "<OD>", settings={"num_beams": 1}), "num_beams"),
            "5 of 5 things found",
        ),
        "not cut": ((detection(max_new_tokens=500), "max_new_tokens"), "not cut"),
        "no sampling": ((detection(temperature=5.0), "temperature"), "do_sample=True"),
        "unchanged": ((detection(truncated=True, max_new_tokens=8), "num_beams"), "always is"),
        "not set": ((detection(truncated=True, max_new_tokens=8), "top_p"), "was not set"),
        "another picture": ((detection(scene=GALLERY["snow"]), "num_beams"), "another picture"),
        "another task": ((detection(task="<CAPTION>"), "num_beams"), "<OD> is asked for"),
        "the answer alone": (detection(), "two things are wanted"),
    },
}
