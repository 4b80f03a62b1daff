// A day of this till: its totals, and where they differ from the platform's.

/**
 * @typedef {object} Entry What this till knows of a write-off.
 * @property {string | null} id of the platform
 * @property {string} request_no
 * @property {string} day YYYY-MM-DD, of the platform
 * @property {string} at
 * @property {string} voucher_type
 * @property {number} applied_fen
 * @property {number} payable_fen
 * @property {"redeemed" | "reversed" | "blocked"} status
 * @property {string | null} operator
 */

/** The day of a moment as the platform writes it. @param {string} moment */
export function dayOf(moment) {
  return moment.slice(0, 10);
}

const CHINA_MS = 8 * 3600 * 1000;

/** @param {number} ms of the platform's clock @returns {string} with the platform's own offset */
export function momentOf(ms) {
  return new Date(ms + CHINA_MS).toISOString().replace("Z", "+08:00");
}

/** @param {Entry[]} entries @param {string} day */
export function totals(entries, day) {
  const live = entries.filter((entry) => entry.day === day && entry.status === "redeemed");
  return { count: live.length, applied_fen: live.reduce((sum, entry) => sum + entry.applied_fen, 0) };
}

/**
 * Line by line, where the totals differ.
 * @param {Entry[]} entries
 * @param {string} day
 * @param {{request_no: string, applied_fen: number}[]} items the platform's
 */
export function differences(entries, day, items) {
  const ours = new Map();
  entries.filter((entry) => entry.day === day && entry.status === "redeemed").forEach((entry) => ours.set(entry.request_no, entry));
  /** @type {{kind: string, request_no: string, ours: number | null, theirs: number | null}[]} */
  const found = [];
  items.forEach((item) => {
    const own = ours.get(item.request_no);
    ours.delete(item.request_no);
    if (!own) found.push({ kind: "onlyTheirs", request_no: item.request_no, ours: null, theirs: item.applied_fen });
    else if (own.applied_fen !== item.applied_fen) {
      found.push({ kind: "amount", request_no: item.request_no, ours: own.applied_fen, theirs: item.applied_fen });
    }
  });
  ours.forEach((own) => found.push({ kind: "onlyOurs", request_no: own.request_no, ours: own.applied_fen, theirs: null }));
  return found;
}

/**
 * How many more may be taken today without a line; null: nothing limits it for sure.
 * Which campaign a voucher is of is not known without a line, so only what no campaign would take is certain.
 * @param {{days: {count_per_day: number | null}[]} | null} rules as the platform told them
 * @param {number} taken of this day: waiting, and uploaded
 */
export function offlineLeft(rules, taken) {
  if (!rules || !rules.days.length || rules.days.some((one) => one.count_per_day === null)) return null;
  return Math.max(0, rules.days.reduce((most, one) => Math.max(most, one.count_per_day || 0), 0) - taken);
}
