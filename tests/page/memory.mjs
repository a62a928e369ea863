// node memory.mjs PAGE REFERENCE COUNT: asks COUNT questions about changing pictures; prints the model's memory after the first round
// of all and after the last, as JSON.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [page, reference, count] = process.argv.slice(2);
const { Florence } = await import(pathToFileURL(path.resolve(page, "checkpoint.js")).href);
const bytes = (file) => { const b = fs.readFileSync(file); return b.buffer.slice(b.byteOffset, b.byteOffset + b.length); };
const florence = await Florence.load(async (name) => bytes(path.join(page, name === "kernel.wasm" ? name : `checkpoint/${name}`)));
const pictures = JSON.parse(fs.readFileSync(reference)), SHORT = 30;
const all = pictures.flatMap((picture) => picture.answers.filter(({ ids }) => ids.length < SHORT).map((answer) => ({ ...answer, picture })));
const used = () => florence.model.math.memory.buffer.byteLength;
let early, seen;
for (let i = 0; i < Number(count); i++) {
  const { picture, task, input } = all[i % all.length];
  if (seen !== picture) florence.look(new Uint8Array(bytes(path.join(path.dirname(reference), `${picture.name}.rgba`))), ...picture.size);
  seen = picture;
  florence.ask(task, input);
  if (i === all.length - 1) early = used();
}
console.log(JSON.stringify({ answers: Number(count), early, after: used() }));
