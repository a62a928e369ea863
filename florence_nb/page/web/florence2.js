// Florence-2, all of it: a picture and the tokens of a prompt go in, tokens come out.
//
//   picture -> DaViT -> projector --+
//                                   +--> BART's encoder --> BART's decoder --> one token, and again
//   prompt  -> embeddings ----------+
//
// Sizes come from config.json, numbers from model.safetensors, under the names that transformers gives them. A picture is (tokens,
// channels): row after row of its grid, all channels of a place together. The shape of a matrix stands behind the line that makes it.
import { softmax } from "./arithmetic.js";

const VISION = "model.vision_tower.", PROJECTOR = "model.multi_modal_projector.", LANGUAGE = "model.language_model.";

export class Florence2 {
  constructor(arithmetic, config, generation) {
    Object.assign(this, { math: arithmetic, config, generation });
  }

  // ======== 1. The picture: DaViT, a vision transformer in stages. Each stage halves (or so) the grid and widens the channels. ========

  // pixels: Float32Array (side * side, 3), normalised. Returns (image tokens, d_model), a copy that stays.
  see(pixels) {
    const { math, config: { vision_config: v } } = this;
    math.free();
    let side = Math.sqrt(pixels.length / 3), width = 3;
    let x = math.put(pixels); // (side * side, 3)
    for (let stage = 0; stage < v.depths.length; stage++) {
      const first = `${VISION}convs.${stage}.`;
      if (v.patch_prenorm[stage]) x = math.norm(x, side * side, width, `${first}norm`);
      [x, side] = this.convolution(x, side, width, `${first}conv.weight`, v.patch_size[stage], v.patch_stride[stage], v.patch_padding[stage]);
      width = v.embed_dim[stage]; // x: (side * side, width)
      if (!v.patch_prenorm[stage]) x = math.norm(x, side * side, width, `${first}norm`);
      for (let block = 0; block < v.depths[stage]; block++) {
        const mark = math.top, name = `${VISION}blocks.${stage}.${block}.`;
        this.block(x, side, width, `${name}spatial_block.`, (y) => this.windowAttention(y, side, width, v.num_heads[stage], v.window_size, `${name}spatial_block.window_attn.`));
        this.block(x, side, width, `${name}channel_block.`, (y) => this.channelAttention(y, side * side, width, v.num_groups[stage], `${name}channel_block.channel_attn.`));
        math.free(mark);
      }
    }
    return this.project(x, side, width);
  }

  // x += what neighbours say; x += attention; x += neighbours again; x += mlp. Only x, changed in place, is kept.
  block(x, side, width, name, attention) {
    const { math } = this, mark = math.top, tokens = side * side;
    this.depthwise(x, side, width, `${name}conv1`);
    math.add(x, attention(math.norm(x, tokens, width, `${name}norm1`)));
    this.depthwise(x, side, width, `${name}conv2`);
    math.add(x, math.mlp(math.norm(x, tokens, width, `${name}norm2`), tokens, `${name}ffn.`));
    math.free(mark);
  }

  // A convolution as one product: each place of the new grid becomes a row that holds the k * k places it looks at.
  convolution(x, side, channels, name, k, stride, padding) {
    const { math } = this, { weight, bias, inputs, outputs } = math.layer(name);
    const out = Math.floor((side + 2 * padding - k) / stride) + 1;
    const rows = math.take(out * out * inputs), y = math.take(out * out * outputs);
    const from = math.view(x), to = math.view(rows).fill(0); // outside the picture all is 0
    for (let r = 0, at = 0; r < out; r++) for (let c = 0; c < out; c++) for (let i = 0; i < k; i++, at += k * channels) {
      const row = r * stride - padding + i, column = c * stride - padding;
      if (row < 0 || row >= side) continue;
      const left = Math.max(0, -column), right = Math.min(k, side - column);
      to.set(from.subarray((row * side + column + left) * channels, (row * side + column + right) * channels), at + left * channels);
    }
    math.multiply(rows, weight, y, out * out, inputs, outputs, { bias });
    return [y, out];
  }

