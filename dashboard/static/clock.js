// @ts-check
/**
 * How long what the server says was on its way: it stamps its ages, and a question and its answer tie its clock to ours.
 *
 * A message that comes is not a message of now: a line that hung hands over all that waited in it, and a slow one is
 * always behind. Without this an old age would count as heard just now (law 7).
 */

/** Where the server's clock is told. */
export const CLOCK = "/api/v1/clock";
/** A round trip of up to this many milliseconds is believed over an older one. */
const GOOD_MS = 500;
/** Milliseconds between two questions while nothing is strange, and while something is. */
const EVERY_MS = 30_000;
const SOON_MS = 2000;
/** A message later than this, or earlier than can be, makes the tie doubtful; in milliseconds. */
const STRANGE_MS = 500;
/** Milliseconds after which a question is given up. */
const PATIENCE_MS = 20_000;

/** @typedef {{server: string, at_s: number}} Stamp */

export class ServerClock {
  constructor() {
    this.server = "";
    /** Our clock less the server's, in milliseconds: by the best round trip, before one by the fastest message. */
    this.offsetMs = Infinity;
    this.tripMs = Infinity;
    this.strange = true;
  }

  /**
   * How long a message was on its way, in milliseconds.
   *
   * @param {Stamp} stamp
   * @param {number} cameMs
   */
  lateMs(stamp, cameMs) {
    this.meet(stamp.server);
    const offset = cameMs - 1000 * stamp.at_s;
    if (this.tripMs === Infinity) this.offsetMs = Math.min(this.offsetMs, offset);
    const late = offset - this.offsetMs;
    this.strange ||= late > STRANGE_MS || late < -STRANGE_MS - this.tripMs / 2;
    return Math.max(0, late);
  }

  /**
   * An answer came to a question.
   *
   * @param {Stamp} stamp
   * @param {number} askedMs
   * @param {number} cameMs
   */
  answered(stamp, askedMs, cameMs) {
    this.meet(stamp.server);
    const tripMs = cameMs - askedMs;
    this.strange = false;
    if (tripMs > GOOD_MS && tripMs > this.tripMs) return;
    this.tripMs = tripMs;
    this.offsetMs = (askedMs + cameMs) / 2 - 1000 * stamp.at_s;
  }

  /** Another process has another clock. @param {string} server */
  meet(server) {
    if (server === this.server) return;
    Object.assign(this, { server, offsetMs: Infinity, tripMs: Infinity, strange: true });
  }
}

/**
 * A server clock that asks by itself.
 *
 * @returns {(stamp: Stamp | undefined) => number} milliseconds that a message with this stamp was on its way
 */
export function openClock() {
  const clock = new ServerClock();
  let askedMs = -Infinity;

  async function ask() {
    const begunMs = performance.now();
    askedMs = begunMs;
    try {
      const answer = await fetch(CLOCK, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
      if (answer.ok) clock.answered(await answer.json(), begunMs, performance.now());
    } catch {
      // The server is away: what it said before grows old by our own clocks.
    }
  }

  return (stamp) => {
    const nowMs = performance.now();
    const lateMs = stamp === undefined ? 0 : clock.lateMs(stamp, nowMs);
    if (nowMs - askedMs >= (clock.strange ? SOON_MS : EVERY_MS)) void ask();
    return lateMs;
  };
}
