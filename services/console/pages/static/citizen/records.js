// What was: messages, draws, taking part; and checking one's own draws.

import { button, h, link, shownTime, t } from "./ui.js";

/**
 * A list that grows by a piece at a time; after a piece is added, its first line has the focus.
 * @param {any} app
 * @param {string} title
 * @param {{items: any[], next_cursor: string | null}} first
 * @param {(cursor: string) => Promise<{items: any[], next_cursor: string | null}>} following
 * @param {(item: any) => any} line
 */
function pieces(app, title, first, following, line) {
  const list = h("ul", { class: "places-list" });
  const more = button(app.say("more"), () => app.busy(async () => add(await following(more.dataset.cursor), true)), { class: "plain more" });
  const add = (piece, focus) => {
    const lines = piece.items.map(line);
    list.append(...lines);
    more.hidden = piece.next_cursor === null;
    more.dataset.cursor = piece.next_cursor || "";
    if (focus && lines.length) {
      lines[0].tabIndex = -1;
      lines[0].focus();
    }
  };
  add(first, false);
  return h("section", { class: "card" }, h("h2", {}, title),
    first.items.length ? [list, more] : h("p", { class: "quiet" }, app.say("none")));
}

export async function history(app) {
  const w = t(app);
  const [inbox, activities, draws] = await Promise.all([
    app.journey.notices(), app.journey.activities(), app.journey.draws(app.slug),
  ]);
  app.unread(inbox.unread);
  const named = (key) => (app.campaign.channels.find((channel) => channel.key === key) || { name: key }).name;
  const readAll = inbox.unread > 0 && button(w("readAll"), () => app.busy(async () => {
    app.unread((await app.journey.read(inbox.items[0].id)).unread);
    app.render();
  }), { class: "plain", id: "read-all" });
  return [
    h("h1", { tabindex: "-1" }, w("history")),
    readAll && h("p", { class: "note" }, w("unreadN", { n: inbox.unread })),
    readAll,
    pieces(app, w("notices"), inbox, (cursor) => app.journey.notices({ cursor }), (notice) =>
      h("li", { class: notice.read ? "" : "unread" },
        h("b", {}, notice.title, !notice.read && h("span", { class: "badge" }, w("unread"))),
        h("span", {}, notice.text), h("span", { class: "quiet" }, shownTime(notice.at)))),
    pieces(app, w("drawsTitle"), draws, (cursor) => app.journey.draws(app.slug, { cursor }), (drawn) =>
      h("li", {}, h("b", {}, w(drawn.won ? "won" : "lost")), h("span", { class: "quiet" }, `${named(drawn.channel)} · ${shownTime(drawn.drawn_at)}`))),
    link(w("verifyMine"), "/verify"),
    pieces(app, w("participation"), activities, (cursor) => app.journey.activities({ cursor }), (activity) =>
      h("li", {}, h("b", {}, `${named(activity.channel)} · ${w(activity.status)}`),
        activity.note && h("span", {}, activity.note), h("span", { class: "quiet" }, shownTime(activity.submitted_at)))),
  ];
}

export async function verify(app) {
  const w = t(app);
  const { judge } = await import("./check.js");
  const [{ items: draws }, audit] = await Promise.all([app.journey.draws(app.slug, { limit: 200 }), app.journey.client.get(`/issuance/v1/campaigns/${app.slug}/draw-audit`)]);
  const phases = Object.assign({}, ...audit.phases.map((phase) => ({ [phase.seq]: phase })));
  const items = draws.map((drawn) => {
    const verdict = judge(app.slug, drawn, phases[drawn.phase]);
    const key = { later: "verifyLater", sound: "verifyGood", broken: "verifyBad" }[verdict];
    return h("li", { class: verdict },
      h("b", {}, `${w(drawn.won ? "won" : "lost")} · ${shownTime(drawn.drawn_at)}`),
      h("span", {}, w(key)),
      h("code", {}, drawn.value));
  });
  return [
    h("h1", { tabindex: "-1" }, w("verifyMine")),
    h("p", {}, w("verifyText")),
    h("ul", { class: "places-list card" }, items.length ? items : h("li", {}, w("noDraws"))),
    h("a", { class: "button", href: `/verify?campaign=${app.slug}` }, w("verifyAll")),
  ];
}
