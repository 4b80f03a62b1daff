// The draw: who somebody is, the outcome first, and then its picture.

import { button, gone, h, link, percent, picture, shownTime, t } from "./ui.js";

const REVEAL_MS = 1200;

export async function draw(app) {
  const w = t(app);
  const today = await app.journey.today(app.slug);
  if (!today.identity_verified) return identity(app, () => drawNow(app));
  return [
    h("h1", { tabindex: "-1" }, w("chancesN", { n: today.chances })),
    h("p", { class: "quiet" }, w("drawsLeft", { n: today.draws_left_today })),
    drawButton(app, w("goDraw"), { class: "primary big drum" }),
    link(w("home"), "/"),
  ];
}

/** One tap: whoever has not said yet who they are does so first. */
export function drawButton(app, label, more) {
  return button(label, () => app.busy(async () => {
    const today = await app.journey.today(app.slug);
    if (today.identity_verified) await drawNow(app);
    else app.go("/draw");
  }), Object.assign({ class: "primary big", id: "draw" }, more || {}));
}

async function drawNow(app) {
  // The outcome is there before anything moves: what follows only shows it.
  const drawn = await app.journey.draw(app.slug);
  const quiet = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  app.announce(app.say(drawn.won ? "won" : "lost"));
  if (!quiet) {
    app.show([h("div", { class: "reveal", "aria-hidden": "true" }, picture("draw"), h("p", {}, app.say("drawing")))]);
    await app.wait(REVEAL_MS);
  }
  app.go(afterDraw(drawn.won ? drawn.award.id : null, drawn.draw_id));
}

/** Where a draw leads, also after a reload. @param {string | null} award @param {string} draw */
export function afterDraw(award, draw) {
  return award ? `/claim/${award}` : `/drawn/${draw}`;
}

/** One that was not drawn: said kindly, and when to try again. */
export async function drawn(app, [id]) {
  const w = t(app);
  const [today, { items }] = await Promise.all([app.journey.today(app.slug), app.journey.draws(app.slug)]);
  const found = items.find((one) => one.draw_id === id);
  if (!found) throw gone(app);
  const can = today.phase !== null && today.chances > 0 && today.draws_left_today > 0;
  return [
    h("div", { class: found.won ? "outcome good" : "outcome" },
      picture(found.won ? "draw" : "heart"),
      h("h1", { tabindex: "-1" }, w(found.won ? "won" : "lost")),
      !found.won && h("p", {}, w("lostText", { odds: percent(found.odds) })),
      !found.won && h("p", {}, whenAgain(app, today))),
    found.won && link(w("goClaim"), "/awards", { class: "button primary big" }),
    can && drawButton(app, w("drawAgain")),
    !found.won && link(w("otherWays"), "/", { class: can ? "button" : "button primary" }),
    link(w("verifyMine"), "/verify", { class: "button plain" }),
  ];
}

function whenAgain(app, today) {
  const w = t(app);
  if (today.phase === null) return today.next_opens_at ? w("nextPhase", { at: shownTime(today.next_opens_at) }) : w("ended");
  if (today.draws_left_today === 0) return w("lostTomorrow");
  return today.chances > 0 ? w("lostMore", { n: today.chances }) : w("lostWays");
}

export function identity(app, then) {
  const w = t(app);
  const name = h("input", { id: "name", name: "name", autocomplete: "name", required: true, maxlength: 50 });
  const number = h("input", { id: "id-number", name: "id-number", inputmode: "text", autocomplete: "off", required: true, maxlength: 18, autocapitalize: "characters" });
  const agree = h("input", { type: "checkbox", id: "agree", required: true });
  let version = "1";
  const consent = h("details", { id: "consent-text" }, h("summary", {}, w("consentDefault")), h("p", { class: "quiet" }, w("identityText")));
  const read = h("a", {
    href: "#consent-text", class: "inline",
    onclick: (event) => {
      event.preventDefault();
      consent.open = true;
      consent.querySelector("summary").focus();
    },
  }, w("consentDefault"));
  app.journey.consentText().then((text) => {
    if (!text) return;
    version = text.version;
    read.textContent = `《${text.title}》`;
    consent.replaceChildren(h("summary", {}, `《${text.title}》`), h("p", { class: "pre" }, text.text));
  }, () => undefined);
  const refused = h("p", { class: "refused-here", id: "identity-refused", role: "alert", hidden: true });
  const bind = (who, digits) => app.busy(() => app.beside(refused, async () => {
    await app.journey.bindIdentity(who, digits, version);
    await then();
  }));
  return [
    h("h1", { tabindex: "-1" }, w("identityTitle")),
    h("p", {}, w("identityText")),
    app.provider === "demo" && button(w("demoIdentity"), () => bind("张示例", exampleNumber(app)), { class: "primary big", id: "example-identity" }),
    h("form", {
      class: "card form",
      onsubmit: (event) => {
        event.preventDefault();
        bind(name.value.trim(), number.value.trim().toUpperCase());
      },
    },
    h("label", { for: "name" }, w("name")), name,
    h("label", { for: "id-number" }, w("idNumber")), number,
    refused,
    h("label", { class: "check" }, agree, h("span", {}, w("agree"), " ", read)), consent,
    h("button", { type: "submit", class: app.provider === "demo" ? "" : "primary" }, w("confirm"))),
  ];
}

const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/** A number of the right form (GB 11643-1999), of nobody: the demonstration's own, the same on this device. */
function exampleNumber(app) {
  const kept = app.journey.kept("hv.demo-number");
  const pick = (place, from, size) => from + (kept.charCodeAt(place) * 7 + kept.charCodeAt(place + 1)) % size;
  const two = (value) => String(value).padStart(2, "0");
  const digits = `53250${pick(0, 1, 9)}${pick(2, 1950, 50)}${two(pick(4, 1, 12))}${two(pick(6, 1, 28))}${String(pick(8, 0, 1000)).padStart(3, "0")}`;
  const sum = WEIGHTS.reduce((all, weight, place) => all + weight * Number(digits[place]), 0);
  return digits + "10X98765432"[sum % 11];
}
