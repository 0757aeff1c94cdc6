/** The way of a sample in the browser: decoded, held, due, placed. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeFrame } from "../../../dashboard/static/signal/decoder.js";
import { Page, barUv, boundariesIn, originAt, phaseSpans, settlingSpans } from "../../../dashboard/static/signal/page.js";
import { DELAY_MS, Playout } from "../../../dashboard/static/signal/playout.js";
import { Ring } from "../../../dashboard/static/signal/ring.js";
import { counting, frameBytes } from "./frames.mjs";

test("a frame is read to the letter", () => {
  const frame = decodeFrame(frameBytes({ firstSample: 2 ** 40, segment: 7, saturated: 4 }));
  assert.deepEqual([frame.nSamples, frame.nChannels, frame.segment, frame.saturated], [2, 3, 7, 4]);
  assert.equal(frame.firstSample, 2 ** 40);
  assert.equal(frame.ageS, 0.25);
  assert.deepEqual([...frame.steps], [-3, -2, -1, 0, 1, 2]);
});

test("a frame whose time nobody knows, or from a clock ahead of its sender's, is as old as its arrival", () => {
  assert.equal(decodeFrame(frameBytes({ stampS: NaN })).ageS, 0);
  assert.equal(decodeFrame(frameBytes({ sentS: NaN })).ageS, 0);
  assert.equal(decodeFrame(frameBytes({ stampS: 0.8 })).ageS, 0);
});

test("bytes that are no frame are refused with what they are", () => {
  assert.throws(() => decodeFrame(new ArrayBuffer(8)), /8 bytes has no header/);
  assert.throws(() => decodeFrame(new ArrayBuffer(44)), /does not begin with FXW2/);
  assert.throws(() => decodeFrame(frameBytes().slice(0, 48)), /has 48 bytes, its header says 52/);
});

test("a ring holds samples by their index, also where it turns over", () => {
  const ring = new Ring(2, 100);
  for (let first = 0; first < 250; first += 25) ring.put(counting(first, 25));
  const [least, greatest] = [new Int16Array(2), new Int16Array(2)];
  assert.equal(ring.extremes(190, 210, least, greatest), 20);
  assert.deepEqual([[...least], [...greatest]], [[190, -209], [209, -190]]);
  assert.deepEqual([ring.has(149), ring.has(150), ring.has(249), ring.has(250)], [false, true, true, false]);
});

test("what did not come is absent, never the samples of the turn before", () => {
  const ring = new Ring(2, 100);
  ring.put(counting(0, 100));
  ring.put(counting(120, 10));
  const [least, greatest] = [new Int16Array(2), new Int16Array(2)];
  assert.equal(ring.extremes(100, 120, least, greatest), 0);
  assert.equal(ring.extremes(90, 130, least, greatest), 20);
});

test("a gap longer than the ring leaves nothing of before", () => {
  const ring = new Ring(2, 100);
  ring.put(counting(0, 100));
  ring.put(counting(1000, 10));
  assert.equal(ring.present.reduce((sum, there) => sum + there, 0), 10);
});

test("counting that begins anew begins the ring anew", () => {
  const ring = new Ring(2, 100);
  ring.put(counting(5000, 50));
  ring.put(counting(0, 10));
  assert.deepEqual([ring.first, ring.end, ring.has(5), ring.has(5049)], [0, 10, true, false]);
});

test("the due sample runs evenly though frames arrive in bursts", () => {
  const playout = new Playout(1000);
  const dues = [];
  for (let ms = 0; ms < 4000; ms += 20) {
    // 20 ms frames that come in bursts of four
    if (ms % 80 === 0) for (let k = 3; k >= 0; k -= 1) playout.arrived(ms - 20 * k + 1000, ms);
    dues.push(playout.due(ms));
  }
  const steps = dues.slice(100).map((due, i) => due - dues[99 + i]);
  assert.ok(steps.every((step) => step >= 18 && step <= 22), `steps ${Math.min(...steps)} to ${Math.max(...steps)}`);
});

test("the due sample stays the stated delay behind the earliest arrival, and never runs past the newest", () => {
  const playout = new Playout(1000);
  assert.equal(playout.due(0), null);
  playout.arrived(1000, 0);
  assert.equal(playout.due(0), 1000 - DELAY_MS);
  assert.equal(playout.due(500), 1000);
});

test("after a hidden page the due sample is now, not the backlog", () => {
  const playout = new Playout(1000);
  playout.arrived(1000, 0);
  playout.due(0);
  playout.jump();
  playout.arrived(61_000, 60_000);
  assert.equal(playout.due(60_000), 61_000 - DELAY_MS);
});

test("samples that were lost move the due sample on at once", () => {
  const playout = new Playout(1000);
  playout.arrived(1000, 0);
  playout.due(0);
  playout.arrived(5020, 20);
  assert.equal(playout.due(20), 5020 - DELAY_MS);
});

test("a page begins where a window begins, and its columns hold every sample once", () => {
  const page = new Page(700, 4000);
  assert.equal(page.start(13_999), 4000);
  assert.equal(page.start(14_000), 14_000);
  assert.equal(page.start(3999), -6000);
  assert.equal(page.x(page.column(14_000)), 0);
  for (let column = -50; column < 1500; column += 1) {
    assert.equal(page.column(page.first(column)), column);
    assert.equal(page.column(page.first(column + 1) - 1), column);
  }
});

test("pages are counted from the first window of the segment that is drawn", () => {
  const segments = [{ segment: 0, first_sample: 0, reason: "start" }, { segment: 1, first_sample: 47_500, reason: "gap" }];
  assert.equal(originAt(segments, 47_499), 4000);
  assert.equal(originAt(segments, 47_500), 51_500);
  assert.equal(originAt([], 5), 4000);
});

test("a phase lasts until the next marker that the montage knows, cut to what is shown", () => {
  const markers = [
    { text: "flexion", phase: "flexion", sample: 100 },
    { text: "nurse came in", phase: null, sample: 150 },
    { text: "rest", phase: "rest", sample: 200 },
    { text: "session-end", phase: "session-end", sample: 300 },
  ];
  const spans = [{ phase: "flexion", from: 120, to: 200 }, { phase: "rest", from: 200, to: 300 }];
  assert.deepEqual(phaseSpans(markers, 120, 400), spans);
});

test("settling is shown after every segment's begin", () => {
  const segments = [{ segment: 0, first_sample: 0, reason: "start" }, { segment: 1, first_sample: 9000, reason: "gap" }];
  const spans = settlingSpans(segments, 2000, 10_000);
  assert.deepEqual(spans.map(({ from, to }) => [from, to]), [[2000, 4000], [9000, 10_000]]);
});

test("windows begin where they were made, and the next where the last one ends", () => {
  const segments = [{ segment: 0, first_sample: 0, reason: "start" }, { segment: 1, first_sample: 30_000, reason: "gap" }];
  const made = (index, first_sample) => ({ index, first_sample, n_samples: 10_000 });
  assert.deepEqual(boundariesIn([], segments.slice(0, 1), 0, 9000), [{ sample: 4000, index: 0 }]);
  const windows = [made(0, 4000), made(1, 14_000)];
  const bounds = (...args) => boundariesIn(...args).map(({ sample, index }) => [sample, index]);
  assert.deepEqual(bounds(windows, segments.slice(0, 1), 10_000, 30_000), [[14_000, 1], [24_000, 2]]);
  assert.deepEqual(bounds(windows, segments, 0, 50_000), [[4000, 0], [14_000, 1], [34_000, 2]]);
  assert.deepEqual(bounds([], [], 0, 50_000), []);
});

test("a bar is a round number that fits in half a lane", () => {
  assert.deepEqual([50, 100, 200, 500, 1000, 2000, 30].map(barUv), [20, 50, 100, 200, 500, 1000, 10]);
});

test("a copy of the ring stays as it is while the ring goes on", () => {
  const ring = new Ring(2, 100);
  ring.put(counting(0, 50));
  const copy = ring.copy();
  ring.put(counting(50, 100));
  assert.deepEqual([copy.value(10, 0), copy.value(10, 1), copy.end, copy.first], [10, -10, 50, 0]);
  assert.deepEqual([ring.value(10, 0), ring.value(149, 1), copy.value(60, 0)], [null, -149, null]);
});
