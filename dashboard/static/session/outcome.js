// @ts-check
/** The outcome as it was at the moment that is looked at, by the bed's own view: the same words, and nothing ages. */

import { outcomeView, renderOutcome } from "../bed/outcome.js";
import { windowWords } from "../bed/windows.js";
import { byId, setShown, setText } from "../dom.js";
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
  if (isLast(state) && state.told?.ended) return ended ? say(words.age.final, { time: timeOfDay(ended) }) : words.session.finalNow;
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
    if (view !== null) renderOutcome(view);
  };
}
