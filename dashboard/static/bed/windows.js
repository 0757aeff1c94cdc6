// @ts-check
/** The windows, one mark each: scored, weighted down, not scored and why, waiting (laws 3 and 5). */

import { byId, changes, fit, make, setAttribute, setText } from "../dom.js";
import { closedUtc, isUnscored } from "./store.js";
import { words } from "../words/catalogue.js";
import { say } from "../words/say.js";
import { clockWords, faultWord, flagWord, phaseWord, reasonWord } from "../words/words.js";
import { PAGE_SAMPLES, SETTLING_SAMPLES } from "../signal/page.js";

/** @typedef {"scored" | "weighted" | "unscored" | "dead" | "waiting" | "kept" | "planned"} Fate */
/** @typedef {import("./store.js").BedState} BedState */

/** Marks shown at most: the newest; the counts tell of all. */
const SHOWN = 120;
/** Share of good cells below which a channel is zeroed. */
const CHANNEL_FLOOR = 0.5;

/**
 * What became of a window.
 *
 * @param {BedState} state
 * @param {number} index
 * @returns {Fate}
 */
export function fateOf(state, index) {
  const result = state.results.get(index);
  if (result === undefined && !state.windows.has(index)) return "planned";
  if (result === undefined) return isUnscored(state) ? "kept" : "waiting";
  if (result.state === "dead_lettered") return "dead";
  if (result.state === "not_scored") return "unscored";
  return result.weight < 1 ? "weighted" : "scored";
}

/**
 * Windows that the planned time holds, if there is no gap.
 *
 * @param {import("../wire").Session | null} session
 */
export function plannedWindows(session) {
  if (!session?.planned_s) return 0;
  return Math.max(0, Math.floor((session.planned_s * session.rate_hz - SETTLING_SAMPLES) / PAGE_SAMPLES));
}

/**
 * @typedef {object} Mark
 * @property {number} index
 * @property {Fate} fate
 */

/**
 * The marks in order, and the count of every fate.
 *
 * @param {BedState} state
 * @returns {{marks: Mark[], counts: Record<Fate, number>, made: number, planned: number}}
 */
export function windowMarks(state) {
  const made = Math.max(pastLast(state.windows), pastLast(state.results));
  const planned = closedUtc(state) === null ? plannedWindows(state.session) : 0;
  const counts = { scored: 0, weighted: 0, unscored: 0, dead: 0, waiting: 0, kept: 0, planned: 0 };
  /** @type {Mark[]} */
  const marks = [];
  const all = Math.max(made, planned);
  for (let index = 0; index < all; index += 1) {
    const fate = fateOf(state, index);
    counts[fate] += 1;
    if (index >= all - SHOWN) marks.push({ index, fate });
  }
  return { marks, counts, made, planned };
}

/**
 * One past the greatest index.
 *
 * @param {Map<number, unknown>} byIndex
 */
function pastLast(byIndex) {
  let past = 0;
  for (const index of byIndex.keys()) past = Math.max(past, index + 1);
  return past;
}

/**
 * One window in words.
 *
 * @param {BedState} state
 * @param {number} index
 */
export function windowWords(state, index) {
  const window = state.windows.get(index);
  const result = state.results.get(index);
  const fate = fateOf(state, index);
  const { semicolon, stop } = words.numbers;
  const parts = [say(words.windows.window, { n: index, fate: words.windows.fates[fate] })];
  const about = window ?? result;
  if (about === undefined) return `${parts[0]}${stop}`;
  const low = result?.reason === "quality";
  parts.push(say(low ? words.windows.qualityLow : words.windows.quality, { share: Math.round(100 * about.sqi) }));
  if (result?.reason && result.reason !== "quality") parts.push(reasonWord(result.reason));
  if (window !== undefined) parts.push(...faultyChannels(window), ...flagsAndTime(window, state.session?.rate_hz ?? 1000));
  return `${parts.join(semicolon)}${stop}`;
}

/**
 * The channels that counted as zero, by what was wrong with them.
 *
 * @param {import("../wire").WindowMade} window
 */
function faultyChannels(window) {
  /** @type {Map<string, string[]>} */
  const labelsOf = new Map();
  for (const [label, quality] of Object.entries(window.channel_quality)) {
    if (quality >= CHANNEL_FLOOR) continue;
    const faults = (window.faults[label] ?? []).map(faultWord).join(words.numbers.and) || words.windows.bad;
    labelsOf.set(faults, [...(labelsOf.get(faults) ?? []), label]);
  }
  return [...labelsOf].map(([faults, labels]) => say(words.windows.channels, { labels: labels.join(", "), words: faults }));
}

