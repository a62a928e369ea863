"""`make site`: gathers the pages, builds them, and checks what was built.

    PYTHONPATH=docs python -m florence_site [--out site]

It ends with 1 and a sentence for each thing that is wrong.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from sphinx.cmd.build import main as sphinx

from . import links
from .gather import DOCS, TRY, gather
from .repository import ROOT

LARGEST = 12_000_000
"""Bytes of the site without mini's page, whose weights alone are more."""
MARK = ".buildinfo"
"""Sphinx leaves it in what it built."""


def build(out: Path) -> list[str]:
    """Builds the site into a folder; returns what is wrong with it, a sentence each."""
    with tempfile.TemporaryDirectory() as work:
        pages, extra, doctrees = (Path(work) / name for name in ("pages", "extra", "doctrees"))
        gather(pages, extra)
        settings = ["-c", str(DOCS), "-d", str(doctrees), "-D", f"html_extra_path={extra}"]
        if sphinx(["-q", "-W", "--keep-going", "-n", "-b", "html", *settings, str(pages), str(out)]):
            return ["Sphinx warned; each warning counts as an error"]
    return faults(out)


def faults(out: Path) -> list[str]:
    """Prints what the site is, and returns what is wrong."""
    report, size, single = links.check(out, leave=(TRY,)), weight(out), (out / TRY).stat().st_size
    outside = "\n".join(sorted(report.outside))
    print(f"{report.pages} pages, {report.links} links; they lead to {len(report.outside)} places elsewhere:")
    print(outside)
    print(f"{size / 1e6:.1f} MB, and mini's own page {single / 1e6:.1f} MB: open {out / 'index.html'}")
    heavy = [f"The site has {size / 1e6:.1f} MB, more than {LARGEST / 1e6:.0f}"] if size > LARGEST else []
    return [*report.broken, *report.loaded, *heavy]


def weight(out: Path) -> int:
    """Bytes of all files but mini's page."""
    return sum(path.stat().st_size for path in out.rglob("*") if path.is_file() and path != out / TRY)


def make_room(out: Path) -> None:
    """Takes away what an earlier call built; anything else stays, and ends the call."""
    if out.exists() and any(out.iterdir()):
        if not (out / MARK).is_file():
            sys.exit(f"{out} holds something else than a site: name another folder with --out")
        shutil.rmtree(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "site", help="the folder to write (site/)")
    out, began = parser.parse_args().out, time.monotonic()
    make_room(out)
    wrong = build(out)
    print(f"{time.monotonic() - began:.0f} seconds")
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
