// What a transformer is made of: linear layers, layer norm, GELU, softmax. Linear layers run in WebAssembly (kernel.wat), which
// multiplies four numbers at a time; the rest is plain JavaScript on the same memory.
//
// A matrix of shape (rows, width) lies in that memory row after row, and is known by the byte where it begins: { at, length }.
// Memory is taken from below and given back all at once: `free(mark)` forgets what was taken after `mark`.

const FLOAT = 4; // bytes
const PAGE = 65536; // bytes in which WebAssembly counts its memory
export const BLOCK = 8; // outputs that the kernel makes at once

const padded = (n) => (n + BLOCK - 1) & -BLOCK;

export class Arithmetic {
  static async create(kernel, tensors) {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const { instance } = await WebAssembly.instantiate(kernel, { env: { memory } });
    return new Arithmetic(memory, instance.exports.gemm, tensors);
  }

  constructor(memory, kernel, tensors) {
    Object.assign(this, { memory, kernel, tensors, top: 64, layers: new Map(), vectors: new Map() });
    this.zeros = this.take(Math.max(4096, ...tensors.names().map((name) => padded(tensors.shape(name)[0] ?? 0)))); // for layers without bias
    for (const name of tensors.names()) if (isLayer(name, tensors.shape(name))) this.layer(name);
    this.base = this.top; // weights lie below, and stay
  }

  // ---- memory ----

  take(length) {
    const at = this.top;
    this.top += (length * FLOAT + 15) & -16;
    const lack = this.top - this.memory.buffer.byteLength;
    if (lack > 0) this.memory.grow(Math.ceil(lack / PAGE) + 64);
    return { at, length };
  }
  free(mark = this.base) { this.top = mark; }
  // A view is good until the next `take`, which may move the memory.
  view({ at, length }) { return new Float32Array(this.memory.buffer, at, length); }
  put(numbers) { const m = this.take(numbers.length); this.view(m).set(numbers); return m; }

  // ---- weights ----

  // A small weight (norms, biases, positions), as numbers.
  vector(name) {
    if (!this.vectors.has(name)) this.vectors.set(name, this.tensors.data(name));
    return this.vectors.get(name);
  }

  // A matrix as the kernel wants it, [outputs / 8][inputs][8]; element (o, i) is source[start + o * stepO + i * stepI].
  pack(source, start, outputs, inputs, stepO, stepI) {
    const packed = this.take(padded(outputs) * inputs), to = this.view(packed);
    if (outputs % BLOCK) to.fill(0);
    for (let o = 0; o < outputs; o++) {
      let at = (o - (o % BLOCK)) * inputs + (o % BLOCK), from = start + o * stepO;
      for (let i = 0; i < inputs; i++, at += BLOCK, from += stepI) to[at] = source[from];
    }
    return packed;
  }

  // A linear layer's weight is (outputs, inputs), a convolution's (outputs, channels, k, k): read as (outputs, k * k * channels).
  layer(name) {
    if (!this.layers.has(name)) {
      const [outputs, channels, kh = 1, kw = 1] = this.tensors.shape(name), places = kh * kw, inputs = channels * places;
      let numbers = this.tensors.data(name);
      if (places > 1) {
        const turned = new Float32Array(numbers.length);
        let from = 0;
        for (let o = 0; o < outputs; o++) for (let c = 0; c < channels; c++) for (let p = 0; p < places; p++) turned[(o * places + p) * channels + c] = numbers[from++];
        numbers = turned;
      }
      const weight = this.pack(numbers, 0, outputs, inputs, inputs, 1), biasName = name.replace(/weight$/, "bias");
      const bias = this.tensors.has(biasName) ? this.take(padded(outputs)) : this.zeros;
      if (bias !== this.zeros) this.view(bias).set(this.tensors.data(biasName));
      this.layers.set(name, { weight, bias, inputs, outputs: padded(outputs) });
    }
    return this.layers.get(name);
  }

  // ---- operations ----

