// The picture that one can touch: things are dragged, resized and turned in it, or a region is drawn.
import { drawDashed, drawRegions } from "./drawing.js";
import { TABLES } from "./tables.js";

const HANDLE = 13; // CSS pixels: how far from a handle a finger may be is twice that
const ARM = 26; // from the box up to the handle that turns

export class Stage {
  // on: { change(thing), drop(), select(index), region(box) }
  // stampOf(thing): what the thing looks like, for its size
  constructor(canvas, on, stampOf) {
    Object.assign(this, { canvas, on, stampOf, drawn: null, picture: null, selected: null, region: null, mode: "move", regions: [], truth: [], mark: null });
    for (const [name, does] of [["pointerdown", "down"], ["pointermove", "move"], ["pointerup", "up"], ["pointercancel", "up"]]) {
      canvas.addEventListener(name, (event) => this[does](event));
    }
    new ResizeObserver(() => this.paint()).observe(canvas.parentElement);
  }

  // picture: a canvas or bitmap. drawn: of `World.draw`, or null for a photograph.
  show(picture, drawn) { Object.assign(this, { picture, drawn }); this.paint(); }

  paint() {
    if (!this.picture) return;
    const { canvas, picture: { width, height } } = this, ratio = Math.min(devicePixelRatio || 1, 3);
    const room = canvas.parentElement.clientWidth, wide = Math.min(room, (innerHeight * 0.62 * width) / height);
    this.scale = wide / width;
    canvas.style.width = `${wide}px`; canvas.style.height = `${height * this.scale}px`;
    Object.assign(canvas, { width: Math.round(wide * ratio), height: Math.round(height * this.scale * ratio) });
    const ctx = canvas.getContext("2d");
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.imageSmoothingQuality = "high";
    ctx.drawImage(this.picture, 0, 0, wide, height * this.scale);
    for (const outlines of this.truth) drawDashed(ctx, outlines, this.scale, [3, 4]);
    drawRegions(ctx, this.regions, this.scale);
    if (this.mark) this.paintMark(ctx);
    if (this.mode === "region" && this.region) drawDashed(ctx, [corners(this.region)], this.scale);
    if (this.mode === "move" && this.selected !== null) this.paintHandles(ctx);
  }

  paintMark(ctx) { // the line that a location token stands for
    const { axis, value } = this.mark, at = value * this.scale, [wide, high] = [this.picture.width * this.scale, this.picture.height * this.scale];
    ctx.lineWidth = 2; ctx.strokeStyle = "#1fa8f0"; ctx.beginPath();
    if (axis === "x") { ctx.moveTo(at, 0); ctx.lineTo(at, high); } else { ctx.moveTo(0, at); ctx.lineTo(wide, at); }
    ctx.stroke();
  }

  paintHandles(ctx) {
    const box = this.frame();
    if (!box) return;
    drawDashed(ctx, [corners(box)], 1, [4, 4]);
    const [resize, turn] = this.handles();
    ctx.strokeStyle = "#fff"; ctx.lineWidth = 2; ctx.beginPath(); ctx.moveTo(turn[0], box[1]); ctx.lineTo(...turn); ctx.stroke();
    for (const [[x, y], sign] of [[resize, "⤡"], [turn, "↻"]]) {
      ctx.beginPath(); ctx.arc(x, y, HANDLE, 0, 7); ctx.fillStyle = "#fff"; ctx.fill();
      ctx.strokeStyle = "#1c2430"; ctx.lineWidth = 1.5; ctx.stroke();
      ctx.fillStyle = "#1c2430"; ctx.font = "15px system-ui, sans-serif"; ctx.textAlign = "center"; ctx.textBaseline = "middle"; ctx.fillText(sign, x, y + 1); ctx.textAlign = "start";
    }
  }

  thing() { return this.things?.[this.selected]; }

  // The frame of the chosen thing, whether it is covered or not, in CSS pixels.
  frame() {
    const thing = this.thing();
    if (!thing) return null;
    const { canvas: { width, height } } = this.stampOf(thing), [x, y] = [thing.at[0] * this.picture.width, thing.at[1] * this.picture.height];
    return [x - width / 2, y - height / 2, x + width / 2, y + height / 2].map((v) => v * this.scale);
  }

