// @ts-check
/** What the keys of this page do, and whether it listens to them. */

import { byId, make } from "../dom.js";
import { words } from "../words/catalogue.js";
import { dialogOf } from "./ask.js";
import { enableKeys, keys } from "../keys.js";

/**
 * The rows of the help: a key as it is printed, and what it does.
 *
 * @param {import("../keys.js").Key[]} known
 */
export function helpRows(known) {
  const names = /** @type {Record<string, string>} */ (words.work.helping.names);
  return known.map(({ name, label }) => [names[name] ?? name, label]);
}

/** @returns {() => void} opens the dialog */
export function mountHelp() {
  const dialog = dialogOf("help-dialog");
  const enabled = /** @type {HTMLInputElement} */ (byId("help-enabled"));
  enabled.addEventListener("change", () => enableKeys(enabled.checked));
  return () => {
    enabled.checked = keys.enabled;
    const rows = helpRows(keys.list()).flatMap(([name, label]) => [make("dt", "", name), make("dd", "", label)]);
    byId("help-keys").replaceChildren(...rows);
    dialog.showModal();
  };
}
