// @ts-check
/** The colours of traces and phases, as the theme has them now: canvases wear what the styles say. */

const PHASES = ["preparation", "flexion", "rest", "extension", "settling"];

/** @returns {(name: string) => string} reads a colour of the styles */
function reader() {
  const style = getComputedStyle(document.documentElement);
  return (name) => style.getPropertyValue(`--${name}`).trim();
}

/** @returns {import("./sweep.js").Ink} */
export function readInk() {
  const colour = reader();
  const [ground, grid, gap, head, muted] = [colour("surface"), colour("grid"), colour("gap"), colour("head"), colour("trace-muted")];
  return { ground, grid, gap, head, bound: head, eeg: colour("eeg"), emg: colour("emg"), muted };
}

/**
 * Give the band its colours and letters; it is drawn in them from then on.
 *
 * @param {import("./phases.js").PhaseBand} band
 */
export function dressBand(band) {
  const colour = reader();
  band.inks = Object.fromEntries(PHASES.map((phase) => [phase, colour(`phase-${phase}`)]));
  band.ink = colour("ink");
  band.font = `${13 * band.scale}px ${getComputedStyle(document.body).fontFamily}`;
  band.redraw();
}
