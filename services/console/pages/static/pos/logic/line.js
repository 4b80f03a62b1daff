// The line to the platform: signs, sends again what got no answer (afresh, under the same number), believes an
// answer only when all of it fits, and learns the platform's time.

import { authorization } from "./signing.js";

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {string} text
 * @property {number} bytes how many came
 * @property {(name: string) => string | null} header
 *
 * @typedef {object} Around
 * @property {(sent: {method: string, path: string, headers: Record<string, string>, body: string | undefined}) => Promise<Answer>} send
 *     rejects when no answer came
 * @property {SubtleCrypto} subtle
 * @property {(bytes: number) => Uint8Array} random
 * @property {() => number} now milliseconds of the machine's clock
 * @property {(ms: number) => Promise<void>} wait
 * @property {string} language zh or en
 *
 * @typedef {object} How
 * @property {number} [makes] the status of the first time, where something is made: 201, or 202
 * @property {string[]} [echo] what of the body the answer says again
 * @property {Record<string, string>} fields of the answer, by their type; "string?" may be null
 * @property {number} [tries]
 */

/** The platform said no. `sentence` can be read out. */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {Record<string, any>} problem
   * @param {number | null} seconds after which to come again
   */
  constructor(status, problem, seconds) {
    super(problem.detail || problem.code);
    this.name = "Refused";
    this.status = status;
    this.code = problem.code;
    this.sentence = problem.detail || "";
    this.requestId = problem.request_id || "";
    this.problem = problem;
    this.seconds = seconds;
  }
}

/** Nobody knows whether the request arrived. */
export class NoAnswer extends Error {
  constructor() {
    super("no answer");
    this.name = "NoAnswer";
  }
}

/** Not to be believed, or not to be settled for yet: it is sent again. */
class Untrustworthy extends Error {
  /** @param {string} why @param {Refused | null} [refused] what the platform said, where it said something */
  constructor(why, refused) {
    super(why);
    this.refused = refused || null;
  }
}

export const PREFIX = "/redemption/v1";
const TRIES = 3;
const FIRST_WAIT_MS = 300;
const LATER = [429, 500, 502, 503, 504];
// Said for minutes, and nothing was done: sending it again at once would only be refused again.
const LIMITED = ["too_many_wrong_codes", "too_many_requests"];
const SIGN_AFRESH = ["clock_skew", "replayed"];

/** A signature that was refused for its moment only: the key is good. @param {Refused} refused */
export function momentary(refused) {
  return SIGN_AFRESH.includes(refused.code);
}

/** @param {Uint8Array} bytes */
export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {Answer} answer @param {string} kind */
function parsed(answer, kind) {
  const told = (answer.header("Content-Type") || "").split(";")[0].trim().toLowerCase();
  const length = answer.header("Content-Length");
  if (told !== kind) throw new Untrustworthy(`content type ${told}`);
  if (!answer.header("Content-Encoding") && length !== null && Number(length) !== answer.bytes) {
    throw new Untrustworthy("cut off");
  }
  let body = null;
  try {
    body = JSON.parse(answer.text);
  } catch (error) {
    throw new Untrustworthy("no JSON");
  }
  if (body === null || typeof body !== "object" || Array.isArray(body)) throw new Untrustworthy("no object");
  return body;
}

/** @param {Answer} answer */
function refusalOf(answer) {
  const problem = parsed(answer, "application/problem+json");
  if (typeof problem.code !== "string" || problem.status !== answer.status) throw new Untrustworthy("no problem of this status");
  return new Refused(answer.status, problem, Number(answer.header("Retry-After")) || null);
}

/** @param {any} value @param {string} type @returns {boolean} */
function fits(value, type) {
  if (type.endsWith("?")) return value === null || fits(value, type.slice(0, -1));
  if (type === "list") return Array.isArray(value);
  return value !== null && typeof value === type;
}

/** @param {Answer} answer @param {How} how @param {any} body */
function believed(answer, how, body) {
  const told = parsed(answer, "application/json");
  const replayed = answer.header("Idempotent-Replay") === "true";
  const wanted = how.makes && !replayed ? how.makes : 200;
  if (answer.status !== wanted) throw new Untrustworthy(`status ${answer.status}`);
  Object.keys(how.fields).forEach((name) => {
    if (!fits(told[name], how.fields[name])) throw new Untrustworthy(`field ${name}`);
  });
  (how.echo || []).forEach((name) => {
    if (told[name] !== body[name]) throw new Untrustworthy(`another ${name}`);
  });
  return told;
}

export class Line {
  /** @param {Around} around */
  constructor(around) {
    this.around = around;
    /** @type {string} */
    this.keyId = "";
    /** @type {CryptoKey | null} */
    this.key = null;
    // How far the platform's clock is ahead of this machine's, in milliseconds.
    this.offset = 0;
  }

  /** The platform's time, as far as it is known here. */
  now() {
    return this.around.now() + this.offset;
  }

  /** @param {string} serverTime @param {number} sentAt of the machine's clock */
  learn(serverTime, sentAt) {
    const told = Date.parse(serverTime);
    if (Number.isFinite(told)) this.offset = told - (sentAt + this.around.now()) / 2;
  }

  /**
   * @param {string} method
   * @param {string} path behind the prefix, with its query
   * @param {any} body
   * @param {How} how
   * @returns {Promise<any>} Throws Refused; after a few tries NoAnswer, or what the last of them was refused for.
   */
  async ask(method, path, body, how) {
    const text = body === undefined ? "" : JSON.stringify(body);
    const tries = how.tries || TRIES;
    let last = null;
    for (let attempt = 0; attempt < tries; attempt += 1) {
      if (attempt) await this.around.wait(FIRST_WAIT_MS * 2 ** (attempt - 1));
      try {
        const answer = await this.send(method, PREFIX + path, text);
        if (answer !== null) return answer.status < 300 ? believed(answer, how, body) : this.refuse(answer);
        last = null;
      } catch (error) {
        if (!(error instanceof Untrustworthy)) throw error;
        last = error.refused;
      }
    }
    throw last || new NoAnswer();
  }

  /**
   * One try; null when no answer came. Throws Untrustworthy when the answer says: sign afresh.
   * @param {string} method
   * @param {string} target
   * @param {string} text
   * @returns {Promise<Answer | null>}
   */
  async send(method, target, text) {
    /** @type {Record<string, string>} */
    const headers = { "Accept-Language": this.around.language };
    if (text) headers["Content-Type"] = "application/json";
    if (this.key) {
      headers.Authorization = await authorization(this.around.subtle, this.keyId, this.key, {
        method, target, timestamp: Math.floor(this.now() / 1000), nonce: hex(this.around.random(16)), body: text,
      });
    }
    const sentAt = this.around.now();
    let answer = null;
    try {
      answer = await this.around.send({ method, path: target, headers, body: text || undefined });
    } catch (error) {
      return null;
    }
    if (answer.status === 401) {
      const refused = refusalOf(answer);
      if (refused.code === "clock_skew") this.learn(refused.problem.server_time, sentAt);
      if (momentary(refused)) throw new Untrustworthy("sign afresh", refused);
    }
    return answer;
  }

  /** @param {Answer} answer @returns {never} */
  refuse(answer) {
    const refused = refusalOf(answer);
    // Overload and faults of the platform's: nothing is known, so the same number is sent again.
    if (LATER.includes(refused.status) && !LIMITED.includes(refused.code)) throw new Untrustworthy("later");
    throw refused;
  }
}
