import assert from "node:assert/strict";
import { test } from "node:test";
import { Journey } from "../miniprogram/logic/journey.js";
import { Refused, Unreachable } from "../miniprogram/logic/client.js";
import { FakePlatform, shelfOf, surroundings } from "./fake_platform.js";

async function signedIn() {
  const platform = new FakePlatform();
  const { around, waits, clock } = surroundings(platform);
  const journey = new Journey(around);
  await journey.signIn("demo");
  return { platform, around, waits, clock, journey };
}

test("a lost answer is asked for under the same number and nothing happens twice", async () => {
  const { platform, journey, waits } = await signedIn();
  platform.trouble = ["lost", "gone", [503, 3]];
  const drawn = await journey.draw("c");
  assert.equal(drawn.nth, 1);
  assert.equal(platform.done.draws, 1);
  const numbers = platform.arrived.filter(({ path }) => path.endsWith("/draws")).map(({ body }) => body.request_no);
  assert.equal(new Set(numbers).size, 1);
  // Each wait is longer than the one before, and no shorter than what was asked for.
  assert.deepEqual(waits, [400, 800, 3000]);
});

test("an act survives a reload, with its body", async () => {
  const { platform, around, journey } = await signedIn();
  platform.trouble = ["lost", "gone", "gone", "gone", "gone"];
  await assert.rejects(journey.draw("c"), Unreachable);
  const after = new Journey({ ...around, shelf: shelfOf(around.shelf.kept) });
  assert.deepEqual(Object.keys(after.acts.open()), ["draw"]);
  const drawn = await after.acts.finish("draw");
  assert.equal(drawn.nth, 1);
  assert.equal(platform.done.draws, 1);
  assert.deepEqual(after.acts.open(), {});
});

test("a refusal ends the act, and the next one has a number of its own", async () => {
  const { platform, journey, waits } = await signedIn();
  platform.refusals["/draws"] = [409, "no_chance", "没有抽奖机会。"];
  await assert.rejects(journey.draw("c"), (error) => error instanceof Refused && error.sentence === "没有抽奖机会。");
  assert.deepEqual(journey.acts.open(), {});
  assert.deepEqual(waits, []);
  platform.refusals = {};
  await journey.draw("c");
  const numbers = platform.arrived.filter(({ path }) => path.endsWith("/draws")).map(({ body }) => body.request_no);
  assert.equal(new Set(numbers).size, 2);
});

test("who must sign in again goes on with the same act afterwards", async () => {
  const { platform, journey } = await signedIn();
  platform.trouble = ["lost", "gone", "gone", "gone", "gone"];
  await assert.rejects(journey.draw("c"), Unreachable);
  platform.endSignIns();
  await assert.rejects(journey.draw("c"), (error) => error instanceof Refused && error.status === 401);
  assert.deepEqual(Object.keys(journey.acts.open()), ["draw"]);
  await journey.signIn("demo");
  assert.equal((await journey.draw("c")).nth, 1);
  assert.equal(platform.done.draws, 1);
});

test("somebody else who signs in does not go on with the acts of the one before", async () => {
  const { platform, journey, around } = await signedIn();
  platform.trouble = ["gone", "gone", "gone", "gone", "gone"];
  await assert.rejects(journey.draw("c"), Unreachable);
  around.shelf.write("hv.person", "another");
  await journey.signIn("demo");
  assert.deepEqual(journey.acts.open(), {});
});

test("a fault without a name is no refusal: the act stays open", async () => {
  const { platform, journey } = await signedIn();
  platform.trouble = [[500, 0], [502, 0], [429, 1], [504, 0], [500, 0]];
  await assert.rejects(journey.draw("c"), Unreachable);
  assert.deepEqual(Object.keys(journey.acts.open()), ["draw"]);
});
