// The ward's page: what a card says, how its message of traces is read, and what of it is refused.

import assert from "node:assert/strict";
import test from "node:test";

import { Ring } from "../../../dashboard/static/signal/ring.js";
import { cardView, qualityView } from "../../../dashboard/static/ward/card.js";
import { HEAD_BYTES, MOST_SAMPLES, RUN_BYTES, decodeEnvelope } from "../../../dashboard/static/ward/envelope.js";
import { rowView } from "../../../dashboard/static/ward/patients.js";
import { readMessage } from "../../../dashboard/static/ward/socket.js";
import { lanesOf } from "../../../dashboard/static/ward/traces.js";

const CARD = {
  bed: "B4", session: "S1", patient: "P-017", mode: "live", origin: "live", source: "LIVE", recorded: true, scored: true,
  state: "READY", probability: 0.69, interval: [0.58, 0.8], provisional: false, modalities: ["eeg_emg", "fmri"],
  synthetic: true, labels: ["C3", "C4", "RF", "BF"], kinds: ["eeg", "eeg", "emg", "emg"], quality: [1, 0.7, 0.2, null],
  drawn: ["C3", "RF"], wave_key: 1, segment_first: 0, phase: "flexion", trial: 7, windows: 12,
  contact_age_s: 0.5, bridge_age_s: 0.5, progress_age_s: 4, cause: "the next window is being filled", ended_utc: null,
};

test("a card ages as the bedside does", () => {
  const cards = [0, 5, 15, 40].map((since) => cardView(CARD, since));
  assert.deepEqual(cards.map(({ look }) => look), ["fresh", "grey", "struck", "gone"]);
  assert.deepEqual(cards.map(({ state, number }) => [state, number]), [["Ready", "69 %"], ["Ready", "69 %"], ["Stale", "69 %"], ["Stale", "---"]]);
  assert.deepEqual(cards.map(({ span }) => span), ["58 % to 80 %", "58 % to 80 %", "", ""]);
  assert.equal(cards[0].model, "Model trained on simulated patients");
});

test("a number without progress says why none comes, though everybody is heard", () => {
  const card = cardView({ ...CARD, progress_age_s: 45, cause: "settling after a gap" }, 0);
  assert.deepEqual([card.look, card.state, card.age], ["struck", "Stale", "no result for 45 s: settling after a gap"]);
});

test("a card of a closed session is final", () => {
  const card = cardView({ ...CARD, ended_utc: "2026-11-22T12:00:00Z" }, 5000);
  assert.match(card.age, /^final, \d\d:\d\d$/);
  assert.deepEqual([card.look, card.source, card.phase], ["fresh", "Ended", ""]);
});

test("a card says what its number is made of, the movement, and what is not recorded", () => {
  const card = cardView(CARD, 0);
  assert.deepEqual([card.parts, card.phase, card.source], ["EEG and EMG and fMRI", "Trial 7, flexion", "Receiving"]);
  assert.match(cardView({ ...CARD, recorded: false }, 0).source, /unrecorded/);
  assert.equal(cardView({ ...CARD, scored: false, state: null, probability: null }, 0).state, "Not scored");
  assert.deepEqual([cardView({ ...CARD, state: null, probability: null }, 0).state], ["Collecting"]);
});

test("each channel has a dot, and the words name the bad ones", () => {
  const { grades, words } = qualityView(CARD);
  assert.deepEqual(grades, ["good", "fair", "bad", "unknown"]);
  assert.equal(words, "2 of 4 channels can be scored; bad: RF");
  assert.equal(qualityView({ ...CARD, quality: [null, null, null, null] }).words, "Quality of the channels is not known");
  assert.deepEqual([qualityView(CARD, 15).words, cardView(CARD, 15).source], ["Quality of the channels is not known", "---"]);
  assert.equal(cardView({ ...CARD, contact_age_s: 15 }, 0).source, "Receiving", "the scorer's silence is not the bridge's");
  assert.equal(qualityView({ ...CARD, ended_utc: "2026-11-22T12:00:00Z" }).words, "");
});

test("the lanes of a card are those of its channels, faint where they are not scored", () => {
  assert.deepEqual(lanesOf(CARD), [{ kind: "eeg", muted: false }, { kind: "emg", muted: true }]);
});

/** A message of runs, by the documented layout. */
function envelope(...runs) {
  const bytes = runs.reduce((n, { columns }) => n + RUN_BYTES + 2 * columns.flat(2).length, HEAD_BYTES);
  const view = new DataView(new ArrayBuffer(bytes));
  view.setUint32(0, 0x31455846, true);
  view.setUint16(4, runs.length, true);
  let at = HEAD_BYTES;
  for (const { key = 1, segment = 0, first = 0, age = 0.25, per = 20, columns } of runs) {
    view.setUint32(at, key, true);
    view.setUint32(at + 4, segment, true);
    view.setBigInt64(at + 8, BigInt(first), true);
    view.setFloat32(at + 16, age, true);
    view.setUint16(at + 20, per, true);
    view.setUint16(at + 22, columns.length, true);
    view.setUint16(at + 24, columns[0]?.length ?? 0, true);
    columns.flat(2).forEach((value, i) => view.setInt16(at + RUN_BYTES + 2 * i, value, true));
    at += RUN_BYTES + 2 * columns.flat(2).length;
  }
  return view.buffer;
}

