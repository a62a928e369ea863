"""Second lesson: the language model learns to answer, short answers first, with the tower frozen at first and then along.

Several prompts share one look at a picture. Location tokens are trained towards a bell around the true bin, since a neighbour is
nearly right.
"""

from __future__ import annotations

import copy
import random
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import torch
import torch.nn.functional as F
from tqdm import tqdm

from ..scenes.pen import COLOURS
from ..scenes.scene import MOST_THINGS
from ..tasks import TASKS
from .cells import CHARACTERS, TRAINED_KINDS, cell_losses, grained, meant_loss, place_losses, soft_places, spelling_loss
from .model import HEADS_FILE, LOCATIONS, CellHeads, load_exported, new_config, new_model
from .optimiser import Optimiser
from .pool import Facts
from .samples import SHARES, SHORT, ask, choose_task, meant_by, prompt_text
from .sizes import IMAGE_TOKENS
from .tower import WEIGHTS, ahead, batches, stacked_truth, to_pixels
from .vocabulary import new_processor, new_tokenizer

PAD, START, STOP = 1, 0, 2
SPREADS = (12.0, 4.0, 2000)
"""Width of the bell around a true location in bins: in the beginning, in the end, and after how many steps."""
BESIDE = {"edges": 1.0, "quads": 0.5, "meant": 1.0, "spelled": 0.5}
"""Weights of what is read from the encoder's output beside the answer."""
CELLS_SHARE = 4
"""One question in so many also has the places and letters of all cells read from its encoded picture."""
CELLS_WEIGHT = 0.3
GENTLE = 0.3
"""The tower's learning rate as a share of the language model's."""


class Lesson:
    """A model in training: tokenizer, model, cell heads, optimiser, step.

    It goes on from ``run/language.pt`` if that is there, else from an exported checkpoint in ``begin``. In the latter case, and in
    a new lesson, its eyes are those of ``run/tower.pt`` if that is there.
    """

    def __init__(self, run: Path, device: str = "cpu", seed: int = 0, begin: Path | None = None):
        self.run, self.device = run, torch.device(device)
        self.tokenizer = new_tokenizer()
        self.first_place = self.tokenizer.convert_tokens_to_ids("<loc_0>")
        config = new_config(len(self.tokenizer), self.tokenizer.convert_tokens_to_ids("<image>"))
        self.model = new_model(config, self.first_place, seed).to(self.device)
        if device == "cpu":
            self.model.set_attn_implementation("eager")  # see train_tower
        self.heads = CellHeads(len(TRAINED_KINDS), len(COLOURS), len(CHARACTERS)).to(self.device)
        inner = self.model.model
        self.eyes = [inner.vision_tower, inner.multi_modal_projector]
        language = inner.language_model
        self.optimiser = Optimiser(
            [*((part, GENTLE) for part in self.eyes), (self.heads, 1.0), (language, 1.0)], outside=[self.heads]
        )
        self.step = 0
        if (run / "language.pt").exists():
            self._load(torch.load(run / "language.pt", map_location=self.device))
            return
        if begin:
            self._begin(begin)
        if (run / "tower.pt").exists():
            self._see(torch.load(run / "tower.pt", map_location=self.device))

    def _begin(self, folder: Path) -> None:
        """Takes the weights of an exported checkpoint; the optimiser begins anew."""
        exported, heads, self.step = load_exported(folder)
        self.model.load_state_dict(exported.state_dict())
        self.heads.load_state_dict(heads)

    def _see(self, state: dict) -> None:
        """Takes the weights of the first lesson, all but those heads that read the encoder's output."""
        self.eyes[0].load_state_dict(state["tower"])
        self.eyes[1].load_state_dict(state["projector"])
        heads = {name: weight for name, weight in state["heads"].items() if not name.startswith(tuple(BESIDE))}
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
        """Writes the checkpoint as users load it, in half precision, with its processor, and the cell heads for going on."""
        from safetensors.torch import save_file

        copy.deepcopy(self.model).half().save_pretrained(folder)
        new_processor(self.tokenizer).save_pretrained(folder)
        heads = {name: weight.half().contiguous() for name, weight in self.heads.state_dict().items()}
        save_file({**heads, "step": torch.tensor(self.step)}, folder / HEADS_FILE)


