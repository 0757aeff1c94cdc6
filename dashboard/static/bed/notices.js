// @ts-check
/**
 * Technical notices: one line, the highest first, all of them on press; whoever has seen one says so, and it stays seen.
 *
 * They are about machines alone. They make no sound, do not flash, and wear no colour of an alarm. Their line is always
 * there, so that nothing moves under a finger when one comes or goes.
 */

import { byId, changes, fit, make, setAttribute, setShown, setText } from "../dom.js";
import { closedUtc } from "./store.js";
import { words } from "../words/catalogue.js";
import { say } from "../words/say.js";
import { told } from "../words/told.js";

/** @typedef {import("./store.js").BedState} BedState */
/** @typedef {import("../wire").Notice} Notice */
/** @typedef {Notice & {key?: string}} Known a condition whose words change with its numbers has a key */
/** @typedef {{text: string, seen: boolean}} Line */

/** Levels from the highest; an unknown one goes before none. */
const LEVELS = ["warning", "technical"];
/** Free bytes of the recordings' disk below which it is said: four hours of one bed. */
export const LOW_BYTES = 1e9;
/** Under which name what was seen is kept, and of how many sessions. */
const KEPT_AS = "flexion-seen";
const SESSIONS = 8;

/**
 * All that there is to say now, the highest first, the newest first among equals.
 *
 * @param {BedState} state
 * @returns {Known[]}
 */
export function noticesOf(state) {
  const all = [...state.notices, ...conditions(state)].reverse();
  const rank = (/** @type {Notice} */ { level }) => (LEVELS.includes(level) ? LEVELS.indexOf(level) : LEVELS.length);
  return all.sort((a, b) => rank(a) - rank(b));
}

/**
 * What is no event but holds now, and goes when it does not.
 *
 * @param {BedState} state
 * @returns {Known[]}
 */
function conditions(state) {
  const free = state.contact?.bridge?.disk_free_bytes;
  if (closedUtc(state) !== null || typeof free !== "number" || free >= LOW_BYTES) return [];
  const text = say(words.notices.diskLow, { free: bytesWords(free) });
  return [{ level: "warning", key: "disk", text, remedy: words.notices.diskLowDo }];
}

/**
 * The notices in the page's words, and whether each was seen.
 *
 * @param {Known[]} notices
 * @param {ReadonlySet<string>} seen
 * @returns {Line[]}
 */
export function linesOf(notices, seen) {
  return notices.map((notice) => ({ text: noticeWords(notice), seen: seen.has(keyOf(notice)) }));
}

/** @param {Notice} notice */
const noticeWords = ({ text, remedy }) => [text, remedy ?? ""].filter(Boolean).map(told).join(words.numbers.between);

/** What a notice is known by: a disk that fills is not new with every megabyte. @param {Known} notice */
const keyOf = ({ key, text }) => key ?? text;

/**
 * Bytes for people.
 *
 * @param {number} bytes
 */
export function bytesWords(bytes) {
  if (bytes >= 1e10) return `${Math.floor(bytes / 1e9)} GB`;
  return bytes >= 1e9 ? `${(Math.floor(bytes / 1e8) / 10).toFixed(1)} GB` : `${Math.floor(bytes / 1e6)} MB`;
}

/** What was seen in each session, kept over reloads; where a browser keeps nothing, for as long as the page is open. */
export class Seen {
  /** @param {() => Pick<Storage, "getItem" | "setItem">} storage which may refuse itself */
  constructor(storage) {
    this.storage = storage;
    /** @type {Record<string, string[]>} */
    this.kept = this.read();
  }

  /** @param {string} session */
  of(session) {
    return new Set(this.kept[session] ?? []);
  }

  /** @param {string} session @param {Known} notice */
  add(session, notice) {
    const { [session]: before = [], ...others } = this.kept;
    const entries = [...Object.entries(others), [session, [...new Set([...before, keyOf(notice)])]]];
    this.kept = Object.fromEntries(entries.slice(-SESSIONS));
    try {
      this.storage().setItem(KEPT_AS, JSON.stringify(this.kept));
    } catch {
      // a browser that keeps nothing: it is seen until the page is left
    }
  }

  /** @returns {Record<string, string[]>} */
  read() {
    try {
      const kept = JSON.parse(this.storage().getItem(KEPT_AS) ?? "{}");
      const lists = Object.entries(kept ?? {}).filter(([, texts]) => Array.isArray(texts));
      return Object.fromEntries(lists.map(([session, texts]) => [session, texts.map(String)]));
    } catch {
      return {};
    }
  }
}

/**
 * The line and the list on the page.
 *
 * @returns {(state: BedState) => void}
 */
export function mountNotices() {
  const seen = new Seen(() => localStorage);
  const openers = ["notices-open", "notices-all"].map(byId);
  let session = "";
  /** @type {Known | undefined} */
  let first;
  const changed = changes();
  byId("notice-ok").addEventListener("click", () => {
    if (first !== undefined) seen.add(session, first);
  });
  for (const opener of openers) {
    opener.addEventListener("click", () => showList(opener.getAttribute("aria-expanded") !== "true"));
    opener.addEventListener("keydown", ({ key }) => key === "Escape" && showList(false));
  }
  return (state) => {
    session = state.sessionId ?? "";
    if (!changed(session, seen.kept, state.notices, state.contact?.bridge?.disk_free_bytes, closedUtc(state))) return;
    const notices = noticesOf(state);
    const lines = linesOf(notices, seen.of(session));
    first = notices[lines.findIndex((line) => !line.seen)];
    renderLines(lines);
  };
}

/** @param {boolean} shown */
function showList(shown) {
  for (const id of ["notices-open", "notices-all"]) setAttribute(byId(id), "aria-expanded", String(shown));
  setShown(byId("notices"), shown);
}

/** @param {Line[]} lines */
function renderLines(lines) {
  const fresh = lines.filter(({ seen }) => !seen);
  setShown(byId("notice"), fresh.length > 0);
  setText(byId("notice-words"), fresh[0]?.text ?? "");
  setShown(byId("notice-count"), lines.length > 1);
  setText(byId("notice-count"), say(words.notices.all, { n: lines.length }));
  setShown(byId("notices-open"), lines.length > 0 && fresh.length === 0);
  setText(byId("notices-open"), say(words.notices.count, { n: lines.length }));
  setText(byId("notices-none"), lines.length === 0 ? words.notices.none : "");
  if (lines.length === 0) showList(false);
  const items = fit(byId("notices-list"), lines.length, makeLine);
  lines.forEach((line, i) => renderLine(/** @type {HTMLElement} */ (items[i]), line));
}

function makeLine() {
  const item = make("li", "notice-line");
  item.append(make("span", "notice-text"), make("span", "notice-seen"));
  return item;
}

/** @param {HTMLElement} item @param {Line} line */
function renderLine(item, { text, seen }) {
  setAttribute(item, "data-seen", String(seen));
  setText(/** @type {Element} */ (item.children[0]), text);
  setText(/** @type {Element} */ (item.children[1]), seen ? words.notices.seenWord : "");
}
