// One write-off: the code, the bill, the look before it, and the act.

import { h } from "../citizen/ui.js";
import { canScan, scan, trouble } from "./camera.js";
import { inputOf } from "./desk.js";
import { isToken, tidy } from "./logic/codes.js";
import { NoAnswer } from "./logic/line.js";
import { fenOf, press } from "./logic/money.js";

const KEYS = ["7", "8", "9", "4", "5", "6", "1", "2", "3", "00", "0", "."];
const SCANNED_MIN = 2;

export class Sale {
  /** @param {any} app */
  constructor(app) {
    this.app = app;
    this.stopCamera = null;
    this.begin();
  }

  begin() {
    this.voucher = "";
    this.seen = null;
    this.typed = "";
    this.before = "";
    this.active = true;
    /** @type {((digits: string) => Promise<void>) | null} */
    this.digits = null;
  }

  /** Leaves the screen: keys and camera mean nothing any more. */
  stop() {
    this.active = false;
    if (this.stopCamera) this.stopCamera();
    this.stopCamera = null;
  }

  /** @returns {number | null} whole fen */
  get bill() {
    const fen = fenOf(this.typed);
    // A bill of nothing would take a voucher for nothing.
    return fen > 0 ? fen : null;
  }

  // --- the screen -----------------------------------------------------------------------------------------

  screen() {
    const w = (key, values) => this.app.say(key, values);
    return [
      h("h1", { class: "out-of-sight", tabindex: "-1" }, w("sell")),
      h("div", { class: "sale" }, h("div", { class: "left" }, this.stage()), this.pad()),
    ];
  }

  draw() {
    this.app.show(this.screen());
  }

  stage() {
    if (this.seen) return this.confirmation();
    const w = (key) => this.app.say(key);
    return h("form", { class: "card column", onsubmit: (event) => this.submitted(event) },
      h("label", { for: "voucher" }, w("code")),
      h("input", {
        id: "voucher", name: "voucher", autocomplete: "off", autocapitalize: "characters", spellcheck: "false", maxlength: "200",
        value: this.voucher, placeholder: w("codeHint"), "data-focus": "",
      }),
      h("button", { type: "submit", class: "primary big", id: "check" }, w("check")),
      canScan()
        ? this.app.button(w("camera"), () => this.turnCamera(), { id: "camera", "aria-pressed": "false" })
        : h("p", { class: "quiet", id: "no-camera" }, w("cameraNone")),
      h("p", { class: "quiet", id: "camera-hold", hidden: true }, w("cameraHold")),
      h("video", { id: "video", playsinline: true, muted: true, hidden: true, "aria-label": w("camera") }),
      this.app.till.manualTypes.length > 0 && h("a", { class: "quiet-link", href: "#/manual", id: "go-manual" }, w("manualLink")));
  }

  confirmation() {
    const { app, seen, bill } = this;
    const w = (key) => app.say(key);
    const general = seen.kind === "general";
    const asks = general && bill === null;
    return h("section", { class: "card column look" },
      h("h2", {}, app.till.typeName(seen.voucher_type)),
      app.facts([
        [w("holder"), seen.holder_masked || "–"],
        [w("until"), seen.valid_until ? app.when(seen.valid_until) : "–"],
        bill === null ? null : [w("bill"), app.money(bill)],
        [asks ? w("upTo") : w("applied"), app.money(seen.applied_fen)],
        asks ? null : [w("payable"), app.money(general ? bill - seen.applied_fen : 0)],
      ]),
      general && !asks && bill === seen.applied_fen && h("p", { class: "note", id: "bill-all" }, w("billAll")),
      asks
        ? h("p", { class: "note", id: "ask-bill", role: "status" }, w("billAsk"))
        : app.button(w("confirm"), () => app.busy(() => this.redeem()), { class: "primary big", id: "confirm", "data-focus": "" }),
      app.button(w("cancelSale"), () => app.go("/"), { id: "cancel" }));
  }

