// @ts-check
/** The page of the cues: messages come in, one frame callback draws, the operator's presses go out. */

import { elapsedS, readClocks } from "../age.js";
import { byId, setAttribute, setShown, setText } from "../dom.js";
import { openFeed } from "../feed.js";
import { Awake } from "./awake.js";
import { Figure } from "./figure.js";
import { take, viewOf } from "./view.js";
import { CATALOGUE, languageOf } from "./words.js";

const API = "/api/v1/cues";
/** Milliseconds for which the page says that a press was not taken. */
const REFUSED_MS = 4000;

const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
const figure = new Figure(byId("figure"));
const awake = new Awake((works) => (dark = !works));
let language = languageOf(document.documentElement.lang);
let dark = false;
let sure = false;
let refusedUntilMs = 0;
/** @type {import("./view.js").Told | null} */
let told = null;
let heardAt = readClocks();
/** @type {import("./view.js").View["can"]} */
let can = { start: false, hold: "", end: false };

const close = openFeed(`${API}/events`, (message) => receive(/** @type {any} */ (message)));

/** @param {import("./view.js").Message} message */
function receive(message) {
  const over = message.state === "ended";
  heardAt = readClocks();
  told = take(told, message, heardAt.monoMs);
  awake.want(!over && message.state !== "ready");
  if (over) close();
}

function draw() {
  const now = readClocks();
  const words = CATALOGUE[language];
  const view = viewOf(told, now.monoMs, elapsedS(heardAt, now), words, calm.matches);
  can = view.can;
  sure &&= can.end;
  setAttribute(byId("stage"), "data-scene", view.scene);
  setText(byId("headline"), view.headline);
  setText(byId("line"), view.line);
  setText(byId("then"), view.then);
  setText(byId("seconds"), view.seconds);
  // A whole ring has no seam.
  setAttribute(byId("ring"), "stroke-dasharray", view.ring < 1 ? `${view.ring.toFixed(4)} 1` : "none");
  setAttribute(byId("dial"), "aria-label", view.picture);
  figure.show(view.bend, view.goal, view.way);
  drawDesk(view, words, now.monoMs);
  requestAnimationFrame(draw);
}

/**
 * @param {import("./view.js").View} view
 * @param {import("./words.js").Words} words
 * @param {number} nowMs
 */
function drawDesk(view, words, nowMs) {
  byId("course").style.width = `${(100 * view.course).toFixed(2)}%`;
  setText(byId("trial"), view.trial);
  setText(byId("left"), view.left);
  drawNote(view, words, nowMs);
  button("start", words.start, can.start);
  button("hold", can.hold === "go-on" ? words.goOn : words.pause, can.hold !== "" && !sure);
  button("end", words.end, can.end && !sure);
  button("end-yes", words.endYes, sure);
  button("end-no", words.endNo, sure);
  button("language", words.other, view.scene === "ready");
  button("full", words.full, document.fullscreenEnabled && document.fullscreenElement === null && can.end && !sure);
  setText(byId("research"), words.research);
}

/**
 * @param {import("./view.js").View} view
 * @param {import("./words.js").Words} words
 * @param {number} nowMs
 */
function drawNote(view, words, nowMs) {
  const running = can.end && !can.start;
  const refused = nowMs < refusedUntilMs ? words.refused : "";
  const text = (sure ? words.endSure : "") || refused || view.note || (dark && running ? words.dark : "");
  setText(byId("note"), text);
  setAttribute(byId("note"), "data-alert", !sure && (refused !== "" || view.alert) ? "" : null);
}

/**
 * @param {string} id
 * @param {string} text
 * @param {boolean} shown
 */
function button(id, text, shown) {
  setText(byId(id), text);
  setShown(byId(id), shown);
}

/** @param {"start" | "pause" | "go-on" | "stop"} command */
async function ask(command) {
  sure = false;
  const answer = await fetch(`${API}/${command}`, { method: "POST" }).catch(() => null);
  if (!answer?.ok) refusedUntilMs = readClocks().monoMs + REFUSED_MS;
}

function hold() {
  if (can.hold !== "") void ask(can.hold);
}

function fill() {
  // A browser that refuses leaves the page as it is, with the button still there.
  document.documentElement.requestFullscreen().catch(() => undefined);
}

function translate() {
  language = language === "en" ? "zh" : "en";
  document.documentElement.lang = language;
}

byId("start").addEventListener("click", () => void ask("start"));
byId("hold").addEventListener("click", hold);
byId("end").addEventListener("click", () => (sure = true));
byId("end-yes").addEventListener("click", () => void ask("stop"));
byId("end-no").addEventListener("click", () => (sure = false));
byId("full").addEventListener("click", fill);
byId("language").addEventListener("click", translate);
document.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "Escape") sure = false;
  // A button that has the focus is pressed by the space key itself.
  if (event.key !== " " || event.target instanceof HTMLButtonElement) return;
  event.preventDefault();
  if (can.start) void ask("start");
  else hold();
});
requestAnimationFrame(draw);
