// @ts-check
/** The ward page: a card for every bed, with its state, four traces, the quality of its channels, and its age. */

import { CONTACT, ageWords, before, elapsedS, readClocks } from "../age.js";
import { openClock } from "../clock.js";
import { byId, fit, make, setAttribute, setShown, setText } from "../dom.js";
import { mountHelp } from "../help.js";
import { readInk } from "../signal/ink.js";
import { mountSteps } from "../steps.js";
import { onTheme } from "../theme.js";
import { say } from "../words/say.js";
import { words } from "../words/catalogue.js";
import { cardView, qualityView } from "./card.js";
import { openWard } from "./socket.js";
import { CardTraces, UV_PER_LANE } from "./traces.js";

/** @typedef {import("../wire").BedCard} BedCard */

/** Milliseconds between two renders of the words, and between two drawings: traces come ten times a second. */
const WORDS_MS = 250;
const DRAW_MS = 40;

/** What a card says over its traces, and below them. */
const ABOVE = /** @type {const} */ (["title", "patient", "state", "number", "parts", "span", "phase", "source"]);
const BELOW = /** @type {const} */ (["age", "model", "mode"]);

/** What belongs to a card on the page. @type {WeakMap<HTMLElement, CardTraces>} */
const tracesOf = new WeakMap();
/** @type {import("../signal/sweep.js").Ink | null} */
let ink = null;

function makeCard() {
  const item = make("li", "");
  const card = make("a", "card");
  /** @param {string} field */
  const text = (field) => make("span", `card-${field}`);
  card.append(...ABOVE.map(text), makeTraces(item), makeQuality(), ...BELOW.map(text));
  item.append(card);
  return item;
}

/** @param {HTMLElement} item */
function makeTraces(item) {
  const area = make("span", "card-traces");
  const canvas = /** @type {HTMLCanvasElement} */ (make("canvas", "card-sweep"));
  const silence = make("span", "card-silence");
  canvas.setAttribute("role", "img");
  area.append(make("span", "card-labels"), canvas, silence);
  const traces = new CardTraces(area, canvas, silence);
  if (ink !== null) traces.wear(ink);
  tracesOf.set(item, traces);
  return area;
}

function makeQuality() {
  const quality = make("span", "card-quality");
  quality.append(make("span", "dots"), make("span", "card-channels"));
  return quality;
}

/**
 * @param {HTMLElement} item
 * @param {BedCard} bed
 * @param {number} since
 */
function renderCard(item, bed, since) {
  const card = /** @type {HTMLElement} */ (item.firstElementChild);
  const shown = cardView(bed, since);
  setAttribute(card, "href", `/beds/${encodeURIComponent(bed.bed)}`);
  setAttribute(card, "data-look", shown.look);
  setAttribute(card, "data-recorded", String(shown.recorded));
  const parts = /** @type {HTMLElement[]} */ ([...card.children]);
  const [area, quality] = /** @type {[HTMLElement, HTMLElement]} */ (parts.splice(ABOVE.length, 2));
  [...ABOVE, ...BELOW].forEach((field, i) => setText(/** @type {Element} */ (parts[i]), shown[field]));
  renderQuality(quality, bed, since);
  renderLabels(area, bed);
}

/**
 * @param {Element} area
 * @param {BedCard} bed
 */
function renderLabels(area, bed) {
  const [labels, canvas] = /** @type {HTMLElement[]} */ ([...area.children]);
  if (labels === undefined || canvas === undefined) return;
  fit(labels, bed.drawn.length, () => make("span", "")).forEach((label, i) => setText(label, bed.drawn[i] ?? ""));
  setAttribute(canvas, "aria-label", say(words.ward.traces, { labels: bed.drawn.join(words.numbers.list) }));
}

/**
 * @param {Element} quality
 * @param {BedCard} bed
 * @param {number} since
 */
function renderQuality(quality, bed, since) {
  const [dots, said] = /** @type {HTMLElement[]} */ ([...quality.children]);
  if (dots === undefined || said === undefined) return;
  const view = qualityView(bed, since);
  setAttribute(dots, "aria-hidden", "true"); // the words beside them say the same
  fit(dots, view.grades.length, () => make("span", "dot")).forEach((dot, i) => {
    setAttribute(dot, "data-grade", view.grades[i] ?? "unknown");
    setAttribute(dot, "data-kind", bed.kinds[i] ?? "eeg");
  });
  setText(said, view.words);
}

function run() {
  /** @type {BedCard[]} */
  let beds = [];
  let heard = readClocks();
  let told = false;
  let renderedMs = -Infinity;
  let drawnMs = -Infinity;
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const list = byId("beds");
  const lateOf = openClock();

  /** @returns {HTMLElement[]} */
  const items = () => fit(list, beds.length, makeCard);

  /** @param {number} nowMs */
  function renderWords(nowMs) {
    const since = elapsedS(heard, readClocks());
    items().forEach((item, i) => {
      const bed = /** @type {BedCard} */ (beds[i]);
      renderCard(item, bed, since);
      tracesOf.get(item)?.begin(bed.wave_key);
      tracesOf.get(item)?.renderSilence(bed, since);
    });
    setShown(byId("no-beds"), told && beds.length === 0);
    setShown(byId("late"), since >= CONTACT.grey);
    setText(byId("late"), say(words.ward.late, { age: ageWords(since) }));
    renderedMs = nowMs;
  }

  /** @param {number} nowMs */
  function frame(nowMs) {
    if (nowMs - renderedMs >= WORDS_MS) renderWords(nowMs);
    if (nowMs - drawnMs >= DRAW_MS) {
      drawnMs = nowMs;
      items().forEach((item, i) => tracesOf.get(item)?.draw(/** @type {BedCard} */ (beds[i]), nowMs, calm.matches));
    }
    requestAnimationFrame(frame);
  }

  /** @param {import("../wire").WardMessage} message */
  function takeBeds(message) {
    const lateMs = lateOf(message.clock);
    [beds, heard, told] = [message.beds, before(readClocks(), lateMs), true];
    renderWords(performance.now());
    return lateMs;
  }

  /** @param {import("./envelope.js").Run[]} runs */
  function takeRuns(runs) {
    const byKey = new Map(items().map((item, i) => [beds[i]?.wave_key, tracesOf.get(item)]));
    for (const { key, frame: one } of runs) byKey.get(key)?.take(one);
  }

  function wear() {
    ink = readInk();
    for (const item of items()) tracesOf.get(item)?.wear(ink);
  }

  setText(byId("scales"), say(words.ward.scales, UV_PER_LANE));
  wear();
  onTheme(wear);
  mountSteps(list, words.ward.keys);
  mountHelp();
  openWard(takeBeds, takeRuns);
  requestAnimationFrame(frame);
}

if (typeof document !== "undefined") run();
