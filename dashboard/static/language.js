// @ts-check
/**
 * The other language: a link that the server answers with the whole page in it, so that no word of the first is left.
 * The choice is in a cookie then, and the address need not say it any longer.
 */

import { keys } from "./keys.js";
import { words } from "./words/catalogue.js";

/**
 * An address without the language.
 *
 * @param {string} address
 */
export function withoutLanguage(address) {
  const url = new URL(address);
  url.searchParams.delete("lang");
  return url.href;
}

function mount() {
  if (new URL(location.href).searchParams.has("lang")) history.replaceState(null, "", withoutLanguage(location.href));
  const link = document.getElementById("language");
  if (link !== null) keys.on("L", words.page.otherKey, () => link.click());
}

if (typeof document !== "undefined") mount();
