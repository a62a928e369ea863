"""The scene composer: what is asked, how it is comparisons, and the controls, with a stand-in that knows the
truth.
"""

from dataclasses import dataclass, field

import numpy as np
import pytest

from florence_nb import InputError, parse
from florence_nb.florence import Florence
from florence_nb.scenes import KINDS, Scene, Thing
from florence_nb.widgets import composer_model
from florence_nb.widgets.composer import SceneComposer, scene_composer

from . import tiny


@dataclass
class Knower:
    """Answers as a perfect model would: it knows the scene of every picture that it is given through
    `know`.
    """

    scenes: dict[bytes, Scene] = field(default_factory=dict)
    asked: list[tuple] = field(default_factory=list)
    shift: float = 0.0

    def know(self, scene: Scene) -> Scene:
        self.scenes[scene.image.tobytes()] = scene
        return scene

    def make_settings(self, **settings):
        return settings

    def prepare(self, task, image, text_input=None):
        return task, image, text_input

    def answer_batch(self, questions, settings):
        self.asked.append(tuple(task for task, _, _ in questions))
        return [self.tell(*question) for question in questions]

    def tell(self, task, image, text_input):
        scene = self.scenes[image.tobytes()]
        answer = parse(scene.answer(task, text_input), task, image.size)
        answer.boxes = answer.boxes + np.float32(self.shift)
        answer.text_input, answer.image = text_input, image
        return answer


class KnowingComposer(SceneComposer):
    def _answer(self, change=None):
        self.florence.know(self.scene)
        super()._answer(change)


@pytest.fixture
def composer():
    return KnowingComposer(Knower(), composer_model.first_scene(), tuple(composer_model.ASKED))


def text(widget):
    return widget.value.rsplit("</style>", 1)[1]


def test_a_perfect_model_gets_full_marks():
    knower = Knower()
    comparisons = composer_model.ask(knower, knower.know(composer_model.first_scene()), 1)
    assert knower.asked == [tuple(composer_model.ASKED.values())]
    told = {
        one.what: [(match.name, match.verdict, round(match.iou, 2)) for match in one.matches]
        for one in comparisons
    }
    assert told == {
        "boxes": [("sign", "found", 1.0), ("car", "found", 1.0), ("tree", "found", 1.0)],
        "mask": [("red car", "found", 1.0)],
        "caption": [],
        "reading": [("CAFE", "found", 1.0)],
    }


def test_a_shifted_box_loses_iou():
    knower = Knower(shift=20)
    (comparisons,) = composer_model.ask(knower, knower.know(composer_model.first_scene()), None, ("boxes",))
    ious = [match.iou for match in comparisons.matches]
    truth, answer = comparisons.truth.boxes[0], comparisons.answer.boxes[0]
    across, down = truth[2] - truth[0], truth[3] - truth[1]
    both = (across - 20) * (down - 20)
    assert ious[0] == pytest.approx(both / (2 * across * down - both), abs=1e-4) and max(ious) < 0.8
    assert np.allclose(answer - truth, 20)


def boxes(raw):
    return parse(f"<s>{raw}</s>", "<OD>", (1000, 1000))


def test_boxes_are_matched_by_label_and_the_best_pair_first():
    truth = boxes(
        "car<loc_0><loc_0><loc_100><loc_100>car<loc_200><loc_0><loc_300><loc_100>dog<loc_500><loc_500><loc_600><loc_600>"
    )
    said = boxes(
        "car<loc_210><loc_0><loc_310><loc_100>car<loc_0><loc_0><loc_100><loc_100>cat<loc_500><loc_500><loc_600><loc_600>"
    )
    told = [
        (match.name, match.verdict, match.iou and round(match.iou, 2))
        for match in composer_model.match_boxes(said, truth)
    ]
    assert told == [
        ("car", "found", 1.0),
        ("car", "found", 0.82),
        ("dog", "missed", None),
        ("cat", "invented", None),
    ]


def test_a_box_is_used_once():
    truth = boxes("car<loc_0><loc_0><loc_100><loc_100><loc_50><loc_0><loc_150><loc_100>")
    said = boxes("car<loc_0><loc_0><loc_100><loc_100>")
    assert [match.verdict for match in composer_model.match_boxes(said, truth)] == ["found", "missed"]


def test_what_overlaps_by_less_than_half_is_misplaced():
    truth = boxes("car<loc_0><loc_0><loc_100><loc_100>")
    said = boxes("car<loc_60><loc_0><loc_160><loc_100>")
    assert [match.verdict for match in composer_model.match_boxes(said, truth)] == ["misplaced"]
    square = "<s><loc_0><loc_0><loc_99><loc_0><loc_99><loc_99><loc_0><loc_99></s>"
    elsewhere = "<s><loc_500><loc_0><loc_599><loc_0><loc_599><loc_99><loc_500><loc_99></s>"
    one, other = (
        parse(raw, "<REFERRING_EXPRESSION_SEGMENTATION>", (1000, 1000)) for raw in (square, elsewhere)
    )
    assert composer_model.match_mask(other, one)[0] == composer_model.Match("None", 0.0, "misplaced")


