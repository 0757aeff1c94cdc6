// @ts-check
/**
 * The binary message of the ward: for each bed the least and the greatest value of a few channels, column after column.
 *
 * Little-endian: "FXE1", u16 runs; each run is u32 wave key, u32 segment, i64 first sample, f32 age of the last sample,
 * u16 samples in a column, u16 columns, u16 lanes, then least and greatest of each lane of each column as int16 at
 * 0.1 µV. A run becomes a frame of samples that swing between the two: drawn by columns, it looks as what was sent.
 */

/** Bytes before the first run, and before the columns of a run. */
export const HEAD_BYTES = 6;
export const RUN_BYTES = 26;
const MAGIC = 0x31455846; // "FXE1" read as a little-endian u32
/** Bytes of the largest message: 64 beds after a second of silence. */
const MOST_BYTES = 1 << 18;
/** Samples of the longest run: as many as the ring of a card holds. */
export const MOST_SAMPLES = 12_000;

/**
 * @typedef {object} Run
 * @property {number} key of a bed's session, as its card says
 * @property {import("../signal/decoder.js").Frame} frame
 */

/**
 * Read one message.
 *
 * @param {ArrayBuffer} buffer
 * @returns {Run[]}
 * @throws {RangeError} if it is none, or shorter or longer than it says
 */
export function decodeEnvelope(buffer) {
  if (buffer.byteLength < HEAD_BYTES || buffer.byteLength > MOST_BYTES) throw new RangeError(`${buffer.byteLength} bytes are no envelope`);
  const view = new DataView(buffer);
  if (view.getUint32(0, true) !== MAGIC) throw new RangeError("an envelope begins with FXE1");
  /** @type {Run[]} */
  const runs = [];
  let at = HEAD_BYTES;
  for (let n = view.getUint16(4, true); n > 0; n -= 1) {
    const columns = columnsAt(view, at);
    runs.push({ key: view.getUint32(at, true), frame: frameOf(view, at, columns) });
    at += RUN_BYTES + columns.byteLength;
  }
  if (at !== buffer.byteLength) throw new RangeError(`an envelope has ${buffer.byteLength} bytes, its runs ${at}`);
  return runs;
}

/**
 * The int16 of the run that begins here, a view into the message.
 *
 * @param {DataView} view
 * @param {number} at
 */
function columnsAt(view, at) {
  if (at + RUN_BYTES > view.byteLength) throw new RangeError("an envelope ends in the head of a run");
  const n = view.getUint16(at + 22, true) * view.getUint16(at + 24, true) * 2;
  if (at + RUN_BYTES + 2 * n > view.byteLength) throw new RangeError("an envelope ends in the columns of a run");
  return new Int16Array(view.buffer, at + RUN_BYTES, n);
}

/**
 * @param {DataView} view
 * @param {number} at
 * @param {Int16Array} columns
 * @returns {import("../signal/decoder.js").Frame}
 */
function frameOf(view, at, columns) {
  const perColumn = view.getUint16(at + 20, true);
  const nSamples = perColumn * view.getUint16(at + 22, true);
  const nChannels = view.getUint16(at + 24, true);
  const firstSample = Number(view.getBigInt64(at + 8, true));
  const fits = nSamples > 0 && nSamples <= MOST_SAMPLES && nChannels > 0 && firstSample >= 0 && Number.isSafeInteger(firstSample);
  if (!fits) throw new RangeError(`a run of ${nSamples} samples of ${nChannels} lanes from ${firstSample}`);
  const ageS = view.getFloat32(at + 16, true);
  return {
    nSamples,
    nChannels,
    segment: view.getUint32(at + 4, true),
    firstSample,
    ageS: Number.isFinite(ageS) ? Math.max(0, ageS) : 0,
    sentS: NaN,
    saturated: 0,
    steps: swung(columns, perColumn, nChannels),
  };
}

/**
 * Samples of which every other one is the least, the others the greatest of their column; a column of one sample, whose
 * two are the same, is that sample.
 *
 * @param {Int16Array} columns
 * @param {number} perColumn
 * @param {number} nChannels
 */
function swung(columns, perColumn, nChannels) {
  const steps = new Int16Array((columns.length / 2) * perColumn);
  for (let i = 0; i < steps.length; i += 1) {
    const row = Math.floor(i / nChannels);
    const pair = Math.floor(row / perColumn) * nChannels + (i % nChannels);
    steps[i] = /** @type {number} */ (columns[2 * pair + (row % 2)]);
  }
  return steps;
}
