// Amounts to the fen: digits in, whole numbers out, never a fraction in between.

const FEN_MAX = 100000000000;
const TYPED = /^(0|[1-9]\d*)(\.\d{0,2})?$/;

/**
 * What stands on the display after a key; a key that makes no amount changes nothing.
 * @param {string} typed
 * @param {string} key a digit, "00", ".", "back" or "clear"
 */
export function press(typed, key) {
  if (key === "clear") return "";
  if (key === "back") return typed.slice(0, -1);
  let next = typed + key;
  if (next.startsWith(".")) next = `0${next}`;
  next = next.replace(/^0+(?=\d)/, "");
  return TYPED.test(next) && fenOf(next) <= FEN_MAX ? next : typed;
}

/**
 * @param {string} typed yuan, as on the display
 * @returns {number} whole fen; NaN where nothing is typed
 */
export function fenOf(typed) {
  if (!TYPED.test(typed)) return NaN;
  const [yuan, fen] = `${typed}.`.split(".");
  return Number(yuan) * 100 + Number((fen || "").padEnd(2, "0"));
}

/** @param {number} fen */
export function yuanOf(fen) {
  const whole = Math.abs(fen);
  return `${fen < 0 ? "-" : ""}¥${Math.floor(whole / 100).toLocaleString("en-US")}.${String(whole % 100).padStart(2, "0")}`;
}
