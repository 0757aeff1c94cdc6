/** The page of a recorded session: the same state as at the bed, at any moment of it (laws 1 and 8). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { envelopeOf, framesOf, reachOf } from "../../../dashboard/static/session/cuts.js";
import { facts, pictures, problemWords } from "../../../dashboard/static/session/facts.js";
import { Recent } from "../../../dashboard/static/session/library.js";
import { outcomeThenView, withheldWords } from "../../../dashboard/static/session/outcome.js";
import { afterWords, placeWords, playedWords } from "../../../dashboard/static/session/place.js";
import { advanced, headAt, isOver, leavesOf, lookedAt, samplesIn } from "../../../dashboard/static/session/playing.js";
import { Reel } from "../../../dashboard/static/session/reel.js";
import { ledgerRows, measureRows, phaseRows, qualityRows } from "../../../dashboard/static/session/report.js";
import { STEPS, fateThen, fullScale } from "../../../dashboard/static/session/scrubber.js";
import { placeBy, stopAt, stopOf, stopsOf } from "../../../dashboard/static/session/stops.js";
import { changed, createSession, emptySession, isLast, outcomeThen, rowThen, wentTo } from "../../../dashboard/static/session/store.js";
import { pageOf, qualityOver } from "../../../dashboard/static/session/then.js";
import { lanesOver } from "../../../dashboard/static/session/traces.js";
import { trendOf, trendWords } from "../../../dashboard/static/session/trend.js";
import { cellsOf } from "../../../dashboard/static/session/windows.js";
import { SESSION, frameBytes, outcome } from "./frames.mjs";

/** Two segments: 26 s, a hole of 1 s, 18 s; windows at 4, 14 and 31 s. */
const SIGNAL = {
  rate_hz: 1000,
  n_samples: 45_000,
  labels: ["C3", "RF"],
  kinds: ["eeg", "emg"],
  segments: [{ segment: 0, first_sample: 0, reason: "start" }, { segment: 1, first_sample: 27_000, reason: "gap" }],
  markers: [{ text: "f", phase: "flexion", sample: 5000 }, { text: "r", phase: "rest", sample: 8000 }, { text: "f", phase: "flexion", sample: 40_000 }],
  windows: [{ index: 0, first_sample: 4000, n_samples: 10_000, sqi: 1, weight: 1, channel_quality: { C3: 0.2, RF: 1 }, faults: { C3: ["flat"] }, flags: [], phases: [] }],
  quality: { every: 1000, faults: ["flat", "saturated"], seconds: [0, 4, 5, 14], good: [[10, 10, 10], [10, 5, 10], [0, 5, 10], [10, 10, 10]], bits: [[0, 0], [0, 2], [1, 2], [0, 0]] },
  spans: [[0, 0, 26_000], [1, 27_000, 45_000]],
  same_chain: true,
};
const COURSE = {
  index: [0, 1, 2],
  first_sample: [4000, 14_000, 31_000],
  segment: [0, 0, 1],
  state: ["scored", "not_scored", "scored"],
  weight: [1, 0, 0.5],
  sqi: [1, 0, 0.25],
  p: [0.7, null, 0.6],
  outcomes: { index: [0, 1, 2], state: ["COLLECTING", "COLLECTING", "PARTIAL"], probability: [null, null, 0.66], interval: [null, null, [0.5, 0.8]] },
};
const TOLD = {
  info: { ...SESSION, created_utc: "2026-11-22T09:30:00Z" },
  ledger: { ended: true, reason: "planned", ended_utc: "2026-11-22T09:39:00Z", ledger: { received: 44_000, declared_lost: 1000, discarded: { settling: 8000 }, balanced: true } },
  ended: true, in_error: false, notes: [], scans: [], windows: { results: 3, scored: 2 },
  outcome: outcome("PARTIAL").data, lack: "", digest: "ab".repeat(32), problems: [], no_traces: null,
};
const row = (index, more = {}) => ({
  index, segment: 0, first_sample: COURSE.first_sample[index], state: COURSE.state[index], reason: null, logit: 0.8, p: 0.69, sqi: 1, weight: 1,
  flags: [], phases: [["rest", 0, 500]], channel_quality: [], engine: null, outcome_at: index, outcome: outcome("COLLECTING", { probability: null }).data, ...more,
});
const ROWS = { total: 3, first: 0, windows: [row(0), row(1), row(2)] };

