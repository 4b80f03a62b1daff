// What a till does beside the sale: activation, reversals, questions, uploads, the day's close, settings.

import { h } from "../citizen/ui.js";
import { NoAnswer } from "./logic/line.js";

const RECENT = 8;
const CLOCK_WRONG_MIN = 5;

export const heading = (text) => h("h1", { tabindex: "-1" }, text);

/** A field with its label. */
export function field(label, id, more) {
  return [h("label", { for: id }, label), h("input", Object.assign({ id, name: id, autocomplete: "off" }, more || {}))];
}

/** @param {string} id */
export const inputOf = (id) => /** @type {HTMLInputElement} */ (document.getElementById(id));

/** @param {string} id */
export const valueOf = (id) => inputOf(id).value.trim();

/** @param {(event: Event) => Promise<any>} act */
export function form(app, act, ...parts) {
  const submit = (event) => {
    event.preventDefault();
    app.busy(act);
  };
  return h("form", { class: "card column", onsubmit: submit }, parts);
}

export function submit(label, id) {
  return h("button", { type: "submit", class: "primary big", id }, label);
}

/** @param {string[]} head @param {any[][]} rows */
function table(head, rows) {
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": head.join(" ") }, h("table", {},
    h("thead", {}, h("tr", {}, head.map((one) => h("th", { scope: "col" }, one)))),
    h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell) => h("td", {}, cell)))))));
}

// --- activation -----------------------------------------------------------------------------------------

/** @param {any} app @param {"barred" | "keyLost" | null} why it must be activated anew */
export function activation(app, why) {
  const w = (key) => app.say(key);
  const act = async () => {
    try {
      await app.till.activate(valueOf("activation"));
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      app.note(w("activateLost"));
      return;
    }
    app.barred = false;
    await app.tick();
    app.go("/");
  };
  const code = form(app, act,
    h("h2", {}, w("activate")),
    h("p", {}, w("activateText")),
    field(w("activationCode"), "activation", { required: true, maxlength: "200", "data-focus": why ? null : "", autocapitalize: "characters", spellcheck: "false" }),
    submit(w("activateDo"), "activate"));
  if (why) {
    return [h("section", { class: "outcome bad short", role: "alert" },
      h("h1", { tabindex: "-1" }, w(why)), h("p", { class: "sentence" }, w(`${why}Text`))), code];
  }
  return [
    h("header", { class: "hero" }, h("p", {}, w("platform")), h("h1", { tabindex: "-1" }, w("welcome"))),
    h("div", { class: "two" }, code,
      h("section", { class: "card column" },
        h("ol", { class: "steps" }, [w("how1"), w("how2"), w("how3")].map((text) => h("li", {}, text))),
        app.demo && h("div", { class: "note column", id: "demo-code" }, h("p", {}, w("demoCode")),
          h("a", { class: "button", href: "/console/institutions", target: "_blank", rel: "noopener" }, w("demoConsole"))),
        h("p", { class: "quiet" }, w("help")),
        language(app))),
  ];
}

function language(app) {
  const other = app.language === "en" ? "zh" : "en";
  return h("a", { class: "button", id: "language", lang: other === "zh" ? "zh-CN" : "en", href: `?lang=${other}${location.hash}` }, app.say("language"));
}

// --- reversals ------------------------------------------------------------------------------------------

export async function undo(app) {
  const w = (key, values) => app.say(key, values);
  const recent = (await app.till.entries()).filter((entry) => entry.status === "redeemed").slice(0, RECENT);
  const choose = (entry) => {
    inputOf("original").value = entry.request_no;
    document.getElementById("reason").focus();
  };
  const reasons = w("reasons").split(",");
  return [
    heading(w("reverseTitle")),
    h("div", { class: "two" },
      form(app, async () => app.done(await app.till.reverse(valueOf("original"), valueOf("reason"))),
        field(w("reverseNumber"), "original", { required: true, maxlength: "32", value: recent.length ? recent[0].request_no : "" }),
        field(w("reason"), "reason", { required: true, maxlength: "200" }),
        h("div", { class: "chips" }, reasons.map((one) => app.button(one, () => { inputOf("reason").value = one; }, { class: "chip" }))),
        submit(w("reverseDo"), "reverse")),
      h("section", { class: "card" }, h("h2", {}, w("lastOne")),
        recent.length ? null : h("p", { class: "quiet" }, w("none")),
        h("ul", { class: "rows" }, recent.map((entry) => h("li", {},
          h("span", {}, h("b", {}, app.till.typeName(entry.voucher_type)), ` ${app.money(entry.applied_fen)}`,
            h("small", {}, `${app.when(entry.at)} · ${entry.request_no}`)),
          app.button(w("choose"), () => choose(entry))))))),
  ];
}

