// @ts-check
/** The facts of a session: who, when, which models, what became of its samples. */

import { words } from "../words/catalogue.js";
import { say } from "../words/say.js";
import { modeWord, originWord, partWords } from "../words/words.js";
import { pictureOf } from "./looked.js";

/** @typedef {import("./told").Told} Told */

/**
 * Names and values of the folder's facts; what is not known is left out.
 *
 * @param {Told} told
 * @returns {[string, string][]}
 */
export function facts({ info, ledger, windows, scans, digest }) {
  const names = words.session.facts;
  const books = ledger?.["ledger"] ?? null;
  /** @type {[string, string | undefined | null][]} */
  const rows = [
    [names.session, info["session"]],
    [names.patient, info["patient"]],
    [names.bed, info["bed"] ?? words.session.none],
    [names.begun, info["created_utc"]],
    [names.mode, [modeWord(info["mode"] ?? ""), originWord(info["origin"] ?? "")].filter(Boolean).join(words.numbers.list)],
    [names.replayOf, [info["replay_of"], partWords(info)].filter(Boolean).join(words.numbers.list)],
    [names.montage, info["montage"]?.name],
    [names.model, bundleWords(info["bundles"]?.eeg_emg)],
    [names.modelOfScans, info["bundles"]?.fmri ? bundleWords(info["bundles"].fmri) : ""],
    [names.results, String(windows["results"] ?? 0)],
    [names.scans, scans.map(scanWords).join(words.numbers.semicolon)],
    [names.ended, ledger === null ? words.session.notYet : (ledger["reason"] ?? words.session.yes)],
    [names.ledger, books ? (books.balanced ? words.session.addsUp : words.session.doesNotAddUp) : ""],
    [words.session.digest, digest],
  ];
  return rows.flatMap(([name, value]) => (value ? [/** @type {[string, string]} */ ([name, value])] : []));
}

/** @param {{name: string, version: string, sha256: string, origin: string} | null | undefined} bundle */
function bundleWords(bundle) {
  if (!bundle) return words.session.none;
  const said = `${bundle.name} ${bundle.version} (${bundle.sha256.slice(0, 12)})`;
  return bundle.origin === "synthetic" ? say(words.session.bundleSynthetic, { bundle: said }) : said;
}

/** @param {Record<string, any>} line of results.jsonl; one that the session refused may lack anything */
function scanWords(line) {
  const sha = String(line["scan_sha256"]).slice(0, 12);
  return say(words.session.scan, { date: String(line["scanned_on"]), slices: line["quality"]?.slices ?? 0, sha });
}

/**
 * Addresses of the pictures of the scans that the session's own model scored.
 *
 * @param {Told} told
 */
export function pictures({ info, scans }) {
  const own = scans.filter((line) => line["bundle_sha256"] === info["bundles"]?.fmri?.sha256);
  return own.map((line) => pictureOf(info["session"], line["scan_sha256"]));
}

/**
 * What could not be read, a sentence each.
 *
 * @param {Told} told
 */
export function problemWords({ problems }) {
  return problems.map(({ file, kind, line = 0, n = 0 }) => say(words.session.problem[kind] ?? kind, { file, line, n }));
}
