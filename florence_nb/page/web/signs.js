// Signs, banners and number plates with words of one's own: florence_nb/scenes/signs.py on a canvas. Its letters come as outlines.
import { TABLES } from "./tables.js";

const { GLYPHS, COLOURS } = TABLES.WORLD;
// Free room beside the text and above it, in heights of a capital letter, and the narrowest shape.
const STYLES = { sign: { beside: 0.42, above: 0.36, aspect: 1 }, banner: { beside: 0.42, above: 0.34, aspect: 1.5 }, "number plate": { beside: 0.72, above: 0.42, aspect: 1.5 } };
const LINE_GAP = 0.42, CAP = GLYPHS.H.box[3] / 1000;
const LIGHT_BOARDS = ["white", "yellow", "orange", "pink"];
const DARK_INK = "rgb(28 26 36)", WHITE_INK = "rgb(252 252 250)";
const WOOD = "rgb(150 104 64)", WOOD_LINE = "rgb(84 54 36)", STEEL_LINE = "rgb(66 70 80)", STEEL_LIGHT = "rgb(206 210 216)";
const LINE = /^[A-Z0-9]{1,8}( [A-Z0-9]{1,8})?$/;

// What a sign can carry of what was typed: capitals, one or two lines (a / begins the second). Throws where it cannot.
export function signWords(text) {
  const lines = text.toUpperCase().split(/[/\n]/).map((line) => line.trim().replace(/\s+/g, " ")).filter(Boolean);
  if (!lines.length || lines.length > 2 || !lines.every((line) => LINE.test(line))) {
    throw new Error("A sign carries one or two words of 1 to 8 letters A–Z or digits; a / begins a second line.");
  }
  return lines.join("\n");
}

// How a sign is drawn `width` units wide: { draw(ctx), width, height, quads, letters }, all in these units.
export function layOut({ kind, colour, text }, width) {
  const lines = text.split("\n"), style = STYLES[kind], inks = lines.map(inkOf);
  const caps = lines.length + LINE_GAP * (lines.length - 1) + 2 * style.above, widest = Math.max(...inks.map(([x0, , x1]) => x1 - x0)) / 1000;
  const size = Math.max(5, Math.trunc(Math.min(width / (widest + 2 * style.beside * CAP), width / (style.aspect * caps * CAP))));
  const height = Math.round(caps * CAP * size);
  const placed = lines.map((line, i) => {
    const [x0, y0, x1, y1] = inks[i].map((v) => (v * size) / 1000);
    const x = Math.round((width - x0 - x1) / 2), y = Math.round((style.above + 1 + i * (1 + LINE_GAP)) * CAP * size);
    return { line, x, y, box: [x + x0, y - y1, x + x1, y - y0] };
  });
  const board = BOARDS[kind](width, height, COLOURS[colour], Math.min(...placed.map(({ box }) => box[0]))), [left, top] = board.corner;
  const ink = LIGHT_BOARDS.includes(colour) ? DARK_INK : WHITE_INK;
  return {
    width: board.width, height: board.height,
    quads: placed.map(({ box: [x0, y0, x1, y1] }) => [x0, y0, x1, y0, x1, y1, x0, y1].map((v, i) => v + (i % 2 ? top : left))),
    letters: placed.flatMap(({ line, x, box }) => lettersOf(line, x + left, (box[1] + box[3]) / 2 + top, size)),
    draw(ctx) {
      board.draw(ctx);
      ctx.fillStyle = ink;
      for (const { line, x, y } of placed) write(ctx, line, x + left, y + top, size);
    },
  };
}

function inkOf(line) { // x0, y0, x1, y1 in thousandths, y up
  let x = 0, box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const letter of line) {
    const { advance, box: [a, b, c, d] } = GLYPHS[letter];
    if (c > a) box = [Math.min(box[0], x + a), Math.min(box[1], b), Math.max(box[2], x + c), Math.max(box[3], d)];
    x += advance;
  }
  return [Math.min(0, box[0]), box[1], Math.max(x, box[2]), box[3]]; // Pillow counts the blank beside the outer letters
}

function lettersOf(line, x, y, size) {
  const found = [];
  for (const letter of line) {
    const wide = (GLYPHS[letter].advance * size) / 1000;
    if (letter !== " ") found.push([x + wide / 2, y]);
    x += wide;
  }
  return found;
}

function write(ctx, line, x, y, size) {
  for (const letter of line) {
    ctx.save(); ctx.translate(x, y); ctx.scale(size / 1000, -size / 1000); ctx.fill(new Path2D(GLYPHS[letter].path)); ctx.restore();
    x += (GLYPHS[letter].advance * size) / 1000;
  }
}

