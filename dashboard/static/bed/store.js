// @ts-check
/**
 * The state of one bed, made from its messages in order; a snapshot forgets all before it.
 *
 * Windows, results, segments and markers have their place: hearing one twice changes nothing.
 */

import { before, readClocks } from "../age.js";

/** Markers, segments and notices kept: more than a page or a list can show. */
const KEPT = 64;
/** Notes kept: as many as the server has of a session. */
const KEPT_NOTES = 200;

/**
 * @typedef {object} BedState
 * @property {boolean} told whether a snapshot came: before, nothing is known
 * @property {string | null} sessionId
 * @property {import("../wire").Session | null} session
 * @property {import("../wire").Source | null} source
 * @property {import("../wire").Segment[]} segments
 * @property {import("../wire").Marker[]} markers
 * @property {Map<number, import("../wire").WindowMade>} windows
 * @property {Map<number, import("../wire").Result>} results
 * @property {import("../wire").WindowMade | null} lastWindow that was told: with it the map of windows has changed
 * @property {import("../wire").Result | null} lastResult
 * @property {import("../wire").Outcome | null} outcome
 * @property {import("../wire").Notice[]} notices
 * @property {import("../wire").Note[]} notes
 * @property {import("../wire").Marker[]} marks those markers that a person made
 * @property {import("../wire").End | null} end
 * @property {import("../wire").Contact | null} contact
 * @property {import("../age.js").Now} contactAt when the last contact message, or this page, came
 */

/**
 * @param {import("../age.js").Now} now
 * @returns {BedState}
 */
export function emptyState(now) {
  return {
    told: false,
    sessionId: null,
    session: null,
    source: null,
    segments: [],
    markers: [],
    windows: new Map(),
    results: new Map(),
    lastWindow: null,
    lastResult: null,
    outcome: null,
    notices: [],
    notes: [],
    marks: [],
    end: null,
    contact: null,
    contactAt: now,
  };
}

/**
 * The state after one message; the arrays and maps of the state before are reused.
 *
 * @param {BedState} state
 * @param {import("../wire").Message} message
 * @param {import("../age.js").Now} now when it came
 * @returns {BedState}
 */
export function reduce(state, message, now) {
  switch (message.type) {
    case "snapshot":
      return fromSnapshot(state, message.data, now);
    case "contact":
      return { ...state, contact: message.data, contactAt: now };
    case "window":
      state.windows.set(message.data.index, message.data);
      return { ...state, lastWindow: message.data };
    case "result":
      state.results.set(message.data.index, message.data);
      return { ...state, lastResult: message.data };
    case "segment":
      return { ...state, segments: kept(state.segments, message.data, ({ segment }) => segment, ({ segment }) => segment) };
    case "marker":
      return { ...state, ...withMarker(state, message.data) };
    case "notice":
      return { ...state, notices: [...state.notices, message.data].slice(-KEPT) };
    case "note":
      return { ...state, notes: kept(state.notes, message.data, ({ sample }) => sample, nameOfNote, KEPT_NOTES) };
    case "session":
    case "source":
    case "outcome":
    case "end":
      return { ...state, [message.type]: message.data };
    default:
      return state; // a newer server may say more than this page shows
  }
}

/**
 * The list with one more, in order; one that is told again (a bridge that was started again tells all) is put in its place.
 *
 * @template T
 * @param {T[]} list
 * @param {T} added
 * @param {(one: T) => number} place
 * @param {(one: T) => string | number} name two of one name are the same
 * @param {number} [most]
 */
function kept(list, added, place, name, most = KEPT) {
  const others = list.filter((one) => name(one) !== name(added));
  return [...others, added].sort((a, b) => place(a) - place(b)).slice(-most);
}

/**
 * Marks that people made are kept by themselves too: the paradigm's markers would push them out.
 *
 * @param {BedState} state
 * @param {import("../wire").Marker} marker
 */
function withMarker({ markers, marks }, marker) {
  /** @param {import("../wire").Marker[]} list @param {number} most */
  const among = (list, most) => kept(list, marker, ({ sample }) => sample, ({ sample, text }) => `${sample} ${text}`, most);
  return { markers: among(markers, KEPT), marks: marker.author === undefined ? marks : among(marks, KEPT_NOTES) };
}

/** @param {import("../wire").Note} note */
const nameOfNote = ({ text, author, sample, utc }) => JSON.stringify([text, author, sample, utc]);

/**
 * Whether the session is recorded without being scored: it is bound to no model.
 *
 * @param {BedState} state
 */
export function isUnscored({ session }) {
  return session !== null && !session.bundles.eeg_emg && !session.bundles.fmri;
}

/**
 * When the session was closed, or null while it is open.
 *
 * @param {BedState} state
 * @returns {string | null} ISO 8601
 */
export function closedUtc(state) {
  const told = state.contact?.session === state.sessionId ? state.contact?.closed_utc : null;
  return state.end?.ended_utc ?? told ?? null;
}

/**
 * @param {BedState} state
 * @param {import("../wire").Snapshot} snapshot
 * @param {import("../age.js").Now} now
 */
function fromSnapshot(state, snapshot, now) {
  const begun = { ...emptyState(now), contact: state.contact, contactAt: state.contactAt };
  return snapshot.entries.reduce((before, entry) => reduce(before, entry, now), {
    ...begun,
    told: true,
    sessionId: snapshot.session,
  });
}

/**
 * @typedef {object} Store
 * @property {() => BedState} state
 * @property {(message: import("../wire").Message, lateMs?: number) => void} apply a message that was so long on its way
 * @property {(reader: (state: BedState) => void) => () => void} subscribe calls at once and after every message;
 *   returns its own undo
 */

/**
 * @param {() => import("../age.js").Now} clocks
 * @returns {Store}
 */
export function createStore(clocks = readClocks) {
  let state = emptyState(clocks());
  /** @type {Set<(state: BedState) => void>} */
  const readers = new Set();
  return {
    state: () => state,
    apply(message, lateMs = 0) {
      state = reduce(state, message, before(clocks(), lateMs));
      for (const reader of readers) reader(state);
    },
    subscribe(reader) {
      readers.add(reader);
      reader(state);
      return () => readers.delete(reader);
    },
  };
}
