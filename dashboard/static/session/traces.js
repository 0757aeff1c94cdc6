// @ts-check
/**
 * The traces of one page of a recorded session: the bed's own sweep and phase band, standing still, and its channels.
 *
 * What is not in the recording is hatched, as live; before the session's first sample and after its last there is nothing.
 */

import { laneViews, makeLane, renderLane } from "../bed/lanes.js";
import { byId, fit, setAttribute, setShown, setText } from "../dom.js";
import { mountCursor } from "../signal/cursor.js";
import { dressBand, readInk } from "../signal/ink.js";
import { PAGE_SAMPLES } from "../signal/page.js";
import { PhaseBand } from "../signal/phases.js";
import { Ring } from "../signal/ring.js";
import { Scales, mountScales } from "../signal/scale.js";
import { Sweep } from "../signal/sweep.js";
import { onTheme } from "../theme.js";
import { words } from "../words/catalogue.js";
import { say } from "../words/say.js";
import { clockWords, percent } from "../words/words.js";
import { framesOf } from "./cuts.js";
import { emptySession } from "./store.js";
import { pageOf, qualityOver, sessionOf, stateThen } from "./then.js";

/** @typedef {import("./store.js").SessionState} SessionState */

export class PageTraces {
  /** @param {import("./library.js").Library} library */
  constructor(library) {
    this.library = library;
    this.sweep = new Sweep(/** @type {HTMLCanvasElement} */ (byId("sweep")));
    this.band = new PhaseBand(/** @type {HTMLCanvasElement} */ (byId("phases")));
    this.state = emptySession();
    /** @type {Ring | null} */
    this.ring = null;
    /** What is played instead of a page. @type {{ring: Ring, origin: number, due: number} | null} */
    this.played = null;
    this.scales = new Scales();
    /** @type {import("../bed/lanes.js").LaneView[]} */
    this.lanes = [];
    /** Whether any page was drawn yet. */
    this.drawn = false;
    /** The stretch that is shown, or on its way. */
    this.key = "";
    new ResizeObserver(() => this.resize()).observe(byId("traces"));
    onTheme(() => this.dress());
    this.scales.onChange = () => this.rescale();
    this.renderScales = mountScales(this.scales);
    /** @type {((nLanes: number) => void) | undefined} */
    this.renderCursor = mountCursor(this);
    this.dress();
  }

  /** What is on the screen. */
  get held() {
    return this.played?.ring ?? this.ring;
  }

  get perS() {
    return this.state.signal?.rate_hz ?? 1000;
  }

  /** How far into the session a sample is. @param {number} sample */
  timeAt(sample) {
    const ms = Math.round((1000 * sample) / this.perS);
    return `${clockWords(Math.floor(ms / 1000))}.${String(ms % 1000).padStart(3, "0")}`;
  }

  onCursor() {
    this.renderCursor?.(this.lanes.length);
  }

  /** @param {SessionState} state */
  render(state) {
    const { signal, stops, at } = state;
    if (signal !== null && signal !== this.state.signal) this.sweep.setBoundaries(boundsOf(signal));
    this.state = state;
    if (signal === null) this.say(waitingWords(state));
    const stop = stops[at];
    if (signal === null || stop === undefined) return;
    const [from, to] = pageOf(stop, signal.n_samples);
    this.renderLanes(from, state.due === null ? to : Math.max(from + 1, Math.min(to, state.due)));
    if (state.due !== null) {
      this.key = "";
      return;
    }
    this.played = null;
    const key = `${from} ${to}`;
    if (key === this.key) return;
    this.key = key;
    // What is drawn is another page's until this one is there; before the first there is nothing, which is said.
    this.ring = null;
    setAttribute(byId("traces"), "data-silent", "true");
    if (!this.drawn) this.say(words.session.coming);
    void this.fetch(key, from, to);
  }

  /**
   * Fetch a page and draw it, unless another is wanted by then.
   *
   * @param {string} key
   * @param {number} from
   * @param {number} to
   */
  async fetch(key, from, to) {
    try {
      const frames = framesOf(await this.library.wave(from, to));
      if (key !== this.key) return;
      this.ring = ringOf(frames, from, this.state.signal?.labels.length ?? 1);
      this.drawn = true;
      this.heard();
      this.draw();
    } catch (error) {
      if (key !== this.key) return;
      this.key = "";
      this.say(error instanceof Error ? error.message : String(error));
    }
  }

  /** @param {string} why there are no traces */
  say(why) {
    setShown(byId("silence"), true);
    setText(byId("silence"), why);
    setAttribute(byId("traces"), "data-silent", "true");
  }

