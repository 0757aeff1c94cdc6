// @ts-check
/** What the keys of a page do, and whether it listens to them: a dialog that any page can mount. */

import { byId, make } from "./dom.js";
import { enableKeys, keys } from "./keys.js";
import { words } from "./words/catalogue.js";

/**
 * The rows of the help: a key as it is printed, and what it does.
 *
 * @param {import("./keys.js").Key[]} known
 */
export function helpRows(known) {
  const names = /** @type {Record<string, string>} */ (words.work.helping.names);
  return known.map(({ name, label }) => [names[name] ?? name, label]);
}

/** The dialog of `parts/help.html`, on the button `#help` and on its key. */
export function mountHelp() {
  const dialog = /** @type {HTMLDialogElement} */ (byId("help-dialog"));
  const enabled = /** @type {HTMLInputElement} */ (byId("help-enabled"));
  const open = () => {
    enabled.checked = keys.enabled;
    const rows = helpRows(keys.list()).flatMap(([name, label]) => [make("dt", "", name), make("dd", "", label)]);
    byId("help-keys").replaceChildren(...rows);
    dialog.showModal();
  };
  enabled.addEventListener("change", () => enableKeys(enabled.checked));
  byId("help").addEventListener("click", open);
  keys.on("?", words.work.keys.help, open);
}
