// @ts-check
/**
 * How old a value looks (law 7): fresh, grey, struck through, gone. A closed session is final and does not age.
 *
 * Every value comes with its age at arrival; from then on the reader adds the time of its own clocks. Two are read: the
 * monotonic one, and the wall clock, because the first may stand still while the machine sleeps.
 */

import { words } from "./words/catalogue.js";
import { say } from "./words/say.js";

/** Seconds at which a value goes grey, is struck through, and reads `---`. */
export const CONTACT = Object.freeze({ grey: 3, struck: 10, gone: 30 });
export const PROGRESS = Object.freeze({ grey: 27, struck: 40, gone: 80 });
/** Age of the newest sample on the lanes of the wave, in seconds, from which on they are grey. */
export const LANE_GREY_S = 1;

/** @typedef {"fresh" | "grey" | "struck" | "gone"} Look */
/** @typedef {{monoMs: number, wallMs: number}} Now */

/** @type {readonly Look[]} */
const LOOKS = ["fresh", "grey", "struck", "gone"];

/** @returns {Now} */
export function readClocks() {
  return { monoMs: performance.now(), wallMs: Date.now() };
}

/**
 * Seconds from `then` to `now`: the longer of what both clocks say.
 *
 * @param {Now} then
 * @param {Now} now
 */
export function elapsedS(then, now) {
  return Math.max(0, now.monoMs - then.monoMs, now.wallMs - then.wallMs) / 1000;
}

/**
 * The moment some milliseconds before another.
 *
 * @param {Now} now
 * @param {number} ms
 * @returns {Now}
 */
export function before(now, ms) {
  return { monoMs: now.monoMs - ms, wallMs: now.wallMs - ms };
}

/**
 * How old the newest sample of the lanes is: the older of what its own frame says, and of how far the server's wave is.
 *
 * A slow line holds frames back, and hands them over one by one as if they were new: only who knows how far the wave
 * has come sees that they are not.
 *
 * @param {{cameAgeS: number, silentS: number, end: number}} lanes age of the newest sample when its frame was sent, the
 *   time since it came, and one past its place on the grid
 * @param {{end: number, age_s: number} | null | undefined} wave how far the server's wave was, and how old that was
 * @param {number} since seconds since the server said so
 * @param {number} rateHz
 */
export function laneAgeS({ cameAgeS, silentS, end }, wave, since, rateHz) {
  const own = cameAgeS + silentS;
  return wave ? Math.max(own, wave.age_s + since + (wave.end - end) / rateHz) : own;
}

/**
 * @param {number} ageS
 * @param {{grey: number, struck: number, gone: number}} limits
 * @returns {Look}
 */
export function lookOf(ageS, limits) {
  if (ageS >= limits.gone) return "gone";
  if (ageS >= limits.struck) return "struck";
  return ageS >= limits.grey ? "grey" : "fresh";
}

/**
 * The worst of several looks.
 *
 * @param {...Look} looks
 * @returns {Look}
 */
export function worst(...looks) {
  return /** @type {Look} */ (LOOKS[Math.max(0, ...looks.map((look) => LOOKS.indexOf(look)))]);
}

/**
 * An age for people: whole seconds up to two minutes, then minutes, then hours.
 *
 * @param {number} ageS
 */
export function ageWords(ageS) {
  const s = Math.floor(ageS);
  if (s < 120) return say(words.age.seconds, { n: s });
  if (s < 7200) return say(words.age.minutes, { n: Math.floor(s / 60) });
  return say(words.age.hours, { n: Math.floor(s / 3600) });
}

/**
 * What keeps the lanes from being live, in words; "" while they are.
 *
 * @param {number} ageS how old the newest sample was when it came
 * @param {number} silentS seconds since then
 */
export function staleWords(ageS, silentS) {
  if (ageS + silentS < LANE_GREY_S) return "";
  const age = ageWords(ageS + silentS);
  return say(silentS < LANE_GREY_S ? words.age.late : words.age.noSignal, { age });
}
