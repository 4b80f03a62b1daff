import assert from "node:assert/strict";
import { test } from "node:test";
import { Journey, isAssumed } from "../miniprogram/logic/journey.js";
import { Refused } from "../miniprogram/logic/client.js";
import { FakePlatform, shelfOf, surroundings } from "./fake_platform.js";

const DAY = 24 * 3600 * 1000;

async function signedIn() {
  const platform = new FakePlatform();
  const { around, clock } = surroundings(platform);
  const journey = new Journey(around);
  await journey.signIn("demo");
  return { platform, around, clock, journey };
}

test("a code of a poster is tried in each way of checking in, and taken in the right one", async () => {
  const { platform, journey } = await signedIn();
  await journey.checkIn("c", ["event", "fitness"], "FIT1");
  const sent = platform.arrived.filter(({ path }) => path.endsWith("/activities"));
  assert.deepEqual(sent.map(({ body }) => body.channel), ["event", "fitness"]);
  assert.notEqual(sent[0].body.request_no, sent[1].body.request_no);
  assert.equal(platform.done.activities, 1);
  assert.deepEqual(journey.acts.open(), {});
});

test("a code that no way knows is refused once all were tried, any other refusal at once", async () => {
  const { platform, journey } = await signedIn();
  const unknown = (error) => error instanceof Refused && error.code === "check_in_code_unknown";
  await assert.rejects(journey.checkIn("c", ["event", "fitness"], "NONE"), unknown);
  platform.refusals["/activities"] = [409, "already_checked_in", "已签到。"];
  const before = platform.arrived.length;
  await assert.rejects(journey.checkIn("c", ["event", "fitness"], "FIT1"), (error) => error.code === "already_checked_in");
  assert.equal(platform.arrived.length, before + 1);
});

test("a sign-in is known to end soon, and is not used after its end", async () => {
  const { journey, clock, around } = await signedIn();
  assert.equal(journey.endsWithin(3 * DAY), false);
  clock.now += 28 * DAY;
  assert.equal(journey.endsWithin(3 * DAY), true);
  clock.now += 3 * DAY;
  assert.equal(new Journey(around).session, null);
});

test("answers of a quiz stay on the phone while there is no network, and go with a reload", async () => {
  const { platform, journey, around } = await signedIn();
  platform.trouble = ["gone"];
  assert.equal(await journey.choose("a1", { q1: ["A"] }), false);
  const after = new Journey({ ...around, shelf: shelfOf(around.shelf.kept) });
  assert.deepEqual(after.answers("a1"), { q1: ["A"] });
  assert.deepEqual(after.answers("a2"), {});
  await after.submit({ attempt_id: "a1" }, { q1: ["A"] });
  assert.deepEqual(after.answers("a1"), {});
});

test("signing out leaves nothing of the person on the phone", async () => {
  const { journey, around } = await signedIn();
  await journey.choose("a1", { q1: ["A"] });
  journey.signOut();
  assert.deepEqual(Array.from(around.shelf.kept.keys()).filter((key) => key !== "hv.device"), []);
});

test("the county is remembered until it is left", async () => {
  const { journey, around } = await signedIn();
  journey.keepCounty("个旧市");
  assert.equal(new Journey(around).county(), "个旧市");
  journey.keepCounty("");
  assert.equal(journey.county(), "");
});

test("lists are asked for piece by piece", async () => {
  const { platform, journey } = await signedIn();
  await journey.notices({ cursor: "a/b" });
  assert.equal(platform.arrived.pop().path, "/issuance/v1/me/notices?limit=20&cursor=a%2Fb");
});

test("an assumption covers what is inside of it and nothing that only begins alike", () => {
  const campaign = { assumed: ["phases.1.stock", "phases.2.odds"] };
  assert.equal(isAssumed(campaign, "phases.1.stock.checkup"), true);
  assert.equal(isAssumed(campaign, "phases.2.odds"), true);
  assert.equal(isAssumed(campaign, "phases.1.odds"), false);
  assert.equal(isAssumed(campaign, "phases.1.stocks"), false);
  assert.equal(isAssumed({}, "phases.1.odds"), false);
});
