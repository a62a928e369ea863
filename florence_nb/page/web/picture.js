// From the picture to what the model sees: small, square, and with numbers around 0.
//
// `resize` is Pillow's resize(BICUBIC) to the bit. A canvas shrinks in another way in each browser, and mini's answers would differ.

const BITS = 22; // weights are whole numbers, in units of 2 ** -22

// rgba: (height * width * 4) bytes; returns rgb: (side * side * 3) bytes
export function resize(rgba, width, height, side) {
  const rgb = new Uint8ClampedArray(width * height * 3);
  for (let from = 0, to = 0; to < rgb.length; from += 4) { rgb[to++] = rgba[from]; rgb[to++] = rgba[from + 1]; rgb[to++] = rgba[from + 2]; }
  // Pillow goes across first, unless the picture in between is smaller the other way round.
  if (height > width) return across(down(rgb, width, height, side), width, side, side);
  return down(across(rgb, width, height, side), side, height, side);
}

function across(source, width, height, side) {
  return width === side ? source : pass(source, taps(width, side), { lines: height, sourceLine: width * 3, sourceStep: 3, line: side * 3, step: 3 });
}

function down(source, width, height, side) {
  return height === side ? source : pass(source, taps(height, side), { lines: width, sourceLine: 3, sourceStep: width * 3, line: 3, step: width * 3 });
}

// Each new pixel is a weighted sum of old ones along its line, rounded to 8 bits.
function pass(source, places, { lines, sourceLine, sourceStep, line, step }) {
  const out = new Uint8ClampedArray(lines * places.length * 3);
  places.forEach(({ from, weights }, o) => {
    for (let l = 0; l < lines; l++) for (let c = 0; c < 3; c++) {
      let sum = 2 ** (BITS - 1), at = l * sourceLine + from * sourceStep + c;
      for (let i = 0; i < weights.length; i++, at += sourceStep) sum += source[at] * weights[i];
      out[l * line + o * step + c] = Math.floor(sum / 2 ** BITS);
    }
  });
  return out;
}

// For each new pixel: where the old ones begin that it is made of, and their weights.
function taps(size, side) {
  const scale = size / side, stretch = Math.max(1, scale), reach = 2 * stretch;
  return Array.from({ length: side }, (_, o) => {
    const centre = (o + 0.5) * scale, from = Math.max(0, Math.trunc(centre - reach + 0.5)), to = Math.min(size, Math.trunc(centre + reach + 0.5));
    const shares = Array.from({ length: to - from }, (_, i) => cubic((from + i - centre + 0.5) * (1 / stretch)));
    const sum = shares.reduce((a, b) => a + b, 0);
    return { from, weights: shares.map((share) => roundAway((share / sum) * 2 ** BITS)) };
  });
}

function cubic(x) {
  const a = -0.5;
  x = Math.abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

function roundAway(x) { return Math.trunc(x < 0 ? x - 0.5 : x + 0.5); }

// Bytes to numbers: (value / 255 - mean) / deviation, for red, green and blue.
export function normalise(rgb, { image_mean: mean, image_std: deviation, rescale_factor: factor }) {
  const table = mean.map((m, c) => Float32Array.from({ length: 256 }, (_, value) => (value * factor - m) / deviation[c]));
  return Float32Array.from(rgb, (value, i) => table[i % 3][value]);
}
