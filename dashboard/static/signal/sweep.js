// @ts-check
/**
 * The traces: a Canvas2D sweep whose page is one 10 s window. Only new columns are drawn, behind an erase bar.
 *
 * A column shows the least and the greatest value of its samples, so no burst is lost between two pixels. A column
 * whose samples did not come is hatched and never joined over.
 */

import { UV_PER_STEP } from "./decoder.js";
import { PAGE_SAMPLES, Page } from "./page.js";

/** Width of the erase bar, in CSS pixels. */
const ERASE_PX = 22;
/** Seconds between two vertical lines. */
const GRID_S = 1;

/**
 * @typedef {object} Lane
 * @property {"eeg" | "emg"} kind
 * @property {boolean} muted drawn faintly: its quality is too low to be scored
 */

/** @typedef {{ground: string, grid: string, gap: string, head: string, eeg: string, emg: string, muted: string}} Ink */

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
    this.ink = { ground: "#fff", grid: "#eee", gap: "#ddd", head: "#888", eeg: "#000", emg: "#000", muted: "#aaa" };
    this.page = new Page(1, 0);
    /** @type {number | null} absolute column up to which the page is drawn; null: draw the whole page anew */
    this.drawn = null;
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
    this.page = new Page(this.canvas.width, this.page.origin);
    this.drawn = null;
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

  /**
   * Bring the page up to the sample that is due.
   *
   * @param {import("./ring.js").Ring | null} ring
   * @param {number | null} due one past the last sample to show
   * @param {number} origin first sample of a page
   */
  draw(ring, due, origin) {
    if (origin !== this.page.origin) {
      this.page = new Page(this.canvas.width, origin);
      this.drawn = null;
    }
    if (ring === null || due === null) {
      if (this.drawn === null) this.clear(0, this.canvas.width);
      return;
    }
    const head = this.page.column(due);
    const erase = Math.round(ERASE_PX * this.scale);
    const oldest = head - this.page.width + erase + 1;
    if (this.drawn === null || this.drawn < oldest || this.drawn > head) this.begin(oldest);
    this.advance(ring, /** @type {number} */ (this.drawn), head, erase);
  }

  /** @param {number} column */
  begin(column) {
    this.drawn = column;
    this.joins = false;
    this.clear(0, this.canvas.width);
  }

  /**
   * @param {import("./ring.js").Ring} ring
   * @param {number} from absolute column
   * @param {number} head absolute column
   * @param {number} erase columns
   */
  advance(ring, from, head, erase) {
    if (from === head) return;
    this.clearColumns(from, head + erase);
    for (let column = from; column < head; column += 1) this.drawColumn(ring, column);
    this.context.fillStyle = this.ink.head;
    this.context.fillRect(this.page.x(head), 0, Math.max(1, Math.round(this.scale)), this.canvas.height);
    this.drawn = head;
  }

  /**
   * @param {import("./ring.js").Ring} ring
   * @param {number} column absolute
   */
  drawColumn(ring, column) {
    const found = ring.extremes(this.page.first(column), this.page.first(column + 1), this.least, this.greatest);
    if (found > 0) {
      this.drawLanes(this.page.x(column));
      [this.least, this.leastBefore] = [this.leastBefore, this.least];
      [this.greatest, this.greatestBefore] = [this.greatestBefore, this.greatest];
    }
    this.joins = found > 0;
    if (found === 0 && this.page.first(column) >= ring.first) this.drawGap(column);
  }

  /** @param {number} x */
  drawLanes(x) {
    const laneHeight = this.canvas.height / this.lanes.length;
    for (const [i, lane] of this.lanes.entries()) {
      this.context.fillStyle = lane.muted ? this.ink.muted : this.ink[lane.kind];
      const stepHeight = (laneHeight * UV_PER_STEP) / this.uvPerLane[lane.kind];
      const [low, high] = this.joined(i);
      const middle = (i + 0.5) * laneHeight;
      const top = Math.round(Math.max(i * laneHeight, middle - high * stepHeight));
      const bottom = Math.round(Math.min((i + 1) * laneHeight - 1, middle - low * stepHeight));
      const thick = Math.max(1, Math.round(this.scale));
      this.context.fillRect(x, Math.min(top, bottom), 1, Math.max(thick, bottom - top + 1));
    }
  }

  /**
   * Least and greatest of a lane, widened to touch the column before.
   *
   * @param {number} i
   * @returns {[number, number]}
   */
  joined(i) {
    const low = /** @type {number} */ (this.least[i]);
    const high = /** @type {number} */ (this.greatest[i]);
    if (!this.joins) return [low, high];
    const lowBefore = /** @type {number} */ (this.leastBefore[i]);
    const highBefore = /** @type {number} */ (this.greatestBefore[i]);
    return [Math.min(low, highBefore), Math.max(high, lowBefore)];
  }

  /**
   * Hatch a column without samples.
   *
   * @param {number} column absolute
   */
  drawGap(column) {
    const x = this.page.x(column);
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
