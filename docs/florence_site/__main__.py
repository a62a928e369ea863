"""`make site`: gathers the pages, builds them, checks what was built, and puts it into its place.

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


def build(work: Path) -> Path:
    """Builds the site in a folder for scratch; returns where it is. SystemExit if Sphinx warns."""
    pages, extra, html = work / "pages", work / "extra", work / "html"
    gather(pages, extra)
    settings = ["-c", str(DOCS), "-d", str(work / "doctrees"), "-D", f"html_extra_path={extra}"]
    if sphinx(["-q", "-W", "--keep-going", "-n", "-b", "html", *settings, str(pages), str(html)]):
        sys.exit("Sphinx warned, and each warning counts as an error")
    return html


def faults(site: Path) -> list[str]:
    """Prints what the site is, and returns what is wrong, a sentence each."""
    report, size, single = links.check(site, leave=(TRY,)), weight(site), (site / TRY).stat().st_size
    print(f"{report.pages} pages, {report.links} links; they lead to {len(report.outside)} places elsewhere:")
    print("\n".join(sorted(report.outside)))
    print(f"{size / 1e6:.1f} MB, and mini's own page {single / 1e6:.1f} MB")
    heavy = [f"The site has {size / 1e6:.1f} MB, more than {LARGEST / 1e6:.0f}"] if size > LARGEST else []
    return [*report.broken, *report.loaded, *heavy]


def weight(out: Path) -> int:
    """Bytes of all files but mini's page."""
    return sum(path.stat().st_size for path in out.rglob("*") if path.is_file() and path != out / TRY)


def check_place(out: Path) -> None:
    """SystemExit where a folder holds anything else than what an earlier call built."""
    if out.exists() and any(out.iterdir()) and not (out / MARK).is_file():
        sys.exit(f"{out} holds something else than a site: name another folder with --out")


def put(site: Path, out: Path) -> None:
    """Moves a site to its place, instead of an older one."""
    if out.exists():
        shutil.rmtree(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(site, out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "site", help="the folder to write (site/)")
    out, began = parser.parse_args().out, time.monotonic()
    check_place(out)
    with tempfile.TemporaryDirectory() as work:
        site = build(Path(work))
        if wrong := faults(site):
            sys.exit("\n".join(wrong))
        put(site, out)
    print(f"{time.monotonic() - began:.0f} seconds: open {out / 'index.html'}")


if __name__ == "__main__":
    main()
