// @ts-check
/**
 * The events of a bed: an EventSource, lossless. The browser itself comes back with the last id; where it gives up
 * (the server refused, or is away), or where nothing comes any more and nobody says so (a line that was cut somewhere
 * in between stays open for ever), the feed begins anew with a snapshot.
 */

import { CLOCK } from "./clock.js";

/** Milliseconds before a closed feed is opened anew. */
const AGAIN_MS = 2000;
/** Milliseconds between two looks whether anything came: ages come once a second. */
const LOOK_MS = 1000;
/**
 * Looks without a message after which a feed counts as dead; a page that stood still itself has not looked meanwhile.
 * Each time in vain they are twice as many, up to the last number: a slow line needs time to answer at all.
 */
const DEAD_LOOKS = 5;
const MOST_LOOKS = 40;
/** Connections that a browser keeps to one server, and for how many milliseconds each is tried before it is let go. */
const POOL = 6;
const TRY_MS = 1000;

/**
 * @param {string} url
 * @param {(message: import("./wire").Message) => void} onMessage
 * @returns {() => void} closes it for good
 */
export function openFeed(url, onMessage) {
  let silent = 0;
  let patience = DEAD_LOOKS;
  let source = connect();
  let timer = 0;
  const watch = window.setInterval(() => {
    silent += 1;
    if (silent >= patience) begin();
  }, LOOK_MS);

  /** Begin anew on a new connection; a request that is given up takes its dead connection with it. */
  function begin() {
    silent = 0;
    patience = Math.min(2 * patience, MOST_LOOKS);
    source.close();
    for (let i = 0; i < POOL; i += 1) fetch(CLOCK, { cache: "no-store", signal: AbortSignal.timeout(TRY_MS) }).catch(() => {});
    window.clearTimeout(timer);
    timer = window.setTimeout(reopen, TRY_MS + LOOK_MS / 10);
  }

  function connect() {
    const opened = new EventSource(url);
    opened.onmessage = (event) => {
      silent = 0;
      patience = DEAD_LOOKS;
      onMessage(JSON.parse(event.data));
    };
    opened.onerror = () => {
      if (opened.readyState === EventSource.CLOSED) timer = window.setTimeout(reopen, AGAIN_MS);
    };
    return opened;
  }

  function reopen() {
    silent = 0;
    source = connect();
  }

  return () => {
    window.clearTimeout(timer);
    window.clearInterval(watch);
    source.close();
  };
}