/** The whole page, as after everything came. */
const whole = (more = {}) => [{ told: TOLD }, { course: COURSE }, { signal: SIGNAL }, { rows: ROWS }, more].reduce(changed, emptySession());

/** The bytes of an envelope. */
function envelopeBytes(columns, channels, least, greatest) {
  const buffer = new ArrayBuffer(32 + 4 * columns * channels);
  const view = new DataView(buffer);
  [..."FXC1"].forEach((letter, i) => view.setUint8(i, letter.charCodeAt(0)));
  view.setUint16(4, columns, true);
  view.setUint16(6, channels, true);
  view.setBigInt64(24, 500n, true);
  [...least, ...greatest].forEach((value, i) => view.setInt16(32 + 2 * i, value, true));
  return buffer;
}

test("frames stand one after the other, and half a frame is refused", () => {
  const both = new Uint8Array([...new Uint8Array(frameBytes({ firstSample: 5 })), ...new Uint8Array(frameBytes({ firstSample: 90, nSamples: 1 }))]);
  assert.deepEqual(framesOf(both.buffer).map(({ firstSample, nSamples }) => [firstSample, nSamples]), [[5, 2], [90, 1]]);
  assert.deepEqual(framesOf(new ArrayBuffer(0)), []);
  assert.throws(() => framesOf(both.buffer.slice(0, -1)), RangeError);
  assert.throws(() => framesOf(both.buffer.slice(0, 60)), RangeError);
});

test("an envelope tells reach and holes, and anything else is refused", () => {
  const buffer = envelopeBytes(2, 2, [-5, -7, 32767, 32767], [3, 9, -32767, -32767]);
  const envelope = envelopeOf(buffer);
  assert.deepEqual([envelope.columns, envelope.channels, envelope.to], [2, 2, 500]);
  assert.deepEqual(reachOf(envelope, [0, 1]), [[-7, 9], null]);
  assert.throws(() => envelopeOf(buffer.slice(0, -2)), RangeError);
  assert.throws(() => envelopeOf(frameBytes()), RangeError);
});

test("pages begin where windows do, segment by segment, the settling first", () => {
  const stops = stopsOf(SIGNAL, COURSE);
  assert.deepEqual(stops.map(({ from }) => from), [-6000, 4000, 14_000, 24_000, 21_000, 31_000, 41_000]);
  assert.deepEqual(stops.map(({ place }) => place), [null, 0, 1, null, null, 2, null]);
  assert.deepEqual(pageOf(stops[0], 45_000), [0, 4000]);
  assert.deepEqual(pageOf(stops[6], 45_000), [41_000, 45_000]);
});

test("without traces the windows are the stops", () => {
  const stops = stopsOf(null, COURSE);
  assert.deepEqual(stops.map(({ from, place }) => [from, place]), [[4000, 0], [14_000, 1], [31_000, 2]]);
  assert.equal(stopAt(stops, 3), 0);
  assert.equal(stopAt(stops, 20_000), 1);
});

test("who looks at a window goes on looking at it when the traces come", () => {
  const before = wentTo([{ told: TOLD }, { course: COURSE }].reduce(changed, emptySession()), 2);
  const after = changed(before, { signal: SIGNAL });
  assert.deepEqual([before.stops.length, before.at, after.stops.length, after.stops[after.at].place], [3, 2, 7, 2]);
});

test("steps stay within the session", () => {
  assert.equal(wentTo(whole(), -4).at, 0);
  assert.equal(wentTo(whole(), 99).at, 6);
  assert.deepEqual(["ArrowLeft", "PageDown", "Home", "End"].map((key) => STEPS[key](8, 20)), [7, 14, 0, 20]);
  assert.equal(stopOf(whole().stops, COURSE, 2), 5);
});

test("at a stop stands the outcome of the windows that were whole then; after the last the final one", () => {
  const at = (stop) => wentTo(whole(), stop);
  assert.equal(placeBy(at(0).stops[0], COURSE), null);
  assert.deepEqual([outcomeThen(at(0)), rowThen(at(0))], [null, null]);
  assert.equal(rowThen(at(3)).index, 1);
  assert.equal(outcomeThen(at(1)).state, "COLLECTING");
  assert.deepEqual([isLast(at(6)), outcomeThen(at(6)).state], [true, "PARTIAL"]);
  assert.deepEqual([afterWords(at(0)), afterWords(at(3))], ["before the first window", "as it was after window 1"]);
});

