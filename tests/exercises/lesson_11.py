"""Answers to the exercises of lesson 11: RIGHT must pass, WRONG must get a sentence with these words."""

import numpy as np

import florence_nb as fnb
from florence_nb.scenes import GALLERY

NAMES = ("street", "snow", "beach", "meadow", "cars")
SNOW = GALLERY["snow"].image
PLAIN, CACHED = 6 + 2 / 3, 4 + 1 / 6


def pieces():
    """Five pieces of one picture: to the cache, five pictures."""
    return [("<CAPTION>", SNOW.crop((left, 0, left + 100, 200))) for left in range(0, 250, 50)]


RIGHT = {
    "11.1": {"hours": (PLAIN, CACHED), "rounded": [6.67, 4.17], "an array": np.array([PLAIN, CACHED])},
    "11.2": {
        "a gain": {1: 1.0, 2: 0.8, 4: 0.7},
        "slower, on a busy machine": {4: 1.2, 2: 1.1, 1: 1.0},
        "a graphics card": {1: 0.8, 2: 0.45, 4: 0.25, 8: 0.2},
    },
    "11.3": {"a number": 151, "a float": 151.0},
    "11.4": {
        "names": [("<OD>", name) for name in NAMES],
        "words, too": [("<OPEN_VOCABULARY_DETECTION>", name, "car") for name in NAMES],
        "pieces of one picture": pieces(),
    },
}
WRONG = {
    "11.1": {
        "exchanged": ((CACHED, PLAIN), "exchanged"),
        "seconds": ((24000, 15000), "3600"),
        "minutes": ((400, 250), "these are minutes"),
        "one photograph": ((8, 5), "one photograph"),
        "hours and minutes": ((6.4, 4.1), "6.67"),
        "one answer": ((PLAIN, 10 / 3), "both answers"),
        "one question": ((10 / 3, 10 / 3), "two are asked"),
        "one look": ((CACHED, CACHED), "so twice"),
        "no gain": ((PLAIN, PLAIN), "does not look"),
        "half right": ((PLAIN, 3.0), "plain loop is right"),
        "text": (("6 h 40 min", "4 h 10 min"), "'6 h 40 min'"),
        "the gain": (2.5, "two things are wanted"),
    },
    "11.2": {
        "the cache": ({1: 2.1, 2: 0.32, 4: 0.23}, "florence.forget()"),
        "milliseconds": ({1: 2000, 2: 1500, 4: 1400}, "milliseconds"),
        "turned": ({1: -2.0, 2: -1.5, 4: -1.4}, "above zero"),
        "one run only": ({1: 2.0, 2: 2.0, 4: 2.0}, "the same"),
        "without 4": ({1: 2.0, 2: 1.5}, "batch_size 4 is missing"),
        "a list": ([2.0, 1.5, 1.4], "this is a list"),
        "texts": ({1: "2 s", 2: "1 s", 4: "1 s"}, "the text '2 s'"),
    },
    "11.3": {
        "a part": (151.44, "round down to a whole"),
        "rounded up": (152, "does not fit whole"),
        "a million": (144, "1024 * 1024"),
        "bytes forgotten": (605, "4 bytes, not one"),
        "half precision": (302, "2 bytes"),
        "bits": (18, "bits"),
        "tokens": (87381, "577 of them"),
        "one number a token": (116306, "768 numbers"),
        "one picture": (1772544, "how often"),
        "a guess": (100, "too small"),
    },
    "11.4": {
        "one picture": ([(task, "street") for task in list(fnb.TASKS)[:6]], "saves most"),
        "two questions each": ([(t, n) for n in NAMES for t in ("<OD>", "<OCR>")], "5 looks"),
        "the same, opened": ([*[("<OD>", n) for n in NAMES], ("<OD>", SNOW)], "given differently"),
        "two requests": ([("<OD>", "street"), ("<OD>", "snow")], "at least 5"),
        "names only": (NAMES, "each request is a pair"),
        "a misspelt task": ([("<ODD>", n) for n in NAMES], "did you mean"),
        "words are missing": ([("<REGION_TO_OCR>", n) for n in NAMES], "needs text_input"),
        "the network": ([("<OD>", "https://example.org/a.jpg")] * 5, "from the network"),
        "a number": (5, "this is a number"),
    },
}
