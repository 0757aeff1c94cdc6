/** What stands beside the number: similarity, the scan's slices, technical notices, the system line. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { placeOnSheet, scanView } from "../../../dashboard/static/bed/fmri.js";
import { adviceWords, laneViews } from "../../../dashboard/static/bed/lanes.js";
import { LOW_BYTES, Seen, bytesWords, linesOf, noticesOf } from "../../../dashboard/static/bed/notices.js";
import { outcomeView } from "../../../dashboard/static/bed/outcome.js";
import { statusItems } from "../../../dashboard/static/bed/status.js";
import { THEN, contact, later, outcome, stateOf } from "./frames.mjs";

const notice = (text, level = "technical", remedy = "") => ({ type: "notice", data: { level, text, remedy } });
const similarity = (percentile, unlike = false) => ({ modality: "eeg_emg", distance: 3, percentile, limit: 0.99, unlike });

test("similarity stands beside a number, in people, and goes with it", () => {
  const view = (code, told, now = THEN) => outcomeView(stateOf(contact(), outcome(code, { similarity: told })), now);
  assert.equal(view("PARTIAL", similarity(0.284)).similarity, "Similar to the training patients: 72 of 100 lie farther out");
  assert.equal(view("PARTIAL", similarity(0.9899)).similarity, "Similar to the training patients: 1 of 100 lie farther out");
  assert.deepEqual([view("PARTIAL", null).similarity, view("ABSTAINED", similarity(0.5)).similarity], ["", ""]);
  assert.equal(view("PARTIAL", similarity(0.5), later(100)).similarity, "");
});

test("a session unlike the training keeps its number and says both", () => {
  const reason = "Unlike training data: the model reads these windows otherwise than those of 99% of its training patients.";
  const view = outcomeView(stateOf(contact(), outcome("READY", { similarity: similarity(0.9999, true), reasons: [reason] })), THEN);
  assert.deepEqual([view.number, view.unlike, view.lines], ["69 %", true, [reason]]);
  assert.equal(view.similarity, "Unlike the training patients: fewer than 1 of 100 lie this far out");
});

const slices = (n) => Array.from({ length: n }, (_, i) => ({ slice: 9 + i, level_mm: -32 + 4 * i, rank: n - i, in_brain: 0.5 }));
const SCAN = {
  scan_sha256: "ab",
  scanned_on: "2026-11-10",
  flags: [],
  slices: slices(19),
  sheets: { columns: 5, underlay: "underlay.png?v=1", focus: "focus.png?v=2" },
  attention: { sanity: { correlation: 0.052, n_slices: 20 }, cell_mm: 31.4, in_brain: 0.5 },
};

test("every slice of a scan has its place on the sheet", () => {
  assert.deepEqual(placeOnSheet(0, 19, 5), { size: "500% 400%", position: "0% 0%" });
  assert.deepEqual(placeOnSheet(18, 19, 5), { size: "500% 400%", position: "75% 100%" });
  assert.deepEqual(placeOnSheet(7, 19, 5).position, "50% 33.333333333333336%");
  assert.deepEqual(placeOnSheet(0, 1, 1), { size: "100% 100%", position: "0% 0%" });
  const places = SCAN.slices.map((_, i) => placeOnSheet(i, 19, 5).position);
  assert.equal(new Set(places).size, 19);
});

test("a slice says where it is; where the model looked is said of it only when that is shown", () => {
  const bare = scanView(SCAN, { at: 13, focused: false });
  assert.equal(bare.place, "Slice 14 of 19, level +20 mm");
  assert.equal(bare.alt, "Slice 14 of 19 of the scan, level +20 mm; left in the picture is the patient's left");
  assert.equal(scanView(SCAN, { at: 0, focused: true }).place, "Slice 1 of 19, level −32 mm, attention rank 19 of 19");
  assert.match(scanView(SCAN, { at: 0, focused: true }).alt, /coloured where the image model looked;/);
  assert.match(bare.sanity, /^One cell is 31 mm\. Check with redrawn weights: .* correlate 0\.05 with its own \(20 slices\)\./);
});

test("a score without sheets, or without a check, says so", () => {
  assert.equal(scanView({ ...SCAN, sheets: null }, { at: 0, focused: false }).trouble, "This score has no slices for the screen: an earlier version made it.");
  assert.notEqual(scanView({ ...SCAN, slices: [] }, { at: 0, focused: false }).trouble, "");
  const unchecked = { ...SCAN, attention: { sanity: null, cell_mm: null, in_brain: null } };
  assert.equal(scanView({ ...SCAN, flags: ["tr 3 s", "b"] }, { at: 0, focused: false }).flags, "Of this scan: tr 3 s; b.");
  assert.equal(scanView(SCAN, { at: 0, focused: false }).flags, "");
  assert.equal(scanView(unchecked, { at: 0, focused: true }).sanity, "Whether the map shows what was learned was not checked.");
});

test("the highest notice comes first, then the newest", () => {
  const state = stateOf(contact(), notice("a"), notice("far", "warning"), notice("b"), notice("odd", "unheard-of"));
  assert.deepEqual(noticesOf(state).map(({ text }) => text), ["far", "b", "a", "odd"]);
});

const withDisk = (disk_free_bytes, more = {}) => stateOf(contact({ bridge: { state: "LIVE", disk_free_bytes }, ...more }));

test("a disk that fills is a notice while it does, and known though its number changes", () => {
  const texts = (state) => noticesOf(state).map(({ text }) => text);
  assert.deepEqual(texts(withDisk(LOW_BYTES - 1)), ["The disk for recordings has 999 MB left."]);
  assert.deepEqual([texts(withDisk(LOW_BYTES)), texts(withDisk(null)), texts(withDisk(5, { closed: "2026-11-22T12:00:00Z" }))], [[], [], []]);
  const seen = new Seen(() => memory());
  seen.add("S1", noticesOf(withDisk(5e8))[0]);
  assert.deepEqual(linesOf(noticesOf(withDisk(4e8)), seen.of("S1")).map((line) => line.seen), [true]);
});

/** A browser's storage. */
function memory(kept = new Map()) {
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value) };
}

