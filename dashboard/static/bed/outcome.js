// @ts-check
/**
 * The outcome: state first, number second (law 8), and never a fresh-looking stale number (law 7).
 *
 * A number is there in three states only. What is missing is named. The reader makes STALE himself, from the ages.
 */

import { CONTACT, PROGRESS, ageWords, elapsedS, lookOf, worst } from "../age.js";
import { byId, changes, fit, make, setAttribute, setShown, setText } from "../dom.js";
import { ScanPanel, addressOf } from "./fmri.js";
import { closedUtc, isUnscored } from "./store.js";
import { words } from "../words/catalogue.js";
import { say } from "../words/say.js";
import { told } from "../words/told.js";
import {
  OUTCOME_NAME,
  inTen,
  methodWord,
  modalityWord,
  percent,
  pointsWords,
  roleWord,
  stateMeaning,
  stateWord,
  statusWord,
  timeOfDay,
  weightsWords,
} from "../words/words.js";

/** @typedef {import("./store.js").BedState} BedState */
/** @typedef {import("../age.js").Now} Now */
/** @typedef {import("../age.js").Look} Look */

/** States in which a probability exists. */
const WITH_NUMBER = ["PARTIAL", "PROVISIONAL", "READY"];
const ROLES = /** @type {const} */ (["bridge", "scorer", "aggregator"]);

/**
 * @typedef {object} Ages
 * @property {Look} look
 * @property {string} words what is late, and why; "" while nothing is
 * @property {string} updated "final, 14:03", or how long ago the last window was scored
 */

/**
 * How old the outcome is: contact with every role that it needs, and progress.
 *
 * @param {BedState} state
 * @param {Now} now
 * @returns {Ages}
 */
export function outcomeAges(state, now) {
  const closed = closedUtc(state);
  if (closed !== null) return { look: "fresh", words: "", updated: say(words.age.final, { time: timeOfDay(closed) }) };
  if (isUnscored(state)) return { look: "fresh", words: "", updated: "" };
  const since = elapsedS(state.contactAt, now);
  if (state.contact === null) return { look: lookOf(since, CONTACT), words: noWord(words.age.thisDashboard, since), updated: "" };
  const contactS = oldestContactS(state, state.contact) + since;
  const silent = silentWords(state, state.contact, since);
  if (state.sessionId === null) return bareAges(contactS, silent);
  const progressS = state.contact.progress.age_s + since;
  const contactLook = lookOf(contactS, CONTACT);
  const progressLook = lookOf(progressS, PROGRESS);
  const late = contactLook !== "fresh" ? silent : "";
  const slow = progressLook !== "fresh" ? say(words.age.noResult, { age: ageWords(progressS), cause: told(state.contact.progress.cause) }) : "";
  return {
    look: worst(contactLook, progressLook),
    words: late || slow,
    updated: say(state.results.size > 0 ? words.age.lastResult : words.age.open, { age: ageWords(progressS) }),
  };
}

/**
 * A bed without a session needs contact alone.
 *
 * @param {number} contactS
 * @param {string} silent
 * @returns {Ages}
 */
function bareAges(contactS, silent) {
  const look = lookOf(contactS, CONTACT);
  return { look, words: look === "fresh" ? "" : silent, updated: "" };
}

/** The roles that the outcome needs. @param {BedState} state */
const neededRoles = ({ sessionId }) => (sessionId === null ? [] : ROLES);

/**
 * The age of the oldest contact when it was told.
 *
 * @param {BedState} state
 * @param {import("../wire").Contact} contact
 */
function oldestContactS(state, contact) {
  return Math.max(contact.redis.age_s, ...neededRoles(state).map((role) => contact.roles[role].age_s));
}

/**
 * Who is silent, and for how long. All fall silent together when this dashboard does, or Redis: then that is the cause.
 *
 * @param {BedState} state
 * @param {import("../wire").Contact} contact
 * @param {number} since seconds since the contact message
 */
function silentWords(state, contact, since) {
  if (since >= CONTACT.grey) return noWord(words.age.thisDashboard, since);
  if (contact.redis.age_s >= CONTACT.grey) return noWord(words.age.redis, contact.redis.age_s + since);
  const oldestS = oldestContactS(state, contact);
  const role = neededRoles(state).find((one) => contact.roles[one].age_s === oldestS);
  return noWord(role === undefined ? words.age.redis : roleWord(role), oldestS + since);
}

/** @param {string} who @param {number} ageS */
const noWord = (who, ageS) => say(words.age.noWord, { who, age: ageWords(ageS) });

