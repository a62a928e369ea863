"""Lesson 12 tells of sizes and of timm: both are looked up where they come from."""

import json
import re
from pathlib import Path

import torch

import florence_nb as fnb
from benchmarks.models import IMAGE_TOKENS, SIDE, config

LESSON = Path(__file__).resolve().parents[1] / "notebooks" / "12_look_inside.ipynb"
SAME = ("depths", "num_heads", "num_groups", "patch_size", "patch_stride", "patch_padding")
CELLS = json.loads(LESSON.read_text(encoding="utf-8"))["cells"]


def code(part: str) -> str:
    """The one code cell of the lesson that holds these words."""
    sources = ["".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "code"]
    (found,) = (source for source in sources if part in source)
    return found


def grids(mini, vision) -> list[tuple[int, ...]]:
    """(channels, rows, columns) after each stage of a tower of these sizes, by the lesson's own function."""
    names = {"torch": torch}
    exec(code("def watch"), names)
    with torch.device("meta"):
        tower = type(mini.model.model.vision_tower)(vision)
        return [tuple(made.shape[1:]) for made in names["watch"](tower, torch.empty(1, 3, SIDE, SIDE))]


def test_the_default_sizes_of_the_class_are_those_of_base(mini):
    default, base = type(mini.model.config.vision_config)(), config("base", 0).vision_config
    for name in (*SAME, "embed_dim"):
        assert list(getattr(default, name)) == list(getattr(base, name)), name
    assert default.window_size == base.window_size == 12
    assert grids(mini, default) == [(128, 192, 192), (256, 96, 96), (512, 48, 48), (1024, 24, 24)]


def test_large_has_the_same_grids_with_twice_as_many_channels(mini, large_files):
    old = json.loads((large_files / "config.json").read_text())["vision_config"]
    large = config("large", 0).vision_config
    for name in SAME:
        assert list(getattr(large, name)) == old[name], name
    assert large.window_size == old["window_size"]
    assert list(large.embed_dim) == old["dim_embed"]
    found = grids(mini, large)
    assert found == [(256, 192, 192), (512, 96, 96), (1024, 48, 48), (2048, 24, 24)]
    assert found[-1][1] * found[-1][2] + 1 == IMAGE_TOKENS == 577


def test_timm_agrees_or_the_lesson_says_why_not(mini, capsys):
    image = fnb.open_image("snow")
    pixels = mini.processor.image_processor(images=image, return_tensors="pt")["pixel_values"]
    names = {"torch": torch, "tower": mini.model.model.vision_tower, "pixels": pixels}
    exec(code("timm.models.davit"), names)
    said = capsys.readouterr().out
    if "ChannelBlock" not in names:
        assert said.startswith("No comparison here, timm cannot be imported: ")
        return
    apart = [float(number) for number in re.findall(r"at most (\S+) apart", said)]
    assert len(apart) == sum(mini.model.config.vision_config.depths) and max(apart) < 1e-4, said


def test_turned_places_are_the_other_ends(mini):
    """What the lesson says of its last break: each n is 999 - n, whatever the weights are."""
    florence = fnb.load("mini", quiet=True, cache=False)
    table = florence.model.get_input_embeddings().weight
    first = florence.processor.tokenizer.convert_tokens_to_ids("<loc_0>")
    before = florence.run_example("<OD>", "snow").raw
    with torch.no_grad():
        table[first : first + 1000] = table[first : first + 1000].flip(0)
    after = florence.run_example("<OD>", "snow").raw
    assert "<loc_" in before
    assert after == re.sub(r"<loc_(\d+)>", lambda found: f"<loc_{999 - int(found[1])}>", before)
