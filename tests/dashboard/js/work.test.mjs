/** The work at the bed: what can be done when, what a press asks for, and what is said where it is refused. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { problemOf, refusalWords } from "../../../dashboard/static/bed/ask.js";
import { cuesOf, cuesView, localUrl } from "../../../dashboard/static/bed/cueing.js";
import { helpRows } from "../../../dashboard/static/help.js";
import { LONGEST, lengthView, rowsOf } from "../../../dashboard/static/bed/notes.js";
import { bodyOf, choicesOf, montagesOf } from "../../../dashboard/static/bed/start.js";
import { stopView, stopWords } from "../../../dashboard/static/bed/stop.js";
import { markText, workView } from "../../../dashboard/static/bed/work.js";
import { startPage } from "../../../dashboard/static/ward/begin.js";
import { CATALOGUE } from "../../../dashboard/static/words/catalogue.js";
import { SESSION, contact, stateOf } from "./frames.mjs";

const END = { type: "end", data: { reason: "user", ended_utc: "2026-11-22T12:09:00Z", ledger: null, windows: null } };
const session = (more) => ({ type: "session", data: { ...SESSION, ...more } });
const can = (view) => Object.keys(view).filter((key) => view[key] === true);

test("what can be done follows the session", () => {
  assert.deepEqual(can(workView({ ...stateOf(), told: false, sessionId: null })), []);
  assert.deepEqual(can(workView({ ...stateOf(), told: true, sessionId: null, session: null })), ["start"]);
  assert.deepEqual(can(workView(stateOf(session({ mode: "live" })))), ["stop", "mark", "notes", "cues"]);
  assert.deepEqual(can(workView(stateOf(session({ mode: "demo" })))), ["stop", "mark", "notes"]);
  assert.deepEqual(can(workView(stateOf(END))), ["start", "notes", "correct"]);
});

test("the wrong patient's session says so, and is marked once", () => {
  const view = workView(stateOf(session({ entered_in_error: true, patient: "P-017" }), END));
  assert.equal(view.correct, false);
  assert.equal(view.inError, "Entered in error: this session is not a result of patient P-017.");
});

test("a mark without a text of its own has the usual word", () => {
  assert.deepEqual([markText("  "), markText(" cough ")], ["mark", "cough"]);
});

const STREAM = { name: "Amp", source_id: "AMP", hostname: "pc", channel_count: 16, rate_hz: 1000, fits: ["amp16"], refused: null };
const CAP = { name: "Cap", source_id: "CAP", hostname: "pc", channel_count: 10 };
const LEGS = { name: "Legs", source_id: "LEGS", hostname: "pc", channel_count: 6 };
const NETWORK = {
  streams: [
    { ...STREAM, name: "Odd", source_id: "ODD", fits: [], refused: "stream 'Odd' has no channel RF" },
    STREAM,
    { ...STREAM, name: "Cues", source_id: "AMP-markers", rate_hz: 0, fits: [] },
  ],
  pairs: [
    { montage: "amp16", signal: CAP, partner: LEGS, channels: ["RF", "VM"] },
    { montage: "my16", signal: CAP, partner: LEGS, channels: ["RF", "VM"] },
  ],
  taken: {},
  usual: { montage: "amp16", minutes: 9, mains_hz: 50 },
};

test("signals of the network are choices, markers are none, and what fits nothing says why", () => {
  const choices = choicesOf(NETWORK);
  assert.deepEqual(choices.map(({ name }) => name), ["Cap and Legs together", "Amp: 16 channels, 1000 Hz", "Odd: 16 channels, 1000 Hz"]);
  assert.deepEqual(choices[0].montages, ["amp16", "my16"]);
  assert.match(choices[0].detail, /Legs gives RF VM/);
  assert.equal(choices[2].why, "Fits no montage: stream 'Odd' has no channel RF");
});

test("a stream that another session has cannot be chosen, nor a pair with it", () => {
  const taken = { LEGS: { session: "S", bed: "B7" }, AMP: { session: "S", bed: "B8" } };
  const why = Object.fromEntries(choicesOf({ ...NETWORK, taken }).map(({ name, why: words }) => [name, words]));
  assert.equal(why["Cap and Legs together"], "In use by bed B7.");
  assert.equal(why["Amp: 16 channels, 1000 Hz"], "In use by bed B8.");
});

test("a start says which streams, and the montage where it is not the usual one", () => {
  const [pair, alone] = choicesOf(NETWORK);
  const chosen = { patient: " P1 ", minutes: 5, mains: 60 };
  assert.deepEqual(bodyOf(alone, { ...chosen, montage: "amp16" }, "amp16"), {
    patient: "P1", name: "Amp", source_id: "AMP", hostname: "pc", minutes: 5, mains_hz: 60,
  });
  const both = bodyOf(pair, { ...chosen, montage: "my16" }, "amp16");
  assert.deepEqual([both.source_id, both.partner_source_id, both.montage], ["CAP", "LEGS", "my16"]);
  assert.deepEqual(montagesOf(pair, "my16"), ["my16", "amp16"]);
  assert.deepEqual(montagesOf(undefined, "amp16"), []);
});

test("a stop says what it will do", () => {
  const open = stateOf(session({ planned_s: 540, patient: "P-017" }), contact({ bridge: { next_sample: 190_000 } }));
  assert.match(stopWords(open)[0], /^3:10 of 9:00 are recorded, 0 windows made\./);
  assert.match(stopWords(stateOf(session({ planned_s: null })))[0], /^0:00 are recorded/);
  assert.deepEqual(stopView(open, false), { title: "Stop the session of patient P-017?", go: "Stop session", chooses: true });
  assert.equal(stopView(open, true).go, "Stop and mark");
  assert.deepEqual([stopView(stateOf(END), false).go, stopWords(stateOf(END))], ["Mark as entered in error", []]);
});

test("notes and marks are listed together, newest first; the paradigm's markers are not", () => {
  const note = { type: "note", data: { text: "<b>pain</b>", author: "ana", sample: 61_000 } };
  const mark = { type: "marker", data: { text: "cough", phase: null, sample: 75_000, author: "ben" } };
  const cue = { type: "marker", data: { text: "rest", phase: "rest", sample: 80_000 } };
  const rows = rowsOf(stateOf(note, note, mark, cue));
  assert.deepEqual(rows.map(({ time, kind, author, text }) => [time, kind, author, text]), [
    ["1:15", "mark", "ben", "cough"],
    ["1:01", "note", "ana", "<b>pain</b>"],
  ]);
});

test("marks outlast any number of the paradigm's markers", () => {
  const mark = { type: "marker", data: { text: "cough", phase: null, sample: 1, author: "ben" } };
  const cues = Array.from({ length: 300 }, (_, i) => ({ type: "marker", data: { text: "rest", phase: "rest", sample: 10 + i } }));
  const state = stateOf(mark, ...cues);
  assert.deepEqual([state.marks.length, state.markers.length], [1, 64]);
});

test("a note's length is told, and counted as the server counts it", () => {
  assert.deepEqual(lengthView("膝盖🙂"), { words: `3 of ${LONGEST} characters`, tooLong: false });
  const long = lengthView("x".repeat(10_000));
  assert.deepEqual([long.tooLong, long.words], [true, "10000 of 2000 characters: shorten it, or write it in parts."]);
});

test("cues offer what means something now", () => {
  const cues = (state, more) => cuesView({ state, heard: true, url: "http://127.0.0.1:8611/", n_trials: 51, trial: null, ...more }, false);
  assert.equal(cuesOf({ state: "none" }), null);
  assert.equal(cuesOf({ state: "ready", heard: true, url: "" }).state, "ready");
  assert.deepEqual(cuesView(null, false).actions, ["open"]);
  assert.deepEqual(cuesView(null, true), { words: "The cues are being opened ...", actions: [], url: "", unheard: false });
  assert.deepEqual(cues("ready").actions, ["start", "stop"]);
  assert.equal(cues("running", { trial: 6 }).words, "Running · Trial 7 of 51");
  assert.equal(cues("paused", { heard: false }).unheard, true);
  assert.equal(cues("ended", { heard: false }).unheard, false);
});

test("only a page of this machine becomes a link", () => {
  assert.equal(localUrl("http://[::1]:8611/"), "http://[::1]:8611/");
  for (const url of ["javascript:alert(1)", "http://evil.example/", "http://127.0.0.1:1/x"]) assert.equal(localUrl(url), "");
});

test("a refusal is said in the page's language; its own words stay", () => {
  const busy = problemOf({ kind: "bed_busy", detail: "Bed B4 has the open session X.", remedy: "Stop it first." });
  assert.deepEqual(refusalWords(busy, CATALOGUE.en, "en"), { words: "Bed B4 has the open session X. Stop it first.", own: "" });
  const chinese = refusalWords(busy, CATALOGUE.zh, "zh");
  assert.deepEqual(chinese, { words: "此床有正在进行的会话：请先停止。", own: "Bed B4 has the open session X. Stop it first." });
  assert.equal(refusalWords({ kind: "unreachable", detail: "" }, CATALOGUE.en, "en").words, "This dashboard does not answer.");
  assert.equal(refusalWords(problemOf(null), CATALOGUE.en, "en").words, "It was refused.");
});

test("the help shows keys as they are printed", () => {
  const rows = helpRows([{ name: "Space", label: "freeze", action: () => {} }, { name: "M", label: "mark", action: () => {} }]);
  assert.deepEqual(rows, [["space", "freeze"], ["M", "mark"]]);
});

test("the ward leads to a bed that asks for its session", () => {
  assert.equal(startPage(" B4 "), "/beds/B4?start");
  for (const name of ["", "-", "B 4", "../x", "B".repeat(33)]) assert.equal(startPage(name), "");
});
