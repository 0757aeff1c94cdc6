// @ts-check
/** The ward's socket: cards as text once a second, traces as binary; opened again when it closes or falls silent. */

import { decodeEnvelope } from "./envelope.js";

/** Milliseconds before a closed socket is opened anew. */
const AGAIN_MS = 1000;
/**
 * Milliseconds without a word after which the network is taken for gone: cards come once a second. Words that are later
 * than this wait in a line that only a new socket leaves behind.
 */
const SILENT_MS = 5000;

/**
 * What a message says; what cannot be read says nothing.
 *
 * @param {unknown} data
 * @returns {{said: import("../wire").WardMessage} | {runs: import("./envelope.js").Run[]} | null}
 */
export function readMessage(data) {
  try {
    if (data instanceof ArrayBuffer) return { runs: decodeEnvelope(data) };
    const message = JSON.parse(String(data));
    return message?.type === "beds" && Array.isArray(message.beds) ? { said: message } : null;
  } catch (error) {
    if (error instanceof RangeError || error instanceof SyntaxError) return null;
    throw error;
  }
}

/**
 * @param {(message: import("../wire").WardMessage) => number} onBeds returns the milliseconds that it was on its way
 * @param {(runs: import("./envelope.js").Run[]) => void} onRuns
 */
export function openWard(onBeds, onRuns) {
  const url = new URL("/api/v1/ward", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";

  function connect() {
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    let silent = window.setTimeout(again, SILENT_MS);
    let over = false;

    function again() {
      if (over) return;
      over = true;
      window.clearTimeout(silent);
      socket.onmessage = null;
      socket.close();
      window.setTimeout(connect, AGAIN_MS);
    }

    socket.onclose = again;
    socket.onmessage = ({ data }) => {
      window.clearTimeout(silent);
      silent = window.setTimeout(again, SILENT_MS);
      const said = readMessage(data);
      if (said !== null && "runs" in said) onRuns(said.runs);
      else if (said !== null && onBeds(said.said) > SILENT_MS) again();
    };
  }

  connect();
}
