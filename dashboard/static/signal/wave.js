// @ts-check
/** The wave of a bed: a WebSocket of binary frames, newest wins, opened again whenever it closes. */

import { decodeFrame } from "./decoder.js";

/** Milliseconds before a closed wave is opened anew. */
const AGAIN_MS = 1000;

/**
 * @param {string} path
 * @param {(hello: import("../wire").WaveHello) => void} onHello
 * @param {(frame: import("./decoder.js").Frame) => void} onFrame
 * @returns {() => void} closes it for good
 */
export function openWave(path, onHello, onFrame) {
  const url = new URL(path, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  let closed = false;
  let timer = 0;
  let socket = connect();

  function connect() {
    const opened = new WebSocket(url);
    opened.binaryType = "arraybuffer";
    opened.onmessage = ({ data }) => {
      if (typeof data === "string") onHello(JSON.parse(data));
      else onFrame(decodeFrame(data));
    };
    opened.onclose = () => {
      if (!closed) timer = window.setTimeout(() => (socket = connect()), AGAIN_MS);
    };
    return opened;
  }

  return () => {
    closed = true;
    window.clearTimeout(timer);
    socket.close();
  };
}
