// @ts-check
/** The state of the session page: what was told, and where one looks. One store; every panel reads it. */

import { placeBefore, placeBy, stopOf, stopsOf } from "./stops.js";

/** @typedef {import("./told").Told} Told */
/** @typedef {import("./told").Course} Course */
/** @typedef {import("./told").Signal} Signal */

/**
 * @typedef {object} SessionState
 * @property {Told | null} told
 * @property {Course | null} course
 * @property {Signal | null} signal
 * @property {{share: number | null, words: string}} waiting how much of the traces is made, or why there are none
 * @property {import("./stops.js").Stop[]} stops
 * @property {number} at the stop that is looked at
 * @property {boolean} playing
 * @property {number | null} due one past the last sample that was played; null where a whole page is looked at
 * @property {import("./told").Rows | null} rows those around the window that is looked at
 * @property {string} problem why nothing is shown
 */

/** @returns {SessionState} */
export function emptySession() {
  const waiting = { share: 0, words: "" };
  return { told: null, course: null, signal: null, waiting, stops: [], at: 0, playing: false, due: null, rows: null, problem: "" };
}

/**
 * The state with one more thing told; who looks at a window goes on looking at it.
 *
 * @param {SessionState} state
 * @param {Partial<SessionState>} change
 * @returns {SessionState}
 */
export function changed(state, change) {
  const next = { ...state, ...change };
  if (next.course === null || (change.course === undefined && change.signal === undefined)) return next;
  const place = state.stops.length > 0 ? placeBy(state.stops[state.at], next.course) : null;
  const stops = stopsOf(next.signal, next.course);
  return { ...next, stops, at: place === null ? first(stops) : stopOf(stops, next.course, place) };
}

/**
 * The stop that is looked at first: the first window.
 *
 * @param {import("./stops.js").Stop[]} stops
 */
function first(stops) {
  return Math.max(0, stops.findIndex(({ place }) => place !== null));
}

/**
 * Go to a stop, which ends playing; beyond the ends there is none.
 *
 * @param {SessionState} state
 * @param {number} at
 * @returns {SessionState}
 */
export function wentTo(state, at) {
  return { ...state, playing: false, due: null, at: Math.max(0, Math.min(state.stops.length - 1, at)) };
}

/**
 * The place of the window whose outcome stands at a stop, or where the session is played; null before the first.
 *
 * @param {SessionState} state
 */
export function placeThen({ stops, at, due, course }) {
  if (course === null) return null;
  return due === null ? placeBy(stops[at], course) : placeBefore(due, course);
}

/**
 * The row of the window whose outcome stands at a stop, where it has come.
 *
 * @param {SessionState} state
 * @returns {import("./told").Row | null}
 */
export function rowThen(state) {
  const place = placeThen(state);
  return place === null ? null : (state.rows?.windows[place - state.rows.first] ?? null);
}

/**
 * The outcome as it was at a stop; after the last window of a session that has ended, the final one.
 *
 * @param {SessionState} state
 * @returns {import("../wire").Outcome | null}
 */
export function outcomeThen(state) {
  if (isLast(state)) return state.told?.outcome ?? null;
  return rowThen(state)?.outcome ?? null;
}

/**
 * Whether nothing comes after the stop that is looked at.
 *
 * @param {SessionState} state
 */
export function isLast({ stops, at, due }) {
  return at === stops.length - 1 && due === null;
}

/**
 * Samples from the strip's left edge to its right.
 *
 * @param {SessionState} state
 */
export function lengthOf({ signal, course }) {
  if (signal !== null) return Math.max(1, signal.n_samples);
  return Math.max(1, (course?.first_sample.at(-1) ?? 0) + 10_000);
}

/**
 * @typedef {object} Store
 * @property {() => SessionState} state
 * @property {(change: Partial<SessionState>) => void} change
 * @property {(at: number) => void} goTo
 * @property {(reader: (state: SessionState) => void) => void} subscribe calls at once and after every change
 */

/** @returns {Store} */
export function createSession() {
  let state = emptySession();
  /** @type {((state: SessionState) => void)[]} */
  const readers = [];
  const tell = () => readers.forEach((reader) => reader(state));
  return {
    state: () => state,
    change(change) {
      state = changed(state, change);
      tell();
    },
    goTo(at) {
      const next = wentTo(state, at);
      if (next.at === state.at && state.due === null && !state.playing) return;
      state = next;
      tell();
    },
    subscribe(reader) {
      readers.push(reader);
      reader(state);
    },
  };
}