  // x += a 3 x 3 convolution of x in which each channel sees only itself: this tells a token where its neighbours are.
  depthwise(x, side, width, name) {
    const { math } = this, to = math.view(x), from = to.slice(), weight = math.vector(`${name}.weight`), bias = math.vector(`${name}.bias`);
    const taps = new Float32Array(9 * width); // (9, width), from (width, 9)
    for (let c = 0; c < width; c++) for (let p = 0; p < 9; p++) taps[p * width + c] = weight[c * 9 + p];
    for (let row = 0; row < side; row++) for (let column = 0; column < side; column++) {
      const here = (row * side + column) * width;
      for (let c = 0; c < width; c++) to[here + c] += bias[c];
      for (let i = -1; i <= 1; i++) for (let j = -1; j <= 1; j++) {
        if (row + i < 0 || row + i >= side || column + j < 0 || column + j >= side) continue;
        const there = here + (i * side + j) * width, tap = ((i + 1) * 3 + j + 1) * width;
        for (let c = 0; c < width; c++) to[here + c] += from[there + c] * taps[tap + c];
      }
    }
  }

  // Attention among the places of one window, so that its cost does not grow with the square of the picture.
  windowAttention(x, side, width, heads, size, name) {
    const { math } = this, per = Math.ceil(side / size), places = size * size, tokens = per * per * places, head = width / heads;
    const source = windowOrder(side, size); // for each place of each window: its token, or -1 beyond the picture
    const windows = math.take(tokens * width), from = math.view(x), to = math.view(windows).fill(0);
    source.forEach((token, at) => { if (token >= 0) to.set(from.subarray(token * width, (token + 1) * width), at * width); });
    const qkv = math.linear(windows, tokens, `${name}qkv`); // (windows * places, 3 * width): queries, keys, values
    const mixed = math.take(tokens * width), scores = math.take(places * ((places + 7) & -8)), mark = math.top;
    for (let window = 0; window < per * per; window++) for (let h = 0; h < heads; h++) {
      const query = window * places * 3 * width + h * head;
      const keys = math.pack(math.view(qkv), query + width, places, head, 3 * width, 1);
      const values = math.pack(math.view(qkv), query + 2 * width, head, places, 1, 3 * width);
      math.multiply(qkv, keys, scores, places, head, places, { fromX: query, rowX: 3 * width }); // (places, places)
      math.softmax(scores, places, places, head ** -0.5);
      math.multiply(scores, values, mixed, places, places, head, { fromY: window * places * width + h * head, rowY: width });
      math.free(mark);
    }
    const out = math.linear(mixed, tokens, `${name}proj`), y = math.take(side * side * width), said = math.view(out), back = math.view(y);
    source.forEach((token, at) => { if (token >= 0) back.set(said.subarray(at * width, (at + 1) * width), token * width); });
    return y;
  }

  // Attention among channels instead of places: each group of channels mixes itself by how alike its channels are over the whole picture.
  channelAttention(x, tokens, width, groups, name) {
    const { math } = this, size = width / groups;
    const qkv = math.linear(x, tokens, `${name}qkv`), mixed = math.take(tokens * width); // (tokens, 3 * width), (tokens, width)
    const queries = math.take(size * tokens), scores = math.take(size * size), mark = math.top;
    for (let g = 0; g < groups; g++) {
      const keys = math.pack(math.view(qkv), width + g * size, size, tokens, 1, 3 * width);
      const to = math.view(queries), from = math.view(qkv); // turned: (size, tokens)
      for (let t = 0; t < tokens; t++) for (let i = 0; i < size; i++) to[i * tokens + t] = from[t * 3 * width + g * size + i];
      math.multiply(queries, keys, scores, size, tokens, size); // (size, size)
      math.softmax(scores, size, size, tokens ** -0.5);
      const shares = math.pack(math.view(scores), 0, size, size, size, 1);
      math.multiply(qkv, shares, mixed, tokens, size, size, { fromX: 2 * width + g * size, rowX: 3 * width, fromY: g * size, rowY: width });
      math.free(mark);
    }
    return math.linear(mixed, tokens, `${name}proj`);
  }

  // Adds to each token where it is, puts their mean before them, and brings all to the width of the language model.
  project(x, side, width) {
    const { math } = this, tokens = side * side, half = Math.ceil(width / 2), all = math.take((tokens + 1) * width);
    const from = math.view(x), to = math.view(all).fill(0);
    const columns = math.vector(`${PROJECTOR}image_position_embed.column_embeddings.weight`), rows = math.vector(`${PROJECTOR}image_position_embed.row_embeddings.weight`);
    const time = math.vector(`${PROJECTOR}visual_temporal_embed.pos_idx_to_embed`); // a picture is a film of one frame
    const rest = width - half;
    for (let t = 0; t < tokens; t++) for (let c = 0; c < width; c++) {
      const place = c < rest ? columns[(t % side) * rest + c] : rows[Math.floor(t / side) * half + c - rest];
      const value = from[t * width + c] + place + time[c];
      to[(t + 1) * width + c] = value;
      to[c] += value / tokens;
    }
    const projected = math.linear(all, tokens + 1, `${PROJECTOR}image_projection`);
    return math.view(math.norm(projected, tokens + 1, this.config.vision_config.projection_dim, `${PROJECTOR}image_proj_norm`)).slice();
  }

