"""The recipe of mini, with a pool of a few pictures and a handful of steps: it runs, resumes, learns and
exports.
"""

import json
import pickle
import random

import numpy as np
import pytest
import torch

from florence_nb import TASKS, build_prompt
from florence_nb.checkpoints import MINI_FOLDER
from florence_nb.errors import InputError
from florence_nb.scenes import HELD_OUT, Scene, Thing, random_scene, things_meant
from florence_nb.scenes.random_scenes import random_page
from florence_nb.scenes.signs import CHARACTERS
from florence_nb.tasks import SPECIAL_TOKENS
from florence_nb.training import average, language, pool, questions
from florence_nb.training.cells import TRAINED_KINDS, cell_truth
from florence_nb.training.crops import random_crop, random_crop_box
from florence_nb.training.language import Trainer, encode_questions, train_language
from florence_nb.training.model import HEADS_FILE, load_exported
from florence_nb.training.sizes import GRID, IMAGE_TOKENS, SIDE
from florence_nb.training.tower import batches, stacked_truth, to_pixels, train_tower
from florence_nb.training.vocabulary import new_processor, new_tokenizer

SHARD = 3


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A pool of three shards of three pictures."""
    folder = tmp_path_factory.mktemp("pool")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "SHARD", SHARD)
        pool.draw_pool(folder, 0, 3)
    return folder


@pytest.fixture(scope="module")
def tokenizer():
    return new_tokenizer()


@pytest.fixture
def one_tokenizer(monkeypatch, tokenizer):
    """Learning the vocabulary takes seconds; it is the same each time, see below."""
    monkeypatch.setattr(language, "new_tokenizer", lambda: tokenizer)


@pytest.fixture(scope="module")
def facts(pictures):
    return [one for number in range(3) for one in pool.open_shard(pictures, number).facts]


def test_a_shard_is_what_was_drawn(pictures):
    shard = pool.open_shard(pictures, 1)
    assert pool.shards_in(pictures) == [0, 1, 2] and len(shard.facts) == SHARD
    assert shard.pictures.shape == (SHARD, SIDE, SIDE, 3) and shard.instances.shape == (
        SHARD,
        pool.INSTANCE_GRID,
        pool.INSTANCE_GRID,
    )
    scene = random_scene(pool.TRAINING_SEEDS + SHARD + 2)
    assert np.array_equal(shard.pictures[2], np.asarray(pool.squeeze(scene.image)))
    assert [t.box for t in shard.facts[2].things] == [t.box for t in scene.things] and shard.facts[
        2
    ].size == scene.size
    assert shard.instances[2].max() <= len(scene.things)


def test_finished_shards_are_not_drawn_again(pictures, monkeypatch):
    monkeypatch.setattr(pool, "draw_shard", lambda number: pytest.fail(f"shard {number} was drawn again"))
    pool.draw_pool(pictures, 0, 3)


def test_facts_keep_their_names_on_disk(facts):
    """Pools that were drawn earlier stay readable as long as these names stay."""
    stored = pickle.dumps(facts[0])
    for name in (
        b"florence_nb.training.pool",
        b"Facts",
        b"florence_nb.scenes.thing",
        b"VisibleThing",
        b"Thing",
    ):
        assert name in stored


def test_batches_leave_the_first_shard_out(pictures):
    first = {one.things[0].box for one in pool.open_shard(pictures, 0).facts}
    supply = batches(pictures, 2, seed=0)
    for _ in range(6):
        images, instances, found = next(supply)
        assert len(images) == len(instances) == len(found) == 2 and not first & {
            one.things[0].box for one in found
        }


def test_an_empty_pool_is_an_error_and_no_endless_wait(tmp_path, one_tokenizer):
    with pytest.raises(InputError, match="holds no shards"):
        next(batches(tmp_path, 2, seed=0))
    with pytest.raises(InputError, match="holds no shards"):
        train_language(tmp_path, tmp_path, 1, steps=1)


def test_pixels_are_those_of_the_processor(pictures, tokenizer):
    shard = pool.open_shard(pictures, 0)
    scene = random_scene(pool.TRAINING_SEEDS)
    native = new_processor(tokenizer).image_processor(images=scene.image, return_tensors="pt")["pixel_values"]
    assert torch.allclose(to_pixels(shard.pictures[:1]), native, atol=0.02)


def test_every_thing_holds_a_cell(pictures, facts):
    instances = np.concatenate([pool.open_shard(pictures, number).instances for number in range(3)])
    for one, owner in zip(facts, instances, strict=True):
        truth = cell_truth(one, owner)
        assert {len(values) for values in truth.values()} == {GRID * GRID}
        assert {TRAINED_KINDS[kind - 1] for kind in truth["kind"] if kind} == {t.kind for t in one.things}
        assert (truth["letters"] > 0).sum() <= sum(len(t.letters) for t in one.things)
        boxes = np.array([np.array(t.box) / (one.size * 2) for t in one.things])
        told = np.unique(truth["edges"][truth["kind"] > 0], axis=0)
        assert len(told) == len(boxes) and np.allclose(told, np.unique(boxes, axis=0), atol=1e-5)
    assert not set(HELD_OUT) & set(TRAINED_KINDS)


def test_every_task_is_asked_and_answered(facts):
    assert set(questions.SHARES) == set(TASKS) and set(questions.SHORT) <= set(TASKS)
    for number, one in enumerate(facts):
        for task in TASKS:
            text, raw = questions.ask(one, task, random.Random(number))
            assert raw.startswith("</s><s>") and raw.endswith("</s>")
            assert (text is None) == (TASKS[task].takes == "nothing")


def test_phrases_mean_something_and_sloppy_boxes_stay_near(facts):
    rng = random.Random(0)
    for one in facts * 5:
        assert things_meant(one, questions.refer(one, rng)) and not things_meant(
            one, questions.absent(one, rng)
        )
        box = one.things[0].box
        moved = np.array(questions.jitter_box(box, one.size, rng))
        assert (np.abs(moved - box) <= 0.04 * np.array(one.size * 2) + 1e-9).all() and moved.min() >= 0


def test_prompts_are_written_as_the_processor_writes_them(facts, tokenizer):
    processor = new_processor(tokenizer)
    for task, row in TASKS.items():
        text, _ = questions.ask(facts[0], task, random.Random(1))
        ids = processor(text=build_prompt(task, text, facts[0].size))["input_ids"][0]
        assert tokenizer.decode(ids) == questions.prompt_text(row.sentence, text, facts[0].size)


def test_the_tokenizer_is_always_the_same(tokenizer):
    assert new_tokenizer().backend_tokenizer.to_str() == tokenizer.backend_tokenizer.to_str()


def test_the_tokenizer_has_the_tokens_of_florence(tokenizer):
    places = tokenizer.convert_tokens_to_ids([f"<loc_{i}>" for i in range(1000)])
    assert places == list(range(places[0], places[0] + 1000))
    assert all(
        tokenizer.convert_tokens_to_ids(mark) != tokenizer.unk_token_id for mark in SPECIAL_TOKENS - {"<unk>"}
    )
    assert tokenizer("STOP42").input_ids[1:-1] == [
        tokenizer.convert_tokens_to_ids(letter) for letter in "STOP42"
    ]


def test_answers_come_back_from_their_tokens(facts, tokenizer):
    asked = encode_questions(tokenizer, facts, questions.SHARES, 4, random.Random(0))
    assert len(asked) == 4 * len(facts) and all(question["answer"][0] == 0 for question in asked)
    assert [len(q["answer"]) for q in asked] == sorted(len(q["answer"]) for q in asked)
    for one in facts:
        text, raw = questions.ask(one, "<OCR_WITH_REGION>", random.Random(0))
        ids = tokenizer(raw, add_special_tokens=False).input_ids
        assert tokenizer.decode(ids) == raw and len(ids) < 1024


def test_the_tower_learns_and_goes_on(pictures, tmp_path):
    train_tower(pictures, tmp_path, 5, 1, size=2)
    first = torch.load(tmp_path / "tower.pt")
    train_tower(pictures, tmp_path, 5, 2, size=2)
    second = torch.load(tmp_path / "tower.pt")
    assert (first["step"], second["step"]) == (1, 2)
    assert any(not torch.equal(first["tower"][name], weight) for name, weight in second["tower"].items())
    train_tower(pictures, tmp_path, 5, 2, size=2)
    assert torch.load(tmp_path / "tower.pt")["step"] == 2 and not list(tmp_path.glob("*.tmp"))


def test_the_language_model_learns_goes_on_and_is_exported(pictures, tmp_path, one_tokenizer):
    from transformers import AutoProcessor, Florence2ForConditionalGeneration

    settings = {"pictures": 2, "prompts": 1, "frozen": 1}
    train_language(pictures, tmp_path, 5, steps=2, **settings)
    train_language(pictures, tmp_path, 5, steps=3, **settings)
    trainer = Trainer(tmp_path)
    assert trainer.step == 3 and not list(tmp_path.glob("*.tmp"))
    trainer.export(tmp_path / "mini")
    processor = AutoProcessor.from_pretrained(tmp_path / "mini")
    model = Florence2ForConditionalGeneration.from_pretrained(tmp_path / "mini", dtype="float32")
    inputs = processor(text="<OD>", images=random_scene(0).image, return_tensors="pt")
    assert processor.num_image_tokens == IMAGE_TOKENS
    assert model.generate(**inputs, max_new_tokens=3, num_beams=1).shape[1] <= 5


def test_both_lessons_go_on_from_an_exported_checkpoint(pictures, tmp_path):
    mini = MINI_FOLDER
    train_tower(pictures, tmp_path, 5, 0, begin=mini)
    state = torch.load(tmp_path / "tower.pt")
    model, heads, steps = load_exported(mini)
    assert all(
        torch.equal(state["tower"][name], weight)
        for name, weight in model.model.vision_tower.state_dict().items()
    )
    assert all(torch.equal(state["heads"][name], weight) for name, weight in heads.items())
    state["projector"]["image_proj_norm.bias"] += 1
    torch.save(state, tmp_path / "tower.pt")
    trainer = Trainer(tmp_path, begin=mini)
    assert trainer.step == steps > 0
    assert torch.equal(trainer.heads.meant.weight, heads["meant.weight"])
    for name, weight in model.state_dict().items():
        moved = trainer.model.state_dict()[name] - weight
        assert torch.equal(
            moved, torch.ones_like(moved) if "image_proj_norm.bias" in name else torch.zeros_like(moved)
        ), name


def test_the_mean_of_two_checkpoints_lies_between_them(tmp_path):
    from safetensors.torch import load_file, save_file

    older, newer = tmp_path / "older", tmp_path / "newer"
    for folder, value in ((older, 1.0), (newer, 2.0)):
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps({"of": folder.name}), encoding="utf-8")
        save_file({"weight": torch.full((2,), value).half()}, folder / "model.safetensors")
        heads = {"head": torch.full((1,), 10 * value).half(), "step": torch.tensor(int(100 * value))}
        save_file(heads, folder / HEADS_FILE)
    average.main([str(older), str(newer), "--share", "0.75", "--into", str(tmp_path / "mean")])
    assert load_file(tmp_path / "mean" / "model.safetensors")["weight"].tolist() == [1.75, 1.75]
    heads = load_file(tmp_path / "mean" / HEADS_FILE)
    assert (heads["head"].item(), heads["step"].item()) == (17.5, 200)
    assert json.loads((tmp_path / "mean" / "config.json").read_text(encoding="utf-8")) == {"of": "newer"}
    with pytest.raises(ValueError, match="between 0 and 1"):
        average.average(older, newer, tmp_path / "mean", 2)
    save_file({"other": torch.zeros(2).half()}, older / "model.safetensors")
    with pytest.raises(ValueError, match="other tensors"):
        average.average(older, newer, tmp_path / "mean")


def test_one_batch_can_be_learned(pictures, tmp_path, one_tokenizer):
    torch.manual_seed(0)
    trainer, shard = Trainer(tmp_path), pool.open_shard(pictures, 1)
    asked = encode_questions(trainer.tokenizer, shard.facts[:2], {"<CAPTION>": 1}, 2, random.Random(0))
    seen, truth = to_pixels(shard.pictures[:2]), stacked_truth(shard.facts[:2], shard.instances[:2])
    losses = [language._learn(trainer, seen, truth, asked, 16, True, 2e-3)["words"] for _ in range(6)]
    assert losses[-1] < 0.8 * losses[0]


def test_a_page_is_full_of_words_and_only_the_tower_sees_it(pictures, monkeypatch, tmp_path):
    page = random_page(5)
    assert len(page.things) >= 3 and all(thing.text for thing in page.things)
    assert [t.box for t in random_page(5).things] == [t.box for t in page.things]
    for file in pictures.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(pool, "SHARD", SHARD)
    pool.draw_pool(tmp_path, pool.PAGES, pool.PAGES + 1)
    scenes, both = batches(tmp_path, 3, seed=0), batches(tmp_path, 3, seed=0, pages=1)
    pages = [[t.box for t in one.things] for one in pool.open_shard(tmp_path, pool.PAGES).facts]
    seen = [
        [[t.box for t in one.things] for _ in range(3) for one in next(supply)[2]]
        for supply in (scenes, both)
    ]
    assert not any(one in pages for one in seen[0]) and any(one in pages for one in seen[1])


def test_letters_know_their_turn_in_the_line():
    scene = Scene((Thing("sign", "red", size=0.9, text="TAXI\nGO 7"),), size=(SIDE, SIDE))
    truth = cell_truth(
        pool.Facts(scene.things, "field", scene.size),
        np.zeros((pool.INSTANCE_GRID, pool.INSTANCE_GRID), np.uint8),
    )
    places = zip(truth["letters"].ravel(), truth["letter_index"].ravel(), truth["letters_left"].ravel())
    told = {(CHARACTERS[letter - 1], index, left) for letter, index, left in places if letter}
    assert told == {("T", 0, 3), ("A", 1, 2), ("X", 2, 1), ("I", 3, 0), ("G", 0, 2), ("O", 1, 1), ("7", 2, 0)}
    first, second = (quad.reshape(8) / SIDE for quad in scene.things[0].quads)
    for letters, quad in zip(truth["letters"], truth["quads"]):
        here = {CHARACTERS[letter - 1] for letter in letters if letter}
        lines = [line for line, there in ((first, "TAXI"), (second, "GO7")) if here & set(there)]
        assert any(np.allclose(quad, line, atol=1e-5) for line in lines) if lines else not quad.any()


def test_a_window_moves_picture_owners_and_facts_alike(pictures):
    shard, rng = pool.open_shard(pictures, 2), np.random.default_rng(0)
    for picture, instances, one in zip(shard.pictures, shard.instances, shard.facts, strict=True):
        whole = (0, 0, *one.size)
        same, owned, told = random_crop(picture, instances, one, whole, rng)
        assert np.array_equal(owned, instances) and [t.box for t in told.things] == [
            t.box for t in one.things
        ]
        assert abs(np.corrcoef(same.ravel(), picture.ravel())[0, 1]) > 0.95
        for _ in range(20):
            window = random_crop_box(one.size, rng)
            _, owned, told = random_crop(picture, instances, one, window, rng)
            width, height = told.size
            assert (width, height) == (window[2] - window[0], window[3] - window[1])
            for number, thing in enumerate(told.things, 1):
                rows, columns = np.nonzero(owned == number)
                x0, y0, x1, y1 = thing.box
                assert 0 <= x0 <= x1 <= width and 0 <= y0 <= y1 <= height
                if len(rows):
                    seen = (
                        np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
                        / pool.INSTANCE_GRID
                    )
                    box = np.array(thing.box) / (width, height, width, height)
                    assert (seen - box)[:2].min() > -2 / pool.INSTANCE_GRID and (seen - box)[
                        2:
                    ].max() < 2 / pool.INSTANCE_GRID
            assert len(cell_truth(told, owned)["kind"]) == GRID * GRID


def test_what_a_text_input_means():
    things = (
        Thing("car", "red", (0.2, 0.7), 0.2),
        Thing("car", "blue", (0.5, 0.7), 0.2),
        Thing("dog", "black", (0.8, 0.7), 0.2),
    )
    scene = Scene(things)
    cases = {
        ("<OPEN_VOCABULARY_DETECTION>", "cars<and>a cat"): [0, 1],
        ("<CAPTION_TO_PHRASE_GROUNDING>", "A blue car next to a black dog."): [1, 2],
        ("<REFERRING_EXPRESSION_SEGMENTATION>", "the car on the left"): [0],
        ("<REGION_TO_CATEGORY>", scene.things[2].box): [2],
        ("<OD>", None): [],
    }
    assert {key: questions.meant_by(scene, *key) for key in cases} == cases
