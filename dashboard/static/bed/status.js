// @ts-check
/** What stands around the traces: who, which mode, source, recording, time, latency, drawing, engine, models, disk, Redis. */

import { CONTACT, ageWords, elapsedS, lookOf, worst } from "../age.js";
import { byId, changes, setAttribute, setShown, setText } from "../dom.js";
import { LOW_BYTES, bytesWords } from "./notices.js";
import { PHASES } from "../signal/page.js";
import { closedUtc } from "./store.js";
import { words } from "../words/catalogue.js";
import { say } from "../words/say.js";
import { told } from "../words/told.js";
import { clockWords, modeWord, originWord, partWords, phaseWord, sourceWord, timeOfDay } from "../words/words.js";

/** @typedef {import("./store.js").BedState} BedState */
/** @typedef {import("../age.js").Now} Now */
/** @typedef {import("../age.js").Look} Look */
/** @typedef {import("../signal/stats.js").Stats} Stats */
/** @typedef {{words: string, look: Look, level?: string}} Item */

/**
 * Everything around the traces, by the id of its element.
 *
 * @param {BedState} state
 * @param {Now} now
 * @param {Stats | null} [stats] how well the drawing keeps up
 * @returns {Record<string, Item>}
 */
export function statusItems(state, now, stats = null) {
  const bridge = contactLook(state, "bridge", now);
  const scorer = contactLook(state, "scorer", now);
  return {
    patient: { words: state.session ? say(words.status.patient, { patient: state.session.patient }) : "", look: "fresh" },
    mode: { words: modeWords(state), look: "fresh", level: state.session?.mode ?? "none" },
    source: { words: sourceWords(state), look: bridge },
    recording: recordingItem(state, bridge),
    elapsed: { words: elapsedWords(state), look: bridge },
    phase: { words: phaseNow(state), look: bridge },
    latency: { words: latencyWords(state), look: worst(bridge, scorer) },
    screen: { words: screenWords(state, stats), look: bridge },
    timing: { words: timingWords(state), look: bridge },
    engine: engineItem(state, scorer),
    model: { words: modelWords(state), look: "fresh" },
    disk: diskItem(state, bridge),
    redis: redisItem(state, now),
    ledger: { words: ledgerWords(state), look: bridge },
  };
}

/**
 * @param {BedState} state
 * @param {"bridge" | "scorer" | "aggregator"} role
 * @param {Now} now
 * @returns {Look}
 */
function contactLook(state, role, now) {
  if (closedUtc(state) !== null || state.sessionId === null) return "fresh";
  const heard = state.contact?.roles[role].age_s ?? 0;
  return lookOf(heard + elapsedS(state.contactAt, now), CONTACT);
}

/** @param {BedState} state */
function modeWords({ session }) {
  if (session === null) return "";
  const mode = [modeWord(session.mode), originWord(session.origin), partWords(session)].filter(Boolean).join(words.numbers.list);
  return session.resampled_from_hz ? say(words.status.resampled, { mode, rate: session.resampled_from_hz }) : mode;
}

/** @param {BedState} state */
function sourceWords(state) {
  if (state.sessionId === null) return "";
  const closed = closedUtc(state);
  if (closed !== null) return say(words.status.ended, { time: timeOfDay(closed) });
  const bridge = state.contact?.bridge;
  const said = bridge?.state ?? state.source?.state ?? "SEARCHING";
  const cause = bridge ? bridge.cause : state.source?.cause;
  return cause ? say(words.status.because, { state: sourceWord(said), cause: told(cause) }) : sourceWord(said);
}

/**
 * @param {BedState} state
 * @param {Look} look
 * @returns {Item}
 */
function recordingItem(state, look) {
  if (state.sessionId === null) return { words: "", look };
  if (closedUtc(state) !== null) return { words: words.status.recordingClosed, look, level: "closed" };
  const recorded = state.contact?.bridge?.recorded;
  if (recorded === undefined) return { words: words.status.recordingUnknown, look, level: "unknown" };
  return recorded ? { words: words.status.recording, look, level: "on" } : { words: words.status.unrecorded, look, level: "off" };
}

/** @param {BedState} state */
function elapsedWords(state) {
  const { session, contact } = state;
  const next = contact?.bridge?.next_sample;
  if (session === null || next === undefined) return "";
  const elapsed = clockWords(next / session.rate_hz);
  if (!session.planned_s || closedUtc(state) !== null) return elapsed;
  return say(words.status.elapsedOf, { elapsed, planned: clockWords(session.planned_s) });
}

/** @param {BedState} state */
function phaseNow(state) {
  const phase = state.markers.findLast((marker) => marker.phase !== null)?.phase ?? "";
  if (closedUtc(state) !== null || !PHASES.includes(phase)) return "";
  const trial = trialNow(state);
  return trial > 0 ? say(words.status.trial, { n: trial, phase: phaseWord(phase) }) : phaseWord(phase);
}

/**
 * The trial that the bridge named, and those that began since.
 *
 * @param {BedState} state
 */
