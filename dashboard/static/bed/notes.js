// @ts-check
/** Notes and marks: what people wrote down at the bed. It is text, whatever it looks like and however it runs. */

import { byId, make, setShown, setText } from "../dom.js";
import { words } from "../words/catalogue.js";
import { say } from "../words/say.js";
import { clockWords } from "../words/words.js";
import { ask, busy, dialogOf, showRefusal } from "./ask.js";
import { closedUtc } from "./store.js";

/** @typedef {import("./store.js").BedState} BedState */
/** @typedef {{time: string, kind: string, author: string, text: string, sample: number}} Row */

/** Most characters of a note; the server keeps no longer one. */
export const LONGEST = 2000;
/** Rows shown: the session page has all of them. */
const SHOWN = 50;

/**
 * What was written down, newest first, each at its time in the session.
 *
 * @param {BedState} state
 * @returns {Row[]}
 */
export function rowsOf({ notes, marks, session }) {
  const rate = session?.rate_hz ?? 1000;
  /** @param {{sample: number, text: string, author?: string}} one @param {string} kind */
  const row = ({ sample, text, author = "" }, kind) => ({ time: clockWords(sample / rate), kind, author, text, sample });
  const rows = [
    ...notes.map((note) => row(note, words.work.write.kindNote)),
    ...marks.map((mark) => row(mark, words.work.write.mark)),
  ];
  return rows.sort((a, b) => b.sample - a.sample);
}

/**
 * How long a note is, as the server counts it, and whether that is too long.
 *
 * @param {string} text
 */
export function lengthView(text) {
  const n = [...text].length;
  const sentence = n > LONGEST ? words.work.write.tooLong : words.work.write.left;
  return { words: say(sentence, { n, most: LONGEST }), tooLong: n > LONGEST };
}

/**
 * @param {() => BedState} state
 * @param {(text: string) => void} tell says what became of it
 * @returns {{open: () => void, render: (state: BedState) => void}}
 */
export function mountNotes(state, tell) {
  const dialog = dialogOf("notes-dialog");
  const text = /** @type {HTMLTextAreaElement} */ (byId("notes-text"));
  const trouble = byId("notes-trouble");
  /** What the list shows: while nothing came it stays as it is. @type {Partial<BedState>} */
  let shown = {};

  function measure() {
    const view = lengthView(text.value);
    setText(byId("notes-left"), view.words);
    text.setAttribute("aria-invalid", String(view.tooLong));
  }

  byId("notes-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const view = lengthView(text.value);
    if (view.tooLong) return showRefusal(trouble, { kind: "text", detail: view.words });
    const path = `/api/v1/sessions/${state().sessionId}/note`;
    const answer = await busy(byId("notes-form"), () => ask(path, { text: text.value }));
    showRefusal(trouble, answer.ok ? null : answer.problem);
    if (!answer.ok) return;
    tell(say(words.work.noted, { time: clockWords(answer.data.sample / (state().session?.rate_hz ?? 1000)) }));
    text.value = "";
    measure();
  });
  text.addEventListener("input", measure);
  measure();

  return {
    open() {
      showRefusal(trouble, null);
      dialog.showModal();
    },
    render(now) {
      setShown(byId("notes-form"), closedUtc(now) === null);
      setShown(byId("notes-over"), closedUtc(now) !== null);
      const { notes, marks, session } = now;
      if (notes === shown.notes && marks === shown.marks && session === shown.session) return;
      shown = { notes, marks, session };
      const rows = rowsOf(now);
      setText(byId("notes-count"), rows.length ? String(rows.length) : "");
      byId("notes-list").replaceChildren(...rows.slice(0, SHOWN).map(rowItem));
      setText(byId("notes-more"), moreWords(rows.length));
    },
  };
}

/** @param {number} n */
function moreWords(n) {
  if (n === 0) return words.work.write.none;
  return n > SHOWN ? say(words.work.write.more, { n: n - SHOWN }) : "";
}

/** @param {Row} row */
function rowItem({ time, kind, author, text }) {
  const item = make("li", "");
  const said = make("p", "said", text);
  said.dir = "auto";
  const head = make("span", "hint digits", `${time} · ${kind} · `);
  head.append(make("bdi", "", author));
  item.append(head, said);
  return item;
}
