import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { test } from "node:test";
import { Course, trouble } from "../miniprogram/course.js";
import { Unreachable } from "../miniprogram/logic/client.js";
import { Randomness, pictureAddress } from "../miniprogram/platform.js";
import { FakePlatform } from "./fake_platform.js";

const DAY = 24 * 3600 * 1000;

// A code is good once, also after the mini-program was closed.
let codes = 0;

/** The part of `wx` that is used, as WeChat documents it: callbacks, names of headers in any case. */
function wechat(platform, kept = new Map()) {
  return {
    kept,
    request({ url, method, header, data, success, fail }) {
      assert.ok(url.startsWith("https://origin.example"));
      platform.send({ method, path: url.slice("https://origin.example".length), headers: header, body: data }).then(
        (told) => success({ statusCode: told.status, data: told.text, header: { "retry-after": told.header("Retry-After") || undefined } }),
        () => fail({ errMsg: "request:fail" }),
      );
    },
    // As WeChat sends a file: the name of its field, and the answer as text.
    uploadFile({ url, filePath, name, header, success, fail }) {
      assert.equal(name, "file");
      platform.send({ method: "POST", path: url.slice("https://origin.example".length), headers: header, body: JSON.stringify({ filePath }) }).then(
        (told) => success({ statusCode: told.status, data: told.text }), () => fail({ errMsg: "uploadFile:fail" }),
      );
    },
    getStorageSync: (key) => (kept.has(key) ? kept.get(key) : ""),
    setStorageSync: (key, value) => void kept.set(key, value),
    removeStorageSync: (key) => void kept.delete(key),
    login: ({ success }) => success({ code: `code-${(codes += 1)}` }),
    getRandomValues: ({ length, success }) => success({ randomValues: webcrypto.getRandomValues(new Uint8Array(length)).buffer }),
  };
}

function begun(platform = new FakePlatform(), kept = new Map()) {
  const time = { now: 1_600_000_000_000 };
  const waits = [];
  const course = new Course(wechat(platform, kept), "https://origin.example", {
    now: () => time.now,
    wait: async (ms) => void waits.push(ms),
  });
  return { platform, course, time, waits, kept };
}

test("opening signs in by WeChat unseen, and chooses the campaign that runs", async () => {
  const { platform, course } = begun();
  const journey = await course.begin();
  assert.equal(course.slug, "c");
  assert.equal(platform.arrived[0].body.provider, "wechat");
  assert.match(platform.arrived[0].body.code, /^code-\d+$/);
  assert.equal(await course.begin(), journey);
});

test("a photo is sent as the person's own, and a lost or refused one says so", async () => {
  const { platform, course } = begun();
  await course.begin();
  assert.equal(await course.photo("wxfile://1.jpg"), "photo-1");
  const sent = platform.arrived.filter(({ path }) => path.endsWith("/photos"));
  assert.deepEqual(sent.map(({ body, token }) => [body.filePath, token !== null]), [["wxfile://1.jpg", true]]);
  platform.trouble = ["gone"];
  await assert.rejects(course.photo("wxfile://2.jpg"), Unreachable);
  platform.refusals["/photos"] = [409, "too_many_photos", "您有较多照片尚未使用"];
  await assert.rejects(course.photo("wxfile://3.jpg"), (error) => trouble(error).code === "too_many_photos");
});

test("a sign-in that ended is renewed, and the act goes on under its number", async () => {
  const { platform, course } = begun();
  await course.begin();
  platform.endSignIns();
  const drawn = await course.perform((journey) => journey.draw("c"));
  assert.equal(drawn.nth, 1);
  const sent = platform.arrived.filter(({ path }) => path.endsWith("/draws"));
  assert.equal(sent.length, 2);
  assert.equal(sent[0].body.request_no, sent[1].body.request_no);
});

test("a sign-in that ends within three days is renewed when the mini-program opens", async () => {
  const { platform, course, time, kept } = begun();
  await course.begin();
  const later = begun(platform, kept);
  later.time.now = time.now + 28 * DAY;
  const [before] = platform.tokens;
  const journey = await later.course.begin();
  assert.notEqual(journey.client.token, before);
});

test("what was lost when the mini-program was closed is finished at the next opening", async () => {
  const { platform, course, kept } = begun();
  await course.begin();
  platform.trouble = ["lost", "gone", "gone", "gone", "gone"];
  await assert.rejects(course.perform((journey) => journey.draw("c")), Unreachable);
  const next = begun(platform, kept);
  const finished = await next.course.resume();
  assert.deepEqual(finished.map(({ kind, answer }) => [kind, answer.nth]), [["draw", 1]]);
  assert.equal(platform.done.draws, 1);
});

test("what the platform asked to wait is read whatever the case of the header", async () => {
  const { platform, course, waits } = begun();
  await course.begin();
  platform.trouble = [[503, 5]];
  await course.perform((journey) => journey.draw("c"));
  assert.deepEqual(waits, [5000]);
});

test("a screen shows the platform's sentence and the next step, and hides no fault of its own", async () => {
  const { platform, course } = begun();
  await course.begin();
  platform.refusals["/draws"] = [403, "identity_required", "请先确认身份。"];
  const error = await course.perform((journey) => journey.draw("c")).catch((found) => found);
  assert.deepEqual(trouble(error), { sentence: "请先确认身份。", advice: "确认身份只需一次。", step: "identity", code: "identity_required" });
  assert.equal(trouble(new Unreachable(null)).step, "again");
  // One that asks for patience says so: it is no network that is gone.
  const often = { code: "too_many_requests", detail: "操作过于频繁。" };
  assert.equal(trouble(new Unreachable(60, often)).advice, "请过一分钟再试。");
  assert.deepEqual(trouble(new Unreachable(40000, often)), {
    sentence: "操作过于频繁。", advice: "今天的次数已用完，请明天再试。", step: "again", code: "too_many_requests",
  });
  assert.throws(() => trouble(new TypeError("ours")), TypeError);
});

test("random bytes are never handed out twice and never run out", async () => {
  const random = new Randomness(wechat(new FakePlatform()));
  assert.throws(() => random.take(1), /used up/);
  await random.fill();
  const seen = new Set();
  for (let turn = 0; turn < 1000; turn += 1) {
    seen.add(Array.from(random.take(20)).join());
    await Promise.resolve();
  }
  assert.equal(seen.size, 1000);
});

test("a picture becomes an address without characters that end it", () => {
  assert.equal(pictureAddress('<svg a="1#"/>'), "data:image/svg+xml,%3Csvg%20a%3D%221%23%22%2F%3E");
});
