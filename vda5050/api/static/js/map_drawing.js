/* What the map is made of, drawn on a canvas: grid, trails, markers, names.
 *
 * Takes a 2D context in CSS pixels, a `Viewport`, the palette, `Sprites` and plain marks { x, y, theta, tone, alarm, label,
 * scale, isSelected, isOutside }, x and y in pixels. Shape tells what colour tells: an arrow has a heading, a disc has none, a
 * hollow mark is lost, a ring is an alarm.
 */

import { gridStep } from "./viewport.js";
import { plain } from "./words.js";

const FONT = "11px system-ui, sans-serif";
const ARROW = [[10, 0], [-7, 6.5], [-3.5, 0], [-7, -6.5]];
const DISC_PX = 5.5;
const MARK_PX = 38;
const HEADINGS = 72; // directions drawn: every 5 degrees
const MOST_LABELS = 80;
const TYPICAL_CHAR_PX = 6.5;
const LABEL_HEIGHT_PX = 13;
const MAX_LABEL_CHARS = 24;

/** Draw lines every 1, 2 or 5 metres (or tens of them), the axes, and a bar that says how long a step is. */
export function drawGrid(context, viewport, palette) {
  const step = gridStep(viewport.scale);
  const { xs, ys } = viewport.gridLines(step);
  for (const [colour, isWanted] of [[palette.grid, (at) => at !== 0], [palette.axis, (at) => at === 0]]) {
    context.beginPath();
    for (const at of xs.filter(isWanted)) line(context, crisp(viewport.x(at)), 0, crisp(viewport.x(at)), viewport.height);
    for (const at of ys.filter(isWanted)) line(context, 0, crisp(viewport.y(at)), viewport.width, crisp(viewport.y(at)));
    context.strokeStyle = colour;
    context.lineWidth = 1;
    context.stroke();
  }
  drawScaleBar(context, viewport, step, palette);
}

/** Draw all trails of one tone: `trails` are arrays of points in metres, the oldest first. Many are drawn thin: a line
 * of one pixel costs a tenth of a wider one, and between many robots a wide one only clutters. */
export function drawTrails(context, viewport, trails, { colour, isThin }) {
  context.strokeStyle = colour;
  context.lineWidth = isThin ? 1 : 2;
  for (const [alpha, part] of isThin ? [[0.5, wholeTrail]] : [[0.18, olderHalf], [0.45, newerHalf]]) {
    context.globalAlpha = alpha;
    for (const trail of trails) {
      context.beginPath();
      for (const point of part(trail)) context.lineTo(viewport.x(point.x), viewport.y(point.y));
      context.stroke();
    }
  }
  context.globalAlpha = 1;
}

/** Draw one robot. */
export function drawMark(context, mark, { palette, sprites }) {
  const isHollow = mark.tone === "lost" || mark.isOutside;
  const step = mark.theta === null ? null : Math.round((mark.theta * HEADINGS) / (2 * Math.PI)) % HEADINGS;
  const key = `${mark.tone} ${mark.alarm} ${isHollow} ${step} ${mark.isSelected} ${mark.scale}`;
  const draw = (sprite) => {
    sprite.scale(mark.scale, mark.scale);
    if (mark.isSelected) ring(sprite, 17, palette.accent, 2.5);
    if (mark.alarm !== null) ring(sprite, 12.5, palette[mark.alarm], 2);
    if (step !== null) sprite.rotate((-step * 2 * Math.PI) / HEADINGS); // y is down here
    shape(sprite, step !== null);
    sprite.fillStyle = isHollow ? palette.surface : palette[mark.tone];
    sprite.fill();
    sprite.lineWidth = 1.5;
    sprite.strokeStyle = isHollow ? palette[mark.tone] : palette.surface;
    sprite.stroke();
  };
  sprites.put(context, key, { x: mark.x, y: mark.y, width: MARK_PX, height: MARK_PX, draw });
}

/** Write the names that fit without covering another one; the first ones first, and not too many of them. */
export function drawLabels(context, marks, { palette, sprites }) {
  context.font = FONT;
  const taken = new Set();
  let count = 0;
  for (const mark of marks) {
    const text = labelText(mark.label);
    const width = text.length * TYPICAL_CHAR_PX;
    const y = mark.y + (mark.isSelected ? 27 : 21);
    if (!mark.isSelected && (count >= MOST_LABELS || !take(taken, mark.x - width / 2, y, width))) continue;
    count += 1;
    const colour = mark.isSelected ? palette.text : palette.muted;
    const draw = (sprite) => writeLabel(sprite, text, colour, palette.surface);
    const size = { width: context.measureText(text).width + 6, height: LABEL_HEIGHT_PX + 5 };
    sprites.put(context, `${colour} "${text}"`, { x: mark.x, y, ...size, draw });
  }
}

function writeLabel(context, text, colour, halo) {
  context.font = FONT;
  context.textBaseline = "middle";
  context.textAlign = "center";
  context.direction = "ltr";
  context.lineWidth = 3;
  context.lineJoin = "round";
  context.strokeStyle = halo;
  context.strokeText(text, 0, 0);
  context.fillStyle = colour;
  context.fillText(text, 0, 0);
}

function drawScaleBar(context, viewport, step, palette) {
  const length = step * viewport.scale;
  const [left, y] = [12.5, viewport.height - 12.5];
  context.beginPath();
  context.moveTo(left, y - 4);
  context.lineTo(left, y);
  context.lineTo(left + length, y);
  context.lineTo(left + length, y - 4);
  context.strokeStyle = context.fillStyle = palette.muted;
  context.lineWidth = 1;
  context.stroke();
  context.font = FONT;
  context.textBaseline = "alphabetic";
  context.textAlign = "left";
  context.fillText(`${Number(step.toPrecision(3))} m`, left + length + 6, y + 1);
}

/** Reserve cells of a coarse raster; false where one is taken. */
function take(taken, left, y, width) {
  const rows = new Set([-0.5, 0.5].map((part) => Math.floor(y / LABEL_HEIGHT_PX + part)));
  const cells = [];
  for (let column = Math.floor(left / 16); column <= Math.floor((left + width) / 16); column += 1) {
    for (const row of rows) cells.push(`${column},${row}`);
  }
  if (cells.some((cell) => taken.has(cell))) return false;
  cells.forEach((cell) => taken.add(cell));
  return true;
}

function labelText(name) {
  const characters = [...plain(name.slice(0, 4 * MAX_LABEL_CHARS))];
  return characters.length > MAX_LABEL_CHARS ? `${characters.slice(0, MAX_LABEL_CHARS).join("")}…` : characters.join("");
}

function shape(context, hasHeading) {
  context.beginPath();
  if (!hasHeading) {
    context.arc(0, 0, DISC_PX, 0, 2 * Math.PI);
    return;
  }
  ARROW.forEach(([x, y], index) => (index === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
  context.closePath();
}

function ring(context, radius, colour, width) {
  context.beginPath();
  context.arc(0, 0, radius, 0, 2 * Math.PI);
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.stroke();
}

function line(context, fromX, fromY, toX, toY) {
  context.moveTo(fromX, fromY);
  context.lineTo(toX, toY);
}

/** Half a pixel, so that a line of one pixel covers one. */
function crisp(value) {
  return Math.round(value) + 0.5;
}

function wholeTrail(trail) {
  return trail;
}

function olderHalf(trail) {
  return trail.slice(0, (trail.length >> 1) + 1);
}

function newerHalf(trail) {
  return trail.slice(trail.length >> 1);
}
