// @ts-check
/** The page of a session: what its folder says, as it is. */

import { byId, make, setAttribute, setShown, setText } from "../dom.js";
import { pictureOf } from "./looked.js";
import { modeWord, originWord, partWords, percent, reasonWord } from "../words/words.js";

/**
 * @typedef {object} Folder
 * @property {Record<string, any>} info
 * @property {Record<string, any> | null} ledger
 * @property {Record<string, any>[]} results
 */

/**
 * Names and values of the folder's facts.
 *
 * @param {Folder} folder
 * @returns {[string, string][]}
 */
export function facts({ info, ledger, results }) {
  const books = ledger?.["ledger"] ?? ledger;
  const scans = results.filter((line) => "scan_sha256" in line);
  /** @type {[string, string][]} */
  const rows = [
    ["Session", info["session"]],
    ["Patient", info["patient"]],
    ["Bed", info["bed"] ?? "none"],
    ["Begun (UTC)", info["created_utc"]],
    ["Mode", [modeWord(info["mode"] ?? ""), originWord(info["origin"] ?? "")].filter(Boolean).join(", ")],
    ["Replay of", [info["replay_of"], partWords(info)].filter(Boolean).join(", ")],
    ["Montage", info["montage"]?.name ?? ""],
    ["Model", bundleWords(info["bundles"]?.eeg_emg)],
    ["Model of scans", info["bundles"]?.fmri ? bundleWords(info["bundles"].fmri) : ""],
    ["Results", String(results.length - scans.length)],
    ["Scored scans", scans.map(scanWords).join("; ")],
    ["Ended", ledger === null ? "not yet" : (ledger["reason"] ?? "yes")],
    ["Samples received", books ? String(books.received) : ""],
    ["Samples lost", books ? String(books.declared_lost) : ""],
    ["Ledger", books ? (books.balanced ? "adds up" : "does not add up") : ""],
  ];
  return rows.filter(([, value]) => value !== "" && value !== undefined);
}

/** @param {{name: string, version: string, sha256: string, origin: string} | null | undefined} bundle */
function bundleWords(bundle) {
  if (!bundle) return "none";
  const origin = bundle.origin === "synthetic" ? ", trained on simulated patients" : "";
  return `${bundle.name} ${bundle.version} (${bundle.sha256.slice(0, 12)})${origin}`;
}

/** @param {Record<string, any>} line of results.jsonl; one that the session refused may lack anything */
function scanWords(line) {
  return `${line["scanned_on"]}, ${line["quality"]?.slices ?? 0} slices (${String(line["scan_sha256"]).slice(0, 12)})`;
}

/**
 * Addresses of the pictures of the scans that the session's own model scored.
 *
 * @param {Folder} folder
 */
export function pictures({ info, results }) {
  const own = results.filter((line) => "scan_sha256" in line && line["bundle_sha256"] === info["bundles"]?.fmri?.sha256);
  return own.map((line) => pictureOf(info["session"], line["scan_sha256"]));
}

/** @param {string} address */
function picture(address) {
  const [link, image] = [make("a", ""), make("img", "looked")];
  setAttribute(link, "href", address);
  setAttribute(image, "src", address);
  setAttribute(image, "alt", "Slices of the scan, coloured where the image model looked");
  link.append(image);
  return link;
}

/** @param {Record<string, any>} result */
function resultCells(result) {
  const logit = result["logit"];
  const p = typeof logit === "number" ? percent(1 / (1 + Math.exp(-logit))) : "";
  const state = result["reason"] ? `${result["state"]}: ${reasonWord(result["reason"])}` : result["state"];
  return [result["index"], result["first_sample"], Number(result["sqi"]).toFixed(2), state.replaceAll("_", " "), p].map(String);
}

/** @param {string} id */
async function run(id) {
  const answer = await fetch(`/api/v1/sessions/${encodeURIComponent(id)}`);
  const said = await answer.json();
  setShown(byId("problem"), !answer.ok);
  if (!answer.ok) {
    setText(byId("problem"), [said.detail, said.remedy].filter(Boolean).join(" "));
    return;
  }
  const folder = /** @type {Folder} */ (said);
  setText(byId("title"), `Patient ${folder.info["patient"]}`);
  for (const [name, value] of facts(folder)) byId("facts").append(make("dt", "", name), make("dd", "", value));
  for (const result of folder.results.filter((line) => "index" in line)) {
    const row = make("tr", "");
    row.append(...resultCells(result).map((cell) => make("td", "", cell)));
    byId("results").append(row);
  }
  byId("looked").append(...pictures(folder).map(picture));
  setShown(byId("results-table"), folder.results.some((line) => "index" in line));
}

if (typeof document !== "undefined") void run(decodeURIComponent(location.pathname.split("/").at(-1) ?? ""));
