"""Models of peft and ``torch.compile``, and arguments that transformers answers with remote code."""

import pytest
import torch

from florence_nb import Florence, InputError
from florence_nb.engine.model_state import unwrapped
from tests.test_answers import RED, asked, florence


class Adapted(torch.nn.Module):
    """What peft puts around a model, as far as it matters here."""

    def __init__(self, model, prompt_learning=False):
        super().__init__()
        self.inside = model
        self.active_peft_config = type("Config", (), {"is_prompt_learning": prompt_learning})()

    def get_base_model(self):
        return self.inside


@pytest.mark.parametrize(
    "wrap", [torch.compile, Adapted, torch.nn.DataParallel, lambda m: Adapted(torch.compile(m))]
)
@pytest.mark.parametrize("beams", [1, 3])
def test_a_wrapped_model_answers_as_the_native_one(wrap, beams):
    plain = florence()
    expected = plain.run_example("<OD>", RED, num_beams=beams, max_new_tokens=8)
    wrapped = Florence(wrap(plain.model), plain.processor, "wrapped")
    assert wrapped.native_model is plain.model and str(wrapped.device) == "cpu" and "wrapped" in repr(wrapped)
    assert wrapped.run_example("<OD>", RED, num_beams=beams, max_new_tokens=8).raw == expected.raw


def test_lora_of_peft_counts_at_once():
    peft = pytest.importorskip("peft")
    model = florence()
    before = asked(model)
    config = peft.LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    adapted = Florence(peft.get_peft_model(model.model, config), model.processor, "lora")
    adapted.feature_cache = model.feature_cache
    changed = adapted.encode([adapted.prepare("<OD>", RED)])[0]
    with adapted.model.disable_adapter():
        plain = adapted.encode([adapted.prepare("<OD>", RED)])[0]
    assert not torch.allclose(changed, plain)
    assert before.raw


def test_prompt_tuning_is_refused_in_one_sentence():
    with pytest.raises(InputError, match="Prompt tuning"):
        unwrapped(Adapted(florence().model, prompt_learning=True))


@pytest.mark.parametrize(
    "settings",
    [
        {"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 0.5},
        {"penalty_alpha": 0.6, "top_k": 4},
        {"dola_layers": "high"},
        {"force_words_ids": [[3]]},
        {"custom_generate": "someone/something"},
        {"trust_remote_code": True},
        {"input_ids": [[1]]},
        {"attention_mask": None},
    ],
    ids=str,
)
def test_what_would_run_remote_code_or_replace_the_prompt_is_refused(settings):
    with pytest.raises(InputError, match="is not supported here") as caught:
        florence().run_example("<OD>", RED, **settings)
    assert "trust_remote_code=True" not in str(caught.value)


def test_several_answers_at_once_are_refused_in_a_generation_config_too():
    from transformers import GenerationConfig

    config = GenerationConfig(num_return_sequences=3, num_beams=3)
    with pytest.raises(InputError, match="num_return_sequences is not supported here"):
        florence().run_example("<OD>", RED, generation_config=config)
