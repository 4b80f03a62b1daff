// Puts the screens on the page: routes, refusals, the network that comes and goes, and what was left undone.

import { Journey } from "./logic/journey.js";
import { Refused, Unreachable } from "./logic/client.js";
import { next, patience, reasons, say } from "./logic/words.js";
import { awards, claim } from "./claim.js";
import { afterDraw, draw, drawn, identity } from "./draw.js";
import { home, welcome } from "./home.js";
import { me } from "./me.js";
import { quiz } from "./quiz.js";
import { history, verify } from "./records.js";
import { h } from "./ui.js";
import { voucher, wallet } from "./wallet.js";
import { checkIn, done, way } from "./ways.js";

const SEND_MS = 10000;
// A photo is large, and a phone's line out is slow.
const UPLOAD_MS = 60000;
const RENEW_MS = 3 * 24 * 3600 * 1000;
// What is only read is asked for again by itself, so often and with so much time between.
const READ_TRIES = 3;
const READ_AGAIN_MS = 1500;
const LATER = [429, 502, 503, 504];
const root = document.documentElement;
const main = document.getElementById("main");
const noteBox = document.getElementById("note");
const live = document.getElementById("live");
const tabs = document.getElementById("tabs");

const ROUTES = {
  "": home,
  quiz,
  draw,
  drawn,
  awards,
  claim,
  wallet,
  voucher,
  way,
  checkin: checkIn,
  done,
  history,
  verify,
  me,
};

/** What this device keeps; a browser that keeps nothing still works until it is closed. */
const memory = new Map();
const shelf = {
  read(key) {
    try {
      return localStorage.getItem(key);
    } catch (error) {
      return memory.has(key) ? memory.get(key) : null;
    }
  },
  write(key, value) {
    try {
      if (value === null) localStorage.removeItem(key);
      else localStorage.setItem(key, value);
    } catch (error) {
      if (value === null) memory.delete(key);
      else memory.set(key, value);
    }
  },
};

async function send(sent) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), SEND_MS);
  try {
    const answer = await fetch(sent.path, {
      method: sent.method, headers: sent.headers, body: sent.body, signal: stop.signal, cache: "no-store", credentials: "omit",
    });
    return { status: answer.status, text: await answer.text(), header: (name) => answer.headers.get(name) };
  } finally {
    clearTimeout(timer);
  }
}

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

class App {
  constructor() {
    /** @type {import("./logic/words.js").Language} */
    this.language = root.lang === "en" ? "en" : "zh";
    this.wait = wait;
    this.now = () => Date.now();
    // How far the platform's clock is ahead of this device's: a phone that goes wrong counts no wrong days.
    this.ahead = Date.parse(root.dataset.now || "") - Date.now() || 0;
    this.timers = [];
    this.tries = 0;
    this.all = [];
    this.slug = "";
    this.campaign = null;
    const query = new URLSearchParams(location.search);
    this.given = { provider: query.get("provider"), code: query.get("code") };
    this.checkInCode = query.get("check_in_code");
    /** @type {"wechat" | "alipay" | "demo" | null} */
    this.provider = root.dataset.demo === "true" ? "demo" : null;
    if (this.given.code && (this.given.provider === "wechat" || this.given.provider === "alipay")) this.provider = this.given.provider;
    this.journey = new Journey({
      send,
      shelf,
      wait,
      now: this.now,
      language: this.language,
      random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
      waiting: (tries) => this.note(this.say("waiting", { n: tries })),
    });
  }

  say(key, values) {
    return say(this.language, key, values);
  }

  /** Milliseconds of the platform's clock, as far as it is known here. */
  platformNow() {
    return this.now() + this.ahead;
  }

  /** @param {string} moment of the platform, just told */
  heard(moment) {
    this.ahead = Date.parse(moment) - this.now() || 0;
  }

  // --- what stands on the page ------------------------------------------------------------------------

  show(parts) {
    main.replaceChildren(...[parts].flat(3).filter((part) => part !== null && part !== undefined && part !== false));
    main.removeAttribute("aria-busy");
    this.focus(main);
  }

  /** The heading is where a screen reader and a keyboard begin to read. */
  focus(box) {
    const heading = box.querySelector("h1");
    if (heading) heading.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }

  note(text) {
    noteBox.textContent = text;
    noteBox.hidden = !text;
  }

  announce(text) {
    live.textContent = text;
  }

  /** Until the next screen. */
  every(ms, act) {
    const timer = setInterval(act, ms);
    this.timers.push(timer);
    return { stop: () => clearInterval(timer) };
  }

  go(route) {
    if (location.hash === `#${route}`) this.render();
    else location.hash = `#${route}`;
  }

  // --- acts -------------------------------------------------------------------------------------------

