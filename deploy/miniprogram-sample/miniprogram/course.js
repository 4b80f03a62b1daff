// The course of a visit: signing in unseen, going on after a lost answer, and what a screen shows of a refusal.

import { Journey } from "./logic/journey.js";
import { Refused, Unreachable } from "./logic/client.js";
import { next, patience, reasons, say } from "./logic/words.js";
import { Client } from "./logic/client.js";
import { Randomness, loginCode, sender, shelf, uploaded } from "./platform.js";

const RENEW_MS = 3 * 24 * 3600 * 1000;

/**
 * @typedef {object} Trouble What went wrong, for people.
 * @property {string} sentence
 * @property {string} advice
 * @property {string} step where to go from here
 * @property {string} code
 *
 * @typedef {import("./platform.js").Tools} Tools
 */

export class Course {
  /**
   * @param {Tools} tools
   * @param {string} origin
   * @param {{now?: () => number, wait?: (ms: number) => Promise<void>}} [time]
   */
  constructor(tools, origin, time) {
    this.tools = tools;
    this.origin = origin;
    this.now = (time && time.now) || (() => Date.now());
    this.wait = (time && time.wait) || ((ms) => new Promise((done) => setTimeout(done, ms)));
    this.random = new Randomness(tools);
    /** @type {Journey | null} */
    this.made = null;
    /** @type {Promise<Journey> | null} */
    this.beginning = null;
    this.slug = "";
  }

  /** @returns {Promise<Journey>} signed in, with what stood open finished */
  begin() {
    if (!this.beginning) {
      this.beginning = this.prepare();
      this.beginning.catch(() => {
        this.beginning = null;
      });
    }
    return this.beginning;
  }

  /** @returns {Promise<Journey>} */
  async prepare() {
    await this.random.fill();
    const journey = this.made || new Journey({
      send: sender(this.tools, this.origin),
      shelf: shelf(this.tools),
      random: (bytes) => this.random.take(bytes),
      wait: this.wait,
      now: this.now,
      language: "zh",
    });
    this.made = journey;
    if (!journey.session || journey.endsWithin(RENEW_MS)) await this.signIn(journey);
    if (!this.slug) {
      const [first] = await journey.campaigns();
      this.slug = first ? first.slug : "";
    }
    return journey;
  }

  /** @param {Journey} journey */
  async signIn(journey) {
    await journey.signIn("wechat", await loginCode(this.tools));
  }

  /**
   * Does something of the journey. Whoever's sign-in is over is signed in again, and it is done once more: an
   * act that stood open goes on under its number.
   * @template Told
   * @param {(journey: Journey) => Promise<Told>} act
   * @returns {Promise<Told>}
   */
  async perform(act) {
    const journey = await this.begin();
    try {
      return await act(journey);
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 401) throw error;
      await this.signIn(journey);
      return act(journey);
    }
  }

  /**
   * Sends a photo of a report.
   * @param {string} file of the phone
   * @returns {Promise<string>} its id, to be named in the report
   */
  async photo(file) {
    const answer = await this.perform((journey) => {
      // The same refusals and the same silence as any other call, over another way of sending.
      const client = new Client((sent) => uploaded(this.tools, this.origin + sent.path, sent.headers, file), { language: "zh", token: journey.client.token });
      return client.ask("POST", "/issuance/v1/photos");
    });
    return JSON.parse(answer.text).photo_id;
  }

  /**
   * Finishes what was begun before the mini-program was closed or the line was lost.
   * @returns {Promise<Array<{kind: string, id: string, answer: any}>>}
   */
  async resume() {
    /** @type {Array<{kind: string, id: string, answer: any}>} */
    const finished = [];
    const journey = await this.begin();
    for (const name of Object.keys(journey.acts.open())) {
      try {
        const answer = await this.perform((one) => one.acts.finish(name));
        const [kind, id] = name.split(":");
        finished.push({ kind, id: id || "", answer });
      } catch (error) {
        // It was refused: nothing happened, and the screen of the day says what can be done.
        if (!(error instanceof Refused)) throw error;
      }
    }
    return finished;
  }
}

/**
 * @param {unknown} error
 * @returns {Trouble}
 */
export function trouble(error) {
  if (error instanceof Refused) {
    const { step, sentence } = next("zh", error.code);
    const why = reasons("zh", error.errors).join(" ");
    return { sentence: error.sentence || error.code, advice: why || sentence, step, code: error.code };
  }
  if (error instanceof Unreachable && error.code) {
    return { sentence: error.sentence, advice: patience("zh", error), step: "again", code: error.code };
  }
  if (error instanceof Unreachable) return { sentence: say("zh", "unreachable"), advice: "", step: "again", code: "" };
  throw error;
}
