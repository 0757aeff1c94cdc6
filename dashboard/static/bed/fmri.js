// @ts-check
/**
 * The patient's scan: its slices, one at a time, and over them, only when somebody asks, where the image model looked.
 *
 * Slices and focus are two sheets of pictures that lie one over the other; both stay in the browser's cache for good.
 * The focus is off whenever a page begins: people lean on such maps, right or wrong, and a cell is centimetres wide.
 */

import { byId, setAttribute, setShown, setText } from "../dom.js";
import { words } from "../words/catalogue.js";
import { say } from "../words/say.js";
import { told } from "../words/told.js";

/** @typedef {import("../wire").Scan} Scan */

/**
 * @typedef {object} Looking
 * @property {number} at which slice, from below
 * @property {boolean} focused whether the focus is shown
 */

/**
 * @typedef {object} ScanView
 * @property {string} place
 * @property {string} alt
 * @property {string} size of a sheet, in slices, as CSS has it
 * @property {string} position of the slice on its sheet
 * @property {string} sanity how far to trust the focus
 * @property {string} flags what of the scan differs from what the model learned from, "" where nothing does
 * @property {string} trouble why there are no slices, "" where there are
 */

/**
 * Where a scan is told of: the outcome's, once it is part of the number.
 *
 * @param {string | null} session
 * @param {import("../wire").Outcome | null} outcome
 */
export function addressOf(session, outcome) {
  const scan = outcome?.parts.fmri.status === "ok" ? outcome.parts.fmri.scan_sha256 : null;
  return session && scan ? `/api/v1/sessions/${encodeURIComponent(session)}/scans/${encodeURIComponent(scan)}` : "";
}

/**
 * What the panel says of a slice.
 *
 * @param {Scan} scan
 * @param {Looking} looking
 * @returns {ScanView}
 */
export function scanView(scan, { at, focused }) {
  const n = scan.slices.length;
  const slice = scan.slices[at];
  const flags = scan.flags.map(told).join(words.numbers.semicolon);
  const about = { sanity: sanityWords(scan), flags: flags && say(words.fmri.flags, { flags }) };
  if (!scan.sheets || slice === undefined) {
    return { place: "", alt: "", size: "", position: "", ...about, trouble: words.fmri.noSheets };
  }
  const level = `${slice.level_mm > 0 ? "+" : ""}${Math.round(slice.level_mm)}`.replace("-", "−");
  const named = { n: at + 1, of: n, level };
  const place = [say(words.fmri.place, named), say(words.fmri.level, named)];
  if (focused) place.push(say(words.fmri.rank, { ...named, rank: slice.rank }));
  return {
    place: place.join(words.numbers.list),
    alt: say(focused ? words.fmri.altFocus : words.fmri.alt, named),
    ...placeOnSheet(at, n, scan.sheets.columns),
    ...about,
    trouble: "",
  };
}

/**
 * How large a sheet is against one slice, and where on it the slice lies; percent, so that any size of picture fits.
 *
 * @param {number} at
 * @param {number} n
 * @param {number} columns
 */
export function placeOnSheet(at, n, columns) {
  const rows = Math.ceil(n / columns);
  /** @param {number} i @param {number} of */
  const share = (i, of) => (of > 1 ? (100 * i) / (of - 1) : 0);
  return {
    size: `${100 * columns}% ${100 * rows}%`,
    position: `${share(at % columns, columns)}% ${share(Math.floor(at / columns), rows)}%`,
  };
}

/** @param {Scan} scan */
function sanityWords({ attention: { sanity, cell_mm } }) {
  const checked = sanity ? say(words.fmri.sanity, { r: sanity.correlation.toFixed(2), n: sanity.n_slices }) : words.fmri.sanityNone;
  const cell = typeof cell_mm === "number" ? say(words.fmri.cell, { mm: Math.round(cell_mm) }) : "";
  return [cell, checked].filter(Boolean).join(words.numbers.between);
}

/**
 * Read a scan; null where it is not on this machine, or cannot be read.
 *
 * @param {string} address
 * @returns {Promise<Scan | null>}
 */
