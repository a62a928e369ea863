"""Sphinx extension: a link to a file of the repository that has no page here.

With an address it leads to the repository; without one its words stay, as code, and lead nowhere. A link to
a file that is not in the repository stays what it was: a warning, so an error.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

from .repository import ROOT, on_the_web


def repository_path(page: str, target: str) -> str:
    """What a link on a page names, from the root of the repository; "" if nothing is there.

    Args:
        page: the page's own place, such as ``"workshop/README"``.
        target: as written in the link, such as ``"../florence_nb/tasks.py"``.
    """
    found = (ROOT / page).parent.joinpath(target.partition("#")[0]).resolve()
    here = target and not target.startswith("#") and found.is_relative_to(ROOT) and found.exists()
    return found.relative_to(ROOT).as_posix() if here else ""


def replacement(words: nodes.Element, path: str) -> nodes.Element:
    """The link's words as a link to the repository, or as code."""
    if url := on_the_web(path):
        return nodes.reference("", "", *words.children, refuri=url, internal=False)
    if any(isinstance(child, nodes.literal) for child in words.findall()):
        return words
    return nodes.literal("", words.astext())


def point_elsewhere(app: Sphinx, document: nodes.document) -> None:
    page = app.env.docname
    for link in list(document.findall(pending_xref)):
        if link["reftype"] == "myst" and not link.get("refdomain"):
            if path := repository_path(page, link["reftarget"]):
                link.replace_self(replacement(link[0].deepcopy(), path))


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("doctree-read", point_elsewhere)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
