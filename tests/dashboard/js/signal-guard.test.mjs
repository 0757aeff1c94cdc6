/** What a wave may bring onto the screen, and what is told of how the drawing keeps up. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { BURST_FRAMES, FRAMES_PER_S, Guard, MOST_BYTES } from "../../../dashboard/static/signal/guard.js";
import { Meter, Recent } from "../../../dashboard/static/signal/stats.js";
import { counting, frameBytes } from "./frames.mjs";

const EXPECTED = { session: "S1", nChannels: 3 };

/** A guard that was told whose frames come. */
function guarding(session = "S1") {
  const guard = new Guard();
  assert.deepEqual(guard.hello(JSON.stringify({ session }), 0), { session });
  return guard;
}

test("frames of the session pass", () => {
  const guard = guarding();
  assert.equal(guard.frame(frameBytes({ firstSample: 7 }), EXPECTED, 0)?.firstSample, 7);
  assert.equal(guard.total, 0);
});

test("garbage is counted and never thrown", () => {
  const guard = guarding();
  const noise = (n) => Uint8Array.from({ length: n }, (_, i) => (i * 167 + 13) % 256).buffer;
  const empty = frameBytes({ nSamples: 0 });
  const places = [-1, 2 ** 50].map((firstSample) => frameBytes({ firstSample }));
  for (const bytes of [noise(0), noise(3), noise(40), noise(4000), empty, ...places, frameBytes().slice(0, 45)]) {
    assert.equal(guard.frame(bytes, EXPECTED, 5), null);
  }
  assert.equal(guard.refused.unreadable, 8);
  assert.deepEqual(guard.last, { reason: "unreadable", atMs: 5 });
});

test("texts that name no session are counted", () => {
  const guard = guarding();
  for (const text of ["", "{", "null", "[]", '{"session": 5}', '{"bed": "B4"}']) assert.equal(guard.hello(text, 0), null);
  assert.equal(guard.hello(JSON.stringify({ session: "x".repeat(5000) }), 0), null);
  assert.deepEqual([guard.refused.unreadable, guard.refused.oversized, guard.session], [6, 1, "S1"]);
  assert.deepEqual(guard.hello('{"session": null}', 0), { session: null });
});

test("what is too large is not even read", () => {
  const guard = guarding();
  assert.equal(guard.frame(new ArrayBuffer(MOST_BYTES + 1), EXPECTED, 0), null);
  assert.equal(guard.refused.oversized, 1);
});

test("frames of other channels, or of another session, are not drawn under these names", () => {
  const guard = guarding();
  guard.frame(frameBytes({ nChannels: 4 }), EXPECTED, 0);
  guard.frame(frameBytes(), { session: "S2", nChannels: 3 }, 0);
  assert.deepEqual([guard.refused.channels, guard.refused.session], [1, 1]);
});

test("before anything is known of the session nothing passes, and nobody is to blame", () => {
  const guard = guarding();
  assert.equal(guard.frame(frameBytes(), { session: null, nChannels: 0 }, 0), null);
  assert.equal(guard.total, 0);
});

test("a stall's backlog passes, a flood does not, and the stream goes on after it", () => {
  const guard = guarding();
  const passed = (n, atMs) => Array.from({ length: n }, () => guard.frame(frameBytes(), EXPECTED, atMs)).filter(Boolean).length;
  assert.equal(passed(BURST_FRAMES, 0), BURST_FRAMES);
  assert.equal(passed(10_000, 0), 0);
  assert.equal(guard.refused.flood, 10_000);
  assert.equal(passed(1000, 1000), FRAMES_PER_S);
});

test("recent numbers are kept, older ones forgotten", () => {
  const recent = new Recent(4);
  assert.deepEqual(recent.quantiles(0.5), [null]);
  for (const value of [100, 1, 2, 3, 4]) recent.push(value);
  assert.deepEqual(recent.quantiles(0, 0.5, 1), [1, 3, 4]);
});

test("a sample's age at drawing: at sending, on the way beyond the fastest, and until drawn", () => {
  const meter = new Meter();
  const frame = (firstSample, sentS) => ({ ...counting(firstSample, 20), ageS: 0.03, sentS });
  meter.arrived(frame(0, 10), 500); // 500 ms between the clocks, as far as is known
  meter.arrived(frame(20, 10.02), 560); // 40 ms later than the fastest
  meter.drawn(30, 570, 1); // 10 ms after it came; 10 samples before its end
  const stats = meter.stats(570, { flood: 2 });
  assert.ok(Math.abs(stats.sample_to_pixel_p50_ms - (30 + 40 + 10 + 10)) < 1e-6);
  assert.equal(stats.fastest_ms, 500 - 10_000);
  assert.deepEqual(stats.refused, { flood: 2 });
});

test("a wave that does not say when it was sent still has an age", () => {
  const meter = new Meter();
  meter.arrived({ ...counting(0, 20), ageS: 0, sentS: NaN }, 100);
  meter.drawn(20, 130, 1);
  assert.equal(meter.stats(130, {}).sample_to_pixel_p95_ms, 30);
  assert.equal(meter.stats(130, {}).fastest_ms, null);
});

test("clocks that drift apart do not make the wave look late: the fastest of long ago is forgotten", () => {
  const meter = new Meter();
  for (const atMs of [0, 61_000, 122_000]) meter.arrived({ ...counting(0, 20), sentS: (atMs - atMs / 100) / 1000 }, atMs);
  meter.arrived({ ...counting(0, 20), sentS: 181.17 }, 183_000);
  meter.drawn(20, 183_000, 1);
  assert.ok(meter.stats(183_000, {}).sample_to_pixel_p50_ms < 700);
});

test("frames that did not come are counted within a segment; between two nothing is known", () => {
  const meter = new Meter();
  for (const [first, segment] of [[0, 0], [20, 0], [80, 0], [500, 1]]) {
    meter.arrived({ ...counting(first, 20), segment, sentS: NaN }, first);
  }
  assert.equal(meter.stats(1000, {}).dropped, 2);
});

test("frames a second and script per frame", () => {
  const meter = new Meter();
  for (let i = 0; i < 600; i += 1) {
    meter.drawn(null, (i * 1000) / 60, 1);
    meter.took(i < 590 ? 0.2 : 9);
  }
  const stats = meter.stats((599 * 1000) / 60, {});
  assert.ok(Math.abs(stats.fps - 60) <= 0.5);
  assert.deepEqual([stats.script_p50_ms, stats.script_p95_ms, stats.sample_to_pixel_p50_ms], [0.2, 0.2, null]);
});
