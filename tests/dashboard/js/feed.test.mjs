/** The events of a bed, where nobody says that nothing comes any more. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { openFeed } from "../../../dashboard/static/feed.js";

class Source {
  static CLOSED = 2;
  static made = [];

  constructor() {
    this.readyState = 1;
    Source.made.push(this);
  }

  say(data) {
    this.onmessage({ data: JSON.stringify(data) });
  }

  fail() {
    this.readyState = Source.CLOSED;
    this.onerror();
  }

  close() {
    this.readyState = Source.CLOSED;
  }
}

/** Let time pass, a tenth of a second at a time. */
function pass(seconds) {
  for (let i = 0; i < 10 * seconds; i += 1) mock.timers.tick(100);
}

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  Source.made = [];
  Object.assign(globalThis, { window: globalThis, EventSource: Source, fetch: mock.fn(() => Promise.reject(new Error("no way"))) });
});

afterEach(() => mock.restoreAll());
afterEach(() => mock.timers.reset());

test("a feed that is silent for five seconds is left, with every connection of the pool, and begun anew", () => {
  const heard = [];
  openFeed("/events", (message) => heard.push(message));
  pass(4);
  Source.made[0].say({ n: 1 });
  pass(4);
  assert.equal(Source.made.length, 1);
  pass(4);
  assert.deepEqual([Source.made.length, Source.made[0].readyState, fetch.mock.callCount()], [2, Source.CLOSED, 6]);
  Source.made[1].say({ n: 2 });
  pass(4);
  assert.deepEqual([Source.made.length, heard], [2, [{ n: 1 }, { n: 2 }]]);
});

test("a feed that the browser gave up is begun anew after two seconds", () => {
  openFeed("/events", () => {});
  Source.made[0].fail();
  pass(1.9);
  assert.equal(Source.made.length, 1);
  pass(0.2);
  assert.equal(Source.made.length, 2);
});

test("a feed that was closed stays closed", () => {
  const close = openFeed("/events", () => {});
  close();
  pass(20);
  assert.equal(Source.made.length, 1);
});
