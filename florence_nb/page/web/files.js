// The files of the page: fetched from beside it, or, in the single file, taken out of its script elements.

const inlined = (name) => document.querySelector(`script[data-file="${name}"]`);

// progress(bytes) hears how many more bytes have come.
export async function readFile(name, progress = () => {}) {
  const element = inlined(name);
  if (element) return fromBase64(element.textContent);
  const response = await fetch(name);
  if (!response.ok) throw new Error(`${name} did not come (${response.status}): load the page again.`);
  if (!response.body) return response.arrayBuffer();
  const parts = [], reader = response.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) { parts.push(part.value); progress(part.value.length); }
  return new Blob(parts).arrayBuffer();
}

export async function readImage(name) {
  return createImageBitmap(new Blob([await readFile(name)], { type: `image/${name.split(".").pop()}` }), { colorSpaceConversion: "none" });
}

export function startWorker() {
  const source = document.getElementById("worker");
  if (!source) return new Worker("worker.js", { type: "module" });
  return new Worker(URL.createObjectURL(new Blob([source.textContent], { type: "text/javascript" })));
}

function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text).buffer;
  const letters = atob(text), bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes.buffer;
}
