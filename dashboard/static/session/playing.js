// @ts-check
/**
 * How a recorded session is played: as it was recorded, page after page, as fast as is wished and never by itself.
 *
 * Time is the clock's. Where a page is not there yet the head waits at the edge of the one before.
 */

import { PAGE_SAMPLES, SETTLING_SAMPLES } from "../signal/page.js";

/** Milliseconds that can pass between two looks at the clock: in a hidden tab, or a machine asleep, nothing is played. */
const MOST_MS = 1000;

/**
 * The part of a stop's page that is played; what is left of it when the next one begins (a long hole) is not.
 *
 * @typedef {object} Leaf
 * @property {number} from
 * @property {number} to
 * @property {number} origin of the sweep's pages
 */

/**
 * Where playing is: how much of which leaf was played.
 *
 * @typedef {object} Head
 * @property {number} at the stop
 * @property {number} sample one past the last that was played; it has a fraction
 */

/**
 * One leaf for every stop.
 *
 * @param {import("./stops.js").Stop[]} stops
 * @param {import("./told").Signal} signal
 * @returns {Leaf[]}
 */
export function leavesOf(stops, { segments, n_samples: end }) {
  const firsts = new Map(segments.map(({ segment, first_sample: first }) => [segment, first]));
  const begins = stops.map(({ from, segment }) => Math.max(0, from, firsts.get(segment) ?? 0));
  return stops.map(({ from, segment }, i) => ({
    from: begins[i] ?? 0,
    to: Math.min(from + PAGE_SAMPLES, begins[i + 1] ?? end, end),
    origin: (firsts.get(segment) ?? 0) + SETTLING_SAMPLES,
  }));
}

/**
 * Where playing begins for who looks at a stop: with its page, or after it where whole pages are turned.
 *
 * @param {Leaf[]} leaves
 * @param {number} at
 * @param {boolean} calm
 * @returns {Head}
 */
export function headAt(leaves, at, calm) {
  const leaf = leaves[at];
  return { at, sample: (calm ? leaf?.to : leaf?.from) ?? 0 };
}

/**
 * The head so many samples on, at most where the pages that are there end.
 *
 * @param {Head} head
 * @param {number} by samples
 * @param {Leaf[]} leaves
 * @param {(at: number) => boolean} has whether a page is there
 * @returns {Head}
 */
export function advanced({ at, sample }, by, leaves, has) {
  let left = has(at) ? by : 0;
  for (;;) {
    const to = leaves[at]?.to ?? 0;
    const step = Math.min(left, to - sample);
    [sample, left] = [sample + step, left - step];
    const next = leaves[at + 1];
    if (left === 0 || next === undefined || !has(at + 1)) return { at, sample };
    [at, sample] = [at + 1, next.from];
  }
}

/**
 * Whether nothing is left to play.
 *
 * @param {Head} head
 * @param {Leaf[]} leaves
 */
export function isOver({ at, sample }, leaves) {
  return at >= leaves.length - 1 && sample >= (leaves[at]?.to ?? 0);
}

/**
 * What is looked at: the head, or, where little may move, the last page that is whole.
 *
 * @param {Head} head
 * @param {Leaf[]} leaves
 * @param {boolean} calm
 * @returns {{at: number, due: number | null}}
 */
export function lookedAt({ at, sample }, leaves, calm) {
  if (!calm) return { at, due: Math.floor(sample) };
  return { at: sample >= (leaves[at]?.to ?? 0) ? at : Math.max(0, at - 1), due: null };
}

/**
 * Samples that are played between two looks at the clock.
 *
 * @param {number} ms that passed
 * @param {number} rateHz
 * @param {number} speed
 */
export function samplesIn(ms, rateHz, speed) {
  return (Math.max(0, Math.min(MOST_MS, ms)) / 1000) * rateHz * speed;
}
