// One typed client for each service. What a call takes and answers is checked by the compiler, out of the
// OpenAPI documents; what is added here is what every caller needs: who asks, in which language, refusals as
// errors that can be read out, and the same request again when no answer came.

import createClient, { type Client, type ClientOptions, type Middleware } from "openapi-fetch";
import type { components as Issuance, paths as IssuancePaths } from "./generated/issuance.js";
import type { paths as ConsolePaths } from "./generated/console.js";
import type { paths as QuotaPaths } from "./generated/quota.js";
import type { paths as RedemptionPaths } from "./generated/redemption.js";

export type { ConsolePaths, IssuancePaths, QuotaPaths, RedemptionPaths };

/** The same in every service. */
export type Problem = Issuance["schemas"]["Problem"];

export interface Options {
  /** The platform's origin, without a slash at the end. */
  baseUrl: string;
  /** Asked before each request, so that a new sign-in counts at once. */
  token?: () => string | null;
  language?: "zh" | "en";
  fetch?: NonNullable<ClientOptions["fetch"]>;
}

export interface HealthVouchers {
  issuance: Client<IssuancePaths>;
  redemption: Client<RedemptionPaths>;
  quota: Client<QuotaPaths>;
  console: Client<ConsolePaths>;
}

/** The platform said no, and nothing was changed. `message` can be shown as it is. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly status: number;
  readonly code: string;
  readonly requestId: string;
  readonly problem: Problem;

  constructor(status: number, problem: Problem) {
    super(problem.detail);
    this.status = status;
    this.code = problem.code;
    this.requestId = problem.request_id;
    this.problem = problem;
  }
}

/** No answer, or one that says: later. Whether the platform has acted is unknown: send the same again. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
  /** After so many seconds, where the platform said so. */
  readonly seconds: number | null;

  constructor(seconds: number | null, cause?: unknown) {
    super("no answer", { cause });
    this.seconds = seconds;
  }
}

export function healthVouchers({ baseUrl, token, language = "zh", fetch }: Options): HealthVouchers {
  const identify: Middleware = {
    onRequest({ request }) {
      const given = token?.();
      if (given) request.headers.set("Authorization", `Bearer ${given}`);
      request.headers.set("Accept-Language", language);
      return request;
    },
  };
  function client<Paths extends object>(): Client<Paths> {
    const made = createClient<Paths>({ baseUrl, ...(fetch ? { fetch } : {}) });
    made.use(identify);
    return made;
  }
  return { issuance: client(), redemption: client(), quota: client(), console: client() };
}

const SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/**
 * For one act: made once, kept with it, and sent again with each retry. It must be its caller's only one of
 * that name, and is no secret; so Node 18, which has no `crypto` among its globals, may use the plain dice.
 */
export function requestNo(): string {
  const source = (globalThis as { crypto?: Crypto }).crypto;
  const random = source
    ? () => source.getRandomValues(new Uint8Array(1))[0] ?? 0
    : () => Math.floor(Math.random() * 256);
  return Array.from({ length: 20 }, () => SYMBOLS[random() % 32]).join("");
}

interface Answer<Data> {
  data?: Data | undefined;
  error?: unknown;
  response: Response;
}

const LATER = new Set([429, 502, 503, 504]);

function isProblem(told: unknown): told is Problem {
  return typeof told === "object" && told !== null && "code" in told && "detail" in told;
}

/** What was answered. Throws Refused or Unreachable. */
export async function told<Data>(sent: Promise<Answer<Data>>): Promise<Data> {
  let answer: Answer<Data>;
  try {
    answer = await sent;
  } catch (error) {
    throw new Unreachable(null, error);
  }
  const { response, error } = answer;
  if (response.ok) return answer.data as Data;
  if (LATER.has(response.status) || !isProblem(error)) {
    throw new Unreachable(Number(response.headers.get("Retry-After")) || null);
  }
  throw new Refused(response.status, error);
}

/**
 * Sends again while no answer comes. `send` must send the same request number each time: the platform then
 * answers what it did the first time, and nothing happens twice.
 */
export async function insisted<Data>(
  send: () => Promise<Answer<Data>>,
  { tries = 5, wait = pause }: { tries?: number; wait?: (ms: number) => Promise<void> } = {},
): Promise<Data> {
  for (let turn = 1; ; turn += 1) {
    try {
      return await told(send());
    } catch (error) {
      if (!(error instanceof Unreachable) || turn === tries) throw error;
      await wait(Math.min(8000, Math.max((error.seconds ?? 0) * 1000, 400 * 2 ** (turn - 1))));
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
