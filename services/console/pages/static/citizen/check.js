// Recomputes one draw on this device: the seed is the one that was locked, and the outcome follows from it.

import { hex, hmac, sha256 } from "../drawlog.js";

const encoder = new TextEncoder();
const PPM = 1000000n;

/** @param {string} odds decimal text @returns {bigint} */
function ppm(odds) {
  const [whole, parts] = `${odds}.`.split(".");
  return BigInt(whole) * PPM + BigInt((parts || "").padEnd(6, "0"));
}

/**
 * @param {string} slug
 * @param {{phase: number, chance_id: string, client_seed: string, odds: string, value: string, won: boolean, seed_commitment: string}} drawn
 * @param {{seed: string | null, seed_commitment: string} | undefined} phase
 * @returns {"later" | "sound" | "broken"}
 */
export function judge(slug, drawn, phase) {
  if (!phase || phase.seed_commitment !== drawn.seed_commitment) return "broken";
  if (!phase.seed) return "later";
  const seed = Uint8Array.from(phase.seed.match(/../g) || [], (pair) => Number.parseInt(pair, 16));
  if (hex(sha256(seed)) !== phase.seed_commitment) return "broken";
  const message = `${slug}/${drawn.phase}/${drawn.chance_id}/${drawn.client_seed}`;
  const value = hex(hmac(seed)(encoder.encode(message)));
  const won = BigInt(`0x${value.slice(0, 16)}`) < (ppm(drawn.odds) << 64n) / PPM;
  return value === drawn.value && won === drawn.won ? "sound" : "broken";
}
