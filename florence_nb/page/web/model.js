// The model from the page's side: it lives in a worker, and is asked by promises.
import { readFile, startWorker } from "./files.js";
import { TABLES } from "./tables.js";

export class Model {
  // progress(share): how much of the files has come, 0 to 1
  static async load(progress) {
    const names = [...TABLES.CHECKPOINT.files, "kernel.wasm"], files = {};
    let come = 0;
    for (const name of names) {
      const path = name === "kernel.wasm" ? name : `checkpoint/${name}`;
      files[name] = await readFile(path, (bytes) => progress(Math.min(1, (come += bytes) / TABLES.CHECKPOINT.bytes)));
    }
    const model = new Model(startWorker());
    await model.send("load", { files }, { give: Object.values(files) });
    return model;
  }

  constructor(worker) {
    Object.assign(this, { worker, waiting: new Map(), count: 0 });
    worker.onmessage = ({ data }) => this.hear(data);
    worker.onerror = (event) => { for (const { fail } of this.waiting.values()) fail(new Error(event.message || "the worker did not start")); };
  }

  send(does, given, { give = [], onToken = () => {} } = {}) {
    const id = ++this.count;
    return new Promise((done, fail) => {
      this.waiting.set(id, { done, fail, onToken });
      this.worker.postMessage({ id, does, ...given }, give);
    });
  }

  hear({ id, token, done, failed }) {
    const asked = this.waiting.get(id);
    if (token) { asked.onToken(token); return; }
    this.waiting.delete(id);
    if (failed === undefined) asked.done(done); else asked.fail(new Error(failed));
  }

  // picture: ImageData
  look(picture) {
    const { data, width, height } = picture;
    return this.send("look", { rgba: data.buffer, width, height }, { give: [data.buffer] });
  }

  ask(task, input, onToken) { return this.send("ask", { task, input }, { onToken }); }
}
