// The drawn world: things on a place, and to the pixel what of each is seen. Pictures of things and places were drawn by florence_nb.
//
// A thing is { kind, colour, at: [x, y] as shares of the picture, size: its longer side as a share of the picture's shorter one,
// mirrored, tilt in degrees against the clock, text }. Later things stand in front.
import { readImage } from "./files.js";
import { layOut } from "./signs.js";
import { TABLES } from "./tables.js";

export const WORLD = TABLES.WORLD;
const [WIDTH, HEIGHT] = WORLD.SIZE, SHORT = Math.min(WIDTH, HEIGHT);
const SOLID = 127; // a pixel belongs to a thing from this opacity on
const KEPT = 200; // stamps that are remembered

const canvasOf = (width, height) => Object.assign(document.createElement("canvas"), { width, height });
const pen = (canvas) => canvas.getContext("2d", { willReadFrequently: true });

// Python's round(): a half goes to the even neighbour.
function toEven(x) { const low = Math.floor(x); return x - low === 0.5 ? low + (low & 1) : Math.round(x); }

export const nameOf = ({ colour, kind }) => `${colour} ${kind}`;
export const hasWords = ({ kind }) => WORLD.SIGN_KINDS.includes(kind);

export class World {
  static async load() {
    const atlas = await readImage(WORLD.ATLAS), sheet = pen(canvasOf(atlas.width, atlas.height));
    sheet.drawImage(atlas, 0, 0);
    const names = Object.keys(WORLD.SCENES), pictures = await Promise.all(names.map((name) => readImage(WORLD.SCENES[name].picture)));
    return new World(sheet, new Map(names.map((name, i) => [name, pictures[i]])));
  }

  constructor(atlas, places) { Object.assign(this, { atlas, places, sprites: new Map(), stamps: new Map() }); }

  // A thing in its colour, as large as it was drawn: each pixel is share * colour + rest.
  sprite(kind, colour) {
    const name = `${kind} ${colour}`, own = name in WORLD.TILES;
    if (!this.sprites.has(name)) {
      const [x, y, w, h] = WORLD.TILES[own ? name : kind], { base } = WORLD.COLOURS[colour];
      const { data: rest } = this.atlas.getImageData(x, y, w, h), { data: more } = this.atlas.getImageData(x, y + WORLD.ATLAS_HEIGHT, w, h);
      const made = new ImageData(w, h);
      for (let i = 0; i < rest.length; i += 4) {
        for (let c = 0; c < 3; c++) made.data[i + c] = rest[i + c] + (more[i] / 255) * base[c];
        made.data[i + 3] = more[i + 1];
      }
      const canvas = canvasOf(w, h);
      pen(canvas).putImageData(made, 0, 0);
      this.sprites.set(name, canvas);
    }
    return this.sprites.get(name);
  }

  // A thing at its final size: { canvas, solid: Uint8Array of 0 and 1, area, quads, letters }, cut to what is seen of it.
  stamp(thing) {
    const { kind, colour, size, mirrored, tilt, text } = thing, key = JSON.stringify([kind, colour, size, mirrored, tilt, text]);
    if (!this.stamps.has(key)) {
      if (this.stamps.size > KEPT) this.stamps.clear();
      this.stamps.set(key, cut(hasWords(thing) ? signSheet(thing) : this.thingSheet(thing)));
    }
    return this.stamps.get(key);
  }

  thingSheet({ kind, colour, size, mirrored, tilt }) {
    const sprite = this.sprite(kind, colour), scale = Math.max(4, size * SHORT) / Math.max(sprite.width, sprite.height);
    const w = Math.max(2, toEven(sprite.width * scale)), h = Math.max(2, toEven(sprite.height * scale));
    const sheet = tilt ? canvasOf(Math.ceil(Math.hypot(w, h)) + 2, Math.ceil(Math.hypot(w, h)) + 2) : canvasOf(w, h), ctx = pen(sheet);
    ctx.imageSmoothingQuality = "high";
    ctx.translate(sheet.width / 2, sheet.height / 2);
    ctx.rotate((-tilt * Math.PI) / 180);
    ctx.scale(mirrored ? -1 : 1, 1);
    ctx.drawImage(sprite, -w / 2, -h / 2, w, h);
    return { sheet, quads: [], letters: [] };
  }

  // Draws a scene { place, things } and tells what is seen: { canvas, map, seen, kinds }. map: 0, or 1 + the index of the thing at a pixel.
  // seen, from back to front: { thing, index, box, share, quads, letters }; without what shows next to nothing. kinds: of all that shows.
  draw({ place, things }) {
    const canvas = canvasOf(WIDTH, HEIGHT), ctx = pen(canvas), map = new Uint8Array(WIDTH * HEIGHT);
    ctx.drawImage(this.places.get(place), 0, 0);
    const stood = things.map((thing, index) => {
      const stamp = this.stamp(thing), { width, height } = stamp.canvas;
      const x = toEven(thing.at[0] * WIDTH - width / 2), y = toEven(thing.at[1] * HEIGHT - height / 2);
      ctx.drawImage(stamp.canvas, x, y);
      for (let row = Math.max(0, -y); row < Math.min(height, HEIGHT - y); row++) for (let column = Math.max(0, -x); column < Math.min(width, WIDTH - x); column++) {
        if (stamp.solid[row * width + column]) map[(y + row) * WIDTH + x + column] = index + 1;
      }
      return { thing, index, x, y, stamp };
    });
    const found = boxesIn(map, things.length);
    const seen = stood.filter(({ index, stamp }) => found[index].count >= Math.max(8, 0.02 * stamp.area)).map(({ thing, index, x, y, stamp }) => ({
      thing, index, box: found[index].box, share: found[index].count / Math.max(1, stamp.area),
      quads: stamp.quads.map((quad) => quad.map((v, i) => v + (i % 2 ? y : x))), letters: stamp.letters.map(([a, b]) => [a + x, b + y]),
    }));
    const kinds = things.filter((_, index) => found[index].count).map(({ kind }) => kind);
    return { canvas, map, seen, kinds, size: [WIDTH, HEIGHT], background: WORLD.SCENES[place].background };
  }
}

