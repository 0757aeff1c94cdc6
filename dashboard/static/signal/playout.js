// @ts-check
/**
 * Which sample is due on the screen now: a clock made from sample indices, not from the arrival of frames.
 *
 * Frames arrive in bursts; the earliest of the last seconds tells how far the source really is. The due sample runs
 * evenly behind that, by as much as the frames' own lateness asks for, and bends slowly where source and screen disagree.
 */

/** Milliseconds behind the earliest frame while nothing is known of the others. */
export const DELAY_MS = 80;
/** The delay is never less, so that a busy moment does not hold up the screen, and never more. */
export const LEAST_MS = 30;
export const MOST_MS = 300;
/** Share of the time in which what is due has come; for the rest the screen waits, and nothing is lost. */
const IN_TIME = 0.95;
/** Milliseconds over which arrivals are judged, and between two judgements. */
const HORIZON_MS = 10_000;
const JUDGE_MS = 250;
/** The due sample runs at most this much faster or slower than the source while it catches up. */
const BEND = 0.1;
/** Further off than this it jumps: the page was hidden, or samples were lost. A longer silence is none of the jitter. */
const JUMP_MS = 500;

/**
 * @typedef {object} Arrival
 * @property {number} atMs
 * @property {number} lead samples that its last is ahead of `atMs * perMs`
 * @property {number} bare the same of the newest sample that was there before it: the due sample may not be further
 * @property {number} silentMs since the frame before it; 0 where that was no jitter
 */

export class Playout {
  /** @param {number} rateHz */
  constructor(rateHz) {
    this.perMs = rateHz / 1000;
    /** @type {Arrival[]} oldest first */
    this.arrivals = [];
    /** @type {number | null} greatest lead of them */
    this.best = null;
    /** Milliseconds behind the earliest frame. */
    this.delayMs = DELAY_MS;
    this.judgedMs = 0;
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
    const lead = end - nowMs * this.perMs;
    if (end < this.newest || lead - (this.best ?? lead) > JUMP_MS * this.perMs) this.forget();
    const before = this.arrivals.at(-1);
    const silentMs = before === undefined ? 0 : nowMs - before.atMs;
    const bare = this.newest - nowMs * this.perMs;
    this.arrivals.push({ atMs: nowMs, lead, bare, silentMs: silentMs > JUMP_MS ? 0 : silentMs });
    this.newest = end;
    this.best = Math.max(this.best ?? lead, lead);
    if (nowMs - this.judgedMs >= JUDGE_MS) this.judge(nowMs);
  }

  /** Counting began anew. */
  forget() {
    this.arrivals = [];
    this.best = null;
    this.newest = 0;
  }

  /** Go to now at the next call of `due`: what was missed while hidden is not played. */
  jump() {
    this.lead = null;
  }

  /** @param {number} nowMs */
  judge(nowMs) {
    this.judgedMs = nowMs;
    this.arrivals = this.arrivals.filter(({ atMs }) => atMs > nowMs - HORIZON_MS);
    this.best = this.arrivals.reduce((best, { lead }) => Math.max(best, lead), -Infinity);
    const needed = neededLead(this.arrivals);
    if (needed === null) return;
    this.delayMs = Math.min(MOST_MS, Math.max(LEAST_MS, (this.best - needed) / this.perMs));
  }

  /**
   * One past the last sample to be on the screen now.
   *
   * @param {number} nowMs
   * @returns {number | null} null before the first frame
   */
  due(nowMs) {
    if (this.best === null) return null;
    const target = this.best - this.delayMs * this.perMs;
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

/**
 * The lead at which the due sample had come for all but a small share of the time.
 *
 * @param {Arrival[]} arrivals
 * @returns {number | null} null while no silence between two frames is known
 */
export function neededLead(arrivals) {
  const total = arrivals.reduce((sum, { silentMs }) => sum + silentMs, 0);
  if (total === 0) return null;
  let left = (1 - IN_TIME) * total;
  const barest = arrivals.filter(({ silentMs }) => silentMs > 0).sort((a, b) => a.bare - b.bare);
  const found = barest.find(({ silentMs }) => (left -= silentMs) < 0);
  return /** @type {Arrival} */ (found ?? barest.at(-1)).bare;
}
