// The screens. Each is a function of the app that returns what stands in <main>; what it does goes through
// the journey, and what goes wrong is shown in one place (app.js).

import { Refused } from "./logic/client.js";
import { isAssumed } from "./logic/journey.js";
import { button, clock, drawing, grouped, h, link, percent, picture, shownTime, t, yuan } from "./ui.js";

const REVEAL_MS = 1200;
const LATE_MS = 1000;
const CHOSEN_MS = 180;
const TOLD_AT = [[60, "lastMinute"], [10, "lastSeconds"]];

function openPhase(campaign) {
  return campaign.phases.find((phase) => phase.state === "open") || null;
}

// --- the way in ---------------------------------------------------------------------------------------

export async function welcome(app) {
  const w = t(app);
  const campaign = app.campaign;
  const provider = app.provider;
  return [
    h("h1", { tabindex: "-1" }, campaign ? campaign.title : w("title")),
    h("p", { class: "slogan" }, (campaign && campaign.slogan) || w("welcome")),
    provider
      ? button(provider === "demo" ? w("signInDemo") : w("signInAgain"), () => app.busy(() => app.signIn()), { class: "primary big" })
      : h("p", { class: "note" }, w("signInElsewhere")),
    h("section", { class: "card" },
      h("h2", {}, w("how")),
      h("ol", { class: "steps" }, [w("how1"), w("how2"), w("how3"), w("how4")].map((text) => h("li", {}, text)))),
    campaign && h("section", { class: "card" },
      h("h2", {}, w("types")),
      h("ul", { class: "types" }, campaign.voucher_types.map((type) => h("li", {}, picture(type.key), h("span", {}, type.name))))),
  ];
}

export async function home(app) {
  const w = t(app);
  const [campaign, today] = await Promise.all([app.journey.campaign(app.slug), app.journey.today(app.slug)]);
  app.campaign = campaign;
  app.today = today;
  return [
    h("h1", { tabindex: "-1" }, campaign.title),
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
      h("ul", { class: "ways" }, today.ways.map((way) => wayItem(app, way, today)))),
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
  if (today.consent_withdrawn) found.push(h("p", { class: "note" }, w("consentWithdrawn")));
  if (today.phase === null) {
    const sentence = today.next_opens_at ? w("nextPhase", { at: shownTime(today.next_opens_at) }) : w("ended");
    found.push(h("p", { class: "note" }, w("noPhase"), "。", sentence));
  }
  return found;
}

