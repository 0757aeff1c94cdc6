// @ts-check
/** Every sentence of the pages, in English: a section for each panel. Places for values are in braces. */

export const ENGLISH = {};

/** @typedef {typeof ENGLISH} Words */
