// @ts-check
/**
 * The whole session in one strip: phases, the reach of muscles and EEG, holes, a mark for each window; and a slider on it.
 *
 * A drag, a press on a window, arrows and page keys all go to a page of the traces.
 */

import { byId, setAttribute, setShown } from "../dom.js";
import { phaseSpans } from "../signal/page.js";
import { onTheme } from "../theme.js";
import { envelopeOf, reachOf } from "./cuts.js";
import { stopAt } from "./stops.js";
import { placeWords } from "./place.js";
import { lengthOf } from "./store.js";

/** @typedef {import("./store.js").SessionState} SessionState */

/** Stops of a page key: a minute of pages. */
const PAGE_STOPS = 6;
/** Heights of the strip's rows in CSS pixels: phases, EEG, EMG, windows. */
const ROWS = { phases: 8, eeg: 22, emg: 22, windows: 16 };
/** Share of an envelope's columns that may reach beyond its row: one electrode that was touched hides nothing. */
const CLIPPED = 0.02;

/** Every so many columns of a hole one line stands. */
const HATCH = 4;

/** Where a key leads from a stop. @type {Record<string, (at: number, last: number) => number>} */
export const STEPS = {
  ArrowLeft: (at) => at - 1,
  ArrowDown: (at) => at - 1,
  ArrowRight: (at) => at + 1,
  ArrowUp: (at) => at + 1,
  PageUp: (at) => at - PAGE_STOPS,
  PageDown: (at) => at + PAGE_STOPS,
  Home: () => 0,
  End: (_, last) => last,
};

/**
 * What became of a window, for its mark.
 *
 * @param {string} state
 * @param {number} weight
 */
export function fateThen(state, weight) {
  if (state === "dead_lettered") return "dead";
  if (state === "not_scored") return "unscored";
  return weight < 1 ? "weighted" : "scored";
}

/**
 * The reach that fills a row: nearly all columns lie within.
 *
 * @param {([number, number] | null)[]} reach
 */
export function fullScale(reach) {
  const peaks = reach.flatMap((pair) => (pair === null ? [] : [Math.max(-pair[0], pair[1])])).sort((a, b) => a - b);
  return Math.max(1, peaks[Math.floor((1 - CLIPPED) * (peaks.length - 1))] ?? 1);
}

export class Scrubber {
  /**
   * @param {import("./library.js").Library} library
   * @param {(at: number) => void} goTo
   */
  constructor(library, goTo) {
    this.library = library;
    this.goTo = goTo;
    this.strip = byId("scrubber");
    this.canvas = /** @type {HTMLCanvasElement} */ (byId("scrubber-canvas"));
    this.thumb = byId("scrubber-thumb");
    this.head = byId("scrubber-head");
    /** @type {SessionState | null} */
    this.state = null;
    /** @type {import("./cuts.js").Envelope | null} */
    this.envelope = null;
    /** What the strip was drawn from, so that a step along it draws nothing. */
    this.drawnFrom = "";
    new ResizeObserver(() => this.redraw()).observe(this.strip);
    onTheme(() => this.redraw());
    this.listen();
  }

