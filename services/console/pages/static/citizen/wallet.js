// The vouchers, and the code for the till.

import { places } from "./places.js";
import { drawing, grouped, h, link, remaining, shownTime, t, tile, yuan } from "./ui.js";

const TICK_MS = 1000;
const AGAIN_MS = 3000;

export async function wallet(app) {
  const w = t(app);
  const vouchers = await app.journey.vouchers();
  const rank = (voucher) => (voucher.status === "issued" ? 0 : 1);
  vouchers.sort((one, other) => rank(one) - rank(other) || (one.valid_until < other.valid_until ? -1 : 1));
  return [
    h("h1", { tabindex: "-1" }, w("wallet")),
    vouchers.length === 0 && h("section", { class: "card call" }, h("p", {}, w("noVouchers")), link(w("home"), "/", { class: "button primary" })),
    h("ul", { class: "vouchers" }, vouchers.map((voucher) => h("li", {},
      h("a", { class: `ticket ${voucher.status}`, href: `#/voucher/${voucher.id}` },
        tile(voucher.voucher_type),
        h("span", { class: "ticket-text" },
          h("b", {}, voucher.name),
          h("span", {}, voucher.status === "redeemed" ? w("usedAt", { at: shownTime(voucher.redeemed_at) }) : w("until", { at: voucher.valid_until.slice(0, 10) }))),
        voucher.face_value_fen && h("b", { class: "worth" }, yuan(voucher.face_value_fen)),
        h("span", { class: "badge" }, w(voucher.status)))))),
  ];
}

export async function voucher(app, [id]) {
  const w = t(app);
  const found = await app.journey.voucher(id);
  const left = remaining(app, found.valid_until, app.platformNow());
  const digits = h("p", { class: "digits", "aria-label": w("codeDigits") }, grouped(found.code));
  const facts = h("section", { class: "card" },
    h("p", {}, w("until", { at: shownTime(found.valid_until) }), found.status === "issued" && left && h("span", { class: "quiet" }, ` · ${w("expiresIn", { left })}`)),
    found.face_value_fen && h("p", {}, `${w("value")} ${yuan(found.face_value_fen)}`),
    found.status === "issued" && h("p", { class: "how" }, found.kind === "general"
      ? w("useGeneral", { value: yuan(found.face_value_fen) }) : w("useDirected")),
    places(app, found.campaign, found.voucher_type));
  const title = h("h1", { tabindex: "-1" }, found.name);
  if (found.status !== "issued") {
    const at = found.redeemed_at ? w("usedAt", { at: shownTime(found.redeemed_at) }) : "";
    return [title, h("p", { class: `state ${found.status}` }, w(found.status), " ", at), digits, facts, link(w("wallet"), "/wallet")];
  }
  const frame = h("div", { class: "code", "aria-live": "off" });
  const count = h("p", { class: "quiet", id: "countdown" });
  let until = 0;
  let asking = false;
  const refresh = async () => {
    asking = true;
    try {
      const code = await app.journey.code(id);
      frame.replaceChildren(drawing(code.svg));
      until = code.until;
    } catch (error) {
      // The old picture would be refused at the till: the digits below are good for as long as the voucher.
      frame.replaceChildren(h("p", { class: "note" }, w("offlineCode")));
      until = app.now() + AGAIN_MS;
    } finally {
      asking = false;
    }
  };
  await refresh();
  const tell = () => {
    const left = Math.ceil((until - app.now()) / 1000);
    count.textContent = w("refreshIn", { n: Math.max(0, left) });
    if (left <= 0 && !asking && !document.hidden) refresh();
  };
  tell();
  app.every(TICK_MS, tell);
  return [title, h("p", { class: "state issued" }, w("showCode")), frame, count, digits, facts, link(w("wallet"), "/wallet")];
}
