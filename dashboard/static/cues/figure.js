// @ts-check
/**
 * A person lying down, from the side, whose near leg bends and straightens. The heel stays on the bed, as it does when
 * hip and knee move together; hip, knee and heel are a triangle of thigh and shank. Lengths are in the dial's own units.
 */

import { setAttribute } from "../dom.js";

const BED_Y = 160;
const HIP = Object.freeze({ x: 110, y: BED_Y - 11 });
const THIGH = 43;
const SHANK = 43;
/** From hip to heel along the bed: the leg stretched out (the knee is never locked), and bent. */
const FAR = 85.6;
const NEAR = 42;
const FOOT = 15;

/** @typedef {{x: number, y: number}} Point */

/**
 * Where the joints of a leg are.
 *
 * @param {number} bend 0 stretched out, 1 bent
 * @returns {{hip: Point, knee: Point, heel: Point, toe: Point}}
 */
export function legAt(bend) {
  const heel = { x: HIP.x + FAR + (NEAR - FAR) * bend, y: BED_Y - 6 };
  const [dx, dy] = [heel.x - HIP.x, heel.y - HIP.y];
  const reach = Math.hypot(dx, dy);
  const along = (THIGH * THIGH - SHANK * SHANK + reach * reach) / (2 * reach);
  const up = Math.sqrt(Math.max(0, THIGH * THIGH - along * along));
  const knee = { x: HIP.x + (along * dx + up * dy) / reach, y: HIP.y + (along * dy - up * dx) / reach };
  // Toes up when stretched out, the foot towards the bed when bent.
  const angle = ((80 - 62 * bend) * Math.PI) / 180;
  const toe = { x: heel.x + FOOT * Math.cos(angle), y: heel.y - FOOT * Math.sin(angle) };
  return { hip: HIP, knee, heel, toe };
}

/** @param {ReturnType<typeof legAt>} leg */
const legPath = ({ hip, knee, heel, toe }) =>
  `M${at(hip)}L${at(knee)}L${at(heel)}L${at(toe)}`;

/** @param {Point} point */
const at = ({ x, y }) => `${x.toFixed(2)} ${y.toFixed(2)}`;

/**
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 */
function make(name, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

/** The figure in the page. */
export class Figure {
  /** @param {Element} place an empty group of the dial */
  constructor(place) {
    this.goal = make("path", { class: "goal", d: "" });
    this.leg = make("path", { class: "leg", d: "" });
    this.arrow = make("path", { class: "arrow", d: "" });
    place.append(
      make("path", { class: "bed", d: `M28 ${BED_Y + 4}H212` }),
      make("path", { class: "pillow", d: "M34 156q-3 -17 12 -17q14 0 26 7q8 5 6 10Z" }),
      make("path", { class: "far", d: legPath(legAt(0)) }),
      this.goal,
      make("path", { class: "trunk", d: `M77 141L${at(HIP)}` }),
      make("circle", { class: "head", cx: 56, cy: 130.5, r: 12.5 }),
      this.leg,
      this.arrow,
    );
  }

  /**
   * @param {number} bend
   * @param {number} goal where the leg is to be in the end; drawn where it is not there yet
   * @param {-1 | 0 | 1} way which way the heel goes
   */
  show(bend, goal, way) {
    setAttribute(this.leg, "d", legPath(legAt(bend)));
    setAttribute(this.goal, "d", way === 0 ? "" : legPath(legAt(goal)));
    setAttribute(this.arrow, "d", way === 0 ? "" : arrow(way));
  }
}

/** @param {-1 | 1} way */
function arrow(way) {
  const [tail, tip] = way < 0 ? [190, 142] : [142, 190];
  const y = BED_Y + 19;
  return `M${tail} ${y}H${tip}m${-way * 9} -8l${way * 9} 8l${-way * 9} 8`;
}