/**
 * @typedef {object} View
 * @property {string} code the state shown, STALE included
 * @property {string} word
 * @property {string} meaning
 * @property {Look} look
 * @property {string} number "" where none exists
 * @property {string} tenths
 * @property {[number, number] | null} interval 0..1
 * @property {number | null} probability
 * @property {string} points Fugl-Meyer, "" for a model that expects none
 * @property {string} similarity to the training patients, "" where nothing is known
 * @property {boolean} unlike whether it lies beyond the limit
 * @property {string} late
 * @property {string} updated
 * @property {string[]} lines reasons and remedy
 * @property {{name: string, status: string, detail: string, absent: boolean}[]} modalities
 * @property {boolean} synthetic
 * @property {string} scan address of what is told of the scan, "" where none is used
 */

/**
 * What the panel says.
 *
 * @param {BedState} state
 * @param {Now} now
 * @returns {View}
 */
export function outcomeView(state, now) {
  const ages = outcomeAges(state, now);
  const outcome = state.outcome;
  const code = codeOf(state, ages.look);
  const shown = outcome !== null && WITH_NUMBER.includes(outcome.state) && outcome.probability !== null;
  const gone = ages.look === "gone";
  return {
    code,
    word: stateWord(code),
    meaning: code === "PARTIAL" && outcome !== null ? partialMeaning(outcome) : stateMeaning(code),
    look: ages.look,
    number: shown ? (gone ? "---" : percent(/** @type {number} */ (outcome.probability))) : "",
    tenths: shown && !gone ? inTen(/** @type {number} */ (outcome.probability)) : "",
    interval: shown && !gone ? outcome.interval : null,
    probability: shown && !gone ? outcome.probability : null,
    points: shown && !gone && outcome.fma ? pointsWords(outcome.fma) : "",
    similarity: shown && !gone && outcome.similarity ? similarityWords(outcome.similarity) : "",
    unlike: shown && !gone && outcome.similarity?.unlike === true,
    late: ages.words,
    updated: ages.updated,
    lines: outcome === null ? [] : outcome.reasons.map(told),
    modalities: outcome === null ? [] : modalities(outcome, gone),
    synthetic: isSynthetic(state),
    scan: addressOf(state.sessionId, outcome),
  };
}

/**
 * The state that is shown: the outcome's, unless there can be none, or it is too old.
 *
 * @param {BedState} state
 * @param {Look} look
 */
function codeOf(state, look) {
  if (!state.told || (state.sessionId === null && look !== "fresh")) return "UNKNOWN";
  if (state.sessionId === null) return "NONE";
  if (isUnscored(state)) return "UNSCORED";
  return look === "struck" || look === "gone" ? "STALE" : (state.outcome?.state ?? "COLLECTING");
}

/** @param {import("../wire").Outcome} outcome */
function partialMeaning({ modalities, missing, provisional }) {
  const used = modalities.map(modalityWord).join(words.numbers.list);
  const lacking = missing.map(({ modality }) => modalityWord(modality)).join(words.numbers.list);
  const partial = say(words.outcome.partial, { used, lacking });
  return provisional ? [partial, words.outcome.provisional].join(words.numbers.between) : partial;
}

/**
 * @param {import("../wire").Outcome} outcome
 * @param {boolean} gone whether its numbers are too old to be shown
 */
function modalities(outcome, gone) {
  // What stands among the reasons already is not said twice.
  const missing = outcome.missing.filter(({ reason }) => !outcome.reasons.some((said) => said.includes(reason)));
  const reasonOf = new Map(missing.map(({ modality, reason }) => [modality, reason]));
  const rows = [row("eeg_emg", outcome.parts.eeg_emg, reasonOf, gone), row("fmri", outcome.parts.fmri, reasonOf, gone)];
  const fusion = reasonOf.get("fusion");
  if (fusion !== undefined) rows.push({ name: modalityWord("fusion"), status: statusWord("refused"), detail: told(fusion), absent: true });
  if (outcome.fusion) rows.push(fusionRow(outcome.fusion));
  return rows;
}

/**
 * How many patients like those of the training lie farther from their middle than this session.
 *
 * @param {import("../wire").Similarity} similarity
 */
function similarityWords({ percentile, unlike }) {
  return unlike ? words.outcome.unlike : say(words.outcome.alike, { n: Math.max(1, Math.round(100 * (1 - percentile))) });
}

