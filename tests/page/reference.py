"""Scenes drawn on the spot, and what Python answers about them: what the page must answer, too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image

from florence_nb import TASKS
from florence_nb.florence import Florence
from florence_nb.images import open_image
from florence_nb.scenes import Scene, random_scene


def write(folder: Path, florence: Florence, seeds: range, **settings: Any) -> Path:
    """Writes pictures as plain bytes and ``reference.json``, and returns the latter."""
    pictures = [_scene(folder, florence, seed, settings) for seed in seeds]
    target = folder / "reference.json"
    target.write_text(json.dumps(pictures))
    return target


def _scene(folder: Path, florence: Florence, seed: int, settings: dict[str, Any]) -> dict[str, Any]:
    scene = random_scene(seed)
    picture = files_of(folder, str(seed), scene.image, florence)
    return {**picture, "answers": [_answer(florence, scene, name, settings) for name in TASKS]}


def files_of(folder: Path, name: str, image: Image.Image, florence: Florence) -> dict[str, Any]:
    """A PNG, its RGBA bytes, and the RGB bytes that the model sees."""
    side = florence.processor.image_processor.size["height"]
    image.save(folder / f"{name}.png")
    (folder / f"{name}.rgba").write_bytes(image.convert("RGBA").tobytes())
    small = open_image(image).resize((side, side), Image.Resampling.BICUBIC)
    (folder / f"{name}.small").write_bytes(small.tobytes())
    return {"name": name, "size": image.size, "side": side}


def _answer(florence: Florence, scene: Scene, task: str, settings: dict[str, Any]) -> dict[str, Any]:
    text = text_for(scene, task)
    answer = florence.run_example(task, scene.image, text, num_beams=1, **settings)
    return {
        "task": task,
        "input": text,
        "question": list(florence.prepare(task, scene.image, text).ids),
        "ids": [int(id) for id in answer.token_ids],
        "raw": answer.raw,
        "parsed": flat(answer),
    }


def text_for(scene: Scene, task: str) -> Any:
    """A phrase or region for a task that takes one: something that is in the scene."""
    thing = scene.things[len(scene.things) // 2]
    if TASKS[task].takes == "region":
        return [round(v) for v in thing.box]
    phrases = {
        "<OPEN_VOCABULARY_DETECTION>": thing.kind,
        "<REFERRING_EXPRESSION_SEGMENTATION>": f"the {thing.colour} {thing.kind}",
        "<CAPTION_TO_PHRASE_GROUNDING>": f"A {thing.colour} {thing.kind}.",
    }
    return phrases.get(task)


def flat(answer: Any) -> dict[str, Any]:
    """An answer in the layout of the page's ``parse``; numbers as float32 holds them."""
    return {
        "text": answer.text,
        "boxes": answer.boxes.tolist(),
        "quads": answer.quads.reshape(-1, 8).tolist(),
        "polygons": [[part.ravel().tolist() for part in parts] for parts in answer.polygons],
        "labels": answer.labels,
    }
