// A checkpoint folder as transformers writes it, ready to be asked: `look` at a picture once, then `ask` as often as you like.
import { Arithmetic } from "./arithmetic.js";
import { Florence2 } from "./florence2.js";
import { parse, promptOf } from "./parsing.js";
import { normalise, resize } from "./picture.js";
import { readSafetensors } from "./safetensors.js";
import { TABLES } from "./tables.js";
import { Tokenizer } from "./tokenizer.js";

export class Florence {
  // read(name): a promise of the bytes (ArrayBuffer) of a file of the checkpoint, or of "kernel.wasm".
  static async load(read) {
    const json = async (name) => JSON.parse(new TextDecoder().decode(await read(name)));
    const config = await json("config.json"), processor = await json(TABLES.CHECKPOINT.files.find((name) => name.endsWith("processor_config.json"))), images = processor.image_processor ?? processor;
    const reason = whyNot({ config, images });
    if (reason) throw new Error(reason);
    const generation = await json("generation_config.json"), tokenizer = new Tokenizer(await json("tokenizer.json"));
    const tensors = readSafetensors(await read("model.safetensors"));
    const arithmetic = await Arithmetic.create(await read("kernel.wasm"), tensors);
    return new Florence(new Florence2(arithmetic, config, generation), tokenizer, images);
  }

  constructor(model, tokenizer, settings) { Object.assign(this, { model, tokenizer, settings }); }

  // rgba: the bytes of a picture of width x height pixels. The model looks at it once; questions then are quick.
  look(rgba, width, height) {
    this.size = [width, height];
    this.features = this.model.see(normalise(resize(rgba, width, height, this.settings.size.height), this.settings));
  }

  // onToken({ id, piece, share, others: [[piece, share], …] }) hears of each token as it is written; if it answers false, writing stops.
  ask(task, input, onToken = () => true) {
    const prompt = promptOf(task, input, this.size), piece = (id) => this.tokenizer.decode([id]);
    const question = this.tokenizer.encode(prompt), room = this.model.config.text_config.max_position_embeddings - this.features.length / this.model.config.text_config.d_model;
    if (question.length > room) throw new Error(`The prompt has ${question.length} tokens, and there is room for ${room}: write fewer words.`);
    const ids = this.model.write(this.features, question, ({ id, share, others }) =>
      onToken({ id, piece: piece(id), share, others: others.map(([other, itsShare]) => [piece(other), itsShare]) }));
    const raw = this.tokenizer.decode(ids);
    return { task, input, prompt, question, ids, raw, size: this.size, ...parse(raw, task, this.size) };
  }
}

// Why this page cannot run a checkpoint: a sentence, or "" if it can. `florence-nb page` asks the same, and more, before it writes a page.
function whyNot(files) {
  const at = (path) => path.split(".").reduce((inner, key) => inner?.[key], files);
  const need = TABLES.NEEDS.find(([path, value]) => at(path) !== value);
  return need ? `This page cannot run the checkpoint: ${need[0]} is ${JSON.stringify(at(need[0]))}, and only ${JSON.stringify(need[1])} is built in.` : "";
}
