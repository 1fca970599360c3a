/* Places a floor plan: numbers for scale, lower left corner and turn, or two points clicked on the image with their places. */

import { element, setText } from "../dom.js";
import { t } from "../i18n.js";
import { placementOf } from "./calibration.js";

const WIDTH_PX = 440;
const NUMBERS = ["metres_per_pixel", "origin_x", "origin_y", "rotation"];
const DEGREES = 180 / Math.PI;

export class PlanPlacer {
  constructor() {
    this._canvas = element("canvas");
    this._canvas.addEventListener("click", (event) => this._mark(event.offsetX, event.offsetY));
    this._hint = element("p", "sub");
    this._numbers = Object.fromEntries(NUMBERS.map((name) => [name, newNumber()]));
    this._points = [0, 1].map(() => ({ left: null, top: null, x: newNumber(), y: newNumber() }));
    this._next = 0; // which point the next click sets
    this._image = null;
    const places = this._points.map(({ x, y }, index) => element("div", "", `${"AB"[index]}: x `, x, " y ", y, " m"));
    this._words = NUMBERS.map((name) => [element("span"), name]);
    const fields = this._words.map(([word, name]) => element("label", "", word, this._numbers[name]));
    this.node = element("div", "map-placer", this._canvas, this._hint, ...places, element("div", "map-fields", ...fields));
    for (const { x, y } of this._points) for (const input of [x, y]) input.addEventListener("input", () => this._calibrate());
    for (const [index, { x, y }] of this._points.entries()) {
      x.setAttribute("aria-label", `${"AB"[index]} x`);
      y.setAttribute("aria-label", `${"AB"[index]} y`);
    }
  }

  /** Show an image; `facts`: where it lies so far, or null. */
  async show(address, facts) {
    for (const point of this._points) point.left = null;
    this._next = 0;
    setText(this._hint, t("map.site.hint"));
    for (const [word, name] of this._words) setText(word, t(`map.site.${name}`));
    this._write(facts ?? { metres_per_pixel: 0.05, origin_x: 0, origin_y: 0, rotation: 0 });
    const image = new Image();
    image.src = address;
    try {
      await image.decode();
    } catch {
      return;
    }
    this._image = image;
    this._draw();
  }

  clear() {
    if (this._image?.src.startsWith("blob:")) URL.revokeObjectURL(this._image.src);
    this._image = null;
  }

  /** What the numbers say, as the gateway takes it; null where one is none. */
  get placement() {
    const values = NUMBERS.map((name) => this._numbers[name].valueAsNumber);
    if (!values.every(Number.isFinite) || values[0] <= 0) return null;
    const [metres_per_pixel, origin_x, origin_y, degrees] = values;
    return { metres_per_pixel, origin_x, origin_y, rotation: degrees / DEGREES };
  }

  _write(facts) {
    for (const name of NUMBERS) {
      const value = name === "rotation" ? facts.rotation * DEGREES : facts[name];
      this._numbers[name].value = Number(value.toPrecision(8));
    }
  }

  _mark(left, top) {
    if (this._image === null) return;
    const scale = this._image.naturalWidth / this._canvas.clientWidth;
    Object.assign(this._points[this._next], { left: left * scale, top: top * scale });
    this._next = 1 - this._next;
    this._draw();
    this._calibrate();
  }

  _calibrate() {
    const points = this._points.map(({ left, top, x, y }) => ({ left, top, x: x.valueAsNumber, y: y.valueAsNumber }));
    if (this._image === null || !points.every((point) => Object.values(point).every(Number.isFinite))) return;
    const placement = placementOf(points, this._image.naturalHeight);
    if (placement !== null) this._write(placement);
  }

  _draw() {
    const { naturalWidth: width, naturalHeight: height } = this._image;
    this._canvas.width = Math.min(2 * WIDTH_PX, width);
    const scale = this._canvas.width / width;
    this._canvas.height = height * scale;
    const context = this._canvas.getContext("2d");
    context.drawImage(this._image, 0, 0, this._canvas.width, this._canvas.height);
    context.font = "600 22px system-ui, sans-serif";
    context.fillStyle = context.strokeStyle = "#c2281d";
    context.lineWidth = 3;
    for (const [index, { left, top }] of this._points.entries()) {
      if (left === null) continue;
      context.beginPath();
      context.arc(left * scale, top * scale, 8, 0, 2 * Math.PI);
      context.stroke();
      context.fillText("AB"[index], left * scale + 12, top * scale - 8);
    }
  }
}

function newNumber() {
  const input = element("input");
  input.type = "number";
  input.step = "any";
  return input;
}