def encode_questions(tokenizer, facts: list[Facts], shares: dict[str, float], count: int, rng: random.Random) -> list[dict]:
    """``count`` questions a picture: index of the picture, task, token ids of prompt and answer, things meant."""
    found, first = [], tokenizer.convert_tokens_to_ids("<loc_0>")
    for number, one in enumerate(facts):
        for _ in range(count):
            task = choose_task(one, shares, rng)
            text_input, answer = ask(one, task, rng)
            prompt = prompt_text(TASKS[task].sentence, text_input, one.size)
            ids = tokenizer(answer.removeprefix("</s><s>").removesuffix("</s>"), add_special_tokens=False).input_ids
            ids = [first + grained(i - first) if first <= i < first + LOCATIONS else i for i in ids]
            meant = None if text_input is None else meant_by(one, task, text_input)
            answered = [START, *ids, STOP]
            found.append(
                {"picture": number, "task": task, "prompt": tokenizer(prompt).input_ids, "answer": answered, "meant": meant}
            )
    return sorted(found, key=lambda q: len(q["answer"]))


def padded(rows: list[list[int]], device) -> torch.Tensor:
    """(n, longest) int64 with <pad> at the ends."""
    longest = max(map(len, rows))
    return torch.tensor([row + [PAD] * (longest - len(row)) for row in rows], device=device)


def answer_losses(
    lesson: Lesson, features: torch.Tensor, questions: list[dict], truth: dict[str, torch.Tensor], spread: float
) -> dict[str, torch.Tensor]:
    """Summed losses over some questions on features (pictures, image tokens, width) and the stacked `cell_truth` of the pictures.

    ``total`` is weighted; ``words`` and ``places`` are plain sums over ``n_words`` and ``n_places`` tokens; ``meant``,
    ``spelled``, ``edges`` and ``quads`` are means.
    """
    model, device = lesson.model, features.device
    language = model.model.language_model
    prompts, answers = padded([q["prompt"] for q in questions], device), padded([q["answer"] for q in questions], device)
    pictures = torch.tensor([q["picture"] for q in questions], device=device)
    looks = features[pictures]
    table = language.shared.weight
    with torch.autocast(device.type, torch.bfloat16):
        inputs = torch.cat([looks, F.embedding(prompts, table).to(looks.dtype)], dim=1)
        seen = torch.cat([torch.ones(looks.shape[:2], dtype=torch.long, device=device), (prompts != PAD).long()], dim=1)
        encoded = language.encoder(inputs_embeds=inputs, attention_mask=seen).last_hidden_state
        before = torch.cat([torch.full_like(answers[:, :1], STOP), answers[:, :-1]], dim=1)
        hidden = language.decoder(
            input_ids=before, encoder_hidden_states=encoded, encoder_attention_mask=seen, use_cache=False
        ).last_hidden_state
        wanted = answers != PAD
        logits = hidden[wanted] @ table.T
    scores = torch.log_softmax(logits.float(), dim=-1)
    targets = answers[wanted]
    weights = (wanted.float() / wanted.sum(dim=1, keepdim=True).float().sqrt())[wanted]
    first = lesson.first_place
    place = (targets >= first) & (targets < first + LOCATIONS)
    losses = -scores.gather(1, targets.unsqueeze(1)).squeeze(1)
    bells = soft_places((targets[place] - first).float(), spread)
    losses = losses.masked_scatter(place, -(bells * scores[place][:, first : first + LOCATIONS]).sum(dim=1))
    told = encoded[::CELLS_SHARE, 1:IMAGE_TOKENS].float()
    told_truth = {name: truth[name][pictures[::CELLS_SHARE]] for name in ("kind", "edges", "letters", "spelled", "quads")}
    pointing = [i for i, q in enumerate(questions) if q["meant"] is not None]
    meant = features.new_zeros(())
    if pointing:
        wanted_things = torch.zeros(len(pointing), MOST_THINGS + 1, device=device)
        for row, i in enumerate(pointing):
            wanted_things[row, [1 + thing for thing in questions[i]["meant"]]] = 1
        holder = truth["holder"][pictures[pointing]]
        meant = meant_loss(lesson.heads, encoded[pointing, 1:IMAGE_TOKENS].float(), holder, wanted_things)
    # A place weighs less than a word: four of them count as much as two words.
    total = (losses * weights * torch.where(place, 0.5, 1.0)).sum()
    return {
        "total": total,
        "meant": meant,
        "spelled": spelling_loss(lesson.heads, told, told_truth["spelled"]),
        **place_losses(lesson.heads, told, told_truth, table[first : first + LOCATIONS], spread),
        "words": losses[~place].sum(),
        "n_words": (~place).sum(),
        "places": losses[place].sum(),
        "n_places": place.sum(),
    }


