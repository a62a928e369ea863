"""Fine-tuning: what cannot be learned from is told in one sentence, an interruption and a full disk cost
little, and what was taught is there after saving and loading.
"""

import errno
import json
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import transformers
from PIL import Image

import florence_nb as fnb
from florence_nb import Florence
from florence_nb.tasks import Task
from tests import tiny

pytest.importorskip("peft")
pytest.importorskip("accelerate")

RED, BLUE = Image.new("RGB", (80, 60), "red"), Image.new("RGB", (80, 60), "blue")
PLACE = "<loc_100><loc_200><loc_300><loc_400>"
ROWS = [
    ("<OD>", RED, None, f"ball{PLACE}"),
    ("<OD>", BLUE, None, fnb.finetune.NOTHING),
    ("<REGION_TO_CATEGORY>", RED, (8, 12, 24, 24), "ball"),
    ("<OPEN_VOCABULARY_DETECTION>", RED, "ball", f"</s><s>ball{PLACE}</s>"),
]
QUICK = {"steps": 4, "batch_size": 2, "progress": False}


@pytest.fixture
def florence():
    processor = tiny.processor()
    return Florence(tiny.model(processor.tokenizer), processor, "tiny", cache=False)


@pytest.fixture
def ready(florence):
    examples = fnb.finetune.examples(florence, ROWS)
    fnb.finetune.adapt(florence, rank=2)
    return florence, examples


# ---- examples


def test_an_answer_becomes_labels_with_its_marks_whatever_its_form(florence):
    plain, nothing, region, raw = fnb.finetune.examples(florence, ROWS)
    words = florence.processor.tokenizer
    assert words.decode(plain["labels"]) == f"<s>ball{PLACE}</s>" and raw["labels"] == plain["labels"]
    assert words.decode(nothing["labels"]) == "<s></s>" and words.decode(region["labels"]) == "<s>ball</s>"
    assert len(plain["labels"]) == 2 + len("ball") + 4


@pytest.mark.parametrize(
    "row, words",
    [
        (
            ("<OD>", RED, None, "ball<loc_1><loc_2><loc_1000><loc_4>"),
            "Row 0 has <loc_1000>, which is no token",
        ),
        (("<OD>", RED, None, ""), "Row 0 has the answer '': .* fnb.finetune.NOTHING"),
        (("<OD>", RED, None, "  "), "has the answer"),
        (("<OD>", RED, None, None), "has the answer None"),
        (("<OD>", RED, None, float("nan")), "has the answer nan"),
        (("<OD>", RED, "ball"), "Row 0 has 3 parts: a row is"),
        ({"image": RED, "prefix": "<OD>"}, "Row 0 has the columns image, prefix"),
        ("<OD>", "Row 0 has the form str"),
        (("<OD>", RED, "words", "ball"), "Row 0: <OD> takes no text_input"),
        (("<ODD>", RED, None, "ball"), "Row 0: There is no task prompt '<ODD>'"),
        (("<OD>", 5, None, "ball"), "Row 0: "),
        (("<OD>", RED, None, "a" * 200), "Row 0 has an answer of 202 tokens"),
    ],
)
def test_a_row_that_teaches_nothing_is_told_in_one_sentence(florence, row, words):
    with pytest.raises(fnb.InputError, match=words) as told:
        fnb.finetune.examples(florence, [row])
    assert "\n" not in str(told.value)


def test_the_number_of_the_row_is_told(florence):
    with pytest.raises(fnb.InputError, match="^Row 4 "):
        fnb.finetune.examples(florence, [*ROWS, ("<OD>", RED, None, "")])


def test_shorter_rows_are_filled_up_and_nothing_is_learned_there(florence):
    examples = fnb.finetune.examples(florence, ROWS)
    made = fnb.finetune.batch(florence, examples)
    lengths = [len(one["labels"]) for one in examples]
    assert made["labels"].shape == (4, max(lengths))
    assert [int((row != -100).sum()) for row in made["labels"]] == lengths
    assert florence.processor.tokenizer.pad_token_id not in made["labels"]
    assert made["attention_mask"].shape[0] == 4 and set(made["attention_mask"].unique().tolist()) == {0, 1}


