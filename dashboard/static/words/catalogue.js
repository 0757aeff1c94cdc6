// @ts-check
/** The catalogue of the page's language, which its root element names. */

import { ENGLISH } from "./english.js";

/** @typedef {import("./english.js").Words} Words */

const page = typeof document === "undefined" ? null : document.documentElement;
const isChinese = page !== null && page.lang.startsWith("zh");

/** A page that speaks English never asks for the others. @type {Words} */
const CHINESE = page === null || isChinese ? (await import("./chinese.js")).CHINESE : ENGLISH;

export const CATALOGUE = Object.freeze({ en: ENGLISH, zh: CHINESE });

/** The words of this page; English where no page is. @type {Words} */
export const words = isChinese ? CATALOGUE.zh : CATALOGUE.en;