const COLUMNS = [[[-5, 9], [1, 2]], [[-7, 3], [0, 4]], [[6, 8], [-1, 1]]];

test("the extremes of every column are what was sent", () => {
  const [run] = decodeEnvelope(envelope({ key: 7, first: 4000, columns: COLUMNS }));
  assert.deepEqual([run.key, run.frame.firstSample, run.frame.nSamples, run.frame.ageS], [7, 4000, 60, 0.25]);
  const ring = new Ring(2, 1000);
  ring.put(run.frame);
  const [least, greatest] = [new Int16Array(2), new Int16Array(2)];
  for (const [i, lanes] of COLUMNS.entries()) {
    assert.equal(ring.extremes(4000 + 20 * i, 4020 + 20 * i, least, greatest), 20);
    assert.deepEqual(lanes, [0, 1].map((lane) => [least[lane], greatest[lane]]));
  }
});

test("a hole between two runs stays a hole", () => {
  const ring = new Ring(2, 1000);
  for (const { frame } of decodeEnvelope(envelope({ columns: COLUMNS }, { first: 100, per: 7, columns: [COLUMNS[0]] }))) ring.put(frame);
  assert.deepEqual([59, 60, 99, 100, 106, 107].map((sample) => ring.has(sample)), [true, false, false, true, true, false]);
});

test("an age that nobody knows is counted from arrival", () => {
  assert.equal(decodeEnvelope(envelope({ age: NaN, columns: COLUMNS }))[0].frame.ageS, 0);
});

test("what is no envelope is refused, and never thrown at the page", () => {
  const whole = new Uint8Array(envelope({ columns: COLUMNS }, { first: 100, columns: COLUMNS }));
  const cut = (n) => whole.slice(0, n).buffer;
  const longer = new Uint8Array(whole.length + 1);
  longer.set(whole);
  const bad = [
    new ArrayBuffer(0), cut(5), cut(HEAD_BYTES + 3), cut(HEAD_BYTES + RUN_BYTES + 4), cut(whole.length - 1), longer.buffer,
    new TextEncoder().encode("FXW2 is a frame of a bed").buffer, new ArrayBuffer(1 << 19),
    envelope({ per: 0, columns: COLUMNS }), envelope({ first: -1, columns: COLUMNS }), envelope({ columns: [] }),
    envelope({ first: 2n ** 60n, columns: COLUMNS }), envelope({ per: MOST_SAMPLES, columns: COLUMNS }),
  ];
  for (const buffer of bad) {
    assert.throws(() => decodeEnvelope(buffer), RangeError);
    assert.equal(readMessage(buffer), null);
  }
  for (const text of ["", "{", "null", "[]", '{"type":"beds"}', '{"type":"other","beds":[]}']) assert.equal(readMessage(text), null);
  const said = { type: "beds", clock: { server: "a", at_s: 1 }, beds: [] };
  assert.deepEqual(readMessage(JSON.stringify(said)), { said });
});

const ROW = {
  session: "01JDA0000000000000000000AB", created_utc: "2026-11-22T12:00:00Z", bed: "B4", mode: "live", origin: "live",
  ended: true, in_error: false, unreadable: false, scored: true, state: "PARTIAL", probability: 0.69, interval: [0.55, 0.81],
  modalities: ["eeg_emg"], synthetic: true, lacking: "",
};

test("the line of a patient's session says its state, its number, and what it is made of", () => {
  const { href, state, number, parts, kind, begun } = rowView(ROW);
  assert.deepEqual([href, state, number, parts], [`/sessions/${ROW.session}`, "Partial", "69 % (55 % to 81 %)", "EEG and EMG"]);
  assert.match(kind, /^Live, model trained on simulated patients$/);
  assert.match(begun, /^2026-11-2\d \d\d:\d\d$/);
});

test("a session that runs is looked at where its number ages; one entered in error has none", () => {
  const running = rowView({ ...ROW, ended: false });
  assert.deepEqual([running.href, running.state, running.number], ["/beds/B4", "running", ""]);
  const wrong = rowView({ ...ROW, in_error: true, state: null, probability: null });
  assert.deepEqual([wrong.state, wrong.number, wrong.parts], ["Entered in error", "", ""]);
  assert.equal(rowView({ ...ROW, unreadable: true, created_utc: null }).begun, ROW.session);
  assert.match(rowView({ ...ROW, state: null, probability: null, lacking: "It is not here." }).kind, /the model is not at hand/);
  assert.equal(rowView({ ...ROW, scored: false, state: null, probability: null }).state, "Not scored");
});
