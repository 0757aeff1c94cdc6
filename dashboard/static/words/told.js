// @ts-check
/**
 * Sentences that the server makes, in the page's language.
 *
 * They come in English, with their values in them, because other programs and the record have them so too. The catalogue
 * holds each with places for its values: one that fits is said again in the page's language, with the same values; one
 * that is not known is shown as it came.
 */

import { CATALOGUE, words } from "./catalogue.js";
import { say } from "./say.js";

/** @typedef {{pattern: RegExp, sentence: string}} Known */

/**
 * What the sentences look like, those with the most words of their own first: none is taken for another that begins like it.
 *
 * @param {Record<string, string>} english
 * @param {Record<string, string>} others
 * @returns {Known[]}
 */
export function sentencesOf(english, others) {
  const bare = (/** @type {string} */ sentence) => sentence.replaceAll(/\{\w+\}/g, "").length;
  const names = Object.keys(english).sort((a, b) => bare(english[b] ?? "") - bare(english[a] ?? ""));
  return names.map((name) => ({ pattern: patternOf(english[name] ?? ""), sentence: others[name] ?? "" }));
}

/** @param {string} sentence */
function patternOf(sentence) {
  const escaped = sentence.replaceAll(/[.*+?^$()|[\]\\]/g, "\\$&").replaceAll(/\{(\w+)\}/g, "(?<$1>(?:(?!\\. ).)+?)");
  return new RegExp(`^${escaped}$`, "s");
}

/**
 * The same in the other language: the whole, or else sentence by sentence; a value may be a sentence itself.
 *
 * @param {string} text
 * @param {Known[]} known
 * @returns {string}
 */
export function inOther(text, known) {
  for (const { pattern, sentence } of known) {
    const found = pattern.exec(text);
    if (found !== null) return say(sentence, valuesOf(found.groups ?? {}, known));
  }
  const sentences = text.split(/(?<=\.) /);
  return sentences.length > 1 ? sentences.map((one) => inOther(one, known)).join(words.numbers.between) : text;
}

/**
 * The values of a sentence; that of `list` is many, each with a sentence of its own.
 *
 * @param {Record<string, string>} found
 * @param {Known[]} known
 */
function valuesOf(found, known) {
  const each = Object.entries(found).map(([name, value]) => {
    const parts = name === "list" ? value.split(", ") : [value];
    return [name, parts.map((part) => inOther(part, known)).join(words.numbers.list)];
  });
  return Object.fromEntries(each);
}

const KNOWN = sentencesOf(CATALOGUE.en.told, words.told);
/** Sentences that were looked up, as pages ask for the same ones several times a second; ages make ever new ones. */
const FOUND = /** @type {Map<string, string>} */ (new Map());
const MOST_FOUND = 500;

/**
 * @param {string} text as the server said it
 * @returns {string}
 */
export function told(text) {
  if (words === CATALOGUE.en) return text;
  const found = FOUND.get(text) ?? inOther(text, KNOWN);
  if (FOUND.size >= MOST_FOUND) FOUND.clear();
  FOUND.set(text, found);
  return found;
}