// --- what became of it ------------------------------------------------------------------------------------

export async function look(app) {
  const w = (key) => app.say(key);
  const act = async () => {
    const found = await app.till.find(valueOf("number"));
    const shown = found
      ? app.facts([
        [w("status"), w(found.status)],
        found.voucher_type && [w("type"), app.till.typeName(found.voucher_type)],
        found.applied_fen !== null && [w("applied"), app.money(found.applied_fen)],
        found.redeemed_at && [w("day"), app.when(found.redeemed_at)],
        found.operator && [w("operator"), found.operator],
      ])
      : h("p", { class: "note" }, w("lookNone"));
    document.getElementById("found").replaceChildren(shown);
  };
  const [last] = await app.till.entries();
  return [
    heading(w("look")),
    form(app, act, h("p", {}, w("lookText")),
      field(w("number"), "number", { required: true, maxlength: "32", value: last ? last.request_no : "" }), submit(w("lookDo"), "find")),
    h("section", { id: "found", "aria-live": "polite" }),
    (await app.till.reportable()).length > 0 && h("a", { class: "button", href: "#/report", id: "go-report" }, w("report")),
  ];
}

// --- what waits ---------------------------------------------------------------------------------------------

export async function queue(app) {
  const w = (key, values) => app.say(key, values);
  const [waiting, undoing, results] = [await app.till.waiting(), await app.till.undoing(), await app.till.results()];
  const send = () => app.busy(async () => {
    await app.till.flush();
    app.online = true;
    await app.render();
  });
  const withdraw = (one) => app.busy(async () => {
    await app.till.withdraw(one.item.request_no);
    await app.render();
  });
  return [
    heading(w("queue")),
    h("section", { class: "card column" },
      waiting.length + undoing.length === 0 && h("p", { class: "quiet" }, w("queueNone")),
      h("ul", { class: "rows", id: "queue" },
        undoing.map((act) => h("li", {}, h("span", {}, h("b", {}, w("undo")), h("small", {}, act.body.original_request_no)))),
        waiting.map((one) => h("li", {},
          h("span", {}, h("b", {}, one.item.voucher), one.item.bill_fen === undefined ? "" : ` ${app.money(one.item.bill_fen)}`,
            h("small", {}, `${app.when(one.item.used_at)} · ${one.item.request_no}`)),
          one.sent ? null : app.button(w("withdraw"), () => withdraw(one))))),
      waiting.length + undoing.length > 0 && app.button(w("upload"), send, { class: "primary big", id: "upload" })),
    results.length > 0 && h("section", { class: "card" }, h("h2", {}, w("results")),
      h("ul", { class: "rows", id: "results" }, results.slice(0, 200).map((one) => h("li", { class: one.outcome },
        h("span", {}, h("b", {}, w(one.outcome === "refused" ? "refusedItem" : one.outcome)),
          one.reason ? ` ${app.reason(one.reason)}` : "",
          app.advice(one.outcome === "conflict" ? "conflict" : one.reason || ""),
          h("small", {}, `${app.when(one.used_at)} · ${one.request_no} · ${one.voucher}`)))))),
  ];
}

// --- the day ------------------------------------------------------------------------------------------------

export async function close(app) {
  const w = (key, values) => app.say(key, values);
  const waiting = (await app.till.waiting()).length;
  const act = async () => {
    const told = await app.till.closeDay(valueOf("day"));
    const rows = [
      [w("here"), String(told.ours.count), app.money(told.ours.applied_fen)],
      [w("there"), String(told.server.count), app.money(told.server.applied_fen)],
    ];
    const fen = (amount) => (amount === null ? "–" : app.money(amount));
    const words = { onlyTheirs: w("onlyTheirs"), onlyOurs: w("onlyOurs"), amount: w("amountDiffers") };
    document.getElementById("closed").replaceChildren(
      h("section", { class: `verdict ${told.matched ? "good" : "bad"}`, role: "status" }, h("h2", {}, `${told.matched ? "✓" : "✕"} ${w(told.matched ? "matched" : "differ")}`)),
      table(["", w("count"), w("amount")], rows),
      told.differences.length ? table([w("number"), "", w("here"), w("there")],
        told.differences.map((one) => [one.request_no, words[one.kind], fen(one.ours), fen(one.theirs)])) : "",
      told.operators.length ? table([w("operator"), w("count"), w("amount")],
        told.operators.map((one) => [one.operator || "–", String(one.count), app.money(one.applied_fen)])) : "");
  };
  return [
    heading(w("close")),
    waiting > 0 && h("p", { class: "note" }, w("closeWaiting", { n: waiting })),
    form(app, act, h("p", {}, w("closeText")), field(w("day"), "day", { type: "date", required: true, value: app.till.today }),
      submit(w("closeDo"), "close-day")),
    h("section", { id: "closed", class: "column", "aria-live": "polite" }),
  ];
}

