// @ts-check
/** The traces of one bed: wave, ring, playout clock, sweep, phase band and what is worked on them, put together. */

import { LANE_GREY_S, elapsedS, laneAgeS, readClocks, staleWords } from "../age.js";
import { byId, changes, fit, make, setAttribute, setShown, setText } from "../dom.js";
import { Guard } from "../signal/guard.js";
import { dressBand, readInk } from "../signal/ink.js";
import { PAGE_SAMPLES, boundariesIn, originAt } from "../signal/page.js";
import { PhaseBand } from "../signal/phases.js";
import { Playout } from "../signal/playout.js";
import { RING_S, Ring } from "../signal/ring.js";
import { Scales, mountScales } from "../signal/scale.js";
import { Meter } from "../signal/stats.js";
import { Sweep } from "../signal/sweep.js";
import { openWave } from "../signal/wave.js";
import { onTheme } from "../theme.js";
import { words } from "../words/catalogue.js";
import { say } from "../words/say.js";
import { mountCursor } from "../signal/cursor.js";
import { frozenAt, mountFreeze, timeWords } from "./freeze.js";
import { closedUtc } from "./store.js";

/** @typedef {import("./store.js").BedState} BedState */
/** @typedef {import("./lanes.js").LaneView} LaneView */

/** Samples of a second until the session says otherwise; live streams at another rate are refused. */
const RATE_HZ = 1000;
/** Milliseconds between two placings of what stands over the traces. */
const OVER_MS = 100;
/** Milliseconds for which figures of the drawing stand. */
const STATED_MS = 500;
/** Milliseconds for which a refused message is told, and that there was nothing to freeze. */
const TROUBLE_MS = 10_000;
const NOTHING_MS = 4000;
/** Seconds that the lanes may be behind the server's wave before that is opened anew; each time in vain twice as many. */
const BEHIND_S = 4;
const MOST_BEHIND_S = 64;

export class Traces {
  /**
   * @param {string} path of the wave
   * @param {() => import("../signal/guard.js").Expected} expected whose frames may be drawn
   */
  constructor(path, expected) {
    this.area = byId("traces");
    this.sweep = new Sweep(/** @type {HTMLCanvasElement} */ (byId("sweep")));
    this.band = new PhaseBand(/** @type {HTMLCanvasElement} */ (byId("phases")));
    this.meter = new Meter();
    this.guard = new Guard();
    this.stated = { atMs: 0, stats: this.meter.stats(0, this.guard.refused) };
    this.scales = new Scales();
    /** @type {Ring | null} */
    this.ring = null;
    this.playout = new Playout(RATE_HZ);
    this.perS = RATE_HZ;
    /** @type {import("./freeze.js").Frozen | null} what is looked at instead of the live signal */
    this.frozen = null;
    /** When the newest sample was taken, on this machine's clock. @type {import("./freeze.js").Clock | null} */
    this.liveClock = null;
    /** @type {string | null} */
    this.session = null;
    this.heardMs = performance.now();
    /** How old the newest sample was when it came, in seconds: a burst after a stall is heard now and was then. */
    this.ageS = 0;
    /** @type {number | null} one past the newest sample on the screen */
    this.due = null;
    this.overMs = -Infinity;
    /** @type {LaneView[] | null} those that the sweep was told of */
    this.lanes = null;
    /** When somebody wished to freeze what was not there. */
    this.nothingAtMs = -Infinity;
    this.calm = false;
    /** How often scales and gains were changed. */
    this.rescaled = 0;
    this.scalesChanged = changes();
    this.boundsChanged = changes();
    this.mount();
    this.heardAt = readClocks();
    this.renewedAt = readClocks();
    this.patienceS = BEHIND_S;
    this.renew = openWave(path, this.guard, expected, (hello) => this.begin(hello.session), (frame) => this.take(frame));
  }

  mount() {
    new ResizeObserver(() => this.resize()).observe(this.area);
    onTheme(() => this.readColours());
    const calm = matchMedia("(prefers-reduced-motion: reduce)");
    this.calm = calm.matches; // asked for with every frame, it costs more than the frame
    calm.addEventListener("change", () => (this.calm = calm.matches));
    document.addEventListener("visibilitychange", () => this.playout.jump());
    this.scales.onChange = () => this.rescale();
    this.renderScales = mountScales(this.scales);
    this.renderFreeze = mountFreeze(this);
    this.renderCursor = mountCursor(this);
    this.readColours();
  }