  /**
   * Sweep on to a sample of what is played.
   *
   * @param {Ring} ring
   * @param {number} origin
   * @param {number} due one past the last sample to show
   */
  sweepTo(ring, origin, due) {
    this.played = { ring, origin, due };
    this.drawPlayed(this.played);
  }

  /** What is drawn is what is looked at: nothing is said over it; while a page is on its way something is. */
  heard() {
    if (this.played === null && this.ring === null) return;
    setShown(byId("silence"), false);
    setAttribute(byId("traces"), "data-silent", "false");
  }

  /** @param {{ring: Ring, origin: number, due: number}} played */
  drawPlayed({ ring, origin, due }) {
    const { signal } = this.state;
    if (signal === null) return;
    this.sweep.draw(ring, due, origin);
    const { from, to } = this.sweep.shown;
    this.band.drawnMs = -Infinity; // at ten times the speed a tenth of a second is a second of the band
    this.band.draw(signal, this.sweep.page, { from: Math.max(ring.first, from), to }, performance.now());
    this.onCursor();
  }

  draw() {
    this.sweep.redraw();
    if (this.played === null) this.drawPage();
    else this.drawPlayed(this.played);
  }

  drawPage() {
    const { signal, stops, at } = this.state;
    const stop = stops[at];
    if (signal === null || stop === undefined || this.ring === null) return;
    this.sweep.drawStill(this.ring, stop.from);
    const [from, to] = pageOf(stop, signal.n_samples);
    this.sweep.shown = { from, to }; // beside the session there is nothing to read
    const [first, last] = [this.sweep.page.column(from), this.sweep.page.column(to)];
    if (last < this.sweep.page.width) this.sweep.clear(Math.max(0, last), this.sweep.page.width);
    if (first > 0) this.sweep.clear(0, first);
    this.band.redraw();
    this.band.draw(signal, this.sweep.page, { from, to }, 0);
    this.onCursor();
    const seconds = ((to - from) / signal.rate_hz).toFixed(0);
    setAttribute(this.sweep.canvas, "aria-label", say(words.session.traces, { seconds, n: signal.labels.length }));
  }

  /**
   * The channels as they were over this page.
   *
   * @param {number} from
   * @param {number} to
   */
  renderLanes(from, to) {
    this.lanes = lanesOver(this.state, from, to);
    const rows = fit(byId("lanes"), this.lanes.length, makeLane);
    rows.forEach((row, i) => renderLane(row, /** @type {import("../bed/lanes.js").LaneView} */ (this.lanes[i])));
    this.scaleLanes();
  }

  scaleLanes() {
    const { lanes, scales, state } = this;
    this.sweep.setLanes(lanes.map(({ kind, grade, label }) => ({ kind, muted: grade === "bad", gain: scales.gain(label) })));
    this.renderScales?.(lanes, state.told && sessionOf(state.told, state.signal), state.due === null);
  }

  rescale() {
    Object.assign(this.sweep.uvPerLane, this.scales.uvPerLane);
    this.scaleLanes();
    this.draw();
  }

  resize() {
    const scale = window.devicePixelRatio || 1;
    for (const layer of [this.sweep, this.band]) {
      const box = layer.canvas.getBoundingClientRect();
      layer.resize(box.width, box.height, scale);
    }
    this.dress();
  }

  dress() {
    this.sweep.ink = readInk();
    dressBand(this.band);
    this.draw();
  }
}

/**
 * Where windows begin.
 *
 * @param {import("./told").Signal} signal
 */
function boundsOf({ windows }) {
  return windows.map(({ first_sample: sample, index }) => ({ sample, index }));
}

/**
 * The samples of a page; from its first on, what is not there is missing.
 *
 * @param {import("../signal/decoder.js").Frame[]} frames
 * @param {number} from
 * @param {number} nChannels
 */
export function ringOf(frames, from, nChannels) {
  const ring = new Ring(nChannels, PAGE_SAMPLES);
  for (const frame of frames) ring.put(frame);
  ring.first = from;
  return ring;
}

/**
 * The channels over [from, to), as the bed's lanes have them.
 *
 * @param {SessionState} state
 * @param {number} from
 * @param {number} to
 */
export function lanesOver({ told, signal }, from, to) {
  if (told === null) return [];
  const known = qualityOver(signal, from, to);
  const bridge = {
    state: "ENDED",
    quality: Object.fromEntries(known.map(({ label, quality }) => [label, quality])),
    faults: Object.fromEntries(known.map(({ label, faults }) => [label, faults])),
  };
  const then = stateThen(told, signal, null, null);
  return laneViews({ ...then, contact: /** @type {any} */ ({ bridge }) });
}

/** @param {SessionState} state */
function waitingWords({ waiting: { share, words: why } }) {
  if (share === null) return why;
  return say(words.session.making, { share: percent(share) });
}
