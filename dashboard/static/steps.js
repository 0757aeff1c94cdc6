// @ts-check
/** Steps through the links of a list by arrows: the tabulator goes past all of them, one by one. */

import { keys } from "./keys.js";
import { words } from "./words/catalogue.js";

/**
 * Where a key leads to in a list; at either end it stays.
 *
 * @param {string} key
 * @param {number} at
 * @param {number} n
 * @returns {number | undefined} undefined for a key that means nothing here
 */
export function stepTo(key, at, n) {
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[key];
  return step === undefined ? undefined : Math.max(0, Math.min(n - 1, at + step));
}

/**
 * Let arrows go from link to link while one of them has the focus; elsewhere they are the browser's.
 *
 * @param {HTMLElement} list
 * @param {{next: string, open: string}} labels for the help
 */
export function mountSteps(list, labels) {
  list.addEventListener("keydown", (event) => {
    const links = [...list.querySelectorAll("a")];
    const at = links.findIndex((link) => link === document.activeElement);
    const next = at < 0 ? undefined : stepTo(event.key, at, links.length);
    if (next === undefined) return;
    links[next]?.focus();
    event.preventDefault();
  });
  // The list hears them itself; the help tells of them.
  keys.on(words.work.helping.arrows, labels.next, () => false);
  keys.on("Enter", labels.open, () => false);
}
