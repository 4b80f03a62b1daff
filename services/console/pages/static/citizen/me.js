// The person's own page: identity, how one is told, what one agreed to, type size, data, leaving.

import { identity } from "./draw.js";
import { button, h, link, shownTime, t } from "./ui.js";

/** What is asked before something that cannot simply be undone. */
function question(app, sentence, yes, act) {
  const w = t(app);
  const box = h("div", { class: "sure", hidden: true, role: "group" },
    h("p", {}, sentence),
    button(yes, act, { class: "danger" }),
    button(w("cancel"), () => box.setAttribute("hidden", ""), { class: "plain" }));
  return box;
}

function ask(box) {
  box.removeAttribute("hidden");
  // On the way out: a key that is pressed once too often must not do what cannot be undone.
  box.querySelector("button.plain").focus();
}

function notices(app, preferences) {
  const w = t(app);
  const { sms } = preferences;
  const done = async (act) => {
    await act();
    await app.render();
    app.note(w("saved"));
  };
  const language = h("select", {
    id: "notice-language",
    onchange: () => app.busy(() => done(() => app.journey.prefer({ language: language.value }))),
  }, [["zh", "中文"], ["en", "English"]].map(([key, name]) => h("option", { value: key, selected: preferences.language === key }, name)));
  return h("section", { class: "card form", id: "notices" },
    h("h2", {}, w("noticeSettings")),
    h("label", { for: "notice-language" }, w("noticeLanguage")), language,
    smsState(app, sms),
    sms.available && sms.enabled && button(w("smsStop"), () => app.busy(() => done(() => app.journey.prefer({ sms: { enabled: false } }))), { class: "plain", id: "sms-stop" }),
    sms.available && !sms.enabled && phoneForm(app, sms, done));
}

function smsState(app, sms) {
  const w = t(app);
  if (!sms.available) return h("p", { class: "quiet" }, w("smsNotOffered"));
  return h("p", { id: "sms-state" }, sms.enabled && sms.phone_masked ? w("smsOn", { phone: sms.phone_masked }) : w("smsOff"));
}

/** First the number, then the code that was sent to it; a wrong code leaves what was typed. */
function phoneForm(app, sms, done) {
  const w = t(app);
  const phone = h("input", { id: "phone", type: "tel", inputmode: "numeric", autocomplete: "tel-national", required: true, maxlength: 20 });
  const refused = h("p", { class: "refused-here", role: "alert", hidden: true });
  const here = (act) => () => app.beside(refused, act);
  const form = (label, field, said, act, primary) => h("form", {
    class: "form",
    onsubmit: (event) => {
      event.preventDefault();
      app.busy(here(act));
    },
  }, h("label", { for: field.id }, label), field, h("button", { type: "submit", class: primary ? "primary" : "plain" }, said));
  const code = h("input", { id: "phone-code", inputmode: "numeric", autocomplete: "one-time-code", pattern: "[0-9]{6}", required: true, maxlength: 6 });
  return [
    sms.pending && form(w("phoneCode", { phone: sms.pending.phone_masked }), code, w("phoneConfirm"), () => done(() => app.journey.confirmPhone(code.value.trim())), true),
    refused,
    form(w("phone"), phone, w("smsStart"), async () => {
      await app.journey.prefer({ sms: { enabled: true, phone: phone.value.trim() } });
      await app.render();
    }, !sms.pending),
  ];
}

function consent(app, consents, text) {
  const w = t(app);
  const given = consents.items.filter((one) => one.action === "given").pop();
  const withdraw = question(app, w("consentWithdrawSure"), w("consentWithdrawYes"), () => app.busy(async () => {
    await app.journey.withdrawConsent();
    await app.render();
  }));
  return h("section", { class: "card column", id: "consent" },
    h("h2", {}, w("consentMine")),
    !given && h("p", { class: "quiet" }, w("consentNone")),
    given && h("p", {}, consents.withdrawn ? w("consentGone") : w("consentGiven", { at: shownTime(given.at), version: given.version })),
    text && h("details", {}, h("summary", {}, `《${text.title}》`), h("p", { class: "pre" }, text.text)),
    given && !consents.withdrawn && button(w("consentWithdraw"), () => ask(withdraw), { class: "plain", id: "withdraw" }),
    given && !consents.withdrawn && withdraw,
    consents.withdrawn && button(w("consentAgain"), () => app.busy(async () => {
      await app.journey.agree(text ? text.kind : "sensitive", text ? text.version : given.version);
      await app.render();
    }), { id: "agree-again" }));
}

export async function me(app) {
  const w = t(app);
  const [today, preferences, consents, text] = await Promise.all([
    app.journey.today(app.slug), app.journey.preferences(), app.journey.consents(), app.journey.consentText(),
  ]);
  const erase = question(app, w("eraseSure"), w("eraseYes"), () => app.busy(async () => {
    await app.journey.client.ask("DELETE", "/issuance/v1/me");
    app.leave(w("erased"));
  }));
  return [
    h("h1", { tabindex: "-1" }, w("me")),
    h("section", { class: "card" },
      h("p", {}, today.identity_verified ? w("identityDone") : w("identityOpen")),
      !today.identity_verified && button(w("identityTitle"), () => app.show(identity(app, () => app.go("/"))))),
    notices(app, preferences),
    consent(app, consents, text),
    h("section", { class: "card column", id: "more" },
      h("button", { type: "button", id: "large", "aria-pressed": String(app.isLarge()), onclick: (event) => event.currentTarget.setAttribute("aria-pressed", String(app.toggleLarge())) }, w("large")),
      h("a", { class: "button", href: `/app?lang=${app.language === "en" ? "zh" : "en"}${location.hash}` }, w("language")),
      link(w("history"), "/history"),
      link(w("verifyMine"), "/verify"),
      button(w("exportMine"), () => app.busy(() => app.download("/issuance/v1/me/export", "my-data.json")), { class: "plain" }),
      button(w("signOut"), () => app.leave(""), { class: "plain" }),
      button(w("erase"), () => ask(erase), { class: "plain danger" }), erase),
  ];
}
