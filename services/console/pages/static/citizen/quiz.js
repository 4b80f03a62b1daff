// The quiz: one question a screen, the answers looked over, the result with its explanations.

import { drawButton } from "./draw.js";
import { button, clock, h, link, t } from "./ui.js";

const TICK_MS = 1000;
const CHOSEN_MS = 180;
/** @type {[number, string][]} */
const TOLD_AT = [[60, "lastMinute"], [10, "lastSeconds"]];

export async function startQuiz(app) {
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
  const tick = app.every(TICK_MS, () => {
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
  const today = await app.journey.today(app.slug);
  const quizWay = today.ways.find((one) => one.channel === "quiz") || { left_today: 0 };
  // After a reload the chance may be spent already.
  const chances = marked.chances_granted > 0 && today.chances > 0;
  const asked = Object.assign({}, ...attempt.questions.map((question) => ({ [question.id]: question })));
  return [
    h("div", { class: marked.passed ? "outcome good" : "outcome" },
      h("h1", { tabindex: "-1" }, w(marked.passed ? "passed" : "failed")),
      h("p", { class: "score" }, h("b", {}, String(marked.score))),
      h("p", {}, w("score", { score: marked.score, pass: marked.pass_score })),
      marked.chances_granted > 0 && h("p", {}, w("gained", { n: marked.chances_granted }))),
    chances
      ? drawButton(app, w("goDraw"))
      : [
        quizWay.left_today === null || quizWay.left_today > 0 ? button(w("tryQuiz"), () => app.busy(() => startQuiz(app)), { class: "primary big" }) : h("p", { class: "note" }, w("tryTomorrow")),
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
