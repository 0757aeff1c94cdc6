// @ts-check
/**
 * Stretches of a recorded session's traces as the server sends them: wave frames one after the other, or an envelope.
 *
 * An envelope is little-endian: "FXC1", u16 columns, u16 channels, 8 bytes of nothing, i64 first sample, i64 end; then
 * int16, the least of every column, then the greatest, channels of one column side by side.
 */

import { HEADER_BYTES, decodeFrame } from "../signal/decoder.js";

const ENVELOPE_BYTES = 32;
const ENVELOPE_MAGIC = 0x31435846; // "FXC1" read as a little-endian u32

/**
 * @typedef {object} Envelope
 * @property {number} columns
 * @property {number} channels
 * @property {number} from
 * @property {number} to
 * @property {Int16Array} least columns * channels; greater than `greatest` where a column has no sample
 * @property {Int16Array} greatest
 */

/**
 * The frames of an answer; each is as one of a live wave.
 *
 * @param {ArrayBuffer} buffer
 * @returns {import("../signal/decoder.js").Frame[]}
 * @throws {RangeError} if it is not whole frames
 */
export function framesOf(buffer) {
  const view = new DataView(buffer);
  const frames = [];
  for (let at = 0; at < buffer.byteLength; ) {
    if (at + HEADER_BYTES > buffer.byteLength) throw new RangeError(`a frame begins ${buffer.byteLength - at} bytes before the end`);
    const size = HEADER_BYTES + 2 * view.getUint16(at + 4, true) * view.getUint16(at + 6, true);
    frames.push(decodeFrame(buffer.slice(at, at + size)));
    at += size;
  }
  return frames;
}

/**
 * @param {ArrayBuffer} buffer
 * @returns {Envelope}
 * @throws {RangeError} if it is none
 */
export function envelopeOf(buffer) {
  const view = new DataView(buffer);
  if (buffer.byteLength < ENVELOPE_BYTES || view.getUint32(0, true) !== ENVELOPE_MAGIC) {
    throw new RangeError(`${buffer.byteLength} bytes are no envelope`);
  }
  const [columns, channels] = [view.getUint16(4, true), view.getUint16(6, true)];
  const n = columns * channels;
  if (buffer.byteLength !== ENVELOPE_BYTES + 4 * n) throw new RangeError(`an envelope of ${columns} columns has ${buffer.byteLength} bytes`);
  return {
    columns,
    channels,
    from: Number(view.getBigInt64(16, true)),
    to: Number(view.getBigInt64(24, true)),
    least: new Int16Array(buffer, ENVELOPE_BYTES, n),
    greatest: new Int16Array(buffer, ENVELOPE_BYTES + 2 * n, n),
  };
}

/**
 * The reach of some channels together, one pair for each column; null where there is no sample.
 *
 * @param {Envelope} envelope
 * @param {number[]} channels
 * @returns {([number, number] | null)[]} least and greatest, in steps of 0.1 µV
 */
export function reachOf(envelope, channels) {
  return Array.from({ length: envelope.columns }, (_, column) => {
    const at = column * envelope.channels;
    const least = Math.min(...channels.map((c) => /** @type {number} */ (envelope.least[at + c])));
    const greatest = Math.max(...channels.map((c) => /** @type {number} */ (envelope.greatest[at + c])));
    return least > greatest ? null : [least, greatest];
  });
}
