// @ts-check
/** Where one looks, in words: which window, and from when to when. */

import { words } from "../words/catalogue.js";
import { say } from "../words/say.js";
import { clockWords } from "../words/words.js";
import { lengthOf, placeThen } from "./store.js";
import { pageOf } from "./then.js";

/**
 * "Window 12 of 53, 2:04 to 2:14"; a page without a window of its own says so.
 *
 * @param {import("./store.js").SessionState} state
 */
export function placeWords(state) {
  const { stops, at, course } = state;
  const stop = stops[at];
  if (stop === undefined || course === null) return "";
  const [from, to] = pageOf(stop, lengthOf(state)).map((sample) => clockWords(sample / rateOf(state)));
  const span = say(words.numbers.part, { from: from ?? "", to: to ?? "" });
  const of = course.index.length;
  if (stop.place === null) return [words.session.noWindow, span].join(words.numbers.list);
  return [say(words.session.windowOf, { window: course.index[stop.place] ?? 0, place: stop.place + 1, n: of }), span].join(words.numbers.list);
}

/**
 * The same, and before it how much of the session was played.
 *
 * @param {import("./store.js").SessionState} state
 */
export function playedWords(state) {
  if (state.due === null) return placeWords(state);
  return [clockWords(state.due / rateOf(state)), placeWords(state)].join(" · ");
}

/** @param {import("./store.js").SessionState} state */
function rateOf({ told, signal }) {
  return signal?.rate_hz ?? told?.info["rate_hz"] ?? 1000;
}

/**
 * After which window the outcome stood as it is shown.
 *
 * @param {import("./store.js").SessionState} state
 */
export function afterWords(state) {
  const place = placeThen(state);
  if (place === null || state.course === null) return words.session.beforeFirst;
  return say(words.session.after, { window: state.course.index[place] ?? 0 });
}
