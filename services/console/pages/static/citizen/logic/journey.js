// A citizen's way from opening the page to the voucher at the till. No rule of the campaign lives here: what
// may be done is asked of the platform, which decides when it is done.

import { Acts } from "./acts.js";
import { Client, Refused, Unreachable } from "./client.js";

/**
 * @typedef {import("./acts.js").Shelf} Shelf
 *
 * @typedef {object} Session
 * @property {string} token
 * @property {number} until milliseconds of the machine's clock
 * @property {string} person
 *
 * @typedef {object} Surroundings
 * @property {import("./client.js").Send} send
 * @property {Shelf} shelf
 * @property {(bytes: number) => Uint8Array} random
 * @property {(ms: number) => Promise<void>} wait
 * @property {() => number} now milliseconds of the machine's clock
 * @property {string} language zh or en
 * @property {(tries: number) => void} [waiting]
 */

const API = "/issuance/v1";
const SESSION = "hv.session";
const DEVICE = "hv.device";
const DEMO = "hv.demo";
const ANSWERS = "hv.answers";
const COUNTY = "hv.county";
// A text behind the picture is good for at least half a minute, whatever the clocks say.
const CODE_LIFE_MS = 25000;
// As many lines of a list as fit on a few screens.
const PIECE = 20;
const SIGN_IN_TRIES = 3;
const SIGN_IN_AGAIN_MS = 1000;
const SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/**
 * @param {Uint8Array} bytes
 * @returns {string} five bits of each
 */
function symbols(bytes) {
  return Array.from(bytes, (byte) => SYMBOLS[byte % 32]).join("");
}

export class Journey {
  /** @param {Surroundings} surroundings */
  constructor(surroundings) {
    this.around = surroundings;
    this.shelf = surroundings.shelf;
    this.client = new Client(surroundings.send, { language: surroundings.language, device: this.kept(DEVICE) });
    this.acts = new Acts(this.client, this.shelf, {
      number: () => symbols(surroundings.random(20)),
      wait: surroundings.wait,
      waiting: surroundings.waiting,
    });
    /** @type {Session | null} */
    this.session = this.readSession();
    if (this.session) this.client.token = this.session.token;
  }

  /**
   * A random text that stays on this device.
   * @param {string} key
   */
  kept(key) {
    let value = this.shelf.read(key);
    if (!value) {
      value = symbols(this.around.random(24));
      this.shelf.write(key, value);
    }
    return value;
  }

  /** @returns {Session | null} */
  readSession() {
    try {
      const found = JSON.parse(this.shelf.read(SESSION) || "null");
      return found && found.until > this.around.now() ? found : null;
    } catch (error) {
      return null;
    }
  }

  /**
   * @param {{access_token: string, expires_in: number}} given
   * @param {string} person
   */
  keepSession(given, person) {
    this.session = { token: given.access_token, until: this.around.now() + given.expires_in * 1000, person };
    this.client.token = given.access_token;
    this.shelf.write(SESSION, JSON.stringify(this.session));
  }

  /**
   * @param {"wechat" | "alipay" | "demo"} provider
   * @param {string} [code] of the provider; the demonstration makes one that stays on this device
   */
  async signIn(provider, code) {
    const sent = code || this.kept(DEMO);
    const answer = await this.asked(provider, sent);
    const told = JSON.parse(answer.text);
    const before = this.shelf.read("hv.person");
    if (before && before !== told.citizen.id) this.acts.forget();
    this.shelf.write("hv.person", told.citizen.id);
    this.keepSession(told, told.citizen.id);
    return told.citizen;
  }

  /**
   * A code of the demonstration is good as often as one likes: silence is asked again. One of a provider is not.
   * @param {string} provider
   * @param {string} code
   */
  async asked(provider, code) {
    for (let left = provider === "demo" ? SIGN_IN_TRIES : 1; ; left -= 1) {
      try {
        return await this.client.ask("POST", `${API}/sessions`, { provider, code });
      } catch (error) {
        if (!(error instanceof Unreachable) || left <= 1) throw error;
        await this.around.wait(SIGN_IN_AGAIN_MS);
      }
    }
  }

  /**
   * Whether the session ends so soon that it should be renewed before it gets in the way.
   * @param {number} ms
   */
  endsWithin(ms) {
    return this.session !== null && this.session.until - this.around.now() < ms;
  }

  signOut() {
    this.session = null;
    this.client.token = null;
    [SESSION, ANSWERS, DEMO, "hv.person"].forEach((key) => this.shelf.write(key, null));
    this.acts.forget();
  }

  /** @returns {Promise<any[]>} the campaigns, those that run first */
  async campaigns() {
    const found = (await this.client.get(`${API}/campaigns`)).items;
    const rank = (/** @type {any} */ campaign) =>
      campaign.phases.some((/** @type {any} */ phase) => phase.state === "open") ? 0 : campaign.status === "ended" ? 2 : 1;
    return found.slice().sort((/** @type {any} */ a, /** @type {any} */ b) => rank(a) - rank(b));
  }