def test_masks_are_compared_by_their_area():
    square = "<s><loc_0><loc_0><loc_99><loc_0><loc_99><loc_99><loc_0><loc_99></s>"
    half = "<s><loc_0><loc_0><loc_49><loc_0><loc_49><loc_99><loc_0><loc_99></s>"
    one, other, none = (
        parse(raw, "<REFERRING_EXPRESSION_SEGMENTATION>", (1000, 1000)) for raw in (square, half, "<s></s>")
    )
    (match,) = composer_model.match_mask(other, one)
    assert match.iou == pytest.approx(0.5, abs=0.01)
    assert [m.verdict for m in composer_model.match_mask(none, one)] == ["missed"]
    assert [m.verdict for m in composer_model.match_mask(one, none)] == ["invented"]
    assert composer_model.match_mask(none, none) == ()


def test_words_must_be_read_right():
    truth = parse(
        "<s>STOP<loc_0><loc_0><loc_99><loc_0><loc_99><loc_49><loc_0><loc_49></s>",
        "<OCR_WITH_REGION>",
        (1000, 1000),
    )
    wrong = parse(
        "<s>SHOP<loc_0><loc_0><loc_99><loc_0><loc_99><loc_49><loc_0><loc_49></s>",
        "<OCR_WITH_REGION>",
        (1000, 1000),
    )
    assert [m.verdict for m in composer_model.match_lines(truth, truth)] == ["found"]
    assert [(m.name, m.verdict) for m in composer_model.match_lines(wrong, truth)] == [
        ("STOP", "missed"),
        ("SHOP", "invented"),
    ]


def test_things_are_changed_added_and_removed():
    scene = composer_model.first_scene()
    moved = composer_model.changed(scene, 1, at=(0.6, 0.7), colour="blue", mirrored=True)
    assert (moved.wanted[1].at, moved.wanted[1].colour, moved.wanted[1].mirrored) == (
        (0.6, 0.7),
        "blue",
        True,
    )
    more = composer_model.with_thing(scene, "car")
    assert more.wanted[-1].kind == "car" and more.wanted[-1].colour != "red"
    assert composer_model.without(more, 3).wanted == scene.wanted


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_added(kind):
    assert composer_model.with_thing(Scene(()), kind).things[0].kind == kind


def test_seven_things_at_most():
    scene = Scene((Thing("ball", "red"),) * 7)
    with pytest.raises(InputError, match="at most 7"):
        composer_model.with_thing(scene, "car")


@pytest.mark.parametrize(
    "typed, kept",
    [("stop", "STOP"), (" Tea  room ", "TEA ROOM"), ("BUS / 42", "BUS\n42"), ("ICE\nTEA", "ICE\nTEA")],
)
def test_words_become_capitals(typed, kept):
    assert composer_model.sign_words(typed) == kept


@pytest.mark.parametrize("typed", ["", "   ", "STRAẞE", "INCOMPREHENSIBLE", "A/B/C", "A B C", "hello!"])
def test_words_that_no_sign_carries_are_refused(typed):
    with pytest.raises(InputError, match="A sign cannot say"):
        composer_model.sign_words(typed)


def test_nothing_is_asked_of_nobody():
    knower = Knower()
    assert composer_model.ask(knower, Scene(()), None, ("mask",)) == [] and knower.asked == []


def test_moving_a_slider_asks_again_once(composer):
    asked, before = len(composer.florence.asked), text(composer.result)
    composer.thing.value = 1
    composer.across.value = 60
    assert len(composer.florence.asked) == asked + 2
    assert composer.scene.wanted[1].at == (0.6, 0.72)
    assert text(composer.result) != before
    box = dict(zip(composer.comparisons[0].answer.labels, composer.comparisons[0].answer.boxes))["car"]
    assert abs((box[0] + box[2]) / 2 - 0.6 * 384) < 10


def test_choosing_another_thing_shows_its_values_and_changes_nothing(composer):
    scene = composer.scene
    composer.thing.value = 2
    assert composer.scene == scene
    assert (composer.across.value, composer.colour.value, composer.words.value) == (30, "yellow", "CAFE")
    assert composer.words.layout.display is None and composer.mirrored.disabled
    assert composer.comparisons[1].truth.text_input == "yellow sign"


def test_words_of_the_sign(composer):
    composer.thing.value = 2
    composer.words.value = "ice tea"
    assert composer.scene.wanted[2].text == "ICE TEA" and "ICE TEA" in text(composer.result)
    composer.words.value = "?!"
    assert "A sign cannot say" in composer.status.value and composer.scene.wanted[2].text == "ICE TEA"
    composer.words.value = "tea"
    assert composer.refused is None and composer.scene.wanted[2].text == "TEA"


