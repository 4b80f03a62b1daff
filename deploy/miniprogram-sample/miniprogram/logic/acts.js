// Acts that change something. Each is written down before it is sent, and crossed out when its answer is
// there: so a reload, a dead battery or a lost network in between ends in the same act being sent again under
// the same number, which the platform answers with what it did the first time.

import { Refused, Unreachable } from "./client.js";

/**
 * @typedef {object} Act
 * @property {string} method
 * @property {string} path
 * @property {Record<string, unknown>} body with its request_no
 *
 * @typedef {object} Shelf What outlives a reload: localStorage, or wx.setStorageSync.
 * @property {(key: string) => string | null} read
 * @property {(key: string, value: string | null) => void} write null removes
 */

const KEY = "hv.acts";
const TRIES = 5;
const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 8000;

export class Acts {
  /**
   * @param {import("./client.js").Client} client
   * @param {Shelf} shelf
   * @param {{number: () => string, wait: (ms: number) => Promise<void>, waiting?: (tries: number) => void}} tools
   *     `number` makes request numbers; `waiting` hears of every try that had no answer
   */
  constructor(client, shelf, tools) {
    this.client = client;
    this.shelf = shelf;
    this.tools = tools;
  }

  /** @returns {Record<string, Act>} what has no answer yet, by its name */
  open() {
    try {
      return JSON.parse(this.shelf.read(KEY) || "{}");
    } catch (error) {
      return {};
    }
  }

  /**
   * Does the act, or goes on with the one that stands open under this name, as it was begun then.
   * @param {string} name such as "draw" or "claim:{award}": one at a time of each
   * @param {string} path
   * @param {Record<string, unknown>} body without request_no
   * @returns {Promise<any>} the platform's answer. Throws Refused (the act is over) or Unreachable (it is not).
   */
  async perform(name, path, body) {
    const open = this.open();
    if (!open[name]) {
      open[name] = { method: "POST", path, body: Object.assign({}, body, { request_no: this.tools.number() }) };
      this.shelf.write(KEY, JSON.stringify(open));
    }
    return this.finish(name);
  }

  /**
   * @param {string} name
   * @returns {Promise<any>}
   */
  async finish(name) {
    const act = this.open()[name];
    for (let tries = 1; ; tries += 1) {
      try {
        const answer = await this.client.ask(act.method, act.path, act.body);
        this.close(name);
        return JSON.parse(answer.text);
      } catch (error) {
        // Whoever must sign in again goes on afterwards: the number belongs to the person.
        if (error instanceof Refused && error.status !== 401) this.close(name);
        if (!(error instanceof Unreachable) || tries === TRIES) throw error;
        if (this.tools.waiting) this.tools.waiting(tries);
        const asked = error.seconds === null ? 0 : error.seconds * 1000;
        await this.tools.wait(Math.min(LONGEST_WAIT_MS, Math.max(asked, FIRST_WAIT_MS * 2 ** (tries - 1))));
      }
    }
  }

  /** @param {string} name */
  close(name) {
    const open = this.open();
    delete open[name];
    this.shelf.write(KEY, Object.keys(open).length ? JSON.stringify(open) : null);
  }

  /** Forgets everything that is open; when somebody else signs in. */
  forget() {
    this.shelf.write(KEY, null);
  }
}
