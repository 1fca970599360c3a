/* The map's DOM: bar, canvas with what stands on it, legend. Built once. */

import { element } from "../dom.js";
import { Card } from "./card.js";
import { Controls } from "./controls.js";
import { Legend } from "./legend.js";

/** Fill `root`; `shown` are the parts that are switched on. Gives the pieces by name. */
export function build(root, shown, callbacks) {
  const canvas = element("canvas");
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application"); // keys move it, see gestures.js
  const nothing = element("p", "map-nothing");
  const tip = element("div", "map-tip");
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;
  const controls = new Controls(callbacks, shown);
  const card = new Card(callbacks);
  const legend = new Legend();
  root.replaceChildren(
    controls.node,
    element("div", "map-area", canvas, nothing, tip, card.node, controls.buttons),
    legend.node,
  );
  return { canvas, nothing, tip, controls, card, legend };
}
