// @ts-check
/** Asking the server to do something, and what it says where it does not. */

import { make, setShown } from "../dom.js";
import { words } from "../words/catalogue.js";

/** Where the name of who works here is kept. */
const KEPT_AS = "flexion-author";

/**
 * A refusal, as far as the pages read it (RFC 9457).
 *
 * @typedef {object} Problem
 * @property {string} kind
 * @property {string} detail
 * @property {string} [remedy]
 */

/** @typedef {{ok: true, data: Record<string, any>} | {ok: false, problem: Problem}} Answer */

/**
 * Ask for something; whatever happens is an answer.
 *
 * @param {string} path
 * @param {Record<string, unknown>} body
 * @returns {Promise<Answer>}
 */
export async function ask(path, body) {
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ author: author(), ...body }),
    });
    const said = await answer.json();
    return answer.ok ? { ok: true, data: said } : { ok: false, problem: problemOf(said) };
  } catch {
    return { ok: false, problem: { kind: "unreachable", detail: "" } };
  }
}

/**
 * What the server said, whatever that was.
 *
 * @param {any} said
 * @returns {Problem}
 */
export function problemOf(said) {
  const text = (/** @type {unknown} */ value) => (typeof value === "string" ? value : "");
  return { kind: text(said?.kind) || "other", detail: text(said?.detail), remedy: text(said?.remedy) };
}

/**
 * A refusal in words: in English its own, which name what is wrong; else a sentence for its kind, and its own below.
 *
 * @param {Problem} problem
 * @param {import("../words/catalogue.js").Words} catalogue
 * @param {string} language
 * @returns {{words: string, own: string}}
 */
export function refusalWords(problem, catalogue, language) {
  const own = [problem.detail, problem.remedy].filter(Boolean).join(" ");
  const kinds = /** @type {Record<string, string>} */ (catalogue.work.refusals);
  const words = kinds[problem.kind] ?? catalogue.work.refusals.other;
  if (own === "") return { words, own: "" };
  return language.startsWith("zh") ? { words, own } : { words: own, own: "" };
}

/**
 * Show a refusal, or take it away.
 *
 * @param {HTMLElement} place
 * @param {Problem | null} problem
 */
export function showRefusal(place, problem) {
  place.replaceChildren();
  if (problem !== null) {
    const said = refusalWords(problem, words, document.documentElement.lang);
    place.append(said.words);
    if (said.own) place.append(own(said.own));
  }
  setShown(place, problem !== null);
}

/** @param {string} text */
function own(text) {
  const element = make("span", "own", text);
  element.setAttribute("lang", "en");
  return element;
}

/** Who works here; "" for somebody who did not say. */
export function author() {
  return localStorage.getItem(KEPT_AS) ?? "";
}

/** Every field of the page that asks for a name holds the same one, which this browser keeps. */
export function mountAuthors() {
  const fields = /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("input.author"));
  for (const field of fields) {
    field.value = author();
    field.addEventListener("input", () => {
      localStorage.setItem(KEPT_AS, field.value.trim());
      for (const other of fields) if (other !== field) other.value = field.value;
    });
  }
}

/**
 * The dialog with this id, whose presses on "close" close it.
 *
 * @param {string} id
 */
export function dialogOf(id) {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById(id));
  for (const button of dialog.querySelectorAll("button.close")) button.addEventListener("click", () => dialog.close());
  return dialog;
}

/**
 * Let nobody press twice while something is asked for.
 *
 * @template T
 * @param {HTMLElement} form
 * @param {() => Promise<T>} act
 */
export async function busy(form, act) {
  const submit = /** @type {HTMLButtonElement} */ (form.querySelector("button[type=submit]"));
  submit.disabled = true;
  try {
    return await act();
  } finally {
    submit.disabled = false;
  }
}
