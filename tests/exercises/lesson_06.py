"""Answers to the exercises of lesson 06: RIGHT must pass, WRONG must get a sentence with these words."""

from florence_nb.scenes import GALLERY

from .helpers import in_bins, shares, swapped_axes, told, truth, xywh

KITCHEN, HARBOUR, SNOW, STREET = (GALLERY[name] for name in ("kitchen", "harbour", "snow", "street"))
LAMP, RED, GREEN, *_ = truth(KITCHEN)
GREEN = GREEN[None]
OD, OVD, GROUNDING = "<OD>", "<OPEN_VOCABULARY_DETECTION>", "<CAPTION_TO_PHRASE_GROUNDING>"
SHORT, LONG = "<CAPTION>", "<MORE_DETAILED_CAPTION>"


def detected(scene):
    return told(scene.answer(OD), OD, scene)


def described(scene, prompt=LONG):
    return told(scene.answer(prompt), prompt, scene)


def cascade(scene, prompt=LONG):
    said = described(scene, prompt).text
    return told(scene.answer(GROUNDING, said), GROUNDING, scene, said)


def both(*scenes, prompt=LONG):
    names = {id(scene): name for name, scene in GALLERY.items()}
    return {names[id(scene)]: (detected(scene), cascade(scene, prompt)) for scene in scenes}


RIGHT = {
    "06.1": {
        "an answer": told(KITCHEN.answer(OVD, "green cup"), OVD, KITCHEN, "green cup"),
        "a list": GREEN[0].tolist(),
        "two pixels off": GREEN + 2,
    },
    "06.2": {
        "a tuple": ("an orange bicycle", "a yellow duck"),
        "without articles": ["yellow duck", "Orange bicycle."],
    },
    "06.3": {
        "lists": {name: list(pair) for name, pair in both(SNOW, KITCHEN).items()},
        "three pictures": both(SNOW, STREET, HARBOUR),
    },
}
WRONG = {
    "06.1": {
        "both cups": (told(KITCHEN.answer(OVD, "cup"), OVD, KITCHEN, "cup"), "there are 2"),
        "the red cup": (RED, "the red cup"),
        "the lamp": (LAMP, "the lamp"),
        "nothing": (told("", OVD, KITCHEN, "blue cup"), "no box in your answer yet"),
        "the raw string": (KITCHEN.answer(OVD, "green cup"), "from_loc"),
        "bins": (in_bins(GREEN, KITCHEN.size), "bins"),
        "shares": (shares(GREEN, KITCHEN.size), "shares"),
        "width and height": (xywh(GREEN), "width, height"),
        "axes": (swapped_axes(GREEN), "x and y are exchanged"),
    },
    "06.2": {
        "what is true": (["a red boat", "a black cat"], "the phrases that are true"),
        "one of two": (["a yellow duck"], "1 of 2 lies named"),
        "one too many": (
            ["a yellow duck", "an orange bicycle", "a black cat"],
            "a black cat can be seen",
        ),
        "kinds only": (["lighthouse", "bicycle"], "no phrase of the caption"),
        "one text": ("a yellow duck", "square brackets"),
        "the answer": (cascade(HARBOUR), "with the phrases that got a box"),
        "how many": (2, "a list of texts is wanted"),
        "none": ([], "0 of 2 lies named"),
    },
    "06.3": {
        "a pair": ((detected(SNOW), cascade(SNOW)), "a dictionary is wanted"),
        "one picture": (both(SNOW), "1 picture so far"),
        "one answer each": (
            {"snow": detected(SNOW), "street": detected(STREET)},
            "both answers about 'snow'",
        ),
        "counts": ({"snow": (3, 3), "street": (5, 5)}, "the answer that run_example returns is wanted"),
        "exchanged": (
            {name: pair[::-1] for name, pair in both(SNOW, STREET).items()},
            "the two are exchanged",
        ),
        "captions": (
            {"snow": (detected(SNOW), described(SNOW)), "street": (detected(STREET), described(STREET))},
            "a caption has no boxes",
        ),
        "short captions": (both(SNOW, STREET, prompt=SHORT), "name two things at most"),
        "another picture": (both(SNOW, STREET) | {"beach": (detected(SNOW), cascade(SNOW))}, "'snow'"),
        "an unknown picture": (both(SNOW) | {"my.jpg": both(SNOW)["snow"]}, "no picture of the gallery"),
        "another prompt": (
            {"snow": (told("", OVD, SNOW, "tent"), cascade(SNOW)), "street": both(STREET)["street"]},
            "ask <OD>",
        ),
    },
}