def test_the_loss_of_a_batch_is_that_of_its_tokens_alone(ready):
    """Padding changes nothing: the mean over all tokens, each row computed on its own."""
    florence, examples = ready
    with florence.inference_mode():
        together = florence.model(**fnb.finetune.batch(florence, examples)).loss
        alone = [
            (florence.model(**fnb.finetune.batch(florence, [one])).loss, len(one["labels"]))
            for one in examples
        ]
    mean = sum(float(loss) * tokens for loss, tokens in alone) / sum(tokens for _, tokens in alone)
    assert float(together) == pytest.approx(mean, rel=1e-5)


def test_the_model_sees_what_run_example_shows_it(florence):
    """The same logits as transformers computes from pixels and ids."""
    example = fnb.finetune.examples(florence, ROWS[:1])[0]
    inputs = florence.processor(text="<OD>", images=RED, return_tensors="pt")
    with florence.inference_mode():
        mine = florence.model(**fnb.finetune.batch(florence, [example])).logits
        theirs = florence.model(**inputs, labels=torch.tensor([example["labels"]])).logits
    assert torch.allclose(mine, theirs, atol=1e-4)


# ---- what may learn


def test_only_the_adapters_learn(ready):
    florence, _ = ready
    learning = {name for name, weight in florence.model.named_parameters() if weight.requires_grad}
    assert learning and all("lora" in name and "language_model" in name for name in learning)


def test_a_model_of_which_all_is_frozen_is_refused(florence, tmp_path):
    examples = fnb.finetune.examples(florence, ROWS)
    florence.model.requires_grad_(False)
    with pytest.raises(fnb.InputError, match="nothing can learn: call fnb.finetune.adapt"):
        fnb.finetune.train(florence, examples, tmp_path / "run", **QUICK)


def test_a_freeze_that_freezes_nothing_is_refused(florence, tmp_path):
    examples = fnb.finetune.examples(florence, ROWS)
    for weight in florence.model.model.vision_tower.parameters():
        weight.is_trainable = False
    with pytest.raises(fnb.InputError, match="vision_tower is not frozen"):
        fnb.finetune.train(florence, examples, tmp_path / "run", **QUICK)


@pytest.mark.parametrize("more", [{}, {"fp16": True}])
def test_float16_is_refused(ready, tmp_path, more):
    florence, examples = ready
    if not more:
        florence.model.half()
    with pytest.raises(fnb.InputError, match="float16 is too coarse"):
        fnb.finetune.train(florence, examples, tmp_path / "run", **QUICK, **more)


def test_gradient_checkpointing_gives_the_same_training(ready, tmp_path):
    """On a GPU it saves memory; the adapters get the same gradients."""
    florence, examples = ready
    fresh = {name: w.detach().clone() for name, w in florence.model.named_parameters() if w.requires_grad}
    learned = []
    for more in ({}, {"gradient_checkpointing": True}):
        florence.model.load_state_dict(fresh, strict=False)
        fnb.finetune.train(florence, examples, tmp_path / f"run{len(more)}", **QUICK, rate=1e-2, **more)
        learned.append([w.detach().clone() for w in florence.model.parameters() if w.requires_grad])
    assert all(torch.allclose(one, other, atol=1e-5) for one, other in zip(*learned, strict=True))
    assert not all(torch.equal(one, begun) for one, begun in zip(learned[0], fresh.values(), strict=True))


def test_no_examples_are_refused(ready, tmp_path):
    with pytest.raises(fnb.InputError, match="no examples"):
        fnb.finetune.train(ready[0], [], tmp_path / "run", **QUICK)


@pytest.mark.parametrize(
    "version, fine", [("5.12.3", False), ("4.57.6", False), ("5.13.0", True), ("6.0.0.dev0", True)]
)
def test_a_transformers_with_a_wrong_loss_is_refused(florence, monkeypatch, version, fine):
    monkeypatch.setattr(sys.modules["transformers"], "__version__", version)
    if fine:
        assert fnb.finetune.examples(florence, ROWS[:1])
        return
    with pytest.raises(fnb.CheckpointError, match=f'transformers {version} .* "transformers>=5.13"'):
        fnb.finetune.examples(florence, ROWS[:1])


# ---- training


def test_it_learns_and_stays_silent(ready, tmp_path, capfd):
    florence, examples = ready
    losses = fnb.finetune.train(
        florence, examples, tmp_path / "run", steps=40, rate=2e-2, batch_size=4, progress=False
    )
    assert list(losses) == list(range(2, 41, 2)) and losses[40] < 0.6 * losses[2]
    assert capfd.readouterr() == ("", "")
    assert not florence.model.training


