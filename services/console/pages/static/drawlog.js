// Recomputes a phase's public draw log, as deploy/verify_draws.py does; docs/draws.md says what is checked.
// Pure: it reads nothing and shows nothing. SHA-256 is computed here, because the browser's own answers each
// hash by way of a promise (a log has millions), and not at all on a page without https; where it is there,
// selfCheck() compares the two first.

const K = new Uint32Array([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);
const BEGIN = [
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];
const W = new Uint32Array(64);

function compress(state, view, offset) {
  for (let i = 0; i < 16; i += 1) W[i] = view.getUint32(offset + 4 * i);
  for (let i = 16; i < 64; i += 1) {
    const x = W[i - 15];
    const y = W[i - 2];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    W[i] = W[i - 16] + s0 + W[i - 7] + s1;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 64; i += 1) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + W[i]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => {
    state[i] += word;
  });
}

/** SHA-256 of the parts, one after the other (FIPS 180-4). */
export function sha256(...parts) {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const padded = new Uint8Array((((length + 8) >> 6) + 1) << 6);
  let at = 0;
  for (const part of parts) {
    padded.set(part, at);
    at += part.length;
  }
  padded[length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(length / 2 ** 29));
  view.setUint32(padded.length - 4, length << 3);
  const state = new Uint32Array(BEGIN);
  for (let offset = 0; offset < padded.length; offset += 64) compress(state, view, offset);
  const hash = new Uint8Array(32);
  const out = new DataView(hash.buffer);
  state.forEach((word, i) => out.setUint32(4 * i, word));
  return hash;
}

/** HMAC-SHA256 under a key of at most 64 bytes (RFC 2104). */
export function hmac(key) {
  const inner = new Uint8Array(64).fill(0x36);
  const outer = new Uint8Array(64).fill(0x5c);
  key.forEach((byte, i) => {
    inner[i] ^= byte;
    outer[i] ^= byte;
  });
  return (message) => sha256(outer, sha256(inner, message));
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const HASH = /^[0-9a-f]{64}$/;
const ODDS = /^(?:0\.[0-9]{0,5}[1-9]|1)$/;
const CERTAIN = 1_000_000n;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export const hex = (bytes) => Array.from(bytes, (byte) => HEX[byte]).join("");
const unhex = (text) => Uint8Array.from(text.match(/../g), (pair) => Number.parseInt(pair, 16));

/** Throws when the browser's own HMAC-SHA256 says something else. Without one there is nothing to compare. */
export async function selfCheck() {
  if (!globalThis.crypto?.subtle) return;
  const [key, message] = [encoder.encode("key of the check"), encoder.encode("红河 ".repeat(40))];
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", key, algorithm, false, ["sign"]);
  const expected = new Uint8Array(await crypto.subtle.sign("HMAC", imported, message));
  if (hex(expected) !== hex(hmac(key)(message))) throw new Error("SHA-256 does not agree with the browser's");
}

const FIELDS = {
  head: { slug: "string", seq: "number", seed_commitment: "string", seed: "string" },
  draw: { chance_id: "string", client_seed: "string", odds: "string", value: "string", won: "boolean" },
};

/** The line as an object with exactly these fields, written as the platform writes it; null otherwise. */
function read(line, fields) {
  let text;
  let told;
  try {
    text = decoder.decode(line);
    told = JSON.parse(text);
  } catch {
    return null;
  }
  if (told === null || typeof told !== "object") return null;
  const names = Object.keys(fields);
  if (!names.every((name) => typeof told[name] === fields[name])) return null;
  // Also refuses what stands twice, and fields that do not belong here.
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, told[name]]))) === text ? told : null;
}

/** First eight bytes below floor(odds × 2^64), as two numbers; null: always. */
function threshold(odds) {
  const ppm = odds === "1" ? CERTAIN : BigInt(odds.slice(2).padEnd(6, "0"));
  if (ppm === CERTAIN) return null;
  const below = (ppm << 64n) / CERTAIN;
  return [Number(below >> 32n), Number(below & 0xffffffffn)];
}

/** Takes a log line by line. Faults are {line, code, …}; `line` is null for what concerns the whole log. */
export class LogCheck {
  constructor(audits = []) {
    this.audits = audits;
    this.draws = 0;
    this.won = 0;
    this.roots = 0;
    this.rootsTold = 0;
    this.head = null;
    this.stopped = false;
    this.drawnOn = new Map();
    this.thresholds = new Map();
  }

  /** The faults of one line (its bytes, without the line feed). */
  take(line) {
    if (this.stopped) return [];
    return this.head === null ? this.#takeHead(line) : this.#takeDraw(line);
  }

