"""Teach a checkpoint something new: LoRA adapters of peft, trained by transformers' `Trainer`. Lesson 14
reads this file.

    rows = [("<OD>", image, None, "cactus" + fnb.to_loc(box, image.size)), ...]
    examples = fnb.finetune.examples(florence, rows)
    fnb.finetune.adapt(florence)
    losses = fnb.finetune.train(florence, examples, "run", steps=400)
    fnb.finetune.save(florence, "taught")  # for fnb.load("./taught")

The vision tower stays as it is, so it looks at each picture once; adapters in the language model learn.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..engine.feature_cache import picture_key
from ..errors import InputError
from ..tasks import add_task
from .checks import (
    NOTHING,
    check_length,
    check_ready,
    check_row,
    check_version,
    digest,
    quietly,
    replace_whole,
    unfinished,
    writing,
)

if TYPE_CHECKING:
    from ..florence import Florence

__all__ = ["LAYERS", "NOTHING", "adapt", "add_task", "batch", "examples", "save", "train"]

LAYERS = r".*language_model.*\.(q_proj|k_proj|v_proj|out_proj|fc1|fc2)"
"""The layers that get an adapter, as a regular expression: every linear one of the language model.

With those of the decoder alone (``language_model.decoder``) a step takes a third of the time.
"""


def examples(florence: Florence, rows: Sequence[tuple]) -> list[dict[str, Any]]:
    """What the model learns from, row by row.

    Args:
        rows: ``(task_prompt, image, text_input, answer)``: a request as for `Florence.run_many`, and the
            right answer, as plain text or as a raw string.

    Returns:
        Dictionaries with ``features`` (image tokens, width) of the frozen tower, ``ids`` of the prompt, and
        ``labels``, the ids of the answer.

    Raises:
        InputError: a row is none of these, or its answer is empty, too long, or holds a bin past 999.
    """
    check_version()
    seen: dict[Any, Any] = {}
    return [_example(florence, number, row, seen) for number, row in enumerate(rows)]


def _example(florence: Florence, number: int, row: Any, seen: dict[Any, Any]) -> dict[str, Any]:
    check_row(number, row)
    try:
        request = florence.prepare(*row[:3])
    except InputError as error:
        raise InputError(f"Row {number}: {error}") from None
    words = florence.processor.tokenizer
    text = row[3].removeprefix("</s>").removeprefix("<s>").removesuffix("</s>")
    labels = [words.bos_token_id, *words(text, add_special_tokens=False)["input_ids"], words.eos_token_id]
    check_length(number, labels, florence)
    key = picture_key(request.image)
    if key not in seen:
        with florence.inference_mode():
            seen[key] = florence.encode_images([request.image])[0].cpu()
    return {"features": seen[key], "ids": list(request.ids), "labels": labels}


def batch(florence: Florence, chosen: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Some examples as the model takes them: ``inputs_embeds`` (n, longest, width), ``attention_mask``
    (n, longest) with 0 where a row was filled up, and ``labels`` (n, longest answer) with -100 there: nothing
    to learn.
    """
    import torch
    from torch.nn.utils.rnn import pad_sequence

    embed, device = florence.native_model.get_input_embeddings(), florence.device
    prompts = [embed(torch.tensor(one["ids"], device=device)) for one in chosen]  # per row (tokens, width)
    inputs = [torch.cat([one["features"].to(device), p]) for one, p in zip(chosen, prompts, strict=True)]
    masks = [torch.ones(len(row), dtype=torch.long, device=device) for row in inputs]
    labels = [torch.tensor(one["labels"], device=device) for one in chosen]
    return {
        "inputs_embeds": pad_sequence(inputs, batch_first=True),
        "attention_mask": pad_sequence(masks, batch_first=True),
        "labels": pad_sequence(labels, batch_first=True, padding_value=-100),
    }


def adapt(florence: Florence, rank: int = 16, layers: str = LAYERS) -> None:
    """Freezes every weight, then puts a LoRA adapter of this rank beside each of the layers."""
    from peft import LoraConfig, get_peft_model

    frozen = florence.native_model.requires_grad_(False)
    frozen.name_or_path = ""  # else peft asks the hub about it at each save
    settings = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=layers)
    with quietly():
        florence.model = get_peft_model(frozen, settings)


def train(
    florence: Florence,
    examples: Sequence[dict[str, Any]],
    folder: str | Path,
    *,
    steps: int = 400,
    rate: float = 1.5e-3,
    batch_size: int = 16,
    seed: int = 0,
    progress: bool = True,
    **more: Any,
) -> dict[int, float]:
    """Trains what is not frozen. After an interruption the same call goes on where the last save was.

    Args:
        folder: adapters and optimiser are saved there, ten times in all; each training has its own.
        steps, rate: the number of batches, and the learning rate, which rises for 20 of them and then falls
            to nothing.
        more: other settings of ``transformers.TrainingArguments``, such as ``gradient_checkpointing=True``.

    Returns:
        The loss by step, each the mean of a twentieth of the steps.

    Raises:
        InputError: there is nothing to learn from, or nothing that can learn; the tower is not frozen; the
            weights are float16; the folder cannot be written, or holds another training.
        CheckpointError: transformers is older than 5.13.
    """
    from transformers import PrinterCallback, Trainer, TrainingArguments

    check_ready(florence, examples, more)
    asked = {"steps": steps, "rate": rate, "batch_size": batch_size, "seed": seed}
    with writing(Path(folder), "The same call goes on from the last save."):
        saved = unfinished(Path(folder), asked | more | {"examples": digest(examples)})
        chosen = {
            "max_steps": steps, "learning_rate": rate, "lr_scheduler_type": "cosine", "warmup_steps": 20,
            "per_device_train_batch_size": batch_size, "seed": seed, "logging_steps": max(1, steps // 20),
            "save_steps": max(1, steps // 10), "save_total_limit": 2, "disable_tqdm": not progress,
            "use_cpu": florence.device.type == "cpu", "dataloader_pin_memory": False, "report_to": "none",
            "remove_unused_columns": False, "label_names": ["labels"], **more,
        }  # fmt: skip
        arguments = TrainingArguments(str(folder), **chosen)
        trainer = Trainer(florence.model, arguments, lambda chosen: batch(florence, chosen), list(examples))
        trainer.remove_callback(PrinterCallback)
        with quietly():
            trainer.train(resume_from_checkpoint=saved)
    florence.model.eval()
    return {entry["step"]: entry["loss"] for entry in trainer.state.log_history if "loss" in entry}


def save(florence: Florence, folder: str | Path) -> Path:
    """Writes a whole checkpoint for `load` and for the page, with the adapters merged into the weights, in
    half precision; the model in memory stays as it is. A checkpoint in the folder goes when the new one is
    whole.

    Raises:
        InputError: the folder cannot be written, or holds something that is no checkpoint.
    """
    import torch

    target, model = Path(folder), copy.deepcopy(florence.model)
    model = model.merge_and_unload() if hasattr(model, "merge_and_unload") else model
    model = model.to(torch.float16 if florence.dtype == torch.float32 else florence.dtype)
    with quietly(), writing(target, "Nothing is lost: the model is still in memory."):
        parts = model, florence.processor
        replace_whole(target, lambda room: [part.save_pretrained(room) for part in parts])
    return target
