"""Where this repository lives: the table [tool.florence-nb] of pyproject.toml, and every copy of it.

    python3 .ci/address.py owner/name [--ref v0.2.0] [--pypi yes]    `make address REPO=… REF=… PYPI=…`
    python3 .ci/address.py none                                      takes the address out of every copy
    python3 .ci/address.py --check                                   names the copies that differ

Without owner/name it asks the git remote `origin`. Each copy is written by one function of this file, between
marks such as <!-- address: colab --> and <!-- /address -->. While there is no address, nothing offers one:
no badge, no install from a place that may belong to somebody else.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    try:
        import tomli as tomllib
    except ModuleNotFoundError:
        sys.exit("make address needs Python 3.11 or later: make address PYTHON=python3.12 REPO=owner/name")

ROOT = Path(__file__).resolve().parents[1]
FIRST_LESSON = "notebooks/00_understanding_florence2.ipynb"
REPOSITORY = re.compile(r"(?!-)[A-Za-z0-9-]{1,39}/(?!\.{1,2}$)[\w.-]{1,100}", re.ASCII)
ON_GITHUB = re.compile(r"(?:https://(?:[^/@]+@)?|ssh://git@|git@)github\.com[/:](.+)", re.IGNORECASE)
REF = re.compile(r"(?!.*(?:\.\.|//|/$|\.$|\.lock$))\w[\w./+-]*", re.ASCII)
SET_UP = 'find_spec("florence_nb")'
SENTENCE = (
    "Upload {wheel} (this very name, from `make wheel`) beside this notebook and run again"  # fits one line
)
UNSTAMPED = """\
**In Colab:** push this repository to your GitHub, run `make address`, push again; then each lesson begins with a link *Open in Colab*.
(A fork with its Actions switched on needs no command.) Or without GitHub: `make wheel`, upload a lesson to Colab (*File → Upload
notebook*), put the wheel from `dist/` beside it (the folder at the left), and choose *Run all*.
"""  # noqa: E501


class AddressError(Exception):
    """One sentence: what is wrong, and the way out."""


@dataclass(frozen=True)
class Address:
    """`repository` is owner/name on GitHub ("" where there is none yet), `ref` a tag or branch of it, `pypi`
    whether the name florence-nb on PyPI is this package.
    """

    repository: str = ""
    ref: str = ""
    pypi: bool = False

    @property
    def url(self) -> str:
        return f"https://github.com/{self.repository}"

    def source(self, version: str) -> str:
        """What pip installs where no wheel lies beside a notebook; "" for nothing."""
        if not self.repository:
            return ""
        return f"florence-nb=={version}" if self.pypi else f"git+{self.url}@{self.ref}"

    def colab(self, path: str) -> str:
        return f"https://colab.research.google.com/github/{self.repository}/blob/{self.ref}/{path}"

    def binder(self, path: str) -> str:
        place = f"https://mybinder.org/v2/gh/{self.repository}/{quote(self.ref, safe='')}"
        return f"{place}?urlpath=lab/tree/{path}"

    def codespaces(self) -> str:
        return f"https://codespaces.new/{self.repository}/tree/{self.ref}"


# ---- the text of each copy


def table(address: Address, _old: str) -> str:
    return (
        "[tool.florence-nb]\n"
        f'repository = "{address.repository}"\n'
        f'ref = "{address.ref}"\n'
        f"pypi = {str(address.pypi).lower()}\n"
    )


def urls(address: Address, _old: str) -> str:
    return f'[project.urls]\nRepository = "{address.url}"\n' if address.repository else ""


def clone(address: Address, old: str) -> str:
    """The block of commands; only the two lines that name the repository are written anew."""
    lines = "git clone ADDRESS florence-nb    # the address of the page where you read this\ncd florence-nb\n"
    if address.repository:
        lines = f"git clone {address.url}\ncd {address.repository.split('/')[1]}\n"
    return re.sub(r"^git clone .*\ncd .*\n", lambda _: lines, old, flags=re.MULTILINE)


def colab(address: Address, _old: str) -> str:
    if not address.repository:
        return UNSTAMPED
    by_name = ' The package alone: `pip install "florence-nb[lab]"`.' if address.pypi else ""
    return (
        f"**Without installing:** [Colab]({address.colab(FIRST_LESSON)}) (each lesson begins with this link),"
        f" [Binder]({address.binder(FIRST_LESSON)}), [Codespaces]({address.codespaces()}).{by_name}\n"
    )


def badge(address: Address, name: str) -> str:
    """A link in words, because a picture from the web is broken where there is no network."""
    return f"[Open in Colab]({address.colab(f'notebooks/{name}')})\n" if address.repository else ""


def wheel_name(version: str) -> str:
    return f"florence_nb-{version}-py3-none-any.whl"


def set_up_cell(address: Address, version: str) -> str:
    """The first code cell of every lesson: at most eight lines.

    UsageError is what IPython itself raises for a wrong %magic. It stops Run All and shows as one line; any
    other exception shows a traceback.
    """
    wheel, source = wheel_name(version), address.source(version)
    condition, install = f'not {SET_UP} and exists("{wheel}")', wheel
    if source:
        condition, install = f"not {SET_UP}", f'{{"{wheel}" if exists("{wheel}") else "{source}"}}'
    return f"""from importlib.util import find_spec