test("what was seen stays seen over a reload, in its own session", () => {
  const storage = memory();
  const first = new Seen(() => storage);
  first.add("S1", { level: "technical", text: "a" });
  first.add("S1", { level: "technical", text: "a" });
  const again = new Seen(() => storage);
  assert.deepEqual([[...again.of("S1")], [...again.of("S2")]], [["a"], []]);
  const state = stateOf(contact(), notice("a"), notice("b"));
  assert.deepEqual(linesOf(noticesOf(state), again.of("S1")), [{ text: "b", seen: false }, { text: "a", seen: true }]);
});

test("what was seen of old sessions is let go", () => {
  const storage = memory();
  const seen = new Seen(() => storage);
  for (let i = 0; i < 20; i += 1) seen.add(`S${i}`, { level: "technical", text: "a" });
  const again = new Seen(() => storage);
  assert.deepEqual([again.of("S11").size, again.of("S12").size, again.of("S19").size], [0, 1, 1]);
});

test("a browser that keeps nothing, or kept something else, does no harm", () => {
  const closed = new Seen(() => {
    throw new Error("refused");
  });
  closed.add("S1", { level: "technical", text: "a" });
  assert.ok(closed.of("S1").has("a"));
  for (const kept of ["{", "null", "7", '{"S1": 3}', '{"S1": [4]}']) {
    const seen = new Seen(() => memory(new Map([["flexion-seen", kept]])));
    seen.add("S2", { level: "technical", text: "a" });
    assert.ok(seen.of("S2").has("a"));
  }
});

test("the system line tells drawing, models and disk, and ages with the bridge", () => {
  const stats = { fps: 59.7, sample_to_pixel_p50_ms: 84.4 };
  const items = statusItems(withDisk(84.2e9), THEN, stats);
  assert.equal(items.screen.words, "Traces 84 ms, 60 frames/s");
  assert.equal(items.model.words, "Model lstm-bands 1");
  assert.deepEqual([items.disk.words, items.disk.level], ["Disk 84 GB free", undefined]);
  assert.deepEqual([statusItems(withDisk(5e8), THEN).disk.level, statusItems(withDisk(null), THEN).disk.words], ["low", ""]);
  assert.equal(statusItems(withDisk(1), THEN, { fps: 0, sample_to_pixel_p50_ms: null }).screen.words, "Traces ---");
  assert.equal(statusItems(withDisk(84e9), later(11), stats).disk.look, "struck");
});

test("bytes are told in whole numbers that people read", () => {
  assert.deepEqual([2.5e6, 999.9e6, 1e9, 9.99e9, 84.9e9].map(bytesWords), ["2 MB", "999 MB", "1.0 GB", "9.9 GB", "84 GB"]);
});

test("a channel that hums at the other mains is named, though its quality is whole", () => {
  const bridge = { state: "LIVE", quality: { C3: 1, RF: 1 }, other_mains: { hz: 60, channels: ["C3"] } };
  const lanes = laneViews(stateOf(contact({ bridge })));
  assert.deepEqual(lanes.map(({ grade, words, hums }) => [grade, words, hums]), [["fair", "60 Hz", true], ["good", "", false]]);
  assert.equal(adviceWords(lanes), "C3 60 Hz: hum that is not filtered here; if the mains has 60 Hz, start anew with mains 60 Hz");
  const flat = laneViews(stateOf(contact({ bridge: { ...bridge, quality: { C3: 0, RF: 1 }, faults: { C3: ["flat"] } } })))[0];
  assert.deepEqual([flat.grade, flat.words, flat.remedy], ["bad", "flat, 60 Hz", "press the electrode and re-gel"]);
});
