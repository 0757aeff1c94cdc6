// @ts-check
/** What the card of one bed says: state first, number second, how old both are, and which channels can be scored. */

import { CONTACT, PROGRESS, ageWords, lookOf, worst } from "../age.js";
import { say } from "../words/say.js";
import { words } from "../words/catalogue.js";
import { told } from "../words/told.js";
import { modalityWord, modeWord, originWord, percent, phaseWord, sourceWord, stateWord, timeOfDay } from "../words/words.js";

/** @typedef {import("../wire").BedCard} BedCard */

/** Share of good cells from which a channel counts, and above which nothing needs to be said. */
const GOOD = 0.5;
const CLEAN = 0.95;

/**
 * What one card says.
 *
 * @param {BedCard} bed
 * @param {number} since seconds since the card came
 */
export function cardView(bed, since) {
  if (bed.ended_utc !== null) return view(bed, "fresh", say(words.age.final, { time: timeOfDay(bed.ended_utc) }), since);
  const contactS = bed.contact_age_s + since;
  const contact = lookOf(contactS, CONTACT);
  const progress = lookOf(bed.progress_age_s + since, PROGRESS);
  const age = ageWords(bed.progress_age_s + since);
  if (contact !== "fresh") return view(bed, worst(contact, progress), say(words.ward.noWord, { age: ageWords(contactS) }), since);
  const said = progress === "fresh" ? say(words.ward.progress, { age }) : say(words.age.noResult, { age, cause: told(bed.cause) });
  return view(bed, progress, said, since);
}

/**
 * @param {BedCard} bed
 * @param {import("../age.js").Look} look
 * @param {string} age
 * @param {number} since
 */
function view(bed, look, age, since) {
  const stale = look === "struck" || look === "gone";
  return {
    look,
    title: say(words.status.bed, { bed: bed.bed }),
    patient: bed.patient,
    state: stateWord(stale ? "STALE" : bed.scored ? (bed.state ?? "COLLECTING") : "UNSCORED"),
    number: bed.probability === null ? "" : look === "gone" ? "---" : percent(bed.probability),
    span: bed.interval === null || stale ? "" : spanWords(bed.interval),
    parts: bed.modalities.map(modalityWord).join(words.numbers.and),
    phase: bed.ended_utc === null && !stale ? phaseWords(bed) : "",
    source: sourceWords(bed, since),
    recorded: bed.recorded,
    age,
    mode: [modeWord(bed.mode), bed.origin && originWord(bed.origin)].filter(Boolean).join(words.numbers.list),
    model: bed.synthetic ? words.outcome.synthetic : "",
  };
}

/**
 * Whether the bridge, which knows of source and channels, has been silent for too long for its last word to hold.
 *
 * @param {BedCard} bed
 * @param {number} since seconds since the card came
 */
const isUnheard = (bed, since) => bed.bridge_age_s + since >= CONTACT.struck;

/** @param {[number, number]} interval */
const spanWords = ([low, high]) => say(words.numbers.part, { from: percent(low), to: percent(high) });

/** @param {BedCard} bed */
function phaseWords({ phase, trial }) {
  if (!phase) return "";
  return trial ? say(words.status.trial, { n: trial, phase: phaseWord(phase) }) : phaseWord(phase);
}

/**
 * @param {BedCard} bed
 * @param {number} since
 */
function sourceWords(bed, since) {
  if (bed.ended_utc !== null) return words.ward.ended;
  const said = isUnheard(bed, since) ? "---" : sourceWord(bed.source ?? "SEARCHING");
  return bed.recorded ? said : [said, words.status.unrecorded].join(words.numbers.list);
}

/**
 * One dot for each channel, and what all of them say in words.
 *
 * @param {BedCard} bed
 * @param {number} [since] seconds since the card came
 * @returns {{grades: ("good" | "fair" | "bad" | "unknown")[], words: string}}
 */
export function qualityView(bed, since = 0) {
  const closed = bed.ended_utc !== null;
  const grades = bed.quality.map((share) => (closed || isUnheard(bed, since) ? "unknown" : gradeOf(share)));
  const bad = bed.labels.filter((_, i) => grades[i] === "bad");
  const known = grades.filter((grade) => grade !== "unknown").length;
  const good = say(words.ward.quality, { good: known - bad.length, all: bed.labels.length });
  if (known === 0) return { grades, words: closed ? "" : words.ward.qualityUnknown };
  const list = bad.join(words.numbers.list);
  return { grades, words: bad.length === 0 ? good : [good, say(words.ward.bad, { labels: list })].join(words.numbers.semicolon) };
}

/** @param {number | null} share */
function gradeOf(share) {
  if (share === null) return "unknown";
  if (share < GOOD) return "bad";
  return share < CLEAN ? "fair" : "good";
}
