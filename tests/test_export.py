"""Exported graphs answer as torch does, token for token, and without torch."""

import subprocess
import sys

import numpy as np
import pytest

import florence_nb as fnb
from florence_nb.cli import main
from florence_nb.errors import CheckpointError, InputError
from florence_nb.tasks import TASKS
from tests import tiny

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from florence_nb.export import OnnxFlorence, export_onnx  # noqa: E402

INPUTS = {"nothing": None, "phrase": "a car", "region": (40.0, 40.0, 200.0, 200.0)}
ALONE = """import sys
from florence_nb.export import OnnxFlorence
answer = OnnxFlorence(sys.argv[1]).run_example("<OD>", sys.argv[2])
assert "torch" not in sys.modules and "transformers" not in sys.modules
print(answer.raw)"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    return folder, export_onnx(folder)


@pytest.fixture(scope="module")
def florence():
    return fnb.load("mini", quiet=True)


@pytest.fixture(scope="module")
def street():
    return fnb.scenes.GALLERY["street"].image


def test_names_and_bytes_are_told(exported):
    folder, told = exported
    assert sorted(told.bytes) == [
        f"onnx/{name}_fp16.onnx"
        for name in ("decoder_model_merged", "embed_tokens", "encoder_model", "vision_encoder")
    ]
    assert {name: (folder / name).stat().st_size for name in told.bytes} == told.bytes
    assert 15e6 < sum(told.bytes.values()) < 20e6 and str(folder) in str(told)
    for name in ("config.json", "tokenizer.json", "preprocessor_config.json", "generation_config.json"):
        assert (folder / name).exists()


@pytest.mark.parametrize("task", TASKS)
def test_each_task_is_answered_with_the_same_tokens(exported, florence, street, task):
    asked = INPUTS[TASKS[task].takes]
    ours = OnnxFlorence(exported[0]).run_example(task, street, asked)
    wanted = florence.run_example(task, street, asked, num_beams=1)
    assert ours.raw == wanted.raw
    assert ours.labels == wanted.labels and np.allclose(ours.boxes, wanted.boxes)


def test_it_answers_without_torch(exported, florence, street, tmp_path):
    street.save(tmp_path / "street.png")
    command = [sys.executable, "-c", ALONE, str(exported[0]), str(tmp_path / "street.png")]
    answered = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert answered == florence.run_example("<OD>", street, num_beams=1).raw


def test_an_answer_may_be_cut(exported, street):
    answer = OnnxFlorence(exported[0]).run_example("<OD>", street, max_new_tokens=4)
    assert answer.truncated and answer.raw.count("<loc_") <= 3


def test_a_batch_with_padding_gives_the_same_states(exported):
    """Rows of different length, as transformers.js may send them: what is padded changes nothing."""
    graph = OnnxFlorence(exported[0])
    words = graph._embedded([0, 9, 12, 7, 2])
    (alone,) = graph.encoder.run(
        None, {"attention_mask": np.ones((1, 4), np.int64), "inputs_embeds": words[:, :4]}
    )
    mask = np.array([[1, 1, 1, 1, 0], [1, 1, 1, 1, 1]], np.int64)
    (both,) = graph.encoder.run(
        None, {"attention_mask": mask, "inputs_embeds": np.concatenate([words, words])}
    )
    assert np.abs(both[:1, :4] - alone).max() < 1e-4
    assert np.abs(both[1:, :4] - alone).max() > 1e-3


def test_another_size_is_exported_from_its_own_configuration(tmp_path):
    """A checkpoint of other depths and widths, with random weights."""
    processor = tiny.processor()
    model = tiny.model(processor.tokenizer, decoder_layers=3)
    model.save_pretrained(tmp_path / "tiny")
    processor.save_pretrained(tmp_path / "tiny")
    export_onnx(tmp_path / "out", tmp_path / "tiny", "float32")
    florence = fnb.load(tmp_path / "tiny", quiet=True, dtype="float32")
    picture = np.random.default_rng(0).integers(0, 256, (50, 70, 3), np.uint8)
    ours = OnnxFlorence(tmp_path / "out").run_example("<CAPTION>", picture, max_new_tokens=19)
    wanted = florence.run_example("<CAPTION>", picture, num_beams=1, max_new_tokens=20)
    assert wanted.raw == ours.raw + "</s>"  # transformers ends an answer that it cuts


def test_int8_is_smaller(exported, tmp_path):
    small = export_onnx(tmp_path, precision="int8")
    assert sum(small.bytes.values()) < 0.75 * sum(exported[1].bytes.values())


# ---- bad input


def test_an_unknown_precision(tmp_path):
    with pytest.raises(InputError, match="precision is 'int4', but must be one of: float32, float16, int8"):
        export_onnx(tmp_path, precision="int4")


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        export_onnx(tmp_path / "file" / "out")


def test_a_folder_without_graphs(tmp_path):
    with pytest.raises(CheckpointError, match="has no onnx/vision_encoder.onnx: write such a folder with"):
        OnnxFlorence(tmp_path)


def test_without_onnx(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(InputError, match="pip install onnx onnxruntime onnxscript"):
        export_onnx(tmp_path)


def test_the_command_tells_a_wrong_checkpoint(tmp_path, capsys):
    assert main(["export", str(tmp_path / "out"), "--checkpoint", str(tmp_path / "nowhere")]) == 2
    assert "florence-nb export:" in capsys.readouterr().err
