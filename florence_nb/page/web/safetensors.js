// model.safetensors, as Hugging Face writes it: 8 bytes with the length of a header, the header as JSON (name, type, shape and
// place of every tensor), then the numbers themselves.

export function readSafetensors(buffer) {
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  delete header.__metadata__;
  return new Tensors(buffer, 8 + length, header);
}

class Tensors {
  constructor(buffer, start, header) {
    Object.assign(this, { buffer, start, header });
    for (const [name, { dtype }] of Object.entries(header)) {
      if (!READERS[dtype]) throw new Error(`The weight ${name} is of type ${dtype}; this page reads ${Object.keys(READERS).join(", ")}.`);
    }
  }

  has(name) { return name in this.header; }
  names() { return Object.keys(this.header); }

  shape(name) {
    if (!this.has(name)) throw new Error(`The weight ${name} is missing in model.safetensors.`);
    return this.header[name].shape;
  }

  data(name) { // a new Float32Array
    this.shape(name);
    const { dtype, data_offsets: [from, to] } = this.header[name];
    return READERS[dtype](this.buffer.slice(this.start + from, this.start + to));
  }
}

const READERS = {
  F32: (bytes) => new Float32Array(bytes),
  F16: (bytes) => floats(new Uint16Array(bytes), half),
  BF16: (bytes) => floats(new Uint16Array(bytes), (bits) => bits << 16), // the upper half of a float
};

function floats(numbers, bitsOf) {
  const bits = new Uint32Array(numbers.length);
  for (let i = 0; i < numbers.length; i++) bits[i] = bitsOf(numbers[i]);
  return new Float32Array(bits.buffer);
}

// 16 bits (sign, 5 of exponent, 10 of fraction) to 32 (sign, 8, 23).
function half(h) {
  const sign = (h & 0x8000) << 16, exponent = (h >> 10) & 31, fraction = h & 1023;
  if (exponent === 31) return sign | 0x7f800000 | (fraction << 13); // infinity, or no number
  if (exponent) return sign | ((exponent + 112) << 23) | (fraction << 13);
  ONE[0] = fraction * 2 ** -24; // too small for an exponent of its own
  return sign | ONE_BITS[0];
}
const ONE = new Float32Array(1), ONE_BITS = new Uint32Array(ONE.buffer);