  handles() { // kept inside the picture, so that a finger can reach them
    const [x1, y1, x2, y2] = this.frame(), [wide, high] = [this.picture.width * this.scale, this.picture.height * this.scale];
    const keep = ([x, y]) => [Math.min(Math.max(x, HANDLE), wide - HANDLE), Math.min(Math.max(y, HANDLE), high - HANDLE)];
    return [keep([x2, y2]), keep([(x1 + x2) / 2, y1 - ARM])];
  }

  point(event) { // in CSS pixels of the picture
    const { left, top } = this.canvas.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }

  down(event) {
    if (!event.isPrimary || !this.picture) return;
    const at = this.point(event);
    this.drag = this.mode === "region" ? { does: "region", from: at } : this.grab(at);
    if (!this.drag) return;
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    this.canvas.focus({ preventScroll: true });
  }

  grab(at) {
    if (!this.drawn) return null;
    const near = ([x, y]) => Math.hypot(at[0] - x, at[1] - y) < 2 * HANDLE;
    if (this.thing()) {
      const [resize, turn] = this.handles(), start = structuredClone(this.thing());
      if (near(resize)) return { does: "resize", from: at, start };
      if (near(turn)) return { does: "turn", from: at, start };
    }
    const [x, y] = at.map((v) => Math.floor(v / this.scale)), number = this.drawn.map[y * this.picture.width + x];
    this.on.select(number ? number - 1 : null);
    return number ? { does: "drag", from: at, start: structuredClone(this.thing()) } : null;
  }

  move(event) {
    const { drag } = this;
    if (!drag) return;
    const at = this.point(event), moved = [at[0] - drag.from[0], at[1] - drag.from[1]];
    drag.done = drag.done || Math.hypot(...moved) > 3;
    if (!drag.done) return;
    if (drag.does === "region") { this.region = this.boxOf(drag.from, at); this.paint(); return; }
    this.on.change({ ...this.thing(), ...CHANGES[drag.does](this, drag, at, moved) });
  }

  up() {
    const { drag } = this;
    this.drag = null;
    if (!drag?.done) return;
    if (drag.does === "region") this.on.region(this.region); else this.on.drop();
  }

  boxOf(a, b) {
    const { width, height } = this.picture, keep = (v, most) => Math.min(Math.max(v / this.scale, 0), most), least = TABLES.SMALLEST_SIDE;
    const [x1, x2] = [keep(a[0], width), keep(b[0], width)].sort((p, q) => p - q), [y1, y2] = [keep(a[1], height), keep(b[1], height)].sort((p, q) => p - q);
    const left = Math.min(x1, width - least), top = Math.min(y1, height - least);
    return [left, top, Math.max(x2, left + least), Math.max(y2, top + least)].map((v) => Math.round(v * 10) / 10);
  }
}

const corners = ([a, b, c, d]) => [a, b, c, b, c, d, a, d];
export const LIMITS = { size: [0.06, 1.1], at: [0, 1] };
export const limited = (name, value) => Math.min(Math.max(value, LIMITS[name][0]), LIMITS[name][1]);

const CHANGES = {
  drag: ({ picture, scale }, { start }, at, moved) => ({
    at: [limited("at", start.at[0] + moved[0] / scale / picture.width), limited("at", start.at[1] + moved[1] / scale / picture.height)],
  }),
  resize(stage, { from, start }, at) {
    const [x, y] = middleOf(stage, start), was = Math.hypot(from[0] - x, from[1] - y), is = Math.hypot(at[0] - x, at[1] - y);
    return { size: limited("size", (start.size * is) / Math.max(was, 1)) };
  },
  turn(stage, { start }, at) {
    const [x, y] = middleOf(stage, start), angle = (-Math.atan2(at[0] - x, y - at[1]) * 180) / Math.PI;
    return { tilt: tiltOf(start, Math.abs(angle) < 4 ? 0 : angle) };
  },
};

// Signs turn by 15 degrees at most.
export function tiltOf({ text }, tilt) {
  const most = text ? 15 : 180;
  return Math.round(Math.min(Math.max(tilt, -most), most));
}

function middleOf({ picture, scale }, { at }) { return [at[0] * picture.width * scale, at[1] * picture.height * scale]; }
