// What a till does in the states that nobody likes: each ends in something that is safe, and in words.

import assert from "node:assert/strict";
import { test } from "node:test";

import { NoAnswer, Refused } from "./logic/line.js";
import { fenOf, press } from "./logic/money.js";
import { advice, reason } from "./logic/reasons.js";
import { CODE, activated, started } from "./platform.js";

const refusedBy = (code) => (error) => error instanceof Refused && error.code === code;

test("a till that was revoked goes on under its number once it is activated anew", async () => {
  const { till, platform, shelf } = await activated();
  await till.takeOffline("7K2M9QXD41TC8R3V", 6000);
  platform.revoked = true;
  await assert.rejects(till.redeem("7K2M9QXD41TC8R3W", null), refusedBy("bad_signature"));
  const number = (await till.open()).body.request_no;
  assert.equal(platform.done.size, 0);
  await till.activate(CODE);
  assert.equal((await till.settle()).answer.request_no, number);
  assert.equal((await (await started(platform, shelf)).waiting()).length, 1, "what waits is kept");
});

test("a key that is gone is seen before anything is signed", async () => {
  const { platform, shelf } = await activated();
  shelf.kept.set("terminal", { ...shelf.kept.get("terminal"), key: undefined });
  assert.equal((await started(platform, shelf)).keyed, false);
});

test("a clock that is an hour wrong is not believed: the platform's time is", async () => {
  const { till, platform } = await activated();
  platform.ahead = 3600000;
  const { act } = await till.redeem("7K2M9QXD41TC8R3V", null);
  assert.equal(platform.done.size, 1);
  assert.equal(Math.round(till.line.offset / 1000), 3600);
  assert.equal(act.body.used_at.slice(0, 16), "2020-11-01T12:00", "it was used when it was used");
  assert.equal((await till.takeOffline("7K2M9QXD41TC8R3V", null)).used_at.slice(0, 16), "2020-11-01T13:00");
});

test("what cannot be written down is not sent", async () => {
  const { till, platform, shelf } = await activated();
  const before = platform.sent.length;
  shelf.full = true;
  await assert.rejects(till.redeem("7K2M9QXD41TC8R3V", null), { name: "QuotaExceededError" });
  await assert.rejects(till.takeOffline("7K2M9QXD41TC8R3V", null), { name: "QuotaExceededError" });
  assert.equal(platform.sent.length, before);
  await assert.rejects(till.activate(CODE), { name: "QuotaExceededError" });
  assert.equal(platform.sent.length, before, "a code that works once is not used up");
  shelf.full = false;
  assert.equal(await till.open(), null);
});

test("a limit is said as what it is, and a clock that stays refused as well", async () => {
  const { till, platform } = await activated();
  const manual = { idNumber: "5", type: "general_50", reason: "r", bill: 6000 };
  platform.refusals["/redemptions/manual"] = [429, "too_many_requests"];
  const before = platform.sent.length;
  await assert.rejects(till.redeemManually(manual), refusedBy("too_many_requests"));
  assert.equal(platform.sent.length, before + 1, "not asked again at once");
  assert.ok(await till.open(), "it may have arrived before the limit was reached");
  platform.refusals = {};
  assert.equal((await till.settle()).answer.status, "redeemed");
  for (const code of ["clock_skew", "replayed"]) {
    platform.refusals["/redemptions/verify"] = [401, code];
    await assert.rejects(till.verify("7K2M9QXD41TC8R3V", null), refusedBy(code));
  }
  platform.state = "down";
  await assert.rejects(till.verify("7K2M9QXD41TC8R3V", null), NoAnswer);
});

test("an id number is sent, and stands nowhere on this device", async () => {
  const { till, platform, shelf } = await activated();
  platform.state = "deaf";
  const asked = { idNumber: "532502199001011234", type: "general_50", reason: "没有手机", bill: 6000 };
  await assert.rejects(till.redeemManually(asked), NoAnswer);
  assert.equal(platform.sent.at(-1).body.id_number, asked.idNumber);
  assert.ok(!shelf.text.includes(asked.idNumber));
  await assert.rejects(till.keep(null), /cannot wait/);
  // Asked again with the page still open, it is the same request.
  platform.state = "up";
  assert.equal((await till.settle()).answer.status, "redeemed");
  assert.equal(platform.done.size, 1);
});

test("a write-off by id number is asked for after a reload, and made void where it never arrived", async () => {
  for (const [state, status] of [["deaf", "redeemed"], ["down", "blocked"]]) {
    const { till, platform, shelf } = await activated();
    platform.state = state;
    await assert.rejects(till.redeemManually({ idNumber: "5", type: "general_50", reason: "r", bill: 6000 }), NoAnswer);
    platform.state = "up";
    const again = await started(platform, shelf);
    assert.equal((await again.settle()).answer.status, status);
    assert.equal(await again.open(), null);
    assert.equal((await again.entries()).length, status === "redeemed" ? 1 : 0);
  }
});

test("a result is reported once, is not kept here, and is asked for after a reload", async () => {
  const { till, platform, shelf } = await activated();
  await till.redeem("7K2M9QXD41TC8R3V", null);
  const [entry] = await till.reportable();
  const content = { kind: "nucleic_acid_test", report_no: "N-77", result: "negative", performed_at: "2020-11-01T11:00:00+08:00" };
  platform.state = "down";
  await assert.rejects(till.report(entry.id, content), NoAnswer);
  assert.ok(!shelf.text.includes("N-77"));
  platform.state = "up";
  const again = await started(platform, shelf);
  await assert.rejects(again.settle(), refusedBy("not_found"), "it never arrived");
  assert.equal(await again.open(), null, "it may be filled in again");
  platform.state = "deaf";
  await assert.rejects(again.report(entry.id, content), NoAnswer);
  platform.state = "up";
  assert.equal((await (await started(platform, shelf)).settle()).answer.status, "due");
});

test("a reversal that is too late is over, and says where to turn", async () => {
  const { till, platform } = await activated();
  const { answer } = await till.redeem("7K2M9QXD41TC8R3V", null);
  platform.refusals["/reversals"] = [409, "reversal_window_over"];
  await assert.rejects(till.reverse(answer.request_no, "顾客取消"), refusedBy("reversal_window_over"));
  assert.equal(await till.open(), null);
  assert.match(advice("zh", "reversal_window_over"), /主管部门/);
});

test("a conflict after an upload is kept with its words", async () => {
  const { till } = await activated();
  await till.takeOffline("7K2M9QXD41TC8R3V", 6000);
  assert.equal(await till.flush(), 1);
  const [result] = await till.results();
  assert.deepEqual([result.outcome, result.voucher], ["conflict", "••••8R3V"]);
  assert.deepEqual(await till.waiting(), []);
  assert.match(advice("zh", "conflict"), /不结算/);
  assert.match(advice("en", "conflict"), /not paid/);
});

test("paused is said in both languages, with what still works", () => {
  for (const code of ["terminal_paused", "institution_paused"]) {
    assert.match(reason("zh", code), /暂停/);
    assert.match(advice("zh", code), /冲正/);
    assert.match(advice("en", code), /reverse/);
  }
});

test("amounts are typed to the fen, and a bill of nothing is none", () => {
  const typed = [..."128.05"].reduce(press, "");
  assert.equal(fenOf(typed), 12805);
  assert.equal(press("1.25", "9"), "1.25");
  assert.equal(fenOf("0") > 0, false);
});
