"""Checks of lesson 03: run_example."""

from collections.abc import Mapping
from typing import Any

from ..scenes import GALLERY
from ..tasks import TASKS
from .boxes import found_in
from .pictures import picture_of
from .refusals import NotYet, WrongForm
from .registry import checks
from .values import answers_of, kind_of, short, text_of
from .words import counted, named_in, some

_BETTER = ("one", "five", "neither")


@checks("03.1")
def what_the_model_reads(answer: Any) -> str:
    if not isinstance(answer, (str, Mapping)):
        first = answer[0] if isinstance(answer, list) and answer else None
        numbers = hasattr(answer, "shape") or isinstance(first, int)
        ids = " These look like token ids: processor.tokenizer.decode makes words of them." if numbers else ""
        raise WrongForm(f"a text is wanted; this is {kind_of(answer)}.{ids}")
    if "<image>" in answer:
        slots = answer.count("<image>") if isinstance(answer, str) else 0
        raise NotYet(f"{slots} slots for the picture stand in it: only the sentence is wanted.")
    said = text_of(answer.replace("<s>", "").replace("</s>", "") if isinstance(answer, str) else answer)
    wanted = "<DENSE_REGION_CAPTION>"
    if said in TASKS:
        raise NotYet(f"the model never sees {said}: look at what the processor writes in its place.")
    sentences = {_plain(task.sentence): prompt for prompt, task in TASKS.items()}
    if sentences.get(_plain(said)) == wanted:
        return f"{said!r} stands for {wanted}, {counted(len(said.split()), 'word')}."
    if _plain(said) in sentences:
        raise NotYet(f"this is the sentence for {sentences[_plain(said)]}; change the prompt.")
    raise NotYet(f"no task prompt stands for {short(said)}.")


def _plain(sentence: str) -> str:
    return " ".join(sentence.lower().strip(" .?").split())


@checks("03.2")
def just_enough_tokens(answer: Any) -> str:
    if isinstance(answer, (int, float)):
        raise WrongForm("this is a number: give the answer that came with it.")
    (answer,) = _one(answers_of(answer))
    limit = answer.settings.get("max_new_tokens")
    if limit is None or answer.token_ids is None:
        raise WrongForm("this answer does not tell its tokens: give it as florence.run_example gives it.")
    if answer.task != "<OD>" or picture_of(answer) not in ("snow", ""):
        about = f"{answer.task} about {picture_of(answer)!r}"
        raise NotYet(f"this is an answer to {about}: ask <OD> about 'snow'.")
    scene, written = GALLERY["snow"], len(answer.token_ids) - 1
    found = f"{found_in(answer, scene)} of {counted(len(scene.things), 'thing')} found"
    if answer.truncated:
        raise NotYet(f"the answer was cut after {written} tokens, with {found}: allow more.")
    if limit == written + 1:
        raise NotYet(
            f"{limit} is one too many: {written} tokens were written. The first of token_ids only starts the"
            " decoder."
        )
    if limit > written:
        raise NotYet(f"the answer is complete, but {limit} tokens were allowed and {written} written.")
    return f"{limit} tokens were allowed and {written} written, with {found}."


def _one(answers: list[Any]) -> list[Any]:
    if len(answers) != 1:
        raise WrongForm(f"one answer is wanted; you give {counted(len(answers), 'answer')}.")
    return answers


@checks("03.3")
def one_beam_or_five(answer: Any) -> str:
    if not isinstance(answer, (list, tuple)) or len(answer) != 3:
        raise WrongForm("three parts are wanted: one, five, better.")
    one, five = answers_of(answer[0]), answers_of(answer[1])
    better = text_of(answer[2]).lower()
    if better not in _BETTER:
        raise WrongForm(f"the last part is one of the words {some(_BETTER)}, not {short(better)}.")
    pictures = [picture_of(a) for a in one]
    if pictures != [picture_of(a) for a in five]:
        raise NotYet("the two lists are not about the same pictures in the same order.")
    tasks = {a.task for a in (*one, *five)}
    if len(tasks) > 1:
        raise NotYet(f"your answers are to {some(sorted(tasks))}: only the beams shall differ.")
    if TASKS[tasks.pop()].group != "caption":
        raise NotYet("these answers are no captions: ask <DETAILED_CAPTION>.")
    if "" in pictures:
        raise NotYet("one picture is no drawing of fnb.samples(), so I do not know what is in it.")
    if len(set(pictures)) < 3:
        raise NotYet(f"at least three pictures are wanted; there are {len(set(pictures))}.")
    for beams, answers in ((1, one), (5, five)):
        others = {a.settings.get("num_beams", beams) for a in answers} - {beams}
        if others:
            raise NotYet(f"the list for {counted(beams, 'beam')} has an answer made with {others.pop()}.")
    return _judged(one, five, pictures, better)


def _judged(one: list[Any], five: list[Any], pictures: list[str], better: str) -> str:
    scenes = [GALLERY[picture] for picture in pictures]
    scores = [sum(named_in(a.text, scene) for a, scene in zip(answers, scenes)) for answers in (one, five)]
    differ = sum(a.text != b.text for a, b in zip(one, five))
    told = (
        f"{differ} of {len(one)} captions differ; of {sum(len(scene.things) for scene in scenes)} things, one"
        f" beam names {scores[0]} and five beams name {scores[1]} with the right colour"
    )
    truth = "neither" if scores[0] == scores[1] else "one" if scores[0] > scores[1] else "five"
    if better != truth:
        raise NotYet(f"{told}. You say {better!r}.")
    return f"{told}, as you say."
