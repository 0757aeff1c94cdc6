// @ts-check
/**
 * The events of a bed: an EventSource, lossless. The browser itself comes back with the last id; where it gives up
 * (the server refused, or is away), or where nothing comes any more and nobody says so (a line that was cut somewhere
 * in between stays open for ever), the feed begins anew with a snapshot.
 */

import { CLOCK } from "./clock.js";

/** Milliseconds before a closed feed is opened anew. */
const AGAIN_MS = 2000;
/** Milliseconds without a message after which a feed counts as dead: ages come once a second. */
const DEAD_MS = 5000;
/** Milliseconds between two looks whether it is. */
const LOOK_MS = 1000;
/** Connections that a browser keeps to one server, and for how many milliseconds each is tried before it is let go. */
const POOL = 6;
const TRY_MS = 1000;

/**
 * @param {string} url
 * @param {(message: import("./wire").Message) => void} onMessage
 * @returns {() => void} closes it for good
 */
export function openFeed(url, onMessage) {
  let heardMs = performance.now();
  let source = connect();
  let timer = 0;
  const watch = window.setInterval(() => {
    if (performance.now() - heardMs >= DEAD_MS) begin();
  }, LOOK_MS);

  /** Begin anew on a new connection; a request that is given up takes its dead connection with it. */
  function begin() {
    heardMs = performance.now();
    source.close();
    for (let i = 0; i < POOL; i += 1) fetch(CLOCK, { cache: "no-store", signal: AbortSignal.timeout(TRY_MS) }).catch(() => {});
    window.clearTimeout(timer);
    timer = window.setTimeout(reopen, TRY_MS + LOOK_MS / 10);
  }

  function connect() {
    const opened = new EventSource(url);
    opened.onmessage = (event) => {
      heardMs = performance.now();
      onMessage(JSON.parse(event.data));
    };
    opened.onerror = () => {
      if (opened.readyState === EventSource.CLOSED) timer = window.setTimeout(reopen, AGAIN_MS);
    };
    return opened;
  }

  function reopen() {
    heardMs = performance.now();
    source = connect();
  }

  return () => {
    window.clearTimeout(timer);
    window.clearInterval(watch);
    source.close();
  };
}
