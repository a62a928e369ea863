"""Lesson 14 keeps its promise with three seeds: its own cells, up to the four lines that judge the training.
About five minutes for each on a core of its own.
"""

import nbformat
import pytest

from tests.notebooks.execution import ROOT

LESSON = ROOT / "notebooks" / "14_fine_tuning.ipynb"
NEEDED = ("import florence_nb", "def with_cactus", "def rows_about", "def found", "def measured")
AT_FIRST = "at_first = measured()"


def cells() -> list[str]:
    return [cell.source for cell in nbformat.read(LESSON, as_version=4).cells if cell.cell_type == "code"]


@pytest.mark.parametrize("seed", range(3))
def test_a_cactus_is_learned_and_nothing_is_forgotten(seed):
    names: dict = {}
    for source in cells():
        if any(part in source for part in NEEDED) and "find_spec" not in source:
            exec(source, names)
    exec(f"{AT_FIRST}\nnew_examples = fnb.finetune.examples(florence, rows_about(new))", names)
    (repeated,) = (source for source in cells() if "old_examples = " in source)
    (training,) = (source for source in cells() if "seed=0" in source)
    exec(repeated.replace("florence.model = florence.model.unload()", "pass"), names)
    exec(f"import torch\ntorch.manual_seed({seed})", names)
    exec(training.replace("seed=0", f"seed={seed}, progress=False"), names)
    exec("taught = measured()", names)
    before, after = names["at_first"], names["taught"]
    print(seed, before, after)
    assert before["recall"] == 0 and after["recall"] >= 0.85 and after["region named"] >= 0.95
    assert after["old kinds"] >= before["old kinds"] - 0.01 and after["false in 60"] == 0