  listen() {
    const drag = (/** @type {PointerEvent} */ event) => {
      if (this.strip.hasPointerCapture(event.pointerId)) this.goToPixel(event.clientX);
    };
    this.strip.addEventListener("pointerdown", (event) => {
      this.strip.setPointerCapture(event.pointerId);
      this.goToPixel(event.clientX);
    });
    this.strip.addEventListener("pointermove", drag);
    this.strip.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      if (step === undefined || this.state === null || event.ctrlKey || event.altKey || event.metaKey) return;
      this.goTo(step(this.state.at, this.state.stops.length - 1));
      event.preventDefault();
    });
  }

  /** @param {number} clientX */
  goToPixel(clientX) {
    if (this.state === null) return;
    const box = this.strip.getBoundingClientRect();
    const share = Math.max(0, Math.min(1, (clientX - box.left) / box.width));
    this.goTo(stopAt(this.state.stops, share * lengthOf(this.state)));
  }

  /** @param {SessionState} state */
  render(state) {
    const hadSignal = this.state?.signal ?? null;
    this.state = state;
    if (state.signal !== null && hadSignal === null) void this.fetch(state.signal);
    this.draw();
    this.place(state);
  }

  /** @param {import("./told").Signal} signal */
  async fetch(signal) {
    const columns = Math.max(1, Math.min(1200, signal.n_samples));
    if (signal.n_samples === 0) return;
    try {
      this.envelope = envelopeOf(await this.library.wave(0, signal.n_samples, columns));
      this.redraw();
    } catch {
      // The strip shows windows and phases without it, and the traces say what is wrong.
    }
  }

  /** @param {SessionState} state */
  place(state) {
    const stop = state.stops[state.at];
    const length = lengthOf(state);
    const from = Math.max(0, stop?.from ?? 0);
    const to = Math.min(length, (stop?.from ?? 0) + 10_000);
    this.thumb.style.left = `${(100 * from) / length}%`;
    this.thumb.style.width = `${(100 * Math.max(0, to - from)) / length}%`;
    setShown(this.head, state.due !== null);
    this.head.style.left = `${(100 * (state.due ?? 0)) / length}%`;
    setAttribute(this.strip, "aria-valuemin", "1");
    setAttribute(this.strip, "aria-valuemax", String(Math.max(1, state.stops.length)));
    setAttribute(this.strip, "aria-valuenow", String(state.at + 1));
    setAttribute(this.strip, "aria-valuetext", placeWords(state));
  }

  redraw() {
    this.drawnFrom = "";
    this.draw();
  }

  draw() {
    const state = this.state;
    if (state === null || state.course === null) return;
    const from = `${state.course.index.length} ${state.signal !== null}`;
    if (from === this.drawnFrom) return;
    this.drawnFrom = from;
    const box = this.strip.getBoundingClientRect();
    const scale = window.devicePixelRatio || 1;
    this.canvas.width = Math.max(1, Math.round(box.width * scale));
    this.canvas.height = Math.max(1, Math.round(box.height * scale));
    const context = this.canvas.getContext("2d");
    if (context === null) return;
    context.scale(scale, scale);
    this.paint(context, box.width, state);
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} width CSS pixels
   * @param {SessionState} state
   */
  paint(context, width, state) {
    const style = getComputedStyle(document.documentElement);
    /** @param {string} name */
    const ink = (name) => style.getPropertyValue(`--${name}`).trim();
    const perSample = width / lengthOf(state);
    context.clearRect(0, 0, width, this.canvas.height);
    this.paintPhases(context, state, perSample, ink);
    let top = ROWS.phases;
    for (const kind of /** @type {const} */ (["eeg", "emg"])) {
      this.paintReach(context, state, kind, { top, height: ROWS[kind], width }, ink);
      top += ROWS[kind];
    }
    this.paintWindows(context, state, { top, perSample }, ink);
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {SessionState} state
   * @param {number} perSample
   * @param {(name: string) => string} ink
   */
  paintPhases(context, { signal }, perSample, ink) {
    if (signal === null) return;
    for (const { phase, from, to } of phaseSpans(signal.markers, 0, signal.n_samples)) {
      context.fillStyle = ink(`phase-${phase}`);
      context.fillRect(from * perSample, 0, Math.max(0.5, (to - from) * perSample), ROWS.phases - 2);
    }
  }

  /**
   * The reach of all channels of a kind; a hole is hatched.
   *
   * @param {CanvasRenderingContext2D} context
   * @param {SessionState} state
   * @param {"eeg" | "emg"} kind
   * @param {{top: number, height: number, width: number}} row
   * @param {(name: string) => string} ink
   */
  paintReach(context, { signal }, kind, { top, height, width }, ink) {
    const channels = signal?.kinds.flatMap((one, c) => (one === kind ? [c] : [])) ?? [];
    if (this.envelope === null || channels.length === 0) return;
    const reach = reachOf(this.envelope, channels);
    const [middle, perStep] = [top + height / 2, (height - 2) / 2 / fullScale(reach)];
    const wide = width / reach.length;
    const bounded = (/** @type {number} */ steps) => Math.max(-height / 2, Math.min(height / 2, steps * perStep));
    for (const [column, pair] of reach.entries()) {
      const up = pair === null ? height / 2 : bounded(pair[1]);
      const down = pair === null ? -height / 2 : bounded(pair[0]);
      context.fillStyle = ink(pair === null ? "gap" : kind);
      if (pair !== null || column % HATCH === 0) context.fillRect(column * wide, middle - up, Math.max(0.5, wide), Math.max(1, up - down));
    }
  }

  /**
   * A mark for each window; where several share a pixel the one with the worst fate is on top.
   *
   * @param {CanvasRenderingContext2D} context
   * @param {SessionState} state
   * @param {{top: number, perSample: number}} row
   * @param {(name: string) => string} ink
   */
  paintWindows(context, { course }, { top, perSample }, ink) {
    if (course === null) return;
    const wide = Math.max(1, 10_000 * perSample - 1.5);
    for (const fate of /** @type {const} */ (["scored", "weighted", "unscored", "dead"])) {
      for (const [place, first] of course.first_sample.entries()) {
        if (fateThen(course.state[place] ?? "", course.weight[place] ?? 0) !== fate) continue;
        paintMark(context, fate, { x: first * perSample, top: top + 2, wide, high: ROWS.windows - 4 }, ink);
      }
    }
  }
}

/**
 * Full for a scored window, half for one weighted down, an outline for one that is not scored.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {"scored" | "weighted" | "unscored" | "dead"} fate
 * @param {{x: number, top: number, wide: number, high: number}} box
 * @param {(name: string) => string} ink
 */
function paintMark(context, fate, { x, top, wide, high }, ink) {
  const full = fate === "scored" || fate === "weighted";
  context.fillStyle = ink(full ? "accent" : "bad");
  if (full) context.fillRect(x, top + (fate === "weighted" ? high / 2 : 0), wide, fate === "weighted" ? high / 2 : high);
  else context.fillRect(x, top + high / 2 - 1, wide, fate === "dead" ? 4 : 2);
}
