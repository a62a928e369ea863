"""The truth for every cell of the picture, and how far the cell heads are from it."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F

from ..scenes import COLOURS, HELD_OUT, KINDS
from ..scenes.signs import CHARACTERS
from .model import LETTER_COLUMNS, LETTER_ROWS, LETTERS, CellHeads
from .pool import INSTANCE_GRID, Facts
from .sizes import GRID

TRAINED_KINDS = tuple(kind for kind in KINDS if kind not in HELD_OUT)
_KIND = {kind: i + 1 for i, kind in enumerate(TRAINED_KINDS)}
_COLOUR = {colour: i for i, colour in enumerate(COLOURS)}
_CHARACTER = {c: i + 1 for i, c in enumerate(CHARACTERS)}
_PART = INSTANCE_GRID // GRID


def cell_truth(facts: Facts, instances: np.ndarray) -> dict[str, np.ndarray]:
    """Targets of one picture; every array begins with GRID * GRID cells, row by row.

    holder int64 (0 = background, else 1 + the index of the thing that the cell tells of), kind int64 (0 =
    background), colour int64, middle float32, edges float32 (…, 4) as xyxy fractions of the picture, shape
    float32 (…, 16), letters int64 (…, LETTERS) (0 = none), letter_index and letters_left int64 (…, LETTERS):
    how many letters of its line come before it and after it, spelled int64 (…, LETTERS): the letters again,
    of each row by their index modulo LETTER_COLUMNS instead of their place, and quads float32 (…, 8): the
    corners, as fractions, of the line of which a letter is in the cell (0 = none).
    """
    parts = (
        instances.reshape(GRID, _PART, GRID, _PART).transpose(0, 2, 1, 3).reshape(GRID * GRID, _PART * _PART)
    )
    width, height = facts.size
    holder = _holders(parts, len(facts.things))
    middle = np.zeros(GRID * GRID, np.float32)
    kind, colour = np.zeros(len(facts.things) + 1, np.int64), np.zeros(len(facts.things) + 1, np.int64)
    edges = np.zeros((len(facts.things) + 1, 4), np.float32)
    for i, thing in enumerate(facts.things, 1):
        kind[i], colour[i] = _KIND[thing.kind], _COLOUR[thing.colour]
        edges[i] = np.array(thing.box) / (width, height, width, height)
        x, y = (edges[i, :2] + edges[i, 2:]) / 2
        if (parts == i).any():
            middle[min(int(y * GRID), GRID - 1) * GRID + min(int(x * GRID), GRID - 1)] = 1
    return {
        "holder": holder,
        "kind": kind[holder],
        "colour": colour[holder],
        "middle": middle,
        "edges": edges[holder],
        "shape": (parts == holder[:, None]).astype(np.float32),
        **_letters(facts),
    }


def _holders(parts: np.ndarray, things: int) -> np.ndarray:
    """For each cell the number of the thing that it tells of, 0 for background; every thing in sight holds at
    least one cell.
    """
    counts = np.stack([(parts == i).sum(axis=1) for i in range(things + 1)])
    holder = counts.argmax(axis=0)
    covered = counts[1:].sum(axis=0) if things else np.zeros(len(holder), int)
    weak = (holder == 0) & (covered >= 5)
    if things:
        holder[weak] = counts[1:, weak].argmax(axis=0) + 1
    for i in sorted(range(1, things + 1), key=lambda i: -counts[i].sum()):
        if counts[i].any() and not (holder == i).any():
            holder[counts[i].argmax()] = i
    return holder


def _letters(facts: Facts) -> dict[str, np.ndarray]:
    rows, columns = GRID * LETTER_ROWS, GRID * LETTER_COLUMNS
    letters, letter_index, letters_left, lines = (np.zeros((rows, columns), np.int64) for _ in range(4))
    quads = [np.zeros((4, 2))]
    for thing in facts.things:
        places = []
        for line, quad in zip(thing.text.split("\n"), thing.quads):
            count = len(line.replace(" ", ""))
            places += [(index, count - 1 - index, len(quads)) for index in range(count)]
            quads.append(quad / facts.size)
        for (letter, x, y), (index, left, number) in zip(thing.letters, places, strict=True):
            place = math.floor(y / facts.size[1] * rows), math.floor(x / facts.size[0] * columns)
            if 0 <= place[0] < rows and 0 <= place[1] < columns:
                letters[place], letter_index[place], letters_left[place], lines[place] = (
                    _CHARACTER[letter],
                    index,
                    left,
                    number,
                )
    letters, letter_index, letters_left, lines = (
        _by_cell(fine) for fine in (letters, letter_index, letters_left, lines)
    )
    spelled = np.zeros_like(letters)
    for part in range(LETTERS):
        at = part // LETTER_COLUMNS * LETTER_COLUMNS + letter_index[:, part] % LETTER_COLUMNS
        cells = np.flatnonzero(letters[:, part])
        spelled[cells, at[cells]] = letters[cells, part]
    corners = np.array(quads, np.float32).reshape(-1, 8)[lines.max(axis=1)]
    return {
        "letters": letters,
        "letter_index": letter_index,
        "letters_left": letters_left,
        "spelled": spelled,
        "quads": corners,
    }


def _by_cell(fine: np.ndarray) -> np.ndarray:
    return (
        fine.reshape(GRID, LETTER_ROWS, GRID, LETTER_COLUMNS)
        .transpose(0, 2, 1, 3)
        .reshape(GRID * GRID, LETTERS)
    )


GRAIN = 8
"""Answers are taught to name only every eighth place (4, 12, 20 …; 2.3 pixels of `SIDE`): a sure answer then
has one likely token.

