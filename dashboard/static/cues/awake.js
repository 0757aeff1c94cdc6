// @ts-check
/** Keeps the screen lit while the exercise runs: nobody touches it for nine minutes. */

export class Awake {
  /** @param {(works: boolean) => void} onKnown told whether the screen can be kept lit */
  constructor(onKnown) {
    this.onKnown = onKnown;
    this.wanted = false;
    /** @type {WakeLockSentinel | null} */
    this.lock = null;
    // The browser lets go whenever the page is hidden.
    document.addEventListener("visibilitychange", () => this.want(this.wanted));
  }

  /** @param {boolean} wanted */
  want(wanted) {
    this.wanted = wanted;
    if (!wanted) {
      void this.lock?.release();
      this.lock = null;
    } else if (document.visibilityState === "visible" && (this.lock === null || this.lock.released)) {
      void this.ask();
    }
  }

  async ask() {
    try {
      this.lock = await navigator.wakeLock.request("screen");
      this.onKnown(true);
    } catch {
      this.onKnown(false); // an old browser, or one that saves its battery: the operator is told
    }
  }
}
