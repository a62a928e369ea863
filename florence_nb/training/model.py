"""The mini checkpoint before it has learned anything: the native Florence-2 classes, small, with a head start
for places.

Two things start from sines instead of noise, because places are a scale and not a thousand words: the
embeddings of the location tokens (shared with the output layer) and the row and column embeddings of the
projector.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import nn
from transformers import Florence2Config, Florence2ForConditionalGeneration, GenerationConfig

from .sizes import GRID, WIDTH

HAS_AVX512 = torch.backends.cpu.get_cpu_capability().startswith("AVX512")
LOCATIONS = 1000
LOCATION_AMPLITUDE = 0.3
LOCATION_WAVES = (80.0, 4000.0)
"""Shortest and longest wavelength in bins: shorter waves are sharper, but take far longer to learn."""
_WORD_DEVIATION = 0.05
_MARKS = {
    "bos_token_id": 0,
    "pad_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 2,
    "forced_bos_token_id": 0,
    "forced_eos_token_id": 2,
}


def new_config(vocabulary: int, image_token_id: int) -> Florence2Config:
    """The configuration of mini for a vocabulary of so many tokens."""
    return Florence2Config(
        vision_config=dict(
            embed_dim=[32, 64, 160, 256],
            depths=[1, 1, 4, 1],
            num_heads=[1, 2, 5, 8],
            num_groups=[1, 2, 5, 8],
            patch_size=[7, 3, 5, 3],
            patch_stride=[4, 2, 3, 1],
            patch_padding=[3, 1, 1, 1],
            window_size=12,
            drop_path_rate=0.0,
            projection_dim=WIDTH,
        ),
        text_config=dict(
            model_type="bart",
            vocab_size=vocabulary,
            d_model=WIDTH,
            encoder_layers=3,
            decoder_layers=3,
            encoder_attention_heads=6,
            decoder_attention_heads=6,
            encoder_ffn_dim=768,
            decoder_ffn_dim=768,
            max_position_embeddings=1024,
            dropout=0.0,
            attention_dropout=0.0,
            activation_dropout=0.0,
            **_MARKS,
            init_std=0.02,
        ),
        image_token_id=image_token_id,
        **_MARKS,
    )


def new_model(
    config: Florence2Config, first_location: int, seed: int = 0
) -> Florence2ForConditionalGeneration:
    """A model with random weights and places as sines; ``first_location`` is the id of ``<loc_0>``."""
    torch.manual_seed(seed)
    model = Florence2ForConditionalGeneration(config)
    with torch.no_grad():
        table = model.get_input_embeddings().weight
        table.normal_(std=_WORD_DEVIATION)
        table[config.text_config.pad_token_id] = 0
        table[first_location : first_location + LOCATIONS] = LOCATION_AMPLITUDE * sines(
            LOCATIONS, WIDTH, *LOCATION_WAVES
        )
        places = model.model.multi_modal_projector.image_position_embed
        count, width = places.row_embeddings.weight.shape
        for embedding in (places.row_embeddings, places.column_embeddings):
            embedding.weight.copy_(sines(count, width, 3.0, 4.0 * GRID))
    model.generation_config = GenerationConfig(
        **_MARKS,
        num_beams=3,
        max_new_tokens=1000,
    )
    return model


def autocast(device: torch.device | str) -> torch.autocast:
    """bfloat16 where it is quick: on a GPU, and on a CPU with AVX-512. Elsewhere it takes four times as long
    as float32.
    """
    kind = torch.device(device).type
    return torch.autocast(kind, torch.bfloat16, enabled=kind != "cpu" or HAS_AVX512)


def sines(count: int, width: int, shortest: float, longest: float) -> torch.Tensor:
    """(count, width) float32: sines and cosines of the row number, with wavelengths from ``shortest`` to
    ``longest`` rows.
    """
    waves = torch.exp(torch.linspace(math.log(shortest), math.log(longest), width // 2))
    letter_index = torch.arange(count).unsqueeze(1) * (2 * math.pi / waves)
    return torch.cat([letter_index.sin(), letter_index.cos()], dim=1)


def grow(model: nn.Module, smaller: nn.Module) -> None:
    """Gives a model the weights of one that has fewer blocks or layers; those it has more begin as the
    identity.

    A block of the tower adds to what it is given, so its additions begin at zero. A layer of the encoder ends
    in a normalisation, so its last one also begins with the usual mean and deviation of what comes before it:
    that is the identity all but exactly.
    """
    known = smaller.state_dict()
    begun = model.state_dict()
    for name, weight in begun.items():
        weight.copy_(known[name] if name in known else _beginning(name, weight, known))


_ADDED = (".proj.", ".fc2.", ".out_proj.", ".conv1.", ".conv2.")


def _beginning(name: str, weight: torch.Tensor, known: dict[str, torch.Tensor]) -> torch.Tensor:
    if any(part in name for part in _ADDED):
        return torch.zeros_like(weight)
    if "encoder.layers" in name and "final_layer_norm" in name:
        last = max(n for n in known if "encoder.layers" in n and n.endswith("final_layer_norm.weight"))
        scale, shift = known[last], known[last.replace("weight", "bias")]
        mean, deviation = shift.mean(), (scale.square().mean() + shift.var()).sqrt()
        return torch.full_like(weight, float(deviation if name.endswith("weight") else mean))
    return weight


LETTER_ROWS, LETTER_COLUMNS = 2, 3
LETTERS = LETTER_ROWS * LETTER_COLUMNS
"""Parts of a cell that may hold a letter each."""
MAX_LETTERS = 16
"""A line has at most so many letters, without the space."""


class CellHeads(nn.Module):
    """What each image token should know, read off by one linear layer each; used in training only.

    From the tower's features (…, WIDTH) it reads, for the thing seen in the cell: kind (0 = background),
    colour, whether its middle is here, how far its four edges are from the middle of the cell, its shape in 4
    x 4 parts of the cell, and for each of 2 x 3 parts of the cell the letter there (0 = none), how many
    letters of its line come before and after it, and how far the corners of that line's quad are. From the
    encoder's output it reads whether the prompt means the thing, the letters by their index, and edges and
    quads as codes, to be compared with the location embeddings: only there have picture and prompt met, and
    the place of the cell and the reach from it been put together.
    """

    def __init__(self, kinds: int, colours: int, characters: int):
        super().__init__()
        self.kind = nn.Linear(WIDTH, kinds + 1)
        self.colour = nn.Linear(WIDTH, colours)
        self.middle = nn.Linear(WIDTH, 1)
        self.edge_distances = nn.Linear(WIDTH, 4)
        self.edges = nn.Linear(WIDTH, 4 * WIDTH)
        self.meant = nn.Linear(WIDTH, 1)
        self.shape = nn.Linear(WIDTH, 16)
        self.letters = nn.Linear(WIDTH, LETTERS * (characters + 1))
        self.spelled = nn.Linear(WIDTH, LETTERS * (characters + 1))
        self.letter_index = nn.Linear(WIDTH, LETTERS * MAX_LETTERS)
        self.letters_left = nn.Linear(WIDTH, LETTERS * MAX_LETTERS)
        self.corners = nn.Linear(WIDTH, 8)
        self.quads = nn.Linear(WIDTH, 8 * WIDTH)


HEADS_FILE = "cell_heads.safetensors"
"""Beside an exported checkpoint: what only training needs. Nobody else reads it."""


def load_exported(folder: Path) -> tuple[Florence2ForConditionalGeneration, dict[str, torch.Tensor], int]:
    """An exported checkpoint to go on from, in float32: the model, the state of its `CellHeads`, and how many
    steps it learned.
    """
    from safetensors.torch import load_file

    heads = {name: weight.float() for name, weight in load_file(folder / HEADS_FILE).items()}
    steps = int(heads.pop("step"))
    return Florence2ForConditionalGeneration.from_pretrained(folder, dtype=torch.float32), heads, steps
