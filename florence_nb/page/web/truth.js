// What is true of a drawn scene, and how well an answer agrees with it: florence_nb/scenes/truth.py and geometry.py for the page.
import { regionsOf, tracePath } from "./drawing.js";
import { WORLD, nameOf } from "./scene.js";
import { TABLES } from "./tables.js";

const PHRASE = new RegExp(`^${WORLD.PHRASE}$`, "i"), NAMED = new RegExp(WORLD.NAMED_IN_TEXT, "gi");

const middle = ({ box }) => box[0] + box[2];
const areaOf = ({ box }) => (box[2] - box[0]) * (box[3] - box[1]);
const inOrder = (seen) => [...seen].sort((a, b) => middle(a) - middle(b));

export function boxIou(a, b) {
  const across = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0])), down = Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  const both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - across * down;
  return both > 0 ? (across * down) / both : 0;
}

// What is true for a task: { regions: [{ name, box | quad | things }] }, or { text }, or null where many answers are right (captions).
export function truthOf(drawn, task, input) { return TRUTHS[task]?.(drawn, input) ?? null; }

const boxes = (name) => ({ seen }) => ({ regions: inOrder(seen).map((one) => ({ name: name(one), box: one.box })) });
const named = (things, name) => things.map(({ box }) => ({ name, box }));

const TRUTHS = {
  "<OD>": boxes(({ thing }) => thing.kind),
  "<DENSE_REGION_CAPTION>": boxes(({ thing }) => nameOf(thing)),
  "<REGION_PROPOSAL>": boxes(() => ""),
  "<OCR>": (drawn) => ({ text: linesOf(drawn).map(({ name }) => name).join(" ") }),
  "<OCR_WITH_REGION>": (drawn) => ({ regions: linesOf(drawn) }),
  "<CAPTION_TO_PHRASE_GROUNDING>": (drawn, phrase) => ({ regions: [...new Set(phrase.match(NAMED))].flatMap((part) => named(thingsMeant(drawn, part), part)) }),
  "<OPEN_VOCABULARY_DETECTION>": (drawn, phrase) => ({ regions: phrase.split("<and>").flatMap((part) => named(thingsMeant(drawn, part.trim()), part.trim())) }),
  "<REFERRING_EXPRESSION_SEGMENTATION>": (drawn, phrase) => masks(thingsMeant(drawn, phrase), phrase),
  "<REGION_TO_SEGMENTATION>": (drawn, region) => masks([thingAt(drawn, region)].filter(Boolean), ""),
  "<REGION_TO_CATEGORY>": (drawn, region) => ({ text: thingAt(drawn, region)?.thing.kind ?? WORLD.BACKGROUND_NOUNS[drawn.background] }),
  "<REGION_TO_DESCRIPTION>": (drawn, region) => ({ text: nameAt(drawn, region) }),
  "<REGION_TO_OCR>": (drawn, region) => ({ text: (thingAt(drawn, region)?.thing.text ?? "").replace("\n", " ") }),
};

function masks(things, name) { return { regions: things.length ? [{ name, things: things.map(({ index }) => index) }] : [] }; }

function nameAt(drawn, region) {
  const one = thingAt(drawn, region);
  return one ? nameOf(one.thing) : WORLD.BACKGROUND_NOUNS[drawn.background];
}

function thingAt({ seen }, region) {
  const best = seen.reduce((found, one) => (boxIou(one.box, region) > (found ? boxIou(found.box, region) : 0) ? one : found), null);
  return best;
}

// Lines of text from top to bottom.
export function linesOf({ seen, size }) {
  const mean = (quad, axis) => (quad[axis] + quad[axis + 2] + quad[axis + 4] + quad[axis + 6]) / 4, band = size[1] / 12;
  const lines = seen.flatMap(({ thing, quads }) => thing.text.split("\n").slice(0, quads.length).map((name, i) => ({ name, quad: quads[i], across: quads.reduce((sum, quad) => sum + mean(quad, 0), 0) })));
  return lines.sort((a, b) => Math.trunc(mean(a.quad, 1) / band) - Math.trunc(mean(b.quad, 1) / band) || a.across - b.across);
}

