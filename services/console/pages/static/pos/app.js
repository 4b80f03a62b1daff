// The till on the page: what it stands on, its routes, its outcomes, and the line that comes and goes.

import { shownTime, h } from "../citizen/ui.js";
import { Line, NoAnswer, Refused, momentary } from "./logic/line.js";
import { yuanOf } from "./logic/money.js";
import { Till } from "./logic/till.js";
import { Wedge } from "./logic/wedge.js";
import { advice, faultOf, reason } from "./logic/reasons.js";
import { say } from "./logic/words.js";
import * as desk from "./desk.js";
import { manual, report } from "./help.js";
import { Sale } from "./sale.js";
import { play } from "./sound.js";
import { openShelf } from "./store.js";

const VERSION = "web-1.0";
const SEND_MS = 8000;
const TICK_MS = 30000;
/** The platform knows this till's key no more. @param {unknown} error */
const keyRefused = (error) => error instanceof Refused && error.status === 401 && !momentary(error);
const root = document.documentElement;
const main = document.getElementById("main");
const bar = document.getElementById("bar");
const tabs = document.getElementById("tabs");
const live = document.getElementById("live");
const noteBox = document.getElementById("note");
const ICONS = { good: "✓", bad: "✕", unknown: "?" };
const ROUTES = { undo: desk.undo, look: desk.look, queue: desk.queue, close: desk.close, settings: desk.settings, manual, report };

async function send(sent) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), SEND_MS);
  try {
    const answer = await fetch(sent.path, {
      method: sent.method, headers: sent.headers, body: sent.body, signal: stop.signal, cache: "no-store", credentials: "omit",
    });
    const bytes = await answer.arrayBuffer();
    return {
      status: answer.status, text: new TextDecoder().decode(bytes), bytes: bytes.byteLength,
      header: (name) => answer.headers.get(name),
    };
  } finally {
    clearTimeout(timer);
  }
}

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

class App {
  constructor(shelf) {
    /** @type {import("./logic/words.js").Language} */
    this.language = root.lang === "en" ? "en" : "zh";
    this.demo = root.dataset.demo === "true";
    // Whether the platform knows this till's key no more.
    this.barred = false;
    this.shelf = shelf;
    this.online = true;
    this.line = new Line({
      send,
      subtle: crypto.subtle,
      random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
      now: () => Date.now(),
      wait,
      language: this.language,
    });
    this.till = new Till(this.line, shelf, { version: VERSION });
    this.version = VERSION;
    this.wedge = new Wedge();
    this.sale = new Sale(this);
    this.muted = false;
    // What was typed into a form that was refused; gone with the page, and with the next customer.
    this.draft = null;
    // A note for the screen that comes next.
    this.carried = "";
  }

  say(key, values) {
    return say(this.language, key, values);
  }

  reason(code) {
    return reason(this.language, code);
  }

  /** What to do next, as a sentence of its own. @param {string} code */
  advice(code) {
    const sentence = advice(this.language, code);
    return sentence && h("p", { class: "advice" }, sentence);
  }

  // --- what stands on the page ----------------------------------------------------------------------------

  show(...parts) {
    main.replaceChildren(...parts.flat(3).filter((part) => part !== null && part !== undefined && part !== false));
    main.removeAttribute("aria-busy");
    const heading = /** @type {HTMLElement | null} */ (main.querySelector("[data-focus]") || main.querySelector("h1"));
    if (heading) heading.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }

  note(text) {
    noteBox.textContent = text;
    noteBox.hidden = !text;
  }

  button(label, act, more) {
    return h("button", Object.assign({ type: "button", onclick: act }, more || {}), label);
  }