  pad() {
    const w = (key) => this.app.say(key);
    const keyed = (key, label, more) => this.app.button(label, () => this.pressed(key), Object.assign({ "data-key": key }, more || {}));
    return h("section", { class: "pad", "aria-label": w("bill") },
      h("p", { class: "display" }, h("span", {}, w("bill")), h("output", { id: "bill" }, this.typed ? `¥${this.typed}` : "¥0")),
      h("div", { class: "keys" }, KEYS.map((key) => keyed(key, key)),
        keyed("clear", w("clear")), keyed("back", "⌫", { "aria-label": w("back") }),
        this.app.button(w("ok"), () => this.app.busy(() => this.billGiven()), { class: "primary", id: "bill-ok" })));
  }

  pressed(key) {
    this.typed = press(this.typed, key);
    const shown = document.getElementById("bill");
    if (shown) shown.textContent = this.typed ? `¥${this.typed}` : "¥0";
    // What was looked at was for another bill.
    if (this.seen && this.seen.kind === "general" && this.seen.bill !== this.bill) {
      const confirm = /** @type {HTMLButtonElement | null} */ (document.getElementById("confirm"));
      if (confirm) confirm.disabled = true;
    }
  }

  /** Digits typed anywhere go to the bill; those that turn out to be a scanner's are taken back. */
  key(event, burst) {
    if (!this.active || event.ctrlKey || event.altKey || event.metaKey || this.digits) return;
    if (burst < SCANNED_MIN) this.before = this.typed;
    if (/^[0-9.]$/.test(event.key)) this.pressed(event.key);
    else if (event.key === "Backspace") this.pressed("back");
    else if (event.key === "Enter" && this.seen && this.seen.bill !== this.bill) {
      event.preventDefault();
      this.app.busy(() => this.billGiven());
    }
  }

  async turnCamera() {
    const { app } = this;
    const video = /** @type {HTMLVideoElement} */ (document.getElementById("video"));
    const turned = (on) => {
      const button = document.getElementById("camera");
      if (!button) return;
      button.setAttribute("aria-pressed", String(on));
      button.textContent = app.say(on ? "cameraStop" : "camera");
      video.hidden = !on;
      document.getElementById("camera-hold").hidden = !on;
    };
    if (this.stopCamera) {
      this.stopCamera();
      this.stopCamera = null;
      turned(false);
      return;
    }
    turned(true);
    try {
      this.stopCamera = await scan(video, (text) => app.busy(() => this.scanned(text)));
    } catch (error) {
      turned(false);
      app.note(app.say(trouble(error)));
    }
  }

  // --- its course -------------------------------------------------------------------------------------------

  submitted(event) {
    event.preventDefault();
    const typed = tidy(inputOf("voucher").value);
    if (typed) this.app.busy(() => this.look(typed));
  }

  /**
   * @param {string} text by scanner or camera, from any screen
   * @param {boolean} [keyed] by keys that also went to the bill
   */
  async scanned(text, keyed) {
    const voucher = tidy(text);
    if (await this.app.till.open()) return;
    if (this.digits) {
      await this.digits(voucher);
      return;
    }
    const here = this.active;
    if (!here) this.begin();
    else if (keyed) this.typed = this.before;
    if (location.hash !== "#/" && location.hash !== "") history.replaceState(null, "", "#/");
    await this.look(voucher);
  }

  async billGiven() {
    if (this.seen) await this.look(this.voucher);
    else {
      const field = inputOf("voucher");
      if (field && tidy(field.value)) await this.look(tidy(field.value));
      else if (field) field.focus();
    }
  }

