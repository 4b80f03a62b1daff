// The way in, and what can be done today.

import { isAssumed } from "./logic/journey.js";
import { drawButton } from "./draw.js";
import { startQuiz } from "./quiz.js";
import { button, h, link, percent, picture, remaining, shownTime, t, tile, yuan } from "./ui.js";

const OWN_WAYS = ["quiz", "share", "lead", "event", "fitness"];

function openPhase(campaign) {
  return campaign.phases.find((phase) => phase.state === "open") || null;
}

/** What a way is called in a word; the campaign's own name says the rest. */
export function wayTitle(app, channel, name) {
  return OWN_WAYS.includes(channel) ? app.say(`way_${channel}`) : name;
}

/** The first that is seen: whose campaign it is, and how long it lasts. */
function hero(app, campaign, ...more) {
  const w = t(app);
  const phase = campaign && openPhase(campaign);
  const left = phase ? remaining(app, phase.closes_at, app.platformNow()) : "";
  return h("header", { class: "hero" },
    h("p", { class: "hero-name" }, w("platform")),
    h("h1", { tabindex: "-1" }, campaign ? campaign.title : w("title")),
    h("p", { class: "slogan" }, (campaign && campaign.slogan) || w("welcome")),
    phase && h("p", { class: "hero-phase" }, h("b", {}, w("phaseOpen", { n: phase.seq })), left && h("span", {}, w("phaseEnds", { left }))),
    more);
}

/** @param {string[][]} pairs figure and what it counts */
function figures(pairs) {
  return h("dl", { class: "figures" }, pairs.map(([figure, words]) => h("div", {}, h("dt", {}, words), h("dd", {}, figure))));
}

// --- the way in ---------------------------------------------------------------------------------------

export async function welcome(app) {
  const w = t(app);
  const { campaign, provider } = app;
  const phase = campaign && openPhase(campaign);
  const all = phase ? Object.keys(phase.stock_remaining).reduce((sum, key) => sum + phase.stock_remaining[key], 0) : null;
  return [
    hero(app, campaign,
      provider
        ? button(provider === "demo" ? w("signInDemo") : w("signInAgain"), () => app.busy(() => app.signIn()), { class: "primary big light" })
        : h("p", { class: "note" }, w("signInElsewhere"))),
    campaign && figures([
      [String(campaign.channels.length), w("waysCount")],
      [String(campaign.voucher_types.length), w("typesCount")],
      all === null ? null : [all.toLocaleString(), w("leftCount")],
    ].filter(Boolean)),
    h("section", { class: "card" },
      h("h2", {}, w("how")),
      h("ol", { class: "steps" }, ["quiz", "draw", "voucher", "use"].map((key, place) => h("li", {},
        tile(key), h("span", {}, h("b", {}, w(`step${place + 1}`)), h("span", { class: "quiet" }, w(`how${place + 1}`))))))),
    campaign && h("section", { class: "card" },
      h("h2", {}, w("types")),
      h("ul", { class: "gallery" }, campaign.voucher_types.map((type) => h("li", {}, tile(type.key), h("b", {}, type.name),
        worth(type) && h("span", { class: "quiet" }, worth(type)))))),
    h("a", { class: "button plain", href: `/app?lang=${app.language === "en" ? "zh" : "en"}`, lang: app.language === "en" ? "zh-CN" : "en" }, w("language")),
  ];
}

function worth(type) {
  const fen = type.face_value_fen || type.settlement_price_fen;
  return fen ? yuan(fen) : "";
}

// --- today --------------------------------------------------------------------------------------------