  // ======== 2. Reading: BART's encoder over the tokens of the picture and those of the prompt, all at once. ========

  // features: (image tokens, d) from `see`; ids: of the prompt. Returns what the decoder looks at: keys and values of each layer.
  read(features, ids) {
    const { math, config: { text_config: t } } = this, d = t.d_model, heads = t.encoder_attention_heads, name = `${LANGUAGE}encoder.`;
    math.free();
    const seen = features.length / d, tokens = seen + ids.length, sum = math.take(tokens * d), to = math.view(sum);
    to.set(features);
    ids.forEach((id, i) => to.set(this.embedding(id), (seen + i) * d));
    const places = math.vector(`${name}embed_positions.weight`);
    for (let i = 0; i < tokens * d; i++) to[i] += places[FIRST_POSITION * d + i];
    let x = math.norm(sum, tokens, d, `${name}layernorm_embedding`); // (tokens, d)
    for (let l = 0; l < t.encoder_layers; l++) {
      const layer = `${name}layers.${l}.`, attention = `${layer}self_attn.`;
      const query = math.linear(x, tokens, `${attention}q_proj`), memory = this.keysAndValues(x, tokens, attention, heads);
      x = this.residual(x, math.linear(this.attend(query, tokens, memory, heads), tokens, `${attention}out_proj`), tokens, `${layer}self_attn_layer_norm`);
      x = this.residual(x, math.mlp(x, tokens, layer), tokens, `${layer}final_layer_norm`);
    }
    const memory = range(t.decoder_layers, (l) => this.keysAndValues(x, tokens, `${LANGUAGE}decoder.layers.${l}.encoder_attn.`, t.decoder_attention_heads));
    return { memory, past: range(t.decoder_layers, () => ({ keys: [], values: [] })), written: 0, mark: math.top };
  }

  residual(x, y, rows, norm) { return this.math.norm(this.math.add(y, x), rows, this.config.text_config.d_model, norm); }

  embedding(id) {
    const d = this.config.text_config.d_model;
    return this.math.vector(`${LANGUAGE}shared.weight`).subarray(id * d, (id + 1) * d);
  }

  // What can be attended to, packed for the kernel by head. The number of keys is rounded up to 8; `attend` hides the surplus.
  keysAndValues(x, tokens, name, heads) {
    const { math } = this, d = this.config.text_config.d_model, head = d / heads, wide = (tokens + 7) & -8;
    const k = math.linear(x, tokens, `${name}k_proj`), v = math.linear(x, tokens, `${name}v_proj`);
    const longer = math.take(wide * d);
    math.view(longer).fill(0).set(math.view(v));
    const keys = range(heads, (h) => math.pack(math.view(k), h * head, tokens, head, d, 1));
    const values = range(heads, (h) => math.pack(math.view(longer), h * head, head, wide, 1, d));
    return { keys, values, tokens, wide };
  }

  // Each query (rows, d) takes from the values by how well it fits their keys, head by head: (rows, d)
  attend(query, rows, { keys, values, tokens, wide }, heads) {
    const { math } = this, d = this.config.text_config.d_model, head = d / heads;
    const mixed = math.take(rows * d), scores = math.take(rows * wide);
    for (let h = 0; h < heads; h++) {
      math.multiply(query, keys[h], scores, rows, head, wide, { fromX: h * head, rowX: d });
      const s = math.view(scores);
      for (let row = 0; row < rows; row++) s.fill(-1e9, row * wide + tokens, (row + 1) * wide);
      softmax(s, rows, wide, head ** -0.5);
      math.multiply(scores, values[h], mixed, rows, wide, head, { fromY: h * head, rowY: d });
    }
    return mixed;
  }

  // ======== 3. Writing: BART's decoder, one token at a time. ========

