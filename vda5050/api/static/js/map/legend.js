/* The legend: each symbol of the map, drawn by what draws it there, with its meaning in words. */

import { element, setText } from "../dom.js";
import { t } from "../i18n.js";
import { drawSymbol } from "./symbols.js";

const SIZE_PX = 30;
const ENTRIES = [
  ["driving", { tone: "driving", alarm: null }],
  ["idle", { tone: "idle", alarm: null }],
  ["charging", { tone: "charging", alarm: null }],
  ["paused", { tone: "paused", alarm: null }],
  ["error", { tone: "bad", alarm: null }],
  ["offline", { tone: "lost", alarm: null }],
  ["warning", { tone: "idle", alarm: "warn" }],
];
const LINES = ["base", "horizon"];

export class Legend {
  constructor() {
    this.node = element("ul", "map-legend");
    this._texts = [];
    this._canvases = ENTRIES.map(([name, look]) => {
      const canvas = document.createElement("canvas");
      canvas.setAttribute("aria-hidden", "true");
      this._add(canvas, name);
      return { canvas, look };
    });
    for (const name of LINES) this._add(element("span", `map-line map-line-${name}`), name);
  }

  /** Draw the symbols in the colours of now, write the words in the language of now. */
  draw(palette) {
    for (const { canvas, look } of this._canvases) drawEntry(canvas, look, palette);
    for (const [node, name] of this._texts) setText(node, t(`map.legend.${name}`));
    this.node.setAttribute("aria-label", t("map.legend"));
  }

  _add(picture, name) {
    const text = element("span");
    this.node.append(element("li", "", picture, text));
    this._texts.push([text, name]);
  }
}

function drawEntry(canvas, look, palette) {
  canvas.width = canvas.height = SIZE_PX * devicePixelRatio;
  const context = canvas.getContext("2d");
  context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, canvas.width / 2, canvas.height / 2);
  context.scale(0.8, 0.8);
  drawSymbol(context, { ...look, hasHeading: true, theta: 0, isSelected: false }, palette);
}
