// A till: what it does, and what it must not forget. Each act is written down before it is sent and crossed out
// together with what came of it, so that a reload or a dead battery in between ends in the same act being sent
// again under its number, and never in a second one.

import { isToken, masked } from "./codes.js";
import { dayOf, differences, momentOf, offlineLeft, totals } from "./day.js";
import { NoAnswer, Refused, hex } from "./line.js";
import { importKey } from "./signing.js";

/**
 * @typedef {object} Shelf What outlives a reload: IndexedDB here.
 * @property {(key: string) => Promise<any>} read null where there is nothing
 * @property {(prefix: string) => Promise<any[]>} all values, in the order of their keys
 * @property {(changes: Record<string, any>) => Promise<void>} write all of them or none; null removes
 *
 * @typedef {object} Act
 * @property {"redeem" | "reverse"} kind
 * @property {string} path
 * @property {Record<string, any>} body with its request_no
 */

const TERMINAL = "terminal";
const ACT = "act";
const BATCH = "batch";
const FACTS = "facts";
const OPERATOR = "operator";
const SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CHECK_IN_MS = 20 * 3600 * 1000;
const KEPT_DAYS = 40;

const REDEMPTION = {
  id: "string", request_no: "string", status: "string", voucher_type: "string", applied_fen: "number",
  payable_fen: "number", redeemed_at: "string",
};
const HOW = {
  redeem: { makes: true, echo: ["request_no"], fields: REDEMPTION },
  reverse: {
    makes: true, echo: ["request_no", "original_request_no"],
    fields: { id: "string", request_no: "string", original_request_no: "string", status: "string", reversed_at: "string" },
  },
  verify: { fields: { redeemable: "boolean", reason: "string?", voucher_type: "string?", kind: "string?", applied_fen: "number?" } },
  find: {
    fields: {
      request_no: "string", status: "string", voucher_type: "string?", applied_fen: "number?", payable_fen: "number?",
      redeemed_at: "string?",
    },
  },
  batch: { echo: ["batch_no"], fields: { batch_no: "string", results: "list" } },
  close: { fields: { matched: "boolean", server: "object" } },
  checkIn: { fields: { terminal_key: "string", server_time: "string" } },
  self: { fields: { terminal_id: "string", institution: "object", voucher_types: "list", offline: "object", server_time: "string" } },
  operators: { fields: { required: "boolean", items: "list" } },
  activate: { makes: true, tries: 1, fields: { terminal_id: "string", terminal_key: "string", institution_id: "string" } },
};

/** @param {Record<string, any>} given */
function present(given) {
  const made = {};
  Object.keys(given).forEach((name) => {
    if (given[name] !== null && given[name] !== undefined) made[name] = given[name];
  });
  return made;
}

export class Till {
  /**
   * @param {import("./line.js").Line} line
   * @param {Shelf} shelf
   * @param {{version: string}} options of this software, shown to staff
   */
  constructor(line, shelf, options) {
    this.line = line;
    this.shelf = shelf;
    this.version = options.version;
    this.terminal = null;
    this.facts = null;
    this.operator = null;
    this.sending = false;
  }

  // --- the terminal and its key -------------------------------------------------------------------------

  /** What this device knows from before. @returns {Promise<boolean>} whether it is a till already */
  async start() {
    this.terminal = await this.shelf.read(TERMINAL);
    this.facts = await this.shelf.read(FACTS);
    this.operator = await this.shelf.read(OPERATOR);
    if (!this.terminal) return false;
    this.line.keyId = this.terminal.terminal_id;
    this.line.offset = this.terminal.offset || 0;
    this.line.key = await this.usable(this.terminal.key);
    return true;
  }

  /** @param {CryptoKey | string} kept */
  usable(kept) {
    return typeof kept === "string" ? importKey(this.line.around.subtle, kept) : kept;
  }

  /** Whether nobody can read the key out of this browser. */
  get sealed() {
    return typeof this.terminal.key !== "string";
  }

  /** Keeps a key as one that can be used and not read; as text only where the browser cannot.
   * @param {string} text @param {Record<string, any>} more of the terminal */
  async keepKey(text, more) {
    const key = await importKey(this.line.around.subtle, text);
    // Known here before it is written: a number that is taken meanwhile is written after it.
    const keep = (value) => {
      this.terminal = Object.assign({}, this.terminal, more, { offset: this.line.offset, key: value });
      return this.shelf.write({ [TERMINAL]: this.terminal });
    };
    try {
      await keep(key);
    } catch (error) {
      if (error.name !== "DataCloneError") throw error;
      await keep(text);
    }
    this.line.key = key;
    this.line.keyId = this.terminal.terminal_id;
  }