/**
 * @param {import("../wire").WindowMade} window
 * @param {number} rateHz
 */
function flagsAndTime(window, rateHz) {
  const begin = clockWords(window.first_sample / rateHz);
  const end = clockWords((window.first_sample + window.n_samples) / rateHz);
  const phases = [...new Set(window.phases.map(([phase]) => phaseWord(phase)))].join(words.numbers.list);
  return [...window.flags.map(flagWord), say(words.windows.span, { from: begin, to: end }), phases].filter(Boolean);
}

/**
 * The window that a key leads to from the one that is told about; null is the newest, whichever that will be.
 *
 * @param {string} key
 * @param {number} told
 * @param {Mark[]} marks
 * @returns {number | null | undefined} undefined for a key that means nothing here
 */
export function windowByKey(key, told, marks) {
  const [first, last] = [marks.at(0)?.index ?? 0, marks.at(-1)?.index ?? 0];
  const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10, Home: -Infinity, End: Infinity };
  if (key === "Escape") return null;
  const step = /** @type {Record<string, number>} */ (steps)[key];
  return step === undefined ? undefined : Math.min(last, Math.max(first, told + step));
}

/**
 * The strip on the page, which is one slider: marks are smaller than fingers, and too many for as many stops of the Tab
 * key. A press takes the nearest mark, arrows the next one; the window's words stand below.
 *
 * @returns {(state: BedState) => void}
 */
export function mountWindows() {
  const strip = byId("marks");
  /** @type {number | null} */
  let chosen = null;
  /** @type {Mark[]} */
  let shown = [];
  let newest = 0;
  const changed = changes();
  strip.addEventListener("click", (event) => {
    const index = nearestMark(strip, event.clientX, event.clientY);
    chosen = chosen === index ? null : index;
  });
  strip.addEventListener("keydown", (event) => {
    const index = windowByKey(event.key, chosen ?? newest, shown);
    if (index === undefined) return;
    chosen = index;
    event.preventDefault();
  });
  return (state) => {
    if (!changed(chosen, state.windows, state.lastWindow, state.lastResult, state.session, closedUtc(state))) return;
    const { marks, counts, made, planned } = windowMarks(state);
    if (chosen !== null && chosen >= Math.max(made, planned)) chosen = null;
    [shown, newest] = [marks, Math.max(0, made - 1)];
    fit(strip, marks.length, () => make("span", "mark")).forEach((mark, i) => renderMark(mark, /** @type {Mark} */ (marks[i]), chosen));
    setText(byId("windows-count"), planned > 0 ? say(words.windows.ofPlanned, { made, planned }) : `${made}`);
    setText(byId("windows-fates"), fateWords(counts));
    const told = chosen ?? made - 1;
    const said = told >= 0 ? windowWords(state, told) : words.windows.first;
    setText(byId("window-words"), said);
    const values = { valuemin: marks.at(0)?.index ?? 0, valuemax: marks.at(-1)?.index ?? 0, valuenow: Math.max(0, told), valuetext: said };
    for (const [name, value] of Object.entries(values)) setAttribute(strip, `aria-${name}`, String(value));
  };
}

/** @param {Record<Fate, number>} counts */
function fateWords(counts) {
  const fates = /** @type {Fate[]} */ (["scored", "weighted", "unscored", "dead", "waiting", "kept"]);
  return fates
    .filter((fate) => counts[fate] > 0)
    .map((fate) => say(words.windows.count, { n: counts[fate], fate: words.windows.fates[fate] }))
    .join(" · ");
}

/**
 * The window whose mark is nearest to a press.
 *
 * @param {HTMLElement} strip
 * @param {number} x
 * @param {number} y
 */
function nearestMark(strip, x, y) {
  const far = /** @param {HTMLElement} mark */ (mark) => {
    const box = mark.getBoundingClientRect();
    return Math.hypot(x - (box.left + box.right) / 2, y - (box.top + box.bottom) / 2);
  };
  const marks = /** @type {HTMLElement[]} */ ([...strip.children]);
  const nearest = marks.reduce((best, mark) => (far(mark) < far(best) ? mark : best), /** @type {HTMLElement} */ (marks[0]));
  return nearest === undefined ? null : Number(nearest.dataset.index);
}

/**
 * @param {HTMLElement} element
 * @param {Mark} mark
 * @param {number | null} chosen
 */
function renderMark(element, mark, chosen) {
  setAttribute(element, "data-index", String(mark.index));
  setAttribute(element, "data-fate", mark.fate);
  setAttribute(element, "data-chosen", String(mark.index === chosen));
}
