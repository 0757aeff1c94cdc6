/** Wave frames and states for the tests, made as the server makes them. */

import { emptyState, reduce } from "../../../dashboard/static/bed/store.js";

export const THEN = { monoMs: 0, wallMs: 0 };

/** The clocks some seconds later. */
export const later = (s) => ({ monoMs: 1000 * s, wallMs: 1000 * s });

/** The bytes of a frame. */
export function frameBytes({ nSamples = 2, nChannels = 3, segment = 1, firstSample = 0, stampS = 0.5, sentS = 0.75, saturated = 0 } = {}) {
  const buffer = new ArrayBuffer(40 + 2 * nSamples * nChannels);
  const view = new DataView(buffer);
  [..."FXW2"].forEach((letter, i) => view.setUint8(i, letter.charCodeAt(0)));
  view.setUint16(4, nSamples, true);
  view.setUint16(6, nChannels, true);
  view.setUint32(8, segment, true);
  view.setBigInt64(12, BigInt(firstSample), true);
  view.setFloat64(20, stampS, true);
  view.setFloat64(28, sentS, true);
  view.setUint32(36, saturated, true);
  for (let i = 0; i < nSamples * nChannels; i += 1) view.setInt16(40 + 2 * i, i - 3, true);
  return buffer;
}

/** A frame whose channel 0 is the sample index, and channel 1 its negative. */
export function counting(firstSample, nSamples) {
  const steps = new Int16Array(2 * nSamples);
  for (let i = 0; i < nSamples; i += 1) [steps[2 * i], steps[2 * i + 1]] = [firstSample + i, -(firstSample + i)];
  return { nSamples, nChannels: 2, segment: 0, firstSample, ageS: 0, saturated: 0, steps };
}

export const SESSION = {
  session: "S1",
  bed: "B4",
  patient: "P-017",
  mode: "demo",
  origin: "simulated",
  planned_s: 540,
  rate_hz: 1000,
  labels: ["C3", "RF"],
  kinds: ["eeg", "emg"],
  bundles: { eeg_emg: { name: "lstm-bands", version: "1", sha256: "ab", origin: "synthetic" }, fmri: null, fusion: null },
};

/** A contact message with all roles heard just now, changed as asked. */
export function contact({ roles = {}, redis = 0.1, progress = 2, cause = "the next window is being filled", bridge = null, closed = null } = {}) {
  const ages = { bridge: 0.2, scorer: 0.2, aggregator: 0.2, ...roles };
  return {
    type: "contact",
    data: {
      session: "S1",
      closed_utc: closed,
      roles: Object.fromEntries(Object.entries(ages).map(([role, age_s]) => [role, { age_s, heard: true }])),
      redis: { age_s: redis },
      progress: { age_s: progress, cause },
      bridge,
    },
  };
}

/** An outcome of some state. */
export function outcome(state, more = {}) {
  return {
    type: "outcome",
    data: {
      state,
      probability: 0.69,
      interval: [0.55, 0.81],
      provisional: false,
      modalities: ["eeg_emg"],
      missing: [{ modality: "fmri", reason: "There is no scored scan of this patient." }],
      reasons: [],
      parts: {
        eeg_emg: { status: "ok", windows: 9, weight: 9, logit: 0.8, probability: 0.69 },
        fmri: { status: "absent", slices: 0, logit: null, probability: null },
      },
      ...more,
    },
  };
}

export function windowMade(index, more = {}) {
  const about = { index, segment: 0, first_sample: 4000 + 10_000 * index, n_samples: 10_000, sqi: 1, weight: 1 };
  return { type: "window", data: { ...about, channel_quality: { C3: 1, RF: 1 }, faults: {}, flags: [], phases: [], ...more } };
}

export function result(index, more = {}) {
  const about = { index, segment: 0, first_sample: 4000 + 10_000 * index, state: "scored", reason: null };
  return { type: "result", data: { ...about, logit: 0.5, sqi: 1, weight: 1, engine: null, ...more } };
}

/** The state after a session's snapshot and these messages, all heard at once. */
export function stateOf(...messages) {
  const snapshot = { type: "snapshot", data: { bed: "B4", session: "S1", entries: [{ type: "session", data: SESSION }] } };
  return [snapshot, ...messages].reduce((state, message) => reduce(state, message, THEN), emptyState(THEN));
}
