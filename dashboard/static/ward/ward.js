// @ts-check
/** The ward page: every bed as a link, with its state and how old that is. */

import { CONTACT, PROGRESS, ageWords, elapsedS, lookOf, readClocks, worst } from "../age.js";
import { byId, fit, make, setAttribute, setShown, setText } from "../dom.js";
import { modeWord, originWord, percent, sourceWord, stateWord, timeOfDay } from "../words/words.js";

/** Milliseconds between two looks at the beds. */
const EVERY_MS = 2000;

/**
 * @typedef {object} BedSummary
 * @property {string} bed
 * @property {string} session
 * @property {string | null} patient
 * @property {string | null} mode
 * @property {string | null} origin
 * @property {string | null} source
 * @property {string | null} state of the outcome
 * @property {number | null} probability
 * @property {boolean} synthetic
 * @property {number} contact_age_s
 * @property {number} progress_age_s
 * @property {string | null} ended_utc
 */

/**
 * What one card says.
 *
 * @param {BedSummary} bed
 * @param {number} since seconds since the answer came
 */
export function cardView(bed, since) {
  if (bed.ended_utc !== null) return view(bed, "fresh", `final, ${timeOfDay(bed.ended_utc)}`);
  const contactS = bed.contact_age_s + since;
  const look = worst(lookOf(contactS, CONTACT), lookOf(bed.progress_age_s + since, PROGRESS));
  const words = lookOf(contactS, CONTACT) === "fresh" ? `last progress ${ageWords(bed.progress_age_s + since)} ago` : `no word for ${ageWords(contactS)}`;
  return view(bed, look, words);
}

/**
 * @param {BedSummary} bed
 * @param {import("../age.js").Look} look
 * @param {string} age
 */
function view(bed, look, age) {
  const stale = look === "struck" || look === "gone";
  const number = bed.probability === null ? "" : look === "gone" ? "---" : percent(bed.probability);
  return {
    look,
    title: `Bed ${bed.bed}`,
    patient: bed.patient ?? "",
    state: stale ? stateWord("STALE") : stateWord(bed.state ?? "COLLECTING"),
    number,
    age,
    source: bed.ended_utc === null ? sourceWord(bed.source ?? "SEARCHING") : "Ended",
    mode: [bed.mode && modeWord(bed.mode), bed.origin && originWord(bed.origin)].filter(Boolean).join(", "),
    model: bed.synthetic ? "Model trained on simulated patients" : "",
  };
}

const FIELDS = /** @type {const} */ (["title", "patient", "state", "number", "age", "source", "mode", "model"]);

function makeCard() {
  const item = make("li", "");
  const card = make("a", "card");
  card.append(...FIELDS.map((field) => make("span", `card-${field}`)));
  item.append(card);
  return item;
}

/**
 * @param {BedSummary[]} beds
 * @param {number} since
 */
function render(beds, since) {
  setShown(byId("no-beds"), beds.length === 0);
  fit(byId("beds"), beds.length, makeCard).forEach((item, i) => {
    const bed = /** @type {BedSummary} */ (beds[i]);
    const shown = cardView(bed, since);
    const card = /** @type {HTMLElement} */ (item.firstElementChild);
    setAttribute(card, "href", `/beds/${encodeURIComponent(bed.bed)}`);
    setAttribute(card, "data-look", shown.look);
    FIELDS.forEach((field, j) => setText(/** @type {Element} */ (card.children[j]), shown[field]));
  });
}

function run() {
  /** @type {BedSummary[]} */
  let beds = [];
  let heard = readClocks();

  async function look() {
    try {
      const answer = await fetch("/api/v1/beds");
      if (answer.ok) [beds, heard] = [(await answer.json()).beds, readClocks()];
    } catch {
      // The server is away: the ages of what was heard go on and say so.
    }
    window.setTimeout(look, EVERY_MS);
  }

  function tick() {
    const since = elapsedS(heard, readClocks());
    render(beds, since);
    setShown(byId("late"), since >= CONTACT.grey + EVERY_MS / 1000);
    setText(byId("late"), `No word from this dashboard for ${ageWords(since)}`);
    window.setTimeout(tick, 500);
  }

  void look();
  tick();
}

if (typeof document !== "undefined") run();
