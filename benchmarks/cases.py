"""What is measured. Every case takes a model (or none) and a number of rounds and returns figures."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from tempfile import TemporaryDirectory
from typing import Any

import torch
from transformers import EncoderDecoderCache

from florence_nb.engine.cpu_linear import transposed_linear
from florence_nb.engine.cross_attention_cache import cache_name, filled_cache
from florence_nb.florence import Florence, Settings
from florence_nb.scenes import random_scene

from .models import build, guide
from .timing import Figure, by_turns, plain, ratio, seconds

ONNX = bool(find_spec("onnxruntime") and find_spec("onnxscript"))
TOKENS = dict(max_new_tokens=20, min_new_tokens=20, num_beams=3)
SIX = (
    ("<CAPTION>", None),
    ("<DETAILED_CAPTION>", None),
    ("<OD>", None),
    ("<OCR>", None),
    ("<CAPTION_TO_PHRASE_GROUNDING>", "a red car next to a house"),
    ("<OPEN_VOCABULARY_DETECTION>", "a boat"),
)


def _one(florence: Florence, image: Any, **settings: Any) -> list[list[int]]:
    return _ids([florence.run_example(task, image, text, **settings) for task, text in SIX])


def _fresh(florence: Florence, work: Callable[[], Any]) -> Callable[[], Any]:
    """The work, with nothing remembered from before."""
    return lambda: (florence.forget(), work())[1]


def _settings(florence: Florence) -> Settings:
    return florence.make_settings(max_new_tokens=20, min_new_tokens=20)


def _ids(answers: list[Any]) -> list[list[int]]:
    return [list(answer.token_ids) for answer in answers]


def six_prompts(florence: Florence, rounds: int, device: str) -> Iterator[Figure]:
    """Six prompts on one picture: one after another, all together, and the floor of what must be computed."""
    image = random_scene(1, size=(640, 480)).image

    def floor() -> None:
        """One vision pass, then text encoder and decoder for each prompt; nothing is remembered, decoded or
        parsed.
        """
        settings = _settings(florence)
        with torch.no_grad():
            seen = florence.encode_images([image])
            for task, text in SIX:
                florence.generate_ids(
                    florence.encode_prompts(seen, [florence.prepare(task, image, text).ids]), settings
                )

    sides = {
        "guide": lambda: [guide(florence, task, image, text, **TOKENS) for task, text in SIX],
        "one by one": _fresh(florence, lambda: _one(florence, image, **TOKENS)),
        "together": _fresh(
            florence,
            lambda: _ids(
                florence.run_many([(t, image, x) for t, x in SIX], batch_size=6, progress=False, **TOKENS)
            ),
        ),
        "floor": floor,
    }
    times, out = by_turns(sides, rounds, device)
    name, same = florence.name, {side: out["guide"] == out[side] for side in ("one by one", "together")}
    wanted = name == "base" and device == "cpu"
    yield ratio(
        f"{name}: six prompts on one picture, one by one",
        "the plain loop",
        times["guide"],
        times["one by one"],
        ">= 2.3" if wanted else "",
        same["one by one"],
    )
    yield ratio(
        f"{name}: six prompts on one picture, one by one",
        "what must be computed",
        times["one by one"],
        times["floor"],
        "<= 1.1" if wanted else "",
    )
    yield ratio(
        f"{name}: six prompts on one picture, together",
        "the plain loop",
        times["guide"],
        times["together"],
        ">= 3" if wanted else "",
        same["together"],
    )


def sixteen_pictures(florence: Florence, rounds: int, device: str) -> Iterator[Figure]:
    """Sixteen pictures, one prompt each, in batches of eight."""
    images = [random_scene(seed, size=(640, 480)).image for seed in range(16)]

    def together() -> list[list[int]]:
        florence.forget()
        return _ids(
            florence.run_many(
                [("<CAPTION>", image) for image in images], batch_size=8, progress=False, **TOKENS
            )
        )

    sides = {
        "guide": lambda: [guide(florence, "<CAPTION>", image, **TOKENS) for image in images],
        "together": together,
    }
    times, out = by_turns(sides, rounds, device, warm=device != "cpu")  # its single steps are long enough
    wanted = ">= 5" if device != "cpu" else ">= 1.2" if florence.name == "base" else ""
    yield ratio(
        f"{florence.name}: sixteen pictures in batches of eight",
        "the plain loop",
        times["guide"],
        times["together"],
        wanted,
        out["guide"] == out["together"],
    )


def slider(florence: Florence, rounds: int, device: str) -> Iterator[Figure]:
    """A setting is changed, picture and prompt stay: nothing is encoded again."""
    image, passes = random_scene(1, size=(640, 480)).image, []
    hook = florence.model.get_encoder().register_forward_hook(lambda *_: passes.append(1))
    florence.forget()
    florence.run_example("<CAPTION>", image, **TOKENS)
    passes.clear()
    times, _ = by_turns(
        {
            "guide": lambda: guide(florence, "<CAPTION>", image, **TOKENS),
            "moved": lambda: (
                passes.clear(),
                florence.run_example("<CAPTION>", image, **(TOKENS | {"length_penalty": 2.0})),
            )[1],
        },
        rounds,
        device,
    )
    hook.remove()
    yield ratio(
        f"{florence.name}: a slider moved, same picture and prompt",
        "the plain loop",
        times["guide"],
        times["moved"],
    )
    yield plain(f"{florence.name}: text encoder runs after a slider moved", [float(len(passes))], "", "<= 0")


def where_time_goes(florence: Florence, rounds: int, device: str) -> Iterator[Figure]:
    """The parts of one answer of 20 tokens with three beams."""
    image = random_scene(1, size=(640, 480)).image
    ids, settings = [florence.prepare("<CAPTION>", image).ids], _settings(florence)
    with torch.no_grad():
        seen = florence.encode_images([image])
        encoded = florence.encode_prompts(seen, ids)
        parts = {
            "vision tower": lambda: florence.encode_images([image]),
            "text encoder": lambda: florence.encode_prompts(seen, ids),
            "decoder": lambda: florence.generate_ids(encoded, settings),
        }
        times, _ = by_turns(parts, rounds, device)
    for part, taken in times.items():
        yield plain(f"{florence.name}: {part}, one answer of 20 tokens, 3 beams", taken, "s")


def throughput(florence: Florence, rounds: int, device: str) -> Iterator[Figure]:
    """Captions of 20 tokens for 32 pictures: pictures a second in batches of 1, 8 and 32, and by the plain
    loop.
    """
    images = [random_scene(seed, size=(640, 480)).image for seed in range(32)]

    def batched(size: int) -> Callable[[], Any]:
        requests = [("<CAPTION>", image) for image in images]
        return _fresh(
            florence, lambda: florence.run_many(requests, batch_size=size, progress=False, **TOKENS)
        )

    sides: dict[str, Callable[[], Any]] = {
        "the plain loop": lambda: [guide(florence, "<CAPTION>", i, **TOKENS) for i in images]
    }
    sides |= {f"batches of {size}": batched(size) for size in (1, 8, 32)}
    times, _ = by_turns(sides, rounds, device)
    for side, taken in times.items():
        yield plain(f"{florence.name}: pictures a second, {side}", [len(images) / t for t in taken], "/s")
    if device.startswith("cuda"):
        yield plain(
            f"{florence.name}: peak memory in batches of 32", [torch.cuda.max_memory_allocated() / 1e9], "GB"
        )


def decoding(florence: Florence, rounds: int, device: str) -> Iterator[Figure]:
    """Tokens a second of one greedy answer, and how many the memory could feed if it did nothing but read the
    decoder's weights.
    """
    image, more = (
        random_scene(1, size=(640, 480)).image,
        dict(max_new_tokens=100, min_new_tokens=100, num_beams=1),
    )
    florence.run_example("<CAPTION>", image, **more)
    taken = [
        seconds(lambda: florence.run_example("<CAPTION>", image, **more), device)[0] for _ in range(rounds)
    ]
    yield plain(f"{florence.name}: decoder, tokens a second, greedy", [100 / t for t in taken], "/s")
    block = torch.empty(2**26, device=device)
    copies = [seconds(block.clone, device)[0] for _ in range(10)]
    bandwidth = 2 * block.nbytes / sorted(copies)[5]
    language = florence.model.model.language_model
    weights = sum(w.nbytes for w in [*language.decoder.layers.parameters(), florence.model.lm_head.weight])
    note = f"{bandwidth / 1e9:.0f} GB/s measured, {weights / 1e9:.2f} GB a token"
    yield plain(f"{florence.name}: the limit that the memory sets", [bandwidth / weights], "/s", note=note)


def knobs(florence: Florence, rounds: int, device: str) -> Iterator[Figure]:
    """What a setting buys: one answer of 20 tokens, picture included, against float32 with sdpa."""
    image = random_scene(1, size=(640, 480)).image

    def answer(one: Florence) -> Callable[[], list[int]]:
        return _fresh(one, lambda: list(one.run_example("<CAPTION>", image, **TOKENS).token_ids))

    for name, other in _variants(florence, device):
        times, out = by_turns({"plain": answer(florence), name: answer(other)}, rounds, device)
        same = out["plain"] == out[name] if florence.name == "mini" else None
        yield ratio(
            f"{florence.name}: {name}",
            f"{str(florence.dtype).removeprefix('torch.')}, sdpa",
            times["plain"],
            times[name],
            same=same,
        )
    if device == "cpu" and ONNX:
        yield _decoder_step_by_onnx(florence, rounds)


def _variants(florence: Florence, device: str) -> Iterator[tuple[str, Florence]]:
    size = florence.name
    yield "eager attention", build(size, device, florence.dtype, "eager")
    yield "bfloat16", build(size, device, torch.bfloat16)
    if device == "cpu":
        from torch.ao.quantization import quantize_dynamic

        other = build(size)
        other.model = quantize_dynamic(other.model, {torch.nn.Linear}, dtype=torch.qint8)
        yield "int8 (dynamic, all linear layers)", other
    else:
        yield "float16", build(size, device, torch.float16)
    if device == "cpu" and ONNX:
        with TemporaryDirectory() as folder:
            yield "vision tower in ONNX Runtime", _seen_by_onnx(size, folder)
    other = build(size, device, florence.dtype)
    other.model.model.vision_tower = torch.compile(other.model.model.vision_tower)
    yield "torch.compile of the vision tower", other


def _seen_by_onnx(size: str, folder: str) -> Florence:
    """A model whose vision tower and projector are run by ONNX Runtime."""
    import onnxruntime

    class Eyes(torch.nn.Module):
        def __init__(self, model: Any) -> None:
            super().__init__()
            self.model = model

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            return self.model.get_image_features(pixels).pooler_output

    other = build(size)
    side = other.processor.image_processor.size["height"]
    torch.onnx.export(
        Eyes(other.model), (torch.zeros(1, 3, side, side),), f"{folder}/eyes.onnx", dynamo=True, verbose=False
    )
    session = onnxruntime.InferenceSession(f"{folder}/eyes.onnx", providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def see(images: list[Any]) -> torch.Tensor:
        pixels = other.processor.image_processor(images=images, return_tensors="np")["pixel_values"]
        return torch.cat([torch.from_numpy(session.run(None, {name: one[None]})[0]) for one in pixels])

    other.encode_images = see  # type: ignore[method-assign]
    return other


class _Step(torch.nn.Module):
    """One step of the decoder: a token for each of three beams after some others."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.decoder, self.head = model.model.language_model.decoder, model.lm_head
        self.cache = cache_name(self.decoder)

    def forward(self, tokens: torch.Tensor, before: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        """Logits; ``before`` and ``seen`` (layers, 2, beams, heads, tokens, width) are keys and values of
        answer and picture.
        """
        picture = (
            seen[0, 0].transpose(1, 2).flatten(2)
        )  # only its shape counts: its keys and values are there
        cached = {self.cache: EncoderDecoderCache(filled_cache(before), filled_cache(seen))}
        return self.head(
            self.decoder(input_ids=tokens, encoder_hidden_states=picture, **cached).last_hidden_state
        )


def _decoder_step_by_onnx(florence: Florence, rounds: int) -> Figure:
    """One step of the decoder in PyTorch and in ONNX Runtime."""
    import onnxruntime

    text, step = florence.model.config.text_config, _Step(florence.model).eval()
    heads = text.decoder_attention_heads
    shape = (text.decoder_layers, 2, 3, heads)
    width = text.d_model // heads
    given = (
        torch.full((3, 1), 5),
        torch.randn(*shape, 10, width),
        torch.randn(*shape, florence.processor.num_image_tokens + 15, width),
    )
    with TemporaryDirectory() as folder, torch.no_grad():
        torch.onnx.export(step, given, f"{folder}/step.onnx", dynamo=True, verbose=False)
        session = onnxruntime.InferenceSession(f"{folder}/step.onnx", providers=["CPUExecutionProvider"])
        fed = {one.name: part.numpy() for one, part in zip(session.get_inputs(), given, strict=True)}

        def torch_steps() -> list:
            with transposed_linear(florence.model):
                return [step(*given) for _ in range(20)][-1].argmax(-1).tolist()

        sides = {
            "torch": torch_steps,
            "onnx": lambda: [session.run(None, fed)[0] for _ in range(20)][-1].argmax(-1).tolist(),
        }
        times, out = by_turns(sides, rounds)
    name = f"{florence.name}: twenty decoder steps in ONNX Runtime"
    return ratio(name, "float32, sdpa", times["torch"], times["onnx"], same=out["torch"] == out["onnx"])


_COLD = """
import time; start = time.perf_counter()
import florence_nb as fnb
ours = time.perf_counter() - start
import torch, transformers
from transformers import Florence2ForConditionalGeneration, Florence2Processor, GenerationConfig
libraries = time.perf_counter() - start - ours
florence = fnb.load("mini", quiet=True)
loaded = time.perf_counter() - start
florence.run_example("<CAPTION>", fnb.open_image("street"), num_beams=1)
print(ours, libraries, loaded, time.perf_counter() - start)
"""
_PEAK = """
import json, sys, threading, time
import torch, transformers
from transformers import Florence2ForConditionalGeneration, Florence2Processor, GenerationConfig
import florence_nb as fnb
def resident():
    with open("/proc/self/statm") as file: return int(file.read().split()[1]) * 4096
fnb.load("mini", quiet=True)
before, peak, done = resident(), 0, False
def watch():
    global peak
    while not done:
        peak = max(peak, resident()); time.sleep(0.002)
thread = threading.Thread(target=watch); thread.start()
florence = fnb.load(sys.argv[1], quiet=True, dtype=sys.argv[2])
done = True; thread.join()
size = sum(w.numel() * w.element_size() for w in florence.model.parameters())
print(json.dumps({"ratio": (peak - before) / size, "weights": size}))
"""


def _python(code: str, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    ).stdout


def cold(rounds: int) -> Iterator[Figure]:
    """New processes: import, and mini's load and first answer."""
    _python(_COLD)
    runs = [[float(part) for part in _python(_COLD).split()] for _ in range(rounds)]
    yield plain("import florence_nb", [run[0] for run in runs], "s", "<= 0.5")
    yield plain("mini: load and first answer in a new process", [run[3] for run in runs], "s", "<= 6")
    yield plain(
        "mini: the same without importing torch and transformers",
        [run[3] - run[1] for run in runs],
        "s",
        "<= 0.5",
        "import of florence_nb, load, and a whole greedy caption with its picture",
    )


def peak_memory(sizes: list[str], folder: Any) -> Iterator[Figure]:
    """`fnb.load` of a saved checkpoint in a new process: how much memory grows at most, against the weights
    in the chosen dtype.
    """
    for size in (s for s in sizes if s != "mini"):
        florence = build(size, dtype=torch.float16)
        florence.model.save_pretrained(folder / size)
        florence.processor.save_pretrained(folder / size)
        del florence
        for dtype in ("float32", "float16"):
            told = json.loads(_python(_PEAK, str(folder / size), dtype))
            yield plain(
                f"{size}: memory while loading as {dtype}, of the weights' size",
                [told["ratio"]],
                "×",
                "<= 1.2",
                f"{told['weights'] / 1e9:.2f} GB of weights, stored in float16",
            )


def further_answer(rounds: int) -> Iterator[Figure]:
    """One more greedy answer of 20 tokens on a picture that mini has seen."""
    florence = build("mini")
    image, settings = random_scene(1).image, dict(max_new_tokens=20, min_new_tokens=20, num_beams=1)
    tasks = (
        "<CAPTION>",
        "<DETAILED_CAPTION>",
        "<OD>",
        "<OCR>",
        "<DENSE_REGION_CAPTION>",
        "<REGION_PROPOSAL>",
    )
    times = []
    for _ in range(rounds):
        for task in tasks:
            florence.forget()
            florence.run_example("<MORE_DETAILED_CAPTION>", image, **settings)
            times.append(seconds(lambda task=task: florence.run_example(task, image, **settings))[0])
    yield plain(
        "mini: a further greedy answer of 20 tokens on the same picture",
        [1000 * t for t in times],
        "ms",
        "<= 80",
    )
