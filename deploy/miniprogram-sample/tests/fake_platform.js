// A platform of few words with the behaviour that matters to a client: request numbers that answer again what
// was done, refusals by name, sign-ins that end, and answers that get lost on the way back.

let made = 0;

export class FakePlatform {
  constructor() {
    /** Every request that arrived. @type {Array<{method: string, path: string, body: any, token: string | null}>} */
    this.arrived = [];
    /** What was really done, by its kind. @type {Record<string, number>} */
    this.done = {};
    /** @type {Map<string, {body: string, answer: object}>} */
    this.numbers = new Map();
    this.tokens = new Set();
    this.life = 30 * 24 * 3600;
    /** Of the next requests: "lost" (acted on, answer lost), "gone" (never arrived), or a status with its seconds. */
    this.trouble = [];
    /** Refusals by the end of a path. @type {Record<string, [number, string, string]>} */
    this.refusals = {};
    this.codes = { FIT1: "fitness" };
    this.unread = 2;
  }

  endSignIns() {
    this.tokens.clear();
  }

  /** As fetch or wx.request would carry it: rejects when no answer comes. */
  async send({ method, path, headers, body }) {
    const next = this.trouble.shift();
    if (next === "gone") throw new Error("network");
    const token = (headers.Authorization || "").replace("Bearer ", "") || null;
    const read = body === undefined ? undefined : JSON.parse(body);
    this.arrived.push({ method, path, body: read, token });
    if (Array.isArray(next)) return answer(next[0], {}, { "Retry-After": String(next[1]) });
    const told = this.handle(method, path.split("?")[0], read, token);
    if (next === "lost") throw new Error("timeout");
    return told;
  }

  handle(method, path, body, token) {
    if (path.endsWith("/sessions")) return this.signIn(body);
    if (path.includes("/me/") || method !== "GET") {
      if (!this.tokens.has(token)) return refusal(401, "unauthenticated", "请登录。");
    }
    const refused = Object.keys(this.refusals).find((end) => path.endsWith(end));
    if (refused) return refusal(...this.refusals[refused]);
    if (method === "GET") return this.read(path);
    // A photo is taken in as often as it comes: it has no number.
    if (path.endsWith("/photos")) return answer(201, { photo_id: `photo-${(this.photos = (this.photos || 0) + 1)}` });
    return this.once(path, body);
  }

  signIn({ provider, code }) {
    if (provider === "wechat" && this.used === code) return refusal(401, "unauthenticated", "登录码已使用。");
    this.used = code;
    const token = `t${(made += 1)}`;
    this.tokens.add(token);
    return answer(201, { access_token: token, token_type: "Bearer", expires_in: this.life, citizen: { id: "p1", identity_verified: true } });
  }

  read(path) {
    if (path.endsWith("/campaigns")) return answer(200, { items: [{ slug: "c", status: "published", phases: [{ state: "open" }] }] });
    if (path.endsWith("/me/notices")) return answer(200, { items: [{ id: "n1" }], next_cursor: null, unread: this.unread });
    if (path.includes("/me/today")) return answer(200, { chances: 1 });
    return refusal(404, "not_found", "没有找到。");
  }

  /** A number seen before answers the same again; with another body it is refused. */
  once(path, body) {
    const { request_no: number } = body;
    const key = `${path}/${number}`;
    const known = number && this.numbers.get(key);
    if (known) {
      if (known.body !== JSON.stringify(body)) return refusal(409, "request_no_reused", "该编号已用于其他内容。");
      return answer(200, known.answer, { "Idempotent-Replay": "true" });
    }
    const told = this.act(path, body);
    if (told.status < 300 && number) this.numbers.set(key, { body: JSON.stringify(body), answer: JSON.parse(told.text) });
    return told;
  }

  act(path, body) {
    if (path.endsWith("/activities")) {
      const channel = this.codes[body.evidence.check_in_code];
      if (channel !== body.channel) return refusal(404, "check_in_code_unknown", "签到码无效。");
    }
    const kind = path.split("/").pop();
    this.done[kind] = (this.done[kind] || 0) + 1;
    return answer(201, { kind, nth: this.done[kind], attempt_id: "a1" });
  }
}

function answer(status, told, headers = {}) {
  return { status, text: JSON.stringify(told), header: (name) => headers[name] || null };
}

function refusal(status, code, detail) {
  return answer(status, { status, code, detail, request_id: "r1" });
}

/** What outlives a reload. */
export function shelfOf(kept = new Map()) {
  return {
    kept,
    read: (key) => (kept.has(key) ? kept.get(key) : null),
    write: (key, value) => (value === null ? kept.delete(key) : kept.set(key, value)),
  };
}

/** Dice that fall another way each time, and a clock that the test moves. */
export function surroundings(platform, shelf = shelfOf()) {
  const clock = { now: 1_600_000_000_000 };
  const waits = [];
  return {
    clock,
    waits,
    around: {
      send: (sent) => platform.send(sent),
      shelf,
      random: (bytes) => Uint8Array.from({ length: bytes }, () => Math.floor(Math.random() * 256)),
      wait: async (ms) => void waits.push(ms),
      now: () => clock.now,
      language: "zh",
    },
  };
}
