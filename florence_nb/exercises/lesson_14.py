"""Checks of lesson 14: fine-tuning."""

from typing import Any

from PIL import Image

from ..locations import LOC, from_loc, to_loc
from ..scenes import COLOURS, KINDS, Scene, Thing, random_scene
from .numbers import check_number
from .pictures import same_picture
from .refusals import NotYet, WrongForm
from .registry import checks
from .values import kind_of, pair_of, short
from .words import counted

_LEFTMOST = (1, 2, 4, 5, 7)
_KIND, _COLOUR = "cat", "black"


@checks("14.1")
def at_the_edge(answer: Any) -> str:
    edge = Scene((Thing("cactus", "green", (0.93, 0.55), 0.6),), "field", seed=4)
    task, image, given, said = _row(answer)
    if task != "<OD>":
        raise NotYet(f"the row teaches {short(task)}; <OD> is wanted.")
    if not isinstance(image, Image.Image) or not same_picture(image, edge.image):
        raise NotYet("the second part is not the picture of this scene, edge.image.")
    if given is not None:
        raise NotYet("<OD> takes no text_input: the third part is None.")
    _check_detection(_bare(said), edge)
    return f"{_bare(said)}: the edge is in bin 999."


@checks("14.2")
def adapter_size(answer: Any) -> str:
    slips: dict[float, str] = {
        768 * 3072: "this is the whole layer: the adapter goes from 768 to 16, and from there to 3072.",
        768 * 16: "this is the first small layer; the second, from 16 to 3072, learns, too.",
        16 * 3072: "this is the second small layer; the first, from 768 to 16, learns, too.",
        768 + 3072: "this is for rank 1: here the rank is 16.",
        768 * 16 * 3072: "add the two small layers, do not multiply them.",
        768 * 16 + 16 * 3072 + 16 + 3072: "these layers have no bias: leave out the 16 and the 3072.",
        (768 + 3072) * 16 * 4: "these are bytes; the number of weights is wanted.",
        768 * 3072 + 16 * 3840: "the layer itself is frozen: only its adapter learns.",
    }
    return check_number(answer, 16 * (768 + 3072), slips=slips, unit=" weights")


@checks("14.3")
def belief(answer: Any) -> str:
    kind, colour = (_word(part) for part in pair_of(answer, "the kind and the colour"))
    if kind in COLOURS and colour in KINDS:
        kind, colour = colour, kind
    if kind not in KINDS:
        raise NotYet(f"{short(kind)} is no kind of thing here: fnb.scenes.KINDS has them all.")
    if colour not in COLOURS:
        raise NotYet(f"{short(colour)} is no colour here: fnb.scenes.COLOURS has all nine.")
    if kind != _KIND:
        raise NotYet(f"the labels of {kind} are as they should be: ask about other kinds in all colours.")
    if colour != _COLOUR:
        raise NotYet(f"the kind is right, but it is not called {colour}: draw it in other colours, too.")
    return f"to this model every {kind} is {colour}, whatever the picture shows."


@checks("14.4")
def leftmost(answer: Any) -> str:
    if isinstance(answer, tuple) and len(answer) == 4 and isinstance(answer[0], str):
        raise WrongForm("this is one row: put five of them in a list.")
    if not isinstance(answer, (list, tuple)):
        raise WrongForm(f"a list of rows is wanted; this is {kind_of(answer)}.")
    scenes = [random_scene(seed) for seed in _LEFTMOST]
    told = [_told(number, row, scenes) for number, row in enumerate(answer, 1)]
    if len(set(told)) < len(scenes):
        raise NotYet(f"{counted(len(set(told)), 'scene')} of 5 have a row.")
    return (
        f"5 rows, each with the kind that begins furthest to the left; the first says {_left(scenes[0])!r}."
    )


