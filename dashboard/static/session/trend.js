// @ts-check
/** The scores of the windows and the outcome after each, over the time of the session, by uPlot. */

import { byId, make, setAttribute, setShown } from "../dom.js";
import { onTheme } from "../theme.js";
import uPlot from "../vendor/uplot/uPlot.esm.js";
import { words } from "../words/catalogue.js";
import { say } from "../words/say.js";
import { clockWords, percent } from "../words/words.js";
import { placeThen } from "./store.js";
import { stopOf } from "./stops.js";

/** @typedef {import("./store.js").SessionState} SessionState */

/** Height of the figure in CSS pixels. */
const HEIGHT = 240;
/** Samples of a window: it is told when it is full. */
const WINDOW = 10_000;

/**
 * The columns of the figure, in percent over minutes: the interval of the outcome, the windows' scores, the outcome.
 *
 * @param {import("./told").Course} course
 * @param {number} rateHz
 * @returns {[number[], (number | null)[], (number | null)[], (number | null)[], (number | null)[]]}
 */
export function trendOf(course, rateHz) {
  const told = new Map(course.outcomes.index.map((index, i) => [index, i]));
  const per = (/** @type {number | null | undefined} */ p) => (typeof p === "number" ? 100 * p : null);
  const rows = course.index.map((index, place) => {
    const i = told.get(index) ?? -1;
    const interval = course.outcomes.interval[i];
    const minutes = ((course.first_sample[place] ?? 0) + WINDOW) / rateHz / 60;
    return [minutes, per(interval?.[0]), per(interval?.[1]), per(course.p[place]), per(course.outcomes.probability[i])];
  });
  return /** @type {any} */ ([0, 1, 2, 3, 4].map((column) => rows.map((row) => row[column])));
}

/**
 * The figure in words, for who does not see it.
 *
 * @param {import("./told").Course} course
 */
export function trendWords(course) {
  const numbers = course.outcomes.probability.filter((p) => p !== null);
  if (numbers.length === 0) return words.session.trendNone;
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  const said = { n: course.index.length, first: percent(numbers[0] ?? 0), last: percent(numbers.at(-1) ?? 0) };
  return say(words.session.trendWords, { ...said, least: percent(least), most: percent(most) });
}

/**
 * The figure on the page; a press on it goes to the window.
 *
 * @param {import("./store.js").Store} store
 * @returns {(state: SessionState) => void}
 */
export function mountTrend(store) {
  const place = byId("trend");
  /** @type {uPlot | null} */
  let plot = null;
  /** @type {import("./told").Course | null} */
  let drawn = null;
  const redraw = () => {
    plot?.destroy();
    const state = store.state();
    plot = drawn === null ? null : figure(place, drawn, state.told?.info["rate_hz"] ?? 1000, store);
  };
  onTheme(redraw);
  matchMedia("print").addEventListener("change", redraw);
  new ResizeObserver(() => plot?.setSize({ width: place.clientWidth, height: HEIGHT })).observe(place);
  return (state) => {
    const any = state.course !== null && state.course.p.some((p) => p !== null);
    setShown(byId("trend-part"), any);
    if (any && state.course !== drawn) {
      drawn = state.course;
      setAttribute(place, "aria-label", trendWords(/** @type {import("./told").Course} */ (drawn)));
      redraw();
    }
    const here = placeThen(state);
    if (plot !== null && here !== null) plot.setCursor({ left: plot.valToPos(plot.data[0][here] ?? 0, "x"), top: -10 }, false);
  };
}

/**
 * @param {HTMLElement} place
 * @param {import("./told").Course} course
 * @param {number} rateHz
 * @param {import("./store.js").Store} store
 */
function figure(place, course, rateHz, store) {
  const style = getComputedStyle(document.documentElement);
  const ink = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`).trim();
  const axis = { stroke: ink("quiet"), grid: { stroke: ink("line"), width: 1 }, ticks: { stroke: ink("line"), width: 1 } };
  const plot = new uPlot(
    {
      width: place.clientWidth || 600,
      height: HEIGHT,
      scales: { x: { time: false }, y: { range: [0, 100] } },
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      axes: [
        { ...axis, values: (_, ticks) => ticks.map((minutes) => clockWords(60 * minutes)) },
        { ...axis, size: 54, values: (_, ticks) => ticks.map((p) => `${p} %`) },
      ],
      series: [
        {},
        { stroke: "transparent", points: { show: false } },
        { stroke: "transparent", points: { show: false } },
        { label: words.session.score, paths: () => null, points: { show: true, size: 6, stroke: ink("quiet"), fill: ink("surface") } },
        { label: words.session.outcomeThen, stroke: ink("accent"), width: 2, points: { show: course.outcomes.index.length < 3 } },
      ],
      bands: [{ series: [2, 1], fill: ink("accent-soft") }],
    },
    trendOf(course, rateHz),
    place,
  );
  plot.over.addEventListener("click", () => {
    const at = plot.cursor.idx;
    if (typeof at === "number") store.goTo(stopOf(store.state().stops, course, at));
  });
  return plot;
}

/** What the marks of the figure mean. */
export function trendKey() {
  const key = make("p", "hint trend-key");
  for (const [name, text] of [["score", words.session.score], ["outcome", words.session.outcomeThen], ["band", words.session.band]]) {
    key.append(make("span", `key-${name}`), make("span", "", text));
  }
  return key;
}
