"""The laptops that a kit can be for: what pip calls them, and what Python says of itself there."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import InputError

OLDEST = (3, 10)


@dataclass(frozen=True)
class Platform:
    """A system with its processor.

    Attributes:
        name: what `pack` takes. about: what a person should know.
        tags: what wheels call it, the newest first.
        system, machine, sys_platform, os_name: what Python's modules platform, sys and os say there.
    """

    name: str
    about: str
    tags: tuple[str, ...]
    system: str
    machine: str
    sys_platform: str
    os_name: str = "posix"


def _manylinux(machine: str) -> tuple[str, ...]:
    """Up to glibc 2.28, which Debian 10, Ubuntu 20.04 and all later ones have."""
    newer = [f"manylinux_2_{minor}_{machine}" for minor in range(28, 16, -1)]
    return (*newer, f"manylinux2014_{machine}", f"manylinux2010_{machine}", f"manylinux1_{machine}")


_ROWS = (
    Platform("windows", "Windows 10 or later, 64 bit", ("win_amd64",), "Windows", "AMD64", "win32", "nt"),
    Platform("macos", "macOS 14 or later, M1 or later", ("macosx_14_0_arm64",), "Darwin", "arm64", "darwin"),
    Platform("linux", "Linux with glibc 2.28 or later", _manylinux("x86_64"), "Linux", "x86_64", "linux"),
    Platform("linux-arm", "the same, on ARM", _manylinux("aarch64"), "Linux", "aarch64", "linux"),
)
PLATFORMS = {row.name: row for row in _ROWS}


@dataclass(frozen=True)
class Target:
    """A platform and a version of Python, such as ``"3.12"``."""

    platform: Platform
    python: str

    def __str__(self) -> str:
        return f"{self.platform.name} {self.python}"

    @property
    def spoken(self) -> str:
        return f"{self.platform.name} with Python {self.python}"

    def pip_options(self) -> list[str]:
        """Options that let pip choose wheels for this target and no other."""
        tags = [option for tag in self.platform.tags for option in ("--platform", tag)]
        python = ["--python-version", self.python, "--implementation", "cp"]
        return ["--only-binary=:all:", *tags, *python]

    def markers(self) -> dict[str, str]:
        """The environment markers of PEP 508 there."""
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.python}.0",
            "os_name": self.platform.os_name,
            "platform_machine": self.platform.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": self.platform.system,
            "platform_version": "",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": self.platform.sys_platform,
        }


def targets(platforms: list[str], pythons: list[str]) -> list[Target]:
    """Every platform with every Python.

    Raises:
        InputError: a name is not known, or a Python is too old.
    """
    for python in pythons:
        _check_python(python)
    rows = [_platform(name) for name in dict.fromkeys(platforms)]
    return [Target(row, python) for row in rows for python in dict.fromkeys(pythons)]


def _platform(name: str) -> Platform:
    if name in PLATFORMS:
        return PLATFORMS[name]
    if name.startswith("macos-"):
        why = "Macs with Intel processors have no torch since 2.2, so no kit can be made for them"
        raise InputError(f"--platform {name}: {why}; use Colab there, or take macos for M1 and later.")
    known = "; ".join(f"{row.name} ({row.about})" for row in _ROWS)
    raise InputError(f"There is no platform {name!r}: take one or more of {known}.")


def _check_python(python: str) -> None:
    match = re.fullmatch(r"(\d)\.(\d+)", python)
    if not match:
        raise InputError(
            f"--python {python!r} is no version of Python: write it as 3.12, without a third part."
        )
    if (int(match[1]), int(match[2])) < OLDEST:
        raise InputError(f"--python {python} is too old: florence-nb needs 3.10 or later.")