/** @param {import("../wire").Weighing} weighing */
function fusionRow(weighing) {
  return { name: modalityWord("fusion"), status: methodWord(weighing.method), detail: weightsWords(weighing), absent: false };
}

/**
 * @param {string} modality
 * @param {import("../wire").Part} part
 * @param {Map<string, string>} reasonOf
 * @param {boolean} gone
 */
function row(modality, part, reasonOf, gone) {
  const counted = countWords(part);
  const alone = part.probability === null ? "" : say(words.outcome.alone, { number: gone ? "---" : percent(part.probability) });
  const used = [counted, part.scanned_on ? say(words.outcome.scanned, { date: part.scanned_on }) : "", alone].filter(Boolean).join(words.numbers.list);
  return {
    name: modalityWord(modality),
    status: statusWord(part.status),
    detail: part.status === "ok" ? used : told(reasonOf.get(modality) ?? counted),
    absent: part.status !== "ok",
  };
}

/** @param {import("../wire").Part} part */
function countWords({ windows, slices }) {
  if (windows !== undefined) return windows === 1 ? words.outcome.window : say(words.outcome.windows, { n: windows });
  return slices ? say(words.outcome.slices, { n: slices }) : "";
}

/** @param {BedState} state */
function isSynthetic(state) {
  const bundles = state.session?.bundles;
  return Object.values(bundles ?? {}).some((bundle) => bundle?.origin === "synthetic");
}

/**
 * The panel on the page.
 *
 * @returns {(state: BedState, now: Now) => void}
 */
export function mountOutcome() {
  setText(byId("outcome-name"), OUTCOME_NAME);
  const scan = new ScanPanel();
  const changed = changes();
  return (state, now) => {
    const view = outcomeView(state, now);
    setText(byId("updated"), view.updated);
    // Its age changes every second, and the rest with a window.
    if (!changed(state.outcome, JSON.stringify({ ...view, updated: "" }))) return;
    setAttribute(byId("outcome"), "data-windows", String(state.outcome?.parts.eeg_emg.windows ?? 0));
    renderText(byId("late"), view.late);
    renderOutcome(view);
    scan.show(view.scan);
  };
}

/**
 * A view on the page: the bed's, or that of a recorded session.
 *
 * @param {View} view
 */
export function renderOutcome(view) {
  setAttribute(byId("outcome"), "data-look", view.look);
  setAttribute(byId("outcome"), "data-state", view.code);
  setText(byId("state-word"), view.word);
  setText(byId("state-meaning"), view.meaning);
  setShown(byId("number-block"), view.number !== "");
  setText(byId("number"), view.number);
  setText(byId("tenths"), view.tenths);
  setText(byId("updated"), view.updated);
  setShown(byId("synthetic"), view.synthetic);
  renderBand(view);
  renderText(byId("points"), view.points);
  renderText(byId("similarity"), view.similarity);
  setAttribute(byId("similarity"), "data-unlike", String(view.unlike));
  renderLines(view.lines);
  renderModalities(view.modalities);
}

/**
 * A text that is there only while it says something.
 *
 * @param {HTMLElement} element
 * @param {string} text
 */
function renderText(element, text) {
  setShown(element, text !== "");
  setText(element, text);
}

/** @param {View} view */
function renderBand(view) {
  setShown(byId("band"), view.interval !== null);
  if (view.interval === null || view.probability === null) return;
  const [low, high] = view.interval;
  byId("band-range").style.left = `${100 * low}%`;
  byId("band-range").style.width = `${100 * (high - low)}%`;
  byId("band-point").style.left = `${100 * view.probability}%`;
  setText(byId("band-words"), say(words.outcome.interval, { low: Math.round(100 * low), high: Math.round(100 * high) }));
}

/** @param {string[]} texts */
function renderLines(texts) {
  const items = fit(byId("reasons"), texts.length, () => make("li", ""));
  items.forEach((item, i) => setText(item, texts[i] ?? ""));
}

/** @param {View["modalities"]} rows */
function renderModalities(rows) {
  const items = fit(byId("modalities"), rows.length, makeModality);
  items.forEach((item, i) => {
    const row = /** @type {View["modalities"][number]} */ (rows[i]);
    setAttribute(item, "data-absent", String(row.absent));
    [row.name, row.status, row.detail].forEach((text, j) => setText(/** @type {Element} */ (item.children[j]), text));
  });
}

function makeModality() {
  const item = make("li", "modality");
  item.append(make("span", "modality-name"), make("span", "modality-status"), make("span", "modality-detail"));
  return item;
}
