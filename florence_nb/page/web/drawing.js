// An answer on its picture: outlines with a dark rim, masks, and a plate with the name of each. Colours are those of the notebooks.
import { TABLES } from "./tables.js";

const { PALETTE, LABEL_SALT } = TABLES;
const RIM = "rgba(0, 0, 0, 0.65)";

// A label always has the same colour; nameless regions take the colours in turn.
export function colourOf(label, index) {
  return PALETTE[(label ? crc32(LABEL_SALT + label.toLowerCase()) : index) % PALETTE.length];
}

function crc32(text) {
  let crc = ~0;
  for (const byte of new TextEncoder().encode(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

// Every region of an answer: { kind, label, colour, outlines: [[x, y, …], …] } in pixels of the picture.
export function regionsOf({ boxes, quads, polygons, labels }) {
  const found = [
    ...boxes.map(([a, b, c, d]) => ({ kind: "box", outlines: [[a, b, c, b, c, d, a, d]] })),
    ...quads.map((quad) => ({ kind: "quad", outlines: [quad] })),
    ...polygons.map((parts) => ({ kind: "mask", outlines: parts })),
  ];
  return found.map((region, i) => ({ ...region, label: labels[i], colour: colourOf(labels[i], i) }));
}

export function tracePath(ctx, outlines, scale = 1) {
  ctx.beginPath();
  for (const points of outlines) {
    for (let i = 0; i < points.length; i += 2) ctx[i ? "lineTo" : "moveTo"](points[i] * scale, points[i + 1] * scale);
    ctx.closePath();
  }
}

export function drawRegions(ctx, regions, scale) {
  ctx.lineJoin = "round";
  for (const { kind, outlines, colour } of regions) {
    tracePath(ctx, outlines, scale);
    if (kind === "mask") { ctx.fillStyle = `${colour}6e`; ctx.fill(); }
    for (const [style, width] of [[RIM, 4], [colour, 2]]) { ctx.strokeStyle = style; ctx.lineWidth = width; ctx.stroke(); }
  }
  drawPlates(ctx, regions, scale);
}

export function drawDashed(ctx, outlines, scale, dash = [6, 6]) {
  tracePath(ctx, outlines, scale);
  for (const [style, pattern] of [["#000c", []], ["#fff", dash]]) {
    ctx.strokeStyle = style; ctx.lineWidth = pattern.length ? 2 : 3; ctx.setLineDash(pattern); ctx.stroke();
  }
  ctx.setLineDash([]);
}

// Names beside what they name: of a few places the one that covers least.
function drawPlates(ctx, regions, scale) {
  const { canvas } = ctx, ratio = ctx.getTransform().a, sheet = [canvas.width / ratio, canvas.height / ratio], taken = [];
  ctx.font = "600 13px system-ui, sans-serif"; ctx.textBaseline = "middle";
  const boxes = regions.map(({ outlines }) => boundsOf(outlines).map((v) => v * scale));
  regions.forEach(({ label, colour }, i) => {
    if (!label) return;
    const text = fitted(ctx, label, sheet[0] - 12), w = ctx.measureText(text).width + 10, h = 19, [x1, y1, x2, y2] = boxes[i];
    const places = [[x1, y1 - h], [x1, y2], [x2 - w, y1 - h], [x2 - w, y2], [x2, y1], [x1 - w, y1], [x1, y1]];
    const plates = places.map(([x, y]) => inside([x, y, x + w, y + h], sheet));
    const cost = (plate) => 4 * sum(taken, plate) + 0.5 * sum(boxes, plate);
    const plate = plates.reduce((best, next) => (cost(next) < cost(best) - 1 ? next : best));
    taken.push(plate);
    ctx.fillStyle = colour; ctx.beginPath(); ctx.roundRect(plate[0], plate[1], w, h, 4); ctx.fill();
    ctx.fillStyle = "#14181e"; ctx.fillText(text, plate[0] + 5, plate[1] + h / 2 + 1);
  });
}

export function boundsOf(outlines) {
  const all = outlines.flat(), xs = all.filter((_, i) => i % 2 === 0), ys = all.filter((_, i) => i % 2);
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

function inside([x1, y1, x2, y2], [width, height]) {
  const dx = Math.max(0, -x1) - Math.max(0, x2 - width), dy = Math.max(0, -y1) - Math.max(0, y2 - height);
  return [x1 + dx, y1 + dy, x2 + dx, y2 + dy];
}

function sum(boxes, plate) { return boxes.reduce((area, box) => area + shared(box, plate), 0); }

function shared(a, b) {
  return Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0])) * Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
}

function fitted(ctx, text, width) {
  if (ctx.measureText(text).width <= width) return text;
  while (text.length > 1 && ctx.measureText(`${text}…`).width > width) text = text.slice(0, -1);
  return `${text.trimEnd()}…`;
}
