// Without a line: what was taken waits here, survives a reload, and goes out under the numbers it was begun with.

import { Acts, ends, present } from "./acts.js";
import { isToken, masked } from "./codes.js";
import { dayOf, momentOf, offlineLeft } from "./day.js";
import { NoAnswer, hex } from "./line.js";
import { TERMINAL } from "./terminal.js";

/** @typedef {import("./acts.js").Act} Act */

const ACT = "act";
const BATCH = "batch";
const ITEMS_MAX = 100;

/** @type {Record<string, import("./line.js").How>} */
const HOW = {
  batch: { echo: ["batch_no"], fields: { batch_no: "string", results: "list" } },
  reverse: {
    makes: 201, echo: ["request_no", "original_request_no"],
    fields: { id: "string", request_no: "string", original_request_no: "string", status: "string", reversed_at: "string" },
  },
};

export class Queue extends Acts {
  /**
   * @param {import("./line.js").Line} line
   * @param {import("./terminal.js").Shelf} shelf
   * @param {{version: string}} options
   */
  constructor(line, shelf, options) {
    super(line, shelf, options);
    this.sending = false;
  }

  /** The time of use goes along, so that the same act may also be uploaded later.
   * @param {string} voucher @param {number | null} bill */
  used(voucher, bill) {
    return present({ voucher, bill_fen: bill, used_at: momentOf(this.line.now()), operator: this.operator });
  }

  /** @returns {Promise<any[]>} what waits, in the order of use */
  async waiting() {
    return (await this.shelf.all("queue:")).sort((one, other) => (one.item.used_at < other.item.used_at ? -1 : 1));
  }

  /** Reversals that wait for the line. @returns {Promise<Act[]>} */
  undoing() {
    return this.shelf.all("undo:");
  }

  /** @returns {Promise<any[]>} what became of uploads, newest first */
  async results() {
    return (await this.shelf.all("result:")).sort((one, other) => (one.used_at < other.used_at ? 1 : -1));
  }

  /** @returns {Promise<number | null>} how many more may be taken today; null: nothing limits it for sure */
  async left() {
    const waiting = (await this.waiting()).filter((one) => dayOf(one.item.used_at) === this.today).length;
    const uploaded = (await this.results()).filter((one) => one.day === this.today && one.outcome === "redeemed").length;
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
    const act = await this.opened();
    const number = act.body.request_no;
    if (act.kind === "reverse") {
      await this.shelf.write({ [ACT]: null, [`undo:${number}`]: act });
      return;
    }
    if (act.kind !== "redeem") throw new Error("it cannot wait");
    const item = Object.assign({}, act.body, digits ? { voucher: digits } : {});
    if (isToken(item.voucher || "")) throw new Error("a token does not wait");
    await this.shelf.write({ [ACT]: null, [`queue:${number}`]: { item, sent: true } });
  }

  /** Takes back what was never sent. @param {string} number */
  async withdraw(number) {
    const waiting = await this.shelf.read(`queue:${number}`);
    if (!waiting || waiting.sent) throw new Error("it may have arrived");
    await this.shelf.write({ [`queue:${number}`]: null });
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
        if (!ends(error)) throw error;
        const { code } = /** @type {import("./line.js").Refused} */ (error);
        const refused = { request_no: act.body.original_request_no, outcome: "refused", reason: code, used_at: momentOf(this.line.now()), voucher: "", day: "" };
        await this.shelf.write(Object.assign(done, { [`result:${act.body.request_no}`]: refused }));
      }
    }
  }

  /** The upload that has no answer yet, else the next one; null when nothing waits.
   * @returns {Promise<{batch_no: string, items: any[]} | null>} */
  async nextBatch() {
    const open = await this.shelf.read(BATCH);
    if (open) return open;
    const most = this.facts ? this.facts.own.offline.items_max : ITEMS_MAX;
    const waiting = (await this.waiting()).slice(0, most);
    if (!waiting.length) return null;
    const batch = { batch_no: hex(this.line.around.random(12)), items: waiting.map((one) => one.item) };
    /** @type {Record<string, any>} */
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
      if (ends(error)) await this.shelf.write({ [BATCH]: null });
      throw error;
    }
    /** @type {Record<string, any>} */
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
}
