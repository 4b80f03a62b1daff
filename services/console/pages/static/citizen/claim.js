// What was won: the types with their pictures, what is left of them, and where they are used.

import { Refused } from "./logic/client.js";
import { places } from "./places.js";
import { button, gone, h, link, remaining, shownTime, t, tile, yuan } from "./ui.js";
import { wallet } from "./wallet.js";

export async function awards(app) {
  const w = t(app);
  const open = (await app.journey.awards(app.slug)).filter((award) => award.state === "open");
  if (open.length === 1 && !open[0].on_hold) return claim(app, [open[0].id]);
  return [
    h("h1", { tabindex: "-1" }, w("awardsN", { n: open.length })),
    open.map((award) => h("section", { class: "card" },
      h("p", {}, w("wonText", { at: shownTime(award.expires_at) })),
      award.note ? h("p", { class: "note" }, award.note) : link(w("goClaim"), `/claim/${award.id}`, { class: "button primary" }))),
    link(w("home"), "/"),
  ];
}

export async function claim(app, [id]) {
  const w = t(app);
  const [campaign, held] = await Promise.all([app.journey.campaign(app.slug), app.journey.awards(app.slug)]);
  const award = held.find((one) => one.id === id);
  if (!award) throw gone(app);
  if (award.state === "claimed") return wallet(app);
  if (award.state !== "open") throw new Refused(409, { code: "award_expired", detail: w("awardOver") });
  const phase = campaign.phases.find((one) => one.seq === award.phase);
  return [
    h("div", { class: "outcome good" },
      h("h1", { tabindex: "-1" }, w("won")),
      h("p", {}, award.on_hold ? award.note : w("wonText", { at: shownTime(award.expires_at) })),
      !award.on_hold && h("p", { class: "quiet" }, w("timeToClaim", { left: remaining(app, award.expires_at, app.platformNow()) }))),
    !award.on_hold && h("h2", {}, w("choose")),
    !award.on_hold && h("ul", { class: "choices" }, campaign.voucher_types.map((type) => choice(app, award, phase, type))),
    link(w("home"), "/"),
  ];
}

function choice(app, award, phase, type) {
  const w = t(app);
  const left = phase.stock_claimable[type.key] || 0;
  const item = h("li", { class: left > 0 ? "card choice" : "card choice over", "data-type": type.key });
  const worth = type.face_value_fen || type.settlement_price_fen;
  const sure = h("div", { class: "sure", hidden: true, role: "group" },
    h("p", {}, w("claimSure", { name: type.name })),
    button(w("sure"), () => app.busy(async () => {
      const voucher = await app.journey.claim(award.id, type.key);
      app.note(w("claimed"));
      app.go(`/voucher/${voucher.id}`);
    }), { class: "primary big" }),
    button(w("cancel"), () => sure.setAttribute("hidden", ""), { class: "plain" }));
  item.append(
    tile(type.key),
    h("div", { class: "choice-text" },
      h("h3", {}, type.name),
      type.covers && h("p", {}, type.covers),
      h("p", { class: "quiet" },
        worth ? `${w(type.kind === "general" ? "value" : "valueUpTo")} ${yuan(worth)} · ` : "",
        w("days", { n: type.validity_days })),
      h("p", { class: "left" }, left > 0 ? w("left", { n: left.toLocaleString() })
        : phase.next_release_at && phase.stock_remaining[type.key] > 0 ? w("comesAgain", { at: shownTime(phase.next_release_at) }) : w("goneNow"))),
    left > 0 && button(w("claim"), () => {
      sure.removeAttribute("hidden");
      sure.querySelector("button").focus();
    }),
    places(app, app.slug, type.key),
    sure);
  return item;
}
