// @ts-check
/**
 * The theme: light, dark, night, or as the device. The server answers a page in the theme of its cookie, so that nothing
 * flashes; here it is changed by a press, without loading anything.
 */

import { keys } from "./keys.js";
import { byId, setAttribute } from "./dom.js";
import { say } from "./words/say.js";
import { words } from "./words/catalogue.js";

/** Seconds for which a choice is kept: a year. */
const KEPT_S = 365 * 86400;

/**
 * What each theme is: the colours of the browser's own parts, and in which media the dark styles and those of the night
 * hold. The server has the same table for the page as it is answered.
 */
export const THEMES = Object.freeze({
  auto: { scheme: "light dark", dark: "screen and (prefers-color-scheme: dark)", night: "not all" },
  light: { scheme: "light", dark: "not all", night: "not all" },
  dark: { scheme: "dark", dark: "screen", night: "not all" },
  night: { scheme: "dark", dark: "screen", night: "screen" },
});

/** @typedef {keyof typeof THEMES} Theme */

const ORDER = /** @type {Theme[]} */ (Object.keys(THEMES));

/**
 * The theme after this one.
 *
 * @param {string | null} theme
 */
export function nextTheme(theme) {
  return /** @type {Theme} */ (ORDER[(ORDER.indexOf(/** @type {Theme} */ (theme)) + 1) % ORDER.length]);
}

/**
 * Be told when the colours have changed: by a press here, or by the device. A canvas then reads them again.
 *
 * @param {() => void} reader
 */
export function onTheme(reader) {
  for (const id of ["dark", "night"]) {
    new MutationObserver(reader).observe(byId(id), { attributeFilter: ["media"] });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", reader);
}

/** @param {Theme} theme */
function wear(theme) {
  const { scheme, dark, night } = THEMES[theme];
  setAttribute(document.documentElement, "data-theme", theme);
  setAttribute(byId("scheme"), "content", scheme);
  setAttribute(byId("dark"), "media", dark);
  setAttribute(byId("night"), "media", night);
  document.cookie = `flexion-theme=${theme}; path=/; max-age=${KEPT_S}; samesite=lax`;
}

function mount() {
  const button = document.getElementById("theme");
  if (button === null) return; // a page without switches wears what the others chose
  const next = () => {
    const theme = nextTheme(document.documentElement.getAttribute("data-theme"));
    wear(theme);
    const said = say(words.page.theme, { theme: words.page.themes[theme] });
    for (const name of ["aria-label", "title"]) setAttribute(button, name, said);
    setAttribute(button, "data-theme", theme);
  };
  button.addEventListener("click", next);
  keys.on("T", words.page.themeKey, next);
}

if (typeof document !== "undefined") mount();