  /** One act at a time: a second tap while the first is on its way does nothing. */
  async busy(act) {
    if (main.getAttribute("aria-busy") === "true") return;
    main.setAttribute("aria-busy", "true");
    this.note("");
    try {
      await act();
    } catch (error) {
      this.refuse(error);
    } finally {
      main.removeAttribute("aria-busy");
    }
  }

  refuse(error) {
    if (error instanceof Unreachable) {
      // One that answers, and asks for patience, is no network that is gone.
      this.note(error.code ? [error.sentence, patience(this.language, error)].join(this.language === "en" ? " " : "") : this.say("unreachable"));
      this.offerAgain();
      return;
    }
    if (!(error instanceof Refused)) throw error;
    if (error.status === 401) {
      this.journey.session = null;
      this.journey.client.token = null;
    }
    const step = next(this.language, error.code);
    const button = this.stepButton(step.step);
    this.show([
      h("div", { class: "outcome refused", role: "alert" },
        h("h1", { tabindex: "-1" }, error.sentence || error.code),
        reasons(this.language, error.errors).map((reason) => h("p", {}, reason)),
        step.sentence && h("p", {}, step.sentence)),
      button,
      h("a", { class: button ? "button" : "button primary", href: "#/", onclick: () => this.again() }, this.say("home")),
      error.requestId && h("p", { class: "quiet small support" }, this.say("support", { id: error.requestId })),
    ]);
  }

  stepButton(step) {
    const route = (label, to) => h("a", { class: "button primary", href: `#${to}`, onclick: () => this.again() }, this.say(label));
    const act = (label, doing) => h("button", { type: "button", class: "primary", onclick: doing }, this.say(label));
    if (step === "identity") return act("identityTitle", () => this.show(identity(this, () => this.go("/draw"))));
    if (step === "signIn") return this.provider && act("signInAgain", () => this.busy(() => this.signIn()));
    if (step === "wallet") return route("wallet", "/wallet");
    if (step === "claim") return route("choose", "/awards");
    if (step === "consent") return route("consentMine", "/me");
    if (step === "again") return act("again", () => this.render());
    return null;
  }

  /** A link to the screen that is shown already changes nothing by itself. */
  again() {
    setTimeout(() => this.render(), 0);
  }

  offerAgain() {
    noteBox.append(" ", h("button", { type: "button", class: "primary", onclick: () => this.begin() }, this.say("again")));
    if (!main.querySelector("h1")) this.show([h("h1", { tabindex: "-1" }, this.say("offlineTitle")), h("p", {}, this.say("offlineWait"))]);
  }

  /** What was typed is not thrown away because the network came back. */
  async back() {
    this.note("");
    const busy = main.getAttribute("aria-busy") === "true";
    const waits = Object.keys(this.journey.acts.open()).length > 0;
    if (!busy && (waits || !main.querySelector("form, .quiz, .code"))) await this.begin();
  }

  /** Asks again later; false: often enough, or it was no silence. @param {unknown} error @param {() => void} act */
  retry(error, act) {
    if (!(error instanceof Unreachable) || this.tries >= READ_TRIES) {
      this.tries = 0;
      return false;
    }
    this.tries += 1;
    this.note(this.say("waiting", { n: this.tries }));
    const { turn } = this;
    setTimeout(() => turn === this.turn && act(), READ_AGAIN_MS * this.tries);
    return true;
  }

  /** What was asked for again has come. */
  heardAgain() {
    if (this.tries) this.note("");
    this.tries = 0;
  }

  async signIn() {
    await this.journey.signIn(this.provider, this.provider === "demo" ? undefined : this.given.code);
    await this.resume();
    this.look();
    this.render();
  }

  leave(text) {
    this.journey.signOut();
    this.unread(0);
    this.note(text);
    this.go("/");
  }

  async choose(slug) {
    this.slug = slug;
    this.campaign = this.all.find((one) => one.slug === slug) || null;
    shelf.write("hv.campaign", slug);
    this.render();
  }

