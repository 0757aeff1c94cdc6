// @ts-check
/**
 * The events of a bed: an EventSource, lossless. The browser itself comes back with the last id; where it gives up
 * (the server refused, or is away), the feed begins anew with a snapshot.
 */

/** Milliseconds before a closed feed is opened anew. */
const AGAIN_MS = 2000;

/**
 * @param {string} url
 * @param {(message: import("./wire").Message) => void} onMessage
 * @returns {() => void} closes it for good
 */
export function openFeed(url, onMessage) {
  let source = connect();
  let timer = 0;

  function connect() {
    const opened = new EventSource(url);
    opened.onmessage = (event) => onMessage(JSON.parse(event.data));
    opened.onerror = () => {
      if (opened.readyState === EventSource.CLOSED) timer = window.setTimeout(reopen, AGAIN_MS);
    };
    return opened;
  }

  function reopen() {
    source = connect();
  }

  return () => {
    window.clearTimeout(timer);
    source.close();
  };
}
