// @ts-check
/** The channels beside their traces: quality, label, fault in words and what to do. */

import { CONTACT, elapsedS, lookOf } from "../age.js";
import { byId, changes, fit, make, setAttribute, setText } from "../dom.js";
import { closedUtc } from "./store.js";
import { words } from "../words/catalogue.js";
import { say } from "../words/say.js";
import { faultRemedy, faultWord } from "../words/words.js";

/** @typedef {import("./store.js").BedState} BedState */
/** @typedef {import("../age.js").Now} Now */

/** Share of good cells from which a channel counts; below it the scorer sees zeros. */
export const GOOD = 0.5;
/** Share above which nothing needs to be said. */
const CLEAN = 0.95;

/**
 * @typedef {object} LaneView
 * @property {string} label
 * @property {"eeg" | "emg"} kind
 * @property {number | null} quality share of good cells of the last second
 * @property {"good" | "fair" | "bad" | "unknown"} grade
 * @property {string} words fault, "" if none
 * @property {string} remedy
 * @property {boolean} hums at the mains that the session does not filter, of which its quality knows nothing
 */

/**
 * One view per channel of the session, in the montage's order.
 *
 * @param {BedState} state
 * @returns {LaneView[]}
 */
export function laneViews(state) {
  const bridge = state.contact?.bridge;
  return (state.session?.labels ?? []).map((label, i) => {
    const quality = bridge?.quality?.[label] ?? null;
    const faults = quality !== null && quality < CLEAN ? (bridge?.faults?.[label] ?? []) : [];
    const hum = bridge?.other_mains?.channels.includes(label) ? bridge.other_mains : null;
    const wrong = [...faults.map(faultWord), ...(hum ? [say(words.lanes.otherMains, { hz: hum.hz })] : [])];
    return {
      label,
      kind: state.session?.kinds[i] ?? "eeg",
      quality,
      grade: hum && gradeOf(quality) === "good" ? "fair" : gradeOf(quality),
      words: wrong.join(words.numbers.list) || (quality !== null && quality < GOOD ? words.lanes.bad : ""),
      remedy: faults[0] !== undefined ? faultRemedy(faults[0]) : hum ? say(words.lanes.otherMainsDo, { hz: hum.hz }) : "",
      hums: hum !== null,
    };
  });
}

/**
 * @param {number | null} quality
 * @returns {"good" | "fair" | "bad" | "unknown"}
 */
function gradeOf(quality) {
  if (quality === null) return "unknown";
  if (quality < GOOD) return "bad";
  return quality < CLEAN ? "fair" : "good";
}

/**
 * One line for the technician: which channels, and what to do; "" if all are good.
 *
 * @param {LaneView[]} lanes
 */
export function adviceWords(lanes) {
  /** @type {Map<string, string[]>} */
  const labelsOf = new Map();
  for (const lane of lanes.filter(({ grade, hums }) => grade === "bad" || hums)) {
    const advice = say(words.lanes.advice, { words: lane.words, remedy: lane.remedy || words.lanes.checkThem });
    labelsOf.set(advice, [...(labelsOf.get(advice) ?? []), lane.label]);
  }
  return [...labelsOf].map(([advice, labels]) => say(words.lanes.channels, { labels: labels.join(", "), advice })).join(" · ");
}

/**
 * What stands there otherwise, so that nothing moves when a channel turns bad.
 *
 * @param {LaneView[]} lanes
 */
function goodWords(lanes) {
  const known = lanes.filter(({ quality }) => quality !== null).length;
  return known > 0 ? say(words.lanes.canBeScored, { n: known }) : "";
}

/**
 * The column beside the sweep.
 *
 * @returns {(state: BedState, now: Now) => LaneView[]}
 */
export function mountLanes() {
  const list = byId("lanes");
  const changed = changes();
  /** The same lanes as long as nothing is new of any. @type {LaneView[]} */
  let lanes = [];
  return (state, now) => {
    if (changed(state.session, state.contact?.bridge, closedUtc(state))) {
      const views = laneViews(state);
      if (JSON.stringify(views) !== JSON.stringify(lanes)) {
        lanes = views;
        fit(list, lanes.length, makeLane).forEach((row, i) => renderLane(row, /** @type {LaneView} */ (lanes[i])));
      }
      renderAdvice(lanes, closedUtc(state) !== null);
    }
    const contact = state.contact;
    const ageS = contact === null ? Infinity : contact.roles.bridge.age_s + elapsedS(state.contactAt, now);
    const look = closedUtc(state) !== null ? "fresh" : lookOf(ageS, CONTACT);
    for (const place of [list, byId("advice")]) setAttribute(place, "data-look", look);
    return lanes;
  };
}

/**
 * @param {LaneView[]} lanes
 * @param {boolean} closed whether nothing can be done any more
 */
function renderAdvice(lanes, closed) {
  const advice = closed ? "" : adviceWords(lanes);
  setAttribute(byId("advice"), "data-any", String(advice !== ""));
  setText(byId("advice"), advice || goodWords(lanes));
}

/** The row of a channel: its label is pressed for its scale. */
export function makeLane() {
  const row = make("li", "lane");
  const bar = make("span", "quality");
  bar.setAttribute("role", "img");
  bar.append(make("span", "quality-fill"));
  const label = make("button", "lane-label");
  label.setAttribute("type", "button");
  row.append(bar, label, make("span", "lane-words"), make("span", "lane-gain digits"), make("span", "lane-bar"));
  return row;
}

/**
 * A channel's quality, name and fault, the first three children of its row.
 *
 * @param {HTMLElement} row
 * @param {LaneView} lane
 */
export function renderLane(row, lane) {
  const [bar, label, said] = /** @type {HTMLElement[]} */ ([...row.children]);
  if (bar === undefined || label === undefined || said === undefined) return;
  setAttribute(row, "data-grade", lane.grade);
  setAttribute(row, "data-kind", lane.kind);
  const share = `${Math.round(100 * (lane.quality ?? 0))}%`;
  const fill = /** @type {HTMLElement} */ (bar.firstElementChild);
  if (fill.style.width !== share) fill.style.width = share;
  setAttribute(bar, "aria-label", lane.quality === null ? words.lanes.qualityUnknown : say(words.lanes.quality, { share }));
  setText(label, lane.label);
  setText(said, lane.words);
}
