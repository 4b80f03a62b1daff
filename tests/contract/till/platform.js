// A small platform with the behaviour that a till relies on, and a shelf that can be full.

import { webcrypto } from "node:crypto";

import { Line } from "./logic/line.js";
import { Till } from "./logic/till.js";

const CODE = "GOOD-CODE";
const PROBLEM = "application/problem+json";

/** What outlives a reload: the same one is given to the till that starts again. */
export class Shelf {
  constructor() {
    this.kept = new Map();
    this.full = false;
  }

  async read(key) {
    return this.kept.has(key) ? this.kept.get(key) : null;
  }

  async all(prefix) {
    return [...this.kept.keys()].filter((key) => key.startsWith(prefix)).sort().map((key) => this.kept.get(key));
  }

  async write(changes) {
    if (this.full) throw new DOMException("no room", "QuotaExceededError");
    Object.keys(changes).forEach((key) => {
      if (changes[key] === null) this.kept.delete(key);
      else this.kept.set(key, changes[key]);
    });
  }

  get text() {
    return JSON.stringify([...this.kept]);
  }
}

export class Platform {
  constructor() {
    this.ahead = 0;
    this.state = "up";
    this.revoked = false;
    this.types = [
      { campaign: "c", key: "general_50", name: "通用券", kind: "general", by_id_number: true, reports_result: false },
      { campaign: "c", key: "test", name: "核酸检测券", kind: "directed", by_id_number: false, reports_result: true },
    ];
    this.refusals = {};
    this.done = new Map();
    this.reported = new Set();
    this.sent = [];
  }

  now() {
    return Date.parse("2020-11-01T12:00:00+08:00") + this.ahead;
  }

  answer(status, told, kind = "application/json") {
    const text = JSON.stringify(told);
    const headers = { "content-type": kind };
    return { status, text, bytes: Buffer.byteLength(text), header: (name) => headers[name.toLowerCase()] || null };
  }

  no(status, code, more) {
    return this.answer(status, { status, code, detail: code, ...more }, PROBLEM);
  }

  /** @param {{method: string, path: string, headers: Record<string, string>, body: string | undefined}} sent */
  async send(sent) {
    if (this.state === "down") throw new Error("no line");
    const path = sent.path.replace("/redemption/v1", "");
    const body = sent.body ? JSON.parse(sent.body) : null;
    this.sent.push({ path, body });
    const answer = this.reply(sent, path, body);
    if (this.state === "deaf" && sent.method === "POST") throw new Error("no answer");
    return answer;
  }

  reply(sent, path, body) {
    if (path === "/terminals/activate") return this.activated(body);
    const stamp = /timestamp="(\d+)"/.exec(sent.headers.Authorization || "");
    if (!stamp || this.revoked) return this.no(401, "bad_signature");
    if (Math.abs(Number(stamp[1]) * 1000 - this.now()) > 300000) {
      return this.no(401, "clock_skew", { server_time: new Date(this.now()).toISOString() });
    }
    if (this.refusals[path]) return this.no(...this.refusals[path]);
    if (path === "/terminals/self") return this.self();
    if (path === "/terminals/operators") return this.answer(200, { required: false, items: [] });
    if (path.startsWith("/redemptions?")) return this.found(new URLSearchParams(path.split("?")[1]).get("request_no"));
    if (path === "/redemptions" || path === "/redemptions/manual") return this.redeemed(body);
    if (path.endsWith("/service-result")) return this.result(sent.method, path);
    if (path === "/reversals") return this.reversed(body);
    if (path === "/batches") return this.uploaded(body);
    throw new Error(path);
  }

  activated(body) {
    if (body.activation_code !== CODE) return this.no(404, "activation_code_unknown");
    this.revoked = false;
    return this.answer(201, { terminal_id: "t1", terminal_key: "a key of the platform", institution_id: "i1" });
  }

  self() {
    return this.answer(200, {
      terminal_id: "t1", label: "前台", status: "active", institution: { id: "i1", name: "医院", status: "active" },
      voucher_types: this.types, offline: { items_max: 500, late_hours: 72, days: [] }, server_time: new Date(this.now()).toISOString(),
    });
  }

  view(one) {
    return { ...one, id: `r-${one.request_no}` };
  }

  redeemed(body) {
    const known = this.done.get(body.request_no);
    if (known === "blocked") return this.no(409, "reversed_before_arrival");
    const made = { request_no: body.request_no, status: "redeemed", voucher_type: body.voucher_type || "test", applied_fen: 5000, payable_fen: 0, redeemed_at: "2020-11-01T12:00:00+08:00" };
    this.done.set(body.request_no, made);
    const answer = this.answer(201, this.view(made));
    if (known) return { ...answer, status: 200, header: (name) => (name === "Idempotent-Replay" ? "true" : answer.header(name)) };
    return answer;
  }

  found(number) {
    const one = this.done.get(number);
    if (!one || one === "blocked") return this.no(404, "request_unknown");
    return this.answer(200, this.view(one));
  }

  reversed(body) {
    const known = this.done.get(body.original_request_no);
    const status = known ? "reversed" : "blocked";
    this.done.set(body.original_request_no, known ? { ...known, status } : "blocked");
    return this.answer(201, { id: "x", request_no: body.request_no, original_request_no: body.original_request_no, status, reversed_at: "2020-11-01T12:00:00+08:00" });
  }

  result(method, path) {
    const id = path.split("/")[2];
    if (method === "GET") return this.reported.has(id) ? this.answer(200, { redemption_id: id, status: "due" }) : this.no(404, "not_found");
    this.reported.add(id);
    return this.answer(202, { redemption_id: id, status: "due" });
  }

  uploaded(body) {
    const results = body.items.map((item) => ({ request_no: item.request_no, outcome: "conflict", reason: "already_redeemed", redemption_id: null }));
    return this.answer(200, { batch_no: body.batch_no, results });
  }
}

/** A till that starts with what the shelf has kept. */
export async function started(platform, shelf) {
  const line = new Line({
    send: (sent) => platform.send(sent), subtle: webcrypto.subtle, random: (bytes) => webcrypto.getRandomValues(new Uint8Array(bytes)),
    now: () => Date.parse("2020-11-01T12:00:00+08:00"), wait: async () => undefined, language: "zh",
  });
  const till = new Till(line, shelf, { version: "test" });
  await till.start();
  return till;
}

export async function activated(platform = new Platform(), shelf = new Shelf()) {
  const till = await started(platform, shelf);
  await till.activate(CODE);
  await till.refresh();
  return { till, platform, shelf };
}

export { CODE };
