// @ts-check
/** Sentences of a catalogue with values in their places. */

/**
 * Put values into the places of a sentence.
 *
 * @param {string} sentence
 * @param {Record<string, number | string>} values
 */
export function say(sentence, values) {
  return sentence.replaceAll(/\{(\w+)\}/g, (place, name) => String(values[name] ?? place));
}