test("the panel says what the bed said, and when", () => {
  const first = outcomeThenView(wentTo(whole(), 1));
  assert.deepEqual([first.code, first.number, first.look, first.updated], ["COLLECTING", "", "fresh", "as it was after window 0"]);
  const last = outcomeThenView(wentTo(whole(), 6));
  assert.deepEqual([last.code, last.number, last.look], ["PARTIAL", "69 %", "fresh"]);
  assert.match(last.updated, /^final, \d\d:\d\d$/);
  assert.equal(outcomeThenView(wentTo(whole({ told: { ...TOLD, ended: false, ledger: null } }), 6)).updated, "as it was after window 2");
});

test("what was entered in error, and what lacks its bundle, has no outcome and says why", () => {
  const wrong = whole({ told: { ...TOLD, in_error: true, outcome: null } });
  assert.equal(outcomeThenView(wrong), null);
  assert.match(withheldWords(wrong), /^Entered in error/);
  const lacking = whole({ told: { ...TOLD, lack: "The bundle is not at hand.", outcome: null } });
  assert.deepEqual([outcomeThenView(lacking), withheldWords(lacking)], [null, "The bundle is not at hand."]);
  assert.equal(withheldWords(whole()), "");
});

test("a session without a model is recorded, not scored", () => {
  const bundles = { eeg_emg: null, fmri: null, fusion: null };
  assert.equal(outcomeThenView(whole({ told: { ...TOLD, info: { ...TOLD.info, bundles }, outcome: null } })).code, "UNSCORED");
});

test("a page says which window it is, and from when to when", () => {
  assert.equal(placeWords(wentTo(whole(), 2)), "Window 1 (2 of 3), 0:14 to 0:24");
  assert.equal(placeWords(wentTo(whole(), 0)), "No whole window, 0:00 to 0:04");
  assert.equal(placeWords(emptySession()), "");
});

test("the quality of a page is that of its seconds, with what was wrong", () => {
  const [c3, rf] = qualityOver(SIGNAL, 4000, 14_000);
  assert.deepEqual([c3.quality, c3.faults, rf.quality, rf.faults], [0.5, ["flat"], 0.5, ["saturated"]]);
  assert.equal(qualityOver(SIGNAL, 20_000, 26_000)[0].quality, null);
  const [lane] = lanesOver(whole(), 5000, 6000);
  assert.deepEqual([lane.label, lane.grade, lane.words], ["C3", "bad", "flat"]);
});

test("every fate has its mark, and one touched electrode does not flatten the strip", () => {
  assert.deepEqual([fateThen("scored", 1), fateThen("scored", 0.4), fateThen("not_scored", 0), fateThen("dead_lettered", 1)], ["scored", "weighted", "unscored", "dead"]);
  const reach = [...Array(99).fill([-10, 12]), [-32_000, 32_000], null];
  assert.equal(fullScale(reach), 12);
  assert.equal(fullScale([null]), 1);
});

test("the trend is in percent over minutes, with holes where nothing was told", () => {
  const [minutes, low, high, score, told] = trendOf(COURSE, 1000);
  assert.deepEqual(minutes.map((m) => Math.round(60 * m)), [14, 24, 41]);
  assert.deepEqual([low, high, score.map((p) => p && Math.round(p)), told], [[null, null, 50], [null, null, 80], [70, null, 60], [null, null, 66]]);
  assert.match(trendWords(COURSE), /^After 3 windows: the outcome began at 66 %/);
  assert.equal(trendWords({ ...COURSE, outcomes: { ...COURSE.outcomes, probability: [] } }), "No outcome was told.");
});

test("the rows of the tables", () => {
  assert.deepEqual(qualityRows(SIGNAL)[0], ["C3", "EEG", "75.0 %", "flat"]);
  assert.deepEqual(phaseRows(SIGNAL), [["flexion", "2", "0:08"], ["rest", "1", "0:32"]]);
  assert.deepEqual(ledgerRows(TOLD.ledger.ledger, 1000).map(([, n]) => n), ["44000", "1000", "8000"]);
  const rows = [
    { measure: "onset latency", site: "RF", phase: "flexion", unit: "ms", value: -0.3, interval: [-12.4, 9], n_trials: 12, left_out: {}, missing: "" },
    { measure: "co-contraction", site: "a", phase: "flexion", unit: "1", value: null, interval: null, n_trials: 2, left_out: {}, missing: "not enough trials: 2 of 5" },
  ];
  assert.deepEqual(measureRows({ trials: 14, moved_side: null, rows }).map((one) => one.slice(3)), [["0 ms", "-12 to 9", "12"], ["not enough trials: 2 of 5", "", "2"]]);
});