  /** @param {string} slug */
  campaign(slug) {
    return this.client.get(`${API}/campaigns/${encodeURIComponent(slug)}`);
  }

  /** @param {string} slug */
  today(slug) {
    return this.client.get(`${API}/me/today?campaign=${encodeURIComponent(slug)}`);
  }

  /** Tells the platform once a visit that its campaign was looked at; nobody waits for it.
   * @param {string} slug */
  opened(slug) {
    this.client.ask("POST", `${API}/campaigns/${encodeURIComponent(slug)}/opens`, {}).catch(() => undefined);
  }

  // --- identity -------------------------------------------------------------------------------------

  /**
   * What a person agrees to with the identity.
   * @returns {Promise<{kind: string, version: string, title: string, text: string} | null>}
   */
  async consentText() {
    try {
      return await this.client.get(`${API}/consent-texts/current?kind=sensitive`);
    } catch (error) {
      if (error instanceof Refused && error.status === 404) return null;
      throw error;
    }
  }

  /**
   * @param {string} name
   * @param {string} idNumber
   * @param {string} consentVersion
   */
  async bindIdentity(name, idNumber, consentVersion) {
    const body = { name, id_type: "resident_id", id_number: idNumber, consent_version: consentVersion };
    const told = JSON.parse((await this.client.ask("PUT", `${API}/me/identity`, body)).text);
    // The person may have been known by another account: what follows is done in that person's name.
    if (told.session && this.session) this.keepSession(told.session, this.session.person);
    return told;
  }

  // --- the quiz -------------------------------------------------------------------------------------

  /** @param {string} slug */
  startQuiz(slug) {
    return this.acts.perform("start", `${API}/campaigns/${encodeURIComponent(slug)}/quiz-attempts`, {});
  }

  /**
   * The attempt as it was left: questions, what was chosen, how long there is, or its result.
   * @param {string} attempt
   */
  async attempt(attempt) {
    const found = await this.client.get(`${API}/quiz-attempts/${attempt}`);
    const here = this.answers(attempt);
    return Object.assign(found, { chosen: Object.assign({}, found.draft, here) });
  }

  /**
   * What was chosen on this device, also while there was no network.
   * @param {string} attempt
   * @returns {Record<string, string[]>}
   */
  answers(attempt) {
    try {
      const kept = JSON.parse(this.shelf.read(ANSWERS) || "{}");
      return kept.attempt === attempt ? kept.answers : {};
    } catch (error) {
      return {};
    }
  }

  /**
   * Keeps what is chosen so far: here at once, on the platform when it can be reached.
   * @param {string} attempt
   * @param {Record<string, string[]>} answers
   * @returns {Promise<boolean>} whether the platform has it too
   */
  async choose(attempt, answers) {
    this.shelf.write(ANSWERS, JSON.stringify({ attempt, answers }));
    try {
      await this.client.ask("PUT", `${API}/quiz-attempts/${attempt}/draft`, { answers });
      return true;
    } catch (error) {
      return false;
    }
  }

  /**
   * @param {{attempt_id: string, attempt_token?: string | null}} attempt
   * @param {Record<string, string[]>} answers
   */
  async submit(attempt, answers) {
    /** @type {Record<string, unknown>} */
    const body = { answers };
    if (attempt.attempt_token) body.attempt_token = attempt.attempt_token;
    const result = await this.acts.perform(
      `submit:${attempt.attempt_id}`, `${API}/quiz-attempts/${attempt.attempt_id}/answers`, body,
    );
    this.shelf.write(ANSWERS, null);
    return result;
  }

  // --- other ways -----------------------------------------------------------------------------------

  /**
   * @param {string} slug
   * @param {string} channel
   * @param {Record<string, unknown>} evidence
   */
  takePart(slug, channel, evidence) {
    const path = `${API}/campaigns/${encodeURIComponent(slug)}/activities`;
    return this.acts.perform(`activity:${channel}`, path, { channel, evidence });
  }

  /**
   * Checks in with the code of a poster, which does not say what it is of: a code that is unknown in one way
   * of taking part is tried in the next. Nothing is changed by a code that is refused.
   * @param {string} slug
   * @param {string[]} channels
   * @param {string} code
   */
  async checkIn(slug, channels, code) {
    for (let place = 0; ; place += 1) {
      try {
        return await this.takePart(slug, channels[place], { check_in_code: code });
      } catch (error) {
        const unknown = error instanceof Refused && error.code === "check_in_code_unknown";
        if (!unknown || place + 1 >= channels.length) throw error;
      }
    }
  }

  /** @param {string} slug */
  async events(slug) {
    return (await this.client.get(`${API}/campaigns/${encodeURIComponent(slug)}/events`)).items;
  }

  // --- draw and claim -------------------------------------------------------------------------------

  /** Adds a seed of the citizen's own, so that nobody could have known the outcome before.
   * @param {string} slug */
  draw(slug) {
    const path = `${API}/campaigns/${encodeURIComponent(slug)}/draws`;
    return this.acts.perform("draw", path, { client_seed: symbols(this.around.random(16)) });
  }