function wayItem(app, way, today) {
  const w = t(app);
  const left = way.left_today;
  const state = left === null ? w("leftFree") : left > 0 ? w("leftN", { n: left }) : w("leftNone");
  const open = today.phase !== null && !today.excluded && (left === null || left > 0);
  const label = way.channel === "quiz" ? w("goQuiz") : way.name;
  return h("li", { class: open ? "way" : "way over" },
    picture(way.channel),
    h("div", { class: "way-text" },
      h("h3", {}, way.name),
      h("p", {}, w(way.review ? "earnsReview" : "earns", { n: way.chances })),
      h("p", { class: "quiet" }, today.phase === null ? w("noPhase") : state)),
    open && (way.channel === "quiz"
      ? button("›", () => app.busy(() => startQuiz(app)), { "aria-label": label, class: "go", id: "start-quiz" })
      : h("a", { class: "go", href: `#/way/${way.channel}`, "aria-label": label }, "›")));
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

// --- the quiz -----------------------------------------------------------------------------------------

async function startQuiz(app) {
  const attempt = await app.journey.startQuiz(app.slug);
  app.go(`/quiz/${attempt.attempt_id}`);
}

export async function quiz(app, [id]) {
  const attempt = await app.journey.attempt(id);
  if (attempt.state === "answered") return result(app, attempt);
  if (attempt.state === "expired") return over(app);
  const run = { attempt, chosen: attempt.chosen, place: 0, ends: app.now() + attempt.seconds_left * 1000 };
  run.place = Math.max(0, attempt.questions.findIndex((question) => !(run.chosen[question.id] || []).length));
  const box = h("div", { class: "quiz" });
  let before = attempt.seconds_left;
  const tick = app.every(LATE_MS, () => {
    const left = (run.ends - app.now()) / 1000;
    const shown = box.querySelector(".time b");
    if (shown) shown.textContent = clock(left);
    // A clock that is read out every second drowns the question.
    TOLD_AT.forEach(([seconds, words]) => {
      if (before > seconds && left <= seconds) app.announce(app.say(words));
    });
    before = left;
    if (left <= 0) {
      tick.stop();
      app.show(over(app));
    }
  });
  ask(app, run, box);
  return [box];
}

function over(app) {
  return [
    h("h1", { tabindex: "-1" }, app.say("timeUp")),
    button(app.say("tryQuiz"), () => app.busy(() => startQuiz(app))),
    link(app.say("home"), "/"),
  ];
}

function head(app, run, title) {
  const left = (run.ends - app.now()) / 1000;
  const of = run.attempt.questions.length;
  return [
    h("div", { class: "quiz-head" },
      h("progress", { max: of, value: Math.min(of, run.place), "aria-label": title }),
      h("p", { class: "time", role: "timer" }, `${app.say("timeLeft")} `, h("b", {}, clock(left)))),
    h("h1", { tabindex: "-1", class: "count" }, title),
  ];
}

function ask(app, run, box) {
  const w = t(app);
  const { questions } = run.attempt;
  if (run.place >= questions.length) return check(app, run, box);
  const question = questions[run.place];
  const chosen = new Set(run.chosen[question.id] || []);
  const move = (place) => {
    run.place = place;
    ask(app, run, box);
  };
  const keep = async () => {
    run.chosen = Object.assign({}, run.chosen, { [question.id]: Array.from(chosen).sort() });
    app.note((await app.journey.choose(run.attempt.attempt_id, run.chosen)) ? "" : w("keptHere"));
  };
  const options = question.options.map((option) =>
    h("button", {
      type: "button", class: "option", "aria-pressed": String(chosen.has(option.key)), "data-key": option.key,
      onclick: (event) => {
        if (question.multiple) {
          if (!chosen.delete(option.key)) chosen.add(option.key);
          event.currentTarget.setAttribute("aria-pressed", String(chosen.has(option.key)));
          keep();
        } else {
          chosen.clear();
          chosen.add(option.key);
          options.forEach((one) => one.setAttribute("aria-pressed", String(one === event.currentTarget)));
          keep();
          // Long enough to see what was chosen, too short to wait for.
          setTimeout(() => move(run.place + 1), CHOSEN_MS);
        }
      },
    }, h("b", {}, option.key), h("span", {}, option.text)));
  box.replaceChildren(
    ...head(app, run, w("question", { n: run.place + 1, of: questions.length })),
    h("p", { class: "asked" }, question.text),
    h("p", { class: "quiet" }, w(question.multiple ? "several" : "single")),
    h("div", { class: "options", role: "group", "aria-label": question.text }, options),
    h("div", { class: "row" },
      run.place > 0 && button(w("previous"), () => move(run.place - 1), { class: "plain" }),
      button(w("next"), () => move(run.place + 1), { class: question.multiple ? "primary" : "plain" })));
  app.focus(box);
  return undefined;
}

function check(app, run, box) {
  const w = t(app);
  const { questions } = run.attempt;
  const answered = questions.filter((question) => (run.chosen[question.id] || []).length).length;
  run.place = questions.length;
  box.replaceChildren(
    ...head(app, run, w("review")),
    h("p", {}, w("reviewText", { n: answered, of: questions.length })),
    h("ol", { class: "places" }, questions.map((question, place) => h("li", {}, h("button", {
      type: "button",
      class: (run.chosen[question.id] || []).length ? "done" : "",
      "aria-label": w("question", { n: place + 1, of: questions.length }),
      onclick: () => {
        run.place = place;
        ask(app, run, box);
      },
    }, String(place + 1))))),
    button(w("handIn"), () => app.busy(async () => {
      const marked = await app.journey.submit(run.attempt, run.chosen);
      app.show(await result(app, Object.assign({}, run.attempt, { result: marked })));
    }), { class: "primary big", id: "hand-in" }));
  app.focus(box);
}

async function result(app, attempt) {
  const w = t(app);
  const marked = attempt.result;
  const { ways } = await app.journey.today(app.slug);
  const quizWay = ways.find((one) => one.channel === "quiz") || { left_today: 0 };
  const asked = Object.assign({}, ...attempt.questions.map((question) => ({ [question.id]: question })));
  return [
    h("div", { class: marked.passed ? "outcome good" : "outcome" },
      h("h1", { tabindex: "-1" }, w(marked.passed ? "passed" : "failed")),
      h("p", { class: "score" }, h("b", {}, String(marked.score))),
      h("p", {}, w("score", { score: marked.score, pass: marked.pass_score })),
      marked.chances_granted > 0 && h("p", {}, w("gained", { n: marked.chances_granted }))),
    marked.chances_granted > 0
      ? drawButton(app, w("goDraw"))
      : [
        quizWay.left_today > 0 ? button(w("tryQuiz"), () => app.busy(() => startQuiz(app)), { class: "primary big" }) : h("p", { class: "note" }, w("tryTomorrow")),
        link(w("otherWays"), "/"),
      ],
    h("details", { class: "card" },
      h("summary", {}, w("explain")),
      h("ol", { class: "explained" }, marked.results.map((one) => h("li", { class: one.correct ? "right" : "wrong" },
        h("p", {}, asked[one.question_id] ? asked[one.question_id].text : ""),
        h("p", {}, h("b", {}, w(one.correct ? "right" : "wrong")), " · ", w("rightAnswer", { keys: one.answer.join("、") })),
        one.explanation && h("p", { class: "quiet" }, one.explanation))))),
    link(w("home"), "/"),
  ];
}

// --- the draw -----------------------------------------------------------------------------------------

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
    else app.show(identity(app, () => drawNow(app)));
  }), Object.assign({ class: "primary big", id: "draw" }, more || {}));
}

