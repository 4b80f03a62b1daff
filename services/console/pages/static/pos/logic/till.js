// A till: what it does, one thing at a time, and what it must not forget. Below it: the queue without a line,
// the acts that are written down before they are sent, and the terminal that it is.

import { present } from "./acts.js";
import { dayOf, differences, momentOf, totals } from "./day.js";
import { Queue } from "./queue.js";

const KEPT_DAYS = 40;

/** @type {Record<string, import("./line.js").How>} */
const HOW = {
  verify: { fields: { redeemable: "boolean", reason: "string?", voucher_type: "string?", kind: "string?", applied_fen: "number?" } },
  close: { fields: { matched: "boolean", server: "object" } },
};

export class Till extends Queue {
  // --- write-offs -------------------------------------------------------------------------------------------

  /** Whether it could be written off now, and for how much. @param {string} voucher @param {number | null} bill */
  verify(voucher, bill) {
    return this.line.ask("POST", "/redemptions/verify", present({ voucher, bill_fen: bill }), HOW.verify);
  }

  /** @param {string} voucher @param {number | null} bill whole fen */
  redeem(voucher, bill) {
    return this.begin("redeem", "/redemptions", this.used(voucher, bill));
  }

  /**
   * For people without a phone, where the campaign allows it.
   * @param {{idNumber: string, type: string, reason: string, bill: number | null}} given
   */
  redeemManually({ idNumber, type, reason, bill }) {
    const body = present({ voucher_type: type, reason, bill_fen: bill, operator: this.operator });
    return this.begin("manual", "/redemptions/manual", body, { id_number: idNumber });
  }

  /** @returns {import("./terminal.js").AcceptedType[]} what may be written off by id number */
  get manualTypes() {
    return this.types.filter((one) => one.by_id_number);
  }

  // --- reversals, results -----------------------------------------------------------------------------------

  /** @param {string} original @param {string} reason */
  reverse(original, reason) {
    return this.begin("reverse", "/reversals", present({ original_request_no: original, reason, operator: this.operator }));
  }

  /**
   * The result of a directed service, for the health code.
   * @param {string} redemption its id
   * @param {{kind: string, report_no: string, result: string, performed_at: string}} content
   */
  report(redemption, content) {
    return this.begin("result", `/redemptions/${encodeURIComponent(redemption)}/service-result`, {}, content);
  }

  /** @returns {Promise<import("./day.js").Entry[]>} write-offs of this till whose result may be reported */
  async reportable() {
    return (await this.entries()).filter((entry) => {
      const type = this.type(entry.voucher_type);
      return entry.id && entry.status === "redeemed" && type && type.reports_result;
    });
  }

  // --- the day ------------------------------------------------------------------------------------------------

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
    /** @type {Record<string, any>} */
    const changes = {};
    entries.filter((entry) => entry.day < oldest).forEach((entry) => { changes[`entry:${entry.request_no}`] = null; });
    (await this.results()).filter((one) => one.told !== false && one.used_at.slice(0, 10) < oldest).forEach((one) => { changes[`result:${one.request_no}`] = null; });
    await this.shelf.write(changes);
  }
}
