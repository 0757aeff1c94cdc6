// @ts-check
/** The report of a session: its facts, and its signal, phases, samples, measures and notes in tables. */

import { byId, make, setShown, setText } from "../dom.js";
import { phaseSpans } from "../signal/page.js";
import { words } from "../words/catalogue.js";
import { say } from "../words/say.js";
import { clockWords, faultWord, phaseWord } from "../words/words.js";
import { facts, pictures, problemWords } from "./facts.js";
import { table } from "./table.js";
import { phaseTotals, qualityOver } from "./then.js";

/** @typedef {import("./store.js").SessionState} SessionState */
/** @typedef {import("./told").Told} Told */
/** @typedef {import("./told").Signal} Signal */

/** Whole percents above which a share of good signal is all of it. */
const ALL = 99.5;

/**
 * Rows of the channels: how much of their signal was good, and what was wrong with the rest.
 *
 * @param {Signal} signal
 */
export function qualityRows(signal) {
  return qualityOver(signal, 0, signal.n_samples).map(({ label, kind, quality, faults }) => {
    const share = quality === null ? words.session.unknown : `${(100 * quality).toFixed(100 * quality > ALL ? 0 : 1)} %`;
    return [label, kind.toUpperCase(), share, faults.map(faultWord).join(words.numbers.list)];
  });
}

/**
 * Rows of the phases.
 *
 * @param {Signal} signal
 */
export function phaseRows(signal) {
  const totals = phaseTotals(phaseSpans(signal.markers, 0, signal.n_samples));
  return totals.map(({ phase, times, samples }) => [phaseWord(phase), String(times), clockWords(samples / signal.rate_hz)]);
}

/**
 * Rows of the ledger: where every sample went.
 *
 * @param {Record<string, any>} books
 * @param {number} rateHz
 */
export function ledgerRows(books, rateHz) {
  const entries = { ...books, ...books["discarded"] };
  const names = Object.entries(words.session.ledger).filter(([key]) => typeof entries[key] === "number");
  return names.map(([key, name]) => [name, String(entries[key]), clockWords(entries[key] / rateHz)]);
}

/**
 * Rows of the measures, as `flexion sessions report` has them.
 *
 * @param {import("./told").Measures} measures
 */
export function measureRows(measures) {
  return measures.rows.map(({ measure, site, phase, unit, value, interval, n_trials: n, missing }) => {
    const digits = unit === "1" ? 3 : 0;
    const number = (/** @type {number} */ x) => (Math.round(x * 10 ** digits) / 10 ** digits + 0).toFixed(digits);
    const said = value === null ? missing : [number(value), unit === "1" ? "" : unit].filter(Boolean).join(" ");
    const span = interval === null ? "" : say(words.numbers.part, { from: number(interval[0]), to: number(interval[1]) });
    const name = /** @type {Record<string, string>} */ (words.session.measureNames)[measure] ?? measure;
    return [name, site, phaseWord(phase), said, span, String(n)];
  });
}

/**
 * The report on the page.
 *
 * @param {import("./library.js").Library} library
 * @returns {(state: SessionState) => void}
 */
export function mountReport(library) {
  /** @type {Told | null} */
  let told = null;
  /** @type {Signal | null} */
  let signal = null;
  mountMeasures(library);
  return (state) => {
    if (state.told !== null && state.told !== told) renderTold((told = state.told));
    if (state.signal !== null && state.signal !== signal) renderSignal((signal = state.signal));
  };
}

/** @param {Told} told */
function renderTold(told) {
  byId("facts").replaceChildren(...facts(told).flatMap(([name, value]) => [make("dt", "", name), make("dd", "", value)]));
  byId("problems").replaceChildren(...problemWords(told).map((text) => make("li", "", text)));
  setShown(byId("problems"), told.problems.length > 0);
  renderBooks(told);
  renderNotes(told.notes);
  byId("looked").replaceChildren(...pictures(told).map(picture));
  setShown(byId("scans-part"), pictures(told).length > 0);
  setShown(byId("measures-part"), told.no_traces === null);
}

/** @param {Told} told */
function renderBooks({ ledger, info }) {
  const books = ledger?.["ledger"];
  setShown(byId("ledger-part"), Boolean(books));
  if (!books) return;
  const { what, n, time } = words.session.ledgerColumns;
  byId("ledger-table").replaceChildren(table([what, n, time], ledgerRows(books, info["rate_hz"] ?? 1000), words.session.ledgerPart));
}

/** @param {import("./told").Note[]} notes */
function renderNotes(notes) {
  const items = notes.map(({ text = "", author = "", utc = "" }) => {
    const item = make("li", "note");
    const said = make("p", "note-text", text);
    said.setAttribute("dir", "auto");
    const by = [author, utc && new Date(utc).toLocaleString(document.documentElement.lang)].filter(Boolean);
    item.append(said, make("p", "hint", by.length === 2 ? say(words.session.noteBy, { author, time: by[1] ?? "" }) : (by[0] ?? "")));
    return item;
  });
  byId("notes").replaceChildren(...items);
  setShown(byId("no-notes"), notes.length === 0);
}

/** @param {string} address */
function picture(address) {
  const [link, image] = [make("a", ""), make("img", "looked")];
  link.setAttribute("href", address);
  image.setAttribute("src", address);
  image.setAttribute("alt", words.session.picture);
  link.append(image);
  return link;
}

/** @param {Signal} signal */
function renderSignal(signal) {
  const { channel, kind, good, faults } = words.session.qualityColumns;
  byId("quality-table").replaceChildren(table([channel, kind, good, faults], qualityRows(signal), words.session.quality));
  const { phase, times, time } = words.session.phasesColumns;
  byId("phases-table").replaceChildren(table([phase, times, time], phaseRows(signal), words.session.phases));
  setShown(byId("quality-part"), true);
  setShown(byId("phases-part"), phaseRows(signal).length > 0);
  setShown(byId("other-chain"), !signal.same_chain);
}

/**
 * The measures take the server some seconds: they are asked for by a press.
 *
 * @param {import("./library.js").Library} library
 */
function mountMeasures(library) {
  const button = /** @type {HTMLButtonElement} */ (byId("measures-ask"));
  button.addEventListener("click", () => {
    button.disabled = true;
    setText(byId("measures-words"), words.session.measuresMaking);
    library.measures(() => {}).then(renderMeasures, (error) => {
      button.disabled = false;
      setText(byId("measures-words"), error instanceof Error ? error.message : String(error));
    });
  });
}

/** @param {import("./told").Measures} measures */
function renderMeasures(measures) {
  const names = words.session.measuresColumns;
  const side = words.session.sides[/** @type {"left" | "right"} */ (measures.moved_side ?? "unknown")];
  setShown(byId("measures-ask"), false);
  setText(byId("measures-words"), say(words.session.measuresNote, { n: measures.trials, side }));
  byId("measures-table").replaceChildren(table(Object.values(names), measureRows(measures), words.session.measures));
}