def test_all_things_can_be_taken_out_and_put_in_again(composer):
    for _ in range(3):
        composer.remove.click()
    assert composer.scene.wanted == () and composer.across.disabled and composer.index is None
    composer.kind.value = "teapot"
    composer.add.click()
    assert composer.index == 0 and not composer.across.disabled
    assert [match.name for match in composer.comparisons[0].matches] == ["teapot"]


def test_background_and_questions(composer):
    composer.background.value = "beach"
    assert composer.scene.background == "beach"
    composer.asked["mask"].value = composer.asked["caption"].value = False
    assert composer.florence.asked[-1] == ("<OD>", "<OCR_WITH_REGION>")


def test_an_error_of_the_model_is_a_sentence_and_the_panel_goes_on(composer):
    shown, answer = composer.result.value, composer.florence.answer_batch

    def broken(questions, settings):
        raise MemoryError("The GPU's memory is full: <close> something.")

    composer.florence.answer_batch = broken
    composer.across.value = 10
    assert "memory is full: &lt;close&gt;" in composer.status.value and composer.result.value == shown
    composer.florence.answer_batch = answer
    composer.across.value = 20
    assert composer.refused is None and composer.result.value != shown


def test_without_a_kernel(composer):
    shown = composer._repr_mimebundle_()
    assert shown["text/plain"] == "Scene composer: green tree, red car, yellow sign “CAFE” (field)"
    assert len(shown["image/jpeg"]) > 1000


def test_pictures_have_words_for_those_who_cannot_see(composer):
    assert 'alt="What the model found: sign, car, tree, CAFE."' in composer.result.value


def test_a_real_model_is_asked_in_one_batch(monkeypatch):
    monkeypatch.setattr(composer_model, "LONGEST_ANSWER", 5)
    processor = tiny.processor()
    composer = scene_composer(
        Florence(tiny.model(processor.tokenizer), processor, "tiny"), ask=("boxes", "caption")
    )
    assert composer.refused is None and [one.what for one in composer.comparisons] == ["boxes", "caption"]


def test_unknown_questions_are_refused():
    with pytest.raises(InputError, match="boxes, mask, caption, reading"):
        scene_composer(None, ask=("colours",))


def test_new_things_stand_apart():
    scene = composer_model.first_scene()
    for _ in range(3):
        scene = composer_model.with_thing(scene, "house")
    across = sorted(thing.at[0] for thing in scene.wanted if thing.kind == "house")
    assert min(b - a for a, b in zip(across, across[1:])) >= 0.15


def test_a_box_moved_resized_removed_or_drawn_changes_its_thing():
    scene = composer_model.first_scene()
    tree, car, sign = boxes = composer_model.boxes_of(scene)

    def by(index, box):
        return composer_model.dragged(
            scene, [box if i == index else old for i, old in enumerate(boxes)], "cup"
        )

    x1, y1, x2, y2 = car
    assert by(1, (x1 + 38, y1, x2 + 38, y2)).wanted[1].at[0] == pytest.approx(0.32 + 38 / 384, abs=0.003)
    half = by(1, (x1, y1, (x1 + x2) // 2, (y1 + y2) // 2)).wanted[1]
    assert half.size == pytest.approx(0.21, abs=0.01) and half.at[0] < 0.32
    assert [t.kind for t in composer_model.dragged(scene, [tree, sign], "cup").wanted] == ["tree", "sign"]
    new = composer_model.dragged(scene, [*boxes, (10, 200, 70, 260)], "cup").wanted[3]
    assert new.kind == "cup" and new.at == pytest.approx((40 / 384, 230 / 288))
    assert composer_model.dragged(scene, boxes, "cup") == scene


def test_a_thing_is_dragged_on_the_stage(composer):
    boxes = list(composer.stage.boxes)
    assert boxes == composer_model.boxes_of(composer.scene)
    x1, y1, x2, y2 = boxes[1]
    composer.stage.set_trait("boxes", [boxes[0], (x1 + 60, y1, x2 + 60, y2), boxes[2]])
    assert composer.across.value == 48 and composer.thing.label == "red car"
    composer.stage.boxes = composer.stage.boxes[:2]
    assert [thing.kind for thing in composer.scene.wanted] == ["tree", "car"]
    assert composer.stage.names == ["green tree", "red car"]


def test_what_is_invented_looks_unlike_what_is_right():
    scene = composer_model.first_scene()
    truth = parse(scene.answer("<OD>"), "<OD>", scene.size)
    said = parse(scene.answer("<OD>").replace("car", "bus"), "<OD>", scene.size)
    one = composer_model.Comparison("boxes", said, truth, composer_model.match_boxes(said, truth))
    assert composer_model.drawn([one], scene).alt.count("bus: invented") == 1
    red = np.abs(np.asarray(composer_model.drawn([one], scene)).astype(int) - (255, 0, 26)).max(axis=-1) < 9
    assert red.any() and "invented" not in composer_model.drawn([one], scene, truth=True).alt
