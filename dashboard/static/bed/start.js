// @ts-check
/** The start of a session: patient, signal, montage, length, mains; from what is really on the network. */

import { byId, make, setText } from "../dom.js";
import { words } from "../words/catalogue.js";
import { say } from "../words/say.js";
import { ask, busy, dialogOf, showRefusal } from "./ask.js";

/** @typedef {import("../wire").Network} Network */
/** @typedef {import("../wire").NetworkStream} NetworkStream */

/**
 * A signal that a session may begin with, or why it may not.
 *
 * @typedef {object} Choice
 * @property {string} name
 * @property {string} detail
 * @property {string} why empty where it may be chosen
 * @property {string[]} montages
 * @property {Record<string, string>} body what the start says of it
 */

/**
 * What there is to choose from: every stream of samples, then what two of them are together.
 *
 * @param {Network} network
 * @returns {Choice[]}
 */
export function choicesOf({ streams, pairs, taken }) {
  const alone = streams.filter(({ rate_hz }) => rate_hz > 0).map((stream) => aloneChoice(stream, taken));
  /** @type {Map<string, Choice>} */
  const together = new Map();
  for (const pair of pairs) {
    const key = JSON.stringify([pair.signal, pair.partner]);
    const known = together.get(key);
    if (known) known.montages.push(pair.montage);
    else together.set(key, pairChoice(pair, taken));
  }
  return [...[...together.values()], ...alone].sort((a, b) => Number(a.why !== "") - Number(b.why !== ""));
}

/**
 * @param {NetworkStream} stream
 * @param {Network["taken"]} taken
 * @returns {Choice}
 */
function aloneChoice(stream, taken) {
  const { name, channel_count: n, rate_hz: rate } = stream;
  const unfit = stream.fits.length ? "" : say(words.work.begin.unfit, { why: stream.refused ?? "" });
  return {
    name: say(words.work.begin.alone, { name, n, rate }),
    detail: [where(stream), stream.origin === "simulated" ? words.work.begin.simulated : ""].filter(Boolean).join(" · "),
    why: takenWords(taken, stream.source_id) || unfit,
    montages: stream.fits,
    body: said(stream, ""),
  };
}

/**
 * @param {Network["pairs"][number]} pair
 * @param {Network["taken"]} taken
 * @returns {Choice}
 */
function pairChoice({ montage, signal, partner, channels }, taken) {
  const gives = say(words.work.begin.gives, { partner: partner.name, labels: channels.join(" ") });
  return {
    name: say(words.work.begin.together, { name: signal.name, partner: partner.name }),
    detail: [where(signal), where(partner), gives].join(" · "),
    why: takenWords(taken, signal.source_id) || takenWords(taken, partner.source_id),
    montages: [montage],
    body: { ...said(signal, ""), ...said(partner, "partner_") },
  };
}

/** @param {import("../wire").StreamIdentity} stream */
const where = ({ hostname, source_id }) => say(words.work.begin.where, { host: hostname, id: source_id || "---" });

/** @param {Network["taken"]} taken @param {string} id */
const takenWords = (taken, id) => (taken[id] ? say(words.work.begin.taken, { bed: taken[id]?.bed ?? "---" }) : "");

/**
 * @param {import("../wire").StreamIdentity} stream
 * @param {string} prefix
 */
function said({ name, source_id, hostname }, prefix) {
  const all = Object.entries({ name, source_id, hostname }).filter(([, value]) => value);
  return Object.fromEntries(all.map(([key, value]) => [prefix + key, value]));
}

/**
 * Which montage stands first: the usual one where it fits.
 *
 * @param {Choice | undefined} choice
 * @param {string} usual
 */
export function montagesOf(choice, usual) {
  const fits = choice?.montages ?? [];
  return fits.includes(usual) ? [usual, ...fits.filter((name) => name !== usual)] : fits;
}

/**
 * What a start asks for; the usual montage may be a file of its own, which only the server knows, so that it is not said.
 *
 * @param {Choice} choice
 * @param {{patient: string, montage: string, minutes: number, mains: number}} chosen
 * @param {string} usual
 */
export function bodyOf(choice, { patient, montage, minutes, mains }, usual) {
  const body = { patient: patient.trim(), ...choice.body, minutes, mains_hz: mains };
  return montage === usual ? body : { ...body, montage };
}

/**
 * @param {string} bed
 * @param {(text: string) => void} tell says what became of it
 * @returns {() => void} opens the dialog
 */
export function mountStart(bed, tell) {
  const dialog = dialogOf("start-dialog");
  const input = (/** @type {string} */ id) => /** @type {HTMLInputElement} */ (byId(`start-${id}`));
  const montage = /** @type {HTMLSelectElement} */ (byId("start-montage"));
  const mains = /** @type {HTMLSelectElement} */ (byId("start-mains"));
  const trouble = byId("start-trouble");
  /** @type {Choice[]} */
  let choices = [];
  let chosen = -1;
  let usual = "";
  let asked = 0;
  setText(byId("start-title"), say(words.work.begin.title, { bed }));

  async function look() {
    const asking = ++asked;
    showRefusal(trouble, null);
    setText(byId("start-looking"), words.work.begin.looking);
    const answer = await ask("/api/v1/streams", {});
    if (asking !== asked) return; // somebody looked again meanwhile
    setText(byId("start-looking"), "");
    if (!answer.ok) return showRefusal(trouble, answer.problem);
    take(/** @type {Network} */ (answer.data));
  }

  /** @param {Network} network */
  function take(network) {
    choices = choicesOf(network);
    usual = network.usual.montage;
    if (!input("minutes").value) input("minutes").value = String(network.usual.minutes);
    mains.value = String(network.usual.mains_hz);
    if (choices.length === 0) setText(byId("start-looking"), words.work.begin.none);
    renderChoices();
    choose(choices.findIndex(({ why }) => why === ""));
  }

  function renderChoices() {
    byId("start-choices").replaceChildren(...choices.map((choice, index) => choiceItem(choice, () => choose(index))));
  }

  /** @param {number} index */
  function choose(index) {
    chosen = index;
    const radio = byId("start-choices").querySelectorAll("input")[index];
    if (radio) radio.checked = true;
    montage.replaceChildren(...montagesOf(choices[index], usual).map((name) => new Option(name, name)));
  }

  byId("start-again").addEventListener("click", look);
  byId("start-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const choice = choices[chosen];
    if (choice === undefined) return showRefusal(trouble, { kind: "other", detail: words.work.begin.choose });
    const values = {
      patient: input("patient").value,
      montage: montage.value,
      minutes: Number(input("minutes").value),
      mains: Number(mains.value),
    };
    const answer = await busy(byId("start-form"), () =>
      ask(`/api/v1/beds/${encodeURIComponent(bed)}/start`, bodyOf(choice, values, usual)),
    );
    showRefusal(trouble, answer.ok ? null : answer.problem);
    if (!answer.ok) return;
    tell(say(words.work.begun, { session: answer.data.session }));
    dialog.close();
  });
  return () => {
    input("patient").value = "";
    dialog.showModal();
    void look();
  };
}

/**
 * @param {Choice} choice
 * @param {() => void} choose
 */
function choiceItem({ name, detail, why }, choose) {
  const item = make("li", "");
  const label = make("label", "");
  const radio = document.createElement("input");
  Object.assign(radio, { type: "radio", name: "signal", disabled: why !== "" });
  radio.addEventListener("change", choose);
  label.append(radio, make("span", "", name), make("span", "hint", [why, detail].filter(Boolean).join(" ")));
  label.setAttribute("data-free", String(why === ""));
  item.append(label);
  return item;
}
