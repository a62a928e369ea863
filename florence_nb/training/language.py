"""Second stage: the language model learns to answer, short answers first, with the tower frozen at first and
then along.

Several prompts share one encoded picture. Location tokens are trained towards a bell around the true bin,
since a neighbour is nearly right.
"""

from __future__ import annotations

import copy
import random
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tqdm import tqdm

from ..scenes import COLOURS
from ..scenes.scene import MAX_THINGS
from ..tasks import TASKS
from .cells import (
    CHARACTERS,
    TRAINED_KINDS,
    cell_losses,
    meant_loss,
    place_losses,
    quantise,
    soft_places,
    spelling_loss,
)
from .model import HEADS_FILE, LOCATIONS, CellHeads, autocast, grow, load_exported, new_config, new_model
from .optimiser import Optimiser
from .pool import CROWDS, PAGES, Facts, shards_in
from .questions import SHARES, SHORT, ask, ask_board, choose_task, meant_by, prompt_text
from .sizes import IMAGE_TOKENS
from .tower import CPU_ATTENTION, WEIGHTS, batches, cropped, prefetch, stacked_truth, to_pixels
from .vocabulary import new_processor, new_tokenizer

PAD, START, STOP = 1, 0, 2
SPREADS = (12.0, 4.0, 2000)
"""Width of the bell around a true location in bins: in the beginning, in the end, and after how many steps.
"""
AUX_WEIGHTS = {"edges": 1.0, "quads": 0.5, "meant": 1.0, "spelled": 0.5}
"""Weights of what is read from the encoder's output beside the answer."""
CELLS_SHARE = 4
"""One question in so many also has the places and letters of all cells read from its encoded picture."""
CELLS_WEIGHT = 0.6
PAGES_BESIDE, BOARDS = 4, 5
"""Pages full of boards beside the pictures of a step, and questions for the text of one board a page."""
VISION_LR_SCALE = 0.6
"""The tower's learning rate as a share of the language model's."""


class Trainer:
    """A model in training: tokenizer, model, cell heads, optimiser, step.

    It goes on from ``run/language.pt`` if that is there, else from an exported checkpoint in ``begin``. In
    the latter case, and in a new lesson, its vision tower is that of ``run/tower.pt`` if that is there.
    """

    def __init__(self, run: Path, device: str = "cpu", seed: int = 0, begin: Path | None = None):
        self.run, self.device = run, torch.device(device)
        self.tokenizer = new_tokenizer()
        self.first_place = self.tokenizer.convert_tokens_to_ids("<loc_0>")
        config = new_config(len(self.tokenizer), self.tokenizer.convert_tokens_to_ids("<image>"))
        self.model = new_model(config, self.first_place, seed).to(self.device)
        if device == "cpu":
            self.model.set_attn_implementation(CPU_ATTENTION)
        self.heads = CellHeads(len(TRAINED_KINDS), len(COLOURS), len(CHARACTERS)).to(self.device)
        inner = self.model.model
        self.vision = [inner.vision_tower, inner.multi_modal_projector]
        language = inner.language_model
        self.optimiser = Optimiser(
            [*((part, VISION_LR_SCALE) for part in self.vision), (self.heads, 1.0), (language, 1.0)],
            outside=[self.heads],
        )
        self.step = 0
        if (run / "language.pt").exists():
            self._load(torch.load(run / "language.pt", map_location=self.device))
            return
        if begin:
            self._begin(begin)
        if (run / "tower.pt").exists():
            self._load_vision(torch.load(run / "tower.pt", map_location=self.device))

    def _begin(self, folder: Path) -> None:
        """Takes the weights of an exported checkpoint; the optimiser begins anew."""
        exported, heads, self.step = load_exported(folder)
        grow(self.model, exported)
        self.heads.load_state_dict(heads)

    def _load_vision(self, state: dict) -> None:
        """Takes the weights of the first stage, all but those heads that read the encoder's output."""
        self.vision[0].load_state_dict(state["tower"])
        self.vision[1].load_state_dict(state["projector"])
        heads = {
            name: weight for name, weight in state["heads"].items() if not name.startswith(tuple(AUX_WEIGHTS))
        }
        self.heads.load_state_dict(heads, strict=False)

    def _load(self, state: dict) -> None:
        self.model.load_state_dict(state["model"])
        self.heads.load_state_dict(state["heads"])
        if "optimiser" in state:
            self.optimiser.load_state_dict(state["optimiser"])
        self.step = state["step"]

    @property
    def spread(self) -> float:
        """Width in bins of the bell around a true location at this step."""
        first, last, steps = SPREADS
        return last + (first - last) * max(0.0, 1 - self.step / steps)

    def save(self) -> None:
        """Writes ``run/language.pt`` in one go."""
        parts = {
            "model": self.model.state_dict(),
            "heads": self.heads.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
        }
        torch.save(parts, self.run / "language.tmp")
        (self.run / "language.tmp").replace(self.run / "language.pt")

    def export(self, folder: Path) -> None:
        """Writes the checkpoint as users load it, in half precision, with its processor, and the cell heads
        for going on.
        """
        from safetensors.torch import save_file

        copy.deepcopy(self.model).half().save_pretrained(folder)
        new_processor(self.tokenizer).save_pretrained(folder)
        heads = {name: weight.half().contiguous() for name, weight in self.heads.state_dict().items()}
        save_file({**heads, "step": torch.tensor(self.step)}, folder / HEADS_FILE)


