// @ts-check
/** What codes of the system say to people at the bed, in the page's language. A code without a word is said as it is. */

import { words } from "./catalogue.js";
import { say } from "./say.js";

/** @param {Record<string, string>} known @param {string} code */
const look = (known, code) => known[code] ?? code.replaceAll("_", " ");

/** What the number is the chance of. */
export const OUTCOME_NAME = words.outcomeName;

/** @param {string} code */
export const stateWord = (code) => look(words.states, code);
/** @param {string} code */
export const stateMeaning = (code) => look(words.stateMeanings, code);
/** @param {string} code */
export const modalityWord = (code) => look(words.modalities, code);
/** @param {string} code */
export const statusWord = (code) => look(words.statuses, code);

/** @param {string} code */
export const methodWord = (code) => look(words.methods, code);

/** @param {string} reason */
export function reasonWord(reason) {
  const [code = "", ...more] = reason.split(": ");
  return [look(words.reasons, code), ...more].join(words.numbers.colon);
}

/** @param {string} code */
export const phaseWord = (code) => look(words.phases, code);
/** @param {string} code */
export const flagWord = (code) => look(words.flags, code);
/** @param {string} code */
export const sourceWord = (code) => look(words.sources, code.toUpperCase());
/** @param {string} code */
export const roleWord = (code) => look(words.roles, code);
/** @param {string} code */
export const modeWord = (code) => look(words.modes, code);
/** @param {string} code */
export const originWord = (code) => look(words.origins, code);

/** @param {string} code */
export const faultWord = (code) => /** @type {Record<string, string[]>} */ (words.faults)[code]?.[0] ?? code;
/** @param {string} code */
export const faultRemedy = (code) => /** @type {Record<string, string[]>} */ (words.faults)[code]?.[1] ?? words.faultUnknown;

/**
 * A probability in whole percent; the ends are never claimed.
 *
 * @param {number} p
 */
export function percent(p) {
  const whole = Math.round(100 * p);
  if (whole < 1) return "<1 %";
  return whole > 99 ? ">99 %" : `${whole} %`;
}

/**
 * The same as a count of people.
 *
 * @param {number} p
 */
export function inTen(p) {
  const tenths = Math.round(10 * p);
  if (tenths < 1) return words.numbers.inTenFew;
  return tenths > 9 ? words.numbers.inTenMany : say(words.numbers.inTen, { n: tenths });
}

/**
 * Points at 3 months with their interval, in whole points.
 *
 * @param {{value: number, interval: [number, number]}} fma
 */
export function pointsWords({ value, interval: [low, high] }) {
  return say(words.numbers.points, { value: Math.round(value), low: Math.round(low), high: Math.round(high) });
}

/**
 * What weighs both modalities, each weight with its interval over resampled patients.
 *
 * @param {import("../wire").Weighing} weighing
 */
export function weightsWords({ weights, untrained }) {
  const each = [weightWords("eeg_emg", weights.eeg_emg), weightWords("fmri", weights.fmri)].join(words.numbers.list);
  return say(untrained ? words.numbers.weightsUntrained : words.numbers.weightsTrained, { each });
}

/** @param {string} modality @param {import("../wire").Weight} weight */
function weightWords(modality, { value, interval }) {
  const said = { modality: modalityWord(modality), value: value.toFixed(2) };
  if (interval === null) return say(words.numbers.weight, said);
  return say(words.numbers.weightSpan, { ...said, low: interval[0].toFixed(2), high: interval[1].toFixed(2) });
}

/**
 * Minutes and seconds.
 *
 * @param {number} s
 */
export function clockWords(s) {
  const whole = Math.max(0, Math.floor(s));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/**
 * Which part of its recording a replay plays, and how often; "" where it is all of it, once.
 *
 * @param {{excerpt?: {from_s: number, to_s: number} | null, rounds?: number}} session
 */
export function partWords({ excerpt, rounds = 1 }) {
  const span = excerpt && { from: clockWords(excerpt.from_s), to: clockWords(excerpt.to_s) };
  const often = rounds === 1 ? "" : rounds === 0 ? words.numbers.overAndOver : say(words.numbers.timesOver, { n: rounds });
  return [span ? say(words.numbers.part, span) : "", often].filter(Boolean).join(words.numbers.list);
}

/**
 * The time of day on this machine.
 *
 * @param {string} utc ISO 8601
 */
export function timeOfDay(utc) {
  const time = new Date(utc);
  return `${String(time.getHours()).padStart(2, "0")}:${String(time.getMinutes()).padStart(2, "0")}`;
}