  facts(pairs) {
    return h("dl", { class: "facts" }, pairs.filter(Boolean).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
  }

  money(fen) {
    return yuanOf(fen);
  }

  when(moment) {
    return shownTime(moment);
  }

  /**
   * One clear outcome: a colour, a sign, words and a sound.
   * @param {"good" | "bad" | "unknown"} kind
   * @param {string} title
   * @param {any[]} parts
   */
  outcome(kind, title, ...parts) {
    if (!this.muted) play(kind);
    live.textContent = title;
    this.sale.stop();
    this.show(h("section", { class: `outcome ${kind}`, role: kind === "good" ? "status" : "alert" },
      h("div", { class: "sign", "aria-hidden": "true" }, ICONS[kind]),
      h("h1", { tabindex: "-1" }, title), parts));
  }

  next() {
    const next = () => {
      this.draft = null;
      this.go("/");
    };
    return this.button(this.say("next"), next, { class: "primary big", "data-focus": "", id: "next" });
  }

  /** @param {Refused} refused */
  refused(refused) {
    this.outcome("bad", this.say("refused"),
      h("p", { class: "sentence" }, refused.sentence || this.reason(refused.code)),
      (refused.problem.errors || []).map((fault) => h("p", { class: "fault" }, faultOf(this.language, fault))),
      this.advice(refused.code),
      refused.requestId && h("p", { class: "quiet" }, this.say("support", { id: refused.requestId })),
      this.draft && this.button(this.say("mend"), () => this.go(this.draft.route), { id: "mend" }),
      this.next());
  }

  /** One act at a time: a second tap while the first is on its way does nothing. */
  async busy(act) {
    if (main.getAttribute("aria-busy") === "true") return;
    main.setAttribute("aria-busy", "true");
    this.note("");
    try {
      await act();
    } catch (error) {
      await this.failed(error);
    } finally {
      main.removeAttribute("aria-busy");
      await this.head();
    }
  }

  async failed(error) {
    if (error instanceof DOMException) return this.unkept(error);
    if (!(error instanceof Refused) && !(error instanceof NoAnswer)) throw error;
    this.online = error instanceof Refused;
    if (this.till.terminal && keyRefused(error)) {
      this.barred = true;
      return this.render();
    }
    const act = this.till.terminal && await this.till.open();
    if (act) return this.unknown(act, error);
    if (error instanceof Refused) return this.refused(error);
    return this.note(this.say("unreachable"));
  }

  /** What cannot be written down here is not sent. @param {DOMException} error of the browser's store */
  unkept(error) {
    const full = error.name === "QuotaExceededError";
    this.outcome("bad", this.say(full ? "storageFull" : "storageFailed"),
      h("p", { class: "sentence" }, this.say("storageText")), !full && h("p", { class: "quiet" }, error.name), this.next());
  }

  /** Nobody knows what became of the open act; the cashier says how to go on. */
  unknown(act, error) {
    const redeems = act.kind === "redeem";
    const words = { redeem: "unknownText", reverse: "unknownUndo", manual: "unknownManual", result: "unknownReport" }[act.kind];
    const again = () => this.busy(() => this.settle());
    const keep = () => this.busy(() => this.sale.keep(act));
    this.outcome("unknown", this.say("unknown"),
      h("p", { class: "sentence" }, error instanceof Refused ? error.sentence : this.say(words)),
      error instanceof Refused && this.advice(error.code),
      this.facts([[this.say("number"), act.body.request_no]]),
      this.button(this.say("again"), again, { class: "primary big", id: "again", "data-focus": "" }),
      (redeems || act.kind === "reverse") && this.button(this.say(redeems ? "keep" : "keepUndo"), keep, { id: "keep" }),
      (redeems || act.kind === "manual") && this.button(this.say("leave"), () => this.busy(async () => {
        this.done(await this.till.cancel(this.say("leave")));
      }), { id: "leave" }));
  }

  /** @param {{act: any, answer: any}} settled */
  done({ act, answer }) {
    this.online = true;
    if (act.kind === "result") {
      this.outcome("good", this.say("reported"), h("p", { class: "sentence" }, this.say("reportedText")), this.next());
      return;
    }
    if (act.kind === "reverse") {
      this.outcome("good", this.say(answer.status), this.facts([[this.say("number"), answer.original_request_no]]), this.next());
      return;
    }
    this.outcome("good", this.say("good"),
      h("p", { class: "sum" }, this.money(answer.applied_fen)),
      this.facts([
        [this.say("type"), this.till.typeName(answer.voucher_type)],
        act.body.bill_fen === undefined ? null : [this.say("bill"), this.money(act.body.bill_fen)],
        [this.say("applied"), this.money(answer.applied_fen)],
        [this.say("payable"), this.money(answer.payable_fen)],
        [this.say("number"), answer.request_no],
      ]), this.next(), this.reports(answer));
  }

  /** Where the service has a result: the way to report it. @param {any} answer */
  reports(answer) {
    const type = this.till.type(answer.voucher_type);
    return type && type.reports_result && answer.id && h("a", { class: "button", href: `#/report/${answer.id}`, id: "go-report" }, this.say("report"));
  }

  async settle() {
    this.done(await this.till.settle());
  }

  async head() {
    if (!this.till.terminal) return;
    const own = this.till.facts && this.till.facts.own;
    const waiting = (await this.till.waiting()).length + (await this.till.undoing()).length;
    bar.hidden = false;
    tabs.hidden = false;
    bar.replaceChildren(
      h("strong", {}, own ? own.institution.name : this.say("title")),
      h("span", {}, own ? own.label : this.till.terminal.terminal_id),
      h("span", { class: this.online ? "chip good" : "chip bad", id: "line" }, this.say(this.online ? "online" : "offline")),
      own && (own.status === "paused" || own.institution.status === "paused") && h("span", { class: "chip bad", id: "paused" }, this.say("pausedChip")) || "",
      desk.clockWrong(this) && h("a", { class: "chip warm", href: "#/settings", id: "clock" }, this.say("clockChip")) || "",
      waiting > 0 && h("a", { class: "chip warm", href: "#/queue", id: "waiting" }, this.say("waitingN", { n: waiting })) || "",
      h("a", { class: "chip", href: "#/settings", id: "who" }, `${this.say("operator")}：${this.operatorName()}`));
  }

  operatorName() {
    const listed = this.till.facts ? this.till.facts.operators.items : [];
    const found = listed.find((one) => one.code === this.till.operator);
    return found ? found.label : this.till.operator || this.say("operatorNone");
  }

  // --- the course of things -----------------------------------------------------------------------------------

  go(route) {
    if (location.hash === `#${route}`) this.render();
    else location.hash = `#${route}`;
  }

  async render() {
    const [name, ...rest] = location.hash.replace(/^#\/?/, "").split("/");
    tabs.querySelectorAll("a").forEach((tab) => {
      if (tab.hash === `#/${name}`) tab.setAttribute("aria-current", "page");
      else tab.removeAttribute("aria-current");
    });
    this.sale.stop();
    main.removeAttribute("aria-busy");
    if (this.draft && this.draft.route !== `/${name}`) this.draft = null;
    if (!this.till.terminal) return this.show(desk.activation(this, null));
    if (this.barred || !this.till.keyed) return this.show(desk.activation(this, this.till.keyed ? "barred" : "keyLost"));
    const act = await this.till.open();
    if (act) return this.unknown(act, new NoAnswer());
    if (ROUTES[name]) return this.show(await ROUTES[name](this, rest));
    this.sale.begin();
    return this.show(this.sale.screen());
  }

  /** What waits goes out by itself; who we are and our key are kept fresh. */
  async tick() {
    if (!this.till.keyed || this.barred) return;
    try {
      await this.till.refresh();
      this.online = true;
      if (this.till.checkInDue) await this.till.checkIn();
      if (await this.till.open()) await this.busy(() => this.settle());
      if (noteBox.textContent === this.say("unreachable")) this.note("");
      if (await this.till.flush() && location.hash === "#/queue") await this.render();
    } catch (error) {
      if (error instanceof NoAnswer) this.online = false;
      else if (keyRefused(error)) await this.failed(error);
      else if (error instanceof Refused) this.note(error.sentence);
      else if (error instanceof DOMException) this.note(this.say("storageFull"));
      else throw error;
    }
    await this.head();
  }

  async begin() {
    root.dataset.size = (await this.shelf.read("size")) || "normal";
    this.muted = (await this.shelf.read("muted")) === true;
    const known = await this.till.start();
    await this.head();
    if (known && this.till.keyed && await this.till.open()) {
      this.show(h("p", { class: "quiet" }, this.say("settling")));
      await this.busy(async () => {
        await this.settle();
        this.note(this.say("resumed"));
      });
    } else await this.render();
    window.addEventListener("hashchange", () => {
      if (location.hash === "#main") return;
      this.note(this.carried);
      this.carried = "";
      this.render();
    });
    window.addEventListener("online", () => this.tick());
    window.addEventListener("offline", () => {
      this.online = false;
      this.head();
    });
    // A link to the screen that is shown already begins it anew.
    document.addEventListener("click", (event) => {
      const link = /** @type {HTMLAnchorElement | null} */ (/** @type {Element} */ (event.target).closest("a[href^='#/']"));
      if (link && link.hash === (location.hash || "#/")) this.render();
    });
    document.addEventListener("keydown", (event) => this.key(event));
    setInterval(() => this.tick(), TICK_MS);
    await this.tick();
    root.dataset.ready = "true";
  }

  /** A scan is taken wherever the focus is; in a field that is typed into, the scanner types like anybody. */
  key(event) {
    const field = event.target.matches("input, select, textarea");
    if (field && event.target.id !== "voucher") return;
    const scanned = this.wedge.feed(event.key, event.code, event.timeStamp);
    if (scanned !== null && this.till.keyed && !this.barred) {
      event.preventDefault();
      this.busy(() => this.sale.scanned(scanned, !field));
    } else if (!field) this.sale.key(event, this.wedge.length);
  }
}

/** The page and its files, kept for days without a line. */
async function keepFiles() {
  if (!("serviceWorker" in navigator)) return;
  // Where the worker was there before the page, all of it came through the worker and is kept already.
  const worked = Boolean(navigator.serviceWorker.controller);
  await navigator.serviceWorker.register("/pos/worker.js", { scope: "/pos" });
  await navigator.serviceWorker.ready;
  if (!worked) {
    const files = performance.getEntriesByType("resource").map((one) => one.name).filter((name) => name.includes("/console/static/"));
    await Promise.all([location.pathname].concat(files).map((file) => fetch(file).catch(() => null)));
  }
  root.dataset.kept = "true";
}

async function begin() {
  const language = root.lang === "en" ? "en" : "zh";
  const stop = (key) => main.replaceChildren(h("p", { class: "note", role: "alert" }, say(language, key)));
  if (!window.isSecureContext || !window.crypto || !crypto.subtle) return stop("insecure");
  let shelf = null;
  try {
    shelf = await openShelf();
  } catch (error) {
    return stop("noShelf");
  }
  const start = () => new App(shelf).begin();
  keepFiles().catch(() => null);
  if (!navigator.locks) return start();
  // Two windows of one till would count the same numbers: the second waits until the first is closed.
  const late = setTimeout(() => stop("elsewhere"), 1500);
  return navigator.locks.request("hv.pos", () => {
    clearTimeout(late);
    start();
    return new Promise(() => undefined);
  });
}

begin();