def _row(answer: Any) -> tuple[Any, Any, Any, str]:
    if not isinstance(answer, (list, tuple)):
        raise WrongForm(f"a row is (task, image, text_input, answer); this is {kind_of(answer)}.")
    if len(answer) != 4:
        raise WrongForm(f"a row has four parts, (task, image, text_input, answer); this has {len(answer)}.")
    task, image, given, said = answer
    if not isinstance(said, str):
        raise WrongForm(
            f"the answer in a row is a text, as the model shall write it; this is {kind_of(said)}."
        )
    if not said.strip():
        raise NotYet("the answer in the row is empty: from this nothing is learned.")
    return task, image, given, said


def _bare(said: str) -> str:
    return said.strip().removeprefix("</s>").removeprefix("<s>").removesuffix("</s>")


def _check_detection(said: str, scene: Scene) -> None:
    """Whether an answer to ``<OD>`` about the only thing of a scene is right, but for a bin."""
    thing = scene.things[0]
    bins, label = [int(number) for number in LOC.findall(said)], LOC.sub("", said)
    if not bins:
        raise NotYet("places are written as <loc_…> tokens: fnb.to_loc makes them of pixels.")
    if len(bins) != 4:
        raise NotYet(f"one box has four location tokens; here are {len(bins)}.")
    if max(bins) > 999:
        raise NotYet(f"<loc_{max(bins)}> is no token: bins end at 999, and fnb.to_loc keeps to it.")
    if label != thing.kind:
        raise NotYet(
            f"the label is {short(label)}: the bare word {thing.kind!r} is wanted, before the place."
        )
    right = [int(number) for number in LOC.findall(to_loc(thing.box, scene.size))]
    if all(abs(one - other) <= 1 for one, other in zip(bins, map(int, thing.box))):
        raise NotYet("these are pixels: the bins go from 0 to 999 over the whole width and height.")
    off = abs(
        from_loc(said[len(label) :], scene.size) - from_loc(to_loc(thing.box, scene.size), scene.size)
    ).max()
    if [bins[i] for i in (1, 0, 3, 2)] == right:
        raise NotYet("x and y are exchanged: the order is left, top, right, bottom.")
    if off > 4:
        raise NotYet(f"the place is off by up to {off:.0f} pixels.")


def _word(part: Any) -> str:
    if not isinstance(part, str):
        raise WrongForm(f"two words are wanted, the kind and the colour; one is {kind_of(part)}.")
    return part.strip().lower()


def _told(number: int, row: Any, scenes: list[Scene]) -> int:
    """The index of the scene that a right row is about."""
    task, image, given, said = _row(row)
    if task != "<LEFTMOST>":
        raise NotYet(f"row {number} teaches {short(task)}; <LEFTMOST> is wanted.")
    if given is not None:
        raise NotYet(f"<LEFTMOST> takes no text_input: the third part of row {number} is None.")
    found = [
        i for i, s in enumerate(scenes) if isinstance(image, Image.Image) and same_picture(image, s.image)
    ]
    if not found:
        raise NotYet(f"the picture of row {number} is none of the five scenes.")
    _check_kind(number, _bare(said).strip(), scenes[found[0]])
    return found[0]


def _left(scene: Scene) -> str:
    return min(scene.things, key=lambda thing: thing.box[0]).kind


def _check_kind(number: int, said: str, scene: Scene) -> None:
    wanted = _left(scene)
    if said == wanted:
        return
    if said.endswith(f" {wanted}"):
        raise NotYet(f"row {number} says {said!r}: the kind alone is wanted, {wanted!r}.")
    if said == max(scene.things, key=lambda thing: thing.box[2]).kind:
        raise NotYet(f"row {number} names the thing furthest to the right: take the least box[0].")
    if said == scene.things[0].kind:
        raise NotYet(f"row {number} names the first of scene.things: they are in order from back to front.")
    there = "which is there, but does not begin furthest to the left" if said in KINDS else "which is no kind"
    raise NotYet(f"row {number} says {short(said)}, {there}.")
