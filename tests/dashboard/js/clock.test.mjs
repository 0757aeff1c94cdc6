/** How long what the server says was on its way (law 7). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { before, laneAgeS } from "../../../dashboard/static/age.js";
import { ServerClock } from "../../../dashboard/static/clock.js";

const stamp = (at_s, server = "a") => ({ server, at_s });

/** Equal to within half a round trip. */
const near = (actual, expected) => assert.ok(Math.abs(actual - expected) <= 10, `${actual} is not about ${expected}`);

/** A clock tied by a round trip of some milliseconds; ours reads 5 s more than the server's. */
function tied(tripMs = 20) {
  const clock = new ServerClock();
  clock.answered(stamp(10), 15_000 - tripMs / 2, 15_000 + tripMs / 2);
  return clock;
}

test("a message is as late as it is by the server's own clock", () => {
  const clock = tied();
  near(clock.lateMs(stamp(11), 16_000), 0);
  near(clock.lateMs(stamp(12), 23_000), 6000);
});

test("all that waited in a line that hung is old, but the last", () => {
  const clock = tied();
  [11, 12, 13, 14].forEach((at, i) => near(clock.lateMs(stamp(at), 19_000), 3000 - 1000 * i));
});

test("before any answer the fastest message is the measure", () => {
  const clock = new ServerClock();
  assert.deepEqual([clock.lateMs(stamp(1), 6040), clock.lateMs(stamp(2), 7010), clock.lateMs(stamp(3), 8510)], [0, 0, 500]);
});

test("a line that is slow from the first message on is found out by a question", () => {
  const clock = new ServerClock();
  assert.equal(clock.lateMs(stamp(1), 12_000), 0);
  assert.ok(clock.strange);
  clock.answered(stamp(8), 7000, 19_000);
  assert.equal(clock.lateMs(stamp(14), 25_000), 6000);
});

test("a slow answer does not loosen a good tie; one that contradicts it replaces it", () => {
  const clock = tied();
  clock.answered(stamp(20), 20_000, 30_000);
  near(clock.lateMs(stamp(30), 35_000), 0);
  clock.answered(stamp(40), 47_000, 47_010);
  near(clock.lateMs(stamp(41), 48_005), 0);
});

test("what waits on a page that is busy is late, its own answers too", () => {
  const clock = new ServerClock();
  assert.equal(clock.lateMs(stamp(1), 6000), 0);
  clock.answered(stamp(8), 13_000, 23_000);
  assert.equal(clock.lateMs(stamp(9), 24_000), 10_000);
});

test("a clock that stood still is strange, and tied anew", () => {
  const clock = tied();
  assert.equal(clock.lateMs(stamp(100), 16_000), 0);
  assert.ok(clock.strange);
  clock.answered(stamp(100.5), 16_490, 16_510);
  near(clock.lateMs(stamp(101), 17_000), 0);
  assert.ok(!clock.strange);
});

test("a server that was started again has another clock", () => {
  const clock = tied();
  assert.equal(clock.lateMs(stamp(5000, "b"), 16_000), 0);
  assert.ok(clock.strange);
});

test("what was late came before, by both clocks", () => {
  assert.deepEqual(before({ monoMs: 5000, wallMs: 9000 }, 2000), { monoMs: 3000, wallMs: 7000 });
});

test("a lane is as old as its newest sample, by its own frames or by how far the server's wave is, whichever is more", () => {
  assert.equal(laneAgeS({ cameAgeS: 0.1, silentS: 0.5, end: 0 }, null, 0, 1000), 0.6);
  const wave = { end: 20_000, age_s: 0.05 };
  assert.ok(Math.abs(laneAgeS({ cameAgeS: 0.05, silentS: 0, end: 20_500 }, wave, 0.5, 1000) - 0.05) < 1e-9);
  assert.ok(Math.abs(laneAgeS({ cameAgeS: 0.05, silentS: 0, end: 14_000 }, wave, 0.2, 1000) - 6.25) < 1e-9);
});
