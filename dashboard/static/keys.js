// @ts-check
/**
 * The keys of a page: one table of what each does, which the help shows as it is.
 *
 * A key is for the page only while nothing else wants it: text that is typed, a list that is open, a button that has
 * the focus, a dialog. Keys with Ctrl, Alt or the system's key belong to the browser.
 */

/** Where the choice of a page without keys is kept: some people speak to their machine, which types letters. */
const KEPT_AS = "flexion-keys";
/** Keys that go on while they are held down. */
const REPEATED = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "PageUp", "PageDown", "+", "-", "[", "]"]);
/** Where letters are text, or choose from a list. */
const TYPED_INTO = "input, textarea, select, [contenteditable]";
/** What a blank presses, or what arrows move. */
const PRESSED = "button, a[href], summary, [role=button], [role=tab], [role=slider], input, select, textarea";

/**
 * @typedef {object} Press
 * @property {string} key as `KeyboardEvent.key`
 * @property {boolean} [ctrlKey]
 * @property {boolean} [altKey]
 * @property {boolean} [metaKey]
 * @property {boolean} [repeat]
 */

/**
 * Where a key was pressed.
 *
 * @typedef {object} Place
 * @property {boolean} typing
 * @property {boolean} pressable
 * @property {boolean} dialog
 */

/** @typedef {{name: string, label: string, action: () => unknown}} Key */

/**
 * The name under which a press is looked for: letters do not regard case, and a blank has a name.
 *
 * @param {string} key
 */
export function nameOf(key) {
  if (key === " ") return "Space";
  if (key === "=") return "+"; // the same key of many keyboards, without shift
  return key.length === 1 ? key.toUpperCase() : key;
}

/**
 * Whether a press is for the page.
 *
 * @param {Press} press
 * @param {Place} place
 */
export function isForPage(press, place) {
  if (press.ctrlKey || press.altKey || press.metaKey || place.dialog || place.typing) return false;
  const name = nameOf(press.key);
  if (press.repeat && !REPEATED.has(name)) return false;
  return !(place.pressable && (name === "Space" || name === "Enter" || name.startsWith("Arrow")));
}

/** The keys that have something to do. */
export class Keys {
  constructor() {
    /** @type {Map<string, Key>} */
    this.known = new Map();
    this.enabled = true;
  }

  /**
   * Give a key something to do. An action that returns false had nothing to do: the key is the browser's then.
   *
   * @param {string} name "Space", "Escape", "ArrowLeft", a letter or a sign
   * @param {string} label what it does, for the help; empty where the help shall not show it
   * @param {() => unknown} action
   * @returns {() => void} takes it away again
   */
  on(name, label, action) {
    if (this.known.has(name)) throw new Error(`key ${name} does something already: ${this.known.get(name)?.label}`);
    this.known.set(name, { name, label, action });
    return () => void this.known.delete(name);
  }

  /** What the help shows. @returns {Key[]} */
  list() {
    return [...this.known.values()].filter(({ label }) => label !== "");
  }

  /**
   * Do what a key does.
   *
   * @param {Press} press
   * @param {Place} place
   * @returns {boolean} whether it did something
   */
  press(press, place) {
    if (!this.enabled || !isForPage(press, place)) return false;
    const known = this.known.get(nameOf(press.key));
    return known !== undefined && known.action() !== false;
  }
}

/** The keys of this page. */
export const keys = new Keys();

/** Listen to the keys of this page. */
function listen() {
  keys.enabled = localStorage.getItem(KEPT_AS) !== "off";
  document.addEventListener("keydown", (event) => {
    if (!event.defaultPrevented && keys.press(event, placeOf(event.target))) event.preventDefault();
  });
}

/**
 * Listen to keys, or no longer; kept over a reload.
 *
 * @param {boolean} enabled
 */
export function enableKeys(enabled) {
  keys.enabled = enabled;
  localStorage.setItem(KEPT_AS, enabled ? "on" : "off");
}

/**
 * @param {EventTarget | null} target
 * @returns {Place}
 */
function placeOf(target) {
  const element = target instanceof Element ? target : null;
  return {
    typing: Boolean(element?.closest(TYPED_INTO)),
    pressable: Boolean(element?.closest(PRESSED)),
    dialog: document.querySelector("dialog[open]") !== null,
  };
}

if (typeof document !== "undefined") listen();
