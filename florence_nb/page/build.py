"""Writes the page: as a folder for any web server, or as one HTML file that also opens from a disk."""

from __future__ import annotations

import base64
import html
import json
import re
import shutil
from pathlib import Path
from typing import Any

from ..checkpoints import find
from ..errors import CheckpointError, InputError
from .tables import NEEDS, as_module
from .world import pictures

SOURCES = Path(__file__).parent / "web"
MODULES = (
    "tables.js", "safetensors.js", "arithmetic.js", "florence2.js", "tokenizer.js", "picture.js",
    "parsing.js", "checkpoint.js", "worker.js", "files.js", "drawing.js", "signs.js", "scene.js", "truth.js",
    "challenges.js", "model.js", "stage.js", "page.js",
)  # fmt: skip
"""In the order in which one needs another."""
WORKER = MODULES[: MODULES.index("worker.js") + 1]
LARGEST = 200_000_000
"""Bytes of weights: twice as much is needed to run, and a phone gives a page little more than 500 MB."""

_PROCESSORS = ("processor_config.json", "preprocessor_config.json")
_FILES = ("config.json", "generation_config.json", "tokenizer.json", "model.safetensors")


def write_page(out: Path, checkpoint: str | Path = "mini", *, single: bool = False) -> Path:
    """Writes the page with the weights of a checkpoint, and returns the HTML file to open.

    Args:
        out: the folder to write into; with ``single`` a folder, or a file that ends in ``.html``.
        checkpoint: as in `load`: ``"mini"``, a folder, a hub id.
        single: one file with everything in it, that opens without a server, too.

    Raises:
        CheckpointError: the checkpoint is not here, or is one that the page cannot run.
        InputError: the page cannot be written there.
    """
    weights = checkpoint_files(find(checkpoint, quiet=True))
    try:
        return _write_single(out, weights) if single else _write_folder(out, weights)
    except OSError as error:
        raise InputError(
            f"The page cannot be written to {out} ({error.strerror}): name another place."
        ) from error


def checkpoint_files(folder: Path) -> dict[str, Path]:
    """The files of a checkpoint that the page reads, by name.

    Raises:
        CheckpointError: one is missing, or the page cannot run this checkpoint.
    """
    processor = next((name for name in _PROCESSORS if (folder / name).is_file()), _PROCESSORS[0])
    found = {name: folder / name for name in (*_FILES, processor)}
    missing = [name for name, path in found.items() if not path.is_file()]
    if missing:
        raise CheckpointError(
            f"The page needs {missing[0]}, which is not in {folder}: save the model and its processor there"
            " with save_pretrained (and max_shard_size='1GB', so that the weights are one file)."
        )
    if reason := why_not(found, processor):
        raise CheckpointError(f"The page cannot run {folder}: {reason}.")
    return found


def why_not(found: dict[str, Path], processor: str) -> str:
    """What in a checkpoint the page cannot run; "" if it can run it."""
    if (size := found["model.safetensors"].stat().st_size) > LARGEST:
        return (
            f"its weights have {size / 1e6:.0f} MB, and a browser has room for {LARGEST / 1e6:.0f} MB; save"
            " them as float16, or use mini"
        )
    settings = json.loads(found[processor].read_text(encoding="utf-8"))
    files = {
        "config": json.loads(found["config.json"].read_text(encoding="utf-8")),
        "images": settings.get("image_processor", settings),
    }
    for path, wanted in NEEDS:
        if (value := _at(files, path)) != wanted:
            return f"{path} is {json.dumps(value)}, and only {json.dumps(wanted)} is built in"
    return _odd_sizes(files["config"], files["images"])


def _at(files: dict[str, Any], path: str) -> Any:
    value: Any = files
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _odd_sizes(config: dict[str, Any], images: dict[str, Any]) -> str:
    size, vision, text = images.get("size", {}), config["vision_config"], config["text_config"]
    if not size.get("height") or size.get("height") != size.get("width"):
        return f"its pictures are {json.dumps(size)}, and only squares are built in"
    parts = [*zip(vision["embed_dim"], vision["num_heads"]), *zip(vision["embed_dim"], vision["num_groups"])]
    parts += [(text["d_model"], text[f"{side}_attention_heads"]) for side in ("encoder", "decoder")]
    widths = [vision["window_size"] ** 2, *(width / count for width, count in parts)]
    odd = [width for width in widths if width % 8]
    return f"heads, groups and windows must be multiples of 8 wide, and one is {odd[0]:g}" if odd else ""


def _contents(weights: dict[str, Path]) -> dict[str, bytes]:
    """Everything but the checkpoint: file name -> bytes."""
    sources = {path.name: path.read_bytes() for path in sorted(SOURCES.iterdir()) if path.is_file()}
    return {**sources, "tables.js": as_module(weights).encode(), **pictures()}


def _write_folder(out: Path, weights: dict[str, Path]) -> Path:
    (out / "checkpoint").mkdir(parents=True, exist_ok=True)
    for name, content in _contents(weights).items():
        (out / name).write_bytes(content)
    for name, path in weights.items():
        shutil.copyfile(path, out / "checkpoint" / name)
    return out / "index.html"


def _write_single(out: Path, weights: dict[str, Path]) -> Path:
    target = out if out.suffix == ".html" else out / "florence-2.html"
    target.parent.mkdir(parents=True, exist_ok=True)
    contents = _contents(weights)
    files = {name: contents[name] for name in contents if name.endswith((".webp", ".png", ".wasm"))}
    files |= {f"checkpoint/{name}": path.read_bytes() for name, path in weights.items()}
    page = contents["index.html"].decode()
    page = page.replace(
        '<link rel="stylesheet" href="page.css">', f"<style>\n{contents['page.css'].decode()}</style>"
    )
    scripts = [_data(name, content) for name, content in files.items()]
    scripts.append(_script("", 'id="worker" type="text/plain"', bundle(contents, WORKER)))
    scripts.append(_script("", "", bundle(contents, [name for name in MODULES if name != "worker.js"])))
    page = page.replace('<script type="module" src="page.js"></script>', "\n".join(scripts))
    target.write_text(page, encoding="utf-8")
    return target


def _data(name: str, content: bytes) -> str:
    return _script(name, 'type="text/plain"', base64.b64encode(content).decode())


def _script(name: str, attributes: str, text: str) -> str:
    named = f' data-file="{html.escape(name)}"' if name else ""
    return f"<script{named} {attributes}>{text}</script>".replace(" >", ">", 1)


_IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./([^"]+)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?(?:function|class|const) (\w+))", re.MULTILINE)


def bundle(contents: dict[str, bytes], names: list[str] | tuple[str, ...]) -> str:
    """Modules as one classic script: a browser loads no modules from a disk."""
    parts = ["const modules = {};"]
    for name in names:
        source = contents[name].decode()
        exported = ", ".join(match[2] for match in _EXPORT.finditer(source))
        source = _IMPORT.sub(lambda match: f'const {match[1]} = modules["{match[2]}"];', source)
        source = _EXPORT.sub(r"\1", source).replace("</script", "<\\/script")
        parts.append(f'modules["{name}"] = (() => {{\n{source}\nreturn {{ {exported} }};\n}})();')
    return "(() => {\n" + "\n".join(parts) + "\n})();"
