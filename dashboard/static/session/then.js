// @ts-check
/** A moment of a recorded session as the bedside page would have known it: the same state, for the same panels. */

import { emptyState } from "../bed/store.js";
import { PAGE_SAMPLES } from "../signal/page.js";

/** @typedef {import("../bed/store.js").BedState} BedState */
/** @typedef {import("./told").Told} Told */

/** Clocks that stand still: what was recorded does not age. */
const STILL = Object.freeze({ monoMs: 0, wallMs: 0 });

/**
 * The state of the bed at a stop.
 *
 * @param {Told} told
 * @param {import("./told").Signal | null} signal
 * @param {import("./told").Row | null} row the window of the stop
 * @param {import("../wire").Outcome | null} outcome as it was then
 * @returns {BedState}
 */
export function stateThen(told, signal, row, outcome) {
  const made = row === null ? undefined : signal?.windows.find(({ index }) => index === row.index);
  return {
    ...emptyState(STILL),
    told: true,
    sessionId: told.info["session"],
    session: sessionOf(told, signal),
    segments: signal?.segments ?? [],
    markers: signal?.markers ?? [],
    windows: new Map(made === undefined ? [] : [[made.index, made]]),
    results: new Map(row === null ? [] : [[row.index, row]]),
    lastResult: row,
    outcome,
    end: /** @type {any} */ ({ ended_utc: told.ledger?.["ended_utc"] ?? told.info["created_utc"] }),
  };
}

/**
 * What the session's first event said.
 *
 * @param {Told} told
 * @param {import("./told").Signal | null} signal
 * @returns {import("../wire").Session}
 */
export function sessionOf({ info }, signal) {
  const channels = /** @type {{label: string, kind: "eeg" | "emg"}[]} */ (info["montage"]?.channels ?? []);
  const labels = signal?.labels ?? channels.map(({ label }) => label);
  const kinds = signal?.kinds ?? channels.map(({ kind }) => kind);
  const bundles = { eeg_emg: null, fmri: null, fusion: null, ...info["bundles"] };
  return /** @type {any} */ ({ rate_hz: 1000, ...info, labels, kinds, bundles, filters: signal?.filters });
}

/**
 * Share of good cells of each channel over [from, to), and what was wrong with the others; null where nothing is known.
 *
 * @param {import("./told").Signal | null} signal
 * @param {number} from
 * @param {number} to
 * @returns {{label: string, kind: "eeg" | "emg", quality: number | null, faults: string[]}[]}
 */
export function qualityOver(signal, from, to) {
  if (signal === null) return [];
  const { every, seconds, good, bits, faults } = signal.quality;
  const inside = seconds.flatMap((second, i) => (second * every < to && (second + 1) * every > from ? [i] : []));
  return signal.labels.map((label, c) => {
    const n = sum(inside.map((i) => good[i]?.[signal.labels.length] ?? 0));
    const found = inside.reduce((all, i) => all | (bits[i]?.[c] ?? 0), 0);
    return {
      label,
      kind: /** @type {"eeg" | "emg"} */ (signal.kinds[c]),
      quality: n === 0 ? null : sum(inside.map((i) => good[i]?.[c] ?? 0)) / n,
      faults: faults.filter((_, bit) => (found >> bit) & 1),
    };
  });
}

/** @param {number[]} numbers */
const sum = (numbers) => numbers.reduce((all, one) => all + one, 0);

/**
 * How often each phase came, and for how many samples in all.
 *
 * @param {import("../signal/page.js").Span[]} spans
 * @returns {{phase: string, times: number, samples: number}[]}
 */
export function phaseTotals(spans) {
  /** @type {Map<string, {phase: string, times: number, samples: number}>} */
  const totals = new Map();
  for (const { phase, from, to } of spans) {
    const known = totals.get(phase) ?? { phase, times: 0, samples: 0 };
    totals.set(phase, { phase, times: known.times + 1, samples: known.samples + to - from });
  }
  return [...totals.values()];
}

/**
 * From when to when a page lasts, cut to the session.
 *
 * @param {import("./stops.js").Stop} stop
 * @param {number} end one past the session's last sample
 * @returns {[number, number]}
 */
export function pageOf(stop, end) {
  return [Math.max(0, stop.from), Math.max(0, Math.min(stop.from + PAGE_SAMPLES, end))];
}
