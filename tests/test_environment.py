"""One truth about versions: pyproject.toml. environment.yml, the Makefile and Colab's versions agree with
it.
"""

import re
import sys
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
CONDA_NAMES = {"torch": "pytorch"}
CARD = "jupyterlab ipywidgets transformers torch flash-attn timm einops pillow requests nbval".split()
MAY_BE_CAPPED = {
    "ipywidgets",
    "nbval",
    "ray",
}  # 7.7 and 8 are tested, 9 is not out; the harness knows nbval 0.11 from inside; Ray 2.64 drops an argument


def ranges(requirements: list[str]) -> dict[str, SpecifierSet]:
    return {each.name: each.specifier for each in map(Requirement, requirements)}


BASE = ranges(PROJECT["dependencies"])
ALL = {name: specifier for extra in EXTRAS.values() for name, specifier in ranges(extra).items()} | BASE


def conda_environment() -> dict:
    return yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


def conda_ranges(lines: list[str]) -> dict[str, SpecifierSet]:
    """{conda name: range}; conda writes `0.11.*` where pip writes `==0.11.*`."""
    pairs = [line.partition(" ")[::2] for line in lines]
    return {
        name: SpecifierSet(text if not text or text[0] in "<>=!~" else f"=={text}") for name, text in pairs
    }


def live() -> dict[str, SpecifierSet]:
    return conda_ranges([line for line in conda_environment()["dependencies"] if isinstance(line, str)])


def switched_off() -> dict[str, SpecifierSet]:
    """The dependencies that stand in environment.yml as comments."""
    return conda_ranges(
        re.findall(
            r"^  # - (.+)$", (ROOT / "environment.yml").read_text(encoding="utf-8"), flags=re.MULTILINE
        )
    )


def test_environment_has_the_shape_conda_reads():
    environment = conda_environment()
    assert list(environment) == ["name", "channels", "dependencies"]
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    assert environment["name"] == PROJECT["name"]
    assert environment["dependencies"][-1] == {"pip": ["-e ."]}
    assert live()["python"] == SpecifierSet(PROJECT["requires-python"])


@pytest.mark.parametrize("name", CARD)
def test_environment_names_every_package_of_the_card(name):
    assert CONDA_NAMES.get(name, name) in live() | switched_off()


def test_environment_names_all_that_the_package_imports():
    assert {CONDA_NAMES.get(name, name) for name in BASE} <= set(live())


def test_environment_and_project_give_the_same_ranges():
    named = live() | switched_off()
    expected = {CONDA_NAMES.get(name, name): specifier for name, specifier in ALL.items()}
    checked = {name: specifier for name, specifier in named.items() if name not in ("python", "pip")}
    assert len(checked) > len(BASE)
    assert checked == {name: expected.get(name) for name in checked}


def test_only_flash_attn_is_switched_off():
    assert set(switched_off()) == {"flash-attn"}


def test_flash_attn_is_asked_for_only_by_name():
    """It builds against an installed torch with nvcc, so no other extra may pull it in."""
    assert [name for name, extra in EXTRAS.items() if "flash-attn" in ranges(extra)] == ["flash"]
    assert "flash-attn" not in BASE
    assert not any("flash" in Requirement(each).extras for extra in EXTRAS.values() for each in extra)


def test_no_upper_caps():
    capped = {
        name
        for name, specifier in ALL.items()
        if any(part.operator in ("<", "<=", "==", "~=") for part in specifier)
    }
    assert capped <= MAY_BE_CAPPED
    assert PROJECT["requires-python"] == ">=3.10"


def colab_versions() -> dict[str, str]:
    lines = (ROOT / "tests" / "colab" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if "==" in line and not line.startswith("#"))


def test_what_colab_has_satisfies_every_range():
    """Else the set-up cell of a lesson would upgrade it there, and the runtime would want a restart."""
    versions = colab_versions() | {"torch": "2.11.0"}
    shared = {name for name in BASE if name in versions}
    assert len(shared) >= 7
    assert [name for name in shared if Version(versions[name]) not in BASE[name]] == []


def test_makefile_installs_a_torch_that_the_project_allows():
    named = re.search(
        r"^TORCH \?= (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    (pin,) = Requirement(named[1]).specifier
    assert Version(pin.version) in BASE["torch"]
