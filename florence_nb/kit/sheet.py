"""The test before and after on paper: one page of A4, two for each participant.

`florence-nb slides` writes it as slides/before-after.html; print it from the browser.
"""

from __future__ import annotations

from .quiz import EXIT_QUESTION, LETTERS, Question, as_html, before_after

_STYLE = """
* { box-sizing: border-box; } @page { size: A4; margin: 0; }
body { margin: 0 auto; width: 210mm; height: 297mm; padding: 14mm 16mm; color: #1c2430;
  background: #fff; font: 10.5pt/1.4 system-ui, "Segoe UI", Roboto, sans-serif;
  display: flex; flex-direction: column; gap: 5mm; }
h1 { font-size: 20pt; margin: 0; } h2 { font-size: 11pt; margin: 0 0 1.5mm; } p { margin: 0; }
ul { list-style: none; margin: 0; padding: 0 0 0 2mm; } li { margin: .8mm 0; }
code { font: 500 9.4pt ui-monospace, Menlo, Consolas, monospace; }
.line { border-bottom: 1px solid #1c2430; height: 9mm; }
"""


def before_after_sheet() -> str:
    """The page as HTML, without answers."""
    asked = "".join(_section(number, question) for number, question in enumerate(before_after(), 1))
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Five questions</title>
<style>{_STYLE}</style>
<header><h1>Five questions</h1>
<p>☐ before &nbsp; ☐ after &nbsp; Your sign, a word or a drawing, the same both times: ________________</p>
<p>Alone, no name, no marks. Do not guess: tick the last box where you do not know yet.</p></header>
{asked}
<section><h2>Only after: {EXIT_QUESTION}</h2><div class=line></div><div class=line></div></section></html>"""


def _section(number: int, question: Question) -> str:
    texts = [f"<b>{letter}</b> {as_html(o.text)}" for letter, o in zip(LETTERS, question.options)]
    ticks = "".join(f"<li>☐ {text}</li>" for text in [*texts, "I do not know yet"])
    return f"<section><h2>{number}. {as_html(question.question)}</h2><ul>{ticks}</ul></section>"
