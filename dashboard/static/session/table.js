// @ts-check
/** Tables of plain text: what people wrote is text here too, and reads in its own direction. */

import { make } from "../dom.js";

/**
 * A table; its first column heads the rows.
 *
 * @param {string[]} head
 * @param {string[][]} rows
 * @param {string} caption for who cannot see what stands above it
 */
export function table(head, rows, caption) {
  const made = make("table", "");
  made.append(make("caption", "unseen", caption), headOf(head));
  const body = make("tbody", "");
  body.append(...rows.map(rowOf));
  made.append(body);
  const frame = make("div", "frame");
  frame.append(made);
  return frame;
}

/** @param {string[]} names */
function headOf(names) {
  const [head, row] = [make("thead", ""), make("tr", "")];
  row.append(...names.map((name) => {
    const cell = make("th", "", name);
    cell.setAttribute("scope", "col");
    return cell;
  }));
  head.append(row);
  return head;
}

/** @param {string[]} cells */
function rowOf(cells) {
  const row = make("tr", "");
  row.append(...cells.map((cell, i) => {
    const made = make(i === 0 ? "th" : "td", "", cell);
    if (i === 0) made.setAttribute("scope", "row");
    return made;
  }));
  return row;
}
