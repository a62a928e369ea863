"""The log-probability of each location token, and whether the model ended its answer by its own choice.

Transformers can tell the first through ``output_scores=True`` and ``compute_transition_scores``, but that
keeps the whole vocabulary for every step: 3 beams and 1024 steps of Florence-2 are 630 MB a picture.
`LocationScores` keeps the columns of the 1000 locations only, and gives the same numbers
(tests/test_florence.py compares them).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..locations import BINS

if TYPE_CHECKING:
    import torch


class LocationScores:
    """A logits processor that changes nothing and keeps the log-probabilities of all ``<loc_…>`` tokens
    at each step.

    first: the id of ``<loc_0>``; the other 999 follow it.
    beams: whether `generate` searches with beams; it then hands over log-probabilities, otherwise logits.
    """

    def __init__(self, first: int, beams: bool) -> None:
        self.first, self.beams = first, beams
        self.steps: list[torch.Tensor] = []

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        wanted = scores[:, self.first : self.first + BINS]
        self.steps.append(wanted.clone() if self.beams else wanted - scores.logsumexp(dim=-1, keepdim=True))
        return scores

    def read(self, generated: list[list[int]], beam_indices: torch.Tensor | None) -> list[list[float] | None]:
        """The log-probability of every location token, row by row of the batch.

        generated: the ids of each row, without the one that starts the decoder; rows may differ in length.
        beam_indices: int (batch, steps), the row of the beams that each token came from; None without beams.
        None for every row if the steps were not one token each (assisted decoding …).
        """
        import torch

        if len(self.steps) < max(map(len, generated)):
            return [None] * len(generated)
        kept = torch.stack(self.steps)
        origins = None if beam_indices is None else beam_indices.tolist()
        rows: list[list[float] | None] = []
        for row, ids in enumerate(generated):
            steps = [step for step, token in enumerate(ids) if 0 <= token - self.first < BINS]
            sources = [row if origins is None else origins[row][step] for step in steps]
            rows.append(
                kept[steps, sources, [ids[step] - self.first for step in steps]].tolist() if steps else []
            )
        return rows


def first_location(tokenizer: Any) -> int | None:
    """The id of ``<loc_0>``, or None if the vocabulary does not hold the 1000 locations in a row."""
    first, last = tokenizer.convert_tokens_to_ids(["<loc_0>", f"<loc_{BINS - 1}>"])
    return first if first is not None and last == first + BINS - 1 else None


def until_end(ids: list[int], end: int) -> list[int]:
    """The generated ids up to the first ``</s>`` and with it: what follows is the padding of the batch."""
    return ids[: ids.index(end) + 1] if end in ids else ids


def ended_by_choice(model: Any, hidden: torch.Tensor, token_ids: list[int], end: int) -> bool:
    """Whether the model itself would write ``end`` in place of the last token.

    At the length limit `generate` writes ``</s>`` by force (``forced_eos_token_id``), so the last token alone
    does not tell.

    Args:
        hidden: (1, length, width), the text encoder's output.
        token_ids: with the one that starts the decoder.
    """
    import torch
    from transformers.modeling_outputs import BaseModelOutput

    so_far = torch.tensor([token_ids[:-1]], device=hidden.device)
    mask = torch.ones(hidden.shape[:2], dtype=torch.long, device=hidden.device)
    encoded = BaseModelOutput(last_hidden_state=hidden)
    output = model(
        encoder_outputs=encoded,
        attention_mask=mask,
        decoder_input_ids=so_far,
        logits_to_keep=1,
        use_cache=False,
    )
    return int(output.logits[0, -1].argmax()) == end