test("a window's row says its fate, its reason and the outcome that followed it", () => {
  assert.deepEqual(cellsOf(row(0), 1000), ["0:04", "rest", "100 %", "1.00", "scored", "69 %", "Collecting"]);
  const bad = row(1, { state: "not_scored", reason: "quality: C3 flat", p: null, weight: 0, outcome_at: 0 });
  assert.deepEqual(cellsOf(bad, 1000).slice(3), ["0.00", "not scored: signal quality too low: C3 flat", "", ""]);
  assert.equal(cellsOf(row(0, { first_sample: -1 }), 1000)[0], "");
});

test("the folder's facts, and whether the books balance", () => {
  const rows = Object.fromEntries(facts({ ...TOLD, info: { ...TOLD.info, montage: { name: "amp16" } } }));
  assert.deepEqual([rows["Patient"], rows["Results"], rows["Ended"], rows["Ledger"]], ["P-017", "3", "planned", "adds up"]);
  assert.match(rows["Model"], /trained on simulated patients/);
  const part = { ...TOLD.info, replay_of: "a.xdf", excerpt: { from_s: 30, to_s: 95.5 }, rounds: 3 };
  assert.equal(Object.fromEntries(facts({ ...TOLD, info: part, ledger: null }))["Replay of"], "a.xdf, 0:30 to 1:35, 3 times over");
});

test("the scans of the session are named, and only its own model's pictures are shown", () => {
  const bundles = { ...SESSION.bundles, fmri: { name: "cnn", version: "1.0.0", sha256: "cd".repeat(32), origin: "clinical" } };
  const scans = ["cd", "ee"].map((model, i) => ({ scan_sha256: `a${i}`.repeat(32), bundle_sha256: model.repeat(32), scanned_on: "2026-03-31", quality: { slices: 20 } }));
  const told = { ...TOLD, info: { ...TOLD.info, bundles }, scans };
  assert.match(Object.fromEntries(facts(told))["Scored scans"], /^2026-03-31, 20 slices \(a0a0a0a0a0a0\); /);
  assert.equal(Object.fromEntries(facts(told))["Model of scans"], "cnn 1.0.0 (cdcdcdcdcdcd)");
  assert.deepEqual(pictures(told), [`/api/v1/sessions/${SESSION.session}/scans/${"a0".repeat(32)}/attention.png`]);
  assert.deepEqual(pictures({ ...TOLD, scans }), []);
});

test("what could not be read is said, a sentence each", () => {
  const problems = [{ file: "a", kind: "torn" }, { file: "b", kind: "not_json", line: 4 }, { file: "c", kind: "not_results", n: 2 }];
  assert.deepEqual(problemWords({ problems })[1], "Line 4 of b cannot be read, and is left out.");
  assert.equal(problemWords({ problems }).length, 3);
});

test("no more is kept than is looked at", () => {
  const recent = new Recent(2);
  for (const key of ["a", "b", "a", "c"]) recent.get(key, () => key);
  assert.deepEqual([...recent.held.keys()], ["a", "c"]);
});

const all = () => true;

test("what is played is every page from its first sample on, and of a long hole no more than ends its page", () => {
  const leaves = leavesOf(whole().stops, SIGNAL);
  assert.deepEqual(leaves.map(({ from, to }) => [from, to]), [[0, 4000], [4000, 14_000], [14_000, 24_000], [24_000, 27_000], [27_000, 31_000], [31_000, 41_000], [41_000, 45_000]]);
  assert.deepEqual([leaves[3].origin, leaves[4].origin], [4000, 31_000]);
  const far = { ...SIGNAL, n_samples: 3_620_000, segments: [SIGNAL.segments[0], { segment: 1, first_sample: 3_600_000 }], spans: [[0, 0, 26_000], [1, 3_600_000, 3_620_000]] };
  assert.deepEqual(leavesOf(stopsOf(far, COURSE), far).slice(3, 5).map(({ from, to }) => [from, to]), [[24_000, 34_000], [3_600_000, 3_604_000]]);
});

