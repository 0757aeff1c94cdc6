// @ts-check
/**
 * The traces: a Canvas2D sweep whose page is one 10 s window. Only new columns are drawn, behind an erase bar; a still
 * page, of the past or for those who want little to move, is drawn whole.
 *
 * A column shows the least and the greatest value of its samples, so no burst is lost between two pixels. A column
 * whose samples did not come is hatched and never joined over.
 */

import { UV_PER_STEP } from "./decoder.js";
import { PAGE_SAMPLES, Page } from "./page.js";

/** Width of the erase bar, in CSS pixels. */
export const ERASE_PX = 22;
/** Seconds between two vertical lines. */
const GRID_S = 1;

/**
 * @typedef {object} Lane
 * @property {"eeg" | "emg"} kind
 * @property {boolean} muted drawn faintly: its quality is too low to be scored
 * @property {number} [gain] how much higher than its kind's scale it is drawn; 1 by default
 */

/** @typedef {{ground: string, grid: string, gap: string, head: string, bound: string, eeg: string, emg: string, muted: string}} Ink */

/**
 * Where samples come from: a `Ring`, or anything else that answers like one.
 *
 * @typedef {object} Samples
 * @property {number} first nothing before it is missing
 * @property {(from: number, to: number, least: Int16Array, greatest: Int16Array) => number} extremes
 */

