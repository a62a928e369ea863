// The model in a thread of its own, so that the page stays alive while it thinks. One message in, one or more out, told apart by `id`.
import { Florence } from "./checkpoint.js";

let florence;

const DOES = {
  async load({ files }) {
    florence = await Florence.load(async (name) => files[name]);
    return { side: florence.settings.size.height };
  },
  look({ rgba, width, height }) {
    const start = performance.now();
    florence.look(new Uint8Array(rgba), width, height);
    return { milliseconds: performance.now() - start };
  },
  ask({ task, input }, tell) {
    const start = performance.now(), answer = florence.ask(task, input, (token) => { tell({ token }); });
    return { ...answer, milliseconds: performance.now() - start, memory: florence.model.math.memory.buffer.byteLength };
  },
};

onmessage = async ({ data: { id, does, ...given } }) => {
  try {
    postMessage({ id, done: await DOES[does](given, (more) => postMessage({ id, ...more })) });
  } catch (error) {
    postMessage({ id, failed: error.message });
  }
};