  // y (rows, outputs) = x (rows, inputs) times packed weights, plus bias. Rows may be parts of longer ones (rowX, rowY floats).
  multiply(x, weight, y, rows, inputs, outputs, { bias = this.zeros, rowX = inputs, rowY = outputs, fromX = 0, fromY = 0 } = {}) {
    this.kernel(x.at + fromX * FLOAT, weight.at, bias.at, y.at + fromY * FLOAT, rows, inputs, outputs, rowX, rowY);
  }

  // (rows, inputs) -> (rows, outputs)
  linear(x, rows, name) {
    const { weight, bias, inputs, outputs } = this.layer(`${name}.weight`), y = this.take(rows * outputs);
    this.multiply(x, weight, y, rows, inputs, outputs, { bias });
    return y;
  }

  // Two linear layers with a GELU between them: (rows, width) -> (rows, width)
  mlp(x, rows, name) {
    const inner = this.linear(x, rows, `${name}fc1`);
    gelu(this.view(inner));
    return this.linear(inner, rows, `${name}fc2`);
  }

  // Each row less its mean, over its standard deviation: (rows, width) -> (rows, width)
  norm(x, rows, width, name) {
    const y = this.take(rows * width), from = this.view(x), to = this.view(y);
    const weight = this.vector(`${name}.weight`), bias = this.vector(`${name}.bias`);
    for (let row = 0, at = 0; row < rows; row++, at += width) {
      let mean = 0, variance = 0;
      for (let i = 0; i < width; i++) mean += from[at + i];
      mean /= width;
      for (let i = 0; i < width; i++) variance += (from[at + i] - mean) ** 2;
      const scale = 1 / Math.sqrt(variance / width + 1e-5);
      for (let i = 0; i < width; i++) to[at + i] = (from[at + i] - mean) * scale * weight[i] + bias[i];
    }
    return y;
  }

  add(x, y) { // x += y
    const to = this.view(x), from = this.view(y);
    for (let i = 0; i < to.length; i++) to[i] += from[i];
    return x;
  }

  softmax(x, rows, width, scale) { softmax(this.view(x), rows, width, scale); }
}

// What `linear` will be asked for: matrices and convolutions, but neither embeddings nor depthwise convolutions (one channel each).
function isLayer(name, shape) {
  return name.endsWith(".weight") && shape.length >= 2 && shape[1] > 1 && !/embed_positions|embeddings/.test(name);
}

// Each row to shares that sum up to 1. Subtracting the largest first keeps exp() in range.
export function softmax(x, rows, width, scale = 1) {
  for (let row = 0, at = 0; row < rows; row++, at += width) {
    let top = -Infinity, sum = 0;
    for (let i = at; i < at + width; i++) if (x[i] > top) top = x[i];
    for (let i = at; i < at + width; i++) sum += x[i] = Math.exp((x[i] - top) * scale);
    for (let i = at; i < at + width; i++) x[i] /= sum;
  }
}

// GELU(x) = x times the share of a normal distribution below x. Read from a table in steps of 1/512, linear between two: exact to 4e-7.
const STEPS = 512, EDGE = 8, TABLE = new Float32Array(2 * EDGE * STEPS + 2);
for (let i = 0; i < TABLE.length; i++) { const x = i / STEPS - EDGE; TABLE[i] = 0.5 * x * (1 + erf(x / Math.SQRT2)); }

export function gelu(x) {
  for (let i = 0; i < x.length; i++) {
    const v = x[i];
    if (v >= EDGE) continue; // there GELU(x) = x
    if (v <= -EDGE) { x[i] = 0; continue; }
    const at = (v + EDGE) * STEPS, j = at | 0;
    x[i] = TABLE[j] + (TABLE[j + 1] - TABLE[j]) * (at - j);
  }
}

function erf(x) { // a series near 0, a continued fraction far out
  const a = Math.abs(x);
  if (a > 5) return Math.sign(x);
  if (a >= 3) {
    let f = 0;
    for (let n = 60; n > 0; n--) f = n / 2 / (a + f);
    return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + f));
  }
  let term = x, sum = x;
  for (let n = 1; n < 80; n++) { term *= (-x * x) / n; sum += term / (2 * n + 1); }
  return (sum * 2) / Math.sqrt(Math.PI);
}
