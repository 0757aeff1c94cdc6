// @ts-check
/** The work at the bed: the row of presses below the traces, their keys, and what became of what was pressed. */

import { byId, changes, setAttribute, setShown, setText } from "../dom.js";
import { mountHelp } from "../help.js";
import { words } from "../words/catalogue.js";
import { say } from "../words/say.js";
import { clockWords } from "../words/words.js";
import { ask, mountAuthors, refusalWords } from "./ask.js";
import { mountCues } from "./cueing.js";
import { keys } from "../keys.js";
import { mountNotes } from "./notes.js";
import { mountStart } from "./start.js";
import { mountStop } from "./stop.js";
import { closedUtc } from "./store.js";

/** @typedef {import("./store.js").BedState} BedState */

/** Milliseconds for which stands what became of a press. */
const SAID_MS = 20_000;

/**
 * What can be done at the bed now; nothing before anything is known of it.
 *
 * @param {BedState} state
 */
export function workView(state) {
  const closed = closedUtc(state) !== null;
  const open = state.told && state.sessionId !== null && !closed;
  const live = state.session?.mode === "live";
  const inError = state.session?.entered_in_error === true;
  return {
    start: state.told && !open,
    stop: open,
    mark: open,
    notes: open || (state.told && state.sessionId !== null),
    cues: open && live,
    correct: state.told && closed && state.session !== null && !inError,
    inError: inError ? say(words.work.inError, { patient: state.session?.patient ?? "" }) : "",
  };
}

/**
 * The text of a mark: what the field says, or the usual word.
 *
 * @param {string} text
 */
export const markText = (text) => text.trim() || words.work.markUsual;

/**
 * @param {string} bed
 * @param {() => BedState} state
 * @returns {(state: BedState) => void}
 */
export function mountWork(bed, state) {
  mountAuthors();
  const notes = mountNotes(state, tell);
  const openStart = mountStart(bed, tell);
  const openStop = mountStop(state, tell);
  const openCues = mountCues(bed);
  const text = /** @type {HTMLInputElement} */ (byId("mark-text"));
  let asksToStart = new URL(location.href).searchParams.has("start");

  async function mark() {
    const { sessionId, session } = state();
    const said = markText(text.value);
    tell(words.work.waiting);
    const answer = await ask(`/api/v1/sessions/${sessionId}/mark`, { text: said });
    if (!answer.ok) return tell(refusalWords(answer.problem, words, document.documentElement.lang).words, true);
    tell(say(words.work.marked, { text: said, time: clockWords(answer.data.sample / (session?.rate_hz ?? 1000)) }));
  }

  /** @type {[string, string, string, keyof ReturnType<typeof workView>, () => void][]} */
  const presses = [
    ["work-mark", "M", words.work.keys.mark, "mark", mark],
    ["work-notes", "N", words.work.keys.note, "notes", notes.open],
    ["work-cues", "C", words.work.keys.cues, "cues", openCues],
  ];
  for (const [id, key, label, can, act] of presses) {
    byId(id).addEventListener("click", act);
    keys.on(key, label, () => (workView(state())[can] ? act() : false));
  }
  text.addEventListener("keydown", ({ key, isComposing }) => key === "Enter" && !isComposing && mark());
  for (const [id, act] of /** @type {const} */ ([["start", openStart], ["stop", openStop], ["correct", openStop]])) {
    byId(`work-${id}`).addEventListener("click", act);
  }
  keys.on("S", words.work.keys.startStop, () => {
    const can = workView(state());
    return can.stop ? openStop() : can.start ? openStart() : false;
  });
  mountHelp();

  const changed = changes();
  return (now) => {
    if (!changed(now)) return;
    const view = workView(now);
    for (const can of /** @type {const} */ (["start", "stop", "mark", "notes", "cues", "correct"])) {
      setShown(byId(`work-${can}`), view[can]);
    }
    setShown(byId("mark-label"), view.mark);
    setShown(byId("in-error"), view.inError !== "");
    setText(byId("in-error"), view.inError);
    setAttribute(document.body, "data-in-error", String(view.inError !== ""));
    notes.render(now);
    if (asksToStart && now.told) {
      asksToStart = false;
      history.replaceState(null, "", location.pathname);
      if (view.start) openStart();
    }
  };
}

let saidTimer = 0;

/**
 * Say what became of a press; a refusal stands until the next one.
 *
 * @param {string} said
 * @param {boolean} [trouble]
 */
function tell(said, trouble = false) {
  window.clearTimeout(saidTimer);
  if (!trouble && said !== "") saidTimer = window.setTimeout(tell, SAID_MS, "");
  setText(byId("work-said"), said);
  setAttribute(byId("work-said"), "data-trouble", String(trouble));
}
