/** What the panels say: state first, number second (law 8); every window has its mark (law 5). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { adviceWords, laneViews } from "../../../dashboard/static/bed/lanes.js";
import { outcomeView } from "../../../dashboard/static/bed/outcome.js";
import { statusItems } from "../../../dashboard/static/bed/status.js";
import { changes } from "../../../dashboard/static/dom.js";
import { plannedWindows, windowMarks, windowWords } from "../../../dashboard/static/bed/windows.js";
import { say } from "../../../dashboard/static/words/say.js";
import { faultRemedy, faultWord, inTen, percent, reasonWord } from "../../../dashboard/static/words/words.js";
import { SESSION, THEN, contact, later, outcome, result, stateOf, windowMade } from "./frames.mjs";

const BRIDGE = { state: "LIVE", cause: "", next_sample: 87_000, recorded: true, trial: 6, latency_s: 0.31 };

test("a number is shown in three states only", () => {
  for (const code of ["PARTIAL", "PROVISIONAL", "READY"]) {
    assert.equal(outcomeView(stateOf(contact(), outcome(code)), THEN).number, "69 %");
  }
  for (const code of ["COLLECTING", "ABSTAINED", "INVALID"]) {
    const view = outcomeView(stateOf(contact(), outcome(code, { probability: 0.69 })), THEN);
    assert.deepEqual([view.number, view.interval, view.tenths], ["", null, ""]);
  }
});

test("points stand beside a number, and only of a model that expects them", () => {
  const fma = { value: 20.6, interval: [13.9, 28.2] };
  const pointsOf = (code, more, now = THEN) => outcomeView(stateOf(contact(), outcome(code, more)), now).points;
  assert.equal(pointsOf("PARTIAL", { fma }), "Fugl-Meyer at 3 months: 21 of 34 (14 to 28)");
  assert.deepEqual([pointsOf("PARTIAL", { fma: null }), pointsOf("PARTIAL", {}), pointsOf("ABSTAINED", { fma })], ["", "", ""]);
  assert.equal(pointsOf("PARTIAL", { fma }, later(100)), "");
});

test("what is missing is named, with its reason", () => {
  const view = outcomeView(stateOf(contact(), outcome("PARTIAL", { provisional: true })), THEN);
  assert.equal(view.meaning, "EEG and EMG alone. Missing: fMRI. Provisional: it may still move.");
  const [eeg, fmri] = view.modalities;
  assert.deepEqual([eeg.status, eeg.detail], ["used", "9 windows, alone 69 %"]);
  assert.deepEqual([fmri.status, fmri.detail], ["absent", "There is no scored scan of this patient."]);
});

test("a refused fusion is a row of its own", () => {
  const missing = [{ modality: "fusion", reason: "Fusion needs another bundle." }];
  const view = outcomeView(stateOf(contact(), outcome("PARTIAL", { missing })), THEN);
  assert.deepEqual(view.modalities[2], { name: "Fusion of both", status: "refused", detail: "Fusion needs another bundle.", absent: true });
});

test("both parts are shown, and what weighs them, with its interval", () => {
  const parts = {
    eeg_emg: { status: "ok", windows: 9, weight: 9, logit: 0.8, probability: 0.69 },
    fmri: { status: "ok", slices: 20, logit: 0.4, probability: 0.6, scan_sha256: "a".repeat(64), scanned_on: "2026-03-31" },
  };
  const weights = { eeg_emg: { value: 0.612, interval: [0.4, 0.83] }, fmri: { value: 0.388, interval: [0.17, 0.6] } };
  const rowsOf = (fusion, now = THEN) =>
    outcomeView(stateOf(contact(), outcome("PROVISIONAL", { parts, missing: [], fusion })), now).modalities;
  const [eeg, fmri, both] = rowsOf({ method: "logit_stack", untrained: false, weights });
  assert.deepEqual([eeg.detail, fmri.detail], ["9 windows, alone 69 %", "20 slices, scanned 2026-03-31, alone 60 %"]);
  assert.deepEqual([both.name, both.status, both.absent], ["Fusion of both", "weighted log-odds", false]);
  assert.equal(both.detail, "EEG and EMG 0.61 (0.40 to 0.83), fMRI 0.39 (0.17 to 0.60); 90 % intervals");
  const half = { value: 0.5, interval: null };
  const [, , equal] = rowsOf({ method: "equal", untrained: true, weights: { eeg_emg: half, fmri: half } });
  assert.equal(equal.detail, "EEG and EMG 0.50, fMRI 0.50; set by hand, not from patients");
  assert.equal(rowsOf(null).length, 2);
});

test("a scan is shown once it is used, never another", () => {
  const eeg_emg = { status: "ok", windows: 9, weight: 9, logit: 0.8, probability: 0.69 };
  const scan = (fmri) => outcomeView(stateOf(contact(), outcome("PROVISIONAL", { parts: { eeg_emg, fmri } })), THEN).scan;
  const used = { status: "ok", slices: 20, logit: 0.4, probability: 0.6, scan_sha256: "ab".repeat(32) };
  assert.equal(scan(used), `/api/v1/sessions/${SESSION.session}/scans/${"ab".repeat(32)}`);
  assert.equal(scan({ ...used, status: "refused" }), "");
  assert.equal(scan({ ...used, scan_sha256: null }), "");
});

test("a reason is said once, though the outcome carries it twice", () => {
  const reason = "Too few windows: 1 of 2 were scored.";
  const more = { probability: null, reasons: [reason], missing: [{ modality: "eeg_emg", reason }] };
  const view = outcomeView(stateOf(contact(), outcome("ABSTAINED", more)), THEN);
  assert.deepEqual(view.lines, [reason]);
  assert.ok(view.modalities.every(({ detail }) => !detail.includes(reason)));
});

test("a model of simulated patients is always stamped", () => {
  assert.equal(outcomeView(stateOf(contact()), THEN).synthetic, true);
});

test("a bed without a session says so", () => {
  const bare = { type: "snapshot", data: { bed: "B4", session: null, entries: [] } };
  const view = outcomeView(stateOf(bare, contact({ roles: { bridge: 99, scorer: 99, aggregator: 99 } })), later(1));
  assert.deepEqual([view.word, view.number, view.late], ["No session", "", ""]);
});

test("the ends of a probability are never claimed", () => {
  assert.deepEqual([0, 0.004, 0.005, 0.694, 0.994, 0.996, 1].map(percent), ["<1 %", "<1 %", "1 %", "69 %", "99 %", ">99 %", ">99 %"]);
  assert.deepEqual([0.02, 0.69, 0.97].map(inTen), ["fewer than 1 in 10", "about 7 in 10", "more than 9 in 10"]);
});

test("every fault of a channel has a word and a remedy", () => {
  for (const fault of ["flat", "saturated", "out_of_range", "repaired", "bridged", "mains"]) {
    assert.notEqual(faultWord(fault), fault.includes("_") ? fault : "");
    assert.notEqual(faultRemedy(fault), "check it");
  }
  assert.equal(reasonWord("bundle_mismatch: it needs 16 channels"), "the model does not fit the signal: it needs 16 channels");
});

test("each window has one mark: scored, weighted down, not scored, given up, waiting, planned", () => {
  const state = stateOf(
    ...[0, 1, 2, 3, 4].map((index) => windowMade(index)),
    result(0),
    result(1, { weight: 0.4 }),
    result(2, { state: "not_scored", reason: "quality", weight: 0 }),
    result(3, { state: "dead_lettered", weight: 0 }),
  );
  const { marks, counts, made, planned } = windowMarks(state);
  assert.deepEqual(marks.slice(0, 6).map(({ fate }) => fate), ["scored", "weighted", "unscored", "dead", "waiting", "planned"]);
  assert.deepEqual([made, planned, marks.length, counts.planned], [5, 53, 53, 48]);
});

test("hearing a window and its result twice leaves one mark", () => {
  const { counts } = windowMarks(stateOf(windowMade(0), result(0), windowMade(0), result(0)));
  assert.equal(counts.scored, 1);
});

test("nine minutes without a gap hold 53 windows", () => {
  assert.equal(plannedWindows(SESSION), 53);
  assert.equal(plannedWindows({ ...SESSION, planned_s: null }), 0);
});

test("a window tells why it was not scored, and which channels", () => {
  const bad = windowMade(0, { sqi: 0.1, channel_quality: { C3: 0, RF: 1 }, faults: { C3: ["flat"] }, phases: [["rest", 0, 9]] });
  const words = windowWords(stateOf(bad, result(0, { state: "not_scored", reason: "quality", sqi: 0.1 })), 0);
  assert.equal(words, "Window 0: not scored; signal quality 10 %, too low; C3 flat; 0:04 to 0:14; rest.");
});

test("a bad channel is named with its fault and what to do", () => {
  const bridge = { ...BRIDGE, quality: { C3: 0, RF: 0.98 }, faults: { C3: ["flat"], RF: ["mains"] } };
  const lanes = laneViews(stateOf(contact({ bridge })));
  assert.deepEqual(lanes.map(({ grade, words }) => [grade, words]), [["bad", "flat"], ["good", ""]]);
  assert.equal(adviceWords(lanes), "C3 flat: press the electrode and re-gel");
});

test("quality that nobody told is unknown, not good", () => {
  assert.deepEqual(laneViews(stateOf(contact())).map(({ grade }) => grade), ["unknown", "unknown"]);
});

test("what is not recorded is said, whatever else goes well", () => {
  const item = statusItems(stateOf(contact({ bridge: { ...BRIDGE, recorded: false } })), THEN).recording;
  assert.deepEqual([item.words, item.level], ["unrecorded", "off"]);
});

test("mode, source, time, latency and engine stand in words", () => {
  const engine = { backend: "onnxruntime", device: "cpu", precision: "fp32", degraded: true };
  const items = statusItems(stateOf(contact({ bridge: BRIDGE }), result(0, { engine })), THEN);
  assert.equal(items.mode.words, "Demo, simulated patient");
  assert.equal(items.source.words, "Receiving");
  assert.equal(items.elapsed.words, "1:27 of 9:00");
  assert.equal(items.latency.words, "Window to score 0.31 s");
  assert.deepEqual([items.engine.words, items.engine.level], ["Engine onnxruntime, cpu, fp32 (fallback)", "degraded"]);
});

test("the true rate of each amplifier stands where it is known", () => {
  const told = (timing) => statusItems(stateOf(contact({ bridge: { ...BRIDGE, timing } })), THEN).timing.words;
  assert.equal(told(undefined), "");
  assert.equal(told([{ rate_hz: null }]), "");
  assert.equal(told([{ rate_hz: 1000.0189 }]), "True rate 1000.02 Hz");
  assert.equal(told([{ rate_hz: 1000.0189 }, { rate_hz: 999.98 }]), "True rate 1000.02 and 999.98 Hz");
});

test("a trial that began after the last heartbeat is counted already", () => {
  const marker = (sample, phase) => ({ type: "marker", data: { text: phase, phase, sample } });
  const state = stateOf(contact({ bridge: BRIDGE }), marker(80_000, "preparation"), marker(90_000, "preparation"));
  assert.equal(statusItems(state, THEN).phase.words, "Trial 7, prepare");
});

test("what the bridge said ages with the bridge", () => {
  const items = statusItems(stateOf(contact({ bridge: BRIDGE, roles: { bridge: 11 } })), THEN);
  assert.deepEqual([items.source.look, items.recording.look, items.redis.look], ["struck", "struck", "fresh"]);
});

test("a replay says which part of its recording it plays, and how often", () => {
  const part = { ...SESSION, mode: "replay", origin: "recorded", replay_of: "a.xdf", excerpt: { from_s: 30, to_s: 95.5 } };
  const words = (session) => statusItems(stateOf({ type: "session", data: session }), THEN).mode.words;
  assert.equal(words(part), "Replay, recorded, 0:30 to 1:35");
  assert.equal(words({ ...part, excerpt: null, rounds: 0 }), "Replay, recorded, over and over");
  assert.equal(words({ ...part, excerpt: null, rounds: 1 }), "Replay, recorded");
});

test("a session without a model is recorded, not scored, and nobody waits for a scorer", () => {
  const session = { ...SESSION, bundles: { eeg_emg: null, fmri: null, fusion: null } };
  const state = stateOf({ type: "session", data: session }, contact({ roles: { scorer: 500, aggregator: 500 } }), windowMade(0));
  const view = outcomeView(state, THEN);
  assert.deepEqual([view.code, view.look, view.late, view.synthetic], ["UNSCORED", "fresh", "", false]);
  assert.equal(windowMarks(state).counts.kept, 1);
});

test("what is written from values that did not change is not written again", () => {
  const changed = changes();
  const map = new Map();
  assert.deepEqual([changed(1, map), changed(1, map), changed(2, map), changed(2, new Map()), changed()], [true, false, true, true, true]);
  const state = stateOf(windowMade(0));
  assert.notEqual(stateOf(windowMade(0)).lastWindow, state.lastWindow, "a window that is told again is seen");
});

test("values stand in their places; what a sentence lacks is left to be seen", () => {
  assert.equal(say("{n} of {all}, {n}", { n: 3, all: "{n}" }), "3 of {n}, 3");
  assert.equal(say("window {n}", {}), "window {n}");
});
