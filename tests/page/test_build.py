"""What `florence-nb page` writes, and which checkpoints it refuses."""

import json
import re
import shutil
from pathlib import Path

import pytest

from florence_nb import CheckpointError, cli
from florence_nb.checkpoints import MINI_FOLDER
from florence_nb.drawing import colour_of
from florence_nb.page import build
from florence_nb.page.tables import NEEDS, tables
from tests.ci import kernel

LARGEST = 18_600_000


def test_the_kernel_is_what_its_source_says():
    pytest.importorskip("wasmtime", reason="the assembler wasmtime is not here: pip install wasmtime")
    source = (build.SOURCES / "kernel.wat").read_text(encoding="utf-8")
    assert kernel.assemble(source) == (build.SOURCES / "kernel.wasm").read_bytes()


def test_the_kernel_multiplies(node, page_folder):
    worst = node("kernel.mjs", page_folder)
    assert len(worst) == 5 and max(worst.values()) < 1e-5


def test_the_weights_are_copied_as_they_are(page_folder):
    for name in ("model.safetensors", "config.json", "tokenizer.json"):
        assert (page_folder / "checkpoint" / name).read_bytes() == (MINI_FOLDER / name).read_bytes()
    assert sum(path.stat().st_size for path in page_folder.rglob("*") if path.is_file()) < LARGEST


def test_every_module_is_bundled_after_those_it_needs(page_folder):
    written = {path.name for path in page_folder.glob("*.js")}
    assert written == set(build.MODULES)
    for name in build.MODULES:
        needed = re.findall(r'from "\./(.+?)"', (page_folder / name).read_text(encoding="utf-8"))
        assert all(build.MODULES.index(one) < build.MODULES.index(name) for one in needed), name


def test_no_file_of_the_page_names_an_address(page_folder):
    for path in [*page_folder.glob("*.js"), *page_folder.glob("*.html"), *page_folder.glob("*.css")]:
        assert not re.search(r"(?:https?:)?//[\w-]+\.\w", path.read_text(encoding="utf-8")), path.name


def test_the_command_writes_one_file(tmp_path, capsys):
    assert cli.main(["page", str(tmp_path / "mini.html"), "--single"]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "mini.html")
    text = (tmp_path / "mini.html").read_text(encoding="utf-8")
    assert len(text) < 24_800_000
    assert "import " not in re.sub(r"(?s)/\*.*?\*/", "", text.split("<script>")[-1]).split("(() =>")[0]


@pytest.fixture
def checkpoint(tmp_path) -> Path:
    folder = tmp_path / "checkpoint"
    shutil.copytree(MINI_FOLDER, folder)
    return folder


def change(file: Path, path: str, value: object) -> None:
    content = inner = json.loads(file.read_text(encoding="utf-8"))
    *way, last = path.split(".")
    for key in way:
        inner = inner[key]
    inner[last] = value
    file.write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize("path, wanted", NEEDS, ids=lambda value: str(value))
def test_a_checkpoint_with_another_setting_is_refused(checkpoint, tmp_path, path, wanted):
    file, inner = path.split(".", 1)
    target, inner = (
        ("config.json", inner) if file == "config" else ("processor_config.json", f"image_processor.{inner}")
    )
    change(checkpoint / target, inner, "other")
    with pytest.raises(CheckpointError, match=re.escape(path)):
        build.write_page(tmp_path / "page", checkpoint)
    assert not (tmp_path / "page").exists()


def test_other_refusals_name_their_reason(checkpoint, tmp_path, monkeypatch, capsys):
    change(checkpoint / "config.json", "text_config.decoder_attention_heads", 16)
    with pytest.raises(CheckpointError, match="multiples of 8 wide, and one is 12"):
        build.write_page(tmp_path / "page", checkpoint)
    change(checkpoint / "config.json", "text_config.decoder_attention_heads", 6)
    change(checkpoint / "processor_config.json", "image_processor.size", {"height": 288, "width": 300})
    with pytest.raises(CheckpointError, match="only squares"):
        build.write_page(tmp_path / "page", checkpoint)
    (checkpoint / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="model.safetensors, which is not in"):
        build.write_page(tmp_path / "page", checkpoint)
    monkeypatch.setattr(build, "LARGEST", 1_000_000)
    assert cli.main(["page", str(tmp_path / "page")]) == 2
    assert "a browser has room for 1 MB" in capsys.readouterr().err


def test_a_label_has_the_colour_that_it_has_in_a_notebook(node, page_folder):
    labels = ["car", "the red car", "CAFÉ", "写真"]
    wanted = {label: "#{:02x}{:02x}{:02x}".format(*colour_of(label)) for label in labels}
    assert node("colours.mjs", page_folder, json.dumps(labels)) == wanted


def test_the_tables_say_what_python_says():
    said = tables({})
    assert len(said["TASKS"]) == 15 and said["BINS"] == 1000
    assert len(said["WORLD"]["KINDS"]) == 33 and len(said["WORLD"]["SCENES"]) == 9
    json.dumps(said)
