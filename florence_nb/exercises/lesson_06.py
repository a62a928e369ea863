"""Checks of lesson 06: open-vocabulary detection, grounding, and the cascade."""

from collections.abc import Mapping
from typing import Any

from ..answers import Answer
from ..scenes import GALLERY, Scene, phrases_in, things_meant
from .boxes import check_boxes, places_found
from .pictures import check_picture
from .refusals import MayBeTheModel, NotYet, WrongForm
from .registry import checks
from .values import answer_of, box_of, pair_of, short, words_of
from .words import counted, named_by, some

_LIAR = "a red boat, an orange bicycle, a black cat and a yellow duck"
_FEWEST = 2
_GROUNDING = "<CAPTION_TO_PHRASE_GROUNDING>"


@checks("06.1")
def green_cup(answer: Any) -> str:
    kitchen = GALLERY["kitchen"]
    return check_boxes(box_of(answer), kitchen, things_meant(kitchen, "green cup"))


@checks("06.2")
def which_lie(answer: Any) -> str:
    if isinstance(answer, Answer):
        raise WrongForm("this is the answer, with the phrases that got a box: give a list of the lies.")
    harbour, known = GALLERY["harbour"], {_bare(phrase): phrase for phrase in phrases_in(_LIAR)}
    lies = [bare for bare, phrase in known.items() if not things_meant(harbour, phrase)]
    given = [_bare(word) for word in words_of(answer)]
    strange = [word for word in given if word not in known]
    if strange:
        raise NotYet(
            f"{short(strange[0])} is no phrase of the caption; these are: {some(list(known.values()), 4)}."
        )
    true = [known[word] for word in given if word not in lies]
    missing = [known[lie] for lie in lies if lie not in given]
    if true and len(true) == len(given) == len(known) - len(lies):
        raise NotYet("these are the phrases that are true: the others are wanted.")
    if true:
        raise NotYet(f"{some(true)} can be seen in the picture, so that is no lie.")
    if missing:
        score = f"{len(lies) - len(missing)} of {counted(len(lies), 'lie')} named"
        raise NotYet(
            f"{score}. Look at each thing of the caption, at its kind and its colour; a box proves nothing."
        )
    return f"{len(lies)} of {counted(len(lies), 'lie')} named, and no true phrase among them."


def _bare(phrase: str) -> str:
    """The phrase without article, full stop and capitals."""
    words = phrase.lower().strip(" .,").split()
    return " ".join(words[1:] if words[:1] in (["a"], ["an"], ["the"]) else words)


@checks("06.3")
def one_prompt_or_two(answer: Any) -> str:
    if not isinstance(answer, Mapping) or "<OD>" in answer:
        raise WrongForm('a dictionary is wanted: {"snow": (detected, grounded), …}.')
    unknown = [name for name in answer if name not in GALLERY]
    if unknown:
        raise WrongForm(f"{short(unknown[0])} is no picture of the gallery; its names: {', '.join(GALLERY)}.")
    if len(answer) < _FEWEST:
        raise NotYet(
            f"{counted(len(answer), 'picture')} so far: one picture may be an exception, so take two."
        )
    pairs = {name: _two_answers(name, pair) for name, pair in answer.items()}
    if all(len(named_by(str(told.text_input), GALLERY[name])) <= 2 for name, (_, told) in pairs.items()):
        raise MayBeTheModel(
            "your captions name two things at most: begin the cascade with the longest caption."
        )
    detected = sum(places_found(one, GALLERY[name]) for name, (one, _) in pairs.items())
    grounded = sum(places_found(two, GALLERY[name]) for name, (_, two) in pairs.items())
    coloured = sum(_tells_colour(two, GALLERY[name]) for name, (_, two) in pairs.items())
    return (
        f"of {sum(len(GALLERY[name].things) for name in pairs)} things in {len(pairs)} pictures <OD> finds"
        f" {detected} and the cascade {grounded}; {coloured} labels of the cascade also tell a colour."
    )


def _two_answers(name: str, pair: Any) -> tuple[Answer, Answer]:
    one, two = (answer_of(each) for each in pair_of(pair, f"both answers about {name!r}"))
    if two.task == "<OD>" != one.task:
        raise NotYet("the two are exchanged: the answer to <OD> comes first, then that of the cascade.")
    if one.task != "<OD>":
        raise NotYet(f"the first answer about {name!r} is one to {one.task}: ask <OD>.")
    if two.task.endswith("CAPTION>"):
        raise NotYet("a caption has no boxes: give its text to grounding, and keep what that answers.")
    if two.task != _GROUNDING:
        raise NotYet(f"the second answer about {name!r} is one to {two.task}: ask {_GROUNDING}.")
    for each in (one, two):
        check_picture(each, GALLERY[name], repr(name))
    return one, two


def _tells_colour(answer: Answer, scene: Scene) -> int:
    """How many labels name a colour that a thing of the scene has."""
    colours = {thing.colour for thing in scene.things}
    return sum(bool(colours & set(label.lower().split())) for label in answer.labels)