export class Sweep {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    const context = canvas.getContext("2d", { alpha: false, desynchronized: true });
    if (context === null) throw new Error("this browser gives no 2D canvas");
    this.context = context;
    /** @type {Lane[]} */
    this.lanes = [];
    this.uvPerLane = { eeg: 100, emg: 400 };
    /** @type {Ink} */
    this.ink = { ground: "#fff", grid: "#eee", gap: "#ddd", head: "#888", bound: "#888", eeg: "#000", emg: "#000", muted: "#aaa" };
    this.page = new Page(1, 0);
    /** The samples on the screen, [from, to); with from = to there are none. */
    this.shown = { from: 0, to: 0 };
    /** @type {number | null} absolute column up to which the page is drawn; null: draw the whole page anew */
    this.drawn = null;
    /** Whether what is drawn is a still page. */
    this.still = false;
    /** First samples of windows. @type {Set<number>} */
    this.bounds = new Set();
    /** Absolute columns in which they lie. @type {Set<number>} */
    this.boundColumns = new Set();
    this.scale = 1;
    this.least = new Int16Array(0);
    this.greatest = new Int16Array(0);
    this.leastBefore = new Int16Array(0);
    this.greatestBefore = new Int16Array(0);
    this.joins = false;
  }

  /**
   * Fit the canvas to its place on the page.
   *
   * @param {number} width CSS pixels
   * @param {number} height CSS pixels
   * @param {number} scale device pixels per CSS pixel
   */
  resize(width, height, scale) {
    this.scale = scale;
    this.canvas.width = Math.max(1, Math.round(width * scale));
    this.canvas.height = Math.max(1, Math.round(height * scale));
    this.turnTo(this.page.origin);
  }

  /** @param {Lane[]} lanes */
  setLanes(lanes) {
    if (lanes.length !== this.lanes.length) {
      this.drawn = null;
      this.hold(lanes.length);
    }
    this.lanes = lanes;
  }

  /**
   * Where windows begin; a line stands there.
   *
   * @param {import("./page.js").Boundary[]} boundaries
   */
  setBoundaries(boundaries) {
    const known = boundaries.length === this.bounds.size && boundaries.every(({ sample }) => this.bounds.has(sample));
    if (known) return;
    this.bounds = new Set(boundaries.map(({ sample }) => sample));
    this.placeBounds();
    if (this.still) this.drawn = null;
  }

  placeBounds() {
    this.boundColumns = new Set([...this.bounds].map((sample) => this.page.column(sample)));
  }

  /**
   * Make room for the extremes of a column and of the one before it, to which it joins.
   *
   * @param {number} n lanes
   */
  hold(n) {
    this.least = new Int16Array(n);
    this.greatest = new Int16Array(n);
    this.leastBefore = new Int16Array(n);
    this.greatestBefore = new Int16Array(n);
    this.joins = false;
  }

  /** Draw the whole page anew at the next `draw`: scale or colours changed. */
  redraw() {
    this.drawn = null;
  }

  /** @param {number} origin first sample of a page */
  turnTo(origin) {
    this.page = new Page(this.canvas.width, origin);
    this.drawn = null;
    this.placeBounds();
  }

  /**
   * Bring the page up to the sample that is due.
   *
   * @param {Samples | null} samples
   * @param {number | null} due one past the last sample to show
   * @param {number} origin first sample of a page
   */
  draw(samples, due, origin) {
    if (origin !== this.page.origin) this.turnTo(origin);
    if (this.still) [this.still, this.drawn] = [false, null];
    if (samples === null || due === null) return this.drawNothing();
    const head = this.page.column(due);
    const erase = Math.round(ERASE_PX * this.scale);
    const oldest = head - this.page.width + erase + 1;
    if (this.drawn === null || this.drawn < oldest || this.drawn > head) this.begin(oldest);
    this.advance(samples, /** @type {number} */ (this.drawn), head, erase);
    this.shown = { from: this.page.first(oldest), to: due };
  }

  /**
   * Draw one page whole, from its left edge to its right; nothing is done while it stays the same.
   *
   * @param {Samples | null} samples
   * @param {number} from its first sample
   */
  drawStill(samples, from) {
    if (from !== this.page.origin) this.turnTo(from);
    if (!this.still) [this.still, this.drawn] = [true, null];
    if (samples === null) return this.drawNothing();
    this.shown = { from, to: from + PAGE_SAMPLES };
    if (this.drawn !== null) return;
    this.begin(0);
    for (let column = 0; column < this.page.width; column += 1) this.drawColumn(samples, column);
    this.drawn = this.page.width;
  }

  drawNothing() {
    if (this.drawn === null) this.clear(0, this.canvas.width);
    this.shown = { from: 0, to: 0 };
  }

  /** @param {number} column */
  begin(column) {
    this.drawn = column;
    this.joins = false;
    this.clear(0, this.canvas.width);
  }

  /**
   * @param {Samples} samples
   * @param {number} from absolute column
   * @param {number} head absolute column
   * @param {number} erase columns
   */
  advance(samples, from, head, erase) {
    if (from === head) return;
    this.clearColumns(from, head + erase);
    for (let column = from; column < head; column += 1) this.drawColumn(samples, column);
    this.context.fillStyle = this.ink.head;
    this.context.fillRect(this.page.x(head), 0, Math.max(1, Math.round(this.scale)), this.canvas.height);
    this.drawn = head;
  }

  /**
   * @param {Samples} samples
   * @param {number} column absolute
   */
  drawColumn(samples, column) {
    const x = this.page.x(column);
    if (this.boundColumns.has(column)) this.drawBound(x);
    const found = samples.extremes(this.page.first(column), this.page.first(column + 1), this.least, this.greatest);
    if (found > 0) {
      this.drawLanes(x);
      [this.least, this.leastBefore] = [this.leastBefore, this.least];
      [this.greatest, this.greatestBefore] = [this.greatestBefore, this.greatest];
    }
    this.joins = found > 0;
    if (found === 0 && this.page.first(column) >= samples.first) this.drawGap(x);
  }

  /** @param {number} x */
  drawBound(x) {
    this.context.fillStyle = this.ink.bound;
    this.context.fillRect(x, 0, Math.max(1, Math.round(this.scale)), this.canvas.height);
  }

  /**
   * Every lane's part of a column; nothing is made here that has to be collected.
   *
   * @param {number} x
   */
  drawLanes(x) {
    const { context, ink, lanes } = this;
    const laneHeight = this.canvas.height / lanes.length;
    const thick = Math.max(1, Math.round(this.scale));
    let filled = "";
    for (let i = 0; i < lanes.length; i += 1) {
      const { kind, muted, gain = 1 } = /** @type {Lane} */ (lanes[i]);
      const fill = muted ? ink.muted : ink[kind];
      if (fill !== filled) context.fillStyle = filled = fill;
      const stepHeight = (laneHeight * UV_PER_STEP * gain) / this.uvPerLane[kind];
      const middle = (i + 0.5) * laneHeight;
      const top = Math.round(Math.max(i * laneHeight, middle - this.high(i) * stepHeight));
      const bottom = Math.round(Math.min((i + 1) * laneHeight - 1, middle - this.low(i) * stepHeight));
      context.fillRect(x, Math.min(top, bottom), 1, Math.max(thick, bottom - top + 1));
    }
  }

  /**
   * Least value of a lane, widened to touch the column before.
   *
   * @param {number} i
   */
  low(i) {
    const low = /** @type {number} */ (this.least[i]);
    return this.joins ? Math.min(low, /** @type {number} */ (this.greatestBefore[i])) : low;
  }

  /**
   * Greatest value of a lane, widened to touch the column before.
   *
   * @param {number} i
   */
  high(i) {
    const high = /** @type {number} */ (this.greatest[i]);
    return this.joins ? Math.max(high, /** @type {number} */ (this.leastBefore[i])) : high;
  }

  /**
   * Hatch a column without samples.
   *
   * @param {number} x
   */
  drawGap(x) {
    const step = Math.round(8 * this.scale);
    this.context.fillStyle = this.ink.gap;
    for (let y = step - (x % step); y < this.canvas.height; y += step) {
      this.context.fillRect(x, y, 1, Math.max(1, Math.round(this.scale)));
    }
  }

  /**
   * Clear absolute columns [from, to), which may turn over the page's edge.
   *
   * @param {number} from
   * @param {number} to
   */
  clearColumns(from, to) {
    const x = this.page.x(from);
    const width = Math.min(to - from, this.page.width);
    this.clear(x, Math.min(this.page.width, x + width));
    if (x + width > this.page.width) this.clear(0, x + width - this.page.width);
  }

  /**
   * Ground and grid over the columns [from, to) of the screen.
   *
   * @param {number} from
   * @param {number} to
   */
  clear(from, to) {
    const { context, canvas, ink } = this;
    context.fillStyle = ink.ground;
    context.fillRect(from, 0, to - from, canvas.height);
    context.fillStyle = ink.grid;
    for (let i = 0; i < this.lanes.length; i += 1) {
      context.fillRect(from, Math.round(((i + 0.5) * canvas.height) / this.lanes.length), to - from, 1);
    }
    const perLine = (canvas.width * GRID_S * 1000) / PAGE_SAMPLES;
    for (let line = Math.ceil(from / perLine); line * perLine < to; line += 1) {
      context.fillRect(Math.round(line * perLine), 0, 1, canvas.height);
    }
  }
}
