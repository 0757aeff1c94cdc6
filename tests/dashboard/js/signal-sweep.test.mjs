/** What the sweep paints, on a canvas that writes down every rectangle. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { PAGE_SAMPLES } from "../../../dashboard/static/signal/page.js";
import { Ring } from "../../../dashboard/static/signal/ring.js";
import { Sweep } from "../../../dashboard/static/signal/sweep.js";

const INK = { ground: "ground", grid: "grid", gap: "gap", head: "head", bound: "bound", eeg: "eeg", emg: "emg", muted: "muted" };
const LANES = [{ kind: "eeg", muted: false }, { kind: "emg", muted: false }];

/** A sweep of 100 columns and 200 rows, and the rectangles that it painted. */
function sweeping(lanes = LANES) {
  /** @type {{ink: string, x: number, y: number, w: number, h: number}[]} */
  const painted = [];
  const context = { fillStyle: "", fillRect: (x, y, w, h) => painted.push({ ink: context.fillStyle, x, y, w, h }) };
  const sweep = new Sweep({ width: 0, height: 0, getContext: () => context });
  sweep.resize(100, 200, 1);
  sweep.ink = INK;
  sweep.setLanes(lanes);
  return { sweep, painted };
}

/** A ring of two channels in which every sample of [from, to) has these values. */
function holding(from, to, values = [100, -100]) {
  const ring = new Ring(2, 120_000);
  for (let first = from; first < to; first += 1000) {
    const steps = Int16Array.from({ length: 2000 }, (_, i) => values[i % 2]);
    ring.put({ nSamples: 1000, nChannels: 2, segment: 0, firstSample: first, ageS: 0, sentS: NaN, saturated: 0, steps });
  }
  return ring;
}

const columns = (painted, ink) => [...new Set(painted.filter((one) => one.ink === ink).map(({ x }) => x))].sort((a, b) => a - b);

test("a sweep paints the new columns and no other", () => {
  const { sweep, painted } = sweeping();
  const ring = holding(0, 60_000);
  sweep.draw(ring, 50_000, 0);
  painted.length = 0;
  sweep.draw(ring, 50_300, 0);
  assert.deepEqual(columns(painted, "eeg"), [0, 1, 2]);
  assert.deepEqual([sweep.shown.to, sweep.shown.from > 50_300 - PAGE_SAMPLES], [50_300, true]);
  painted.length = 0;
  sweep.draw(ring, 50_310, 0);
  assert.deepEqual(painted, []);
});

test("a still page is painted whole, once, until something changes", () => {
  const { sweep, painted } = sweeping();
  const ring = holding(0, 60_000);
  sweep.drawStill(ring, 20_000);
  assert.equal(columns(painted, "eeg").length, 100);
  assert.deepEqual(sweep.shown, { from: 20_000, to: 30_000 });
  painted.length = 0;
  sweep.drawStill(ring, 20_000);
  assert.deepEqual(painted, []);
  sweep.drawStill(ring, 21_000);
  assert.equal(columns(painted, "emg").length, 100);
});

test("from a still page back to the sweep the whole page is painted anew", () => {
  const { sweep, painted } = sweeping();
  const ring = holding(0, 60_000);
  sweep.drawStill(ring, 20_000);
  painted.length = 0;
  sweep.draw(ring, 55_000, 20_000);
  assert.ok(columns(painted, "eeg").length > 70);
});

test("what did not come is hatched on a still page, and before the first sample nothing is", () => {
  const { sweep, painted } = sweeping();
  const ring = holding(4000, 8000);
  ring.end = 12_000; // the rest was lost
  sweep.drawStill(ring, 0);
  assert.deepEqual([columns(painted, "eeg").at(0), columns(painted, "eeg").at(-1)], [40, 79]);
  assert.deepEqual([columns(painted, "gap").at(0), columns(painted, "gap").at(-1)], [80, 99]);
});

test("a lane's gain makes it that much higher, up to its own edges", () => {
  const heights = (gain) => {
    const { sweep, painted } = sweeping([{ kind: "eeg", muted: false, gain }, LANES[1]]);
    const ring = holding(0, 20_000, [0, 0]);
    ring.values.fill(200, 0, 2); // 20 µV of 100 per lane at the first sample alone
    sweep.drawStill(ring, 0);
    return painted.find(({ ink, x }) => ink === "eeg" && x === 0).h;
  };
  assert.deepEqual([1, 2, 100].map(heights), [21, 41, 51]);
});

test("a line stands where a window begins", () => {
  const { sweep, painted } = sweeping();
  sweep.setBoundaries([{ sample: 24_000, index: 2 }, { sample: 90_000, index: 3 }]);
  sweep.drawStill(holding(0, 60_000), 20_000);
  assert.deepEqual(columns(painted, "bound"), [40]);
  painted.length = 0;
  sweep.setBoundaries([{ sample: 24_000, index: 2 }, { sample: 90_000, index: 3 }]);
  sweep.drawStill(holding(0, 60_000), 20_000);
  assert.deepEqual(painted, []);
});

test("without samples the page is empty, and shows none", () => {
  const { sweep, painted } = sweeping();
  sweep.draw(null, null, 0);
  sweep.drawStill(null, 0);
  assert.deepEqual(columns(painted, "eeg"), []);
  assert.deepEqual(sweep.shown, { from: 0, to: 0 });
});