def test_nothing_warns_and_the_hub_is_not_asked(florence, tmp_path, recwarn, monkeypatch):
    """peft looks a model up by its name, and a model that `load` made is called "None"."""
    monkeypatch.setattr("peft.utils.other.file_exists", lambda *_, **__: pytest.fail("the hub was asked"))
    florence.model.name_or_path = "None"
    fnb.finetune.adapt(florence, rank=2)
    fnb.finetune.train(florence, fnb.finetune.examples(florence, ROWS), tmp_path / "run", **QUICK)
    assert [str(each.message) for each in recwarn] == []


def test_checkpoints_of_the_same_second_are_no_news(ready, tmp_path, monkeypatch):
    from transformers import trainer_utils

    florence, examples = ready
    said: list[str] = []
    monkeypatch.setattr(logging.Logger, "warning_once", lambda self, text: self.warning(text))
    monkeypatch.setattr(trainer_utils.os.path, "getmtime", lambda path: 0.0)
    monkeypatch.setattr(trainer_utils.logger, "handle", lambda record: said.append(record.getMessage()))
    fnb.finetune.train(florence, examples, tmp_path / "run", **QUICK)
    assert said == []


def test_frozen_weights_are_the_same_after_training(ready, tmp_path):
    florence, examples = ready
    before = {name: w.clone() for name, w in florence.model.named_parameters() if not w.requires_grad}
    fnb.finetune.train(florence, examples, tmp_path / "run", **QUICK)
    after = dict(florence.model.named_parameters())
    assert all(torch.equal(weight, after[name]) for name, weight in before.items())


def test_another_training_in_the_folder_is_not_mixed_up(ready, tmp_path):
    florence, examples = ready
    fnb.finetune.train(florence, examples, tmp_path / "run", **QUICK)
    with pytest.raises(fnb.InputError, match="holds a training with other examples"):
        fnb.finetune.train(florence, examples[:3], tmp_path / "run", **QUICK)
    with pytest.raises(fnb.InputError, match="holds a training with other weight_decay"):
        fnb.finetune.train(florence, examples, tmp_path / "run", **QUICK, weight_decay=3)
    (tmp_path / "run" / "training.json").unlink()
    with pytest.raises(fnb.InputError, match="was not begun here"):
        fnb.finetune.train(florence, examples, tmp_path / "run", **QUICK)


