// @ts-check
/** The list of patients: who was recorded here, newest first, each session with its state; nobody is ranked. */

import { byId, fit, make, setAttribute, setShown, setText } from "../dom.js";
import { mountHelp } from "../help.js";
import { keys } from "../keys.js";
import { mountSteps } from "../steps.js";
import { say } from "../words/say.js";
import { words } from "../words/catalogue.js";
import { told } from "../words/told.js";
import { modalityWord, modeWord, originWord, percent, stateWord } from "../words/words.js";

/** @typedef {import("../wire").PatientPage} PatientPage */
/** @typedef {import("../wire").PatientRow} PatientRow */
/** @typedef {import("../wire").SessionRow} SessionRow */

const FIELDS = /** @type {const} */ (["begun", "state", "number", "parts", "kind"]);

/**
 * What the line of a session says. One that runs has its number at the bed, where it ages; here it would stand still.
 *
 * @param {SessionRow} row
 */
export function rowView(row) {
  const running = !row.ended && row.bed !== null && row.mode !== "score";
  const silent = running || row.in_error || row.unreadable || row.probability === null;
  return {
    href: running ? `/beds/${encodeURIComponent(String(row.bed))}` : `/sessions/${row.session}`,
    begun: row.created_utc === null ? row.session : momentWords(row.created_utc),
    state: running ? words.patients.running : stateWords(row),
    number: silent ? "" : numberWords(row),
    parts: silent ? "" : row.modalities.map(modalityWord).join(words.numbers.and),
    kind: kindWords(row),
  };
}

/** @param {SessionRow} row */
function stateWords(row) {
  if (row.unreadable) return words.patients.unreadable;
  if (row.in_error) return words.patients.inError;
  if (!row.scored) return stateWord("UNSCORED");
  return stateWord(row.state ?? "UNKNOWN");
}

/** @param {SessionRow} row */
function numberWords({ probability, interval }) {
  const number = percent(probability ?? 0);
  if (interval === null) return number;
  const span = say(words.numbers.part, { from: percent(interval[0]), to: percent(interval[1]) });
  return `${number} (${span})`;
}

/** @param {SessionRow} row */
function kindWords(row) {
  const said = [row.mode && modeWord(row.mode), row.origin && originWord(row.origin)];
  const model = row.lacking !== "" ? words.patients.lacking : row.synthetic ? words.patients.synthetic : "";
  return [...said, model].filter(Boolean).join(words.numbers.list);
}

/**
 * A date with the time of day, on this machine.
 *
 * @param {string} utc ISO 8601
 */
function momentWords(utc) {
  const time = new Date(utc);
  /** @param {number} n */
  const two = (n) => String(n).padStart(2, "0");
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${two(time.getHours())}:${two(time.getMinutes())}`;
}

function makePatient() {
  const item = make("li", "patient");
  item.append(make("h2", ""), make("ul", ""), make("p", "hint"));
  return item;
}

function makeRow() {
  const item = make("li", "row");
  item.append(...FIELDS.map((field) => make("span", `row-${field}`)));
  item.firstElementChild?.append(make("a", ""));
  return item;
}

/**
 * @param {HTMLElement} item
 * @param {PatientRow} patient
 */
function renderPatient(item, patient) {
  const [title, list, more] = /** @type {[HTMLElement, HTMLElement, HTMLElement]} */ ([...item.children]);
  const hidden = patient.n_sessions - patient.sessions.length;
  setText(title, patient.patient);
  fit(list, patient.sessions.length, makeRow).forEach((row, i) => renderRow(row, /** @type {SessionRow} */ (patient.sessions[i])));
  setShown(more, hidden > 0);
  setText(more, say(words.patients.more, { n: hidden }));
}

/**
 * @param {HTMLElement} item
 * @param {SessionRow} row
 */
function renderRow(item, row) {
  const shown = rowView(row);
  const link = /** @type {Element} */ (item.firstElementChild?.firstElementChild);
  setAttribute(link, "href", shown.href);
  setText(link, shown.begun);
  FIELDS.slice(1).forEach((field, i) => setText(/** @type {Element} */ (item.children[i + 1]), shown[field]));
}

/**
 * @param {PatientPage} page
 * @param {string} search
 */
function render(page, search) {
  fit(byId("patients"), page.patients.length, makePatient).forEach((item, i) => renderPatient(item, /** @type {PatientRow} */ (page.patients[i])));
  speak(page.total > 0 ? "" : search === "" ? words.patients.nothing : words.patients.none);
  setShown(byId("strange"), page.unreadable > 0);
  setText(byId("strange"), say(words.patients.strange, { n: page.unreadable }));
  setShown(byId("pages"), page.pages > 1);
  setText(byId("page"), say(words.patients.page, { n: page.page, of: page.pages, total: page.total }));
  /** @type {HTMLButtonElement} */ (byId("newer")).disabled = page.page <= 1;
  /** @type {HTMLButtonElement} */ (byId("older")).disabled = page.page >= page.pages;
}

/** @param {string} said */
function speak(said) {
  setShown(byId("said"), said !== "");
  setText(byId("said"), said);
}

/**
 * @param {string} search
 * @param {number} page
 * @returns {Promise<PatientPage>}
 * @throws {Error} with words for people
 */
async function ask(search, page) {
  const query = new URLSearchParams({ search, page: String(page) });
  const answer = await fetch(`/api/v1/patients?${query}`).catch(() => null);
  if (answer === null) throw new Error(words.patients.noServer);
  const body = await answer.json();
  if (!answer.ok) throw new Error(told(String(body.detail)));
  return body;
}

function run() {
  const wanted = /** @type {HTMLInputElement} */ (byId("wanted"));
  let search = "";
  let page = 1;
  let asked = 0;

  /** An answer that was overtaken by the next question is dropped. */
  async function look() {
    const question = (asked += 1);
    try {
      const found = await ask(search, page);
      if (question === asked) render(found, search);
    } catch (error) {
      if (question === asked) speak(say(words.patients.failed, { why: error instanceof Error ? error.message : "" }));
    }
  }

  /** @param {number} step */
  const turn = async (step) => {
    page += step;
    await look();
    window.scrollTo(0, 0);
  };
  byId("newer").addEventListener("click", () => turn(-1));
  byId("older").addEventListener("click", () => turn(1));
  byId("search").addEventListener("submit", (event) => {
    event.preventDefault();
    [search, page] = [wanted.value.trim(), 1];
    void look();
  });
  keys.on("/", words.patients.keys.search, () => wanted.focus());
  mountSteps(byId("patients"), words.patients.keys);
  mountHelp();
  void look();
}

if (typeof document !== "undefined") run();
