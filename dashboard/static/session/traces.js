// @ts-check
/**
 * The traces of one page of a recorded session: the bed's own sweep and phase band, standing still, and its channels.
 *
 * What is not in the recording is hatched, as live; before the session's first sample and after its last there is nothing.
 */

import { laneViews, renderLane } from "../bed/lanes.js";
import { byId, fit, make, setAttribute, setShown, setText } from "../dom.js";
import { dressBand, readInk } from "../signal/ink.js";
import { PAGE_SAMPLES } from "../signal/page.js";
import { PhaseBand } from "../signal/phases.js";
import { Ring } from "../signal/ring.js";
import { Sweep } from "../signal/sweep.js";
import { onTheme } from "../theme.js";
import { words } from "../words/catalogue.js";
import { say } from "../words/say.js";
import { percent } from "../words/words.js";
import { framesOf } from "./cuts.js";
import { emptySession } from "./store.js";
import { pageOf, qualityOver, stateThen } from "./then.js";

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
    /** Whether any page was drawn yet. */
    this.drawn = false;
    /** The stretch that is shown, or on its way. */
    this.key = "";
    new ResizeObserver(() => this.resize()).observe(byId("traces"));
    onTheme(() => this.dress());
    for (const kind of /** @type {const} */ (["eeg", "emg"])) this.mountScale(kind);
    this.dress();
  }

  /** @param {SessionState} state */
  render(state) {
    this.state = state;
    const { signal, stops, at } = state;
    if (signal === null) this.say(waitingWords(state));
    const stop = stops[at];
    if (signal === null || stop === undefined) return;
    const [from, to] = pageOf(stop, signal.n_samples);
    this.renderLanes(from, to);
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
      setShown(byId("silence"), false);
      setAttribute(byId("traces"), "data-silent", "false");
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

  draw() {
    const { signal, stops, at } = this.state;
    const stop = stops[at];
    if (signal === null || stop === undefined || this.ring === null) return;
    this.sweep.setBoundaries(signal.windows.map(({ first_sample: sample, index }) => ({ sample, index })));
    this.sweep.redraw();
    this.sweep.drawStill(this.ring, stop.from);
    const [from, to] = pageOf(stop, signal.n_samples);
    const [first, last] = [this.sweep.page.column(from), this.sweep.page.column(to)];
    if (last < this.sweep.page.width) this.sweep.clear(Math.max(0, last), this.sweep.page.width);
    if (first > 0) this.sweep.clear(0, first);
    this.band.drawnMs = -Infinity;
    this.band.draw(signal, this.sweep.page, { from, to }, 0);
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
    const lanes = lanesOver(this.state, from, to);
    this.sweep.setLanes(lanes.map(({ kind, grade }) => ({ kind, muted: grade === "bad" })));
    const rows = fit(byId("lanes"), lanes.length, makeLane);
    rows.forEach((row, i) => renderLane(row, /** @type {import("../bed/lanes.js").LaneView} */ (lanes[i])));
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

  /** @param {"eeg" | "emg"} kind */
  mountScale(kind) {
    const select = /** @type {HTMLSelectElement} */ (byId(`${kind}-scale`));
    const read = () => {
      this.sweep.uvPerLane[kind] = Number(select.value);
      this.draw();
    };
    select.addEventListener("change", read);
    read();
  }
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

function makeLane() {
  const row = make("li", "lane");
  const bar = make("span", "quality");
  bar.setAttribute("role", "img");
  bar.append(make("span", "quality-fill"));
  row.append(bar, make("span", "lane-label"), make("span", "lane-words"));
  return row;
}
