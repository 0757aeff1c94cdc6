// @ts-check
/** The page of a recorded session: one store, one render per panel; only what is looked at is fetched. */

import { byId, setShown, setText } from "../dom.js";
import { mountHelp } from "../help.js";
import { keys } from "../keys.js";
import { words } from "../words/catalogue.js";
import { say } from "../words/say.js";
import { modeWord, originWord } from "../words/words.js";
import { Library, refusalWords } from "./library.js";
import { mountOutcomeThen } from "./outcome.js";
import { playedWords } from "./place.js";
import { Player, mountPlay } from "./play.js";
import { mountReport } from "./report.js";
import { Scrubber, STEPS } from "./scrubber.js";
import { createSession, placeThen } from "./store.js";
import { PageTraces } from "./traces.js";
import { mountTrend, trendKey } from "./trend.js";
import { mountRows } from "./windows.js";

/** @typedef {import("./store.js").SessionState} SessionState */

/** @param {unknown} error */
const wordsOf = (error) => (error instanceof Error ? error.message : String(error));

/**
 * What stands above everything.
 *
 * @returns {(state: SessionState) => void}
 */
function mountHead() {
  return ({ told, problem }) => {
    setText(byId("problem"), problem);
    setShown(byId("problem"), problem !== "");
    setShown(byId("main"), problem === "");
    if (told === null) return;
    setText(byId("title"), say(words.session.patient, { patient: told.info["patient"] ?? "" }));
    const mode = [modeWord(told.info["mode"] ?? ""), originWord(told.info["origin"] ?? "")].filter(Boolean);
    setText(byId("mode"), mode.join(words.numbers.list));
    setText(byId("begun"), told.info["created_utc"] ? new Date(told.info["created_utc"]).toLocaleString(document.documentElement.lang) : "");
    setText(byId("digest"), told.digest === null ? "" : told.digest.slice(0, 12));
    setShown(byId("in-error"), told.in_error);
    setShown(byId("not-ended"), !told.ended);
  };
}

/**
 * The buttons of the strip, and the same on the arrows of the keyboard.
 *
 * @param {import("./store.js").Store} store
 * @returns {(state: SessionState) => void}
 */
function mountSteps(store) {
  const step = (/** @type {string} */ key) => {
    const { at, stops } = store.state();
    store.goTo(STEPS[key]?.(at, stops.length - 1) ?? at);
  };
  const buttons = { "step-first": "Home", "step-back": "ArrowLeft", "step-on": "ArrowRight", "step-last": "End" };
  for (const [id, key] of Object.entries(buttons)) byId(id).addEventListener("click", () => step(key));
  keys.on("ArrowLeft", words.session.keys.back, () => step("ArrowLeft"));
  keys.on("ArrowRight", words.session.keys.on, () => step("ArrowRight"));
  return (state) => setText(byId("place"), playedWords(state));
}

/**
 * Fetch the rows around the window that is looked at, unless they are there.
 *
 * @param {import("./store.js").Store} store
 * @param {Library} library
 * @returns {(state: SessionState) => void}
 */
function mountFetching(store, library) {
  return (state) => {
    const place = placeThen(state) ?? 0;
    const { course, rows } = state;
    if (course === null || course.index.length === 0) return;
    if (rows !== null && place >= rows.first && place < rows.first + rows.windows.length) return;
    library.rowsAt(place).then(
      (came) => placeIn(store, came) && came !== store.state().rows && store.change({ rows: came }),
      (error) => store.change({ problem: wordsOf(error) }),
    );
  };
}

/**
 * Whether these rows hold the window that is looked at by now.
 *
 * @param {import("./store.js").Store} store
 * @param {import("./told").Rows} rows
 */
function placeIn(store, rows) {
  const place = placeThen(store.state()) ?? 0;
  return place >= rows.first && place < rows.first + Math.max(1, rows.windows.length);
}

/** @param {string} id */
async function run(id) {
  const library = new Library(id);
  const store = createSession();
  const traces = new PageTraces(library);
  const scrubber = new Scrubber(library, store.goTo);
  byId("trend-part").append(trendKey());
  byId("print").addEventListener("click", () => window.print());
  for (const render of [mountHead(), mountSteps(store), mountOutcomeThen(), mountReport(library), mountTrend(store), mountRows(store)]) {
    store.subscribe(render);
  }
  store.subscribe((state) => traces.render(state));
  store.subscribe(mountPlay(new Player(store, library, traces)));
  mountHelp();
  store.subscribe((state) => scrubber.render(state));
  store.subscribe(mountFetching(store, library));
  try {
    store.change({ told: await library.told() });
    store.change({ course: await library.course() });
  } catch (error) {
    store.change({ problem: wordsOf(error) });
    return;
  }
  await follow(store, library);
}

/**
 * Ask for the traces until they are made; without them the rest is there all the same.
 *
 * @param {import("./store.js").Store} store
 * @param {Library} library
 */
async function follow(store, library) {
  const refusal = store.state().told?.no_traces ?? null;
  if (refusal !== null) return store.change({ waiting: { share: null, words: refusalWords(refusal) } });
  try {
    const signal = await library.signal((share) => store.change({ waiting: { share, words: "" } }));
    store.change({ signal });
  } catch (error) {
    store.change({ waiting: { share: null, words: wordsOf(error) } });
  }
}

if (typeof document !== "undefined") void run(decodeURIComponent(location.pathname.split("/").at(-1) ?? ""));
