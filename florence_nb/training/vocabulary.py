"""The words of the mini checkpoint: a small byte-level BPE with Florence-2's special tokens, and the
processor around it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from ..scenes import COLOURS, KINDS, random_scene
from ..scenes.words import plural
from ..tasks import TASKS
from .sizes import IMAGE_TOKENS, SIDE

BASIC = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
LOCATION_TOKENS = tuple(f"<loc_{i}>" for i in range(1000))
MARKS = (
    "<od>",
    "</od>",
    "<ocr>",
    "</ocr>",
    *LOCATION_TOKENS,
    "<cap>",
    "</cap>",
    "<ncap>",
    "</ncap>",
    "<dcap>",
    "</dcap>",
    "<grounding>",
    "</grounding>",
    "<seg>",
    "</seg>",
    "<sep>",
    "<region_cap>",
    "</region_cap>",
    "<region_to_desciption>",
    "</region_to_desciption>",
    "<proposal>",
    "</proposal>",
    "<poly>",
    "</poly>",
    "<and>",
)
"""Florence-2's 1024 task tokens in its own order and spelling."""
IMAGE_MARK = "<image>"
WORDS_AND_BYTES = 700
"""Size of the byte-level part."""


def _texts() -> Iterator[str]:
    """What the model will read and say, without what is written on signs: letters there stay letters."""
    for row in TASKS.values():
        for _ in range(40):
            yield row.sentence.replace("{input}", " ")
    for kind in KINDS:
        for word in (kind, plural(kind), *(f"{colour} {kind}" for colour in COLOURS)):
            for text in _phrases(word):
                yield from (text,) * 4
    rng = random.Random(0)
    for seed in range(150):
        scene = random_scene(seed, clean=True, size=(96, 96), signs=0.0)
        for task in ("<CAPTION>", "<DETAILED_CAPTION>", "<MORE_DETAILED_CAPTION>"):
            yield scene.answer(task, rng=rng).removeprefix("</s><s>").removesuffix("</s>")
        yield "The sign says . The banner says . The number plate says ."


def _phrases(word: str) -> tuple[str, ...]:
    return (
        word,
        f" {word}",
        f"the largest {word} next to the {word}",
        f"smallest {word} on the left",
        f"biggest {word} on the right",
    )


def new_tokenizer():
    """The tokenizer, learned anew; always the same."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=WORDS_AND_BYTES,
        special_tokens=list(BASIC),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
        min_frequency=8,
    )
    backend.train_from_iterator(_texts(), trainer)
    backend.add_special_tokens(
        [AddedToken(mark, special=True, normalized=False) for mark in (*MARKS, IMAGE_MARK)]
    )
    backend.post_processor = processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 0), add_prefix_space=False, trim_offsets=False
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
        extra_special_tokens={"image_token": IMAGE_MARK},
        model_max_length=1024,
        clean_up_tokenization_spaces=False,
    )


def new_processor(tokenizer):
    """The native processor for pictures of `SIDE` pixels."""
    from transformers import CLIPImageProcessorPil, Florence2Processor

    images = CLIPImageProcessorPil(
        size={"height": SIDE, "width": SIDE},
        crop_size={"height": SIDE, "width": SIDE},
        resample=3,
        do_center_crop=False,
        do_convert_rgb=True,
        image_mean=[0.485, 0.456, 0.406],
        image_std=[0.229, 0.224, 0.225],
    )
    images.image_seq_length = IMAGE_TOKENS
    kinds_of_answer = (
        "ocr",
        "phrase_grounding",
        "pure_text",
        "description_with_bboxes",
        "description_with_polygons",
        "polygons",
        "bboxes",
        "description_with_bboxes_or_polygons",
    )
    return Florence2Processor(images, tokenizer, post_processor_config={name: {} for name in kinds_of_answer})
