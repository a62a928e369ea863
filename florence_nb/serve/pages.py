"""The pages that `florence-nb serve` writes: the start page, the slide with the code, "nothing here"."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

from .qr import HOW_TO_GET_IT

HERE = Path(__file__).parent
Links = Sequence[tuple[str, str]]
"""Address and words of each link."""

_HERE_SCRIPT = """<script>
for (const one of document.querySelectorAll("[data-host]")) {
  const { host, name } = one.dataset;
  one.textContent = one.textContent.replaceAll(host, location.host).replaceAll(name, location.hostname);
}
</script>"""
"""Who came by another address of the laptop reads that one in the lines to type."""


def _document(title: str, style: str, body: str) -> str:
    css = (HERE / style).read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<link rel="icon" href="data:,">\n'
        f"<title>{html.escape(title)}</title>\n<style>\n{css}</style>\n{body}\n</html>\n"
    )


def start_page(sections: Sequence[str]) -> str:
    """The page at ``/``.

    Args:
        sections: HTML of what is there, such as of `play` and `downloads`.
    """
    body = (
        "<header><h1>Florence-2 <span>mini</span></h1>\n"
        '<p class="quiet">All of this comes from one laptop in this room. It needs no account and no'
        " internet.</p></header>\n"
        f"<main>\n{''.join(sections)}</main>\n"
        '<footer class="quiet"><a href="/qr">Show the address as a QR code</a></footer>'
    )
    return _document("Florence-2 mini", "serve.css", body)


def play(megabytes: float) -> str:
    """The way to the page; it loads so many megabytes once."""
    return (
        '<section class="play"><img src="/street.jpg" width="640" height="400"'
        ' alt="A drawn street with a house, a tree, a car, a dog and a sign">'
        "<div><h2>Play with a vision model</h2>"
        "<p>Move things in a picture, ask what the model sees, and find out where it fails. It runs in your"
        " browser: nothing leaves your device.</p>"
        '<p class="buttons"><a class="button first" href="/page/">Play</a>'
        '<a class="button" href="/page/#challenge">Challenge of the minute</a></p>'
        f'<p class="quiet">It loads {megabytes:.0f} MB, once.</p></div></section>\n'
    )


def section(
    title: str,
    words: str,
    *,
    button: tuple[str, str] | None = None,
    more: str = "",
    links: Links = (),
    files: bool = False,
) -> str:
    """A title, a sentence, at most one button (address, words), and links that open under ``more``.

    Args:
        title: plain text, as all words here.
        words: a sentence.
        button: address and words.
        more: what the closed list is called.
        links: the list.
        files: are button and links files to keep, not pages to open?
    """
    keep = " download" if files else ""
    link = '<a{} href="{}"{}>{}</a>'
    rows = "".join(f"<li>{link.format('', quote(to), keep, html.escape(text))}</li>" for to, text in links)
    opened = f"<details><summary>{html.escape(more)}</summary><ul>{rows}</ul></details>" if rows else ""
    first = link.format(' class="button"', quote(button[0]), keep, html.escape(button[1])) if button else ""
    first = f'<p class="buttons">{first}</p>' if first else ""
    return f"<section><h2>{html.escape(title)}</h2><p>{html.escape(words)}</p>{first}{opened}</section>\n"


def install(address: str, what: str, platforms: str) -> str:
    """How a laptop installs from the kit: the lines to type.

    Args:
        address: of this server.
        what: for pip, such as ``florence-nb[lab]``.
        platforms: such as ``linux 3.12``, which the kit is for.
    """
    host, name = urlsplit(address).netloc, urlsplit(address).hostname or ""
    line = (
        f'python -m pip install --no-index --find-links {address}/kit/wheels/ --trusted-host {name} "{what}"'
    )
    lines = f"python3 -m venv florence-venv\nsource florence-venv/bin/activate\n{line}\nflorence-nb lab"
    return (
        '<section class="wide"><h2>Install on a laptop, from here</h2>'
        f"<p>For {html.escape(platforms)}. In a terminal, in a folder of your own:</p>"
        f'<pre data-host="{html.escape(host)}" data-name="{html.escape(name)}">{html.escape(lines)}</pre>'
        r'<p class="quiet">On Windows the first two lines are <code>py -m venv florence-venv</code> and'
        r" <code>florence-venv\Scripts\activate</code>.</p></section>" + f"\n{_HERE_SCRIPT}\n"
    )


def qr_slide(address: str, svg: str, wifi: str = "") -> str:
    """A slide that fills the projector: code, address, and how to come here.

    Args:
        address: what the code says.
        svg: the code; "" if there is none.
        wifi: the name of the network, if it is known.
    """
    network = (
        f"Join the Wi-Fi <b>{html.escape(wifi)}</b>." if wifi else "Join the Wi-Fi that this laptop is in."
    )
    scan = "Scan the code, or type the address." if svg else "Type the address."
    missing = "" if svg else f'<p class="quiet">{HOW_TO_GET_IT}</p>'
    body = (
        f"<main>{svg}<div><h1>Open it on your phone</h1><ol><li>{network}</li><li>{scan}</li></ol>{missing}"
        f'</div></main>\n<p class="address" style="--letters: {len(address)}">{html.escape(address)}</p>'
    )
    return _document("Open it on your phone", "qr.css", body)


def nothing_here() -> str:
    """The page for every other address."""
    body = (
        "<header><h1>Nothing here</h1></header>\n<main><section><p>There is nothing at this address."
        " Perhaps it was mistyped.</p>"
        '<p class="buttons"><a class="button first" href="/">To the start</a></p></section></main>'
    )
    return _document("Nothing here", "serve.css", body)
