// @ts-check
/**
 * How high the traces are drawn: a scale for each kind of channel, and a gain for a lane that needs its own. Nothing
 * scales itself: a height means so many microvolts until somebody changes it, and the change stands beside the lane.
 */

import { byId, setAttribute, setShown, setText } from "../dom.js";
import { keys } from "../keys.js";
import { words } from "../words/catalogue.js";
import { say } from "../words/say.js";
import { barUv } from "./page.js";

/** @typedef {import("../bed/lanes.js").LaneView} LaneView */

/** Gains are powers of two, up to this one and down to one over it. */
const MOST_GAIN = 16;

/**
 * The next gain, up or down; at either end it stays.
 *
 * @param {number} gain
 * @param {number} step +1 or -1
 */
export function nextGain(gain, step) {
  return Math.max(1 / MOST_GAIN, Math.min(MOST_GAIN, gain * 2 ** step));
}

/**
 * A gain beside its label; "" where the lane has its kind's scale.
 *
 * @param {number} gain
 */
export function gainWords(gain) {
  if (gain === 1) return "";
  return gain > 1 ? `×${gain}` : `÷${1 / gain}`;
}

/**
 * A sensitivity in words: microvolts over the height of a lane.
 *
 * @param {number} uvPerLane
 */
export function sensitivityWords(uvPerLane) {
  return say(words.signal.perLane, { uv: Number(uvPerLane.toPrecision(3)) });
}

/**
 * What a page shows, in words: its length, the bars and the filters.
 *
 * @param {Record<"eeg" | "emg", number>} uvPerLane
 * @param {import("../wire").Session | null} session
 * @param {boolean} still whether whole pages follow each other
 */
export function pageWords(uvPerLane, session, still) {
  const page = still ? words.signal.pageStill : words.signal.page;
  const bars = say(words.signal.bars, { eeg: barUv(uvPerLane.eeg), emg: barUv(uvPerLane.emg) });
  return [page, bars, ...filterWords(session?.filters)].join(" · ");
}

/**
 * The filters, once where both kinds have the same.
 *
 * @param {Record<"eeg" | "emg", import("../wire").Passband> | undefined} filters
 * @returns {string[]}
 */
export function filterWords(filters) {
  if (filters === undefined) return [];
  const [eeg, emg] = [bandWords(filters.eeg), bandWords(filters.emg)];
  return eeg === emg ? [eeg] : [`EEG ${eeg}`, `EMG ${emg}`];
}

/** @param {import("../wire").Passband} band */
function bandWords({ low_hz: low, high_hz: high, notch_hz, delay_ms: ms, delay_at_hz: hz }) {
  return say(words.signal.filter, { low, high, notches: notch_hz.join(words.numbers.and), ms: Math.round(ms), hz });
}

export class Scales {
  constructor() {
    /** @type {Record<"eeg" | "emg", number>} */
    this.uvPerLane = { eeg: 100, emg: 1000 };
    /** @type {Map<string, number>} by label; a lane that is not here has gain 1 */
    this.gains = new Map();
    /** @type {string | null} the lane whose gain is changed */
    this.chosen = null;
    /** What to do when something changed. @type {() => void} */
    this.onChange = () => {};
  }

  /** @param {string} label */
  gain(label) {
    return this.gains.get(label) ?? 1;
  }

  /** Another session: its channels begin at their kind's scale. */
  begin() {
    this.gains.clear();
    this.chosen = null;
    this.onChange();
  }

  /** @param {string | null} label */
  choose(label) {
    this.chosen = this.chosen === label ? null : label;
    this.onChange();
  }

  /**
   * Set the gain of the chosen lane.
   *
   * @param {number} gain
   */
  set(gain) {
    if (this.chosen !== null) this.gains.set(this.chosen, gain);
    this.onChange();
  }

  /** @param {number} step +1 or -1 */
  step(step) {
    if (this.chosen !== null) this.set(nextGain(this.gain(this.chosen), step));
  }
}

/**
 * The lists of scales, the lanes that can be pressed, and the keys.
 *
 * @param {Scales} scales
 * @returns {(lanes: LaneView[], session: import("../wire").Session | null, still: boolean) => void}
 */