  async upload(file) {
    const form = new FormData();
    form.append("file", file);
    const headers = { Authorization: `Bearer ${this.journey.client.token}`, "Accept-Language": this.language };
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), UPLOAD_MS);
    try {
      const answer = await fetch("/issuance/v1/photos", { method: "POST", headers, body: form, signal: stop.signal, credentials: "omit" });
      const told = await answer.json();
      if (answer.ok) return told.photo_id;
      throw LATER.includes(answer.status) ? new Unreachable(null, told) : new Refused(answer.status, told);
    } catch (error) {
      if (error instanceof Refused || error instanceof Unreachable) throw error;
    } finally {
      clearTimeout(timer);
    }
    throw new Unreachable(null);
  }

  /** Does it; what can be mended in the form is said beside it, and what was typed stays. */
  async beside(place, act) {
    place.hidden = true;
    try {
      await act();
    } catch (error) {
      if (!this.refusedHere(error, place)) throw error;
    }
  }

  /** Says it beside the field; false: it is not about what was typed. */
  refusedHere(error, place) {
    if (!(error instanceof Refused) || next(this.language, error.code).step !== "again") return false;
    place.textContent = [reasons(this.language, error.errors).join(" ") || error.sentence || error.code, next(this.language, error.code).sentence].filter(Boolean).join(" ");
    place.hidden = false;
    return true;
  }

  /** On the tab of the messages: as a number to see, and in words to hear. */
  unread(count) {
    const tab = tabs.querySelector("[href='#/history']");
    tab.querySelectorAll(".count-badge").forEach((badge) => badge.remove());
    if (count > 0) {
      tab.append(h("span", { class: "count-badge" },
        h("span", { "aria-hidden": "true" }, count > 99 ? "99+" : String(count)),
        h("span", { class: "out-of-sight" }, this.say("unreadN", { n: count }))));
    }
  }

  async download(path, name) {
    const answer = await this.journey.client.ask("GET", path);
    const address = URL.createObjectURL(new Blob([answer.text], { type: "application/json" }));
    h("a", { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  }

  isLarge() {
    return root.dataset.size === "large";
  }

  toggleLarge() {
    root.dataset.size = this.isLarge() ? "normal" : "large";
    shelf.write("hv.size", root.dataset.size);
    return this.isLarge();
  }

  // --- the course of things ---------------------------------------------------------------------------

  /** What was begun before a reload, or while there was no network, goes on under its number. */
  async resume() {
    for (const name of Object.keys(this.journey.acts.open())) {
      let answer;
      try {
        answer = await this.journey.acts.finish(name);
      } catch (error) {
        if (error instanceof Refused && error.status !== 401) continue;
        throw error;
      }
      this.note(this.say("resumed"));
      const [kind, id] = name.split(":");
      if (kind === "start") location.hash = `#/quiz/${answer.attempt_id}`;
      if (kind === "submit") location.hash = `#/quiz/${id}`;
      if (kind === "draw") location.hash = `#${afterDraw(answer.won ? answer.award.id : null, answer.draw_id)}`;
      if (kind === "claim") location.hash = `#/voucher/${answer.id}`;
      if (kind === "activity") location.hash = `#/done/${answer.activity_id}`;
    }
  }

  /** A sign-in that ends soon is renewed unseen where its code can be used again; elsewhere the app around does. */
  async renew() {
    if (this.provider !== "demo" || !this.journey.endsWithin(RENEW_MS)) return;
    await this.journey.signIn("demo").catch(() => undefined);
  }

  /** How many messages wait to be read; nobody waits for it. */
  look() {
    this.journey.notices({ limit: 1 }).then((inbox) => this.unread(inbox.unread), () => undefined);
  }

  async begin() {
    this.note("");
    try {
      this.all = await this.journey.campaigns();
      const wanted = new URLSearchParams(location.search).get("campaign") || shelf.read("hv.campaign");
      this.campaign = this.all.find((one) => one.slug === wanted) || this.all[0] || null;
      this.slug = this.campaign ? this.campaign.slug : "";
      if (this.slug) this.journey.opened(this.slug);
      if (this.journey.session) {
        await this.renew();
        await this.resume();
        this.look();
      }
    } catch (error) {
      if (!this.retry(error, () => this.begin())) this.refuse(error);
      return;
    }
    this.heardAgain();
    if (this.checkInCode && this.campaign && !location.hash) location.hash = "#/checkin";
    this.render();
  }

  async render() {
    this.timers.splice(0).forEach((timer) => clearInterval(timer));
    const [name, ...rest] = location.hash.replace(/^#\/?/, "").split("/");
    tabs.hidden = !this.journey.session;
    tabs.querySelectorAll("a").forEach((tab) => {
      if (tab.hash === `#/${name}`) tab.setAttribute("aria-current", "page");
      else tab.removeAttribute("aria-current");
    });
    this.turn = (this.turn || 0) + 1;
    const { turn } = this;
    main.removeAttribute("aria-busy");
    try {
      const screen = !this.journey.session || !this.slug ? welcome : ROUTES[name] || home;
      const parts = await screen(this, rest);
      if (turn !== this.turn) return;
      this.heardAgain();
      this.show(parts);
    } catch (error) {
      if (turn === this.turn && !this.retry(error, () => this.render())) this.refuse(error);
    }
  }
}

const app = new App();
root.dataset.size = shelf.read("hv.size") || "normal";
window.addEventListener("hashchange", () => {
  // The link that skips to the content is no screen.
  if (location.hash === "#main") return;
  app.note("");
  app.render();
});
window.addEventListener("online", () => app.back());
app.begin();
