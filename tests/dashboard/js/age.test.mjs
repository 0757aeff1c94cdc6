/** Ages: never a fresh-looking stale number (law 7). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { CONTACT, PROGRESS, ageWords, elapsedS, lookOf, staleWords, worst } from "../../../dashboard/static/age.js";
import { outcomeAges, outcomeView } from "../../../dashboard/static/bed/outcome.js";
import { closedUtc, emptyState } from "../../../dashboard/static/bed/store.js";
import { THEN, contact, later, outcome, result, stateOf } from "./frames.mjs";

test("contact goes grey at 3 s, struck at 10 s, gone at 30 s", () => {
  const looks = [0, 2.9, 3, 9.9, 10, 29.9, 30, 9999].map((s) => lookOf(s, CONTACT));
  assert.deepEqual(looks, ["fresh", "fresh", "grey", "grey", "struck", "struck", "gone", "gone"]);
});

test("progress goes grey at 27 s, struck at 40 s, gone at 80 s", () => {
  const looks = [26.9, 27, 39.9, 40, 79.9, 80].map((s) => lookOf(s, PROGRESS));
  assert.deepEqual(looks, ["fresh", "grey", "grey", "struck", "struck", "gone"]);
});

test("lanes are stale by the age of the newest sample, not of its arrival", () => {
  assert.deepEqual([staleWords(0, 0.9), staleWords(0.5, 0.4), staleWords(0.05, 0)], ["", "", ""]);
  assert.equal(staleWords(5.2, 0.02), "Late: what arrives is 5 s old");
  assert.equal(staleWords(0.9, 0.2), "Late: what arrives is 1 s old");
  assert.equal(staleWords(0.05, 3), "No signal for 3 s");
  assert.equal(staleWords(5.2, 1), "No signal for 6 s");
});

test("the worst look wins", () => {
  assert.equal(worst("grey", "fresh"), "grey");
  assert.equal(worst("grey", "gone", "struck"), "gone");
});

test("time passes on the clock that saw more of it: a machine that slept is late", () => {
  assert.equal(elapsedS({ monoMs: 0, wallMs: 0 }, { monoMs: 1000, wallMs: 61_000 }), 61);
  assert.equal(elapsedS({ monoMs: 0, wallMs: 0 }, { monoMs: 1000, wallMs: -5000 }), 1);
});

test("ages are told in whole units", () => {
  assert.deepEqual([3.9, 119, 120, 7199, 7200].map(ageWords), ["3 s", "119 s", "2 min", "119 min", "2 h"]);
});

test("a number ages by itself when nothing comes any more", () => {
  const state = stateOf(contact(), outcome("READY"), result(0));
  const looks = [0, 2, 3.5, 11, 31].map((s) => outcomeView(state, later(s)));
  assert.deepEqual(looks.map(({ look }) => look), ["fresh", "fresh", "grey", "struck", "gone"]);
  assert.deepEqual(looks.map(({ code }) => code), ["READY", "READY", "READY", "STALE", "STALE"]);
  assert.deepEqual(looks.map(({ number }) => number), ["69 %", "69 %", "69 %", "69 %", "---"]);
});

test("a number that is gone leaves neither interval nor its parts' numbers", () => {
  const view = outcomeView(stateOf(contact(), outcome("PARTIAL")), later(60));
  assert.deepEqual([view.interval, view.probability, view.tenths], [null, null, ""]);
  assert.match(view.modalities[0].detail, /alone ---/);
});

for (const [role, words] of [["bridge", "the bridge"], ["scorer", "the scorer"], ["aggregator", "the aggregator"]]) {
  test(`silence of ${role} alone makes the number stale, by name`, () => {
    const ages = outcomeAges(stateOf(contact({ roles: { [role]: 12 } }), outcome("READY")), later(0));
    assert.deepEqual([ages.look, ages.words], ["struck", `no word from ${words} for 12 s`]);
  });
}

test("when all are silent because Redis is, Redis is named", () => {
  const silent = contact({ roles: { bridge: 12, scorer: 12, aggregator: 12 }, redis: 11 });
  assert.equal(outcomeAges(stateOf(silent, outcome("READY")), later(0)).words, "no word from Redis for 11 s");
});

test("when the dashboard itself is silent, it is named", () => {
  assert.equal(outcomeAges(stateOf(contact(), outcome("READY")), later(5)).words, "no word from this dashboard for 5 s");
});

test("silence of the nearest hides no older one behind it", () => {
  const look = (told, s) => outcomeAges(stateOf(contact(told), outcome("READY")), later(s)).look;
  assert.equal(look({ roles: { bridge: 6 } }, 4.5), "struck"); // the dashboard for 4.5 s, the bridge for 10.5 s
  assert.equal(look({ roles: { bridge: 27 }, redis: 3.5 }, 2.9), "struck");
  assert.equal(look({ roles: { bridge: 27.5 }, redis: 3.5 }, 2.9), "gone");
});

test("missing progress is told with its cause, apart from contact", () => {
  const late = contact({ progress: 41, cause: "no signal since the source is lost" });
  const ages = outcomeAges(stateOf(late, outcome("READY"), result(0)), later(0));
  assert.deepEqual([ages.look, ages.words], ["struck", "no result for 41 s: no signal since the source is lost"]);
});

test("a closed session is final and does not age", () => {
  const state = stateOf(contact(), outcome("READY"), { type: "end", data: { reason: "planned", ended_utc: "2026-11-22T12:34:56Z" } });
  const view = outcomeView(state, later(3600));
  assert.equal(view.look, "fresh");
  assert.match(view.updated, /^final, \d\d:\d\d$/);
});

test("a session that was closed without a word of its bridge is closed too", () => {
  assert.equal(closedUtc(stateOf(contact({ closed: "2026-11-22T12:00:00Z" }))), "2026-11-22T12:00:00Z");
});

test("a bed of which nothing was told, or not any more, is not called empty", () => {
  assert.equal(outcomeView(emptyState(THEN), later(0)).code, "UNKNOWN");
  const bare = { type: "snapshot", data: { bed: "B4", session: null, entries: [] } };
  const silent = { ...contact({ redis: 12 }), session: null };
  const view = outcomeView(stateOf(bare, silent), later(0));
  assert.deepEqual([view.code, view.late], ["UNKNOWN", "no word from Redis for 12 s"]);
});
