// Text to token ids and back: byte-level BPE, as in GPT-2 and BART. Everything comes from tokenizer.json.
//
// Text is cut into words, words into bytes, and each byte is written as a letter (a blank as Ġ). Then the two neighbours that were
// merged most often when the tokenizer was trained become one piece, again and again.

const WORDS = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

export class Tokenizer {
  constructor({ model, added_tokens }) {
    this.ids = new Map(Object.entries(model.vocab));
    for (const { content, id } of added_tokens) this.ids.set(content, id);
    this.pieces = new Map([...this.ids].map(([piece, id]) => [id, piece]));
    this.special = new Set(added_tokens.map(({ content }) => content));
    const longestFirst = [...this.special].sort((a, b) => b.length - a.length);
    this.marks = new RegExp(`(${longestFirst.map((mark) => mark.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|")})`);
    this.ranks = new Map(model.merges.map((pair, rank) => [Array.isArray(pair) ? pair.join(" ") : pair, rank]));
    this.letters = byteLetters();
    this.bytes = new Map(this.letters.map((letter, byte) => [letter, byte]));
  }

  encode(text) { // with <s> and </s> around
    const ids = [this.ids.get("<s>")];
    for (const part of text.split(this.marks)) {
      if (this.special.has(part)) ids.push(this.ids.get(part));
      else for (const [word] of part.matchAll(WORDS)) ids.push(...this.merged(word).map((piece) => this.ids.get(piece) ?? this.ids.get("<unk>")));
    }
    return [...ids, this.ids.get("</s>")];
  }

  merged(word) {
    let pieces = [...new TextEncoder().encode(word)].map((byte) => this.letters[byte]);
    for (;;) {
      const pairs = pieces.slice(1).map((right, i) => this.ranks.get(`${pieces[i]} ${right}`) ?? Infinity), best = Math.min(...pairs);
      if (best === Infinity) return pieces;
      const at = pairs.indexOf(best), [left, right] = [pieces[at], pieces[at + 1]], next = [];
      for (let i = 0; i < pieces.length; i++) next.push(pieces[i] === left && pieces[i + 1] === right ? left + pieces[++i] : pieces[i]);
      pieces = next;
    }
  }

  decode(ids) { // special tokens are kept
    let text = "", bytes = [];
    const flush = () => { text += new TextDecoder().decode(new Uint8Array(bytes)); bytes = []; };
    for (const id of ids) {
      const piece = this.pieces.get(id) ?? "";
      if (this.special.has(piece)) { flush(); text += piece; } else for (const letter of piece) bytes.push(this.bytes.get(letter));
    }
    flush();
    return text;
  }
}

// A letter for each byte: itself where it can be seen, else one from U+0100 on.
function byteLetters() {
  let next = 256;
  return Array.from({ length: 256 }, (_, b) => String.fromCharCode((b > 32 && b < 127) || (b > 160 && b !== 173) ? b : next++));
}
