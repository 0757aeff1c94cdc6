// @ts-check
/**
 * The binary wave frame: 20 ms of filtered signal as int16 at 0.1 µV, channels of one sample side by side.
 *
 * Little-endian: "FXW2", u16 samples, u16 channels, u32 segment, i64 first sample (session grid), f64 stamp of the last
 * sample, f64 when the frame was sent (both on the bridge's clock), u32 saturated values; then the int16.
 */

/** Microvolts of one step of the int16. */
export const UV_PER_STEP = 0.1;
/** Bytes before the samples. */
export const HEADER_BYTES = 40;
const MAGIC = 0x32575846; // "FXW2" read as a little-endian u32

/**
 * @typedef {object} Frame
 * @property {number} nSamples
 * @property {number} nChannels
 * @property {number} segment
 * @property {number} firstSample session grid, lost samples included
 * @property {number} ageS how old the last sample was when the frame was sent; 0 where that is not known
 * @property {number} sentS when it was sent, on the bridge's clock; NaN where that is not known
 * @property {number} saturated values that the int16 could not hold
 * @property {Int16Array} steps (nSamples * nChannels), a view into the message
 */

/**
 * Read one frame.
 *
 * @param {ArrayBuffer} buffer
 * @returns {Frame}
 * @throws {RangeError} if it is not a wave frame, or shorter or longer than it says
 */
export function decodeFrame(buffer) {
  if (buffer.byteLength < HEADER_BYTES) throw new RangeError(`wave frame of ${buffer.byteLength} bytes has no header`);
  const view = new DataView(buffer);
  if (view.getUint32(0, true) !== MAGIC) throw new RangeError("wave frame does not begin with FXW2");
  const nSamples = view.getUint16(4, true);
  const nChannels = view.getUint16(6, true);
  const expected = HEADER_BYTES + 2 * nSamples * nChannels;
  if (buffer.byteLength !== expected) {
    throw new RangeError(`wave frame has ${buffer.byteLength} bytes, its header says ${expected}`);
  }
  const sentS = view.getFloat64(28, true);
  const ageS = sentS - view.getFloat64(20, true);
  return {
    nSamples,
    nChannels,
    segment: view.getUint32(8, true),
    firstSample: Number(view.getBigInt64(12, true)),
    ageS: Number.isFinite(ageS) ? Math.max(0, ageS) : 0,
    sentS,
    saturated: view.getUint32(36, true),
    steps: new Int16Array(buffer, HEADER_BYTES, nSamples * nChannels),
  };
}
