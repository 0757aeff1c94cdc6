// @ts-check
/**
 * One sweep is one page of 10 s, and a page is one window: which column of the screen belongs to which sample.
 *
 * Pages are counted from where the first window of the segment begins, 4 s after the segment's first sample, so that
 * the left edge of a page is the first sample of a window. Columns are counted on, page after page ("absolute").
 */

/** Samples of a page: one window. */
export const PAGE_SAMPLES = 10_000;
/** The phases of a trial; every other marker that means something ends the one before. */
export const PHASES = ["preparation", "flexion", "rest", "extension"];
/** Samples after a segment's begin that no window holds. */
export const SETTLING_SAMPLES = 4_000;

export class Page {
  /**
   * @param {number} width columns of a page, in device pixels
   * @param {number} origin first sample of any page
   */
  constructor(width, origin) {
    this.width = width;
    this.origin = origin;
  }

  /**
   * The absolute column in which a sample lies.
   *
   * @param {number} sample
   */
  column(sample) {
    return Math.floor(((sample - this.origin) * this.width) / PAGE_SAMPLES);
  }

  /**
   * First sample of an absolute column.
   *
   * @param {number} column
   */
  first(column) {
    return this.origin + Math.ceil((column * PAGE_SAMPLES) / this.width);
  }

  /**
   * Where an absolute column stands on the screen, from the left.
   *
   * @param {number} column
   */
  x(column) {
    return ((column % this.width) + this.width) % this.width;
  }

  /**
   * First sample of the page in which a sample lies.
   *
   * @param {number} sample
   */
  start(sample) {
    return this.origin + Math.floor((sample - this.origin) / PAGE_SAMPLES) * PAGE_SAMPLES;
  }
}

/**
 * The segment that a sample belongs to: the last that begins at or before it.
 *
 * @param {import("../wire").Segment[]} segments in order
 * @param {number} sample
 * @returns {import("../wire").Segment | undefined}
 */
export function segmentAt(segments, sample) {
  return segments.findLast((segment) => segment.first_sample <= sample);
}

/**
 * The origin of the pages while a sample is drawn.
 *
 * @param {import("../wire").Segment[]} segments
 * @param {number} sample
 */
export function originAt(segments, sample) {
  return (segmentAt(segments, sample)?.first_sample ?? 0) + SETTLING_SAMPLES;
}

/**
 * @typedef {object} Span
 * @property {string} phase of the paradigm, or "settling", or ""
 * @property {number} from
 * @property {number} to
 */

/**
 * The phases over [from, to), each cut to it; a phase lasts until the next marker that the montage knows.
 *
 * @param {import("../wire").Marker[]} markers in order
 * @param {number} from
 * @param {number} to
 * @returns {Span[]}
 */
export function phaseSpans(markers, from, to) {
  /** @type {Span[]} */
  const spans = [];
  const known = markers.filter(({ phase }) => phase !== null);
  for (const [i, { phase, sample }] of known.entries()) {
    const begin = Math.max(from, sample);
    const end = Math.min(to, known[i + 1]?.sample ?? to);
    if (begin < end && phase !== null && PHASES.includes(phase)) spans.push({ phase, from: begin, to: end });
  }
  return spans;
}

/**
 * The settling after the begin of each segment over [from, to), each cut to it.
 *
 * @param {import("../wire").Segment[]} segments
 * @param {number} from
 * @param {number} to
 * @returns {Span[]}
 */
export function settlingSpans(segments, from, to) {
  return segments
    .map(({ first_sample: first }) => ({
      phase: "settling",
      from: Math.max(from, first),
      to: Math.min(to, first + SETTLING_SAMPLES),
    }))
    .filter((span) => span.from < span.to);
}

/**
 * @typedef {object} Boundary
 * @property {number} sample the first of a window
 * @property {number} index the window's; the one that is being filled has the next
 */

/**
 * Where windows begin over [from, to): those that were made, and the one that is being filled.
 *
 * @param {Iterable<import("../wire").WindowMade>} windows
 * @param {import("../wire").Segment[]} segments
 * @param {number} from
 * @param {number} to
 * @returns {Boundary[]}
 */
export function boundariesIn(windows, segments, from, to) {
  /** @type {Boundary[]} */
  const found = [];
  let [next, filling] = [0, (segments.at(-1)?.first_sample ?? 0) + SETTLING_SAMPLES];
  for (const { index, first_sample: sample, n_samples: n } of windows) {
    if (sample >= from && sample < to) found.push({ sample, index });
    next = Math.max(next, index + 1);
    filling = Math.max(filling, sample + n);
  }
  if (segments.length > 0 && filling >= from && filling < to) found.push({ sample: filling, index: next });
  return found;
}

/**
 * A number of microvolts that fits in half a lane and that people can read: 1, 2 or 5 and noughts.
 *
 * @param {number} uvPerLane
 */
export function barUv(uvPerLane) {
  const most = uvPerLane / 2;
  const nought = 10 ** Math.floor(Math.log10(most));
  return nought * ([5, 2, 1].find((n) => n * nought <= most) ?? 1);
}