PROGRAM = """
import sys, torch
sys.path.insert(0, {root!r})
import florence_nb as fnb
from tests import tiny
from tests.test_finetune import ROWS, Florence
torch.set_num_threads(1)
processor = tiny.processor()
florence = Florence(tiny.model(processor.tokenizer), processor, "tiny", cache=False)
examples = fnb.finetune.examples(florence, ROWS)
fnb.finetune.adapt(florence, rank=2)
print("ready", flush=True)
settings = {{"batch_size": 2, "progress": False, "save_steps": 20, "logging_steps": 10}}
fnb.finetune.train(florence, examples, {folder!r}, steps=20_000, **settings)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a process is killed there in another way")
def test_a_killed_training_goes_on_where_it_was_saved(ready, tmp_path, monkeypatch):
    """A process is killed at a moment of its own; the same call then does the rest, and no step twice."""
    florence, examples = ready
    folder, root = tmp_path / "run", str(Path(__file__).resolve().parents[1])
    process = subprocess.Popen([sys.executable, "-c", PROGRAM.format(root=root, folder=str(folder))])
    while not list(folder.glob("checkpoint-*/trainer_state.json")) and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    reached = max(
        int(each.parent.name.split("-")[1]) for each in folder.glob("checkpoint-*/trainer_state.json")
    )
    settings = json.loads((folder / "training.json").read_text()) | {"steps": reached + 5}
    (folder / "training.json").write_text(json.dumps(settings))
    batches = []
    make = fnb.finetune.batch
    monkeypatch.setattr(fnb.finetune, "batch", lambda *given: batches.append(1) or make(*given))
    again = {"batch_size": 2, "progress": False, "logging_steps": 10}
    losses = fnb.finetune.train(florence, examples, folder, steps=reached + 5, **again)
    assert reached >= 20 and min(losses) == 10 and len(batches) <= 5 + 25


def test_resuming_gives_the_same_weights_as_going_through(florence, tmp_path):
    """Interrupted in the middle, then the same call: bit for bit the training without an interruption."""
    examples = fnb.finetune.examples(florence, ROWS)

    def weights(folder, stop):
        processor = tiny.processor()
        fresh = Florence(tiny.model(processor.tokenizer), processor, "tiny", cache=False)
        torch.manual_seed(0)
        fnb.finetune.adapt(fresh, rank=2)
        make, count = fnb.finetune.batch, [0]

        def interrupted(*given):
            count[0] += 1
            if count[0] == stop:
                raise KeyboardInterrupt
            return make(*given)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fnb.finetune, "batch", interrupted)
            settings = {"steps": 10, "batch_size": 2, "progress": False}
            if stop:
                with pytest.raises(KeyboardInterrupt):
                    fnb.finetune.train(fresh, examples, folder, **settings)
            fnb.finetune.train(fresh, examples, folder, **settings)
        return [w.detach() for w in fresh.model.parameters() if w.requires_grad]

    through, resumed = weights(tmp_path / "through", 0), weights(tmp_path / "resumed", 6)
    assert all(torch.allclose(one, other, atol=1e-6) for one, other in zip(through, resumed, strict=True))


def test_a_checkpoint_that_was_cut_off_is_not_taken(ready, tmp_path):
    florence, examples = ready
    fnb.finetune.train(florence, examples, tmp_path / "run", **QUICK)
    newest = tmp_path / "run" / "checkpoint-4"
    whole = (newest / "trainer_state.json").read_text()
    (newest / "trainer_state.json").write_text(whole[:50])
    assert list(fnb.finetune.train(florence, examples, tmp_path / "run", **QUICK)) == [1, 2, 3, 4]
    assert json.loads((newest / "trainer_state.json").read_text())["global_step"] == 4


# ---- the disk


@pytest.mark.parametrize("what", ["adapter", "optimiser"])
def test_a_full_disk_is_told_and_the_same_call_goes_on(ready, tmp_path, monkeypatch, what):
    florence, examples = ready
    target = "_save_optimizer_and_scheduler" if what == "optimiser" else "save_model"
    original, full = getattr(transformers.Trainer, target), [True]

    def write(self, *given, **more):
        if full[0] and self.state.global_step == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        return original(self, *given, **more)

    monkeypatch.setattr(transformers.Trainer, target, write)
    with pytest.raises(
        fnb.InputError, match="The disk of .*run is full: free some room.*The same call goes on"
    ):
        fnb.finetune.train(florence, examples, tmp_path / "run", **QUICK)
    full[0] = False
    fnb.finetune.train(florence, examples, tmp_path / "run", **QUICK)
    assert (tmp_path / "run" / "checkpoint-4" / "trainer_state.json").is_file()


def test_torch_tells_a_full_disk_in_its_own_words(ready, tmp_path, monkeypatch):
    florence, examples = ready
    words = "[enforce fail at inline_container.cc:668] . unexpected pos 832 vs 726"
    monkeypatch.setattr(
        transformers.Trainer, "save_model", lambda *_, **__: (_ for _ in ()).throw(RuntimeError(words))
    )
    with pytest.raises(fnb.InputError, match="is full"):
        fnb.finetune.train(florence, examples, tmp_path / "run", **QUICK)


def test_a_folder_that_is_a_file_is_told(ready, tmp_path):
    (tmp_path / "run").write_text("mine")
    with pytest.raises(fnb.InputError, match="cannot be written"):
        fnb.finetune.train(*ready, tmp_path / "run", **QUICK)
    assert (tmp_path / "run").read_text() == "mine"


def test_what_is_no_fault_of_the_disk_is_not_hidden(ready, tmp_path, monkeypatch):
    monkeypatch.setattr(fnb.finetune, "batch", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        fnb.finetune.train(*ready, tmp_path / "run", **QUICK)


# ---- saving


def test_what_was_saved_answers_as_the_model_in_memory(ready, tmp_path):
    florence, examples = ready
    fnb.finetune.train(
        florence, examples, tmp_path / "run", steps=15, rate=2e-2, batch_size=4, progress=False
    )
    folder = fnb.finetune.save(florence, tmp_path / "taught")
    again = fnb.load(folder, quiet=True)
    assert "lora" not in " ".join(again.model.state_dict())
    with florence.inference_mode():
        mine = florence.model(**fnb.finetune.batch(florence, examples)).logits
    with again.inference_mode():
        theirs = again.model(**fnb.finetune.batch(again, examples)).logits
    assert float((mine - theirs).abs().max()) < 0.1 * float(mine.abs().max())
    assert "lora" in " ".join(florence.model.state_dict())


def test_the_page_takes_what_was_saved(ready, tmp_path):
    from florence_nb.page.build import checkpoint_files

    files = checkpoint_files(fnb.finetune.save(ready[0], tmp_path / "taught"))
    assert files["model.safetensors"].stat().st_size < 1_000_000


def test_a_save_that_fails_leaves_what_was_there(ready, tmp_path, monkeypatch):
    florence, _ = ready
    folder = fnb.finetune.save(florence, tmp_path / "taught")
    before = sorted(path.name for path in folder.iterdir())

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(type(florence.processor), "save_pretrained", full)
    with pytest.raises(fnb.InputError, match="is full.*still in memory"):
        fnb.finetune.save(florence, folder)
    assert sorted(path.name for path in folder.iterdir()) == before
    assert [path.name for path in tmp_path.iterdir()] == ["taught"]


def test_a_checkpoint_is_replaced_and_other_things_are_not(ready, tmp_path):
    florence, _ = ready
    assert fnb.finetune.save(florence, tmp_path / "taught") == fnb.finetune.save(
        florence, tmp_path / "taught"
    )
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("long")
    with pytest.raises(fnb.InputError, match="holds other things"):
        fnb.finetune.save(florence, tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "long"


# ---- a prompt of one's own


@pytest.fixture
def count(monkeypatch):
    from florence_nb import tasks

    monkeypatch.setattr(tasks, "_TABLE", tasks._TABLE)
    row = Task(
        "<COUNT>", "counting", "How many {input} are in the image?", "phrase", "text", "caption", "cups"
    )
    yield fnb.finetune.add_task(row)
    tasks._TABLE.pop("<COUNT>")


def test_a_new_prompt_is_asked_by_its_sentence(florence, count):
    request = florence.prepare("<COUNT>", RED, "cups")
    assert florence.processor.tokenizer.decode(request.ids) == "<s>How many cups are in the image?</s>"
    assert florence.run_example("<COUNT>", RED, "cups", max_new_tokens=4).task == "<COUNT>"
    with pytest.raises(fnb.InputError, match="<COUNT> needs text_input"):
        florence.prepare("<COUNT>", RED)


def test_a_new_prompt_stands_in_the_table(count):
    assert fnb.get_task("<COUNT>") is count and list(fnb.TASKS)[-1] == "<COUNT>"
    assert fnb.finetune.add_task(count) is count and len(fnb.TASKS) == 16


@pytest.mark.parametrize(
    "change, words",
    [
        ({"prompt": "<OD>"}, "one of the published"),
        ({"prompt": "count"}, "such as '<COUNT>'"),
        ({"prompt": "<COUNT>", "sentence": "How many?"}, r"has \{input\} exactly where"),
    ],
)
def test_a_new_prompt_that_cannot_be_asked_is_told(change, words):
    row = {
        "title": "counting",
        "sentence": "How many {input}?",
        "takes": "phrase",
        "gives": "text",
        "group": "caption",
    }
    with pytest.raises(fnb.InputError, match=words):
        fnb.finetune.add_task(Task(**(row | change)))


# ---- size


def test_what_a_learner_reads_is_short():
    """At most 60 lines of code, without docstrings, signatures, comments, imports and blank lines."""
    import ast

    source = Path(fnb.finetune.__file__).read_text(encoding="utf-8")
    tree = ast.parse(source)
    texts = {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for line in range(node.lineno, node.end_lineno + 1)
    }
    imports = {
        line
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for line in range(node.lineno, node.end_lineno + 1)
    }
    signatures = {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for line in range(node.lineno, node.body[0].lineno)
    }
    lines = [
        number
        for number, line in enumerate(source.splitlines(), 1)
        if line.strip() and not line.strip().startswith("#") and number not in texts | imports | signatures
    ]
    assert len(lines) <= 60
