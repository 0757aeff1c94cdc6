// @ts-check
/** The patient's cues, run from the bed: opened beside the session's stream, then by the same commands as their page. */

import { byId, setAttribute, setShown, setText } from "../dom.js";
import { words } from "../words/catalogue.js";
import { say } from "../words/say.js";
import { ask, dialogOf, showRefusal } from "./ask.js";

/** @typedef {import("../wire").Cues} Cues */

/** Milliseconds between looks while the dialog is open, and for which cues that were asked for may still be coming. */
const LOOK_MS = 2000;
const OPENING_MS = 20_000;
/** What can be asked for, by the state of the cues. @type {Record<string, string[]>} */
const ACTIONS = {
  none: ["open"],
  opening: [],
  ready: ["start", "stop"],
  running: ["pause", "stop"],
  pausing: ["go-on", "stop"],
  paused: ["go-on", "stop"],
  ended: ["open"],
};
const ALL = ["open", "start", "pause", "go-on", "stop"];

/**
 * What the dialog shows.
 *
 * @param {Cues | null} cues null where none answer
 * @param {boolean} opening whether some were opened just now
 */
export function cuesView(cues, opening) {
  if (cues === null) {
    const { none, opening: coming } = words.work.cueing;
    return { words: opening ? coming : none, actions: ACTIONS[opening ? "opening" : "none"] ?? [], url: "", unheard: false };
  }
  const states = /** @type {Record<string, string>} */ (words.work.cueing.states);
  const trial = typeof cues.trial === "number" ? say(words.work.cueing.trial, { n: cues.trial + 1, of: cues.n_trials ?? "---" }) : "";
  return {
    words: [states[cues.state] ?? cues.state, trial].filter(Boolean).join(" · "),
    actions: ACTIONS[cues.state] ?? [],
    url: localUrl(cues.url),
    unheard: !cues.heard && cues.state !== "ended",
  };
}

/**
 * The cues that a bed has; null for one that has none.
 *
 * @param {Record<string, any>} said
 * @returns {Cues | null}
 */
export const cuesOf = (said) => (said["state"] === "none" ? null : /** @type {Cues} */ (said));

/**
 * The address of the patient's page, if it is one of this machine's: nothing else becomes a link.
 *
 * @param {string} url
 */
export function localUrl(url) {
  return /^http:\/\/(127\.0\.0\.1|localhost|\[::1\]):\d+\/$/.test(url) ? url : "";
}

/**
 * @param {string} bed
 * @returns {() => void} opens the dialog
 */
export function mountCues(bed) {
  const dialog = dialogOf("cues-dialog");
  const path = `/api/v1/beds/${encodeURIComponent(bed)}/cue`;
  /** @type {Cues | null} */
  let cues = null;
  /** Until when cues that were asked for are being opened, on the page's clock; 0 while none are. */
  let openingMs = 0;
  /** Which opening of the dialog it is: what an earlier one still does is over. */
  let opened = 0;

  function render() {
    const view = cuesView(cues, performance.now() < openingMs);
    setText(byId("cues-state"), view.words);
    for (const action of ALL) setShown(byId(`cues-${action}`), view.actions.includes(action));
    setShown(byId("cues-unheard"), view.unheard);
    setShown(byId("cues-page"), view.url !== "");
    if (view.url) setAttribute(byId("cues-page"), "href", view.url);
  }

  /** @param {string} action */
  async function want(action) {
    if (action === "open") openingMs = performance.now() + OPENING_MS;
    const answer = await ask(path, { action, language: document.documentElement.lang.startsWith("zh") ? "zh" : "en" });
    if (answer.ok && action !== "open") cues = cuesOf(answer.data);
    if ((cues !== null && cues.state !== "ended") || (!answer.ok && action === "open")) openingMs = 0;
    // Looking takes away no refusal of a press: that stands until the next press.
    if (!answer.ok || action !== "show") showRefusal(byId("cues-trouble"), answer.ok ? null : answer.problem);
    render();
  }

  async function follow() {
    const mine = ++opened;
    while (dialog.open && mine === opened) {
      await want("show");
      await new Promise((done) => setTimeout(done, LOOK_MS));
    }
  }

  for (const action of ALL) byId(`cues-${action}`).addEventListener("click", () => want(action));
  return () => {
    openingMs = 0;
    showRefusal(byId("cues-trouble"), null);
    render();
    dialog.showModal();
    void follow();
  };
}
