// @ts-check
/** The live traces of one bed: wave, ring, playout clock, sweep and phase band put together. */

import { staleWords } from "../age.js";
import { byId, setAttribute, setShown, setText } from "../dom.js";
import { PhaseBand } from "../signal/phases.js";
import { originAt } from "../signal/page.js";
import { Playout } from "../signal/playout.js";
import { RING_S, Ring } from "../signal/ring.js";
import { closedUtc } from "./store.js";
import { Sweep } from "../signal/sweep.js";
import { onTheme } from "../theme.js";
import { words } from "../words/catalogue.js";
import { openWave } from "../signal/wave.js";

/** @typedef {import("./store.js").BedState} BedState */

/** Where little may move, traces move on once a second, in samples. */
const CALM_SAMPLES = 1000;
/** Samples of a second until the session says otherwise; live streams at another rate are refused. */
const RATE_HZ = 1000;

export class Traces {
  /** @param {string} path of the wave */
  constructor(path) {
    this.area = byId("traces");
    this.sweep = new Sweep(/** @type {HTMLCanvasElement} */ (byId("sweep")));
    this.band = new PhaseBand(/** @type {HTMLCanvasElement} */ (byId("phases")));
    /** @type {Ring | null} */
    this.ring = null;
    this.playout = new Playout(RATE_HZ);
    /** @type {string | null} */
    this.session = null;
    this.heardMs = performance.now();
    /** How old the newest sample was when it came, in seconds: a burst after a stall is heard now and was then. */
    this.ageS = 0;
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    new ResizeObserver(() => this.resize()).observe(this.area);
    onTheme(() => this.readColours());
    document.addEventListener("visibilitychange", () => this.playout.jump());
    this.mountScale("eeg");
    this.mountScale("emg");
    this.readColours();
    openWave(path, (hello) => this.begin(hello.session), (frame) => this.take(frame));
  }

  /** @param {string | null} session */
  begin(session) {
    if (session === this.session) return;
    this.session = session;
    this.ring = null;
    this.playout = new Playout(RATE_HZ);
    this.sweep.redraw();
  }

  /** @param {import("../signal/decoder.js").Frame} frame */
  take(frame) {
    this.heardMs = performance.now();
    this.ageS = frame.ageS;
    if (this.ring?.nChannels !== frame.nChannels) this.ring = new Ring(frame.nChannels, RING_S * RATE_HZ);
    this.ring.put(frame);
    this.playout.arrived(frame.firstSample + frame.nSamples, this.heardMs);
  }

  /**
   * Draw what is due; called once per frame of the screen.
   *
   * @param {BedState} state
   * @param {import("./lanes.js").LaneView[]} lanes
   * @param {number} nowMs
   */
  draw(state, lanes, nowMs) {
    const fits = this.ring !== null && this.ring.nChannels === lanes.length;
    this.sweep.setLanes(lanes.map(({ kind, grade }) => ({ kind, muted: grade === "bad" })));
    const due = fits ? this.calmed(this.playout.due(nowMs)) : null;
    const origin = originAt(state.segments, Math.max(0, (due ?? 1) - 1));
    this.sweep.draw(fits ? this.ring : null, due, origin);
    this.band.draw(state, this.sweep.page, due, nowMs);
  }

  /** @param {number | null} due */
  calmed(due) {
    return due !== null && this.calm.matches ? Math.floor(due / CALM_SAMPLES) * CALM_SAMPLES : due;
  }

  /**
   * Grey lanes and words where the newest sample is a second old.
   *
   * @param {BedState} state
   * @param {number} nowMs
   */
  renderSilence(state, nowMs) {
    const stale = staleWords(this.ageS, (nowMs - this.heardMs) / 1000);
    setAttribute(this.area, "data-silent", String(stale !== ""));
    setShown(byId("silence"), stale !== "");
    if (stale !== "") setText(byId("silence"), silenceWords(state, stale));
  }

  resize() {
    const scale = window.devicePixelRatio || 1;
    for (const layer of [this.sweep, this.band]) {
      const box = layer.canvas.getBoundingClientRect();
      layer.resize(box.width, box.height, scale);
    }
    this.readColours();
  }

  readColours() {
    const style = getComputedStyle(document.documentElement);
    /** @param {string} name */
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    this.sweep.ink = {
      ground: colour("surface"),
      grid: colour("grid"),
      gap: colour("gap"),
      head: colour("head"),
      eeg: colour("eeg"),
      emg: colour("emg"),
      muted: colour("trace-muted"),
    };
    const phases = ["preparation", "flexion", "rest", "extension", "settling"];
    this.band.inks = Object.fromEntries(phases.map((phase) => [phase, colour(`phase-${phase}`)]));
    this.band.ink = colour("ink");
    this.band.font = `${13 * this.band.scale}px ${getComputedStyle(document.body).fontFamily}`;
    this.sweep.redraw();
  }

  /** @param {"eeg" | "emg"} kind */
  mountScale(kind) {
    const select = /** @type {HTMLSelectElement} */ (byId(`${kind}-scale`));
    const read = () => {
      this.sweep.uvPerLane[kind] = Number(select.value);
      this.sweep.redraw();
    };
    select.addEventListener("change", read);
    read();
  }
}

/**
 * @param {BedState} state
 * @param {string} open of an open session
 */
function silenceWords(state, open) {
  if (state.told && state.sessionId === null) return words.signal.noSession;
  if (closedUtc(state) !== null) return words.signal.sessionEnded;
  return open;
}
