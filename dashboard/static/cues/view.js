// @ts-check
/**
 * What the page shows at one moment, from the last message and the time since. Pure.
 *
 * A message says how much time was left when it was sent; the page counts on by itself, and never past the server: when
 * nothing is left it waits for the next message. After three seconds without any, no cue is shown at all (law 7).
 */

import { CONTACT } from "../age.js";
import { say } from "../words/say.js";

/**
 * @typedef {object} Message
 * @property {number} number another one for each thing that is shown
 * @property {"ready" | "running" | "pausing" | "paused" | "ended"} state
 * @property {"preparation" | "flexion" | "rest" | "extension" | null} phase
 * @property {number | null} trial from 0
 * @property {number | null} n_trials
 * @property {number | null} length_s
 * @property {number | null} left_s
 * @property {string | null} next
 * @property {number | null} plan_s
 * @property {number | null} plan_left_s
 * @property {boolean} heard whether anybody receives the markers
 */

/** @typedef {{message: Message, atMs: number}} Told a message and when it was sent, as far as this page can tell */

/** What the figure does in each scene: how far the leg is bent when it begins and when it ends. */
const MOVES = /** @type {Record<import("./words.js").Scene, readonly [number, number]>} */ ({
  ready: [0, 0],
  still: [0, 0],
  preparation: [0, 0],
  flexion: [0, 1],
  rest: [1, 1],
  extension: [1, 0],
  paused: [0, 0],
  ended: [0, 0],
  away: [0, 0],
});

/**
 * Take a message in. A message that says the same again, later than it should, moves nothing: what came quickest is
 * nearest to the server's clock.
 *
 * @param {Told | null} before
 * @param {Message} message
 * @param {number} nowMs
 * @returns {Told}
 */
export function take(before, message, nowMs) {
  const same = before !== null && before.message.number === message.number && message.left_s !== null;
  const wasLeftS = same ? before.message.left_s : null;
  if (!same || wasLeftS === null) return { message, atMs: nowMs };
  const endsMs = Math.min(before.atMs + 1000 * wasLeftS, nowMs + 1000 * /** @type {number} */ (message.left_s));
  return { message, atMs: endsMs - 1000 * /** @type {number} */ (message.left_s) };
}

/**
 * The scene of a message.
 *
 * @param {Message} message
 * @returns {import("./words.js").Scene}
 */
export function sceneOf({ state, phase }) {
  if (state === "running" || state === "pausing") return phase ?? "still";
  return state;
}

/**
 * @typedef {object} View
 * @property {import("./words.js").Scene} scene
 * @property {string} headline
 * @property {string} line
 * @property {string} then what comes next, for the patient
 * @property {string} seconds that are left, counted down to 1
 * @property {number} ring share of the time that is left
 * @property {number} bend how far the leg is bent, 0 to 1
 * @property {number} goal how far it is to be bent in the end
 * @property {-1 | 0 | 1} way which way the heel goes: -1 to the body
 * @property {string} picture the figure in words
 * @property {string} trial
 * @property {string} left of the whole plan, in words
 * @property {number} course share of the plan that is done
 * @property {string} note for the operator
 * @property {boolean} alert whether the note is about something that is wrong
 * @property {{start: boolean, hold: "" | "pause" | "go-on", end: boolean}} can what can be pressed
 */

/**
 * The whole view.
 *
 * @param {Told | null} told
 * @param {number} nowMs
 * @param {number} silentS seconds since the last message came
 * @param {import("./words.js").Words} words
 * @param {boolean} calm whether motion is to be reduced
 * @returns {View}
 */
export function viewOf(told, nowMs, silentS, words, calm) {
  if (told === null) return away(words, words.connecting, false);
  const { message } = told;
  if (message.state !== "ended" && silentS >= CONTACT.grey) {
    return away(words, say(words.noContact, { s: Math.floor(silentS) }), true);
  }
  const scene = sceneOf(message);
  const [headline = "", line = ""] = words.scenes[scene];
  const leftS = leftOf(told, nowMs);
  const share = message.length_s === null || leftS === null ? null : Math.min(1, leftS / message.length_s);
  const [from, to] = MOVES[scene];
  const moved = calm || share === null ? 1 : eased(1 - share);
  const note = noteOf(message, words);
  return {
    scene,
    headline,
    line,
    then: thenOf(message, words),
    seconds: leftS === null ? "" : String(Math.max(1, Math.ceil(leftS - 0.05))),
    ring: ringOf(share, leftS, message, calm),
    bend: from + (to - from) * moved,
    goal: to,
    way: from === to ? 0 : to > from ? -1 : 1,
    picture: pictureOf(from, to, words),
    trial: trialOf(message, words),
    left: planLeft(message, leftS, words),
    course: courseOf(message, leftS),
    note: note.text,
    alert: note.alert,
    can: canPress(message),
  };
}

