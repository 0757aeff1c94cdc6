// @ts-check
/** The catalogue of the page's language, which its root element names. */

import { CHINESE } from "./chinese.js";
import { ENGLISH } from "./english.js";

/** @typedef {import("./english.js").Words} Words */

export const CATALOGUE = Object.freeze({ en: ENGLISH, zh: CHINESE });

/** The words of this page; English where no page is. @type {Words} */
export const words = typeof document !== "undefined" && document.documentElement.lang.startsWith("zh") ? CATALOGUE.zh : CATALOGUE.en;