  /** Turns this device into the terminal that staff prepared; the code works once. @param {string} code */
  async activate(code) {
    const device = hex(this.line.around.random(12));
    const body = { activation_code: code, device_id: `web-${device}` };
    this.line.key = null;
    const made = await this.line.ask("POST", "/terminals/activate", body, HOW.activate);
    // Numbers begin where no device before can have been.
    const prefix = Array.from(this.line.around.random(6), (byte) => SYMBOLS[byte % 32]).join("");
    await this.keepKey(made.terminal_key, {
      terminal_id: made.terminal_id, institution_id: made.institution_id, prefix, counter: 0, checked_in_at: this.line.now(),
    });
  }

  /** Who this is, what it accepts, and who works here, for the time without a line as well. */
  async refresh() {
    const sentAt = this.line.around.now();
    const own = await this.line.ask("GET", "/terminals/self", undefined, HOW.self);
    this.line.learn(own.server_time, sentAt);
    const operators = await this.line.ask("GET", "/terminals/operators", undefined, HOW.operators);
    this.facts = { own, operators };
    this.terminal = Object.assign({}, this.terminal, { offset: this.line.offset });
    await this.shelf.write({ [FACTS]: this.facts, [TERMINAL]: this.terminal });
    if (this.operator && operators.items.length && !operators.items.some((one) => one.code === this.operator)) {
      await this.choose(null);
    }
  }

  /** A new key; the one before stays good for ten minutes, and a lost answer is asked for again with it. */
  async checkIn() {
    const told = await this.line.ask("POST", "/terminals/check-in", { version: this.version }, HOW.checkIn);
    await this.keepKey(told.terminal_key, { checked_in_at: this.line.now() });
  }

  get checkInDue() {
    return Math.abs(this.line.now() - this.terminal.checked_in_at) > CHECK_IN_MS;
  }

  /** @param {string | null} operator */
  async choose(operator) {
    await this.shelf.write({ [OPERATOR]: operator });
    this.operator = operator;
  }

  /** Forgets the terminal; only when nothing waits. */
  async retire() {
    await this.shelf.write({ [TERMINAL]: null, [FACTS]: null, [OPERATOR]: null });
    await this.start();
  }

  /** @param {string} key */
  typeName(key) {
    const known = this.facts ? this.facts.own.voucher_types : [];
    const found = known.find((one) => one.key === key);
    return found ? found.name : key;
  }

  // --- one act at a time ----------------------------------------------------------------------------------

  /** @returns {Promise<Act | null>} what has no answer yet */
  open() {
    return this.shelf.read(ACT);
  }

  /** The next number, with the terminal that remembers it. */
  numbered() {
    const counter = this.terminal.counter + 1;
    const day = dayOf(momentOf(this.line.now())).slice(2).replace(/-/g, "");
    this.terminal = Object.assign({}, this.terminal, { counter });
    return { number: `${this.terminal.prefix}-${day}-${String(counter).padStart(4, "0")}`, terminal: this.terminal };
  }

  /** @param {"redeem" | "reverse"} kind @param {string} path @param {Record<string, any>} body */
  async begin(kind, path, body, more) {
    if (await this.open()) throw new Error("an act is open");
    const { number, terminal } = this.numbered();
    const act = { kind, path, body: Object.assign({ request_no: number }, body) };
    await this.shelf.write(Object.assign({ [ACT]: act, [TERMINAL]: terminal }, more || {}));
    return this.settle();
  }

  /**
   * Sends the open act, as often as it takes, always under its number.
   * @returns {Promise<{act: Act, answer: any}>} Throws Refused (the act is over) or NoAnswer (it is not).
   */
  async settle() {
    const act = await this.open();
    try {
      const answer = await this.line.ask("POST", act.path, act.body, HOW[act.kind]);
      await this.shelf.write(Object.assign({ [ACT]: null }, await this.outcomeOf(act, answer)));
      return { act, answer };
    } catch (error) {
      if (error instanceof Refused && error.status !== 401 && error.status !== 429) await this.shelf.write({ [ACT]: null });
      throw error;
    }
  }

  /** What is kept of an act that is over. @param {Act} act @param {any} answer */
  async outcomeOf(act, answer) {
    if (act.kind === "redeem") return this.entryOf(answer, act.body.operator || null);
    const key = `entry:${answer.original_request_no}`;
    const entry = await this.shelf.read(key);
    return entry ? { [key]: Object.assign({}, entry, { status: answer.status }) } : {};
  }

