// @ts-check
/** The wave of a bed: a WebSocket of binary frames, newest wins, opened again whenever it closes. */

/** Milliseconds before a closed wave is opened anew. */
const AGAIN_MS = 1000;

/**
 * @param {string} path
 * @param {import("./guard.js").Guard} guard
 * @param {() => import("./guard.js").Expected} expected
 * @param {(hello: import("../wire").WaveHello) => void} onHello
 * @param {(frame: import("./decoder.js").Frame) => void} onFrame
 * @returns {() => void} opens it anew: what still waits in the line is left behind
 */
export function openWave(path, guard, expected, onHello, onFrame) {
  const url = new URL(path, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  let timer = 0;
  let socket = connect();

  function connect() {
    const opened = new WebSocket(url);
    opened.binaryType = "arraybuffer";
    opened.onmessage = ({ data }) => {
      if (opened === socket) heard(data);
    };
    opened.onclose = () => {
      if (opened === socket) timer = window.setTimeout(() => (socket = connect()), AGAIN_MS);
    };
    return opened;
  }

  /** @param {string | ArrayBuffer} data */
  function heard(data) {
    const nowMs = performance.now();
    if (typeof data === "string") {
      const hello = guard.hello(data, nowMs);
      if (hello !== null) onHello(hello);
      return;
    }
    const frame = guard.frame(data, expected(), nowMs);
    if (frame !== null) onFrame(frame);
  }

  return () => {
    const left = socket;
    window.clearTimeout(timer);
    socket = connect();
    left.close();
  };
}
