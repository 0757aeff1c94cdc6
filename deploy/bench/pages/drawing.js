// One drawing of a wave, measured from inside: our sweep, or uPlot on the least and greatest value of every column, or
// nothing. Both take the same frames through the same decoder and the same playout clock.

import { Guard } from "/static/signal/guard.js";
import { PAGE_SAMPLES, SETTLING_SAMPLES } from "/static/signal/page.js";
import { Playout } from "/static/signal/playout.js";
import { Ring } from "/static/signal/ring.js";
import { Sweep } from "/static/signal/sweep.js";
import { openWave } from "/static/signal/wave.js";
import uPlot from "/static/vendor/uplot/uPlot.esm.js";

const RATE_HZ = 1000;
const KINDS = [...Array(10).fill("eeg"), ...Array(6).fill("emg")];
const UV_PER_LANE = { eeg: 100, emg: 1000 };
const INK = { ground: "#fff", grid: "#e9ebf1", gap: "#aab1c0", head: "#8a93a6", bound: "#8a93a6", eeg: "#2a4a86", emg: "#7a3a72", muted: "#a9afbb" };

/** Our sweep on a canvas of its own. */
function mountSweep(place) {
  const canvas = document.createElement("canvas");
  place.append(canvas);
  const sweep = new Sweep(canvas);
  sweep.ink = INK;
  sweep.uvPerLane = UV_PER_LANE;
  sweep.resize(place.clientWidth, place.clientHeight, devicePixelRatio);
  sweep.setLanes(KINDS.map((kind) => ({ kind, muted: false })));
  return (ring, due) => sweep.draw(ring, due, SETTLING_SAMPLES);
}

/**
 * uPlot scrolling over the last page, in the way of its own streaming examples: one chart, a series for each lane, two
 * points for each column, reused arrays; only the columns that are new are read from the ring.
 */
function mountUplot(place) {
  const columns = place.clientWidth;
  const perColumn = PAGE_SAMPLES / columns;
  const [least, greatest] = [new Int16Array(KINDS.length), new Int16Array(KINDS.length)];
  const data = Array.from({ length: 1 + KINDS.length }, () => new Float64Array(2 * columns));
  const colours = KINDS.map((kind) => INK[kind]);
  const plot = new uPlot(
    {
      width: place.clientWidth,
      height: place.clientHeight,
      legend: { show: false },
      cursor: { show: false },
      axes: [{ show: false }, { show: false }],
      scales: { x: { time: false }, y: { range: [-KINDS.length, 0] } },
      series: [{}, ...colours.map((stroke) => ({ stroke, width: 1 / devicePixelRatio, points: { show: false } }))],
    },
    data,
    place,
  );
  let drawn = null;
  return (ring, due) => {
    const head = Math.floor(due / perColumn);
    const fresh = drawn === null ? columns : Math.min(columns, head - drawn);
    if (fresh <= 0) return;
    for (const values of data) values.copyWithin(0, 2 * fresh);
    for (let i = columns - fresh; i < columns; i += 1) {
      const column = head - columns + i;
      const found = ring.extremes(Math.ceil(column * perColumn), Math.ceil((column + 1) * perColumn), least, greatest);
      [data[0][2 * i], data[0][2 * i + 1]] = [column, column + 0.5];
      for (let c = 0; c < KINDS.length; c += 1) {
        const perUv = 0.1 / UV_PER_LANE[KINDS[c]];
        data[1 + c][2 * i] = found ? least[c] * perUv - c - 0.5 : NaN;
        data[1 + c][2 * i + 1] = found ? greatest[c] * perUv - c - 0.5 : NaN;
      }
    }
    drawn = head;
    plot.setData(data, false);
    plot.setScale("x", { min: head - columns, max: head });
  };
}

/** Numbers below which a share of them lies. */
const quantile = (values, share) => values.slice().sort()[Math.min(values.length - 1, Math.floor(share * values.length))] ?? null;

/** Frames of which each is kept: more than an hour of them, in memory that is there from the start. */
const KEPT = 1 << 18;
const [scriptMs, gapsMs] = [new Float64Array(KEPT), new Float64Array(KEPT)];
const seen = { beganMs: 0, frames: 0, lastMs: 0, ofMessagesMs: 0, messages: 0 };

/** Begin to measure. */
function begin() {
  Object.assign(seen, { beganMs: performance.now(), frames: 0, ofMessagesMs: 0, messages: 0 });
}

/** What was measured since then. */
function measured() {
  const seconds = (performance.now() - seen.beganMs) / 1000;
  const n = Math.min(seen.frames, KEPT);
  return {
    seconds,
    messages: seen.messages,
    fps: seen.frames / seconds,
    script_p50_ms: quantile(scriptMs.subarray(0, n), 0.5),
    script_p95_ms: quantile(scriptMs.subarray(0, n), 0.95),
    frame_p95_ms: quantile(gapsMs.subarray(0, n), 0.95),
    isolated: crossOriginIsolated,
  };
}

/** Draw every frame; the script of the messages since the last one counts with it. */
function run(draw) {
  const ring = new Ring(KINDS.length, 120 * RATE_HZ);
  const playout = new Playout(RATE_HZ);
  const guard = new Guard();
  const expected = { session: "recorded", nChannels: KINDS.length };
  openWave("/wave", guard, () => expected, () => {}, (frame) => {
    const atMs = performance.now();
    ring.put(frame);
    playout.arrived(frame.firstSample + frame.nSamples, atMs);
    seen.ofMessagesMs += performance.now() - atMs;
    seen.messages += 1;
  });
  const each = (nowMs) => {
    requestAnimationFrame(each);
    const atMs = performance.now();
    const due = playout.due(nowMs);
    if (due !== null) draw(ring, due);
    // uPlot draws in a microtask of its own, which comes before this one
    queueMicrotask(() => {
      scriptMs[seen.frames % KEPT] = performance.now() - atMs + seen.ofMessagesMs;
      gapsMs[seen.frames % KEPT] = nowMs - seen.lastMs;
      seen.frames += 1;
      seen.lastMs = nowMs;
      seen.ofMessagesMs = 0;
    });
  };
  requestAnimationFrame(each);
}

const place = document.getElementById("place");
const by = { sweep: mountSweep, uplot: mountUplot }[new URLSearchParams(location.search).get("by")];
if (by !== undefined) run(by(place));
window.bench = { begin, measured };