  /** @param {string} slug */
  async awards(slug) {
    return (await this.client.get(`${API}/me/awards?campaign=${encodeURIComponent(slug)}`)).items;
  }

  /**
   * @param {string} award
   * @param {string} voucherType
   */
  claim(award, voucherType) {
    return this.acts.perform(`claim:${award}`, `${API}/awards/${award}/claim`, { voucher_type: voucherType });
  }

  // --- wallet and history ---------------------------------------------------------------------------

  async vouchers() {
    return (await this.client.get(`${API}/me/vouchers?limit=200`)).items;
  }

  /** @param {string} voucher */
  voucher(voucher) {
    return this.client.get(`${API}/me/vouchers/${voucher}`);
  }

  /**
   * The picture for the till, and when it changes (milliseconds of the machine's clock).
   * @param {string} voucher
   * @returns {Promise<{svg: string, until: number}>}
   */
  async code(voucher) {
    const picture = await this.client.ask("GET", `${API}/me/vouchers/${voucher}/qr.svg`);
    return { svg: picture.text, until: this.around.now() + CODE_LIFE_MS };
  }

  /**
   * A list piece by piece, the newest first.
   * @param {string} path
   * @param {{limit?: number, cursor?: string | null, campaign?: string}} [wanted]
   * @returns {Promise<{items: any[], next_cursor: string | null}>}
   */
  list(path, wanted) {
    const { limit, cursor, campaign } = Object.assign({ limit: PIECE, cursor: null, campaign: null }, wanted);
    const query = [`limit=${limit}`];
    if (campaign) query.push(`campaign=${encodeURIComponent(campaign)}`);
    if (cursor) query.push(`cursor=${encodeURIComponent(cursor)}`);
    return this.client.get(`${API}${path}?${query.join("&")}`);
  }

  /**
   * @param {string} slug
   * @param {{limit?: number, cursor?: string | null}} [wanted]
   */
  draws(slug, wanted) {
    return this.list("/me/draws", Object.assign({ campaign: slug }, wanted));
  }

  /** @param {{limit?: number, cursor?: string | null}} [wanted] */
  activities(wanted) {
    return this.list("/me/activities", wanted);
  }

  /**
   * What the person was told, and how much of it was not read yet.
   * @param {{limit?: number, cursor?: string | null}} [wanted]
   * @returns {Promise<{items: any[], next_cursor: string | null, unread: number}>}
   */
  notices(wanted) {
    return /** @type {Promise<any>} */ (this.list("/me/notices", wanted));
  }

  /**
   * This notice and all before it are read.
   * @param {string} notice
   */
  async read(notice) {
    return JSON.parse((await this.client.ask("POST", `${API}/me/notices/read`, { up_to: notice })).text);
  }

  // --- how one is told, and what one agreed to --------------------------------------------------------

  preferences() {
    return this.client.get(`${API}/me/notice-preferences`);
  }

  /** @param {{language?: string, sms?: {enabled: boolean, phone?: string}}} wanted what is left out stays */
  async prefer(wanted) {
    return JSON.parse((await this.client.ask("PUT", `${API}/me/notice-preferences`, wanted)).text);
  }

  /** @param {string} code that came by SMS */
  async confirmPhone(code) {
    const path = `${API}/me/notice-preferences/phone-code`;
    return JSON.parse((await this.client.ask("POST", path, { code })).text);
  }

  /** @returns {Promise<{withdrawn: boolean, items: any[]}>} */
  consents() {
    return this.client.get(`${API}/me/consents`);
  }

  /**
   * @param {string} kind
   * @param {string} version
   */
  agree(kind, version) {
    return this.acts.perform("consent", `${API}/me/consents`, { kind, version });
  }

  withdrawConsent() {
    return this.acts.perform("withdrawal", `${API}/me/consents/withdraw`, {});
  }

  // --- where vouchers are used ------------------------------------------------------------------------

  /** @returns {string} the county that was looked at last, or nothing */
  county() {
    return this.shelf.read(COUNTY) || "";
  }

  /** @param {string} name */
  keepCounty(name) {
    this.shelf.write(COUNTY, name || null);
  }

  /**
   * Where vouchers of a type are accepted.
   * @param {string} slug
   * @param {string} voucherType
   * @param {string | null} county
   */
  async institutions(slug, voucherType, county) {
    const place = county ? `&county=${encodeURIComponent(county)}` : "";
    const query = `campaign=${encodeURIComponent(slug)}&voucher_type=${encodeURIComponent(voucherType)}${place}`;
    return (await this.client.get(`/redemption/v1/institutions?limit=200&${query}`)).items;
  }
}

/**
 * Whether a published value is an assumption of a demonstration: named itself, or as a part of what is.
 * @param {{assumed?: string[]}} campaign
 * @param {string} path such as `phases.1.odds`
 */
export function isAssumed(campaign, path) {
  return (campaign.assumed || []).some((one) => path === one || path.startsWith(`${one}.`));
}
