// @ts-check
/** What the page asks the server for: each thing once, again while it is being made, and no more kept than is looked at. */

import { words } from "../words/catalogue.js";
import { told } from "../words/told.js";

/** Milliseconds between two questions about something that is being made. */
const AGAIN_MS = 700;
/** Windows of one answer, and of one page of the table. */
export const PAGE_ROWS = 100;
/** Pages of rows, and of traces, that are kept. */
const KEPT = 12;

/**
 * What the server refuses, and what to do.
 *
 * @param {import("./told").Refusal} refusal
 */
export const refusalWords = ({ detail = "", remedy = "" }) => [detail, remedy].filter(Boolean).map(told).join(words.numbers.between);

/** A refusal that came where something was asked for. */
export class Refused extends Error {
  /** @param {import("./told").Refusal} refusal */
  constructor(refusal) {
    super(refusalWords(refusal));
  }
}

/**
 * Ask until the answer is made.
 *
 * @param {string} path
 * @param {(share: number) => void} [onShare] told how much of it is made
 * @returns {Promise<Response>}
 * @throws {Refused}
 */
export async function ask(path, onShare = () => {}) {
  for (;;) {
    const answer = await fetch(path);
    if (answer.status !== 202) {
      if (!answer.ok) throw new Refused(await answer.json());
      return answer;
    }
    onShare((await answer.json()).share);
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

/**
 * A map that forgets what was not looked at for longest.
 *
 * @template K, V
 */
export class Recent {
  /** @param {number} most */
  constructor(most) {
    this.most = most;
    /** @type {Map<K, V>} */
    this.held = new Map();
  }

  /** @param {K} key @param {() => V} make @returns {V} */
  get(key, make) {
    const value = this.held.has(key) ? /** @type {V} */ (this.held.get(key)) : make();
    this.held.delete(key);
    this.held.set(key, value);
    for (const oldest of this.held.keys()) {
      if (this.held.size <= this.most) break;
      this.held.delete(oldest);
    }
    return value;
  }

  /** @param {K} key */
  forget(key) {
    this.held.delete(key);
  }
}

export class Library {
  /** @param {string} session */
  constructor(session) {
    this.api = `/api/v1/sessions/${encodeURIComponent(session)}`;
    /** @type {Recent<number, Promise<import("./told").Rows>>} */
    this.rows = new Recent(KEPT);
    /** @type {Recent<string, Promise<ArrayBuffer>>} */
    this.waves = new Recent(KEPT);
  }

  /** @returns {Promise<import("./told").Told>} */
  told() {
    return ask(this.api).then((answer) => answer.json());
  }

  /** @returns {Promise<import("./told").Course>} */
  course() {
    return ask(`${this.api}/course`).then((answer) => answer.json());
  }

  /** @param {(share: number) => void} onShare @returns {Promise<import("./told").Signal>} */
  signal(onShare) {
    return ask(`${this.api}/signal`, onShare).then((answer) => answer.json());
  }

  /** @param {(share: number) => void} onShare @returns {Promise<import("./told").Measures>} */
  measures(onShare) {
    return ask(`${this.api}/measures`, onShare).then((answer) => answer.json());
  }

  /**
   * The page of rows that holds a window.
   *
   * @param {number} place
   * @returns {Promise<import("./told").Rows>}
   */
  rowsAt(place) {
    const first = place - (place % PAGE_ROWS);
    return kept(this.rows, first, () => ask(`${this.api}/windows?first=${first}&n=${PAGE_ROWS}`).then((answer) => answer.json()));
  }

  /**
   * The bytes of a stretch: every sample, or so many columns.
   *
   * @param {number} from
   * @param {number} to
   * @param {number} columns 0 for every sample
   * @returns {Promise<ArrayBuffer>}
   */
  wave(from, to, columns = 0) {
    const path = `${this.api}/wave?from=${from}&to=${to}&px=${columns}`;
    return kept(this.waves, path, () => ask(path).then((answer) => answer.arrayBuffer()));
  }
}

/**
 * What failed is not kept: the next who asks tries again.
 *
 * @template K, V
 * @param {Recent<K, Promise<V>>} recent
 * @param {K} key
 * @param {() => Promise<V>} make
 */
function kept(recent, key, make) {
  const promise = recent.get(key, make);
  promise.catch(() => recent.forget(key));
  return promise;
}
