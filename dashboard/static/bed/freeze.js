// @ts-check
/**
 * Freeze, and scroll back through the last two minutes: what is looked at stands still, and nothing else stops.
 *
 * A frozen page is a copy of the ring: the ring goes on filling behind it, so that what is looked at never runs out.
 */

import { byId, changes, setAttribute, setShown, setText } from "../dom.js";
import { PAGE_SAMPLES } from "../signal/page.js";
import { words } from "../words/catalogue.js";
import { say } from "../words/say.js";
import { keys } from "../keys.js";

/** Seconds of a press on an arrow, and of a page key: a page is 10 s. */
const STEP_S = 1;
const PAGE_S = 10;

/** When a sample was taken, on this machine's clock. @typedef {{sample: number, wallMs: number}} Clock */

/**
 * @typedef {object} Frozen
 * @property {import("../signal/ring.js").Ring} ring what was there
 * @property {number} from first sample of the page that is shown
 * @property {number} oldest first sample of the oldest page
 * @property {number} newest first sample of the newest page
 * @property {Clock} clock
 * @property {number} perS samples of a second
 */

/**
 * Hold what is there; the page that ends with the newest sample on the screen is shown.
 *
 * @param {import("../signal/ring.js").Ring} ring
 * @param {number} due one past the newest sample on the screen
 * @param {Clock} clock
 * @param {number} perS
 * @returns {Frozen}
 */
export function frozenAt(ring, due, clock, perS) {
  const newest = due - PAGE_SAMPLES;
  const oldest = Math.min(newest, Math.max(ring.first, ring.start));
  return { ring: ring.copy(), from: newest, oldest, newest, clock, perS };
}

/**
 * The page so many seconds later, or earlier where they are negative; never beyond what is there.
 *
 * @param {Frozen} frozen
 * @param {number} seconds
 * @returns {Frozen}
 */
export function scrolled(frozen, seconds) {
  return scrolledTo(frozen, frozen.from + seconds * frozen.perS);
}

/**
 * @param {Frozen} frozen
 * @param {number} from
 * @returns {Frozen}
 */
export function scrolledTo(frozen, from) {
  return { ...frozen, from: Math.max(frozen.oldest, Math.min(frozen.newest, from)) };
}

/**
 * The time of day at which a sample was taken, on this machine's clock.
 *
 * @param {Clock} clock
 * @param {number} sample
 * @param {number} perS
 * @param {boolean} [fine] with milliseconds
 */
export function timeWords(clock, sample, perS, fine = false) {
  const time = new Date(Math.round(clock.wallMs + ((sample - clock.sample) * 1000) / perS));
  const [h, m, s] = [time.getHours(), time.getMinutes(), time.getSeconds()].map((n) => String(n).padStart(2, "0"));
  return `${h}:${m}:${s}${fine ? `.${String(time.getMilliseconds()).padStart(3, "0")}` : ""}`;
}

/**
 * What stands beside a frozen page.
 *
 * @param {Frozen} frozen
 */
export function frozenWords({ from, clock, perS }) {
  const [begin, end] = [from, from + PAGE_SAMPLES].map((sample) => timeWords(clock, sample, perS));
  return say(words.signal.frozen, { begin: begin ?? "", end: end ?? "" });
}

/**
 * The button, the slider and the keys.
 *
 * @param {{frozen: Frozen | null, canFreeze: boolean, freeze: () => void, show: (frozen: Frozen | null) => void}} traces
 * @returns {() => void} renders
 */
export function mountFreeze(traces) {
  const button = byId("freeze");
  const slider = /** @type {HTMLInputElement} */ (byId("back-slider"));
  const toggle = () => (traces.frozen === null ? traces.freeze() : traces.show(null));
  button.addEventListener("click", toggle);
  slider.addEventListener("input", () => {
    if (traces.frozen !== null) traces.show(scrolledTo(traces.frozen, Number(slider.value)));
  });
  slider.addEventListener("keydown", (event) => {
    const seconds = { ArrowLeft: -STEP_S, ArrowRight: STEP_S, PageUp: -PAGE_S, PageDown: PAGE_S }[event.key];
    if (traces.frozen !== null && seconds !== undefined) traces.show(scrolled(traces.frozen, seconds));
    else if (event.key === "Escape" || event.key === " ") traces.show(null);
    else return;
    event.preventDefault();
  });
  mountKeys(traces, toggle);
  const changed = changes();
  return () => {
    if (changed(traces.frozen, traces.canFreeze)) renderFreeze(traces, button, slider);
  };
}

/**
 * @param {{frozen: Frozen | null, show: (frozen: Frozen | null) => void}} traces
 * @param {() => void} toggle
 */
function mountKeys(traces, toggle) {
  /** @param {number} seconds */
  const scroll = (seconds) => () => {
    if (traces.frozen === null) return false;
    traces.show(scrolled(traces.frozen, seconds));
  };
  keys.on("Space", words.signal.keys.freeze, toggle);
  keys.on("ArrowLeft", words.signal.keys.back, scroll(-STEP_S));
  keys.on("ArrowRight", words.signal.keys.on, scroll(STEP_S));
  keys.on("PageUp", words.signal.keys.pageBack, scroll(-PAGE_S));
  keys.on("PageDown", words.signal.keys.pageOn, scroll(PAGE_S));
  keys.on("Escape", words.signal.keys.live, () => traces.frozen !== null && traces.show(null));
}

/**
 * @param {{frozen: Frozen | null, canFreeze: boolean}} traces
 * @param {HTMLElement} button
 * @param {HTMLInputElement} slider
 */
function renderFreeze({ frozen, canFreeze }, button, slider) {
  const idle = frozen === null && !canFreeze;
  setAttribute(byId("traces"), "data-frozen", String(frozen !== null));
  setAttribute(button, "aria-disabled", idle ? "true" : null);
  setAttribute(button, "title", idle ? words.signal.nothingToFreeze : null);
  setText(button, frozen === null ? words.signal.freeze : words.signal.live);
  setShown(byId("back"), frozen !== null);
  setShown(byId("page-words"), frozen === null);
  if (frozen === null) return;
  const told = frozenWords(frozen);
  setText(byId("frozen-words"), told);
  for (const [name, value] of /** @type {const} */ ([["min", frozen.oldest], ["max", frozen.newest], ["step", frozen.perS / 10]])) {
    setAttribute(slider, name, String(value));
  }
  setAttribute(slider, "aria-valuetext", told);
  if (slider.value !== String(frozen.from)) slider.value = String(frozen.from);
}