// The things that a phrase such as “the largest red car on the left” means.
export function thingsMeant({ seen }, phrase) {
  const match = PHRASE.exec(phrase.trim().replace(/\s+/g, " ").replace(/^[ .,;:!?]+|[ .,;:!?]+$/g, ""))?.groups;
  if (!match) return [];
  const called = (colour, kind) => inOrder(seen).filter(({ thing }) => thing.kind === (WORLD.SINGULAR[kind.toLowerCase()] ?? kind.toLowerCase()) && (!colour || thing.colour === colour.toLowerCase()));
  let found = called(match.colour, match.kind);
  if (match.near_kind) found = nearest(found, called(match.near_colour, match.near_kind), match.near.toLowerCase());
  if (match.extreme) found = [...found].sort((a, b) => (areaOf(b) - areaOf(a)) * (match.extreme.toLowerCase() === "smallest" ? -1 : 1)).slice(0, 1);
  if (match.side) found = match.side.toLowerCase() === "on the left" ? found.slice(0, 1) : found.slice(-1);
  return found;
}

function nearest(found, others, how) {
  const meet = (a, b) => Math.min(a.box[2], b.box[2]) > Math.max(a.box[0], b.box[0]) && Math.min(a.box[3], b.box[3]) > Math.max(a.box[1], b.box[1]);
  const gap = (a, b) => (middle(a) - middle(b)) ** 2 + (a.box[1] + a.box[3] - b.box[1] - b.box[3]) ** 2;
  const pairs = found.flatMap((a) => others.filter((b) => b !== a).map((b) => [a, b]))
    .filter(([a, b]) => how === "next to" || (meet(a, b) && (a.index > b.index) === (how === "in front of")));
  return pairs.sort((one, two) => gap(...one) - gap(...two)).slice(0, 1).map(([a]) => a);
}

// An answer beside the truth: { matches: [{ name, iou, verdict, region }], found, of, meanIou }, or { right, truth } for words.
// verdict: "found", "misplaced" (the right name, too little in common), "missed", "not there". region: index in the answer, or null.
export function judge(drawn, answer, truth) {
  if (!truth) return null;
  if (truth.text !== undefined) return { right: answer.text.replace(/\s+/g, " ").trim() === truth.text, truth: truth.text };
  const regions = regionsOf(answer), covers = coverage(drawn, regions);
  const masked = truth.regions.some(({ things }) => things);
  const pairs = truth.regions.flatMap((one, i) => regions.map((other, j) => [masked || one.name === other.label ? covers(one, other) : 0, i, j])).filter(([iou]) => iou > 0);
  const taken = pairGreedily(pairs);
  const matches = truth.regions.map(({ name }, i) => {
    const pair = taken.find(([, at]) => at === i);
    return pair ? { name, iou: pair[0], verdict: pair[0] >= TABLES.WELL_PLACED ? "found" : "misplaced", region: pair[2] } : { name, iou: null, verdict: "missed", region: null };
  });
  regions.forEach(({ label }, j) => { if (!taken.some(([, , at]) => at === j)) matches.push({ name: label, iou: null, verdict: "not there", region: j }); });
  const ious = matches.filter(({ iou }) => iou !== null).map(({ iou }) => iou);
  return { matches, found: matches.filter(({ verdict }) => verdict === "found").length, of: truth.regions.length, meanIou: ious.length ? ious.reduce((a, b) => a + b, 0) / ious.length : null };
}

// The best pair first, each region used once.
function pairGreedily(pairs) {
  return [...pairs].sort((a, b) => b[0] - a[0]).reduce((kept, pair) => (kept.some(([, i, j]) => i === pair[1] || j === pair[2]) ? kept : [...kept, pair]), []);
}

function coverage(drawn, regions) {
  const filled = regions.map((region) => (region.kind === "box" ? null : fill(region.outlines, drawn.size)));
  return (one, other) => {
    const index = regions.indexOf(other);
    if (one.box) {
      const [x1, y1, , , x2, y2] = other.outlines[0];
      return other.kind === "box" ? boxIou(one.box, [x1, y1, x2, y2]) : 0;
    }
    const mask = one.quad ? fill([one.quad], drawn.size) : drawn.map.map((number) => (one.things.includes(number - 1) ? 1 : 0));
    return maskIou(mask, filled[index] ?? fill(other.outlines, drawn.size));
  };
}

function fill(outlines, [width, height]) {
  const ctx = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d", { willReadFrequently: true });
  tracePath(ctx, outlines); ctx.fill();
  return ctx.getImageData(0, 0, width, height).data.filter((_, i) => i % 4 === 3).map((a) => (a > 127 ? 1 : 0));
}

function maskIou(a, b) {
  let both = 0, any = 0;
  for (let i = 0; i < a.length; i++) { both += a[i] & b[i]; any += a[i] | b[i]; }
  return any ? both / any : 0;
}
