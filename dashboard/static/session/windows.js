// @ts-check
/** The table of the windows, a page of it at a time: 10,000 of them stay as quick as fifty. */

import { byId, make, setAttribute, setShown, setText } from "../dom.js";
import { words } from "../words/catalogue.js";
import { say } from "../words/say.js";
import { clockWords, percent, phaseWord, reasonWord, stateWord } from "../words/words.js";
import { PAGE_ROWS } from "./library.js";
import { placeThen } from "./store.js";
import { stopOf } from "./stops.js";

/** @typedef {import("./told").Row} Row */

/**
 * The cells of a window, but for the first.
 *
 * @param {Row} row
 * @param {number} rateHz
 */
export function cellsOf(row, rateHz) {
  const phases = [...new Set(row.phases.map(([phase]) => phaseWord(phase)))].join(words.numbers.list);
  const state = words.session.states[row.state] ?? row.state;
  return [
    row.first_sample < 0 ? "" : clockWords(row.first_sample / rateHz),
    phases,
    `${Math.round(100 * row.sqi)} %`,
    row.weight.toFixed(2),
    row.reason ? [state, reasonWord(row.reason)].join(words.numbers.colon) : state,
    row.p === null ? "" : percent(row.p),
    outcomeWords(row),
  ];
}

/** @param {Row} row */
function outcomeWords({ index, outcome_at: at, outcome }) {
  if (outcome === null || at !== index) return "";
  return outcome.probability === null ? stateWord(outcome.state) : [stateWord(outcome.state), percent(outcome.probability)].join(" ");
}

/**
 * The table; the page of it that holds the window that is looked at.
 *
 * @param {import("./store.js").Store} store
 * @returns {(state: import("./store.js").SessionState) => void}
 */
export function mountRows(store) {
  const { window, ...others } = words.session.columns;
  const head = byId("rows-head");
  head.append(...[window, ...Object.values(others)].map((name) => column(name)));
  byId("rows-back").addEventListener("click", () => turn(store, -PAGE_ROWS));
  byId("rows-on").addEventListener("click", () => turn(store, PAGE_ROWS));
  byId("rows").addEventListener("click", (event) => {
    const place = event.target instanceof Element ? event.target.closest("button")?.dataset["place"] : undefined;
    const { stops, course } = store.state();
    if (place !== undefined && course !== null) store.goTo(stopOf(stops, course, Number(place)));
  });
  /** @type {import("./told").Rows | null} */
  let drawn = null;
  return (state) => {
    if (state.rows !== null && state.rows !== drawn) renderRows((drawn = state.rows), state);
    const none = state.rows === null || state.rows.total === 0;
    setShown(byId("rows-table"), !none);
    setShown(byId("no-rows"), none && state.told !== null);
    markRow(placeThen(state));
  };
}

/** @param {string} name */
function column(name) {
  const cell = make("th", "", name);
  cell.setAttribute("scope", "col");
  return cell;
}

/**
 * @param {import("./store.js").Store} store
 * @param {number} by windows
 */
function turn(store, by) {
  const { rows, stops, course } = store.state();
  if (rows === null || course === null) return;
  const first = Math.max(0, Math.min(course.index.length - 1, rows.first + by));
  store.goTo(stopOf(stops, course, first));
}

/**
 * @param {import("./told").Rows} rows
 * @param {import("./store.js").SessionState} state
 */
function renderRows({ total, first, windows }, state) {
  const rate = state.told?.info["rate_hz"] ?? 1000;
  byId("rows").replaceChildren(...windows.map((row, i) => rowOf(row, first + i, rate)));
  const from = windows.length > 0 ? first + 1 : 0;
  setText(byId("rows-of"), say(words.session.rowsOf, { from, to: first + windows.length, n: total }));
  setShown(byId("rows-pages"), total > PAGE_ROWS);
  /** @type {HTMLButtonElement} */ (byId("rows-back")).disabled = first === 0;
  /** @type {HTMLButtonElement} */ (byId("rows-on")).disabled = first + windows.length >= total;
}

/**
 * @param {Row} row
 * @param {number} place
 * @param {number} rateHz
 */
function rowOf(row, place, rateHz) {
  const made = make("tr", "");
  made.dataset["place"] = String(place);
  const [cell, button] = [make("th", ""), make("button", "to-window", String(row.index))];
  cell.setAttribute("scope", "row");
  button.setAttribute("type", "button");
  button.dataset["place"] = String(place);
  cell.append(button);
  made.append(cell, ...cellsOf(row, rateHz).map((text) => make("td", "", text)));
  return made;
}

/** @param {number | null} place */
function markRow(place) {
  for (const row of /** @type {Iterable<HTMLElement>} */ (byId("rows").children)) {
    setAttribute(row, "aria-current", row.dataset["place"] === String(place) ? "true" : null);
  }
}