  /** The faults that only the end shows. */
  end() {
    if (this.head === null) return this.stopped ? [] : [{ line: 1, code: "head" }];
    const told = new Set([this.sealed, ...this.closed.map((phase) => phase.draws)]);
    const whole = this.due.length === 0 && (!this.closed.length || [...told].every((n) => n === this.draws));
    return whole ? [] : [{ line: null, code: "count", found: this.draws, told: Math.max(...told) }];
  }

  #takeHead(line) {
    const head = read(line, FIELDS.head);
    if (head === null) {
      this.stopped = true;
      return [{ line: 1, code: "head" }];
    }
    this.head = head;
    const phases = this.audits.flatMap((audit) => audit.phases.filter((phase) => phase.seq === head.seq));
    const seed = HASH.test(head.seed) ? unhex(head.seed) : new Uint8Array(0);
    this.value = hmac(seed);
    this.prefix = `${head.slug}/${head.seq}/`;
    this.chain = sha256(encoder.encode(this.prefix + head.seed_commitment));
    this.closed = phases.filter((phase) => phase.seed);
    this.announced = new Set(this.closed.flatMap((phase) => phase.odds_versions.map((version) => version.odds)));
    const roots = new Map();
    for (const { draws, root, at } of phases.flatMap((phase) => phase.log_roots)) {
      roots.set(`${at} ${draws} ${root}`, { draws, root, at });
    }
    this.due = [...roots.values()].sort((a, b) => b.draws - a.draws || (a.at < b.at ? 1 : -1));
    this.rootsTold = this.due.length;
    this.sealed = Math.max(0, ...this.due.map((root) => root.draws));
    const promised = [hex(sha256(seed)), ...phases.map((phase) => phase.seed_commitment)];
    const kept = promised.every((commitment) => commitment === head.seed_commitment);
    const faults = kept && phases.length === this.audits.length ? [] : [{ line: 1, code: "seed" }];
    return [...faults, ...this.#differing()];
  }

  #takeDraw(line) {
    this.draws += 1;
    this.chain = sha256(this.chain, line);
    const fault = this.#fault(read(line, FIELDS.draw));
    const faults = fault === null ? [] : [{ line: this.draws + 1, ...fault }];
    return this.due.length ? [...faults, ...this.#differing()] : faults;
  }

  #fault(draw) {
    if (draw === null) return { code: "form" };
    if (!ODDS.test(draw.odds) || (this.announced.size && !this.announced.has(draw.odds))) {
      return { code: "odds", found: draw.odds };
    }
    const value = this.value(encoder.encode(`${this.prefix}${draw.chance_id}/${draw.client_seed}`));
    if (hex(value) !== draw.value) return { code: "value", found: draw.value, expected: hex(value) };
    if (this.#wins(value, draw.odds) !== draw.won) return { code: "won", found: draw.won };
    const before = this.drawnOn.get(draw.chance_id);
    if (before !== undefined) return { code: "twice", found: before };
    this.drawnOn.set(draw.chance_id, this.draws + 1);
    this.won += draw.won ? 1 : 0;
    return null;
  }

  #wins(value, odds) {
    if (!this.thresholds.has(odds)) this.thresholds.set(odds, threshold(odds));
    const below = this.thresholds.get(odds);
    if (below === null) return true;
    const view = new DataView(value.buffer);
    const high = view.getUint32(0);
    return high < below[0] || (high === below[0] && view.getUint32(4) < below[1]);
  }

  /** Goes on from what was published, so that a fault is told of in its own hour only. */
  #differing() {
    const faults = [];
    while (this.due.length && this.due.at(-1).draws === this.draws) {
      const { root, at } = this.due.pop();
      if (root === hex(this.chain)) {
        this.roots += 1;
      } else {
        faults.push({ line: this.draws + 1, code: "root", found: at });
        if (HASH.test(root)) this.chain = unhex(root);
      }
    }
    return faults;
  }
}

const LINE_FEED = 10;

/** Cuts pieces of a file into lines: push() what arrives, rest() at the end. Calls back with each line. */
export class Lines {
  constructor(take) {
    this.take = take;
    this.kept = new Uint8Array(0);
  }

  push(piece) {
    let begin = 0;
    for (let end = piece.indexOf(LINE_FEED); end >= 0; end = piece.indexOf(LINE_FEED, begin)) {
      const line = piece.subarray(begin, end);
      this.take(this.kept.length ? joined(this.kept, line) : line);
      this.kept = new Uint8Array(0);
      begin = end + 1;
    }
    if (begin < piece.length) this.kept = joined(this.kept, piece.subarray(begin));
  }

  rest() {
    if (this.kept.length) this.take(this.kept);
  }
}

function joined(one, other) {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
