// @ts-check
/** The time cursor: a press on the traces tells every channel's value at that sample, and when it was. */

import { byId, fit, make, setShown, setText } from "../dom.js";
import { UV_PER_STEP } from "./decoder.js";
import { keys } from "../keys.js";
import { words } from "../words/catalogue.js";
import { say } from "../words/say.js";

/** Seconds by which a key moves it. */
const STEP_S = 0.05;

/**
 * The sample that stands at a column of the screen.
 *
 * @param {import("./page.js").Page} page
 * @param {{from: number, to: number}} shown
 * @param {number} x column, from the left
 * @returns {number | null} null in the erase bar, and where there is nothing
 */
export function sampleAt(page, shown, x) {
  const newest = page.column(shown.to - 1);
  const column = newest - (((newest - x) % page.width) + page.width) % page.width;
  const sample = page.first(column);
  return sample >= shown.from && sample < shown.to ? sample : null;
}

/**
 * A value in words, with its sign.
 *
 * @param {number | null} steps of the int16
 */
export function valueWords(steps) {
  if (steps === null) return words.signal.absent;
  const uv = steps * UV_PER_STEP;
  const digits = Math.abs(uv) < 100 ? 1 : 0;
  return say(words.signal.value, { uv: `${uv < 0 ? "−" : "+"}${Math.abs(uv).toFixed(digits)}` });
}

/**
 * Whether a value's words stand to the left of the line, so that they stay on the canvas.
 *
 * @param {number} share of the width
 */
export const isOnRight = (share) => share > 0.5;

/**
 * What the cursor needs of the traces.
 *
 * @typedef {object} Shown
 * @property {import("./sweep.js").Sweep} sweep
 * @property {import("./ring.js").Ring | null} held what is on the screen
 * @property {number} perS
 * @property {(sample: number) => string} timeAt when a sample was, in words
 * @property {() => void} [onCursor] called when it was moved, where traces that stand still do not draw by themselves
 */

/**
 * @param {Shown} traces
 * @returns {(nLanes: number) => void} renders
 */
export function mountCursor(traces) {
  /** @type {number | null} */
  let at = null;
  const canvas = traces.sweep.canvas;
  canvas.addEventListener("pointerdown", (event) => {
    const box = canvas.getBoundingClientRect();
    const x = Math.floor(((event.clientX - box.left) * canvas.width) / box.width);
    const pressed = sampleAt(traces.sweep.page, traces.sweep.shown, x);
    at = at !== null && pressed !== null && Math.abs(pressed - at) < STEP_S * traces.perS ? null : pressed;
    traces.onCursor?.();
  });
  /** @param {number} seconds */
  const move = (seconds) => () => {
    const { from, to } = traces.sweep.shown;
    if (to === from) return false;
    const moved = at === null ? Math.round((from + to) / 2) : at + Math.round(seconds * traces.perS);
    at = Math.max(from, Math.min(to - 1, moved));
    traces.onCursor?.();
  };
  keys.on("[", words.signal.keys.cursorBack, move(-STEP_S));
  keys.on("]", words.signal.keys.cursorOn, move(STEP_S));
  return (nLanes) => {
    const { from, to } = traces.sweep.shown;
    if (at !== null && (at < from || at >= to)) at = null;
    renderCursor(traces, at, nLanes);
  };
}

/**
 * @param {Shown} traces
 * @param {number | null} at
 * @param {number} nLanes
 */
function renderCursor(traces, at, nLanes) {
  const { sweep, held } = traces;
  const cursor = byId("cursor");
  setShown(cursor, at !== null && held !== null);
  if (at === null || held === null) return;
  const share = sweep.page.x(sweep.page.column(at)) / sweep.page.width;
  const left = `${100 * share}%`;
  if (cursor.style.left !== left) cursor.style.left = left;
  cursor.classList.toggle("on-right", isOnRight(share));
  setText(byId("cursor-time"), traces.timeAt(at));
  const values = fit(byId("cursor-values"), nLanes, makeValue);
  values.forEach((value, i) => setText(/** @type {Element} */ (value.firstElementChild), valueWords(held.value(at, i))));
}

function makeValue() {
  const value = make("li", "digits");
  value.append(make("span", ""));
  return value;
}