export function mountScales(scales) {
  const lists = /** @type {const} */ (["eeg", "emg"]).map((kind) => mountList(scales, kind));
  byId("lanes").addEventListener("click", (event) => {
    const row = event.target instanceof Element ? event.target.closest(".lane") : null;
    const label = row?.querySelector(".lane-label")?.textContent;
    if (label) scales.choose(label);
  });
  byId("lanes").addEventListener("keydown", moveFocus);
  for (const [id, act] of /** @type {[string, () => void][]} */ ([
    ["gain-up", () => scales.step(1)],
    ["gain-down", () => scales.step(-1)],
    ["gain-reset", () => scales.set(1)],
    ["gain-close", () => scales.choose(null)],
  ])) {
    byId(id).addEventListener("click", act);
  }
  byId("gain").addEventListener("keydown", ({ key }) => key === "Escape" && scales.choose(null));
  /** Up and down change the chosen lane, or both kinds while none is chosen. @param {number} step */
  const act = (step) => (scales.chosen === null ? lists.forEach((list) => moveList(list, step)) : scales.step(step));
  keys.on("+", words.signal.keys.larger, () => act(1));
  keys.on("-", words.signal.keys.smaller, () => act(-1));
  return (lanes, session, still) => {
    setText(byId("page-words"), pageWords(scales.uvPerLane, session, still));
    renderLanes(scales, lanes);
    renderPanel(scales, lanes);
  };
}

/**
 * @param {Scales} scales
 * @param {"eeg" | "emg"} kind
 */
function mountList(scales, kind) {
  const list = /** @type {HTMLSelectElement} */ (byId(`${kind}-scale`));
  const read = () => {
    scales.uvPerLane[kind] = Number(list.value);
    scales.onChange();
  };
  list.addEventListener("change", read);
  read();
  return list;
}

/**
 * @param {HTMLSelectElement} list of microvolts, least first
 * @param {number} step +1: traces grow
 */
function moveList(list, step) {
  const index = Math.max(0, Math.min(list.options.length - 1, list.selectedIndex - step));
  if (index === list.selectedIndex) return;
  list.selectedIndex = index;
  list.dispatchEvent(new Event("change"));
}

/**
 * Up and down go from lane to lane, so that the tabulator does not have to.
 *
 * @param {KeyboardEvent} event
 */
function moveFocus(event) {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  const row = event.target instanceof Element ? event.target.closest(".lane") : null;
  if (step === undefined || row === null) return;
  const next = step < 0 ? row.previousElementSibling : row.nextElementSibling;
  const label = next?.querySelector(".lane-label");
  if (label instanceof HTMLElement) label.focus();
  event.preventDefault();
}

/**
 * Gain and bar of every lane; the bar is as high as the words say.
 *
 * @param {Scales} scales
 * @param {LaneView[]} lanes
 */
function renderLanes(scales, lanes) {
  const rows = /** @type {HTMLElement[]} */ ([...byId("lanes").children]);
  for (const [i, { label, kind }] of lanes.entries()) {
    const row = rows[i];
    const bar = row?.querySelector(".lane-bar");
    const gain = row?.querySelector(".lane-gain");
    if (!row || !(bar instanceof HTMLElement) || !gain) continue;
    setText(gain, gainWords(scales.gain(label)));
    setAttribute(row, "data-chosen", String(scales.chosen === label));
    const button = /** @type {HTMLElement} */ (row.querySelector(".lane-label"));
    setAttribute(button, "aria-pressed", String(scales.chosen === label));
    setAttribute(button, "tabindex", scales.chosen === label || (i === 0 && scales.chosen === null) ? "0" : "-1");
    const height = `${Math.min(100, (100 * scales.gain(label) * barUv(scales.uvPerLane[kind])) / scales.uvPerLane[kind])}%`;
    if (bar.style.height !== height) bar.style.height = height;
  }
}

/**
 * How good a channel is and what is wrong with it: all of it, which beside a low lane has no room.
 *
 * @param {LaneView} lane
 */
export function stateWords({ quality, words: wrong, remedy }) {
  if (quality === null) return words.lanes.qualityUnknown;
  const said = say(words.lanes.quality, { share: `${Math.round(100 * quality)} %` });
  const advice = wrong && say(words.lanes.advice, { words: wrong, remedy: remedy || words.lanes.checkThem });
  return [said, advice].filter(Boolean).join(words.numbers.semicolon);
}

/**
 * @param {Scales} scales
 * @param {LaneView[]} lanes
 */
function renderPanel(scales, lanes) {
  const at = lanes.findIndex(({ label }) => label === scales.chosen);
  const panel = byId("gain");
  setShown(panel, at >= 0);
  const lane = lanes[at];
  if (lane === undefined) return;
  const uv = scales.uvPerLane[lane.kind] / scales.gain(lane.label);
  setText(byId("gain-words"), [lane.label, sensitivityWords(uv), gainWords(scales.gain(lane.label))].filter(Boolean).join(" · "));
  setText(byId("gain-state"), stateWords(lane));
  const top = `${Math.min(70, (100 * (at + 1)) / lanes.length)}%`;
  if (panel.style.top !== top) panel.style.top = top;
}