async function read(address) {
  try {
    const answer = await fetch(address);
    return answer.ok ? await answer.json() : null;
  } catch {
    return null; // the server is away: opening the panel again asks again
  }
}

/** The panel of one page. */
export class ScanPanel {
  constructor() {
    this.panel = /** @type {HTMLDetailsElement} */ (byId("fmri"));
    this.slider = /** @type {HTMLInputElement} */ (byId("fmri-slice"));
    this.opacity = /** @type {HTMLInputElement} */ (byId("fmri-opacity"));
    this.address = "";
    this.focused = false;
    /** @type {Scan | null} */
    this.scan = null;
    /** Which reading is the newest: an answer that comes after another scan was asked for is not shown. */
    this.asked = 0;
    this.panel.addEventListener("toggle", () => this.opened());
    this.slider.addEventListener("input", () => this.render());
    this.opacity.addEventListener("input", () => this.render());
    byId("fmri-show").addEventListener("click", () => this.turn());
  }

  /** @param {string} address of the scan, "" where none is used */
  show(address) {
    setShown(this.panel, address !== "");
    if (address === this.address) return;
    this.address = address;
    this.scan = null;
    this.asked += 1;
    this.focused = false;
    setAttribute(byId("fmri-whole"), "href", address === "" ? null : `${address}/attention.png`);
    if (this.panel.open && address !== "") this.load();
  }

  opened() {
    if (!this.panel.open) return;
    if (this.scan === null) this.load();
    this.panel.scrollIntoView({ block: "nearest" });
  }

  async load() {
    this.asked += 1;
    const { asked, address } = this;
    this.say(words.fmri.coming);
    const scan = await read(address);
    if (asked !== this.asked) return;
    this.scan = scan;
    if (scan === null) return this.say(words.fmri.none);
    this.slider.max = String(Math.max(0, scan.slices.length - 1));
    this.slider.value = String(Math.floor(scan.slices.length / 2));
    this.render();
    this.panel.scrollIntoView({ block: "nearest" });
  }

  turn() {
    this.focused = !this.focused;
    this.render();
    byId("fmri-legend").scrollIntoView({ block: "nearest" });
  }

  /** @param {string} trouble why nothing is shown, "" where it is */
  say(trouble) {
    setShown(byId("fmri-slices"), trouble === "");
    setShown(byId("fmri-none"), trouble !== "");
    setText(byId("fmri-none"), trouble);
    // A score without slices for a screen has its one picture still.
    setShown(byId("fmri-whole"), trouble === words.fmri.noSheets || (trouble === "" && this.focused));
  }

  render() {
    if (this.scan === null) return;
    const view = scanView(this.scan, { at: Number(this.slider.value), focused: this.focused });
    this.say(view.trouble);
    setAttribute(byId("fmri-show"), "aria-pressed", String(this.focused));
    setShown(byId("fmri-legend"), this.focused);
    setShown(byId("fmri-about"), this.focused);
    setText(byId("fmri-sanity"), view.sanity);
    if (view.trouble !== "") return;
    setText(byId("fmri-place"), view.place);
    setShown(byId("fmri-flags"), view.flags !== "");
    setText(byId("fmri-flags"), view.flags);
    setAttribute(this.slider, "aria-valuetext", view.place);
    setAttribute(byId("fmri-picture"), "aria-label", view.alt);
    this.lay(byId("fmri-underlay"), view, this.scan.sheets?.underlay ?? "");
    setShown(byId("fmri-focus"), this.focused);
    if (!this.focused) return; // what nobody asked for is not even fetched
    this.lay(byId("fmri-focus"), view, this.scan.sheets?.focus ?? "");
    byId("fmri-focus").style.opacity = String(Number(this.opacity.value) / 100);
  }

  /**
   * @param {HTMLElement} layer
   * @param {ScanView} view
   * @param {string} sheet
   */
  lay(layer, view, sheet) {
    const picture = `url("${this.address}/${sheet}")`;
    if (layer.style.backgroundImage !== picture) layer.style.backgroundImage = picture;
    layer.style.backgroundSize = view.size;
    layer.style.backgroundPosition = view.position;
  }
}
