/** What is done with the traces: freeze and scroll, scales, the time cursor, and what is said of them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { isOnRight, sampleAt, valueWords } from "../../../dashboard/static/signal/cursor.js";
import { frozenAt, frozenWords, scrolled, scrolledTo, timeWords } from "../../../dashboard/static/bed/freeze.js";
import { Scales, filterWords, gainWords, nextGain, pageWords, sensitivityWords, stateWords } from "../../../dashboard/static/signal/scale.js";
import { Page } from "../../../dashboard/static/signal/page.js";
import { Ring } from "../../../dashboard/static/signal/ring.js";
import { counting } from "./frames.mjs";

const NOON = new Date(2026, 10, 23, 12, 0, 0).getTime();
const BAND = { low_hz: 0.5, high_hz: 150, notch_hz: [50, 100], delay_ms: 1.9, delay_at_hz: 20 };

/** A ring with these samples, by 100. */
function ringOf(from, to) {
  const ring = new Ring(2, 120_000);
  for (let first = from; first < to; first += 100) ring.put(counting(first, 100));
  return ring;
}

test("a frozen page stands still while the ring goes on", () => {
  const ring = ringOf(0, 30_000);
  const frozen = frozenAt(ring, 29_900, { sample: 30_000, wallMs: NOON }, 1000);
  for (let first = 30_000; first < 150_000; first += 100) ring.put(counting(first, 100));
  assert.equal(ring.has(25_000), false);
  assert.deepEqual([frozen.from, frozen.ring.has(25_000), frozen.ring.end], [19_900, true, 30_000]);
});

test("scrolling goes back to the oldest page and on to the newest, not further", () => {
  const frozen = frozenAt(ringOf(0, 30_000), 30_000, { sample: 30_000, wallMs: NOON }, 1000);
  assert.equal(scrolled(frozen, -1).from, 19_000);
  assert.equal(scrolled(frozen, -100).from, 0);
  assert.equal(scrolled(scrolled(frozen, -5), 10).from, 20_000);
  assert.equal(scrolledTo(frozen, 1234).from, 1234);
});

test("two minutes can be scrolled back, and a page that is not full yet can be frozen", () => {
  const long = frozenAt(ringOf(0, 200_000), 200_000, { sample: 200_000, wallMs: NOON }, 1000);
  assert.deepEqual([long.oldest, long.newest], [80_000, 190_000]);
  const short = frozenAt(ringOf(5000, 9000), 9000, { sample: 9000, wallMs: NOON }, 1000);
  assert.deepEqual([short.oldest, short.newest, scrolled(short, -5).from], [-1000, -1000, -1000]);
});

test("a frozen page says when it was", () => {
  const frozen = frozenAt(ringOf(0, 30_000), 30_000, { sample: 30_000, wallMs: NOON }, 1000);
  assert.equal(frozenWords(frozen), "Frozen: 11:59:50 to 12:00:00. Live goes on.");
  assert.equal(timeWords({ sample: 30_000, wallMs: NOON }, 29_750, 1000, true), "11:59:59.750");
});

test("gains are powers of two between their ends, and said beside the lane", () => {
  assert.deepEqual([nextGain(1, 1), nextGain(1, -1), nextGain(16, 1), nextGain(1 / 16, -1)], [2, 0.5, 16, 1 / 16]);
  assert.deepEqual([gainWords(1), gainWords(4), gainWords(0.25)], ["", "×4", "÷4"]);
  assert.equal(sensitivityWords(100 / 16), "6.25 µV per lane");
});

test("a gain is its lane's alone, and ends with the session", () => {
  const scales = new Scales();
  let changes = 0;
  scales.onChange = () => (changes += 1);
  scales.step(1);
  scales.choose("C3");
  scales.step(1);
  assert.deepEqual([scales.gain("C3"), scales.gain("C4"), changes], [2, 1, 2]);
  scales.choose("C3");
  assert.equal(scales.chosen, null);
  scales.begin();
  assert.equal(scales.gain("C3"), 1);
});

test("page, bars and filters in words; the filters once where both kinds have the same", () => {
  const filters = { eeg: BAND, emg: BAND };
  const filter = "0.5–150 Hz, notch 50 and 100 Hz, causal, delay 2 ms at 20 Hz";
  const uv = { eeg: 100, emg: 1000 };
  assert.equal(pageWords(uv, { filters }, false), `10 s per page = one window · bars 50 µV EEG, 500 µV EMG · ${filter}`);
  assert.deepEqual(filterWords({ eeg: BAND, emg: { ...BAND, low_hz: 20 } }), [`EEG ${filter}`, `EMG ${filter.replace("0.5", "20")}`]);
  assert.equal(pageWords(uv, null, true), "10 s per page = one window, whole pages · bars 50 µV EEG, 500 µV EMG");
});

test("a column of the screen is one sample, and none in the erase bar", () => {
  const page = new Page(1000, 4000);
  const shown = { from: 54_300, to: 64_000 };
  assert.equal(sampleAt(page, shown, 999), 63_990);
  assert.equal(sampleAt(page, shown, 500), 59_000);
  assert.equal(sampleAt(page, shown, 10), null);
  assert.equal(sampleAt(page, { from: 54_600, to: 64_300 }, 10), 64_100);
  assert.equal(sampleAt(page, { from: 0, to: 0 }, 10), null);
});

test("values have a sign, a unit and no more digits than mean something", () => {
  assert.deepEqual([123, -45, 0, 12_345].map(valueWords), ["+12.3 µV", "−4.5 µV", "+0.0 µV", "+1235 µV"]);
  assert.equal(valueWords(null), "–");
  assert.deepEqual([0.2, 0.9].map(isOnRight), [false, true]);
});

test("a chosen lane says all that is wrong with it, where beside the traces there is no room", () => {
  const lane = { label: "C3", kind: "eeg", quality: 0.8, grade: "fair", words: "samples missing", remedy: "check the connection", hums: false };
  assert.equal(stateWords(lane), "quality 80 %; samples missing: check the connection");
  assert.equal(stateWords({ ...lane, quality: 1, words: "", remedy: "" }), "quality 100 %");
  assert.equal(stateWords({ ...lane, quality: null }), "quality unknown");
});