  /** One past the newest live sample on the screen, whose column is drawn when it is full; null where none is. */
  get drawn() {
    const { still, drawn, page } = this.sweep;
    return still || drawn === null || this.due === null ? null : page.first(drawn);
  }

  /** What is on the screen: the frozen signal, or the live one. */
  get held() {
    return this.frozen?.ring ?? this.ring;
  }

  get clock() {
    return this.frozen?.clock ?? this.liveClock;
  }

  /** The time of day at which a sample was taken; "" before the first. @param {number} sample */
  timeAt(sample) {
    return this.clock === null ? "" : timeWords(this.clock, sample, this.perS, true);
  }

  /** @param {string | null} session */
  begin(session) {
    if (session === this.session) return;
    this.session = session;
    this.ring = null;
    this.frozen = null;
    this.liveClock = null;
    this.playout = new Playout(RATE_HZ);
    this.meter.begin();
    this.scales.begin();
    this.sweep.redraw();
  }

  /** @param {import("../signal/decoder.js").Frame} frame */
  take(frame) {
    this.heardAt = readClocks();
    this.heardMs = this.heardAt.monoMs;
    this.ageS = frame.ageS;
    if (this.ring?.nChannels !== frame.nChannels) this.ring = new Ring(frame.nChannels, RING_S * RATE_HZ);
    this.ring.put(frame);
    this.playout.arrived(frame.firstSample + frame.nSamples, this.heardMs);
    this.meter.arrived(frame, this.heardMs);
    this.liveClock = { sample: frame.firstSample + frame.nSamples, wallMs: Date.now() - 1000 * frame.ageS };
  }

  /** Whether there is anything to hold: not without a session, and not before its first samples. */
  get canFreeze() {
    return this.ring !== null && this.due !== null && this.liveClock !== null;
  }

  /** Hold what is on the screen; the wave goes on behind it. */
  freeze() {
    if (this.ring === null || this.due === null || this.liveClock === null) {
      this.nothingAtMs = performance.now();
      return this.renderTrouble(this.nothingAtMs);
    }
    this.show(frozenAt(this.ring, this.due, this.liveClock, this.perS));
  }

  /**
   * Look at the past, or at the live signal again.
   *
   * @param {import("./freeze.js").Frozen | null} frozen
   */
  show(frozen) {
    this.frozen = frozen;
    this.overMs = -Infinity;
    this.renderFreeze?.();
  }

  /**
   * Draw what is due; called once per frame of the screen.
   *
   * @param {BedState} state
   * @param {LaneView[]} lanes
   * @param {number} nowMs
   */
  draw(state, lanes, nowMs) {
    if (lanes !== this.lanes) this.setLanes(lanes);
    const fits = this.ring?.nChannels === lanes.length && this.session === state.sessionId;
    this.due = fits ? this.playout.due(nowMs) : null;
    this.drawPage(state, fits ? this.held : null);
    this.band.draw(state, this.sweep.page, this.sweep.shown, nowMs);
    if (nowMs - this.overMs >= OVER_MS) this.placeOver(state, lanes.length, nowMs);
    this.meter.drawn(this.drawn, nowMs, this.perS / 1000);
  }

  /** @param {LaneView[]} lanes */
  setLanes(lanes) {
    this.lanes = lanes;
    this.sweep.setLanes(lanes.map(({ kind, grade, label }) => ({ kind, muted: grade === "bad", gain: this.scales.gain(label) })));
  }

  /**
   * @param {BedState} state
   * @param {Ring | null} held
   */
  drawPage(state, held) {
    const { due, frozen, sweep } = this;
    const origin = originAt(state.segments, Math.max(0, (due ?? 1) - 1));
    if (frozen !== null && held !== null) sweep.drawStill(held, frozen.from);
    else if (this.calm && due !== null) sweep.drawStill(held, this.wholePage(origin, due));
    else sweep.draw(held, due, origin);
  }

  /**
   * The last page that is full: where little may move it stands until the next is.
   *
   * @param {number} origin
   * @param {number} due
   */
  wholePage(origin, due) {
    return origin + (Math.floor((due - origin) / PAGE_SAMPLES) - 1) * PAGE_SAMPLES;
  }