def _supply(lesson: Lesson, pool: Path, pictures: int, prompts: int, seed: int) -> Iterator[tuple]:
    """Batches: pixels, truth of the cells, questions."""
    rng = random.Random(seed)
    for images, owners, facts in batches(pool, pictures, seed):
        late = min(1.0, max(0.0, (lesson.step - 500) / 1500))
        shares = {
            task: (1 - late) * SHORT.get(task, 0) / sum(SHORT.values()) + late * share / sum(SHARES.values())
            for task, share in SHARES.items()
        }
        yield to_pixels(images), stacked_truth(facts, owners), encode_questions(lesson.tokenizer, facts, shares, prompts, rng)


def train_language(
    pool: Path, run: Path, minutes: float, *, steps: int = 100_000, pictures: int = 8, prompts: int = 8, chunk: int = 16,
    top: float = 6e-4, frozen: int = 600, decay: float = 0.3, device: str = "cpu", seed: int = 0, begin: Path | None = None,
) -> None:  # fmt: skip
    """Trains for ``minutes`` or up to ``steps``: warm-up, constant rate, and a fall to nothing over the last ``decay`` of the time.

    The tower stays frozen for the first ``frozen`` steps of all. A run goes on from ``run/language.pt`` if it is there.
    """
    lesson = Lesson(run, device, seed, begin)
    start, first = time.time(), lesson.step
    means: dict[str, float] = defaultdict(float)
    bar = tqdm(ahead(_supply(lesson, pool, pictures, prompts, seed + first)), desc="language", mininterval=20)
    for pixels, truth, questions in bar:
        done = max((time.time() - start) / 60 / minutes, (lesson.step - first) / max(1, steps - first))
        if done >= 1:
            break
        speed = top * min(1.0, (lesson.step - first + 1) / 200) * min(1.0, (1 - done) / decay)
        asleep = lesson.step < frozen
        figures = _learn(lesson, pixels.to(device), {k: v.to(device) for k, v in truth.items()}, questions, chunk, asleep, speed)
        lesson.step += 1
        for name, value in figures.items():
            means[name] += (value - means[name]) * (0.03 if lesson.step - first > 30 else 0.3)
        if lesson.step % 50 == 0:
            text = " ".join(f"{n} {v:.3f}" for n, v in means.items())
            tqdm.write(f"{lesson.step} {(time.time() - start) / 60:.1f} min {text}")
        if lesson.step % 200 == 0:
            lesson.save()
    lesson.save()


def _learn(lesson: Lesson, pixels, truth, questions, chunk: int, asleep: bool, speed: float) -> dict[str, float]:
    """One step: looks at the pictures once, answers the questions in chunks of like length, and mends the weights."""
    lesson.optimiser.forget_gradients()
    with torch.no_grad() if asleep else nullcontext(), torch.autocast(lesson.device.type, torch.bfloat16):
        features = lesson.eyes[1](lesson.eyes[0](pixels).last_hidden_state)
    # The pictures' gradient is gathered over the chunks and sent through the tower once.
    looks = features.detach().float().requires_grad_(not asleep)
    weight = sum(len(q["answer"]) ** 0.5 for q in questions)
    chunks = [questions[at : at + chunk] for at in range(0, len(questions), chunk)]
    sums: dict[str, float] = defaultdict(float)
    for part in chunks:
        losses = answer_losses(lesson, looks, part, truth, lesson.spread)
        beside = sum(weight * losses[name] for name, weight in BESIDE.items())
        (losses["total"] / weight + beside / len(chunks)).backward()
        for name, value in losses.items():
            sums[name] += float(value.detach())
    figures = {"words": sums["words"] / max(1, sums["n_words"]), "places": sums["places"] / max(1, sums["n_places"])}
    figures |= {name: sums[name] / len(chunks) for name in BESIDE}
    if not asleep:
        cells = cell_losses(lesson.heads, features[:, 1:].float(), truth)
        seeing = CELLS_WEIGHT * sum(WEIGHTS[n] * v for n, v in cells.items())
        figures |= {
            "kind": float(cells["kind"].detach()),
            "reach": float(cells["reach"].detach()),
            "letters": float(cells["letters"].detach()),
        }
        torch.autograd.backward([features, seeing], [looks.grad.to(features.dtype), torch.ones_like(seeing)])
    lesson.optimiser.step(speed)
    return figures
