"""How the files of an exported folder are called: as transformers.js looks for them."""

from typing import Literal

Precision = Literal["float32", "float16", "int8"]
SUFFIXES: dict[Precision, str] = {"float32": "", "float16": "_fp16", "int8": "_int8"}
"""How a graph's file name ends, the most exact first."""
DTYPES: dict[Precision, str] = {"float32": "fp32", "float16": "fp16", "int8": "int8"}
"""What transformers.js calls them."""
PARTS = ("vision_encoder", "embed_tokens", "encoder_model", "decoder_model_merged")
