// @ts-check
/**
 * How well the drawing keeps up: frames a second, script per frame, samples that were dropped on the way, and how old a
 * sample is when it is drawn.
 *
 * Age at drawing = age when its frame was sent (one clock, the bridge's) + how much later than the fastest frame it came
 * + the time from there to the drawing (one clock, the page's). The time that even the fastest frame takes between two
 * clocks cannot be seen from here; who knows both clocks adds `fastest_ms`'s part of it.
 */

/** Frames over which things are told: 5 s at 60 a second. */
const KEPT = 300;
/** Milliseconds over which frames are counted. */
const COUNTED_MS = 2000;
/** Milliseconds over which the fastest frame is looked for: clocks drift apart by 1 ms in a quarter of an hour. */
const FASTEST_MS = 60_000;

/** The last so many numbers; it never grows. */
export class Recent {
  /** @param {number} capacity */
  constructor(capacity) {
    this.values = new Float64Array(capacity);
    this.n = 0;
  }

  /** @param {number} value */
  push(value) {
    this.values[this.n % this.values.length] = value;
    this.n += 1;
  }

  /** Those that are kept, in no order. */
  kept() {
    return this.values.subarray(0, Math.min(this.n, this.values.length));
  }

  /**
   * The values below which some shares of them lie.
   *
   * @param {...number} shares
   * @returns {(number | null)[]} nulls while there is none
   */
  quantiles(...shares) {
    const sorted = this.kept().slice().sort();
    return shares.map((share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? null);
  }
}

/**
 * @typedef {object} Stats
 * @property {number} fps frames a second in which the traces were brought up to date
 * @property {number | null} script_p50_ms script of a whole frame, panels too
 * @property {number | null} script_p95_ms
 * @property {number | null} sample_to_pixel_p50_ms from a sample's stamp to the frame callback that drew it
 * @property {number | null} sample_to_pixel_p95_ms
 * @property {number | null} fastest_ms least of (frame received, on the page's clock) - (frame sent, on the bridge's)
 * @property {number} dropped frames of 20 ms that were sent and did not come
 * @property {Record<string, number>} refused messages, by why
 */

export class Meter {
  constructor() {
    this.drawnAtMs = new Recent(KEPT);
    this.scriptMs = new Recent(KEPT);
    this.ageMs = new Recent(KEPT);
    /** @type {number | null} */
    this.fastestMs = null;
    this.beforeMs = /** @type {number | null} */ (null);
    this.turnedMs = 0;
    this.droppedSamples = 0;
    /** @type {{end: number, ageMs: number, heardMs: number, segment: number} | null} the newest frame */
    this.newest = null;
  }

  /** Another session begins: what was told of the wave before it is over. */
  begin() {
    this.newest = null;
    this.ageMs = new Recent(KEPT);
  }

  /**
   * A frame came.
   *
   * @param {import("./decoder.js").Frame} frame
   * @param {number} heardMs
   */
  arrived(frame, heardMs) {
    const { newest } = this;
    const goesOn = newest !== null && newest.segment === frame.segment && frame.firstSample > newest.end;
    if (goesOn) this.droppedSamples += frame.firstSample - newest.end;
    const late = this.late(1000 * frame.sentS, heardMs);
    const ageMs = 1000 * frame.ageS + late;
    this.newest = { end: frame.firstSample + frame.nSamples, ageMs, heardMs, segment: frame.segment };
  }

  /**
   * By how much a frame took longer than the fastest of the last minute or two.
   *
   * @param {number} sentMs
   * @param {number} heardMs
   */
  late(sentMs, heardMs) {
    if (!Number.isFinite(sentMs)) return 0;
    if (heardMs - this.turnedMs > FASTEST_MS) [this.beforeMs, this.fastestMs, this.turnedMs] = [this.fastestMs, null, heardMs];
    const took = heardMs - sentMs;
    this.fastestMs = Math.min(this.fastestMs ?? took, took);
    return took - Math.min(this.fastestMs, this.beforeMs ?? this.fastestMs);
  }

  /**
   * The whole script of a frame of the screen took so long.
   *
   * @param {number} ms
   */
  took(ms) {
    this.scriptMs.push(ms);
  }

  /**
   * A frame of the screen was drawn.
   *
   * @param {number | null} due one past the newest sample on the screen
   * @param {number} nowMs when it was
   * @param {number} perMs samples in a millisecond
   */
  drawn(due, nowMs, perMs) {
    this.drawnAtMs.push(nowMs);
    if (due === null || this.newest === null) return;
    const { end, ageMs, heardMs } = this.newest;
    this.ageMs.push(ageMs + Math.max(0, nowMs - heardMs) + (end - due) / perMs);
  }

  /**
   * @param {number} nowMs
   * @param {Record<string, number>} refused
   * @param {number} frameSamples samples of a frame
   * @returns {Stats}
   */
  stats(nowMs, refused, frameSamples = 20) {
    const [scriptP50 = null, scriptP95 = null] = this.scriptMs.quantiles(0.5, 0.95);
    const [ageP50 = null, ageP95 = null] = this.ageMs.quantiles(0.5, 0.95);
    const lately = this.drawnAtMs.kept().filter((atMs) => atMs > nowMs - COUNTED_MS).length;
    return {
      fps: (1000 * lately) / COUNTED_MS,
      script_p50_ms: scriptP50,
      script_p95_ms: scriptP95,
      sample_to_pixel_p50_ms: ageP50,
      sample_to_pixel_p95_ms: ageP95,
      fastest_ms: this.fastestMs,
      dropped: Math.ceil(this.droppedSamples / frameSamples),
      refused: { ...refused },
    };
  }
}