export async function home(app) {
  const w = t(app);
  const [campaign, today] = await Promise.all([app.journey.campaign(app.slug), app.journey.today(app.slug)]);
  app.campaign = campaign;
  app.heard(today.as_of);
  return [
    hero(app, campaign, today.phase !== null && figures([
      [String(today.chances), w("chancesNow")],
      [String(today.draws_left_today), w("drawsNow")],
      [String(today.vouchers_left), w("vouchersNow")],
    ])),
    campaigns(app),
    notes(app, today),
    today.awards_open > 0 && h("section", { class: "card call won" },
      h("h2", {}, w("awardsN", { n: today.awards_open })), link(w("goClaim"), "/awards", { class: "button primary" })),
    today.open_attempt && h("section", { class: "card call" },
      h("p", {}, w("goOnText")), link(w("goOn"), `/quiz/${today.open_attempt}`, { class: "button primary" })),
    today.chances > 0 && h("section", { class: "card call" },
      h("h2", {}, w("chancesN", { n: today.chances })),
      h("p", { class: "quiet" }, today.phase === null ? w("noPhase") : w("drawsLeft", { n: today.draws_left_today })),
      today.phase !== null && (today.draws_left_today > 0
        ? drawButton(app, w("goDraw"))
        : h("p", {}, w("lostTomorrow")))),
    h("section", { class: "card" },
      h("h2", {}, w("today")),
      h("ul", { class: "ways" }, today.ways.map((way) => wayItem(app, way, today, campaign)))),
    stock(app, campaign),
  ];
}

function campaigns(app) {
  if (app.all.length < 2) return null;
  return h("nav", { class: "chips", "aria-label": app.say("title") }, app.all.map((one) =>
    h("button", { type: "button", "aria-pressed": String(one.slug === app.slug), onclick: () => app.choose(one.slug) }, one.title)));
}

function notes(app, today) {
  const w = t(app);
  const found = [];
  if (today.excluded) found.push(h("p", { class: "note" }, `${w("excluded")}${today.excluded_note || ""}`));
  if (today.consent_withdrawn) found.push(h("p", { class: "note" }, w("consentWithdrawn"), " ", link(w("consentMine"), "/me", { class: "inline" })));
  if (today.phase === null) {
    const sentence = today.next_opens_at ? w("nextPhase", { at: shownTime(today.next_opens_at) }) : w("ended");
    found.push(h("p", { class: "note" }, w("noPhase"), app.language === "en" ? ". " : "。", sentence));
  }
  return found;
}

/** What a way earns, and what is left of it today. */
export function earnings(app, way, today) {
  const w = t(app);
  const left = way.left_today;
  const state = left === null ? w("leftFree") : left > 0 ? w("leftN", { n: left }) : w("leftNone");
  return [
    h("p", { class: "earns" }, w(way.review ? "earnsReview" : "earns", { n: way.chances })),
    h("p", { class: "quiet" }, today.phase === null ? w("noPhase") : state),
  ];
}

export function isOpen(way, today) {
  return today.phase !== null && !today.excluded && (way.left_today === null || way.left_today > 0);
}

function wayItem(app, way, today, campaign) {
  const w = t(app);
  const open = isOpen(way, today);
  const title = wayTitle(app, way.channel, way.name);
  const phase = openPhase(campaign);
  const about = way.channel === "quiz" && phase
    ? w("quizAbout", { n: phase.quiz.questions, minutes: Math.round(phase.quiz.time_limit_seconds / 60), pass: phase.quiz.pass_score }) : way.name;
  return h("li", { class: open ? "way" : "way over" },
    tile(way.channel),
    h("div", { class: "way-text" },
      h("h3", {}, title),
      about !== title && h("p", { class: "quiet" }, about),
      earnings(app, way, today)),
    open && (way.channel === "quiz"
      ? button("›", () => app.busy(() => startQuiz(app)), { "aria-label": w("goQuiz"), class: "go", id: "start-quiz" })
      : h("a", { class: "go", href: `#/way/${way.channel}`, "aria-label": title }, "›")));
}

function stock(app, campaign) {
  const w = t(app);
  const phase = openPhase(campaign);
  if (!phase) return null;
  const at = `phases.${phase.seq}`;
  const guess = (path) => isAssumed(campaign, path) && h("span", { class: "badge assumed" }, w("assumed"));
  const any = ["odds", "stock"].some((part) => (campaign.assumed || []).some((one) => one === at || one.startsWith(`${at}.${part}`)));
  return h("section", { class: "card" },
    h("h2", {}, w("stock")),
    h("ul", { class: "types" },
      campaign.voucher_types.map((type) => h("li", {},
        picture(type.key), h("span", {}, type.name),
        guess(`${at}.stock.${type.key}`),
        h("b", {}, (phase.stock_remaining[type.key] || 0).toLocaleString()))),
      h("li", { class: "odds" }, h("span", {}, w("odds")), guess(`${at}.odds`), h("b", {}, percent(phase.odds)))),
    any && h("p", { class: "quiet small" }, w("assumedText")));
}
