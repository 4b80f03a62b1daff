// Which terminal this device is: its key, what it accepts, who works at it, and the numbers it counts.

import { dayOf, momentOf } from "./day.js";
import { hex } from "./line.js";
import { importKey } from "./signing.js";

/**
 * @typedef {object} Shelf What outlives a reload: IndexedDB here.
 * @property {(key: string) => Promise<any>} read null where there is nothing
 * @property {(prefix: string) => Promise<any[]>} all values, in the order of their keys
 * @property {(changes: Record<string, any>) => Promise<void>} write all of them or none; null removes
 *
 * @typedef {object} Own What a device is.
 * @property {string} terminal_id
 * @property {string} institution_id
 * @property {string} prefix of its numbers
 * @property {number} counter
 * @property {number} checked_in_at
 * @property {number} offset
 * @property {CryptoKey | string} key
 *
 * @typedef {object} AcceptedType
 * @property {string} campaign
 * @property {string} key
 * @property {string} name
 * @property {"directed" | "general"} kind
 * @property {boolean} by_id_number
 * @property {boolean} reports_result
 *
 * @typedef {object} Facts
 * @property {{terminal_id: string, label: string, status: string, institution: {id: string, name: string, status: string},
 *     voucher_types: AcceptedType[], offline: {items_max: number, late_hours: number,
 *     days: {count_per_day: number | null, fen_per_day: number | null}[]}, server_time: string}} own
 * @property {{required: boolean, items: {code: string, label: string}[]}} operators
 */

export const TERMINAL = "terminal";
const FACTS = "facts";
const OPERATOR = "operator";
const ROOM = "room";
// More than a key and what is known of a terminal take.
const ROOM_CHARS = 20000;
const SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CHECK_IN_MS = 20 * 3600 * 1000;

const HOW = {
  checkIn: { fields: { terminal_key: "string", server_time: "string" } },
  self: { fields: { terminal_id: "string", institution: "object", voucher_types: "list", offline: "object", server_time: "string" } },
  operators: { fields: { required: "boolean", items: "list" } },
  activate: { makes: 201, tries: 1, fields: { terminal_id: "string", terminal_key: "string", institution_id: "string" } },
};

export class Terminal {
  /**
   * @param {import("./line.js").Line} line
   * @param {Shelf} shelf
   * @param {{version: string}} options of this software, shown to staff
   */
  constructor(line, shelf, options) {
    this.line = line;
    this.shelf = shelf;
    this.version = options.version;
    /** @type {Own | null} */
    this.terminal = null;
    /** @type {Facts | null} */
    this.facts = null;
    /** @type {string | null} */
    this.operator = null;
  }

  /** @returns {Own} of a device that is a till */
  get own() {
    if (!this.terminal) throw new Error("no terminal yet");
    return this.terminal;
  }

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
  async usable(kept) {
    return typeof kept === "string" ? importKey(this.line.around.subtle, kept) : kept;
  }

  /** Whether nobody can read the key out of this browser. */
  get sealed() {
    return typeof this.own.key !== "string";
  }

  /**
   * Whether there is a key at all: a browser that was tidied up by somebody may have thrown it away.
   * @returns {boolean}
   */
  get keyed() {
    return Boolean(this.terminal && this.terminal.key);
  }

  /**
   * Keeps a key as one that can be used and not read; as text only where the browser cannot.
   * @param {string} text
   * @param {Partial<Own>} more of the terminal
   */
  async keepKey(text, more) {
    const key = await importKey(this.line.around.subtle, text);
    // Known here before it is written: a number that is taken meanwhile is written after it.
    const keep = (/** @type {CryptoKey | string} */ value) => {
      this.terminal = Object.assign({}, /** @type {Own} */ (this.terminal), more, { offset: this.line.offset, key: value });
      return this.shelf.write({ [TERMINAL]: this.terminal });
    };
    try {
      await keep(key);
    } catch (error) {
      if (!(error instanceof Error) || error.name !== "DataCloneError") throw error;
      await keep(text);
    }
    this.line.key = key;
    this.line.keyId = this.own.terminal_id;
  }

  /** Turns this device into the terminal that staff prepared; the code works once. @param {string} code */
  async activate(code) {
    const device = hex(this.line.around.random(12));
    const body = { activation_code: code, device_id: `web-${device}` };
    // The code works once: it is not used up where its key could not be kept.
    await this.shelf.write({ [ROOM]: "0".repeat(ROOM_CHARS) });
    await this.shelf.write({ [ROOM]: null });
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
    this.terminal = Object.assign({}, this.own, { offset: this.line.offset });
    await this.shelf.write({ [FACTS]: this.facts, [TERMINAL]: this.terminal });
    const known = operators.items.some((/** @type {{code: string}} */ one) => one.code === this.operator);
    if (this.operator && operators.items.length && !known) await this.choose(null);
  }

  /** A new key; the one before stays good for ten minutes, and a lost answer is asked for again with it. */
  async checkIn() {
    const told = await this.line.ask("POST", "/terminals/check-in", { version: this.version }, HOW.checkIn);
    await this.keepKey(told.terminal_key, { checked_in_at: this.line.now() });
  }

  get checkInDue() {
    return Math.abs(this.line.now() - this.own.checked_in_at) > CHECK_IN_MS;
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

  /** @returns {AcceptedType[]} */
  get types() {
    return this.facts ? this.facts.own.voucher_types : [];
  }

  /** @param {string} key @returns {AcceptedType | undefined} */
  type(key) {
    return this.types.find((one) => one.key === key);
  }

  /** @param {string} key */
  typeName(key) {
    const found = this.type(key);
    return found ? found.name : key;
  }

  /** The next number, with the terminal that remembers it. @returns {{number: string, terminal: Own}} */
  numbered() {
    const counter = this.own.counter + 1;
    const day = dayOf(momentOf(this.line.now())).slice(2).replace(/-/g, "");
    this.terminal = Object.assign({}, this.own, { counter });
    return { number: `${this.terminal.prefix}-${day}-${String(counter).padStart(4, "0")}`, terminal: this.terminal };
  }

  /** @returns {string} of the platform's clock */
  get today() {
    return dayOf(momentOf(this.line.now()));
  }
}
