"""Checks of lesson 10: the settings of the playground."""

from collections import Counter
from typing import Any

from ..answers import Answer
from ..scenes import GALLERY
from ..scenes.words import name_of
from .boxes import found_in, named_found
from .pictures import same_picture, scene_of
from .refusals import NotYet, WrongForm
from .registry import checks
from .values import answer_of, kind_of, pair_of, short, words_of
from .words import counted

_WORDS = tuple("to the right of it there is a dog and to the right of it there is a cat".split())
_DEFAULTS = {"max_new_tokens": 1024, "num_beams": 3, "do_sample": False}
_OF_SAMPLING = ("temperature", "top_p", "top_k", "seed")


@checks("10.1")
def just_enough(answer: Any) -> str:
    if isinstance(answer, int):
        raise WrongForm("this is the number alone: give the answer that you get with it.")
    asked = answer_of(answer)
    if asked.task != "<CAPTION>":
        raise NotYet(f"this is an answer to {asked.task}; <CAPTION> is asked for.")
    _check_street(asked)
    limit, beams = asked.settings.get("max_new_tokens"), asked.settings.get("num_beams")
    if beams != 1:
        raise NotYet(f"you used {beams} beams: with one, num_beams=1, the limit cannot change the wording.")
    if asked.truncated:
        raise NotYet(f"with max_new_tokens={limit} the answer is still cut: answer.truncated is True.")
    wrote = len(asked.token_ids or ()) - 1
    if limit == wrote + 1:
        raise NotYet(f"{limit} is one too many: the very first of answer.token_ids was not written.")
    if limit != wrote:
        raise NotYet(f"the answer is whole, but a limit of {limit} is more than it takes.")
    return f"the model wrote {wrote} tokens, with </s>, your limit is {limit}, and nothing is cut."


@checks("10.2")
def forbidden_pieces(answer: Any) -> str:
    given = {piece.lower().strip(" .,") for piece in words_of(_joined(answer))} - {""}
    twice = _repeated(3)
    if given == twice:
        return f"{len(twice)} of {counted(len(twice), 'piece')} found."
    raise NotYet(_piece_mistake(given, twice))


@checks("10.3")
def beams_compared(answer: Any) -> str:
    pairs = [_beam_pair(pair) for pair in _listed(answer)]
    pictures = [one.image for one, _ in pairs]
    for number, picture in enumerate(pictures):
        if any(same_picture(picture, before) for before in pictures[:number]):
            raise NotYet("two of your pairs are about the same picture: take three different ones.")
    if len(pairs) < 3:
        raise NotYet(f"{len(pairs)} of 3 pairs are there: one for each picture is wanted.")
    same = sum(one.raw == three.raw for one, three in pairs)
    found = [sum(_found(pair[which]) for pair in pairs) for which in (0, 1)]
    return (
        f"{same} of {len(pairs)} pairs are the same, letter by letter; one beam finds"
        f" {counted(found[0], 'thing')}, three beams {found[1]}."
    )


@checks("10.4")
def spoilt(answer: Any) -> str:
    asked, culprit = pair_of(answer, "the answer and the name of a setting")
    asked, culprit = (culprit, asked) if isinstance(culprit, Answer) else (asked, culprit)
    asked = answer_of(asked)
    if asked.task != "<OD>":
        raise NotYet(f"this is an answer to {asked.task}; <OD> is asked for.")
    _check_street(asked)
    street = GALLERY["street"]
    found, things = found_in(asked, street), counted(len(street.things), "thing")
    if found > 2:
        raise NotYet(f"{found} of {things} found: too good. Spoil it more.")
    _check_culprit(str(culprit).strip(), asked)
    return f"only {found} of {things} found, with {culprit}={_value(culprit, asked)}."


def _check_street(asked: Answer) -> None:
    if asked.image is None or not same_picture(asked.image, GALLERY["street"].image):
        raise NotYet("this is an answer about another picture: ask about 'street', as it is.")


def _repeated(count: int) -> set[str]:
    pieces = [" ".join(_WORDS[i : i + count]) for i in range(len(_WORDS) - count + 1)]
    return {piece for piece, times in Counter(pieces).items() if times > 1}


def _joined(answer: Any) -> Any:
    """Texts, also where each piece is given as a tuple of words."""
    if not isinstance(answer, (list, tuple, set)):
        return answer
    return [" ".join(map(str, piece)) if isinstance(piece, (list, tuple)) else piece for piece in answer]


def _piece_mistake(given: set[str], twice: set[str]) -> str:
    for count, noun in ((1, "single words"), (2, "pieces of two words"), (4, "pieces of four words")):
        if given and given <= _repeated(count):
            return f"these are {noun}: the rule looks at three in a row."
    long = next((piece for piece in given if len(piece.split()) > 3), None)
    if long:
        return f"{short(long)} is longer than three words: cut it into pieces of three."
    once = sorted(piece for piece in given - twice if piece in " ".join(_WORDS))
    if once:
        return f"{counted(len(once), 'piece')} too many: {once[0]!r} comes only once."
    if given - twice:
        return f"{short(min(given - twice))} does not stand in the sentence."
    return f"{len(given)} of {counted(len(twice), 'piece')} found; {min(twice - given)!r} is missing."


def _listed(answer: Any) -> list:
    if isinstance(answer, dict):
        return list(answer.values())
    if isinstance(answer, Answer) or not isinstance(answer, (list, tuple)):
        raise WrongForm(f"a list of pairs of answers is wanted; this is {kind_of(answer)}.")
    if any(isinstance(part, Answer) for part in answer):
        raise WrongForm("these are single answers: put the two about one picture together, (one, three).")
    return list(answer)


def _beam_pair(pair: Any) -> tuple[Answer, Answer]:
    """One beam and three, in this order."""
    answers = [answer_of(part) for part in pair_of(pair, "one beam and three beams for each picture")]
    one, three = sorted(answers, key=lambda answer: answer.settings.get("num_beams", 0))
    beams = [answer.settings.get("num_beams") for answer in (one, three)]
    if beams != [1, 3]:
        raise NotYet(f"a pair was asked with {beams[0]} and {beams[1]} beams: 1 and 3 are wanted.")
    if {one.task, three.task} != {"<DENSE_REGION_CAPTION>"}:
        raise NotYet(f"you asked {one.task}: <DENSE_REGION_CAPTION> is wanted.")
    if any(answer.settings.get("do_sample") for answer in answers):
        raise NotYet("sampling is on, so that chance makes the difference, and not the beams.")
    if one.image is None or three.image is None or not same_picture(one.image, three.image):
        raise NotYet("the two answers of a pair are about different pictures.")
    return one, three


def _found(answer: Answer) -> int:
    scene = scene_of(answer)
    return named_found(answer, scene, name_of) if scene else 0


def _value(name: str, asked: Answer) -> Any:
    return asked.settings.get(name)


def _check_culprit(name: str, asked: Answer) -> None:
    value = _value(name, asked)
    if value is None:
        raise NotYet(
            f"{short(name)} was not set for this answer; answer.settings has {', '.join(asked.settings)}."
        )
    if value == _DEFAULTS.get(name):
        raise NotYet(f"{name}={value} is what it always is: which setting did you change?")
    if name == "max_new_tokens" and not asked.truncated:
        raise NotYet(f"the answer was not cut, so max_new_tokens={value} has done no harm.")
    if name in _OF_SAMPLING and not asked.settings.get("do_sample"):
        raise NotYet(f"{name} does nothing without do_sample=True.")