def encode_questions(
    tokenizer, facts: list[Facts], shares: dict[str, float], count: int, rng: random.Random
) -> list[dict]:
    """``count`` questions a picture: index of the picture, task, token ids of prompt and answer, things
    meant.
    """
    found = []
    for number, one in enumerate(facts):
        for _ in range(count):
            task = choose_task(one, shares, rng)
            found.append(_encoded(tokenizer, number, one, task, *ask(one, task, rng)))
    return sorted(found, key=lambda q: len(q["answer"]))


def encode_boards(tokenizer, facts: list[Facts], count: int, rng: random.Random, first: int) -> list[dict]:
    """Up to ``count`` questions a page, each for the text of one board; the first page has the number
    ``first``.
    """
    found = []
    for number, one in enumerate(facts, first):
        for thing in rng.sample(one.things, min(count, len(one.things))):
            asked = ask_board(one, thing, rng)
            if asked:
                found.append(_encoded(tokenizer, number, one, "<REGION_TO_OCR>", *asked))
    return found


def _encoded(tokenizer, number: int, facts: Facts, task: str, text_input, answer: str) -> dict:
    first = tokenizer.convert_tokens_to_ids("<loc_0>")
    prompt = prompt_text(TASKS[task].sentence, text_input, facts.size)
    ids = tokenizer(answer.removeprefix("</s><s>").removesuffix("</s>"), add_special_tokens=False).input_ids
    ids = [first + quantise(i - first) if first <= i < first + LOCATIONS else i for i in ids]
    meant = None if text_input is None else meant_by(facts, task, text_input)
    answered = [START, *ids, STOP]
    return {
        "picture": number,
        "task": task,
        "prompt": tokenizer(prompt).input_ids,
        "answer": answered,
        "meant": meant,
    }


def padded(rows: list[list[int]], device) -> torch.Tensor:
    """(n, longest) int64 with <pad> at the ends."""
    longest = max(map(len, rows))
    return torch.tensor([row + [PAD] * (longest - len(row)) for row in rows], device=device)


def answer_losses(
    trainer: Trainer,
    features: torch.Tensor,
    questions: list[dict],
    truth: dict[str, torch.Tensor],
    spread: float,
) -> dict[str, torch.Tensor]:
    """Summed losses over some questions on features (pictures, image tokens, width) and the stacked
    `cell_truth` of the pictures.

    ``total`` is weighted; ``words`` and ``places`` are plain sums over ``n_words`` and ``n_places`` tokens;
    ``meant``, ``spelled``, ``edges`` and ``quads`` are means.
    """
    device = features.device
    pictures = torch.tensor([q["picture"] for q in questions], device=device)  # (n,)
    prompts = padded([q["prompt"] for q in questions], device)  # (n, longest prompt)
    answers = padded([q["answer"] for q in questions], device)  # (n, longest answer)
    encoded, logits = _forward(trainer.model, features[pictures], prompts, answers)
    told = {
        name: truth[name][pictures[::CELLS_SHARE]]
        for name in ("kind", "edges", "letters", "spelled", "quads")
    }
    cells = encoded[::CELLS_SHARE, 1:IMAGE_TOKENS].float()  # (n / CELLS_SHARE, GRID * GRID, width)
    table = trainer.model.get_input_embeddings().weight  # (vocabulary, width)
    return {
        **_token_losses(logits, answers, trainer.first_place, spread),
        "meant": _meant_loss(trainer.heads, encoded, questions, truth["holder"][pictures]),
        "spelled": spelling_loss(trainer.heads, cells, told["spelled"]),
        **place_losses(
            trainer.heads, cells, told, table[trainer.first_place : trainer.first_place + LOCATIONS], spread
        ),
    }


