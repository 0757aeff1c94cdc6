// @ts-check
/**
 * What a wave may bring onto the screen: frames of this session, of its channels, no more than a stream can send. All
 * else is counted by why it was refused, and never thrown.
 */

import { decodeFrame } from "./decoder.js";

/** Bytes of the largest message: a second of 32 channels; a frame has 20 ms. */
export const MOST_BYTES = 65_536;
/** Characters of the largest text. */
const MOST_CHARACTERS = 4096;
/** Samples beyond which a place on the grid is nonsense: a thousand years. */
const MOST_SAMPLE = 2 ** 45;
/** Frames that may come at once: what a stalled network holds back, 12 s. */
export const BURST_FRAMES = 600;
/** Frames a second that may come for ever: twice what a stream sends. */
export const FRAMES_PER_S = 100;

/** Why a message was refused. @typedef {"unreadable" | "oversized" | "channels" | "session" | "flood"} Reason */

/**
 * Whose frames are expected: the session that the wave last named, the one that the page shows, and its channels.
 *
 * @typedef {object} Expected
 * @property {string | null} session
 * @property {number} nChannels 0 while they are not known
 */

export class Guard {
  constructor() {
    /** @type {Record<Reason, number>} messages refused, by why */
    this.refused = { unreadable: 0, oversized: 0, channels: 0, session: 0, flood: 0 };
    /** @type {{reason: Reason, atMs: number} | null} the last refusal */
    this.last = null;
    /** @type {string | null} the session of the frames that come, by the last hello */
    this.session = null;
    this.allowance = BURST_FRAMES;
    this.spentMs = 0;
  }

  /**
   * Read the text that names the session.
   *
   * @param {string} text
   * @param {number} nowMs
   * @returns {import("../wire").WaveHello | null} null where it was refused
   */
  hello(text, nowMs) {
    if (text.length > MOST_CHARACTERS) return this.refuse("oversized", nowMs);
    const said = parsed(text);
    if (said === null) return this.refuse("unreadable", nowMs);
    this.session = said.session;
    return said;
  }

  /**
   * Read one binary message.
   *
   * @param {ArrayBuffer} buffer
   * @param {Expected} expected
   * @param {number} nowMs
   * @returns {import("./decoder.js").Frame | null} null where it was refused
   */
  frame(buffer, expected, nowMs) {
    if (!this.allowed(nowMs)) return this.refuse("flood", nowMs);
    if (buffer.byteLength > MOST_BYTES) return this.refuse("oversized", nowMs);
    const frame = decoded(buffer);
    if (frame === null) return this.refuse("unreadable", nowMs);
    if (expected.nChannels === 0) return null; // nothing is known of the session yet: nobody is to blame
    if (this.session !== expected.session) return this.refuse("session", nowMs);
    if (frame.nChannels !== expected.nChannels) return this.refuse("channels", nowMs);
    return frame;
  }

  /** @param {number} nowMs */
  allowed(nowMs) {
    this.allowance = Math.min(BURST_FRAMES, this.allowance + ((nowMs - this.spentMs) * FRAMES_PER_S) / 1000);
    this.spentMs = nowMs;
    if (this.allowance < 1) return false;
    this.allowance -= 1;
    return true;
  }

  /**
   * @param {Reason} reason
   * @param {number} nowMs
   */
  refuse(reason, nowMs) {
    this.refused[reason] += 1;
    this.last = { reason, atMs: nowMs };
    return null;
  }

  /** Messages refused in all. */
  get total() {
    return Object.values(this.refused).reduce((sum, n) => sum + n, 0);
  }
}

/** @param {ArrayBuffer} buffer */
function decoded(buffer) {
  try {
    const frame = decodeFrame(buffer);
    const placed = frame.firstSample >= 0 && frame.firstSample < MOST_SAMPLE;
    return placed && frame.nSamples > 0 && frame.nChannels > 0 ? frame : null;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/**
 * @param {string} text
 * @returns {import("../wire").WaveHello | null}
 */
function parsed(text) {
  try {
    const said = JSON.parse(text);
    const named = typeof said?.session === "string" || said?.session === null;
    return named ? said : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