  /** @param {any} told a write-off as answered @param {string | null} operator */
  entryOf(told, operator) {
    const entry = {
      request_no: told.request_no, day: dayOf(told.redeemed_at), at: told.redeemed_at, voucher_type: told.voucher_type,
      applied_fen: told.applied_fen, payable_fen: told.payable_fen, status: told.status, operator,
    };
    return { [`entry:${told.request_no}`]: entry };
  }

  // --- write-offs -------------------------------------------------------------------------------------------

  /** Whether it could be written off now, and for how much. @param {string} voucher @param {number | null} bill */
  verify(voucher, bill) {
    return this.line.ask("POST", "/redemptions/verify", present({ voucher, bill_fen: bill }), HOW.verify);
  }

  /** The time of use goes along, so that the same act may also be uploaded later. */
  used(voucher, bill) {
    return present({ voucher, bill_fen: bill, used_at: momentOf(this.line.now()), operator: this.operator });
  }

  /** @param {string} voucher @param {number | null} bill whole fen */
  redeem(voucher, bill) {
    return this.begin("redeem", "/redemptions", this.used(voucher, bill));
  }

  /** What became of a number; null when the platform does not know it (yet). @param {string} number */
  async find(number) {
    try {
      return await this.line.ask("GET", `/redemptions?request_no=${encodeURIComponent(number)}`, undefined, HOW.find);
    } catch (error) {
      if (error instanceof Refused && error.code === "request_unknown") return null;
      throw error;
    }
  }

  // --- reversals --------------------------------------------------------------------------------------------

  /** @param {string} original @param {string} reason */
  reverse(original, reason) {
    return this.begin("reverse", "/reversals", present({ original_request_no: original, reason, operator: this.operator }));
  }

  /** The customer leaves: the open write-off is undone, whether it arrived or not. @param {string} reason */
  async cancel(reason) {
    const { body } = await this.open();
    const { number, terminal } = this.numbered();
    const reversal = present({ request_no: number, original_request_no: body.request_no, reason, operator: body.operator });
    await this.shelf.write({ [ACT]: { kind: "reverse", path: "/reversals", body: reversal }, [TERMINAL]: terminal });
    return this.settle();
  }

  /** @returns {Promise<import("./day.js").Entry[]>} newest first */
  async entries() {
    return (await this.shelf.all("entry:")).sort((one, other) => (one.at < other.at ? 1 : -1));
  }

  // --- without a line -----------------------------------------------------------------------------------------

  /** @returns {Promise<any[]>} what waits, in the order of use */
  async waiting() {
    return (await this.shelf.all("queue:")).sort((one, other) => (one.item.used_at < other.item.used_at ? -1 : 1));
  }

  /** Reversals that wait for the line. @returns {Promise<Act[]>} */
  undoing() {
    return this.shelf.all("undo:");
  }

  /** @returns {Promise<number | null>} how many more may be taken today; null: nothing limits it for sure */
  async left() {
    const today = dayOf(momentOf(this.line.now()));
    const waiting = (await this.waiting()).filter((one) => dayOf(one.item.used_at) === today).length;
    const uploaded = (await this.results()).filter((one) => one.day === today && one.outcome === "redeemed").length;
    return offlineLeft(this.facts && this.facts.own.offline, waiting + uploaded);
  }

  /** Takes a voucher without asking the platform. @param {string} voucher its digits @param {number | null} bill */
  async takeOffline(voucher, bill) {
    if (isToken(voucher)) throw new Error("a token does not wait");
    const { number, terminal } = this.numbered();
    const item = Object.assign({ request_no: number }, this.used(voucher, bill));
    await this.shelf.write({ [`queue:${number}`]: { item, sent: false }, [TERMINAL]: terminal });
    return item;
  }

  /**
   * Lets the open act wait for the line, under its number and with its time.
   * @param {string | null} digits of the voucher, where it was shown as a QR
   */
  async keep(digits) {
    const act = await this.open();
    const number = act.body.request_no;
    if (act.kind === "reverse") {
      await this.shelf.write({ [ACT]: null, [`undo:${number}`]: act });
      return;
    }
    const item = Object.assign({}, act.body, digits ? { voucher: digits } : {});
    if (isToken(item.voucher)) throw new Error("a token does not wait");
    await this.shelf.write({ [ACT]: null, [`queue:${number}`]: { item, sent: true } });
  }

  /** Takes back what was never sent. @param {string} number */
  async withdraw(number) {
    const waiting = await this.shelf.read(`queue:${number}`);
    if (!waiting || waiting.sent) throw new Error("it may have arrived");
    await this.shelf.write({ [`queue:${number}`]: null });
  }

  /** @returns {Promise<any[]>} what became of uploads, newest first */
  async results() {
    return (await this.shelf.all("result:")).sort((one, other) => (one.used_at < other.used_at ? 1 : -1));
  }

