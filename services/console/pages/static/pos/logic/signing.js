// Signed requests, as docs/signing.md says. `subtle` is crypto.subtle, or what is like it elsewhere.

const utf8 = new TextEncoder();
const ALGORITHM = { name: "HMAC", hash: "SHA-256" };

/**
 * The key as the platform gave it, so that nobody can read it back.
 * @param {SubtleCrypto} subtle
 * @param {string} key
 */
export function importKey(subtle, key) {
  return subtle.importKey("raw", utf8.encode(key), ALGORITHM, false, ["sign"]);
}

/**
 * @param {{method: string, target: string, timestamp: number, nonce: string, body: string}} asked
 */
export function stringToSign(asked) {
  return `${asked.method}\n${asked.target}\n${asked.timestamp}\n${asked.nonce}\n${asked.body}\n`;
}

/**
 * The Authorization header.
 * @param {SubtleCrypto} subtle
 * @param {string} keyId
 * @param {CryptoKey} key
 * @param {{method: string, target: string, timestamp: number, nonce: string, body: string}} asked `target` is
 *     path and query as sent, `body` the text as sent
 */
export async function authorization(subtle, keyId, key, asked) {
  const digest = await subtle.sign("HMAC", key, utf8.encode(stringToSign(asked)));
  const signature = btoa(String.fromCharCode.apply(null, Array.from(new Uint8Array(digest))));
  return `HV-HMAC-SHA256 key_id="${keyId}",timestamp="${asked.timestamp}",nonce="${asked.nonce}",signature="${signature}"`;
}