  /** Looks before anything is written off. @param {string} voucher */
  async look(voucher) {
    const { app } = this;
    if (this.stopCamera) this.stopCamera();
    this.voucher = voucher;
    const { facts, operator } = app.till;
    if (facts && facts.operators.required && !operator) {
      app.carried = app.say("operatorMust");
      app.go("/settings");
      return;
    }
    let seen = null;
    try {
      seen = await app.till.verify(voucher, this.bill);
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      app.online = false;
      await this.offline(voucher);
      return;
    }
    app.online = true;
    if (!seen.redeemable) {
      app.outcome("bad", app.say("bad"), h("p", { class: "sentence" }, app.reason(seen.reason)), app.advice(seen.reason),
        seen.voucher_type && app.facts([[app.say("type"), app.till.typeName(seen.voucher_type)]]), app.next());
      return;
    }
    this.seen = Object.assign({ bill: this.bill }, seen);
    this.active = true;
    this.draw();
  }

  async redeem() {
    this.app.done(await this.app.till.redeem(this.voucher, this.bill));
  }

  // --- without a line -----------------------------------------------------------------------------------------

  /** @param {string} voucher */
  async offline(voucher) {
    const { app } = this;
    if (isToken(voucher)) {
      this.askDigits((digits) => this.offline(digits));
      return;
    }
    const left = await app.till.left();
    const rules = app.till.facts && app.till.facts.own.offline;
    const fens = rules ? rules.days.map((one) => one.fen_per_day) : [];
    const fen = fens.length && fens.every((one) => one !== null) ? Math.max(...fens) : null;
    const take = () => app.busy(async () => {
      const item = await app.till.takeOffline(voucher, this.bill);
      app.outcome("unknown", app.say("offlineTaken"), app.facts([[app.say("number"), item.request_no]]), app.next());
    });
    app.outcome("unknown", app.say("offlineTitle"),
      h("p", { class: "sentence" }, app.say(left === 0 ? "offlineFull" : "offlineText")),
      app.facts([
        [app.say("code"), voucher],
        this.bill === null ? null : [app.say("bill"), app.money(this.bill)],
      ]),
      left !== null && left > 0 && h("p", { class: "quiet" }, app.say("offlineLeft", { n: left })),
      fen !== null && h("p", { class: "quiet" }, app.say("offlineFen", { fen: app.money(fen) })),
      rules && h("p", { class: "quiet" }, app.say("offlineLate", { n: rules.late_hours })),
      this.bill === null && h("p", { class: "quiet" }, app.reason("bill_fen_required")),
      app.button(app.say("check"), () => app.busy(() => this.look(voucher)), { class: "primary big", id: "look-again", "data-focus": "" }),
      left !== 0 && app.button(app.say("offlineTake"), take, { id: "take-offline" }),
      app.button(app.say("cancelSale"), () => app.go("/"), { id: "cancel" }));
  }

  /** The text behind a QR does not wait; the digits below it do. @param {(digits: string) => Promise<void>} then */
  askDigits(then) {
    const { app } = this;
    app.outcome("unknown", app.say("offlineTitle"),
      h("form", {
        class: "column",
        onsubmit: (event) => {
          event.preventDefault();
          const digits = tidy(inputOf("digits").value);
          if (digits && !isToken(digits)) app.busy(() => this.given(digits));
        },
      },
      h("label", { for: "digits", class: "sentence" }, app.say("offlineDigits")),
      h("input", { id: "digits", autocomplete: "off", maxlength: "40", "data-focus": "" }),
      h("button", { type: "submit", class: "primary big" }, app.say("ok"))),
      app.button(app.say("cancelSale"), () => app.go("/"), { id: "cancel" }));
    this.digits = then;
  }

  async given(digits) {
    const then = this.digits;
    this.digits = null;
    await then(digits);
  }

  /** Lets an act of unknown outcome wait for the line. @param {any} act */
  async keep(act) {
    if (act.kind === "redeem" && isToken(act.body.voucher)) {
      this.askDigits((digits) => this.kept(digits, act));
      return;
    }
    await this.kept(null, act);
  }

  async kept(digits, act) {
    const { app } = this;
    await app.till.keep(digits);
    app.outcome("unknown", app.say(act.kind === "redeem" ? "offlineTaken" : "keepUndo"),
      app.facts([[app.say("number"), act.body.request_no]]), app.next());
  }
}