  /**
   * Sends what waits: reversals first, then uploads, each under the numbers it was begun with.
   * @returns {Promise<number>} how many of the uploads were answered. Throws NoAnswer, Refused.
   */
  async flush() {
    if (this.sending) return 0;
    this.sending = true;
    try {
      await this.flushReversals();
      let answered = 0;
      for (let batch = await this.nextBatch(); batch; batch = await this.nextBatch()) {
        answered += await this.upload(batch);
      }
      await this.completeEntries();
      return answered;
    } finally {
      this.sending = false;
    }
  }

  async flushReversals() {
    for (const act of await this.undoing()) {
      const done = { [`undo:${act.body.request_no}`]: null };
      try {
        const answer = await this.line.ask("POST", act.path, act.body, HOW.reverse);
        await this.shelf.write(Object.assign(done, await this.outcomeOf(act, answer)));
      } catch (error) {
        if (!(error instanceof Refused) || error.status === 401 || error.status === 429) throw error;
        const refused = { request_no: act.body.original_request_no, outcome: "refused", reason: error.code, used_at: momentOf(this.line.now()), voucher: "", day: "" };
        await this.shelf.write(Object.assign(done, { [`result:${act.body.request_no}`]: refused }));
      }
    }
  }

  /** The upload that has no answer yet, else the next one; null when nothing waits. */
  async nextBatch() {
    const open = await this.shelf.read(BATCH);
    if (open) return open;
    const most = this.facts ? this.facts.own.offline.items_max : 100;
    const waiting = (await this.waiting()).slice(0, most);
    if (!waiting.length) return null;
    const batch = { batch_no: hex(this.line.around.random(12)), items: waiting.map((one) => one.item) };
    const changes = { [BATCH]: batch };
    waiting.forEach((one) => { changes[`queue:${one.item.request_no}`] = { item: one.item, sent: true }; });
    await this.shelf.write(changes);
    return batch;
  }

  /** @param {{batch_no: string, items: any[]}} batch */
  async upload(batch) {
    let told = null;
    try {
      told = await this.line.ask("POST", "/batches", batch, HOW.batch);
    } catch (error) {
      // Refused as a whole: nothing of it was done, and it is put together anew when somebody has looked.
      if (error instanceof Refused && error.status !== 401 && error.status !== 429) await this.shelf.write({ [BATCH]: null });
      throw error;
    }
    const changes = { [BATCH]: null };
    batch.items.forEach((item, place) => {
      const result = told.results[place];
      if (!result || result.request_no !== item.request_no) throw new NoAnswer();
      changes[`queue:${item.request_no}`] = null;
      changes[`result:${item.request_no}`] = {
        request_no: item.request_no, outcome: result.outcome, reason: result.reason, used_at: item.used_at,
        day: dayOf(item.used_at), voucher: masked(item.voucher), operator: item.operator || null,
        told: result.outcome !== "redeemed" && result.outcome !== "duplicate",
      };
    });
    await this.shelf.write(changes);
    return batch.items.length;
  }

  /** What an upload wrote off is asked for, so that the day's totals hold it. */
  async completeEntries() {
    for (const result of await this.results()) {
      if (result.told === false) {
        const found = await this.find(result.request_no);
        const entry = found && found.redeemed_at ? this.entryOf(found, result.operator) : {};
        await this.shelf.write(Object.assign({ [`result:${result.request_no}`]: Object.assign({}, result, { told: true }) }, entry));
      }
    }
  }

  // --- the day ------------------------------------------------------------------------------------------------

  get today() {
    return dayOf(momentOf(this.line.now()));
  }

  /** @param {string} day @returns {Promise<any>} with our totals, the platform's, and each difference */
  async closeDay(day) {
    const entries = await this.entries();
    const ours = totals(entries, day);
    const told = await this.line.ask("POST", "/terminals/day-close", Object.assign({ date: day }, ours), HOW.close);
    await this.tidy(entries);
    return { ours, server: told.server, matched: told.matched, operators: told.operators || [], differences: told.matched ? [] : differences(entries, day, told.items || []) };
  }

  /** Forgets what is older than anybody asks for. @param {import("./day.js").Entry[]} entries */
  async tidy(entries) {
    const oldest = dayOf(momentOf(this.line.now() - KEPT_DAYS * 24 * 3600 * 1000));
    const changes = {};
    entries.filter((entry) => entry.day < oldest).forEach((entry) => { changes[`entry:${entry.request_no}`] = null; });
    (await this.results()).filter((one) => one.told !== false && one.used_at.slice(0, 10) < oldest).forEach((one) => { changes[`result:${one.request_no}`] = null; });
    await this.shelf.write(changes);
  }
}