  // One more token goes in; out come the logits of the one after it, (vocabulary). Keys and values of tokens written before are kept
  // in `state.past`, so that each token is computed once: this is the cache.
  step(state, id) {
    const { math, config: { text_config: t } } = this, d = t.d_model, heads = t.decoder_attention_heads, name = `${LANGUAGE}decoder.`;
    math.free(state.mark);
    const places = math.vector(`${name}embed_positions.weight`), place = (FIRST_POSITION + state.written++) * d;
    let x = math.norm(math.put(this.embedding(id).map((value, i) => value + places[place + i])), 1, d, `${name}layernorm_embedding`); // (1, d)
    for (let l = 0; l < t.decoder_layers; l++) {
      const layer = `${name}layers.${l}.`, own = this.selfAttention(x, state.past[l], heads, `${layer}self_attn.`);
      x = this.residual(x, own, 1, `${layer}self_attn_layer_norm`);
      const query = math.linear(x, 1, `${layer}encoder_attn.q_proj`);
      const looked = math.linear(this.attend(query, 1, state.memory[l], heads), 1, `${layer}encoder_attn.out_proj`);
      x = this.residual(x, looked, 1, `${layer}encoder_attn_layer_norm`);
      x = this.residual(x, math.mlp(x, 1, layer), 1, `${layer}final_layer_norm`);
    }
    return math.view(math.linear(x, 1, `${LANGUAGE}shared`)).subarray(0, t.vocab_size); // the embeddings once more, as the last layer
  }

  selfAttention(x, past, heads, name) { // (1, d) -> (1, d)
    const { math } = this, d = this.config.text_config.d_model, head = d / heads;
    const query = math.view(math.linear(x, 1, `${name}q_proj`)).slice();
    past.keys.push(math.view(math.linear(x, 1, `${name}k_proj`)).slice());
    past.values.push(math.view(math.linear(x, 1, `${name}v_proj`)).slice());
    const mixed = new Float32Array(d), shares = new Float32Array(past.keys.length);
    for (let from = 0; from < d; from += head) {
      past.keys.forEach((key, t) => { shares[t] = 0; for (let i = from; i < from + head; i++) shares[t] += query[i] * key[i]; });
      softmax(shares, 1, shares.length, head ** -0.5);
      past.values.forEach((value, t) => { for (let i = from; i < from + head; i++) mixed[i] += shares[t] * value[i]; });
    }
    return math.linear(math.put(mixed), 1, `${name}out_proj`);
  }

  // Greedy search: of all tokens always the likeliest. `onToken({ id, share, others })` hears of each as it comes; where it answers
  // false, writing stops. Returns the ids, the one that starts the decoder included.
  write(features, prompt, onToken = () => true) {
    const g = this.generation, ends = [g.eos_token_id].flat(), ids = [g.decoder_start_token_id], state = this.read(features, prompt);
    const most = Math.min(g.max_new_tokens ?? Infinity, this.config.text_config.max_position_embeddings);
    while (ids.length <= most) {
      const logits = this.step(state, ids.at(-1));
      for (const id of repeating(ids, g.no_repeat_ngram_size ?? 0)) logits[id] = -Infinity;
      const forced = ids.length === 1 ? g.forced_bos_token_id : ids.length === most ? g.forced_eos_token_id : null;
      const id = forced == null ? likeliest(logits) : [forced].flat()[0];
      ids.push(id);
      if (onToken({ id, ...shares(logits, id) }) === false || ends.includes(id)) break;
    }
    return ids;
  }
}

const FIRST_POSITION = 2; // BART's table of positions begins with two rows that it does not use

function range(length, make) { return Array.from({ length }, (_, i) => make(i)); }

function likeliest(logits) {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[best]) best = i;
  return best;
}

// The share of a token, and the five likeliest tokens with theirs.
function shares(logits, id) {
  const all = logits.slice();
  softmax(all, 1, all.length);
  const others = [...all.keys()].filter((i) => all[i] > 0.0005).sort((a, b) => all[b] - all[a]).slice(0, 5);
  return { share: all[id], others: others.map((i) => [i, all[i]]) };
}

// Tokens that would repeat a run of n tokens which was written before (no_repeat_ngram_size).
function repeating(ids, n) {
  if (!n || ids.length < n) return [];
  const last = ids.slice(ids.length - n + 1).join();
  return range(ids.length - n + 1, (i) => i).filter((i) => ids.slice(i, i + n - 1).join() === last).map((i) => ids[i + n - 1]);
}

// Tokens in the order of windows, each window row by row; -1 where a window hangs over the picture's right or lower edge.
function windowOrder(side, size) {
  const per = Math.ceil(side / size), places = size * size;
  return range(per * per * places, (at) => {
    const window = Math.floor(at / places), place = at % places;
    const row = Math.floor(window / per) * size + Math.floor(place / size), column = (window % per) * size + (place % size);
    return row < side && column < side ? row * side + column : -1;
  });
}