async function drawNow(app) {
  // The outcome is there before anything moves: what follows only shows it.
  const drawn = await app.journey.draw(app.slug);
  const quiet = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  app.announce(app.say(drawn.won ? "won" : "lost"));
  if (!quiet) {
    app.show([h("div", { class: "reveal", "aria-hidden": "true" }, picture("voucher"), h("p", {}, app.say("drawing")))]);
    await app.wait(REVEAL_MS);
  }
  if (drawn.won) app.go(`/claim/${drawn.award.id}`);
  else app.show(await lost(app, drawn));
}

async function lost(app, drawn) {
  const w = t(app);
  const today = await app.journey.today(app.slug);
  const can = today.chances > 0 && today.draws_left_today > 0;
  const then = today.draws_left_today === 0 ? w("lostTomorrow") : today.chances > 0 ? w("lostMore", { n: today.chances }) : w("lostWays");
  return [
    h("div", { class: "outcome" },
      h("h1", { tabindex: "-1" }, w("lost")),
      h("p", {}, w("lostText", { odds: percent(drawn.proof.odds) })),
      h("p", {}, then)),
    can && drawButton(app, w("drawAgain")),
    link(w("otherWays"), "/", { class: can ? "button" : "button primary" }),
    link(w("verifyMine"), "/verify"),
  ];
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
  const bind = (who, digits) => app.busy(async () => {
    await app.journey.bindIdentity(who, digits, version);
    await then();
  });
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

// --- the claim ----------------------------------------------------------------------------------------

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
  if (!award) throw new Refused(404, { code: "not_found", detail: "" });
  if (award.state === "claimed") return wallet(app);
  const phase = campaign.phases.find((one) => one.seq === award.phase);
  return [
    h("div", { class: "outcome good" },
      h("h1", { tabindex: "-1" }, w("won")),
      h("p", {}, award.on_hold ? award.note : w("wonText", { at: shownTime(award.expires_at) }))),
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
    picture(type.key),
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

/** Where a type is accepted: asked for when somebody opens it. */
function places(app, slug, type) {
  const w = t(app);
  const list = h("ul", { class: "places-list" });
  const select = h("select", { "aria-label": w("where"), onchange: () => {
    app.journey.keepCounty(select.value);
    fill(select.value || null);
  } });
  const shown = (items) => list.replaceChildren(...(items.length ? items.map((one) =>
    h("li", {}, h("b", {}, one.name), h("span", { class: "quiet" }, [one.county, one.address].filter(Boolean).join(" ")))) : [h("li", {}, w("whereNone"))]));
  const fill = async (county) => {
    const items = await app.journey.institutions(slug, type, county).catch(() => []);
    if (select.children.length > 0) {
      shown(items);
      return;
    }
    const counties = Array.from(new Set(items.map((one) => one.county).filter(Boolean))).sort();
    select.append(h("option", { value: "" }, w("whereAll")), ...counties.map((one) => h("option", { value: one }, one)));
    // Where somebody looked the last time is where they are.
    select.value = counties.includes(app.journey.county()) ? app.journey.county() : "";
    shown(select.value ? items.filter((one) => one.county === select.value) : items);
  };
  const box = h("details", { class: "where" }, h("summary", {}, w("where")), select, list);
  box.addEventListener("toggle", () => {
    if (box.open && !list.children.length) fill(null);
  });
  return box;
}

// --- the wallet ---------------------------------------------------------------------------------------

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
        picture(voucher.voucher_type),
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
  const digits = h("p", { class: "digits", "aria-label": w("codeDigits") }, grouped(found.code));
  const facts = h("section", { class: "card" },
    h("p", {}, w("until", { at: shownTime(found.valid_until) })),
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
      until = app.now() + 3000;
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
  app.every(LATE_MS, tell);
  return [title, h("p", { class: "state issued" }, w("showCode")), frame, count, digits, facts, link(w("wallet"), "/wallet")];
}
