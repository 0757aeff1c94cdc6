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