from os.path import exists
from IPython.core.error import UsageError

if {condition}:
    %pip install -q {install}
if not {SET_UP}:
    raise UsageError("{SENTENCE.format(wheel=wheel)}")"""


# ---- read and write the copies


MARKED: dict[str, dict[str, Callable[[Address, str], str]]] = {
    "pyproject.toml": {"table": table, "urls": urls},
    "README.md": {"clone": clone, "colab": colab},
}


@dataclass(frozen=True)
class Renewed:
    """A file with its text as it should be, and the names of the copies in it that were different."""

    path: Path
    text: str
    stale: list[str]


def replace_marked(text: str, name: str, write: Callable[[str], str]) -> str:
    """Replace what stands between the marks of that name by write(what stands there). AddressError where the
    marks are missing.
    """
    marks = re.compile(
        rf"^((?:<!--|\#) address: {name}(?: -->)?\n)(.*?)(^(?:<!--|\#) /address(?: -->)?$)", re.M | re.S
    )
    if not marks.search(text):
        raise AddressError(f"the marks around its copy '{name}' of the address are lost: bring them back")
    return marks.sub(lambda found: found[1] + write(found[2]) + found[3], text, count=1)


def renew_page(path: Path, places: dict, address: Address, _version: str) -> Renewed:
    text, stale = path.read_text(encoding="utf-8"), []
    for name, write in places.items():
        new = replace_marked(text, name, lambda old, write=write: write(address, old))
        stale += [name] if new != text else []
        text = new
    return Renewed(path, text, stale)


def renew_notebook(path: Path, address: Address, version: str) -> Renewed:
    text = path.read_text(encoding="utf-8")
    notebook = json.loads(text)
    title = notebook["cells"][0]
    set_up = next((cell for cell in notebook["cells"] if cell["cell_type"] == "code"), None)
    if set_up is None or SET_UP not in "".join(set_up["source"]):
        raise AddressError("its first code cell is not the set-up cell: copy that of another lesson")
    wanted = replace_marked("".join(title["source"]), "badge", lambda _: badge(address, path.name))
    renewed = {"badge": (title, wanted), "set-up cell": (set_up, set_up_cell(address, version))}
    stale = [name for name, (cell, source) in renewed.items() if put_source(cell, source)]
    # As nbformat writes it, so that JupyterLab saves the same bytes.
    written = json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    return Renewed(path, written if stale else text, stale)


def put_source(cell: dict, source: str) -> bool:
    """Whether this changed the cell. Its id follows its source, as in tests/notebooks/refresh.py."""
    lines = source.splitlines(keepends=True)
    if changed := cell["source"] != lines:
        cell["source"] = lines
        cell["id"] = hashlib.sha256(f"{cell['cell_type']}\n{source}".encode()).hexdigest()[:8]
    return changed


def renew_all(root: Path, address: Address) -> Iterator[Renewed]:
    """Every file that holds a copy, pyproject.toml last: it is true only when the others are written."""
    version = project(root)["project"]["version"]
    lessons = sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    jobs = [(path, lambda path: renew_notebook(path, address, version)) for path in lessons]
    for name, places in reversed(MARKED.items()):
        jobs.append((root / name, lambda path, places=places: renew_page(path, places, address, version)))
    for path, renew in jobs:
        try:
            yield renew(path)
        except (AddressError, OSError, ValueError, KeyError, IndexError) as error:
            raise AddressError(f"{path.relative_to(root).as_posix()}: {error}") from error


def project(root: Path) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


def read(root: Path = ROOT) -> Address:
    return Address(**project(root)["tool"]["florence-nb"])


def stamp(root: Path, address: Address) -> list[Path]:
    """Write the address into every copy; the files that changed. Where one cannot be read, none is
    written.
    """
    renewed = [each for each in list(renew_all(root, address)) if each.stale]
    for each in renewed:
        each.path.write_text(each.text, encoding="utf-8", newline="\n")
    return [each.path for each in renewed]


def stale_copies(root: Path) -> list[str]:
    """The copies that differ from the table, as "README.md: clone"."""
    return [
        f"{each.path.relative_to(root).as_posix()}: {name}"
        for each in renew_all(root, read(root))
        for name in each.stale
    ]


# ---- what the user may write


def repository_of(text: str) -> str:
    """owner/name from owner/name or from an address on GitHub. AddressError for anything else."""
    found = ON_GITHUB.fullmatch(text.strip())
    name = (found[1] if found else text.strip()).rstrip("/").removesuffix(".git")
    if not REPOSITORY.fullmatch(name):
        raise AddressError(f"{text!r} is no repository on GitHub: write REPO=owner/name")
    return name


def checked_ref(text: str) -> str:
    if not REF.fullmatch(text):
        raise AddressError(f"{text!r} is no tag or branch: write REF=v0.2.0, or REF=main")
    return text


def checked_pypi(text: str) -> bool:
    if text not in ("yes", "no"):
        raise AddressError(f"PYPI={text} is neither yes nor no; yes: florence-nb on PyPI is this package")
    return text == "yes"


def git(root: Path, *arguments: str) -> str:
    """What git prints, "" where it fails or is not installed."""
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def repository_in_sight(root: Path) -> str:
    origin = git(root, "remote", "get-url", "origin")
    if not origin:
        raise AddressError("There is no git remote 'origin' to read the address from: write REPO=owner/name")
    if not ON_GITHUB.fullmatch(origin):
        raise AddressError("The git remote 'origin' is not on GitHub: write REPO=owner/name of one that is")
    return repository_of(origin)


def ref_in_sight(root: Path) -> tuple[str, str]:
    """(ref, how it was found): the tag of this commit, else the branch, else main."""
    if tag := git(root, "describe", "--tags", "--exact-match"):
        return checked_ref(tag), "the tag of this commit"
    if branch := git(root, "branch", "--show-current"):
        return checked_ref(branch), "the branch of this folder"
    return "main", "no tag or branch is in sight"


def main(arguments: list[str], root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("repository", nargs="?", help="owner/name, or none")
    parser.add_argument("--ref")
    parser.add_argument("--pypi", default="no", help="yes or no")
    parser.add_argument("--check", action="store_true", help="exit 1 where a copy differs")
    parser.add_argument("--show", action="store_true", help="print owner/name")
    options = parser.parse_args(arguments)
    try:
        if options.show:
            print(read(root).repository)
            return 0
        return check(root) if options.check else change(root, options)
    except AddressError as error:
        print(error, file=sys.stderr)
        return 1


def check(root: Path) -> int:
    stale = stale_copies(root)
    for copy in stale:
        print(f"{copy} differs from [tool.florence-nb] in pyproject.toml: make address writes it anew")
    return 1 if stale else 0


def change(root: Path, options: argparse.Namespace) -> int:
    if options.repository == "none":
        changed = stamp(root, Address())
        print(f"The address is taken out ({len(changed)} files changed)")
        return 0
    repository = repository_of(options.repository) if options.repository else repository_in_sight(root)
    ref, how = (checked_ref(options.ref), "REF") if options.ref else ref_in_sight(root)
    changed = stamp(root, Address(repository, ref, checked_pypi(options.pypi)))
    print(f"The address is {repository} at {ref} ({how}; {len(changed)} files changed): commit and push them")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
