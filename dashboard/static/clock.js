// @ts-check
/**
 * How long what the server says was on its way: it stamps its ages, and a question and its answer tie its clock to ours.
 *
 * A message that comes is not a message of now: a line that hung hands over all that waited in it, and a slow one is
 * always behind. Without this an old age would count as heard just now (law 7).
 */

/** Where the server's clock is told. */
export const CLOCK = "/api/v1/clock";
/** Milliseconds between two questions while nothing is strange, and while something is. */
const EVERY_MS = 30_000;
const SOON_MS = 2000;
/** A message later than this makes the tie doubtful; in milliseconds. */
const STRANGE_MS = 500;
/** Milliseconds after which a question is given up. */
const PATIENCE_MS = 20_000;

/** @typedef {{server: string, at_s: number}} Stamp */

export class ServerClock {
  constructor() {
    this.server = "";
    /**
     * Between what our clock less the server's lies, in milliseconds: nothing comes before it was said, and no answer
     * is given before it was asked for.
     */
    this.least = -Infinity;
    this.most = Infinity;
    this.strange = true;
  }

  /** Our clock less the server's, as well as is known. */
  get offsetMs() {
    return this.least === -Infinity ? this.most : (this.least + this.most) / 2;
  }

  /**
   * How long a message was on its way, in milliseconds; what waited on this page itself, because it was busy, counts.
   *
   * @param {Stamp} stamp
   * @param {number} cameMs
   */
  lateMs(stamp, cameMs) {
    this.meet(stamp.server);
    const offset = cameMs - 1000 * stamp.at_s;
    this.narrow(-Infinity, offset);
    const late = Math.max(0, offset - this.offsetMs);
    this.strange ||= late > STRANGE_MS;
    return late;
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
    this.strange = false;
    this.narrow(askedMs - 1000 * stamp.at_s, cameMs - 1000 * stamp.at_s);
  }

  /**
   * Take two more bounds; where they leave nothing one of the clocks stood still, and they alone hold.
   *
   * @param {number} least
   * @param {number} most
   */
  narrow(least, most) {
    const anew = least > this.most || most < this.least;
    this.least = anew ? least : Math.max(least, this.least);
    this.most = anew ? most : Math.min(most, this.most);
    this.strange ||= anew && least === -Infinity;
  }

  /** Another process has another clock. @param {string} server */
  meet(server) {
    if (server === this.server) return;
    Object.assign(this, { server, least: -Infinity, most: Infinity, strange: true });
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
