// Inside a page that is measured: what came in and what was drawn, on the page's own clock. It is put there before the
// page's scripts run and changes nothing that they do.
(() => {
  /** Bytes of a wave frame before its samples. */
  const HEADER_BYTES = 40;
  const TOLD = ["session", "window", "result", "outcome"];
  // frames: received, first sample, samples, stamp of the last, sent. draws: when, one past the newest sample drawn.
  // numbers: when, scored windows that the number on the page rests on. Flat, because they are many.
  // liveMs: when the first live sample was drawn.
  const seen = { frames: [], draws: [], numbers: [], messages: [], liveMs: null };
  window.flexionSeen = seen;

  function frame(data, atMs) {
    if (!(data instanceof ArrayBuffer) || data.byteLength < HEADER_BYTES) return;
    const view = new DataView(data);
    const first = Number(view.getBigInt64(12, true));
    seen.frames.push(atMs, first, view.getUint16(4, true), view.getFloat64(20, true), view.getFloat64(28, true));
  }

  function message(text, atMs) {
    const { type, data } = JSON.parse(text);
    const entries = type === "snapshot" ? data.entries : [{ type, data }];
    for (const entry of entries) if (TOLD.includes(entry.type)) seen.messages.push([atMs, entry.type, entry.data]);
  }

  window.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", ({ data }) => frame(data, performance.now()));
    }
  };

  window.EventSource = class extends EventSource {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", ({ data }) => message(data, performance.now()));
    }
  };

  let drawn = null;
  let rested = "";

  function look() {
    const atMs = performance.now();
    const newest = window.flexion?.drawn?.() ?? null;
    if (newest !== drawn) seen.draws.push(atMs, (drawn = newest));
    if (seen.liveMs === null && newest > seen.frames[1]) seen.liveMs = atMs;
    const windows = document.getElementById("outcome")?.dataset.windows ?? "";
    if (windows === rested || document.getElementById("number-block")?.hidden !== false) return;
    seen.numbers.push(atMs, Number((rested = windows)));
  }

  const ask = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (callback) =>
    ask((atMs) => {
      callback(atMs);
      look();
    });
})();