Spread over all thousand, the probability of a place known to a few bins would be below that of ending the
answer at once.
"""


def quantise(place: int) -> int:
    """The place that answers name for this one."""
    return place // GRAIN * GRAIN + GRAIN // 2


def soft_places(bins: torch.Tensor, spread: float, count: int = 1000) -> torch.Tensor:
    """(n, count) float32: for each of n bins a bell of ``spread`` bins around it, on the places that answers
    name, of sum 1.
    """
    places = torch.arange(count, device=bins.device)
    away = (places - bins.unsqueeze(1)) / spread
    return torch.softmax((-0.5 * away * away).masked_fill(places % GRAIN != GRAIN // 2, -torch.inf), dim=1)


def cell_losses(
    heads: CellHeads, features: torch.Tensor, truth: dict[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """The losses of `CellHeads` on the tower's features (n, GRID * GRID, WIDTH) against stacked
    `cell_truth`.
    """
    kind, held = truth["kind"], truth["kind"] > 0
    inside = features[held]
    written = truth["letters"] > 0
    lettered = written.any(dim=-1)
    of_letters = _of_letters(heads, features)
    blank = ~written & (lettered.unsqueeze(-1) | (torch.rand(written.shape, device=written.device) < 0.05))
    weight = torch.tensor(8.0, device=features.device)
    return {
        "kind": F.cross_entropy(heads.kind(inside), kind[held]),
        "nothing": F.cross_entropy(heads.kind(features[~held]), kind[~held]),
        "colour": F.cross_entropy(heads.colour(inside), truth["colour"][held]),
        "middle": F.binary_cross_entropy_with_logits(
            heads.middle(features).squeeze(-1), truth["middle"], pos_weight=weight
        ),
        "edge distances": _off(heads.edge_distances, features, truth["edges"], held),
        "shape": F.binary_cross_entropy_with_logits(heads.shape(inside), truth["shape"][held]),
        **{name: _told(logits, truth[name], written) for name, logits in of_letters.items()},
        "no letter": F.cross_entropy(of_letters["letters"][blank], truth["letters"][blank]),
        "corners": _off(heads.corners, features, truth["quads"], lettered),
    }


def _of_letters(heads: CellHeads, features: torch.Tensor) -> dict[str, torch.Tensor]:
    """Logits (n, cells, LETTERS, choices) of what is told of each letter, by the names of `cell_truth`."""
    return {
        name: getattr(heads, name)(features).unflatten(-1, (LETTERS, -1))
        for name in ("letters", "letter_index", "letters_left")
    }


def _told(logits: torch.Tensor, wanted: torch.Tensor, written: torch.Tensor) -> torch.Tensor:
    """How far logits are from telling what is wanted of each letter that is written; 0 without letters."""
    return F.cross_entropy(logits[written], wanted[written]) if written.any() else logits.sum() * 0


def _off(
    head: torch.nn.Module, features: torch.Tensor, places: torch.Tensor, cells: torch.Tensor
) -> torch.Tensor:
    """How far a head is off in the places that it tells in these cells, as a fraction of the picture; 0
    without such cells.
    """
    found, wanted = head(features[cells]), _from_cell_centres(places)[cells]
    return F.l1_loss(found, wanted) if len(wanted) else found.sum() * 0


def _from_cell_centres(places: torch.Tensor) -> torch.Tensor:
    """Places (n, cells, x y x y …) as distances from the middles of their cells."""
    middles = (torch.arange(GRID, device=places.device) + 0.5) / GRID
    x, y = middles.repeat(GRID), middles.repeat_interleave(GRID)
    return places - torch.stack([x, y], dim=-1).repeat(1, places.shape[-1] // 2)


def place_losses(
    heads: CellHeads,
    encoded: torch.Tensor,
    truth: dict[str, torch.Tensor],
    places: torch.Tensor,
    spread: float,
) -> dict[str, torch.Tensor]:
    """How far the edges and quads that are read from the encoder's output (n, GRID * GRID, WIDTH) are from
    the truth.

    ``places`` are the (1000, WIDTH) location embeddings; ``spread`` is the width in bins of the soft target.
    """

    def loss(head: torch.nn.Module, cells: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        if not cells.any():
            return encoded.sum() * 0
        codes = head(encoded[cells]).unflatten(-1, (wanted.shape[-1], -1)).flatten(0, 1)
        bells = soft_places((wanted[cells] * 1000).clamp(0, 999).flatten(), spread)
        return -(bells * torch.log_softmax(codes @ places.T, dim=-1)).sum(dim=-1).mean()

    return {
        "edges": loss(heads.edges, truth["kind"] > 0, truth["edges"]),
        "quads": loss(heads.quads, (truth["letters"] > 0).any(dim=-1), truth["quads"]),
    }


def spelling_loss(heads: CellHeads, encoded: torch.Tensor, spelled: torch.Tensor) -> torch.Tensor:
    """How far the encoder's output (n, GRID * GRID, WIDTH) is from telling the letters of every cell by their
    index.

    A decoder that writes the nth letter can pick it out by n; by its place it could not.
    """
    logits = heads.spelled(encoded).unflatten(-1, (LETTERS, -1))
    weights = torch.where(spelled > 0, 1.0, torch.where((spelled > 0).any(dim=-1, keepdim=True), 0.5, 0.01))
    losses = F.cross_entropy(logits.flatten(0, 2), spelled.flatten(), reduction="none").view_as(weights)
    return (losses * weights).sum() / weights.sum()


def meant_loss(
    heads: CellHeads, encoded: torch.Tensor, holder: torch.Tensor, meant: torch.Tensor
) -> torch.Tensor:
    """How far the encoder's output (n, GRID * GRID, WIDTH) is from telling which cells the prompt means.

    ``holder`` (n, GRID * GRID) is that of `cell_truth`; ``meant`` (n, things + 1) is 1 where a thing is
    meant, and 0 in its first column, the background's.
    """
    logits = heads.meant(encoded).squeeze(-1)
    return F.binary_cross_entropy_with_logits(
        logits, meant.gather(1, holder), pos_weight=logits.new_tensor(4.0)
    )


@torch.no_grad()
def cell_scores(heads: CellHeads, features: torch.Tensor, truth: dict[str, torch.Tensor]) -> dict[str, float]:
    """How often the heads are right, and how far reach and corners are off in 1/1000 of the picture."""
    held, written = truth["kind"] > 0, truth["letters"] > 0
    lettered = written.any(dim=-1)
    inside = features[held]

    def right(logits: torch.Tensor, wanted: torch.Tensor) -> float:
        return float((logits.argmax(-1) == wanted).float().mean())

    return {
        "kind": right(heads.kind(inside), truth["kind"][held]),
        "colour": right(heads.colour(inside), truth["colour"][held]),
        "edge distances": 1000 * float(_off(heads.edge_distances, features, truth["edges"], held)),
        "corners": 1000 * float(_off(heads.corners, features, truth["quads"], lettered)),
        **{
            name: right(logits[written], truth[name][written])
            for name, logits in _of_letters(heads, features).items()
        },
    }
