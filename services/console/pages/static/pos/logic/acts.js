// One act at a time. It is written down before it is sent and crossed out together with what came of it, so that
// a reload or a dead battery in between ends in the same act being sent again under its number, and never in a
// second one. What nobody may find on this device (an id number, a result) is not written down: such an act is
// asked for after a reload instead of being sent again.

import { dayOf } from "./day.js";
import { Refused } from "./line.js";
import { TERMINAL, Terminal } from "./terminal.js";

/**
 * @typedef {object} Act
 * @property {"redeem" | "reverse" | "manual" | "result"} kind
 * @property {string} path
 * @property {Record<string, any>} body with its request_no, without what is secret
 *
 * @typedef {{act: Act, answer: any}} Settled
 */

const ACT = "act";

const REDEMPTION = {
  id: "string", request_no: "string", status: "string", voucher_type: "string", applied_fen: "number",
  payable_fen: "number", redeemed_at: "string",
};
const FOUND = {
  request_no: "string", status: "string", voucher_type: "string?", applied_fen: "number?", payable_fen: "number?",
  redeemed_at: "string?",
};
/** @type {Record<string, import("./line.js").How>} */
const HOW = {
  redeem: { makes: 201, echo: ["request_no"], fields: REDEMPTION },
  manual: { makes: 201, echo: ["request_no"], fields: REDEMPTION },
  result: { makes: 202, fields: { redemption_id: "string", status: "string" } },
  reverse: {
    makes: 201, echo: ["request_no", "original_request_no"],
    fields: { id: "string", request_no: "string", original_request_no: "string", status: "string", reversed_at: "string" },
  },
  find: { fields: FOUND },
  resultOf: { fields: { redemption_id: "string", status: "string" } },
};

/** Whether a refusal ends the act: not where the same may go on after somebody has done something. @param {unknown} error */
export function ends(error) {
  return error instanceof Refused && error.status !== 401 && error.status !== 429;
}

/** @param {Record<string, any>} given */
export function present(given) {
  /** @type {Record<string, any>} */
  const made = {};
  Object.keys(given).forEach((name) => {
    if (given[name] !== null && given[name] !== undefined) made[name] = given[name];
  });
  return made;
}

export class Acts extends Terminal {
  /**
   * @param {import("./line.js").Line} line
   * @param {import("./terminal.js").Shelf} shelf
   * @param {{version: string}} options
   */
  constructor(line, shelf, options) {
    super(line, shelf, options);
    /** @type {Record<string, Record<string, any>>} by number; gone with the page */
    this.secrets = {};
  }

  /** @returns {Promise<Act | null>} what has no answer yet */
  open() {
    return this.shelf.read(ACT);
  }

  /** @returns {Promise<Act>} */
  async opened() {
    const act = await this.open();
    if (!act) throw new Error("no act is open");
    return act;
  }

  /**
   * @param {Act["kind"]} kind
   * @param {string} path
   * @param {Record<string, any>} body
   * @param {Record<string, any>} [secret] of the body, never written down
   */
  async begin(kind, path, body, secret) {
    if (await this.open()) throw new Error("an act is open");
    const { number, terminal } = this.numbered();
    const act = { kind, path, body: Object.assign({ request_no: number }, body) };
    await this.shelf.write({ [ACT]: act, [TERMINAL]: terminal });
    if (secret) this.secrets[number] = secret;
    return this.settle();
  }

  /**
   * Sends the open act, as often as it takes, always under its number.
   * @returns {Promise<Settled>} Throws Refused (the act is over) or NoAnswer (it is not).
   */
  async settle() {
    const act = await this.opened();
    const secret = this.secrets[act.body.request_no];
    if (!secret && (act.kind === "manual" || act.kind === "result")) return this.recover(act);
    try {
      const answer = await this.line.ask("POST", act.path, Object.assign({}, act.body, secret), HOW[act.kind]);
      return await this.over(act, answer);
    } catch (error) {
      if (ends(error)) await this.drop(act);
      throw error;
    }
  }

  /** @param {Act} act @param {any} answer @returns {Promise<Settled>} */
  async over(act, answer) {
    await this.shelf.write(Object.assign({ [ACT]: null }, await this.outcomeOf(act, answer)));
    delete this.secrets[act.body.request_no];
    return { act, answer };
  }

  /** @param {Act} act */
  async drop(act) {
    await this.shelf.write({ [ACT]: null });
    delete this.secrets[act.body.request_no];
  }

  /**
   * An act that cannot be sent again: what it did is asked for. A write-off that did not arrive is made
   * impossible, so that beginning anew is no second one.
   * @param {Act} act
   * @returns {Promise<Settled>}
   */
  async recover(act) {
    if (act.kind === "result") return this.recoverResult(act);
    const found = await this.find(act.body.request_no);
    if (found && found.redeemed_at) return this.over(act, found);
    return this.cancel("-");
  }

  /** @param {Act} act @returns {Promise<Settled>} */
  async recoverResult(act) {
    try {
      return await this.over(act, await this.line.ask("GET", act.path, undefined, HOW.resultOf));
    } catch (error) {
      if (ends(error)) await this.drop(act);
      throw error;
    }
  }

  /** What is kept of an act that is over. @param {Act} act @param {any} answer @returns {Promise<Record<string, any>>} */
  async outcomeOf(act, answer) {
    if (act.kind === "result") return {};
    if (act.kind !== "reverse") return this.entryOf(answer, act.body.operator || null);
    const key = `entry:${answer.original_request_no}`;
    const entry = await this.shelf.read(key);
    return entry ? { [key]: Object.assign({}, entry, { status: answer.status }) } : {};
  }

  /** @param {any} told a write-off as answered @param {string | null} operator */
  entryOf(told, operator) {
    const entry = {
      id: told.id || null, request_no: told.request_no, day: dayOf(told.redeemed_at), at: told.redeemed_at,
      voucher_type: told.voucher_type, applied_fen: told.applied_fen, payable_fen: told.payable_fen, status: told.status, operator,
    };
    return { [`entry:${told.request_no}`]: entry };
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

  /** The customer leaves: the open write-off is undone, whether it arrived or not. @param {string} reason */
  async cancel(reason) {
    const { body } = await this.opened();
    const { number, terminal } = this.numbered();
    const reversal = present({ request_no: number, original_request_no: body.request_no, reason, operator: body.operator });
    await this.shelf.write({ [ACT]: { kind: "reverse", path: "/reversals", body: reversal }, [TERMINAL]: terminal });
    delete this.secrets[body.request_no];
    return this.settle();
  }

  /** @returns {Promise<import("./day.js").Entry[]>} newest first */
  async entries() {
    return (await this.shelf.all("entry:")).sort((one, other) => (one.at < other.at ? 1 : -1));
  }
}
