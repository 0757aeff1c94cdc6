// @ts-check
/** The traces that are played: the page at the head and the next one, and what the sweep still shows of the one before. */

import { PAGE_SAMPLES } from "../signal/page.js";
import { Ring } from "../signal/ring.js";
import { framesOf } from "./cuts.js";
import { pageOf } from "./then.js";

/** @typedef {import("./store.js").SessionState} SessionState */

export class Reel {
  /**
   * @param {import("./library.js").Library} library
   * @param {(error: unknown) => void} onTrouble
   */
  constructor(library, onTrouble) {
    this.library = library;
    this.onTrouble = onTrouble;
    /** By stop; null where a page is on its way. @type {Map<number, import("../signal/decoder.js").Frame[] | null>} */
    this.pages = new Map();
    this.ring = new Ring(1, 1);
    /** First sample that was played. */
    this.from = 0;
    /** The last page that is in the ring. */
    this.put = -1;
  }

  /**
   * Begin anew: nothing before the sample is missing.
   *
   * @param {number} from
   * @param {number} nChannels
   */
  begin(from, nChannels) {
    this.ring = new Ring(nChannels, 2 * PAGE_SAMPLES);
    [this.from, this.put] = [from, -1];
  }

  /** @param {number} at */
  has(at) {
    return Boolean(this.pages.get(at));
  }

  /**
   * Ask for what is looked at and the next page, with its row; nothing else is kept.
   *
   * @param {SessionState} state
   * @param {number} at
   */
  want(state, at) {
    for (const held of this.pages.keys()) if (held !== at && held !== at + 1) this.pages.delete(held);
    for (const page of [at, at + 1]) if (!this.pages.has(page) && page < state.stops.length) void this.fetch(state, page);
    this.fill(at);
  }

  /**
   * @param {SessionState} state
   * @param {number} at
   */
  async fetch({ stops, signal }, at) {
    const stop = stops[at];
    if (stop === undefined || signal === null) return;
    this.pages.set(at, null);
    try {
      const [buffer] = await Promise.all([
        this.library.wave(...pageOf(stop, signal.n_samples)),
        stop.place === null ? null : this.library.rowsAt(stop.place),
      ]);
      if (this.pages.has(at)) this.pages.set(at, framesOf(buffer));
    } catch (error) {
      this.pages.delete(at);
      this.onTrouble(error);
    }
  }

  /** @param {number} at */
  fill(at) {
    const frames = this.pages.get(at);
    if (this.put === at || !frames) return;
    for (const frame of frames) this.ring.put(frame);
    this.ring.first = this.from;
    this.put = at;
  }
}
