// node kernel.mjs PAGE: the kernel beside the same product in plain JavaScript, for sizes that do not divide evenly; prints the
// largest difference of each, as JSON.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const page = path.resolve(process.argv[2]);
const { Arithmetic } = await import(pathToFileURL(path.join(page, "arithmetic.js")).href);
const math = await Arithmetic.create(fs.readFileSync(path.join(page, "kernel.wasm")), { names: () => [] });
let seed = 1;
const random = (n) => Float32Array.from({ length: n }, () => { seed = (seed * 48271) % 2147483647; return seed / 2147483647 - 0.5; });
const worst = {};
for (const [rows, inputs, outputs, extra] of [[1, 1, 8, 0], [3, 7, 8, 0], [4, 16, 16, 0], [9, 33, 24, 5], [145, 192, 40, 3]]) {
  math.free();
  const x = random(rows * (inputs + extra)), w = random(outputs * inputs), b = random(outputs);
  const y = math.take(rows * outputs), X = math.put(x), W = math.pack(w, 0, outputs, inputs, inputs, 1), B = math.put(b);
  math.multiply(X, W, y, rows, inputs, outputs, { bias: B, rowX: inputs + extra });
  const got = math.view(y);
  let most = 0;
  for (let t = 0; t < rows; t++) for (let o = 0; o < outputs; o++) {
    let sum = b[o];
    for (let i = 0; i < inputs; i++) sum += x[t * (inputs + extra) + i] * w[o * inputs + i];
    most = Math.max(most, Math.abs(sum - got[t * outputs + o]));
  }
  worst[[rows, inputs, outputs]] = most;
}
console.log(JSON.stringify(worst));
