/* Battery, speed and errors of the last minutes, one below the other on one axis of time.
 *
 * Takes samples [{ at, battery, speed, errors }]; draws on one canvas in the page's colours, and tells what is under the
 * pointer, or under the arrow keys, in words (which screen readers hear).
 */

import { element, setAttribute, setText } from "../dom.js";
import { t } from "../i18n.js";
import { clockText, measure, NOTHING, number, percent } from "../words.js";

const SPAN_MS = 10 * 60_000;
const GAP_MS = 15_000; // longer without a sample: no line is drawn across
const LEFT = 44;
const RIGHT = 12;
const BOTTOM = 20;
const LANES = [
  { name: "battery", colour: "--good", top: () => 100, text: percent },
  { name: "speed", colour: "--driving", top: (most) => Math.max(1, Math.ceil(most * 2) / 2), text: (value) => measure(value, "m/s", 1) },
  { name: "errors", colour: "--error", top: (most) => Math.max(2, most), text: (value) => number(value), isStep: true },
];

/** The charts are `node`. */
export class Charts {
  constructor() {
    this.canvas = element("canvas");
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "img");
    this._readout = element("p", "readout sub");
    this._readout.setAttribute("role", "status");
    this.node = element("div", "charts", this.canvas, this._readout);
    this._samples = [];
    this._now = 0;
    this._at = null; // the time that is looked at
    this.canvas.addEventListener("pointermove", (event) => this._look(this._timeAt(event.offsetX)));
    this.canvas.addEventListener("pointerleave", () => this._look(null));
    this.canvas.addEventListener("keydown", (event) => this._pressed(event));
    this.canvas.addEventListener("blur", () => this._look(null));
    new ResizeObserver(() => this._draw()).observe(this.canvas);
  }

  /** Show samples up to `now`. */
  show(samples, now) {
    this._samples = samples.filter(({ at }) => at >= now - SPAN_MS && at <= now + GAP_MS);
    this._now = now;
    this._draw();
  }

  _look(at) {
    this._at = at;
    this._draw();
  }

  _pressed(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined || this._samples.length === 0) return;
    event.preventDefault();
    const near = this._nearest(this._at ?? this._now);
    const index = Math.max(0, Math.min(this._samples.length - 1, this._samples.indexOf(near) + step));
    this._look(this._samples[index].at);
  }

  _nearest(at) {
    return this._samples.reduce((best, one) => (best === null || Math.abs(one.at - at) < Math.abs(best.at - at) ? one : best), null);
  }

  _timeAt(x) {
    const width = this.canvas.clientWidth - LEFT - RIGHT;
    return this._now - SPAN_MS + ((x - LEFT) / width) * SPAN_MS;
  }

  _draw() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (width === 0 || height === 0) return;
    const scale = devicePixelRatio;
    if (this.canvas.width !== Math.round(width * scale)) this.canvas.width = Math.round(width * scale);
    if (this.canvas.height !== Math.round(height * scale)) this.canvas.height = Math.round(height * scale);
    const context = this.canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    context.font = `11px ${getComputedStyle(this.canvas).fontFamily}`;
    const x = (at) => LEFT + ((at - this._now + SPAN_MS) / SPAN_MS) * (width - LEFT - RIGHT);
    const laneHeight = (height - BOTTOM) / LANES.length;
    LANES.forEach((lane, index) => this._drawLane(context, lane, { x, width, colour, top: index * laneHeight, height: laneHeight }));
    this._drawTimes(context, { x, height, colour });
    this._tell();
  }

  _drawLane(context, lane, { x, width, colour, top, height }) {
    const values = this._samples.map((sample) => sample[lane.name]).filter((value) => value !== null);
    const most = lane.top(values.reduce((one, other) => Math.max(one, other), 0));
    const [ceiling, floor] = [top + 20, top + height - 6];
    const y = (value) => floor - (Math.max(0, Math.min(most, value)) / most) * (floor - ceiling);
    context.strokeStyle = colour("--grid");
    context.lineWidth = 1;
    context.fillStyle = colour("--muted");
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const value of [0, most]) {
      line(context, LEFT, y(value), width - RIGHT, y(value));
      context.fillText(lane.name === "battery" ? `${value} %` : number(value, value % 1 === 0 ? 0 : 1), LEFT - 7, y(value));
    }
    context.textAlign = "left";
    context.fillStyle = colour("--text");
    context.fillText(t(`chart.${lane.name}`), LEFT, top + 8);
    context.strokeStyle = context.fillStyle = colour(lane.colour);
    this._drawCurve(context, lane, x, y);
    const near = this._at === null ? null : this._nearest(this._at);
    if (near !== null && near[lane.name] !== null) dot(context, x(near.at), y(near[lane.name]));
  }

  _drawCurve(context, { name, isStep }, x, y) {
    context.lineWidth = 1.6;
    context.lineJoin = "round";
    context.beginPath();
    let before = null;
    for (const sample of this._samples) {
      const value = sample[name];
      if (value === null) {
        before = null;
        continue;
      }
      if (before === null || sample.at - before.at > GAP_MS) context.moveTo(x(sample.at), y(value));
      else if (isStep) context.lineTo(x(sample.at), y(before[name]));
      context.lineTo(x(sample.at), y(value));
      before = sample;
    }
    context.stroke();
  }

  _drawTimes(context, { x, height, colour }) {
    context.fillStyle = colour("--muted");
    context.textBaseline = "alphabetic";
    for (const minutes of [10, 5, 0]) {
      context.textAlign = minutes === 10 ? "left" : minutes === 0 ? "right" : "center";
      const text = minutes === 0 ? t("chart.now") : t("chart.ago", { minutes });
      context.fillText(text, x(this._now - minutes * 60_000), height - 5);
    }
    if (this._at === null) return;
    const near = this._nearest(this._at);
    if (near === null) return;
    context.strokeStyle = colour("--strong");
    line(context, x(near.at), 0, x(near.at), height - BOTTOM);
  }

  _tell() {
    const sample = this._at === null ? this._samples.at(-1) : this._nearest(this._at);
    const words = LANES.map(({ name, text }) => `${t(`chart.${name}`)} ${sample == null ? NOTHING : text(sample[name])}`);
    setText(this._readout, this._at === null || sample == null ? "" : `${clockText(sample.at)}: ${words.join(", ")}`);
    setAttribute(this.canvas, "aria-label", `${t("chart.label")}: ${words.join(", ")}`);
  }
}

function line(context, x1, y1, x2, y2) {
  context.beginPath();
  context.moveTo(x1, Math.round(y1) + 0.5);
  context.lineTo(x2, Math.round(y2) + 0.5);
  context.stroke();
}

function dot(context, x, y) {
  context.beginPath();
  context.arc(x, y, 3.5, 0, 7);
  context.fill();
}
