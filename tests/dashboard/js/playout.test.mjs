/** How far behind the source the screen is: as little as the frames' own lateness allows. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { DELAY_MS, LEAST_MS, MOST_MS, Playout } from "../../../dashboard/static/signal/playout.js";

/** Frames of 20 ms that come `lateMs(i)` after their last sample; returns the playout at the end, and the time. */
function played(seconds, lateMs) {
  const playout = new Playout(1000);
  const frames = Array.from({ length: 50 * seconds }, (_, i) => ({ end: 20 * (i + 1), atMs: 20 * (i + 1) + lateMs(i) }));
  let nowMs = 0;
  for (const { end, atMs } of frames) {
    nowMs = Math.max(nowMs, atMs); // one socket: none overtakes another
    playout.arrived(end, nowMs);
    playout.due(nowMs);
  }
  return { playout, nowMs };
}

test("frames on time need the least delay", () => {
  const { playout, nowMs } = played(3, () => 5);
  assert.equal(playout.delayMs, LEAST_MS);
  assert.equal(nowMs - 5 - playout.due(nowMs), LEAST_MS);
});

test("frames that come in bursts are waited for, so that the screen does not", () => {
  const { playout } = played(12, (i) => 20 * (4 - (i % 5)));
  assert.ok(playout.delayMs >= 95 && playout.delayMs <= 105, `${playout.delayMs} ms`);
});

test("a rare stall costs no delay; one that comes again and again does", () => {
  const rare = played(12, (i) => (i === 400 ? 200 : 5)).playout.delayMs;
  const often = played(12, (i) => (i % 50 === 49 ? 150 : 5)).playout.delayMs;
  assert.ok(rare < 60, `${rare} ms`);
  assert.ok(often >= 140, `${often} ms`);
});

test("an outage is none of the jitter, and the delay has its bound", () => {
  assert.ok(played(12, (i) => (i >= 300 && i < 400 ? 20 * (400 - i) : 5)).playout.delayMs < 60);
  assert.equal(played(12, (i) => 20 * (20 - (i % 20))).playout.delayMs, MOST_MS);
});

test("the delay goes back when the frames are on time again, and the due sample bends, never leaps", () => {
  const playout = new Playout(1000);
  const dues = [];
  for (let i = 0; i < 1500; i += 1) {
    const nowMs = 20 * i;
    const late = i < 700 ? i % 5 : 0; // in bursts of five, then on time
    if (late === 0) for (let k = i < 700 ? 4 : 0; k >= 0; k -= 1) playout.arrived(20 * (i - k) + 1000, nowMs);
    dues.push(playout.due(nowMs));
  }
  const steps = dues.slice(100).map((due, i) => due - dues[99 + i]);
  assert.ok(steps.every((step) => step >= 17 && step <= 23), `steps ${Math.min(...steps)} to ${Math.max(...steps)}`);
  assert.equal(playout.delayMs, LEAST_MS);
});

test("counting that begins anew begins the clock anew", () => {
  const { playout, nowMs } = played(3, () => 5);
  playout.arrived(20, nowMs + 20);
  assert.ok(Math.abs(playout.due(nowMs + 20) - (20 - playout.delayMs)) <= 1);
  assert.equal(new Playout(1000).delayMs, DELAY_MS);
});
