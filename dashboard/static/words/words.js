// @ts-check
/**
 * What codes of the system say to people at the bed. Kinds of words that the server makes itself (why no window came)
 * arrive as words.
 */

/** @param {Record<string, string>} words @param {string} code */
const look = (words, code) => words[code] ?? code.replaceAll("_", " ");

/** What the number is the chance of. */
export const OUTCOME_NAME = "Lower-limb motor function at 3 months (Fugl-Meyer above 17 of 34)";

const STATES = {
  COLLECTING: "Collecting",
  ABSTAINED: "Abstained",
  PARTIAL: "Partial",
  PROVISIONAL: "Provisional",
  READY: "Ready",
  INVALID: "Invalid",
  STALE: "Stale",
  UNSCORED: "Not scored",
  NONE: "No session",
  UNKNOWN: "Not known",
};

const STATE_MEANINGS = {
  COLLECTING: "No number yet: windows are still being scored.",
  ABSTAINED: "No number: the signal does not carry one.",
  PARTIAL: "Not all modalities.",
  PROVISIONAL: "Both modalities, few windows: it may still move.",
  READY: "Both modalities, enough windows.",
  INVALID: "No number: the model does not fit this signal.",
  STALE: "Not current. Do not use the number.",
  UNSCORED: "This session is recorded without a model.",
  NONE: "Nothing was started on this bed yet.",
  UNKNOWN: "What this bed does cannot be told now.",
};

const MODALITIES = { eeg_emg: "EEG and EMG", fmri: "fMRI", fusion: "Fusion of both" };

/** What of both modalities is weighed. */
const METHODS = { equal: "equal weights", logit_stack: "weighted log-odds", mean_prob: "weighted mean" };

const STATUSES = {
  absent: "absent",
  collecting: "collecting",
  ok: "used",
  abstained: "abstained",
  refused: "refused",
};

/** Why a window has no score; what comes after a colon is in words already. */
const REASONS = {
  quality: "signal quality too low",
  bundle_mismatch: "the model does not fit the signal",
};

/** What a channel's fault is called, and what to do about it. */
const FAULTS = {
  flat: ["flat", "press the electrode and re-gel"],
  saturated: ["at the rail", "check the electrode and the ground"],
  out_of_range: ["out of range", "check the electrode and the cable"],
  repaired: ["invalid values", "check the cable and the amplifier"],
  bridged: ["samples missing", "check the connection"],
  mains: ["mains hum", "re-gel; move cables away from mains"],
};

const FLAGS = {
  bridged: "single samples bridged",
  uncalibrated: "begun before the artifact stage was calibrated",
  unrecorded: "unrecorded",
  resampled: "resampled",
};

const PHASES = {
  preparation: "prepare",
  flexion: "flexion",
  rest: "rest",
  extension: "extension",
  settling: "settling, not scored",
};

const SOURCES = {
  SEARCHING: "Searching for the stream",
  CONNECTING: "Connecting",
  SETTLING: "Settling",
  LIVE: "Receiving",
  LATE: "Late",
  STALLED: "Stalled",
  LOST: "Lost",
  ENDED: "Ended",
};

const ROLES = { bridge: "the bridge", scorer: "the scorer", aggregator: "the aggregator" };

const MODES = { demo: "Demo", live: "Live", replay: "Replay", score: "Score" };
const ORIGINS = { simulated: "simulated patient", recorded: "recorded", live: "" };

/** @param {string} code */
export const stateWord = (code) => look(STATES, code);
/** @param {string} code */
export const stateMeaning = (code) => look(STATE_MEANINGS, code);
/** @param {string} code */
export const modalityWord = (code) => look(MODALITIES, code);
/** @param {string} code */
export const statusWord = (code) => look(STATUSES, code);

/** @param {string} code */
export const methodWord = (code) => look(METHODS, code);

/** @param {string} reason */
export function reasonWord(reason) {
  const [code = "", ...words] = reason.split(": ");
  return [look(REASONS, code), ...words].join(": ");
}

/** @param {string} code */
export const phaseWord = (code) => look(PHASES, code);
/** @param {string} code */
export const flagWord = (code) => look(FLAGS, code);
/** @param {string} code */
export const sourceWord = (code) => look(SOURCES, code.toUpperCase());
/** @param {string} code */
export const roleWord = (code) => look(ROLES, code);
/** @param {string} code */
export const modeWord = (code) => look(MODES, code);
/** @param {string} code */
export const originWord = (code) => look(ORIGINS, code);

/** @param {string} code */
export const faultWord = (code) => /** @type {Record<string, string[]>} */ (FAULTS)[code]?.[0] ?? code;
/** @param {string} code */
export const faultRemedy = (code) => /** @type {Record<string, string[]>} */ (FAULTS)[code]?.[1] ?? "check it";

/**
 * A probability in whole percent; the ends are never claimed.
 *
 * @param {number} p
 */
export function percent(p) {
  const whole = Math.round(100 * p);
  if (whole < 1) return "<1 %";
  return whole > 99 ? ">99 %" : `${whole} %`;
}

/**
 * The same as a count of people.
 *
 * @param {number} p
 */
export function inTen(p) {
  const tenths = Math.round(10 * p);
  if (tenths < 1) return "fewer than 1 in 10";
  return tenths > 9 ? "more than 9 in 10" : `about ${tenths} in 10`;
}

/**
 * Points at 3 months with their interval, in whole points.
 *
 * @param {{value: number, interval: [number, number]}} fma
 */
export function pointsWords({ value, interval: [low, high] }) {
  return `Fugl-Meyer at 3 months: ${Math.round(value)} of 34 (${Math.round(low)} to ${Math.round(high)})`;
}

/**
 * What weighs both modalities, each weight with its interval over resampled patients.
 *
 * @param {import("../wire").Weighing} weighing
 */
export function weightsWords({ weights, untrained }) {
  const each = [weightWords("eeg_emg", weights.eeg_emg), weightWords("fmri", weights.fmri)].join(", ");
  return untrained ? `${each}; no patient had a say in them` : `${each}; 90 % intervals over resampled patients`;
}

/** @param {string} modality @param {import("../wire").Weight} weight */
function weightWords(modality, { value, interval }) {
  const span = interval === null ? "" : ` (${interval[0].toFixed(2)} to ${interval[1].toFixed(2)})`;
  return `${modalityWord(modality)} ${value.toFixed(2)}${span}`;
}

/**
 * Minutes and seconds.
 *
 * @param {number} s
 */
export function clockWords(s) {
  const whole = Math.max(0, Math.floor(s));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/**
 * Which part of its recording a replay plays, and how often; "" where it is all of it, once.
 *
 * @param {{excerpt?: {from_s: number, to_s: number} | null, rounds?: number}} session
 */
export function partWords({ excerpt, rounds = 1 }) {
  const part = excerpt ? `${clockWords(excerpt.from_s)} to ${clockWords(excerpt.to_s)}` : "";
  const often = rounds === 1 ? "" : rounds === 0 ? "over and over" : `${rounds} times over`;
  return [part, often].filter(Boolean).join(", ");
}

/**
 * The time of day on this machine.
 *
 * @param {string} utc ISO 8601
 */
export function timeOfDay(utc) {
  const time = new Date(utc);
  return `${String(time.getHours()).padStart(2, "0")}:${String(time.getMinutes()).padStart(2, "0")}`;
}
