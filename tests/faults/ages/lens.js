/* Watches a page from inside: what a person sees of each value, by what the browser makes of it and not by what the
   page thinks; and clocks that can be set, a tab that can be hidden. Ten frames a second, as on a slow tablet. */
(() => {
  const real = { frame: requestAnimationFrame.bind(window), now: performance.now.bind(performance), date: Date.now };
  const lens = { wallMs: 0, monoMs: 0, hidden: false, waiting: [], end: 0, errors: [], looks: [], bed: "" };
  const FRAME_MS = 85;
  const EVERY_MS = 200;

  performance.now = () => real.now() + lens.monoMs;
  Date.now = () => real.date() + lens.wallMs;
  const run = (call) => (lens.hidden ? lens.waiting.push(call) : call(performance.now()));
  window.requestAnimationFrame = (call) => setTimeout(() => real.frame(() => run(call)), FRAME_MS);
  for (const [name, value] of [["hidden", () => lens.hidden], ["visibilityState", () => (lens.hidden ? "hidden" : "visible")]])
    Object.defineProperty(Document.prototype, name, { configurable: true, get: value });

  lens.hide = () => {
    lens.hidden = true;
    document.dispatchEvent(new Event("visibilitychange"));
  };
  /* As a browser does: the event, then the frame, then the screen. */
  lens.show = () => {
    lens.hidden = false;
    document.dispatchEvent(new Event("visibilitychange"));
    for (const call of lens.waiting.splice(0)) call(performance.now());
  };

  window.addEventListener("error", ({ message }) => lens.errors.push(message));
  window.addEventListener("unhandledrejection", ({ reason }) => lens.errors.push(String(reason)));

  /* The newest sample that the page was handed. */
  const Socket = window.WebSocket;
  window.WebSocket = class extends Socket {
    constructor(...asked) {
      super(...asked);
      this.addEventListener("message", ({ data }) => {
        if (!(data instanceof ArrayBuffer) || data.byteLength < 40 || !String(asked[0]).includes("/beds/")) return;
        const view = new DataView(data);
        lens.end = Number(view.getBigInt64(12, true)) + view.getUint16(4, true);
      });
    }
  };

  const at = (id) => document.getElementById(id);
  const seen = (element) => element !== null && element.getClientRects().length > 0;
  const text = (id) => (seen(at(id)) ? at(id).textContent : "");

  function numberLook() {
    if (!seen(at("number-block"))) return null;
    if (text("number") === "---") return "gone";
    if (getComputedStyle(at("number")).textDecorationLine.includes("line-through")) return "struck";
    return getComputedStyle(at("number-block")).filter.includes("grayscale") ? "grey" : "fresh";
  }

  function wordsLook(id) {
    const element = at(id);
    if (!seen(element) || element.textContent === "") return null;
    return element.textContent === "---" ? "gone" : element.dataset.look;
  }

  function lanesLook() {
    return Number(getComputedStyle(at("sweep")).opacity) < 1 && text("silence") !== "" ? "grey" : "fresh";
  }

  function bedside() {
    const panel = at("outcome");
    return {
      outcome: panel.dataset.look,
      number: numberLook(),
      lanes: lanesLook(),
      quality: at("lanes").children.length > 0 ? at("lanes").dataset.look : null,
      source: wordsLook("source"),
      redis: at("redis").dataset.level ?? null,
      words: { code: panel.dataset.state ?? "", late: text("late"), silence: text("silence"), updated: text("updated") },
    };
  }

  function ward(bed) {
    const card = document.querySelector(`a.card[href$="/${bed}"]`);
    return { card: card?.dataset.look ?? card?.closest("[data-look]")?.dataset.look ?? null };
  }

  /* Looks are taken here, so that none is missed while the browser's driver is slow; whoever asks gets those since. */
  const look = () => ({ at: real.now() / 1000, shown: at("outcome") ? bedside() : ward(lens.bed), hidden: lens.hidden, end: lens.end });
  const loaded = () => document.readyState !== "loading" && (at("outcome") !== null || at("beds") !== null);
  setInterval(() => loaded() && lens.looks.push(look()), EVERY_MS);
  lens.taken = (bed) => {
    lens.bed = bed;
    return { now: real.now() / 1000, looks: lens.looks.splice(0), errors: lens.errors };
  };
  window.__lens = lens;
})();
