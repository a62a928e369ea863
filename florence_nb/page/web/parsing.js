// From the words of a person to a prompt, and from the raw string of the model to boxes, quads, polygons and text. The second part is
// florence_nb/parsing.py in JavaScript; tests compare the two.
//
//   answer = { piece }        piece = [ words ] { <loc_n> | <sep> | <poly> | </poly> }
import { TABLES } from "./tables.js";

const { TASKS, SPECIAL_TOKENS, NEVER_GROUNDED, BINS } = TABLES;

// What the model reads. input: nothing, a phrase, or a region [x1, y1, x2, y2] in pixels.
export function promptOf(task, input, size) {
  const { sentence, takes } = TASKS[task];
  if (takes === "nothing") return sentence;
  return sentence.replace("{input}", () => (takes === "phrase" ? checkedPhrase(input) : places(input, size)));
}

function checkedPhrase(phrase) {
  const mark = /<loc_[0-9]{1,4}>/.exec(phrase)?.[0] ?? [...SPECIAL_TOKENS, ...Object.keys(TASKS)].find((token) => token !== "<and>" && phrase.includes(token));
  if (mark) throw new Error(`A phrase is plain words, but this one holds the special token ${mark}: take it out.`);
  if (!phrase.trim()) throw new Error("This task looks for what you name: write a phrase, such as “red car”.");
  return phrase.trim();
}

// Pixels as location tokens: 1000 bins across, 1000 down.
export function places(points, [width, height]) {
  return points.map((value, i) => `<loc_${Math.min(BINS - 1, Math.max(0, Math.floor((value * BINS) / (i % 2 ? height : width))))}>`).join("");
}

const STRUCTURE = new Set(["<sep>", "<poly>", "</poly>", "<and>"]);
const IGNORED = new Set(SPECIAL_TOKENS.filter((token) => !STRUCTURE.has(token)));
const TOKEN = new RegExp(`(<loc_[0-9]{1,4}>|${SPECIAL_TOKENS.join("|")})`);
const LOCATION = /^<loc_([0-9]{1,4})>$/;

// { text, boxes: [[x1, y1, x2, y2]], quads: [[x, y, … 4 times]], polygons: [[[x, y, …], …]], labels }; labels are those of the boxes,
// then of the quads, then of the polygons, which are lists of parts.
export function parse(raw, task, size) {
  return READERS[TASKS[task].gives](pieces(raw), task, size);
}

function pieces(raw) {
  const all = [{ words: "", runs: [] }];
  let shape = 0, shapes = 0, fresh = true; // shape: the number of the <poly> that locations are in, 0 for none
  for (const token of raw.split(TOKEN)) {
    const piece = all.at(-1), place = LOCATION.exec(token);
    if (IGNORED.has(token)) continue;
    if (place) {
      if (fresh || !piece.runs.length) piece.runs.push({ shape, bins: [] });
      piece.runs.at(-1).bins.push(Math.min(BINS - 1, Number(place[1])));
      fresh = false;
    } else if (token === "<poly>" || token === "</poly>") {
      shapes += token === "<poly>";
      [shape, fresh] = [token === "<poly>" ? shapes : 0, true];
    } else if (token === "<sep>") fresh = true;
    else if (token === "<and>" || (token.trim() && piece.runs.length)) {
      all.push({ words: token === "<and>" ? "" : token, runs: [] });
      [shape, fresh] = [0, true];
    } else if (!piece.runs.length) piece.words += token;
  }
  return all.map(({ words, runs }) => ({ label: words.trim(), runs }));
}

const empty = () => ({ text: "", boxes: [], quads: [], polygons: [], labels: [] });

// The centre of each bin, rounded as Python does, to four decimals.
function pixels(bins, [width, height]) {
  return bins.map((bin, i) => Math.round((bin + 0.5) * (i % 2 ? height : width) * 10) / 1e4);
}

function groups({ bins }, length, size) {
  return Array.from({ length: Math.floor(bins.length / length) }, (_, i) => pixels(bins.slice(i * length, (i + 1) * length), size));
}

function addBoxes(answer, found, size) {
  for (const { label, runs } of found) for (const run of runs) for (const [a, b, c, d] of groups(run, 4, size)) {
    answer.boxes.push([Math.min(a, c), Math.min(b, d), Math.max(a, c), Math.max(b, d)]);
    answer.labels.push(label);
  }
}

function addPolygons(answer, found, size) {
  for (const { label, runs } of found) for (const shape of new Set(runs.map((run) => run.shape))) {
    const parts = runs.filter((run) => run.shape === shape && run.bins.length >= 6).map(({ bins }) => pixels(bins.slice(0, bins.length & -2), size));
    if (parts.length) { answer.polygons.push(parts); answer.labels.push(label); }
  }
}

const placed = (found) => found.filter(({ runs }) => runs.length);
const withRuns = (found, wanted) => found.map(({ label, runs }) => ({ label, runs: runs.filter(wanted) }));

const READERS = {
  text: (found) => ({ ...empty(), text: found.map(({ label }) => label).filter(Boolean).join(" ") }),
  boxes(found, task, size) {
    const answer = empty(), grounded = placed(found).filter(({ label }) => task !== "<CAPTION_TO_PHRASE_GROUNDING>" || !NEVER_GROUNDED.includes(label));
    addBoxes(answer, grounded, size);
    return { ...answer, text: counted(answer.labels, "region") };
  },
  quads(found, task, size) {
    const answer = empty();
    for (const { label, runs } of placed(found)) for (const run of runs) for (const quad of groups(run, 8, size)) { answer.quads.push(quad); answer.labels.push(label); }
    const read = placed(found).map(({ label }) => label).filter((label) => label && answer.labels.includes(label));
    return { ...answer, text: read.join(" ") };
  },
  polygons(found, task, size) {
    const answer = empty();
    addPolygons(answer, placed(found), size);
    return { ...answer, text: counted(answer.labels, "mask") };
  },
  "boxes or polygons"(found, task, size) { // locations within <poly> … </poly> are polygons, all others boxes
    const answer = empty();
    addBoxes(answer, withRuns(placed(found), (run) => !run.shape), size);
    addPolygons(answer, withRuns(placed(found), (run) => run.shape), size);
    return { ...answer, text: counted(answer.labels, "region") };
  },
};

// "car, 2 × wheel"
function counted(labels, nameless) {
  const names = labels.map((label) => label || nameless), times = (name) => names.filter((other) => other === name).length;
  return [...new Set(names)].map((name) => (times(name) === 1 ? name : `${times(name)} × ${name}`)).join(", ");
}
