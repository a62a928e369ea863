"""A tiny native Florence-2 with random weights, and its processor: for tests of the machinery, whatever the
answer says.

About 0.2 million parameters, pictures of 64x64 pixels, 2x2+1 image tokens, 160 positions. It has the real
classes, the real 1000 location tokens and a byte-level tokenizer; `Script` makes it answer what a test wants.
"""

from __future__ import annotations

from pathlib import Path

SIDE = 64
IMAGE_TOKENS = (SIDE // 32) ** 2 + 1
POSITIONS = 160
MARKS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "<sep>", "<poly>", "</poly>", "<and>", "<image>"]
POST_PROCESSING = (
    "bboxes description_with_bboxes description_with_bboxes_or_polygons description_with_polygons ocr"
    " phrase_grounding polygons pure_text"
).split()


def tokenizer():
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {mark: index for index, mark in enumerate(MARKS[:5])}
    for letter in sorted(pre_tokenizers.ByteLevel.alphabet()):
        vocabulary[letter] = len(vocabulary)
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    places = [f"<loc_{number}>" for number in range(1000)]
    backend.add_special_tokens(MARKS[:5] + places + MARKS[5:])
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
        extra_special_tokens={"image_token": "<image>"},
        model_max_length=POSITIONS,
    )


def processor():
    from transformers import CLIPImageProcessorPil, Florence2Processor

    images = CLIPImageProcessorPil(
        size={"height": SIDE, "width": SIDE},
        do_center_crop=False,
        image_mean=[0.485, 0.456, 0.406],
        image_std=[0.229, 0.224, 0.225],
    )
    images.image_seq_length = IMAGE_TOKENS
    return Florence2Processor(
        images, tokenizer(), post_processor_config={name: {} for name in POST_PROCESSING}
    )


def model(words, seed: int = 0, **text_config):
    """`words` is the tokenizer the model should speak; `text_config` makes another size of it."""
    import torch
    from transformers import Florence2Config, Florence2ForConditionalGeneration

    special = {
        "bos_token_id": words.bos_token_id,
        "pad_token_id": words.pad_token_id,
        "eos_token_id": words.eos_token_id,
        "decoder_start_token_id": words.eos_token_id,
        "forced_bos_token_id": words.bos_token_id,
        "forced_eos_token_id": words.eos_token_id,
    }
    config = Florence2Config(
        vision_config={
            "embed_dim": (16, 16, 32, 32),
            "depths": (1, 1, 1, 1),
            "num_heads": (2, 2, 2, 2),
            "num_groups": (2, 2, 2, 2),
            "window_size": 4,
            "projection_dim": 32,
            "drop_path_rate": 0.0,
        },
        text_config={
            "model_type": "bart",
            "vocab_size": len(words),
            "d_model": 32,
            "encoder_layers": 1,
            "decoder_layers": 1,
            "encoder_attention_heads": 2,
            "decoder_attention_heads": 2,
            "encoder_ffn_dim": 32,
            "decoder_ffn_dim": 32,
            "max_position_embeddings": POSITIONS,
            "init_std": 0.3,
            **special,
            **text_config,
        },
        image_token_id=words.image_token_id,
        **special,
    )
    torch.manual_seed(seed)
    made = Florence2ForConditionalGeneration(config).eval()
    for name, value in special.items():
        setattr(made.generation_config, name, value)
    return made


def save(folder: Path, seed: int = 0) -> Path:
    """A checkpoint folder as the real ones are: safetensors, config, tokenizer, processor."""
    made = processor()
    made.save_pretrained(folder)
    model(made.tokenizer, seed).save_pretrained(folder)
    return folder


class Script:
    """A logits processor that makes every row say ``raw``: Florence's answers to order."""

    def __init__(self, words, raw: str) -> None:
        self.ids = words(raw, add_special_tokens=False)["input_ids"]

    def __call__(self, input_ids, scores):
        step = input_ids.shape[1] - 1
        forced = scores.new_full(scores.shape, float("-inf"))
        forced[:, self.ids[min(step, len(self.ids) - 1)]] = 0.0
        return forced
