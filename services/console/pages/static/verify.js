// The page that verifies draws in the browser: chooses, reads piece by piece, and shows what was found.

import { LogCheck, Lines, selfCheck } from "./drawlog.js";

const english = document.documentElement.lang === "en";
const t = (zh, en) => (english ? en : zh);
const byId = (id) => document.getElementById(id);
const FAULTS_SHOWN = 200;
// Long enough to get on, short enough that the page answers meanwhile.
const STRETCH_MS = 50;
const API = "/issuance/v1/campaigns";

const SENTENCES = {
  head: () => t("首行不是本期的信息", "the first line does not tell of a phase"),
  seed: () => t("种子与开始前公布的承诺不符", "the seed is not the one that was promised for this phase"),
  form: () => t("不是平台写出的抽奖记录格式", "is not a draw as the platform writes it"),
  odds: ({ found }) => t(`中奖率“${found}”未曾公布`, `${found} are not odds that were announced`),
  value: ({ found, expected }) =>
    t(`抽奖值为 ${found}，重算为 ${expected}`, `value is ${found}, recomputed ${expected}`),
  won: ({ found }) =>
    found
      ? t("记为中奖，重算为未中奖", "told as won, recomputed as not won")
      : t("记为未中奖，重算为中奖", "told as not won, recomputed as won"),
  twice: ({ found }) => t(`该抽奖机会已在第 ${found} 行抽过`, `this chance was drawn on line ${found} already`),
  root: ({ found }) =>
    t(`与 ${found} 公布的根哈希不符`, `the root of ${found} is not the one of these lines`),
  count: ({ found, told }) =>
    t(`记录有 ${found} 次抽奖，核验信息为 ${told} 次`, `the log has ${found} draws, the audit tells of ${told}`),
};

const sentence = (fault) => {
  const place = fault.line === null ? "" : t(`第 ${fault.line} 行：`, `Line ${fault.line}: `);
  return place + SENTENCES[fault.code](fault);
};

const number = (value) => value.toLocaleString(english ? "en" : "zh-CN");

function say(state, text) {
  byId("result").dataset.state = state;
  byId("verdict").textContent = text;
}

function show(check, faults, read) {
  byId("draws").textContent = number(check.draws);
  byId("won").textContent = number(check.won);
  byId("roots").textContent = `${number(check.roots)} / ${number(check.rootsTold)}`;
  byId("faults-count").textContent = number(faults.count);
  byId("read").textContent = `${(read / 1_000_000).toFixed(1)} MB`;
}

/** Reads a stream to its end. Returns the faults: how many, and the first ones. */
async function verify(stream, size, audits) {
  const check = new LogCheck(audits);
  const faults = { count: 0, shown: [] };
  const note = (found) => {
    for (const fault of found) {
      faults.count += 1;
      if (faults.shown.length < FAULTS_SHOWN) faults.shown.push(fault);
    }
  };
  const lines = new Lines((line) => note(check.take(line)));
  const progress = byId("progress");
  if (size) progress.max = size;
  else progress.removeAttribute("value");
  const reader = stream.getReader();
  let read = 0;
  let since = performance.now();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    lines.push(piece.value);
    read += piece.value.length;
    if (performance.now() - since > STRETCH_MS) {
      if (size) progress.value = read;
      show(check, faults, read);
      await new Promise((resolve) => setTimeout(resolve));
      since = performance.now();
    }
  }
  lines.rest();
  note(check.end());
  progress.max = 1;
  progress.value = 1;
  show(check, faults, read);
  return faults;
}

async function asked(address) {
  const answer = await fetch(address, { headers: { "Accept-Language": english ? "en" : "zh" } });
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  throw new Error(problem.detail ?? `${answer.status}`);
}

async function savedAudits() {
  const texts = await Promise.all([...byId("audits").files].map((file) => file.text()));
  const audits = texts.map((text) => JSON.parse(text));
  if (!audits.every((audit) => Array.isArray(audit?.phases))) {
    throw new Error(t("所选的核验信息文件不是 draw-audit 的内容", "a file of saved audits is none"));
  }
  return audits;
}

/** The log with what it is to be compared with: of a file, or of a phase that has closed. */
async function chosen(audits) {
  const [file] = byId("log").files;
  if (file) return { stream: file.stream(), size: file.size, audits };
  const slug = encodeURIComponent(byId("campaign").value);
  const audit = await (await asked(`${API}/${slug}/draw-audit`)).json();
  const phase = audit.phases.find(({ seq }) => `${seq}` === byId("phase").value);
  if (!phase?.log_url) {
    throw new Error(t("本期尚未结束，抽奖记录还未公布", "this phase has not closed; its draws are not public yet"));
  }
  const answer = await asked(phase.log_url);
  return { stream: answer.body, size: Number(answer.headers.get("content-length")), audits: [...audits, audit] };
}

async function run() {
  const button = byId("start");
  button.disabled = true;
  byId("result").hidden = false;
  byId("faults").replaceChildren();
  say("running", t("正在核验……", "Verifying…"));
  try {
    await selfCheck();
    const { stream, size, audits } = await chosen(await savedAudits());
    const faults = await verify(stream, size, audits);
    byId("faults").append(
      ...faults.shown.map((fault) => Object.assign(document.createElement("li"), { textContent: sentence(fault) })),
    );
    const alone = t(
      "逐条重算一致。没有核验信息，未能检查是否有记录被删去或替换。",
      "Every line recomputes. Without an audit, what was left out or replaced was not looked for.",
    );
    const sound = t("全部抽奖与公布的一致。", "Every draw is as published.");
    const broken = t(`发现 ${number(faults.count)} 处不一致。`, `${number(faults.count)} faults found.`);
    if (faults.count) say("broken", broken);
    else say("sound", audits.length ? sound : alone);
  } catch (error) {
    say("failed", t(`未能核验：${error.message}`, `Could not verify: ${error.message}`));
  } finally {
    button.disabled = false;
  }
}

function options(select, entries) {
  select.replaceChildren(...entries.map(([value, text]) => new Option(text, value)));
}

async function listPhases() {
  const slug = byId("campaign").value;
  if (!slug) return;
  const audit = await (await asked(`${API}/${encodeURIComponent(slug)}/draw-audit`)).json();
  options(
    byId("phase"),
    audit.phases.map(({ seq, draws, log_url: log }) => [
      seq,
      t(`第 ${seq} 期（${number(draws)} 次抽奖`, `Phase ${seq} (${number(draws)} draws`) +
        (log ? t("）", ")") : t("，未公布）", ", not public yet)")),
    ]),
  );
  byId("audit-link").href = `${API}/${encodeURIComponent(slug)}/draw-audit`;
  byId("audit-link").download = `${slug}-draw-audit.json`;
}

async function begin() {
  const wanted = new URLSearchParams(location.search);
  const campaign = byId("campaign");
  if (wanted.has("campaign")) campaign.value = wanted.get("campaign");
  campaign.addEventListener("change", () => listPhases().catch((error) => say("failed", error.message)));
  byId("form").addEventListener("submit", (event) => {
    event.preventDefault();
    run();
  });
  byId("start").disabled = false;
  await listPhases();
  if (wanted.has("phase")) {
    byId("phase").value = wanted.get("phase");
    await run();
  }
}

begin().catch((error) => {
  byId("result").hidden = false;
  say("failed", error.message);
});
