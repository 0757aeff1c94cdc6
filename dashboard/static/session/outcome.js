// @ts-check
/** The outcome as it was at the moment that is looked at, by the bed's own view: the same words, and nothing ages. */

import { outcomeView } from "../bed/outcome.js";
import { windowWords } from "../bed/windows.js";
import { byId, fit, make, setAttribute, setShown, setText } from "../dom.js";
import { told as toldIn } from "../words/told.js";
import { words } from "../words/catalogue.js";
import { say } from "../words/say.js";
import { OUTCOME_NAME, timeOfDay } from "../words/words.js";
import { afterWords } from "./place.js";
import { isLast, outcomeThen, rowThen } from "./store.js";
import { stateThen } from "./then.js";

/** @typedef {import("./store.js").SessionState} SessionState */

/**
 * What the panel says; null where nothing may be told.
 *
 * @param {SessionState} state
 */
export function outcomeThenView(state) {
  if (state.told === null || state.told.in_error || state.told.lack !== "") return null;
  const then = stateThen(state.told, state.signal, rowThen(state), outcomeThen(state));
  return { ...outcomeView(then, { monoMs: 0, wallMs: 0 }), updated: whenWords(state) };
}

/**
 * Why nothing is told.
 *
 * @param {SessionState} state
 */
export function withheldWords({ told }) {
  if (told?.in_error) return words.session.inError;
  return told?.lack ? toldIn(told.lack) : "";
}

/** @param {SessionState} state */
function whenWords(state) {
  const ended = state.told?.ledger?.["ended_utc"];
  if (isLast(state) && state.told?.ended) return ended ? say(words.session.final, { time: timeOfDay(ended) }) : words.session.finalNow;
  return afterWords(state);
}

/**
 * The panel, and the words about the window below the strip.
 *
 * @returns {(state: SessionState) => void}
 */
export function mountOutcomeThen() {
  setText(byId("outcome-name"), OUTCOME_NAME);
  return (state) => {
    const view = outcomeThenView(state);
    const row = rowThen(state);
    const then = state.told === null ? null : stateThen(state.told, state.signal, row, null);
    setText(byId("window-words"), then === null || row === null ? "" : windowWords(then, row.index));
    setText(byId("withheld"), withheldWords(state));
    setShown(byId("withheld"), view === null && withheldWords(state) !== "");
    setShown(byId("outcome-then"), view !== null);
    if (view !== null) renderView(view);
  };
}

/** @param {NonNullable<ReturnType<typeof outcomeThenView>>} view */
function renderView(view) {
  setAttribute(byId("outcome"), "data-state", view.code);
  setText(byId("state-word"), view.word);
  setText(byId("state-meaning"), view.meaning);
  setShown(byId("number-block"), view.number !== "");
  setText(byId("number"), view.number);
  setText(byId("tenths"), view.tenths);
  setText(byId("points"), view.points);
  setShown(byId("points"), view.points !== "");
  setText(byId("similarity"), view.similarity);
  setAttribute(byId("similarity"), "data-unlike", String(view.unlike));
  setShown(byId("similarity"), view.similarity !== "");
  setText(byId("updated"), view.updated);
  setShown(byId("synthetic"), view.synthetic);
  renderBand(view.interval, view.probability);
  const reasons = fit(byId("reasons"), view.lines.length, () => make("li", ""));
  reasons.forEach((item, i) => setText(item, view.lines[i] ?? ""));
  renderModalities(view.modalities);
}

/**
 * @param {[number, number] | null} interval
 * @param {number | null} probability
 */
function renderBand(interval, probability) {
  setShown(byId("band"), interval !== null);
  if (interval === null || probability === null) return;
  const [low, high] = interval;
  byId("band-range").style.left = `${100 * low}%`;
  byId("band-range").style.width = `${100 * (high - low)}%`;
  byId("band-point").style.left = `${100 * probability}%`;
  setText(byId("band-words"), say(words.session.interval, { low: Math.round(100 * low), high: Math.round(100 * high) }));
}

/** @param {{name: string, status: string, detail: string, absent: boolean}[]} rows */
function renderModalities(rows) {
  const items = fit(byId("modalities"), rows.length, () => {
    const item = make("li", "modality");
    item.append(make("span", "modality-name"), make("span", "modality-status"), make("span", "modality-detail"));
    return item;
  });
  items.forEach((item, i) => {
    const row = /** @type {{name: string, status: string, detail: string, absent: boolean}} */ (rows[i]);
    setAttribute(item, "data-absent", String(row.absent));
    [row.name, row.status, row.detail].forEach((text, j) => setText(/** @type {Element} */ (item.children[j]), text));
  });
}
