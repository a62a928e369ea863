"""Checks of lesson 04: captions."""

from typing import Any

from ..answers import Answer
from ..scenes import GALLERY, Scene, phrases_in
from ..scenes.words import name_of
from ..tasks import TASKS
from .pictures import check_picture
from .refusals import MayBeTheModel, NotYet, WrongForm
from .registry import checks
from .values import answer_of, pair_of, text_of
from .words import counted, lies_in, named_by, picture_named_by, some

_ENOUGH = 4
_SEEDS = 5
_SHORT, _LONG = "<CAPTION>", "<MORE_DETAILED_CAPTION>"


@checks("04.1")
def shortest_prompt(answer: Any) -> str:
    words, kitchen = text_of(answer), GALLERY["kitchen"]
    if words in TASKS:
        raise WrongForm("this is the prompt: give the text that the model writes when you ask with it.")
    named = named_by(words, kitchen)
    score = f"{len(named)} of {counted(len(kitchen.things), 'thing')} named"
    if len(named) < _ENOUGH:
        _check_whole(words, score)
        raise MayBeTheModel(f"{score}: a prompt for longer captions tells of more.")
    if words.count(".") > 2:
        raise MayBeTheModel(
            f"{score}, but in {words.count('.')} sentences: one of the prompts needs just one."
        )
    lies = lies_in(words, kitchen)
    return f"{score}{f'; not in the picture: {some(lies)}' if lies else ', and nothing else'}."


def _check_whole(words: str, score: str) -> None:
    """Raises NotYet for a caption of another picture, or one that was cut."""
    other = picture_named_by(words)
    if other and other != "kitchen":
        raise NotYet(f"this tells of another picture, {other!r}.")
    if not score.startswith("0") and not words.endswith("."):
        raise NotYet(f"{score}, and the text ends in the middle of a sentence: it was cut by max_new_tokens.")


@checks("04.2")
def turn_up_the_heat(answer: Any) -> str:
    if isinstance(answer, Answer):
        raise WrongForm(f"this is one answer: give a list of {_SEEDS} or more, each with another seed.")
    if not isinstance(answer, (list, tuple)):
        raise WrongForm("a list of answers is wanted, as florence.run_example gives them.")
    answers, beach = [answer_of(each) for each in answer], GALLERY["beach"]
    for each in answers:
        check_picture(each, beach, "'beach'")
        _check_sampling(each)
    seeds = {each.settings.get("seed") for each in answers}
    if len(answers) > 1 and len(seeds) == 1:
        raise NotYet(f"all have the same seed, {seeds.pop()}, so all are the same caption: change the seed.")
    if len(seeds) < _SEEDS:
        raise NotYet(f"there are {counted(len(seeds), 'seed')} so far: take {_SEEDS} or more.")
    lies = [lie for each in answers for lie in lies_in(each.text, beach)]
    score = f"{len(answers)} captions, {len({each.text for each in answers})} of them different"
    if not lies:
        raise MayBeTheModel(f"{score}, and all that they name is there: raise the temperature.")
    return f"{score}; not in the picture: {some(list(dict.fromkeys(lies)))}."


def _check_sampling(answer: Answer) -> None:
    if answer.task != _SHORT:
        raise NotYet(f"this is an answer to {answer.task}: ask for {_SHORT}.")
    if not answer.settings.get("do_sample"):
        raise NotYet("nothing is drawn at random here: without do_sample=True the temperature does nothing.")
    if answer.settings.get("seed") is None:
        raise NotYet("an answer has no seed, so nobody can draw it again: give seed=0, seed=1 and so on.")


@checks("04.3")
def make_it_lie(answer: Any) -> str:
    scene, said = pair_of(answer, "the scene and the answer")
    if isinstance(scene, Answer) and isinstance(said, Scene):
        raise WrongForm("the scene comes first, then the answer.")
    if not isinstance(scene, Scene):
        raise WrongForm("the scene itself is wanted first, not its picture: only the scene knows the truth.")
    said = answer_of(said)
    check_picture(said, scene, "your scene")
    if said.task != _LONG:
        raise NotYet(f"this is an answer to {said.task}: ask for {_LONG}.")
    lies, phrases = lies_in(said.text, scene), phrases_in(said.text)
    if not phrases and not lies:
        raise MayBeTheModel("this caption names nothing that can be looked up, so it is no lie either.")
    if not lies:
        raise MayBeTheModel(
            f"all {counted(len(phrases), 'phrase')} of this caption are true: {some(phrases)}."
        )
    there = [name_of(thing) for thing in scene.things] or ["nothing"]
    return f"the caption says {some(lies)}; in the scene there is: {some(there)}."
