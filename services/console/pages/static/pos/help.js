// What a till does for special cases: writing off by id number, and results of services for the health code.

import { h } from "../citizen/ui.js";
import { field, form, heading, inputOf, submit, valueOf } from "./desk.js";
import { momentOf } from "./logic/day.js";
import { fenOf } from "./logic/money.js";

const KINDS = ["nucleic_acid_test", "antibody_test", "other"];
const RESULTS = ["negative", "positive"];
const MINUTE = 16;

/**
 * A form that stands as it was typed when it was refused, until it went through. Kept with the page only.
 * @param {any} app @param {string} route @param {string[]} ids @param {() => Promise<any>} act
 */
function mendable(app, route, ids, act) {
  return async () => {
    app.draft = { route, values: ids.map((id) => [id, inputOf(id).value]) };
    await act();
    app.draft = null;
  };
}

/** Fills a form that is shown again. */
function restore(app, route, parts) {
  if (!app.draft || app.draft.route !== route) return parts;
  const box = h("div", {}, parts);
  app.draft.values.forEach(([id, value]) => {
    const found = box.querySelector(`#${id}`);
    found.value = value;
    found.dispatchEvent(new Event("change"));
  });
  return Array.from(box.children);
}

// --- by id number -----------------------------------------------------------------------------------------

export async function manual(app) {
  const w = (key) => app.say(key);
  const types = app.till.manualTypes;
  if (!types.length) return [heading(w("manual")), h("p", { class: "note" }, w("manualNone")), back(app)];
  const bill = h("div", { class: "column", id: "manual-bill" },
    field(w("billNeeded"), "manual-bill-yuan", { inputmode: "decimal", pattern: "[0-9]+([.][0-9]{1,2})?", maxlength: "12" }));
  const select = h("select", { id: "manual-type" }, types.map((one) => h("option", { value: one.key }, one.name)));
  const general = () => types.find((one) => one.key === select.value).kind === "general";
  const chosen = () => {
    bill.hidden = !general();
    bill.querySelector("input").required = general();
  };
  select.addEventListener("change", chosen);
  chosen();
  const reasons = w("manualReasons").split(",");
  const act = mendable(app, "/manual", ["id-number", "manual-type", "manual-bill-yuan", "manual-reason"], async () => {
    const fen = general() ? fenOf(valueOf("manual-bill-yuan")) : null;
    app.done(await app.till.redeemManually({
      idNumber: valueOf("id-number").toUpperCase(), type: select.value, reason: valueOf("manual-reason"), bill: fen,
    }));
  });
  return restore(app, "/manual", [
    heading(w("manual")),
    form(app, act, h("p", {}, w("manualText")),
      field(w("idNumber"), "id-number", { required: true, maxlength: "18", autocapitalize: "characters", spellcheck: "false", "data-focus": "" }),
      h("label", { for: "manual-type" }, w("type")), select, bill,
      field(w("manualReason"), "manual-reason", { required: true, maxlength: "200", value: reasons[0] }),
      h("div", { class: "chips" }, reasons.map((one) => app.button(one, () => { inputOf("manual-reason").value = one; }, { class: "chip" }))),
      submit(w("manualDo"), "manual-do")),
    back(app),
  ]);
}

function back(app) {
  return h("a", { class: "button", href: "#/" }, app.say("return"));
}

// --- results of services ------------------------------------------------------------------------------------

/** @param {any} app @param {string[]} route the id of a write-off, where one was just made */
export async function report(app, [wanted]) {
  const w = (key) => app.say(key);
  const entries = await app.till.reportable();
  if (!entries.length) return [heading(w("report")), h("p", { class: "note" }, w("reportNone")), back(app)];
  const choose = (id, keys, prefix) => h("select", { id }, keys.map((key) => h("option", { value: key }, w(`${prefix}_${key}`))));
  const which = h("select", { id: "report-which" }, entries.map((one) =>
    h("option", { value: one.id, selected: one.id === wanted }, `${app.till.typeName(one.voucher_type)} · ${app.when(one.at)} · ${one.request_no}`)));
  const act = mendable(app, "/report", ["report-kind", "report-no", "report-result", "report-at"], async () => app.done(await app.till.report(which.value, {
    kind: inputOf("report-kind").value, report_no: valueOf("report-no"), result: inputOf("report-result").value,
    performed_at: `${valueOf("report-at")}:00+08:00`,
  })));
  return restore(app, "/report", [
    heading(w("report")),
    form(app, act, h("p", {}, w("reportText")),
      h("label", { for: "report-which" }, w("reportWhich")), which,
      h("label", { for: "report-kind" }, w("reportKind")), choose("report-kind", KINDS, "kind"),
      field(w("reportNo"), "report-no", { required: true, maxlength: "64", "data-focus": "" }),
      h("label", { for: "report-result" }, w("reportResult")), choose("report-result", RESULTS, "result"),
      field(w("reportAt"), "report-at", { type: "datetime-local", required: true, value: momentOf(app.line.now()).slice(0, MINUTE) }),
      submit(w("reportDo"), "report-do")),
    back(app),
  ]);
}
