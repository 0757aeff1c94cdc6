/** The page of the cues: counts down by itself, never past the server, and shows no cue that may be old (law 7). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { legAt } from "../../../dashboard/static/cues/figure.js";
import { eased, sceneOf, take, viewOf } from "../../../dashboard/static/cues/view.js";
import { CATALOGUE, languageOf } from "../../../dashboard/static/cues/words.js";
import { say } from "../../../dashboard/static/words/say.js";

const EN = CATALOGUE.en;

/** A message in the middle of the first trial, changed as asked. */
const message = (changes = {}) => ({
  number: 3, state: "running", phase: "flexion", trial: 0, n_trials: 51, length_s: 3, left_s: 3, next: "rest",
  plan_s: 540, plan_left_s: 508, heard: true, ...changes,
});

/** What is shown so many seconds after a message came. */
const after = (s, changes = {}, { words = EN, calm = false, silentS = 0 } = {}) =>
  viewOf(take(null, message(changes), 1000), 1000 + 1000 * s, silentS, words, calm);

test("a cue counts down by itself, to 1 and no further", () => {
  assert.deepEqual([0, 0.9, 1.1, 2.9, 3.5].map((s) => after(s).seconds), ["3", "3", "2", "1", "1"]);
  assert.deepEqual([0, 1.5, 3, 9].map((s) => after(s).ring), [1, 0.5, 0, 0]);
});

test("when nothing is left the page waits for the server: the cue stays", () => {
  assert.equal(after(3.4).scene, "flexion");
  assert.equal(after(3.4).bend, 1);
});

test("the leg moves with the time that has passed, gently at both ends", () => {
  assert.deepEqual([0, 1.5, 3].map((s) => after(s).bend), [0, 0.5, 1]);
  assert.ok(eased(0.1) < 0.1 && eased(0.9) > 0.9);
  assert.deepEqual([0, 3].map((s) => after(s, { phase: "extension" }).bend), [1, 0]);
  assert.deepEqual(["flexion", "extension", "rest", "preparation"].map((phase) => after(1, { phase }).way), [-1, 1, 0, 0]);
  assert.equal(after(1, { phase: "rest" }).bend, 1);
});

test("with reduced motion the leg stands where it is to go, and the ring goes in whole seconds", () => {
  const views = [0, 0.4, 1.4].map((s) => after(s, {}, { calm: true }));
  assert.deepEqual(views.map(({ bend }) => bend), [1, 1, 1]);
  assert.deepEqual(views.map(({ ring }) => ring), [1, 1, 2 / 3]);
});

test("three seconds without a word take the cue away, whatever it was", () => {
  for (const state of ["ready", "running", "pausing", "paused"]) {
    assert.equal(after(1, { state }, { silentS: 2.9 }).scene === "away", false);
    const silent = after(1, { state }, { silentS: 3.2 });
    assert.deepEqual([silent.scene, silent.seconds, silent.note], ["away", "", "No contact with the computer for 3 s"]);
    assert.deepEqual(silent.can, { start: false, hold: "", end: false });
  }
  assert.equal(viewOf(null, 0, 0, EN, false).note, "Connecting");
});

test("what is over stays over, contact or not", () => {
  const ended = after(1, { state: "ended", phase: null, left_s: null, length_s: null, next: null, plan_left_s: 0 }, { silentS: 99 });
  assert.deepEqual([ended.scene, ended.headline, ended.note, ended.course], ["ended", "Thank you", "", 1]);
  assert.deepEqual(ended.can, { start: false, hold: "", end: false });
});

test("a message that came late moves nothing back", () => {
  const first = take(null, message({ left_s: 3 }), 0);
  const late = take(first, message({ left_s: 2 }), 1400);
  assert.equal(viewOf(late, 1400, 0, EN, false).ring.toFixed(4), (1.6 / 3).toFixed(4));
  const quick = take(late, message({ left_s: 1 }), 1900);
  assert.equal(viewOf(quick, 1900, 0, EN, false).ring.toFixed(4), (1 / 3).toFixed(4));
  assert.equal(take(quick, message({ number: 4, left_s: 2 }), 3100).atMs, 3100);
});

test("every state has its scene and what can be pressed in it", () => {
  const of = (state, phase = null) => [sceneOf({ state, phase }), after(0, { state, phase }).can];
  assert.deepEqual(of("ready"), ["ready", { start: true, hold: "", end: true }]);
  assert.deepEqual(of("running"), ["still", { start: false, hold: "pause", end: true }]);
  assert.deepEqual(of("pausing", "rest"), ["rest", { start: false, hold: "go-on", end: true }]);
  assert.deepEqual(of("paused", "rest"), ["paused", { start: false, hold: "go-on", end: true }]);
});

test("a pause that was asked for is announced in the place of the next repetition", () => {
  const view = after(0, { state: "pausing", phase: "extension", next: "preparation" });
  assert.deepEqual([view.then, view.note], ["Next: a pause", "Pause after this repetition"]);
  assert.equal(after(0, { state: "pausing", next: "rest" }).then, "Next: rest");
});

test("that nobody records the markers is said, before the start and all through", () => {
  for (const state of ["ready", "running", "pausing", "paused"]) {
    const { note, alert } = after(0, { state, heard: false });
    assert.deepEqual([note, alert], ["Nobody records the markers", true]);
  }
});

test("how far the plan has come, in repetitions, minutes and on the line", () => {
  const view = after(1);
  assert.deepEqual([view.trial, view.left], ["Repetition 1 of 51", "about 9 min left"]);
  assert.equal(view.course.toFixed(4), (33 / 540).toFixed(4));
  assert.equal(after(0, { plan_left_s: 59 }).left, "less than a minute left");
  assert.equal(after(0, { state: "ready", phase: null, trial: null, left_s: null, plan_left_s: 540 }).left, "about 9 min in all");
  const endless = after(0, { n_trials: null, plan_s: null, plan_left_s: null });
  assert.deepEqual([endless.trial, endless.left, endless.course], ["", "", 0]);
});

test("every word is there in both languages, with the same places for values", () => {
  const shape = (value) =>
    typeof value === "string" ? [...value.matchAll(/\{\w+\}/g)].map(String).sort()
      : Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shape(inner)]));
  assert.deepEqual(shape(CATALOGUE.zh), shape(CATALOGUE.en));
  assert.equal(say(CATALOGUE.zh.trial, { n: 2, of: 51 }), "第 2 次，共 51 次");
  assert.throws(() => languageOf("fr"), /no words in language fr/);
  assert.equal(after(0, {}, { words: CATALOGUE.zh }).headline, "屈腿");
});

test("thigh and shank keep their lengths, the heel stays on the bed, the knee above it", () => {
  const length = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);
  for (const bend of [0, 0.25, 0.5, 0.75, 1]) {
    const { hip, knee, heel } = legAt(bend);
    assert.ok(Math.abs(length(hip, knee) - 43) < 1e-9 && Math.abs(length(knee, heel) - 43) < 1e-9);
    assert.ok(knee.y < heel.y && heel.y === legAt(0).heel.y && knee.x > hip.x);
  }
  assert.ok(legAt(1).heel.x < legAt(0).heel.x);
});
