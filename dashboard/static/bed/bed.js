// @ts-check
/** The bedside page: one store, one frame callback, one render per panel. */

import { readClocks } from "../age.js";
import { openClock } from "../clock.js";
import { openFeed } from "../feed.js";
import { mountLanes } from "./lanes.js";
import { mountOutcome } from "./outcome.js";
import { mountNotices } from "./notices.js";
import { mountStatus } from "./status.js";
import { createStore } from "./store.js";
import { Traces } from "./traces.js";
import { mountWindows } from "./windows.js";
import { mountWork } from "./work.js";

/** Milliseconds between two renders of the panels while nothing comes; ages are shown in whole seconds. */
const PANELS_MS = 250;

const bed = decodeURIComponent(location.pathname.split("/").at(-1) ?? "");
const api = `/api/v1/beds/${encodeURIComponent(bed)}`;
const store = createStore();
const renderStatus = mountStatus(bed, () => traces.stats());
const renderNotices = mountNotices();
const renderLanes = mountLanes();
const renderOutcome = mountOutcome();
const renderWindows = mountWindows();
const renderWork = mountWork(bed, store.state);
const traces = new Traces(`${api}/wave`, () => {
  const { sessionId, session } = store.state();
  return { session: sessionId, nChannels: session?.labels?.length ?? 0 };
});
Object.assign(window, { flexion: { stats: () => traces.stats(), drawn: () => traces.drawn } });

let dirty = true;
let renderedMs = -Infinity;
/** @type {import("./lanes.js").LaneView[]} */
let lanes = [];

/** @param {number} nowMs */
function renderPanels(nowMs) {
  const state = store.state();
  const now = readClocks();
  dirty = false;
  renderedMs = nowMs;
  lanes = renderLanes(state, now);
  renderStatus(state, now);
  renderNotices(state);
  renderOutcome(state, now);
  renderWindows(state);
  renderWork(state);
  traces.render(state, lanes, nowMs);
}

/** @param {number} nowMs */
function frame(nowMs) {
  requestAnimationFrame(frame); // first: should the drawing ever fail, what stands there must go on ageing
  const beganMs = performance.now();
  if (dirty || nowMs - renderedMs >= PANELS_MS) renderPanels(nowMs);
  traces.draw(store.state(), lanes, nowMs);
  traces.meter.took(performance.now() - beganMs);
}

/** Where a browser gives no frames (it is busy, or takes the window for covered) values age all the same. */
function age() {
  const nowMs = performance.now();
  if (nowMs - renderedMs >= 2 * PANELS_MS) renderPanels(nowMs);
}

store.subscribe(() => (dirty = true));
const lateMs = openClock();
openFeed(`${api}/events`, (message) => store.apply(message, message.type === "contact" ? lateMs(message.data.clock) : 0));
requestAnimationFrame(frame);
window.setInterval(age, 2 * PANELS_MS);
