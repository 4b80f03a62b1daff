import assert from "node:assert/strict";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { test } from "node:test";
import { next, reasons, say } from "../miniprogram/logic/words.js";

const app = new URL("../miniprogram/", import.meta.url);
const errors = new URL("../../../docs/errors.md", import.meta.url);

test("values stand in the sentence, in both languages", () => {
  assert.equal(say("zh", "earns", { n: 2 }), "每次得 2 次抽奖机会");
  assert.equal(say("en", "earns", { n: 2 }), "Earns 2 chance(s) each time");
  assert.throws(() => say("zh", "no such word"));
});

test("who was refused is told what to do next, and an unknown refusal leads home", () => {
  assert.equal(next("zh", "identity_required").step, "identity");
  assert.equal(next("en", "out_of_stock").step, "claim");
  assert.deepEqual(next("zh", "something_new"), { step: "home", sentence: "" });
});

test("what is wrong with a field is said in the language of the page", () => {
  const fault = { loc: "body.name", message: "String should have at least 1 character", code: "string_too_short" };
  assert.deepEqual(reasons("zh", [fault]), ["“姓名”没有填写或太短。"]);
  assert.deepEqual(reasons("en", [fault]), ["“Name” is missing or too short."]);
  const ours = { loc: "body.id_number", message: "身份证号码校验位不正确", code: "check_digit" };
  assert.deepEqual(reasons("zh", [ours]), [`${ours.message}。`]);
  // What nobody translated is not shown to whoever reads Chinese: the sentence of the refusal stands there.
  assert.deepEqual(reasons("zh", [{ loc: "body.seed", message: "Extra inputs", code: "extra_forbidden" }]), []);
});

test("every refusal that has a next step is one that the platform knows", () => {
  const known = readFileSync(errors, "utf8");
  const source = readFileSync(new URL("logic/words.js", app), "utf8").split("const NEXT")[1];
  const codes = Array.from(source.matchAll(/^ {2}(\w+): \[/gm), ([, code]) => code);
  assert.ok(codes.length > 20);
  assert.deepEqual(codes.filter((code) => !known.includes(`\`${code}\``)), []);
});

test("every word that a screen says is there", () => {
  const files = readdirSync(new URL("pages/", app)).map((name) => new URL(`pages/${name}/${name}.js`, app));
  const said = files.flatMap((file) => Array.from(readFileSync(file, "utf8").matchAll(/say\("zh", "(\w+)"/g), ([, key]) => key));
  assert.ok(said.length > 5);
  said.forEach((key) => say("en", key, {}));
});

test("every page that is named has its files, and what it binds is there", () => {
  const { pages } = JSON.parse(readFileSync(new URL("app.json", app), "utf8"));
  for (const page of pages) {
    for (const kind of ["js", "json", "wxml"]) assert.ok(statSync(new URL(`${page}.${kind}`, app)).size > 0, `${page}.${kind}`);
    const code = readFileSync(new URL(`${page}.js`, app), "utf8");
    const bound = Array.from(readFileSync(new URL(`${page}.wxml`, app), "utf8").matchAll(/bind\w+="(\w+)"/g), ([, name]) => name);
    bound.forEach((name) => assert.match(code, new RegExp(`\\n {2}(async )?${name}\\(`), `${page}: ${name}`));
  }
});
