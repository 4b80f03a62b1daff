// Calls of the platform, over whatever the surroundings can send with (fetch here, wx.request in a
// mini-program). An answer is a reply, a refusal that can be read out, or none at all: then nobody knows
// whether the platform has acted, and the same request must be sent again.

/**
 * @typedef {object} Sent
 * @property {string} method
 * @property {string} path
 * @property {Record<string, string>} headers
 * @property {string | undefined} body
 *
 * @typedef {object} Answer
 * @property {number} status
 * @property {string} text
 * @property {(name: string) => string | null} header
 *
 * @typedef {(sent: Sent) => Promise<Answer>} Send Rejects when no answer came.
 */

/** The platform said no: nothing was changed. `sentence` can be shown as it is. */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {{code?: string, detail?: string, request_id?: string, errors?: Array<{loc: string, message: string, code: string}>} & Record<string, unknown>} problem
   */
  constructor(status, problem) {
    super(problem.detail || problem.code || String(status));
    this.name = "Refused";
    this.status = status;
    this.code = problem.code || "internal_error";
    this.sentence = problem.detail || "";
    this.requestId = problem.request_id || "";
    this.errors = problem.errors || [];
    this.problem = problem;
  }
}

/** No answer, or one that says: later. The request is sent again under its number. */
export class Unreachable extends Error {
  /**
   * @param {number | null} seconds after which the platform asked to come again
   * @param {{code?: string, detail?: string}} [problem] why, when it was the platform that said so
   */
  constructor(seconds, problem) {
    super("no answer");
    this.name = "Unreachable";
    this.seconds = seconds;
    this.code = (problem && problem.code) || "";
    this.sentence = (problem && problem.detail) || "";
  }
}

const LATER = [429, 502, 503, 504];

/** @param {Answer} answer */
function problemOf(answer) {
  try {
    const told = JSON.parse(answer.text);
    return told !== null && typeof told === "object" ? told : {};
  } catch (error) {
    return {};
  }
}

export class Client {
  /**
   * @param {Send} send
   * @param {{language: string, token?: string | null, device?: string | null}} options
   */
  constructor(send, options) {
    this.send = send;
    this.language = options.language;
    this.token = options.token || null;
    this.device = options.device || null;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   * @returns {Promise<Answer>} with a status below 300
   */
  async ask(method, path, body) {
    /** @type {Record<string, string>} */
    const headers = { "Accept-Language": this.language };
    if (this.token) headers.Authorization = `Bearer ${this.token}`;
    if (this.device) headers["X-Device-Id"] = this.device;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    /** @type {Answer} */
    let answer;
    try {
      answer = await this.send({
        method,
        path,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
      });
    } catch (error) {
      throw new Unreachable(null);
    }
    if (answer.status < 300) return answer;
    const problem = problemOf(answer);
    if (LATER.includes(answer.status) || (answer.status >= 500 && !problem.code)) {
      throw new Unreachable(Number(answer.header("Retry-After")) || null, problem);
    }
    throw new Refused(answer.status, problem);
  }

  /**
   * @param {string} path
   * @returns {Promise<any>}
   */
  async get(path) {
    return JSON.parse((await this.ask("GET", path)).text);
  }
}
