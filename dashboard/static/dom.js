// @ts-check
/** The few ways in which a page is written: only what changed, so that a still page costs nothing. */

/**
 * The element with this id; a page without it is a fault of the page.
 *
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`this page has no element #${id}`);
  return found;
}

/**
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * @param {Element} element
 * @param {string} name
 * @param {string | null} value null takes the attribute away
 */
export function setAttribute(element, name, value) {
  if (element.getAttribute(name) === value) return;
  if (value === null) element.removeAttribute(name);
  else element.setAttribute(name, value);
}

/**
 * @param {HTMLElement} element
 * @param {boolean} shown
 */
export function setShown(element, shown) {
  if (element.hidden === shown) element.hidden = !shown;
}

/**
 * A way to ask whether any of some values is another than when it was last asked: what was written from them stands
 * until then, and is not even compared with the page.
 *
 * @returns {(...values: unknown[]) => boolean}
 */
export function changes() {
  /** @type {unknown[] | null} */
  let before = null;
  return (...values) => {
    const known = before;
    before = values;
    return known === null || values.length !== known.length || values.some((value, i) => value !== known[i]);
  };
}

/**
 * An element with a class and text.
 *
 * @param {string} tag
 * @param {string} className
 * @param {string} [text]
 */
export function make(tag, className, text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

/**
 * Make the children of a list as many as there are items, keeping those that are there.
 *
 * @param {Element} list
 * @param {number} n
 * @param {() => Element} makeOne
 */
export function fit(list, n, makeOne) {
  while (list.children.length > n) list.lastElementChild?.remove();
  while (list.children.length < n) list.append(makeOne());
  return /** @type {HTMLElement[]} */ ([...list.children]);
}