// --- settings -------------------------------------------------------------------------------------------------

function operators(app) {
  const w = (key) => app.say(key);
  const listed = app.till.facts ? app.till.facts.operators.items : [];
  const chosen = async (code) => {
    await app.till.choose(code || null);
    await app.head();
  };
  if (!listed.length) {
    return [h("label", { for: "operator" }, w("operatorFree")),
      h("input", { id: "operator", maxlength: "16", pattern: "[0-9A-Za-z_\\-]*", value: app.till.operator || "", onchange: (event) => { if (event.target.checkValidity()) chosen(event.target.value); } })];
  }
  return [h("label", { for: "operator" }, w("operator")),
    h("select", { id: "operator", onchange: (event) => chosen(event.target.value) },
      h("option", { value: "" }, w("operatorNone")),
      listed.map((one) => h("option", { value: one.code, selected: one.code === app.till.operator }, `${one.label}（${one.code}）`)))];
}

function skewText(app) {
  const seconds = Math.round(-app.line.offset / 1000);
  if (seconds === 0) return app.say("skewNone");
  return app.say("skewN", { way: app.say(seconds > 0 ? "ahead" : "behind"), n: Math.abs(seconds).toLocaleString("en-US") });
}

/** A sentence where this device's clock would be refused if it were believed; a demonstration's is moved. */
export function clockWrong(app) {
  if (app.demo) return "";
  const minutes = Math.round(-app.line.offset / 60000);
  if (Math.abs(minutes) < CLOCK_WRONG_MIN) return "";
  return app.say("clockWrong", { way: app.say(minutes > 0 ? "ahead" : "behind"), n: Math.abs(minutes).toLocaleString("en-US") });
}

export async function settings(app) {
  const w = (key) => app.say(key);
  const own = app.till.facts && app.till.facts.own;
  const root = document.documentElement;
  const toggle = (label, id, on, act) => app.button(`${label}：${on ? w("on") : w("off")}`, () => app.busy(async () => {
    await act();
    await app.render();
  }), { id, "aria-pressed": String(on) });
  const turn = async () => {
    await app.till.checkIn();
    await app.till.refresh();
    await app.render();
    app.note(w("checkedInNow"));
  };
  return [
    heading(w("settings")),
    h("div", { class: "two" },
      h("section", { class: "card column" },
        operators(app),
        toggle(w("sound"), "sound", !app.muted, async () => {
          app.muted = !app.muted;
          await app.shelf.write({ muted: app.muted });
        }),
        toggle(w("large"), "large", root.dataset.size === "large", async () => {
          root.dataset.size = root.dataset.size === "large" ? "normal" : "large";
          await app.shelf.write({ size: root.dataset.size });
        }),
        language(app)),
      h("section", { class: "card column" }, h("h2", {}, w("terminal")),
        app.facts([
          [w("institution"), own ? own.institution.name : app.till.terminal.institution_id],
          own && [w("label"), own.label],
          own && [w("status"), own.status === "paused" ? w("paused") : w("active")],
          [w("terminalId"), app.till.terminal.terminal_id],
          [w("keyKept"), app.till.sealed ? w("keySealed") : w("keyText")],
          [w("skew"), skewText(app)],
          [w("version"), app.version],
        ]),
        clockWrong(app) && h("p", { class: "note" }, clockWrong(app)),
        app.button(w("checkIn"), () => app.busy(turn), { id: "check-in" }),
        h("p", { class: "quiet" }, w("help")),
        retirement(app))),
  ];
}

function retirement(app) {
  const w = (key) => app.say(key);
  const act = async () => {
    const open = (await app.till.waiting()).length + (await app.till.undoing()).length;
    if (open) {
      app.note(w("retireWait"));
      return;
    }
    await app.till.retire();
    window.location.reload();
  };
  return h("details", {}, h("summary", {}, w("retire")), h("p", {}, w("retireSure")),
    app.button(w("retire"), () => app.busy(act), { class: "danger", id: "retire" }));
}