/**
 * Nothing is known: no cue, no number, nothing to press.
 *
 * @param {import("./words.js").Words} words
 * @param {string} note
 * @param {boolean} alert
 * @returns {View}
 */
function away(words, note, alert) {
  const [headline = "", line = ""] = words.scenes.away;
  return {
    scene: "away", headline, line, then: "", seconds: "", ring: 0, bend: 0, goal: 0, way: 0,
    picture: words.picture.straight, trial: "", left: "", course: 0, note, alert,
    can: { start: false, hold: "", end: false },
  };
}

/**
 * Seconds of this cue that are left; never below 0.
 *
 * @param {Told} told
 * @param {number} nowMs
 */
function leftOf({ message, atMs }, nowMs) {
  return message.left_s === null ? null : Math.max(0, message.left_s - (nowMs - atMs) / 1000);
}

/**
 * What comes next; where a pause was asked for, it comes in the place of the next trial.
 *
 * @param {Message} message
 * @param {import("./words.js").Words} words
 */
function thenOf({ state, next }, words) {
  if (next === null) return "";
  const key = state === "pausing" && next === "preparation" ? "paused" : next;
  return /** @type {Record<string, string>} */ (words.next)[key] ?? "";
}

/**
 * How much of the ring is drawn; with reduced motion it goes in whole seconds.
 *
 * @param {number | null} share
 * @param {number | null} leftS
 * @param {Message} message
 * @param {boolean} calm
 */
function ringOf(share, leftS, message, calm) {
  if (share === null || leftS === null || message.length_s === null) return message.state === "ended" ? 1 : 0;
  return calm ? Math.min(1, Math.ceil(leftS - 0.05) / message.length_s) : share;
}

/**
 * Begin and end gently.
 *
 * @param {number} t 0 to 1
 */
export function eased(t) {
  return t * t * (3 - 2 * t);
}

/**
 * @param {number} from
 * @param {number} to
 * @param {import("./words.js").Words} words
 */
function pictureOf(from, to, words) {
  if (from !== to) return to > from ? words.picture.bending : words.picture.straightening;
  return to > 0 ? words.picture.bent : words.picture.straight;
}

/**
 * @param {Message} message
 * @param {import("./words.js").Words} words
 */
function trialOf({ trial, n_trials: of, state }, words) {
  if (trial === null || of === null || state === "ended") return "";
  return say(words.trial, { n: trial + 1, of });
}

/**
 * @param {Message} message
 * @param {number | null} leftS
 */
function planLeftS(message, leftS) {
  if (message.plan_left_s === null) return null;
  return message.plan_left_s - ((message.left_s ?? 0) - (leftS ?? 0));
}

/**
 * @param {Message} message
 * @param {number | null} leftS
 * @param {import("./words.js").Words} words
 */
function planLeft(message, leftS, words) {
  const s = planLeftS(message, leftS);
  if (s === null || message.state === "ended") return "";
  if (message.state === "ready") return say(words.length, { n: Math.max(1, Math.round(s / 60)) });
  return s < 60 ? words.lastMinute : say(words.minutes, { n: Math.ceil(s / 60) });
}

/**
 * @param {Message} message
 * @param {number | null} leftS
 */
function courseOf(message, leftS) {
  const s = planLeftS(message, leftS);
  return s === null || !message.plan_s ? 0 : Math.min(1, Math.max(0, 1 - s / message.plan_s));
}

/**
 * @param {Message} message
 * @param {import("./words.js").Words} words
 */
function noteOf(message, words) {
  if (message.state === "ended") return { text: "", alert: false };
  if (!message.heard) return { text: words.unheard, alert: true };
  return { text: message.state === "pausing" ? words.pausing : "", alert: false };
}

/**
 * @param {Message} message
 * @returns {View["can"]}
 */
function canPress({ state }) {
  const hold = state === "running" ? "pause" : state === "pausing" || state === "paused" ? "go-on" : "";
  return { start: state === "ready", hold, end: state !== "ended" };
}
