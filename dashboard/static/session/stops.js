// @ts-check
/**
 * Where a session can be looked at: pages of 10 s that begin where windows do, as the sweep had them, segment by segment.
 *
 * Without traces the windows themselves are the stops, so that a session whose recording is gone can still be read.
 */

import { PAGE_SAMPLES, SETTLING_SAMPLES } from "../signal/page.js";

/**
 * @typedef {object} Stop
 * @property {number} from first sample of the page; before the segment's own first while it settles
 * @property {number} segment
 * @property {number | null} place of its window among all, null where it has none
 */

/**
 * @param {import("./told").Signal | null} signal
 * @param {import("./told").Course} course
 * @returns {Stop[]}
 */
export function stopsOf(signal, course) {
  const placeOf = new Map(course.first_sample.map((first, place) => [first, place]));
  if (signal === null) {
    return course.first_sample.map((from, place) => ({ from, segment: course.segment[place] ?? 0, place }));
  }
  return segmentsOf(signal).flatMap(({ segment, from, to }) => {
    const pages = [];
    for (let page = from + SETTLING_SAMPLES - PAGE_SAMPLES; page < to; page += PAGE_SAMPLES) {
      pages.push({ from: page, segment, place: placeOf.get(page) ?? null });
    }
    return pages;
  });
}

/**
 * The segments that have samples, with one past their last.
 *
 * @param {import("./told").Signal} signal
 */
function segmentsOf({ segments, spans }) {
  /** @type {Map<number, number>} */
  const ends = new Map();
  for (const [segment, , to] of spans) ends.set(segment, Math.max(to, ends.get(segment) ?? 0));
  return segments
    .filter(({ segment }) => ends.has(segment))
    .map(({ segment, first_sample: from }) => ({ segment, from, to: /** @type {number} */ (ends.get(segment)) }));
}

/**
 * The stop whose page holds a sample, or the nearest before it.
 *
 * @param {Stop[]} stops
 * @param {number} sample
 */
export function stopAt(stops, sample) {
  return Math.max(0, stops.findLastIndex(({ from }) => from <= sample));
}

/**
 * The stop of a window.
 *
 * @param {Stop[]} stops
 * @param {import("./told").Course} course
 * @param {number} place of the window among all
 */
export function stopOf(stops, course, place) {
  const own = stops.findIndex((stop) => stop.place === place);
  return own >= 0 ? own : stopAt(stops, course.first_sample[place] ?? 0);
}

/**
 * The last window that was whole when the page of a stop was; null before the first.
 *
 * @param {Stop | undefined} stop
 * @param {import("./told").Course} course
 */
export function placeBy(stop, course) {
  if (stop === undefined) return null;
  const place = course.first_sample.findLastIndex((first) => first <= stop.from);
  return place < 0 ? null : place;
}

/**
 * The last window that was whole when so many samples had been recorded; null before the first.
 *
 * @param {number} samples
 * @param {import("./told").Course} course
 */
export function placeBefore(samples, course) {
  const place = course.first_sample.findLastIndex((first) => first + PAGE_SAMPLES <= samples);
  return place < 0 ? null : place;
}
