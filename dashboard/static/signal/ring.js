// @ts-check
/**
 * The last two minutes of a wave, by sample index of the session's grid; it never grows.
 *
 * A sample that did not come (lost, or dropped on the way) is absent: it is never joined over.
 */

/** Seconds that the ring holds: two minutes, twelve pages. */
export const RING_S = 120;

export class Ring {
  /**
   * @param {number} nChannels
   * @param {number} capacity in samples
   */
  constructor(nChannels, capacity) {
    this.nChannels = nChannels;
    this.capacity = capacity;
    this.values = new Int16Array(nChannels * capacity);
    this.present = new Uint8Array(capacity);
    /** One past the newest sample; 0 before the first frame. */
    this.end = 0;
    /** The sample that it began with; nothing before it is missing. */
    this.first = 0;
    this.empty = true;
  }

  /** What it holds now, for good: what comes later does not reach it. */
  copy() {
    const copied = new Ring(this.nChannels, this.capacity);
    copied.values.set(this.values);
    copied.present.set(this.present);
    [copied.end, copied.first, copied.empty] = [this.end, this.first, this.empty];
    return copied;
  }

  /** The oldest sample that can still be held. */
  get start() {
    return Math.max(0, this.end - this.capacity);
  }

  /**
   * Put one frame in; what lies between the newest sample and its first is absent from now on.
   *
   * A frame from before the ring's start means that the counting began anew: the ring begins anew with it.
   *
   * @param {import("./decoder.js").Frame} frame
   */
  put(frame) {
    if (this.empty || frame.firstSample < this.start) this.restart(frame.firstSample);
    const last = frame.firstSample + frame.nSamples;
    this.forget(this.end, last);
    this.write(frame);
    this.end = Math.max(this.end, last);
  }

  /** @param {number} firstSample */
  restart(firstSample) {
    this.present.fill(0);
    this.end = firstSample;
    this.first = firstSample;
    this.empty = false;
  }

  /**
   * Mark [from, to) absent.
   *
   * @param {number} from
   * @param {number} to
   */
  forget(from, to) {
    if (to - from >= this.capacity) {
      this.present.fill(0);
      return;
    }
    for (let sample = from; sample < to; sample += 1) this.present[sample % this.capacity] = 0;
  }

  /**
   * Copy the samples, in two pieces where the ring turns over.
   *
   * @param {import("./decoder.js").Frame} frame
   */
  write(frame) {
    const n = this.nChannels;
    const slot = frame.firstSample % this.capacity;
    const before = Math.min(frame.nSamples, this.capacity - slot);
    this.values.set(frame.steps.subarray(0, before * n), slot * n);
    this.values.set(frame.steps.subarray(before * n), 0);
    this.present.fill(1, slot, slot + before);
    this.present.fill(1, 0, frame.nSamples - before);
  }

  /**
   * The value of one sample, in steps of the int16.
   *
   * @param {number} sample
   * @param {number} channel
   * @returns {number | null} null where it is absent
   */
  value(sample, channel) {
    if (!this.has(sample)) return null;
    return this.values[(sample % this.capacity) * this.nChannels + channel] ?? null;
  }

  /**
   * Whether one sample is there.
   *
   * @param {number} sample
   */
  has(sample) {
    return sample >= this.start && sample < this.end && this.present[sample % this.capacity] === 1;
  }

  /**
   * Least and greatest value of every channel over [from, to), written to `least` and `greatest`.
   *
   * @param {number} from
   * @param {number} to
   * @param {Int16Array} least
   * @param {Int16Array} greatest
   * @returns {number} how many samples were there; with 0 the outputs mean nothing
   */
  extremes(from, to, least, greatest) {
    least.fill(32767);
    greatest.fill(-32768);
    let found = 0;
    for (let sample = Math.max(from, this.start); sample < Math.min(to, this.end); sample += 1) {
      const slot = sample % this.capacity;
      if (this.present[slot] === 0) continue;
      found += 1;
      this.widen(slot * this.nChannels, least, greatest);
    }
    return found;
  }

  /**
   * @param {number} offset
   * @param {Int16Array} least
   * @param {Int16Array} greatest
   */
  widen(offset, least, greatest) {
    for (let c = 0; c < this.nChannels; c += 1) {
      const value = /** @type {number} */ (this.values[offset + c]);
      if (value < /** @type {number} */ (least[c])) least[c] = value;
      if (value > /** @type {number} */ (greatest[c])) greatest[c] = value;
    }
  }
}
