// @ts-check
/** The phase band over the sweep: locked to samples, column for column with the traces below it. */

import { changes } from "../dom.js";
import { phaseSpans, settlingSpans } from "./page.js";
import { phaseWord } from "../words/words.js";

/** Milliseconds between two drawings of the band; its edges move with the samples, not with these. */
const EVERY_MS = 100;

export class PhaseBand {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    const context = canvas.getContext("2d");
    if (context === null) throw new Error("this browser gives no 2D canvas");
    this.context = context;
    this.scale = 1;
    this.font = "13px sans-serif";
    /** @type {Record<string, string>} */
    this.inks = {};
    this.ink = "#000";
    this.drawnMs = -Infinity;
    this.changed = changes();
    /** How wide the words are in the font, as far as they were drawn. @type {Map<string, number>} */
    this.widths = new Map();
  }

  /** Draw it anew at the next `draw`, whatever was drawn: place, colours or samples are others. */
  redraw() {
    this.drawnMs = -Infinity;
    this.changed = changes();
    this.widths.clear();
    this.context.font = this.font;
    this.context.textBaseline = "middle";
  }

  /**
   * @param {number} width CSS pixels
   * @param {number} height CSS pixels
   * @param {number} scale device pixels per CSS pixel
   */
  resize(width, height, scale) {
    this.scale = scale;
    this.canvas.width = Math.max(1, Math.round(width * scale));
    this.canvas.height = Math.max(1, Math.round(height * scale));
    this.redraw();
  }

  /**
   * @param {{markers: import("../wire").Marker[], segments: import("../wire").Segment[]}} told
   * @param {import("./page.js").Page} page the sweep's
   * @param {{from: number, to: number}} shown the samples on the screen; none where both are equal
   * @param {number} nowMs
   */
  draw({ markers, segments }, page, { from, to }, nowMs) {
    if (nowMs - this.drawnMs < EVERY_MS) return;
    this.drawnMs = nowMs;
    if (!this.changed(markers, segments, page, page.column(from), page.column(to))) return;
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    for (const span of [...phaseSpans(markers, from, to), ...settlingSpans(segments, from, to)]) this.drawSpan(page, span);
  }

  /**
   * A span may turn over the edge of the page: then it is two blocks.
   *
   * @param {import("./page.js").Page} page
   * @param {import("./page.js").Span} span
   */
  drawSpan(page, span) {
    const turn = page.start(span.to - 1);
    const pieces = span.from < turn ? [[span.from, turn], [turn, span.to]] : [[span.from, span.to]];
    for (const [from, to] of /** @type {[number, number][]} */ (pieces)) {
      const x = page.x(page.column(from));
      this.drawBlock(span.phase, x, Math.max(1, page.column(to) - page.column(from)));
    }
  }

  /**
   * @param {string} phase
   * @param {number} x
   * @param {number} width
   */
  drawBlock(phase, x, width) {
    const { context, canvas } = this;
    context.fillStyle = this.inks[phase] ?? "transparent";
    context.fillRect(x, 0, Math.max(1, width - this.scale), canvas.height);
    const words = phaseWord(phase);
    const margin = 6 * this.scale;
    if (this.widthOf(words) + 2 * margin > width) return;
    context.fillStyle = this.ink;
    context.fillText(words, x + margin, canvas.height / 2 + this.scale);
  }

  /** @param {string} words in the font of the band */
  widthOf(words) {
    const width = this.widths.get(words) ?? this.context.measureText(words).width;
    this.widths.set(words, width);
    return width;
  }
}
