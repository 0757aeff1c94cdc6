// @ts-check
/** Sentences of a catalogue with values in their places. */

/** Sentences taken apart, words and names of places in turn; there are no more than the catalogue has. */
const APART = /** @type {Map<string, string[]>} */ (new Map());

/**
 * Put values into the places of a sentence.
 *
 * @param {string} sentence
 * @param {Record<string, number | string>} values
 */
export function say(sentence, values) {
  const apart = APART.get(sentence) ?? takeApart(sentence);
  let said = /** @type {string} */ (apart[0]);
  for (let i = 1; i < apart.length; i += 2) {
    const name = /** @type {string} */ (apart[i]);
    said += String(values[name] ?? `{${name}}`) + apart[i + 1];
  }
  return said;
}

/** @param {string} sentence */
function takeApart(sentence) {
  const apart = sentence.split(/\{(\w+)\}/);
  APART.set(sentence, apart);
  return apart;
}
