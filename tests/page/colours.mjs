// node colours.mjs PAGE LABELS: the colour of each label, as JSON. LABELS is a JSON list.
import path from "node:path";
import { pathToFileURL } from "node:url";

const [page, labels] = process.argv.slice(2);
const { colourOf } = await import(pathToFileURL(path.resolve(page, "drawing.js")).href);
console.log(JSON.stringify(Object.fromEntries(JSON.parse(labels).map((label) => [label, colourOf(label, 0)]))));
