// @ts-check
/** The four traces of a card: the same ring, playout clock and sweep as at the bed. */

import { elapsedS, laneAgeS, readClocks, staleWords } from "../age.js";
import { setAttribute, setShown, setText } from "../dom.js";
import { PAGE_SAMPLES, SETTLING_SAMPLES } from "../signal/page.js";
import { Playout } from "../signal/playout.js";
import { Ring } from "../signal/ring.js";
import { Sweep } from "../signal/sweep.js";
import { MOST_SAMPLES } from "./envelope.js";

/** Samples of a second: live streams at another rate are refused. */
const RATE_HZ = 1000;
/** Height of a lane in µV: low, so that bursts of muscles stay inside. The page says so in words. */
export const UV_PER_LANE = Object.freeze({ eeg: 100, emg: 1000 });
/** Share of good cells below which the scorer sees zeros. */
const GOOD = 0.5;

/** @typedef {import("../wire").BedCard} BedCard */

export class CardTraces {
  /**
   * @param {HTMLElement} area holds the canvas and the words over it
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLElement} silence
   */
  constructor(area, canvas, silence) {
    this.area = area;
    this.silence = silence;
    this.sweep = new Sweep(canvas);
    this.sweep.uvPerLane = UV_PER_LANE;
    this.key = 0;
    /** @type {Ring | null} */
    this.ring = null;
    this.playout = new Playout(RATE_HZ);
    this.heardAt = readClocks();
    this.ageS = 0;
    this.seen = true;
    new ResizeObserver(() => this.resize()).observe(canvas);
    new IntersectionObserver((entries) => (this.seen = entries.at(-1)?.isIntersecting ?? true)).observe(canvas);
  }

  /**
   * The session that the card shows now; another one begins with nothing.
   *
   * @param {number} key
   */
  begin(key) {
    if (key === this.key) return;
    this.key = key;
    this.ring = null;
    this.playout = new Playout(RATE_HZ);
    this.heardAt = readClocks();
    this.ageS = 0;
    this.sweep.redraw();
  }

  /** @param {import("../signal/decoder.js").Frame} frame */
  take(frame) {
    this.heardAt = readClocks();
    this.ageS = frame.ageS;
    if (this.ring?.nChannels !== frame.nChannels) this.ring = new Ring(frame.nChannels, MOST_SAMPLES);
    this.ring.put(frame);
    this.playout.arrived(frame.firstSample + frame.nSamples, this.heardAt.monoMs);
  }

  /**
   * Draw what is due; where little may move, the last whole page.
   *
   * @param {BedCard} bed
   * @param {number} nowMs
   * @param {boolean} calm
   */
  draw(bed, nowMs, calm) {
    if (!this.seen) return;
    this.sweep.setLanes(lanesOf(bed));
    const ring = this.ring !== null && this.ring.nChannels === bed.drawn.length ? this.ring : null;
    const due = ring === null ? null : this.playout.due(nowMs);
    const origin = bed.segment_first + SETTLING_SAMPLES;
    if (calm && due !== null) this.sweep.drawStill(ring, lastPage(due, origin));
    else this.sweep.draw(ring, due, origin);
  }

  /**
   * Grey lanes and words where the newest sample is a second old.
   *
   * @param {BedCard} bed
   * @param {number} since seconds since the card was sent
   */
  renderSilence(bed, since) {
    const silentS = elapsedS(this.heardAt, readClocks());
    const ageS = laneAgeS({ cameAgeS: this.ageS, silentS, end: this.ring?.end ?? 0 }, this.ring && bed.wave, since, RATE_HZ);
    const said = bed.ended_utc === null ? staleWords(ageS - silentS, silentS) : "";
    setAttribute(this.area, "data-silent", String(said !== "" || bed.ended_utc !== null));
    setShown(this.silence, said !== "");
    setText(this.silence, said);
  }

  resize() {
    const box = this.sweep.canvas.getBoundingClientRect();
    this.sweep.resize(box.width, box.height, window.devicePixelRatio || 1);
  }

  /** @param {import("../signal/sweep.js").Ink} ink */
  wear(ink) {
    this.sweep.ink = ink;
    this.sweep.redraw();
  }
}

/**
 * First sample of the last page that is whole.
 *
 * @param {number} due
 * @param {number} origin
 */
function lastPage(due, origin) {
  return origin + (Math.floor((due - origin) / PAGE_SAMPLES) - 1) * PAGE_SAMPLES;
}

/**
 * What is drawn of a bed, lane by lane.
 *
 * @param {BedCard} bed
 * @returns {import("../signal/sweep.js").Lane[]}
 */
export function lanesOf(bed) {
  return bed.drawn.map((label) => {
    const at = bed.labels.indexOf(label);
    const quality = bed.quality[at] ?? null;
    return { kind: bed.kinds[at] ?? "eeg", muted: quality !== null && quality < GOOD };
  });
}