def _forward(
    model: torch.nn.Module, features: torch.Tensor, prompts: torch.Tensor, answers: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The encoder's output (n, image tokens + longest prompt, width), and the logits (tokens of all answers,
    vocabulary).
    """
    language = model.model.language_model
    table = language.shared.weight
    with autocast(features.device):
        inputs = torch.cat(
            [features, F.embedding(prompts, table).to(features.dtype)], dim=1
        )  # (n, tokens, width)
        mask = torch.cat(
            [torch.ones_like(features[..., 0], dtype=torch.long), (prompts != PAD).long()], dim=1
        )
        encoded = language.encoder(inputs_embeds=inputs, attention_mask=mask).last_hidden_state
        shifted = torch.cat(
            [torch.full_like(answers[:, :1], STOP), answers[:, :-1]], dim=1
        )  # (n, longest answer)
        hidden = language.decoder(
            input_ids=shifted, encoder_hidden_states=encoded, encoder_attention_mask=mask, use_cache=False
        ).last_hidden_state
        return encoded, hidden[answers != PAD] @ table.T


def _token_losses(
    logits: torch.Tensor, answers: torch.Tensor, first_place: int, spread: float
) -> dict[str, torch.Tensor]:
    """Cross-entropy of each token of the answers (n, longest); location tokens against a bell of ``spread``
    bins.
    """
    wanted = answers != PAD
    log_probabilities = torch.log_softmax(logits.float(), dim=-1)  # (tokens, vocabulary)
    targets = answers[wanted]  # (tokens,)
    place = (targets >= first_place) & (targets < first_place + LOCATIONS)
    losses = -log_probabilities.gather(1, targets.unsqueeze(1)).squeeze(1)
    bells = soft_places((targets[place] - first_place).float(), spread)  # (locations, LOCATIONS)
    losses = losses.masked_scatter(
        place, -(bells * log_probabilities[place][:, first_place : first_place + LOCATIONS]).sum(dim=1)
    )
    weights = (wanted.float() / wanted.sum(dim=1, keepdim=True).float().sqrt())[wanted]
    return {
        # A place weighs less than a word: four of them count as much as two words.
        "total": (losses * weights * torch.where(place, 0.5, 1.0)).sum(),
        "words": losses[~place].sum(),
        "n_words": (~place).sum(),
        "places": losses[place].sum(),
        "n_places": place.sum(),
    }


def _meant_loss(
    heads: CellHeads, encoded: torch.Tensor, questions: list[dict], holder: torch.Tensor
) -> torch.Tensor:
    """`meant_loss` over those questions whose prompt means some things; 0 without such."""
    pointing = [i for i, q in enumerate(questions) if q["meant"] is not None]
    if not pointing:
        return encoded.new_zeros(())
    wanted = torch.zeros(len(pointing), MAX_THINGS + 1, device=encoded.device)
    for row, i in enumerate(pointing):
        wanted[row, [1 + thing for thing in questions[i]["meant"]]] = 1
    return meant_loss(heads, encoded[pointing, 1:IMAGE_TOKENS].float(), holder[pointing], wanted)


def _supply(trainer: Trainer, pool: Path, pictures: int, prompts: int, seed: int) -> Iterator[tuple]:
    """Batches: pixels, truth of the cells, questions. Where the pool holds pages, some are added to each
    batch.
    """
    rng = random.Random(seed)
    has_pages = any(PAGES <= number < CROWDS for number in shards_in(pool))
    pages = cropped(pool, PAGES_BESIDE, seed + 1, pages=1, scenes=0) if has_pages else None
    for images, instances, facts in batches(pool, pictures, seed):
        questions = encode_questions(trainer.tokenizer, facts, _shares(trainer.step), prompts, rng)
        if pages:
            more_images, more_instances, more_facts = next(pages)
            questions += encode_boards(trainer.tokenizer, more_facts, BOARDS, rng, len(facts))
            images, instances = (
                np.concatenate([images, more_images]),
                np.concatenate([instances, more_instances]),
            )
            facts = [*facts, *more_facts]
        yield (
            to_pixels(images),
            stacked_truth(facts, instances),
            sorted(questions, key=lambda q: len(q["answer"])),
        )


def _shares(step: int) -> dict[str, float]:
    """How often each task is asked: short answers first, all as in `SHARES` from step 2000 on."""
    late = min(1.0, max(0.0, (step - 500) / 1500))
    return {
        task: (1 - late) * SHORT.get(task, 0) / sum(SHORT.values()) + late * share / sum(SHARES.values())
        for task, share in SHARES.items()
    }


def train_language(
    pool: Path,
    run: Path,
    minutes: float,
    *,
    steps: int = 100_000,
    pictures: int = 8,
    prompts: int = 8,
    chunk: int = 16,
    lr: float = 6e-4,
    frozen: int = 600,
    decay: float = 0.3,
    device: str = "cpu",
    seed: int = 0,
    begin: Path | None = None,
) -> None:
    """Trains for ``minutes`` or up to ``steps``: warm-up, constant rate, and a fall to nothing over the last
    ``decay`` of the time.

    The tower stays frozen for the first ``frozen`` steps of all. A run goes on from ``run/language.pt`` if it
    is there.
    """
    trainer = Trainer(run, device, seed, begin)
    start, first = time.time(), trainer.step
    means: dict[str, float] = defaultdict(float)
    bar = tqdm(
        prefetch(_supply(trainer, pool, pictures, prompts, seed + first)), desc="language", mininterval=20
    )
    for pixels, truth, questions in bar:
        done = max((time.time() - start) / 60 / minutes, (trainer.step - first) / max(1, steps - first))
        if done >= 1:
            break
        now = lr * min(1.0, (trainer.step - first + 1) / 200) * min(1.0, (1 - done) / decay)
        truth = {name: value.to(device) for name, value in truth.items()}
        figures = _learn(trainer, pixels.to(device), truth, questions, chunk, trainer.step < frozen, now)
        trainer.step += 1
        for name, value in figures.items():
            means[name] += (value - means[name]) * (0.03 if trainer.step - first > 30 else 0.3)
        if trainer.step % 50 == 0:
            text = " ".join(f"{n} {v:.3f}" for n, v in means.items())
            tqdm.write(f"{trainer.step} {(time.time() - start) / 60:.1f} min {text}")
        if trainer.step % 200 == 0:
            trainer.save()
    trainer.save()


def _learn(
    trainer: Trainer,
    pixels: torch.Tensor,
    truth: dict,
    questions: list[dict],
    chunk: int,
    frozen: bool,
    lr: float,
) -> dict[str, float]:
    """One step: encodes the pictures once, answers the questions in chunks of like length, and updates the
    weights.
    """
    trainer.optimiser.zero_grad()
    with torch.no_grad() if frozen else nullcontext(), autocast(trainer.device):
        features = trainer.vision[1](
            trainer.vision[0](pixels).last_hidden_state
        )  # (pictures, image tokens, width)
    # The pictures' gradient is gathered over the chunks and sent through the tower once.
    detached = features.detach().float().requires_grad_(not frozen)
    figures = _learn_answers(trainer, detached, truth, questions, chunk)
    if not frozen:
        cells = cell_losses(trainer.heads, features[:, 1:].float(), truth)
        vision_loss = CELLS_WEIGHT * sum(WEIGHTS[name] * value for name, value in cells.items())
        figures |= {name: float(cells[name].detach()) for name in ("kind", "edge distances", "letters")}
        gradients = [detached.grad.to(features.dtype), torch.ones_like(vision_loss)]
        torch.autograd.backward([features, vision_loss], gradients)
    trainer.optimiser.step(lr)
    return figures


def _learn_answers(
    trainer: Trainer, features: torch.Tensor, truth: dict, questions: list[dict], chunk: int
) -> dict[str, float]:
    """Adds the gradients of all questions, chunk by chunk; returns the mean losses."""
    weight = sum(len(q["answer"]) ** 0.5 for q in questions)
    chunks = [questions[start : start + chunk] for start in range(0, len(questions), chunk)]
    sums: dict[str, float] = defaultdict(float)
    for part in chunks:
        losses = answer_losses(trainer, features, part, truth, trainer.spread)
        auxiliary = sum(share * losses[name] for name, share in AUX_WEIGHTS.items())
        (losses["total"] / weight + auxiliary / len(chunks)).backward()
        for name, value in losses.items():
            sums[name] += float(value.detach())
    figures = {
        "words": sums["words"] / max(1, sums["n_words"]),
        "places": sums["places"] / max(1, sums["n_places"]),
    }
    return figures | {name: sums[name] / len(chunks) for name in AUX_WEIGHTS}