test("the head goes by the clock over the edges of pages, and waits for one that is not there", () => {
  const leaves = leavesOf(whole().stops, SIGNAL);
  assert.deepEqual(advanced({ at: 1, sample: 13_990.5 }, 160, leaves, all), { at: 2, sample: 14_150.5 });
  assert.deepEqual(advanced({ at: 1, sample: 13_990 }, 160, leaves, (at) => at < 2), { at: 1, sample: 14_000 });
  assert.deepEqual(advanced({ at: 1, sample: 5000 }, 160, leaves, () => false), { at: 1, sample: 5000 });
  const end = advanced({ at: 0, sample: 0 }, 1e9, leaves, all);
  assert.deepEqual([end, isOver(end, leaves), isOver({ at: 6, sample: 44_999 }, leaves)], [{ at: 6, sample: 45_000 }, true, false]);
});

test("ten looks at the clock or a hundred play the same, and a tab that was hidden for an hour plays on from where it was", () => {
  assert.equal(samplesIn(20, 1000, 5), 100);
  assert.equal(samplesIn(3_600_000, 1000, 10), 10_000);
  assert.equal(samplesIn(-5, 1000, 1), 0);
});

test("playing begins with the page that is looked at; after the last with the first", () => {
  const leaves = leavesOf(whole().stops, SIGNAL);
  assert.deepEqual([headAt(leaves, 4, false), headAt(leaves, 0, false)], [{ at: 4, sample: 27_000 }, { at: 0, sample: 0 }]);
  assert.deepEqual(lookedAt({ at: 2, sample: 15_000.7 }, leaves, false), { at: 2, due: 15_000 });
});

test("where little may move whole pages are turned, each when it is full", () => {
  const leaves = leavesOf(whole().stops, SIGNAL);
  const begun = headAt(leaves, 1, true);
  const at = (by) => lookedAt(advanced(begun, by, leaves, all), leaves, true);
  assert.deepEqual([at(0), at(9999), at(10_000)], [{ at: 1, due: null }, { at: 1, due: null }, { at: 2, due: null }]);
});

test("while it is played, no window has come before it was whole, and nothing is final before the end", () => {
  const played = (at, due) => changed(whole(), { at, due, playing: true });
  assert.deepEqual([rowThen(played(1, 13_999)), rowThen(played(1, 14_000)).index], [null, 0]);
  assert.equal(rowThen(played(5, 40_000)).index, 1);
  assert.deepEqual([isLast(played(6, 44_000)), isLast(wentTo(played(6, 44_000), 6))], [false, true]);
  assert.equal(playedWords(played(2, 17_250)), "0:17 · Window 1 (2 of 3), 0:14 to 0:24");
});

test("whoever goes elsewhere, or to the very page, has paused", () => {
  const store = createSession();
  for (const change of [{ told: TOLD }, { course: COURSE }, { signal: SIGNAL }, { at: 2, due: 15_000, playing: true }]) store.change(change);
  store.goTo(2);
  assert.deepEqual([store.state().at, store.state().playing, store.state().due], [2, false, null]);
});

test("the reel asks for a page and the next one, each once, and holds no more", async () => {
  const asked = [];
  const bytes = frameBytes({ firstSample: 4000 });
  const library = { wave: async (from, to) => (asked.push(`${from} ${to}`), bytes), rowsAt: async (place) => asked.push(`row ${place}`) };
  const reel = new Reel(library, assert.fail);
  reel.begin(4000, 2);
  reel.want(whole(), 1);
  assert.equal(reel.has(1), false);
  await new Promise(setImmediate);
  for (const at of [1, 1, 2, 2]) reel.want(whole(), at);
  await new Promise(setImmediate);
  assert.deepEqual(asked, ["4000 14000", "row 0", "14000 24000", "row 1", "24000 34000"]);
  assert.deepEqual([[...reel.pages.keys()], reel.ring.has(4001), reel.ring.first], [[2, 3], true, 4000]);
});

test("a page that does not come is told, and asked for again by the next who wants it", async () => {
  const told = [];
  let fails = true;
  const wave = async () => {
    if (fails) throw new Error("no answer");
    return new ArrayBuffer(0);
  };
  const reel = new Reel({ wave, rowsAt: async () => null }, (error) => told.push(error.message));
  reel.want(whole(), 6);
  await new Promise(setImmediate);
  assert.deepEqual([told, reel.has(6)], [["no answer"], false]);
  fails = false;
  reel.want(whole(), 6);
  await new Promise(setImmediate);
  assert.equal(reel.has(6), true);
});
