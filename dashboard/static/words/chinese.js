// @ts-check
/** Every sentence of the pages, in simplified Chinese: what is missing beside the English is an error of types. */

/** @type {import("./english.js").Words} */
export const CHINESE = {};
