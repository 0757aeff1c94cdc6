// @ts-check
/** The play button: the session goes by on the traces, the strip and the outcome, as it was recorded or faster. */

import { byId, setAttribute, setText } from "../dom.js";
import { keys } from "../keys.js";
import { words } from "../words/catalogue.js";
import { advanced, headAt, isOver, leavesOf, lookedAt, samplesIn } from "./playing.js";
import { Reel } from "./reel.js";

/** @typedef {import("./store.js").SessionState} SessionState */

/** Milliseconds between two renders of the panels while the traces move. */
const PANELS_MS = 250;
/** Milliseconds for which a page may be late before that is said. */
const PATIENCE_MS = 400;

export class Player {
  /**
   * @param {import("./store.js").Store} store
   * @param {import("./library.js").Library} library
   * @param {import("./traces.js").PageTraces} traces
   */
  constructor(store, library, traces) {
    this.store = store;
    this.traces = traces;
    this.reel = new Reel(library, (error) => this.halt(error));
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    this.speed = 1;
    /** Whether it played to the end, and nobody has gone elsewhere since. */
    this.ended = false;
    /** @type {import("./playing.js").Leaf[]} */
    this.leaves = [];
    /** @type {import("./playing.js").Head} */
    this.head = { at: 0, sample: 0 };
    /** When the clock was looked at, the head moved, and the panels were told. */
    this.at = { clock: 0, moved: 0, told: 0 };
  }

  /** @returns {boolean} whether there was anything to do */
  toggle() {
    const state = this.store.state();
    if (state.signal === null || state.stops.length === 0) return false;
    if (state.playing) this.pause();
    else this.play(state, state.signal);
    return true;
  }

  pause() {
    this.store.change({ playing: false, ...lookedAt(this.head, this.leaves, this.calm.matches) });
    this.traces.heard();
  }

  /**
   * Go on where it was paused, or begin with what is looked at; at the end, where it has ended before, anew.
   *
   * @param {SessionState} state
   * @param {import("./told").Signal} signal
   */
  play(state, signal) {
    if (state.due === null) {
      this.leaves = leavesOf(state.stops, signal);
      this.head = headAt(this.leaves, this.ended ? 0 : state.at, this.calm.matches);
      this.reel.begin(this.leaves[this.head.at]?.from ?? 0, signal.labels.length);
    }
    const nowMs = performance.now();
    this.at = { clock: nowMs, moved: nowMs, told: -Infinity };
    this.reel.want(state, this.head.at);
    this.store.change({ playing: true });
    requestAnimationFrame((frameMs) => this.tick(frameMs));
  }

  /** @param {number} nowMs */
  tick(nowMs) {
    const state = this.store.state();
    if (!state.playing || state.signal === null) return;
    requestAnimationFrame((frameMs) => this.tick(frameMs));
    const by = samplesIn(nowMs - this.at.clock, state.signal.rate_hz, this.speed);
    const before = this.head.sample;
    this.at.clock = Math.max(this.at.clock, nowMs);
    this.head = advanced(this.head, by, this.leaves, (at) => this.reel.has(at));
    this.reel.want(state, this.head.at);
    if (this.head.sample !== before) this.at.moved = nowMs;
    if (!isOver(this.head, this.leaves)) return this.show(state, nowMs);
    this.store.goTo(this.leaves.length - 1);
    this.ended = true;
  }

  /**
   * @param {SessionState} state
   * @param {number} nowMs
   */
  show(state, nowMs) {
    const { at, due } = lookedAt(this.head, this.leaves, this.calm.matches);
    if (at !== state.at || nowMs - this.at.told >= PANELS_MS) {
      this.at.told = nowMs;
      this.store.change({ at, due });
    }
    const leaf = this.leaves[this.head.at];
    if (nowMs - this.at.moved > PATIENCE_MS) return this.traces.say(words.session.coming);
    if (due !== null && leaf !== undefined) this.traces.sweepTo(this.reel.ring, leaf.origin, due);
    this.traces.heard();
  }

  /**
   * A page that does not come ends it; the next press tries again.
   *
   * @param {unknown} error
   */
  halt(error) {
    if (!this.store.state().playing) return;
    this.store.change({ playing: false });
    this.traces.say(error instanceof Error ? error.message : String(error));
  }
}

/**
 * The button, its key and the speeds.
 *
 * @param {Player} player
 * @returns {(state: SessionState) => void}
 */
export function mountPlay(player) {
  const button = /** @type {HTMLButtonElement} */ (byId("play"));
  const speed = /** @type {HTMLSelectElement} */ (byId("speed"));
  const read = () => (player.speed = Number(speed.value));
  speed.addEventListener("change", read);
  read();
  button.addEventListener("click", () => player.toggle());
  keys.on("Space", words.session.keys.play, () => player.toggle());
  // The page's own keys leave a slider the blank; this one has no use for it.
  byId("scrubber").addEventListener("keydown", (event) => {
    if (event.key === " " && !event.repeat && player.toggle()) event.preventDefault();
  });
  return ({ playing, signal, stops, at }) => {
    setAttribute(button, "data-playing", String(playing));
    setText(button, playing ? words.session.pause : words.session.play);
    button.disabled = signal === null || stops.length === 0;
    player.ended &&= !playing && at === stops.length - 1;
  };
}
