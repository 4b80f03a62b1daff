// What was scanned or typed. Whether a code is good is the platform's to say; this only tidies it.

const TOKEN = /^HV[0-9A-Z]{2}[A-Z2-7]{26}[0-9A-F]{8}[A-Z2-7]{16}$/;

/** @param {string} typed */
export function tidy(typed) {
  return typed.replace(/[\s-]+/g, "").toUpperCase();
}

/** The text behind a QR lives for a minute: it cannot wait for the line. @param {string} voucher */
export function isToken(voucher) {
  return TOKEN.test(voucher);
}

/** For lists that others may see. @param {string} voucher */
export function masked(voucher) {
  return `••••${voucher.slice(-4)}`;
}