function trialNow({ contact, markers }) {
  const bridge = contact?.bridge;
  if (!bridge?.trial || bridge.next_sample === undefined) return 0;
  const heard = bridge.next_sample;
  return bridge.trial + markers.filter(({ phase, sample }) => phase === "preparation" && sample >= heard).length;
}

/** @param {BedState} state */
function latencyWords({ contact }) {
  const latency = contact?.bridge?.latency_s;
  return typeof latency === "number" ? say(words.status.latency, { s: latency.toFixed(2) }) : words.status.latencyNone;
}

/**
 * The amplifier's true rate, once it is known, and that of a second one.
 *
 * @param {BedState} state
 */
function timingWords({ contact }) {
  const known = (contact?.bridge?.timing ?? []).filter(({ rate_hz }) => typeof rate_hz === "number");
  if (known.length === 0) return "";
  return say(words.status.rate, { rates: known.map(({ rate_hz }) => Number(rate_hz).toFixed(2)).join(words.numbers.and) });
}

/**
 * @param {BedState} state
 * @param {Look} look
 * @returns {Item}
 */
function engineItem({ lastResult }, look) {
  const engine = lastResult?.engine;
  if (!engine) return { words: words.status.engineNone, look };
  const { backend, device, precision } = engine;
  const sentence = engine.degraded ? words.status.engineFallback : words.status.engine;
  const said = { words: say(sentence, { backend, device, precision }), look };
  return engine.degraded ? { ...said, level: "degraded" } : said;
}

/**
 * How old a sample is when it is drawn, and how often is drawn; nothing where there is nothing to draw.
 *
 * @param {BedState} state
 * @param {Stats | null} stats
 */
function screenWords(state, stats) {
  if (stats === null || state.sessionId === null || closedUtc(state) !== null) return "";
  const { fps, sample_to_pixel_p50_ms: ms } = stats;
  return ms === null ? words.status.screenNone : say(words.status.screen, { ms: Math.round(ms), fps: Math.round(fps) });
}

/** @param {BedState} state */
function modelWords({ session }) {
  if (session === null) return "";
  const bound = [session.bundles.eeg_emg, session.bundles.fmri].filter((bundle) => bundle !== null);
  const models = bound.map((bundle) => `${bundle.name} ${bundle.version}`).join(words.numbers.list);
  return models ? say(words.status.model, { models }) : words.status.modelNone;
}

/**
 * @param {BedState} state
 * @param {Look} look
 * @returns {Item}
 */
function diskItem(state, look) {
  const free = state.contact?.bridge?.disk_free_bytes;
  if (typeof free !== "number" || closedUtc(state) !== null) return { words: "", look };
  const said = { words: say(words.status.disk, { free: bytesWords(free) }), look };
  return free < LOW_BYTES ? { ...said, level: "low" } : said;
}

/**
 * @param {BedState} state
 * @param {Now} now
 * @returns {Item}
 */
function redisItem({ contact, contactAt }, now) {
  const ageS = (contact?.redis.age_s ?? 0) + elapsedS(contactAt, now);
  const look = lookOf(ageS, CONTACT);
  if (contact === null) return { words: words.status.redisNone, look };
  return { words: look === "fresh" ? words.status.redisAnswers : say(words.status.redisSilent, { age: ageWords(ageS) }), look: "fresh", level: look };
}

/** @param {BedState} state */
function ledgerWords({ session, contact, end }) {
  const books = end?.ledger ?? contact?.bridge?.ledger;
  if (!books) return words.status.ledgerNone;
  const rate = session?.rate_hz ?? 1000;
  const received = say(words.status.received, { s: (books.received / rate).toFixed(0) });
  const { declared_lost } = books;
  const lost = declared_lost > 0 ? say(words.status.lost, { s: (declared_lost / rate).toFixed(1) }) : words.status.noneLost;
  return [received, lost, ...(books.balanced ? [] : [words.status.unbalanced])].join(words.numbers.list);
}

/**
 * The status items on the page.
 *
 * @param {string} bed
 * @param {() => Stats | null} stats
 * @returns {(state: BedState, now: Now) => void}
 */
export function mountStatus(bed, stats) {
  setText(byId("bed-name"), say(words.status.bed, { bed }));
  document.title = `${say(words.status.bed, { bed })} · Flexion`;
  const places = /** @type {Record<string, {element: HTMLElement, changed: ReturnType<typeof changes>}>} */ ({});
  const changed = changes();
  return (state, now) => {
    for (const [id, item] of Object.entries(statusItems(state, now, stats()))) {
      const place = (places[id] ??= { element: byId(id), changed: changes() });
      if (place.changed(item.words, item.look, item.level)) renderItem(place.element, item);
    }
    if (!changed(state.sessionId)) return;
    setShown(byId("folder"), state.sessionId !== null);
    setAttribute(byId("folder"), "href", `/sessions/${state.sessionId}`);
  };
}

/**
 * @param {HTMLElement} element
 * @param {Item} item
 */
function renderItem(element, item) {
  const gone = item.look === "gone" && item.words !== "";
  setText(element, gone ? "---" : item.words);
  setShown(element, item.words !== "");
  setAttribute(element, "data-look", item.look);
  setAttribute(element, "data-level", item.level ?? null);
}
