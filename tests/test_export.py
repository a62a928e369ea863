"""Exported graphs answer as torch does, token for token, and without torch."""

import json
import shutil
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
    return folder, export_onnx(folder, progress=False)


@pytest.fixture(scope="module")
def ours(exported):
    return OnnxFlorence(exported[0], threads=1)


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
def test_each_task_is_answered_with_the_same_tokens(ours, florence, street, task):
    asked = INPUTS[TASKS[task].takes]
    answer = ours.run_example(task, street, asked)
    wanted = florence.run_example(task, street, asked, num_beams=1)
    assert answer.raw == wanted.raw and answer.token_ids == wanted.token_ids
    assert answer.labels == wanted.labels and np.allclose(answer.boxes, wanted.boxes)
    assert (answer.text_input, answer.truncated, answer.notes) == (asked, False, ())
    assert (answer.scores is None) == (wanted.scores is None)
    assert wanted.scores is None or np.allclose(answer.scores, wanted.scores, atol=1e-3)
    assert fnb.show(answer).size == fnb.show(wanted).size  # it knows its picture


def test_it_answers_without_torch(exported, florence, street, tmp_path):
    street.save(tmp_path / "street.png")
    command = [sys.executable, "-c", ALONE, str(exported[0]), str(tmp_path / "street.png")]
    answered = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert answered == florence.run_example("<OD>", street, num_beams=1).raw


@pytest.mark.parametrize("room", (1, 2, 4, 9))
def test_an_answer_is_cut_as_transformers_cuts_it(ours, florence, street, room):
    answer = ours.run_example("<OD>", street, max_new_tokens=room)
    wanted = florence.run_example("<OD>", street, num_beams=1, max_new_tokens=room)
    assert answer.token_ids == wanted.token_ids and answer.truncated and wanted.truncated


def test_no_run_of_tokens_comes_twice_where_a_checkpoint_forbids_it(ours, florence, street, monkeypatch):
    """The published checkpoints have ``no_repeat_ngram_size: 3``; mini has none, and repeats itself."""
    for size in (2, 1):
        monkeypatch.setitem(ours.generation, "no_repeat_ngram_size", size)
        answer = ours.run_example("<DENSE_REGION_CAPTION>", street, max_new_tokens=40)
        wanted = florence.run_example(
            "<DENSE_REGION_CAPTION>", street, num_beams=1, no_repeat_ngram_size=size, max_new_tokens=40
        )
        assert answer.token_ids == wanted.token_ids
    assert len(set(answer.token_ids[1:-1])) == len(answer.token_ids) - 2


def test_a_batch_with_padding_gives_the_same_states(ours):
    """Rows of different length, as transformers.js may send them: what is padded changes nothing."""
    graph = ours
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
    export_onnx(tmp_path / "tiny", tmp_path / "tiny", "float32", progress=False)  # beside its own weights
    florence = fnb.load(tmp_path / "tiny", quiet=True, dtype="float32")
    picture = np.random.default_rng(0).integers(0, 256, (50, 70, 3), np.uint8)
    answer = OnnxFlorence(tmp_path / "tiny").run_example("<CAPTION>", picture, max_new_tokens=20)
    wanted = florence.run_example("<CAPTION>", picture, num_beams=1, max_new_tokens=20)
    assert answer.token_ids == wanted.token_ids and len(answer.token_ids) == 21


def test_int8_is_smaller_and_sees_the_same_things(exported, florence, street, tmp_path):
    """It lies beside the float16 of the same folder."""
    folder = shutil.copytree(exported[0], tmp_path / "both")
    small = export_onnx(folder, precision="int8", progress=False)
    assert sum(small.bytes.values()) < 0.65 * sum(exported[1].bytes.values())
    answer = OnnxFlorence(folder, "int8", threads=1).run_example("<OD>", street)
    wanted = florence.run_example("<OD>", street, num_beams=1)
    assert answer.labels == wanted.labels and np.abs(answer.boxes - wanted.boxes).max() < 8
    assert json.loads((folder / "config.json").read_text())["transformers.js_config"] == {"dtype": "int8"}
    assert OnnxFlorence(folder).vision._model_path.endswith("vision_encoder_fp16.onnx")  # the more exact


def test_the_settings_are_those_that_transformers_js_reads(exported):
    """The prompts and kinds of answers of its Florence2Processor, and the precision that it loads."""
    images = json.loads((exported[0] / "preprocessor_config.json").read_text())
    assert images["processor_class"] == "Florence2Processor"
    assert images["image_processor_type"] == "CLIPImageProcessor"
    prompts = images["task_prompts_without_inputs"] | images["task_prompts_with_input"]
    assert prompts == {name: task.sentence for name, task in TASKS.items()}
    assert images["tasks_answer_post_processing_type"].keys() == TASKS.keys()
    config = json.loads((exported[0] / "config.json").read_text())
    assert config["transformers.js_config"] == {"dtype": "fp16"} and config["model_type"] == "florence2"


# ---- bad input


def test_an_unknown_precision(tmp_path):
    with pytest.raises(InputError, match="precision is 'int4', but must be one of: float32, float16, int8"):
        export_onnx(tmp_path, precision="int4")


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        export_onnx(tmp_path / "file" / "out")


def test_a_folder_without_graphs(tmp_path, exported):
    with pytest.raises(CheckpointError, match="has no graphs .*: write them with florence-nb export"):
        OnnxFlorence(tmp_path)
    with pytest.raises(CheckpointError, match="has no graphs of float32"):
        OnnxFlorence(exported[0], "float32")
    with pytest.raises(InputError, match="precision is 'half', but must be one of"):
        OnnxFlorence(exported[0], "half")


def test_broken_files_are_named(tmp_path, exported):
    shutil.copytree(exported[0], tmp_path / "copy")
    (tmp_path / "copy" / "onnx" / "embed_tokens_fp16.onnx").write_bytes(b"no graph")
    with pytest.raises(CheckpointError, match="cannot be read .*: write the folder again with"):
        OnnxFlorence(tmp_path / "copy", "float16")
    (tmp_path / "copy" / "config.json").unlink()
    with pytest.raises(CheckpointError, match="config.json cannot be read"):
        OnnxFlorence(tmp_path / "copy", "float16")


def test_a_wrong_question_is_refused_as_by_torch(ours, street):
    with pytest.raises(InputError, match="needs text_input"):
        ours.run_example("<CAPTION_TO_PHRASE_GROUNDING>", street)
    with pytest.raises(InputError, match=r"The prompt has \d+ tokens, but .* has room for 879"):
        ours.run_example("<CAPTION_TO_PHRASE_GROUNDING>", street, "a car " * 900)
    with pytest.raises(InputError, match="max_new_tokens is at least 1, not 0"):
        ours.run_example("<OD>", street, max_new_tokens=0)


def test_without_onnx(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(InputError, match="pip install onnx onnxruntime"):
        export_onnx(tmp_path)


def test_the_command_tells_a_wrong_checkpoint(tmp_path, capsys):
    assert main(["export", str(tmp_path / "out"), "--checkpoint", str(tmp_path / "nowhere")]) == 2
    assert "florence-nb export:" in capsys.readouterr().err