  /**
   * Windows' names and the cursor, over the traces.
   *
   * @param {BedState} state
   * @param {number} nLanes
   * @param {number} nowMs
   */
  placeOver(state, nLanes, nowMs) {
    this.overMs = nowMs;
    const { from, to } = this.sweep.shown;
    const bounds = boundariesIn(state.windows.values(), state.segments, from, to + PAGE_SAMPLES);
    this.sweep.setBoundaries(bounds);
    const { page } = this.sweep;
    // One whose line was swept over is not named.
    const named = bounds.filter(({ sample }) => sample < to && page.column(sample) >= page.column(from));
    if (this.boundsChanged(page, ...named.map(({ sample }) => sample))) placeBounds(page, named);
    this.renderCursor?.(nLanes);
  }

  /**
   * The panels' part: scales, freeze, and grey lanes with words where the newest sample is a second old.
   *
   * @param {BedState} state
   * @param {LaneView[]} lanes
   * @param {number} nowMs
   */
  render(state, lanes, nowMs) {
    if (this.scalesChanged(lanes, state.session, this.calm, this.rescaled)) this.renderScales?.(lanes, state.session, this.calm);
    this.renderFreeze?.();
    this.renderTrouble(nowMs);
    const said = this.staleWords(state);
    setAttribute(this.area, "data-silent", String(said !== ""));
    setShown(byId("silence"), said !== "");
    if (said !== "") setText(byId("silence"), silenceWords(state, said));
  }

  /**
   * What keeps the lanes from being live; a line that has fallen behind is left for a new one.
   *
   * @param {BedState} state
   */
  staleWords({ contact, contactAt }) {
    const now = readClocks();
    const wave = contact?.session === this.session ? contact?.wave : null;
    const end = this.ring?.end ?? 0;
    if (wave) this.catchUp((wave.end - end) / this.perS, now);
    const silentS = elapsedS(this.heardAt, now);
    const ageS = laneAgeS({ cameAgeS: this.ageS, silentS, end }, wave, elapsedS(contactAt, now), this.perS);
    return staleWords(ageS - silentS, silentS);
  }

  /**
   * Leave a line that is dead, or full of what is long over, for a new one.
   *
   * @param {number} behindS
   * @param {import("../age.js").Now} now
   */
  catchUp(behindS, now) {
    if (behindS < BEHIND_S / 4) this.patienceS = BEHIND_S;
    if (behindS < BEHIND_S || elapsedS(this.renewedAt, now) < this.patienceS) return;
    this.patienceS = Math.min(2 * this.patienceS, MOST_BEHIND_S);
    this.renewedAt = now;
    this.renew();
  }

  /** @param {number} nowMs */
  renderTrouble(nowMs) {
    const { last, refused } = this.guard;
    // Where one session follows another the wave and the events change hands one after the other.
    const between = last?.reason === "session" && nowMs - this.heardMs < 1000 * LANE_GREY_S;
    const told = last !== null && nowMs - last.atMs < TROUBLE_MS && !between;
    const nothing = nowMs - this.nothingAtMs < NOTHING_MS;
    setShown(byId("trouble"), told || nothing);
    if (told) setText(byId("trouble"), say(words.signal.refused[last.reason], { n: refused[last.reason] }));
    else if (nothing) setText(byId("trouble"), words.signal.nothingToFreeze);
  }

  /** How well the drawing keeps up, as of the last half second: it is sorted, and asked for with every panel. */
  stats() {
    const nowMs = performance.now();
    if (nowMs - this.stated.atMs >= STATED_MS) this.stated = { atMs: nowMs, stats: this.meter.stats(nowMs, this.guard.refused) };
    return this.stated.stats;
  }

  rescale() {
    this.lanes = null;
    this.rescaled += 1;
    Object.assign(this.sweep.uvPerLane, this.scales.uvPerLane);
    this.sweep.redraw();
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
    this.sweep.ink = readInk();
    dressBand(this.band);
    this.sweep.redraw();
  }
}

/**
 * The names of windows where they begin.
 *
 * @param {import("../signal/page.js").Page} page
 * @param {import("../signal/page.js").Boundary[]} bounds
 */
function placeBounds(page, bounds) {
  const names = fit(byId("bounds"), bounds.length, () => make("span", "bound digits"));
  for (const [i, { sample, index }] of bounds.entries()) {
    const name = /** @type {HTMLElement} */ (names[i]);
    name.style.left = `${(100 * page.x(page.column(sample))) / page.width}%`;
    setText(name, say(words.signal.window, { n: index }));
  }
}

/**
 * @param {BedState} state
 * @param {string} said of an open session
 */
function silenceWords(state, said) {
  if (state.told && state.sessionId === null) return words.signal.noSession;
  if (closedUtc(state) !== null) return words.signal.sessionEnded;
  return said;
}
