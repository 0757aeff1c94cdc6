/** A key does what the help says, and nothing while somebody types. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Keys, isForPage, nameOf } from "../../../dashboard/static/keys.js";
import { stepTo } from "../../../dashboard/static/steps.js";

const PAGE = { typing: false, pressable: false, dialog: false };

test("a key does what it was given, whatever its case", () => {
  const keys = new Keys();
  const done = [];
  keys.on("M", "Mark", () => done.push("mark"));
  keys.on("Space", "Freeze", () => done.push("freeze"));
  keys.on("+", "Larger", () => done.push("larger"));
  for (const key of ["m", "M", " ", "=", "+"]) assert.equal(keys.press({ key }, PAGE), true);
  assert.deepEqual(done, ["mark", "mark", "freeze", "larger", "larger"]);
  assert.equal(keys.press({ key: "x" }, PAGE), false);
});

test("a key is taken once, and can be given back", () => {
  const keys = new Keys();
  const off = keys.on("N", "Note", () => {});
  assert.throws(() => keys.on("N", "Night", () => {}), /key N does something already: Note/);
  off();
  keys.on("N", "Night", () => {});
  assert.deepEqual(keys.list().map(({ name, label }) => [name, label]), [["N", "Night"]]);
});

test("the help leaves out what has no words", () => {
  const keys = new Keys();
  keys.on("Escape", "", () => {});
  assert.deepEqual(keys.list(), []);
});

test("what is typed, pressed or asked elsewhere is not the page's", () => {
  for (const place of [{ typing: true }, { dialog: true }]) assert.equal(isForPage({ key: "m" }, { ...PAGE, ...place }), false);
  for (const held of ["ctrlKey", "altKey", "metaKey"]) assert.equal(isForPage({ key: "m", [held]: true }, PAGE), false);
  const button = { ...PAGE, pressable: true };
  for (const key of [" ", "Enter", "ArrowLeft"]) assert.equal(isForPage({ key }, button), false);
  assert.equal(isForPage({ key: "m" }, button), true);
});

test("a key that is held down marks once, and scrolls on", () => {
  assert.equal(isForPage({ key: "m", repeat: true }, PAGE), false);
  assert.equal(isForPage({ key: "ArrowLeft", repeat: true }, PAGE), true);
});

test("an action that had nothing to do leaves the key to the browser", () => {
  const keys = new Keys();
  keys.on("ArrowLeft", "Back", () => false);
  assert.equal(keys.press({ key: "ArrowLeft" }, PAGE), false);
});

test("keys can be switched off", () => {
  const keys = new Keys();
  keys.on("M", "Mark", () => assert.fail("switched off"));
  keys.enabled = false;
  assert.equal(keys.press({ key: "m" }, PAGE), false);
  assert.equal(nameOf("Escape"), "Escape");
});

test("arrows go through a list and stay at its ends", () => {
  const led = ["ArrowDown", "ArrowUp", "ArrowLeft", "End", "Home", "a"].map((key) => stepTo(key, 0, 3));
  assert.deepEqual(led, [1, 0, 0, 2, 0, undefined]);
  assert.equal(stepTo("ArrowRight", 2, 3), 2);
});
