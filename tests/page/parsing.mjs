// node parsing.mjs PAGE CASES: parses raw strings, and prints those that come out otherwise than in Python, as JSON.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [page, file] = process.argv.slice(2);
const { parse } = await import(pathToFileURL(path.resolve(page, "parsing.js")).href);
const { size, cases, wanted } = JSON.parse(fs.readFileSync(file));
const plain = ({ text, boxes, quads, polygons, labels }) => JSON.stringify({ text, boxes, quads, polygons, labels }, (_, value) => (typeof value === "number" ? Math.fround(value) : value));
const differs = cases.map(([raw, task], i) => [raw, task, plain(parse(raw, task, size)), plain(wanted[i])]).filter(([, , got, want]) => got !== want);
console.log(JSON.stringify({ checked: cases.length, differs: differs.slice(0, 5) }));