const css = (rgb) => `rgb(${rgb.join(" ")})`;
const thickness = (w, h) => Math.max(h > 24 ? 2 : 1, Math.round(Math.min(w / 55, h / 16)));

function rounded(ctx, x0, y0, x1, y1, radius, fill) {
  if (x1 <= x0 || y1 <= y0) return;
  ctx.fillStyle = fill; ctx.beginPath(); ctx.roundRect(x0, y0, x1 - x0, y1 - y0, Math.max(0, radius)); ctx.fill();
}

// A board with an outline, a light edge at the top left and a dark one at the bottom right.
function plate(ctx, [x0, y0, x1, y1], tone, line, radius) {
  const inner = radius - line;
  rounded(ctx, x0, y0, x1, y1, radius, css(tone.line));
  rounded(ctx, x0 + line, y0 + line, x1 - line, y1 - line, inner, css(tone.dark));
  rounded(ctx, x0 + line, y0 + line, x1 - 2 * line, y1 - 2 * line, inner, css(tone.light));
  rounded(ctx, x0 + 2 * line, y0 + 2 * line, x1 - 2 * line, y1 - 2 * line, inner, css(tone.base));
}

function polygon(ctx, points, fill, stroke, width) {
  ctx.beginPath();
  for (const [x, y] of points) ctx.lineTo(x, y);
  ctx.closePath();
  Object.assign(ctx, { fillStyle: fill, strokeStyle: stroke, lineWidth: width, lineJoin: "round" });
  ctx.fill(); ctx.stroke();
}

const BOARDS = {
  sign(w, h, tone) {
    const post = Math.max(0.22 * w, 0.45 * h), thick = 0.075 * w, line = thickness(w, h);
    return { width: w, height: h + post, corner: [0, 0], draw(ctx) {
      for (const x of w > 1.7 * h ? [0.2 * w, 0.8 * w] : [0.5 * w]) {
        ctx.fillStyle = WOOD_LINE; ctx.fillRect(x - thick / 2, h / 2, thick, h / 2 + post);
        ctx.fillStyle = WOOD; ctx.fillRect(x - thick / 2 + line, h / 2, thick - 2 * line, h / 2 + post - line);
        ctx.fillStyle = WOOD_LINE; ctx.fillRect(x - thick / 2, h, thick, 0.14 * post);
      }
      plate(ctx, [0, 0, w, h], tone, line, Math.round(0.13 * h));
    } };
  },
  banner(w, h, tone) {
    const line = thickness(w, h), tail = Math.max(0.1 * w, 0.2 * h), drop = 0.22 * h, fold = Math.max(0.04 * w, 0.08 * h);
    const width = w + 2 * tail, foot = h + drop - line;
    const ribbon = [[line, drop], [tail + fold, drop], [tail + fold, foot], [line, foot], [tail * 0.55, h / 2 + drop]];
    const turn = [[tail, h - line], [tail + fold, h - line], [tail + fold, foot]];
    return { width, height: h + drop, corner: [tail, 0], draw(ctx) {
      for (const [points, fill] of [[ribbon, tone.dark], [turn, tone.line]]) {
        polygon(ctx, points, css(fill), css(tone.line), line);
        polygon(ctx, points.map(([x, y]) => [width - x, y]), css(fill), css(tone.line), line);
      }
      plate(ctx, [tail, 0, tail + w, h], tone, line, 0);
    } };
  },
  "number plate"(w, h, tone, gap) {
    const line = thickness(w, h), radius = Math.round(0.17 * h), inset = Math.round(2.2 * line), bolt = 0.045 * h + 0.5 * line;
    const x = Math.min(Math.max(inset + 2.4 * line, gap * 0.55), inset + 0.13 * h + 2 * line);
    return { width: w, height: h, corner: [0, 0], draw(ctx) {
      rounded(ctx, 0, 0, w, h, radius, STEEL_LINE);
      rounded(ctx, line, line, w - line, h - line, radius - line, STEEL_LIGHT);
      plate(ctx, [inset, inset, w - inset, h - inset], tone, Math.max(1, line >> 1), Math.max(0, radius - inset));
      for (const at of [x, w - x]) {
        Object.assign(ctx, { fillStyle: STEEL_LIGHT, strokeStyle: STEEL_LINE, lineWidth: Math.max(1, line >> 1) });
        ctx.beginPath(); ctx.arc(at, h / 2, bolt, 0, 7); ctx.fill(); ctx.stroke();
      }
    } };
  },
};