// A sign is drawn once to see how large it becomes when it is turned, and once more at its final size.
function signSheet(thing) {
  const longest = Math.max(4, thing.size * SHORT), board = layOut(thing, 2 * Math.max(24, Math.round(longest)));
  const angle = (-thing.tilt * Math.PI) / 180, [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const drawnAt = (scale) => {
    const reach = Math.ceil(Math.hypot(board.width, board.height) * scale) + 4, sheet = canvasOf(reach, reach), ctx = pen(sheet);
    ctx.translate(reach / 2, reach / 2); ctx.rotate(angle); ctx.scale(scale, scale); ctx.translate(-board.width / 2, -board.height / 2);
    board.draw(ctx);
    const place = (x, y) => [(x - board.width / 2) * scale, (y - board.height / 2) * scale];
    const turned = ([x, y]) => [x * cos - y * sin + reach / 2, x * sin + y * cos + reach / 2];
    const quads = board.quads.map((quad) => [0, 2, 4, 6].flatMap((i) => turned(place(quad[i], quad[i + 1]))));
    return { sheet, quads, letters: board.letters.map(([x, y]) => turned(place(x, y))) };
  };
  const [x0, y0, x1, y1] = paintedBox(drawnAt(0.5).sheet, 0);
  return drawnAt((0.5 * longest) / Math.max(x1 - x0, y1 - y0));
}

function paintedBox(canvas, above) {
  const { width, height } = canvas, { data } = pen(canvas).getImageData(0, 0, width, height);
  const box = [width, height, 0, 0];
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) if (data[(y * width + x) * 4 + 3] > above) grow(box, x, y);
  return box[2] ? box : [0, 0, width, height];
}

function grow(box, x, y) {
  if (x < box[0]) box[0] = x;
  if (y < box[1]) box[1] = y;
  if (x >= box[2]) box[2] = x + 1;
  if (y >= box[3]) box[3] = y + 1;
}

function cut({ sheet, quads, letters }) {
  const [x, y, right, bottom] = paintedBox(sheet, quads.length ? 0 : 100), canvas = canvasOf(right - x, bottom - y);
  pen(canvas).drawImage(sheet, -x, -y);
  const { data } = pen(canvas).getImageData(0, 0, canvas.width, canvas.height), solid = new Uint8Array(data.length / 4);
  for (let i = 0; i < solid.length; i++) solid[i] = data[4 * i + 3] > SOLID ? 1 : 0;
  const moved = (points) => points.map((v, i) => v - (i % 2 ? y : x));
  return { canvas, solid, area: solid.reduce((a, b) => a + b, 0), quads: quads.map(moved), letters: letters.map(moved) };
}

function boxesIn(map, count) {
  const found = Array.from({ length: count }, () => ({ count: 0, box: [WIDTH, HEIGHT, 0, 0] }));
  map.forEach((number, at) => {
    if (!number) return;
    found[number - 1].count++;
    grow(found[number - 1].box, at % WIDTH, Math.floor(at / WIDTH));
  });
  return found;
}

export function sceneNamed(name) { return { place: name, things: structuredClone(WORLD.SCENES[name].things) }; }

const pick = (list) => list[Math.floor(Math.random() * list.length)];
const between = (low, high) => low + Math.random() * (high - low);

// A few things where they belong: on the ground, in the sky, on the water.
export function surprise() {
  const place = pick(Object.keys(WORLD.SCENES)), { zones } = WORLD.SCENES[place];
  const kinds = Object.keys(WORLD.KINDS).filter((kind) => !WORLD.HELD_OUT.includes(kind) && (zones[WORLD.KINDS[kind]] || WORLD.KINDS[kind] === "table"));
  const count = 3 + Math.floor(Math.random() * 3);
  const things = Array.from({ length: count }, (_, i) => {
    const kind = pick(kinds), [low, high] = zones[WORLD.KINDS[kind]] ?? zones.ground, size = between(0.24, 0.46);
    return newThing(kind, [(i + between(0.35, 0.65)) / count, Math.max(size / 2, between(low, high) - size / 2)], size, pick(Object.keys(WORLD.COLOURS)));
  });
  return { place, things: things.sort((a, b) => a.at[1] + a.size / 2 - b.at[1] - b.size / 2) };
}

export function newThing(kind, at = [0.5, 0.6], size = 0.35, colour = pick(Object.keys(WORLD.COLOURS))) {
  return { kind, colour, at, size, mirrored: false, tilt: 0, text: hasWords({ kind }) ? pick(["HELLO", "STOP", "CAFE", "ZOO", "TAXI"]) : "" };
}
