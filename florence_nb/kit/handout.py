"""The handout: one page of A4 with the fifteen prompts, five lines of code, bins and IoU.

`florence-nb slides` writes it as slides/handout.html; print it from the browser.
"""

from __future__ import annotations

import html

from ..tasks import TASKS

_CODE = """import florence_nb as fnb
florence = fnb.load("mini")            # or "base", "large"
image = fnb.open_image("street")       # or a file, a URL
answer = florence.run_example("<OD>", image)
fnb.show(answer)                       # answer.boxes, .labels, .text"""
_STYLE = """
:root { --ink: #1c2430; --quiet: #5b6675; --mark: #0072b2; --line: #d8dde3; }
* { box-sizing: border-box; } @page { size: A4; margin: 0; }
body { margin: 0 auto; width: 210mm; height: 297mm; padding: 13mm 14mm; color: var(--ink); background: #fff;
  font: 9.6pt/1.4 system-ui, "Segoe UI", Roboto, sans-serif; display: flex; flex-direction: column; gap: 4.5mm; }
h1 { font-size: 20pt; margin: 0; letter-spacing: -.01em; } h2 { font-size: 11pt; margin: 0 0 1.5mm; color: var(--mark); }
p { margin: 0 0 1.5mm; } .quiet { color: var(--quiet); }
table { border-collapse: collapse; width: 100%; font-size: 8.8pt; } td, th { text-align: left; padding: 1mm 1.6mm; border-bottom: 1px solid var(--line); }
code, pre { font: 500 8.4pt ui-monospace, Menlo, Consolas, monospace; } pre { margin: 0; padding: 2.5mm 3mm; background: #f2f5f8; border-radius: 2mm; line-height: 1.5; }
.columns { display: grid; grid-template-columns: 1fr 1fr; gap: 8mm; } svg { width: 100%; height: auto; display: block; }
"""
_BINS = """<svg viewBox="0 0 300 150" role="img" aria-label="A picture of 400 by 300 pixels; the point x 100, y 150 lies in bin 250 across and bin 500 down">
<rect x="40" y="14" width="160" height="120" fill="#eaf3fa" stroke="#1c2430"/>
<path d="M80 14V74M40 74H80" stroke="#0072b2" stroke-dasharray="3 3"/><circle cx="80" cy="74" r="4" fill="#d55e00"/>
<g font-size="9" fill="#1c2430"><text x="40" y="10">0</text><text x="182" y="10">999</text><text x="30" y="23" text-anchor="end">0</text><text x="30" y="134" text-anchor="end">999</text>
<text x="90" y="71">x = 100, y = 150 pixels</text><text x="90" y="86" font-family="monospace">&lt;loc_250&gt;&lt;loc_500&gt;</text>
<text x="206" y="44">400 × 300 pixels</text><text x="206" y="60">one bin across:</text><text x="206" y="72">0.4 pixels</text></g></svg>"""
_IOU = """<svg viewBox="10 0 320 160" role="img" aria-label="Two boxes that overlap: IoU is the shared area divided by all the area they cover">
<rect x="20" y="20" width="100" height="80" fill="#0072b2" fill-opacity=".25" stroke="#0072b2"/><rect x="60" y="40" width="100" height="80" fill="#d55e00" fill-opacity=".25" stroke="#d55e00"/>
<rect x="60" y="40" width="60" height="60" fill="#1c2430" fill-opacity=".45"/>
<g font-size="9" fill="#1c2430"><text x="20" y="14">the model's box</text><text x="60" y="134">the true box</text>
<text x="180" y="50">shared 60 × 60 = 3 600</text><text x="180" y="66">covered 8 000 + 8 000 − 3 600</text><text x="180" y="82">IoU = 3 600 / 12 400 = 0.29</text><text x="180" y="98">found: from 0.5 on</text></g></svg>"""


def handout() -> str:
    """The page as HTML."""
    rows = "".join(
        f"<tr><td><code>{html.escape(t.prompt)}</code></td><td>{_takes(t.takes)}</td><td>{t.gives}</td></tr>"
        for t in TASKS.values()
    )
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Florence-2 on one page</title><style>{_STYLE}</style>
<header><h1>Florence-2 on one page</h1><p class=quiet>One model, fifteen prompts, and every answer is a row of tokens.</p></header>
<section><h2>Five lines</h2><pre>{html.escape(_CODE)}</pre></section>
<section><h2>Fifteen prompts</h2><table><tr><th>prompt</th><th>you add</th><th>you get</th></tr>{rows}</table></section>
<div class=columns><section><h2>A place is a bin, 0 to 999</h2>{_BINS}<p>bin = floor(1000 · x / width), and y with the height. A box is
left, top, right, bottom; y grows downwards.</p></section>
<section><h2>IoU: how well two regions agree</h2>{_IOU}<p>Intersection over union: what both share, divided by what they cover together. 0 is
nothing, 1 is the same.</p></section></div>
<section><h2>Before you believe it</h2><p>Was the answer cut (<code>answer.truncated</code>)? Does a box as large as the picture mean "not found"? Is the
name right, or only the place? A score tells how sure the model is of the place, not of the name.</p></section></html>"""


def _takes(takes: str) -> str:
    return {"nothing": "", "phrase": "words", "region": "a region x1, y1, x2, y2"}[takes]
