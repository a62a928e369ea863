// What tests/browser/test_access.py asks the page.

const contrast = () => {
  const parsed = (text) => {
    const n = (text.match(/[\d.]+/g) || []).map(Number);
    return text.startsWith("color(srgb") ? [n[0] * 255, n[1] * 255, n[2] * 255, n[3] ?? 1] : [n[0], n[1], n[2], n[3] ?? 1];
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const light = (c) => [0.2126, 0.7152, 0.0722].reduce((sum, w, i) => {
    const v = c[i] / 255;
    return sum + w * (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  }, 0);
  const parents = (e) => e ? [...parents(e.parentElement), e] : [];
  const told = (e) => {
    const chain = parents(e);
    let ground = [255, 255, 255, 1], opacity = 1;
    for (const one of chain) {
      const style = getComputedStyle(one), paint = parsed(style.backgroundColor);
      opacity *= style.opacity;
      if (paint[3]) ground = over([...paint.slice(0, 3), paint[3] * opacity], ground);
    }
    const ink = parsed(getComputedStyle(e).color);
    const [high, low] = [light(over([...ink.slice(0, 3), ink[3] * opacity], ground)), light(ground)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  const shown = [...document.querySelectorAll(".jp-OutputArea-output *")].filter((e) => {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    const at = e.getBoundingClientRect(), off = e.closest("[disabled], .noUi-target[disabled], style, script, svg title");
    return (own || e.matches("input[type=text], select")) && !off && at.width > 1 && at.height > 1 && getComputedStyle(e).visibility === "visible";
  });
  return shown.map((e) => [Math.round(100 * told(e)) / 100, e.tagName + "." + e.className, (e.textContent || e.value || "").slice(0, 40)]);
};

const nameless = () => [...document.querySelectorAll(
  ".jp-OutputArea-output :is(button, select, input, [role=slider], [role=application], [role=listbox], [contenteditable=true], img)",
)].filter((e) => {
  const at = e.getBoundingClientRect();
  const name = e.getAttribute("aria-label") || e.alt || e.title || e.textContent.trim() && e.tagName === "BUTTON"
    || (e.labels && [...e.labels].map((l) => l.textContent.trim()).join("")) || e.closest("label")?.textContent.trim();
  return at.width && !name;
}).map((e) => e.outerHTML.slice(0, 160));

const stop = () => {
  const e = document.activeElement;
  const ring = getComputedStyle(e);
  return {
    inside: !!e.closest(".jp-OutputArea-output"),
    what: e.getAttribute("role") || e.tagName.toLowerCase(),
    name: e.getAttribute("aria-label") || [...(e.labels || [])].map((l) => l.textContent.trim()).join(" ") || e.textContent.trim().slice(0, 40),
    ring: ring.outlineStyle !== "none" && parseFloat(ring.outlineWidth) >= 2,
  };
};

Object.assign(window, { contrast, nameless, stop });
