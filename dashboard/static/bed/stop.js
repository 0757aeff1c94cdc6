// @ts-check
/** The end of a session: asked once more, with what it will do; and the correction of one of the wrong patient. */

import { byId, make, setShown, setText } from "../dom.js";
import { words } from "../words/catalogue.js";
import { say } from "../words/say.js";
import { clockWords } from "../words/words.js";
import { ask, busy, dialogOf, showRefusal } from "./ask.js";
import { closedUtc } from "./store.js";

/** @typedef {import("./store.js").BedState} BedState */

/**
 * What a stop will do, line by line.
 *
 * @param {BedState} state
 */
export function stopWords(state) {
  if (state.session === null || closedUtc(state) !== null) return [];
  const { session, contact, windows } = state;
  const elapsed = clockWords((contact?.bridge?.next_sample ?? 0) / session.rate_hz);
  const planned = session.planned_s ? clockWords(session.planned_s) : "";
  const sentence = planned ? words.work.end.recordOf : words.work.end.record;
  return [say(sentence, { elapsed, planned, windows: windows.size }), words.work.end.waits, words.work.end.onceOnly];
}

/**
 * What is asked, and what the press says that does it.
 *
 * @param {BedState} state
 * @param {boolean} inError
 */
export function stopView(state, inError) {
  const { title, correctTitle, go, goError, goCorrect } = words.work.end;
  if (closedUtc(state) !== null) return { title: correctTitle, go: goCorrect, chooses: false };
  return { title: say(title, { patient: state.session?.patient ?? "" }), go: inError ? goError : go, chooses: true };
}

/**
 * @param {() => BedState} state
 * @param {(text: string) => void} tell says what became of it
 * @returns {() => void} opens the dialog
 */
export function mountStop(state, tell) {
  const dialog = dialogOf("stop-dialog");
  const trouble = byId("stop-trouble");
  const error = /** @type {HTMLInputElement} */ (byId("stop-error"));
  /** The session that was asked about: another may begin while somebody thinks. @type {string | null} */
  let session = null;

  function render() {
    const view = stopView(state(), error.checked);
    setText(byId("stop-title"), view.title);
    setText(byId("stop-go"), view.go);
    setShown(/** @type {HTMLElement} */ (error.closest("label")), view.chooses);
    byId("stop-words").replaceChildren(...stopWords(state()).map((line) => make("li", "", line)));
  }

  error.addEventListener("change", render);
  byId("stop-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const closed = closedUtc(state()) !== null;
    const inError = error.checked || closed;
    const answer = await busy(byId("stop-form"), () => ask(`/api/v1/sessions/${session}/stop`, { entered_in_error: inError }));
    showRefusal(trouble, answer.ok ? null : answer.problem);
    if (!answer.ok) return;
    tell(closed ? words.work.corrected : words.work.stopped);
    dialog.close();
  });
  return () => {
    session = state().sessionId;
    error.checked = false;
    showRefusal(trouble, null);
    render();
    dialog.showModal();
  };
}
