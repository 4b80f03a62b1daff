// A hand scanner is a keyboard: it types faster than people do and ends with Enter. Fed with every key, this
// tells when what was typed was a scan, wherever the focus is.

const GAP_MS = 80;
const LENGTH_MIN = 8;

/** The sign of a key; an input method that is switched on hides it, and its place tells it.
 * @param {string} key @param {string} code */
function signOf(key, code) {
  if (key.length === 1) return key;
  const place = /^(?:Key|Digit|Numpad)([0-9A-Z])$/.exec(code || "");
  return (key === "Process" || key === "Unidentified") && place ? place[1] : "";
}

export class Wedge {
  constructor() {
    this.text = "";
    this.last = -Infinity;
  }

  /** How many signs stand in the burst so far. */
  get length() {
    return this.text.length;
  }

  /**
   * @param {string} key of the event
   * @param {string} code of the event
   * @param {number} at milliseconds, of any clock that does not jump
   * @returns {string | null} the scanned text, at its Enter
   */
  feed(key, code, at) {
    const late = at - this.last > GAP_MS;
    if (key === "Enter") {
      const text = late ? "" : this.text;
      this.text = "";
      this.last = -Infinity;
      return text.length >= LENGTH_MIN ? text : null;
    }
    const sign = signOf(key, code);
    if (!sign) return null;
    this.text = late ? sign : this.text + sign;
    this.last = at;
    return null;
  }
}
