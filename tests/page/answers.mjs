// node answers.mjs PAGE REFERENCE: asks the page's own code what Python was asked, and prints what differs, as JSON.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [page, reference] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(path.resolve(page, name)).href);
const { Florence } = await load("checkpoint.js");
const { parse } = await load("parsing.js");
const { resize } = await load("picture.js");

const bytes = (file) => { const b = fs.readFileSync(file); return b.buffer.slice(b.byteOffset, b.byteOffset + b.length); };
const inPage = (name) => { const own = path.join(page, name); return bytes(fs.existsSync(own) ? own : path.join(page, "checkpoint", name)); };
const same = (a, b) => JSON.stringify(a, float32) === JSON.stringify(b, float32);
const float32 = (key, value) => (typeof value === "number" ? Math.fround(value) : value);

const start = performance.now(), florence = await Florence.load(async (name) => inPage(name));
const result = { loaded: performance.now() - start, looks: [], asks: {}, checked: 0, differs: [] };
for (const picture of JSON.parse(fs.readFileSync(reference))) {
  const rgba = new Uint8Array(bytes(path.join(path.dirname(reference), `${picture.name}.rgba`)));
  const small = new Uint8Array(bytes(path.join(path.dirname(reference), `${picture.name}.small`)));
  if (!Buffer.from(resize(rgba, ...picture.size, picture.side)).equals(Buffer.from(small))) result.differs.push([picture.name, "resize"]);
  let began = performance.now();
  florence.look(rgba, ...picture.size);
  result.looks.push(performance.now() - began);
  for (const wanted of picture.answers) {
    began = performance.now();
    const got = florence.ask(wanted.task, wanted.input);
    (result.asks[wanted.task] ??= []).push(performance.now() - began);
    result.checked++;
    const { text, boxes, quads, polygons, labels } = parse(wanted.raw, wanted.task, picture.size);
    const kinds = { question: same(got.question, wanted.question), ids: same(got.ids, wanted.ids), raw: florence.tokenizer.decode(wanted.ids) === wanted.raw,
      parsed: same({ text, boxes, quads, polygons, labels }, wanted.parsed) };
    for (const [kind, equal] of Object.entries(kinds)) if (!equal) result.differs.push([picture.name, wanted.task, kind, got.raw.slice(0, 200), wanted.raw.slice(0, 200)]);
  }
}
result.memory = florence.model.math.memory.buffer.byteLength;
console.log(JSON.stringify(result));
