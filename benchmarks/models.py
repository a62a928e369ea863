"""Florence-2 in its real sizes with random weights, and the plain loop to compare with."""

from __future__ import annotations

from typing import Any

import torch
from transformers import (
    CLIPImageProcessorPil,
    Florence2Config,
    Florence2ForConditionalGeneration,
    Florence2Processor,
)

import florence_nb as fnb
from florence_nb.florence import Florence

SIDE, IMAGE_TOKENS, ROWS = 768, 577, 51328
"""Picture side in pixels, image tokens, and rows of the padded vocabulary of the published checkpoints."""
_TEXT = {
    "base": dict(d_model=768, encoder_layers=6, decoder_layers=6, heads=12, ffn=3072),
    "large": dict(d_model=1024, encoder_layers=12, decoder_layers=12, heads=16, ffn=4096),
}
_VISION = {
    "base": dict(embed_dim=[128, 256, 512, 1024], num_heads=[4, 8, 16, 32], num_groups=[4, 8, 16, 32]),
    "large": dict(embed_dim=[256, 512, 1024, 2048], num_heads=[8, 16, 32, 64], num_groups=[8, 16, 32, 64]),
}
_MARKS = dict(
    bos_token_id=0,
    pad_token_id=1,
    eos_token_id=2,
    decoder_start_token_id=2,
    forced_bos_token_id=0,
    forced_eos_token_id=2,
)


def config(size: str, image_token_id: int) -> Florence2Config:
    """The configuration of ``base`` or ``large``; the id of ``<image>`` is that of the tokenizer in use."""
    text = dict(_TEXT[size])
    heads, ffn = text.pop("heads"), text.pop("ffn")
    both = {
        f"{side}_{name}": value
        for side in ("encoder", "decoder")
        for name, value in (("attention_heads", heads), ("ffn_dim", ffn))
    }
    return Florence2Config(
        vision_config=dict(
            **_VISION[size], depths=[1, 1, 9, 1], window_size=12, projection_dim=text["d_model"]
        ),
        text_config=dict(
            model_type="bart", vocab_size=ROWS, max_position_embeddings=1024, **text, **both, **_MARKS
        ),
        image_token_id=image_token_id,
        **_MARKS,
    )


def build(
    size: str, device: str = "cpu", dtype: torch.dtype = torch.float32, attention: str = "sdpa"
) -> Florence:
    """``mini``, or a model of the size of ``base`` or ``large`` that reads prompts with mini's tokenizer and
    answers at random.
    """
    if size == "mini":
        return fnb.load("mini", device=device, dtype=dtype, attn_implementation=attention, quiet=True)
    mini = fnb.load("mini", device="cpu", quiet=True).processor
    words = mini.tokenizer
    eyes = CLIPImageProcessorPil(
        size={"height": SIDE, "width": SIDE}, crop_size={"height": SIDE, "width": SIDE}, do_center_crop=False,
        image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225], image_seq_length=IMAGE_TOKENS,
    )  # fmt: skip
    torch.manual_seed(0)
    model = Florence2ForConditionalGeneration(config(size, words.convert_tokens_to_ids("<image>")))
    model.set_attn_implementation(attention)
    model.generation_config.num_beams = 3
    return Florence(
        model.to(device, dtype).eval(),
        Florence2Processor(eyes, words, post_processor_config=mini.post_processor_config),
        size,
    )


def guide(
    florence: Florence, task_prompt: str, image: Any, text_input: str | None = None, **settings: Any
) -> list[int]:
    """The plain loop of lesson 03, written out: everything anew for every prompt. Returns the generated
    ids.
    """
    prompt = task_prompt if text_input is None else task_prompt + text_input
    inputs = florence.processor(text=prompt, images=image, return_tensors="pt").to(
        florence.device, florence.dtype
    )
    with torch.no_grad():
        ids = florence.model.generate(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            pixel_values=inputs["pixel_values"],
            do_sample=False,
            **settings,
        )
    text = florence.processor.batch_decode(ids, skip_special_tokens=False)[0]
    florence.processor.post_process_generation(text, task=task_prompt, image_size=image.size)
    return ids[0].tolist()
