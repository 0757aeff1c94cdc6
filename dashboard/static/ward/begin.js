// @ts-check
/** The way from the ward to the start of a session: a bed's page, which asks for the rest. */

import { byId, setText } from "../dom.js";
import { words } from "../words/catalogue.js";

/** How a bed may be called. */
const BED = /^[A-Za-z0-9][A-Za-z0-9-]{0,31}$/;

/**
 * The page of a bed that asks at once for a session; "" for what no bed may be called.
 *
 * @param {string} bed
 */
export function startPage(bed) {
  const name = bed.trim();
  return BED.test(name) ? `/beds/${encodeURIComponent(name)}?start` : "";
}

function mount() {
  byId("begin").addEventListener("submit", (event) => {
    event.preventDefault();
    const page = startPage(/** @type {HTMLInputElement} */ (byId("begin-bed")).value);
    setText(byId("begin-trouble"), page === "" ? words.work.noBed : "");
    if (page !== "") location.href = page;
  });
}

if (typeof document !== "undefined") mount();
