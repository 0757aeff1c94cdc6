// @ts-check
/**
 * Which sample is due on the screen now: a clock made from sample indices, not from the arrival of frames.
 *
 * Frames arrive in bursts; the earliest of the last two seconds tells how far the source really is. The due sample runs
 * evenly, a fixed delay behind that, and bends slowly where source and screen disagree.
 */

/** Milliseconds behind the newest sample: it hides bursts of up to this length. */
export const DELAY_MS = 150;
/** Milliseconds over which the earliest arrival is taken. */
const HORIZON_MS = 2000;
/** The due sample runs at most this much faster or slower than the source while it catches up. */
const BEND = 0.1;
/** Further off than this it jumps: the page was hidden, or samples were lost. */
const JUMP_MS = 500;

export class Playout {
  /** @param {number} rateHz */
  constructor(rateHz) {
    this.perMs = rateHz / 1000;
    /** @type {{atMs: number, lead: number}[]} arrivals, best (greatest lead) first */
    this.arrivals = [];
    /** @type {number | null} samples that the due sample is ahead of `now * perMs` */
    this.lead = null;
    this.steppedMs = 0;
    this.newest = 0;
  }

  /**
   * A frame came whose last sample is `end - 1`.
   *
   * @param {number} end
   * @param {number} nowMs
   */
  arrived(end, nowMs) {
    if (end < this.newest) this.arrivals = [];
    this.newest = end;
    const lead = end - nowMs * this.perMs;
    while (this.arrivals.length > 0 && /** @type {any} */ (this.arrivals.at(-1)).lead <= lead) this.arrivals.pop();
    this.arrivals.push({ atMs: nowMs, lead });
    this.drop(nowMs);
  }

  /** @param {number} nowMs */
  drop(nowMs) {
    while (this.arrivals.length > 1 && /** @type {any} */ (this.arrivals[0]).atMs < nowMs - HORIZON_MS) {
      this.arrivals.shift();
    }
  }

  /** Go to now at the next call of `due`: what was missed while hidden is not played. */
  jump() {
    this.lead = null;
  }

  /**
   * One past the last sample to be on the screen now.
   *
   * @param {number} nowMs
   * @returns {number | null} null before the first frame
   */
  due(nowMs) {
    const best = this.arrivals[0];
    if (best === undefined) return null;
    const target = best.lead - DELAY_MS * this.perMs;
    this.lead = this.bent(target, nowMs);
    this.steppedMs = nowMs;
    return Math.min(this.newest, Math.floor(nowMs * this.perMs + this.lead));
  }

  /**
   * @param {number} target
   * @param {number} nowMs
   */
  bent(target, nowMs) {
    if (this.lead === null || Math.abs(target - this.lead) > JUMP_MS * this.perMs) return target;
    const most = BEND * this.perMs * Math.max(0, nowMs - this.steppedMs);
    return this.lead + Math.max(-most, Math.min(most, target - this.lead));
  }
}
