/* The robots on the map: from afar a symbol of fixed size, near by the outline of the factsheet to scale, with the state's
 * symbol on it; where it moves, a line to where its velocity takes it in LOOK_AHEAD_S.
 *
 * Takes marks { left, top, pose, figure, outline, isSelected, scale }, left and top in CSS pixels. Draws on a 2D context.
 */

import { drawSymbol, polygon, SYMBOL_PX } from "./symbols.js";

const HEADINGS = 72; // directions drawn from afar: every 5 degrees
const OUTLINE_FROM_PX = 30; // an outline shorter than that says less than a symbol
const LOOK_AHEAD_S = 2;
const VECTOR_FROM_SCALE = 7; // pixels a metre; further away velocities are a tangle
const LEAST_VECTOR_PX = 9;
const MOST_SIZE_M = 30; // of an outline that is believed

/** Draw all marks, those that need a person last, that is on top. */
export function drawRobots(context, marks, { camera, palette, sprites }) {
  for (const mark of marks) {
    if (camera.scale >= VECTOR_FROM_SCALE || mark.isSelected) drawVelocity(context, mark, camera, palette);
    if (mark.outline !== null && mark.pose.theta !== null) drawOutline(context, mark, { camera, palette });
    putSymbol(context, mark, { palette, sprites });
  }
}

/** The corners of a robot in its own coordinates, where they are worth drawing at this scale; else null. */
export function outlineOf(figure, scale) {
  const outline = figure.outline;
  if (outline === null || outline.length < 3) return null;
  let size = 0;
  for (const [x, y] of outline) size = Math.max(size, Math.abs(x), Math.abs(y));
  return size <= MOST_SIZE_M && 2 * size * scale >= OUTLINE_FROM_PX ? outline : null;
}

function putSymbol(context, mark, { palette, sprites }) {
  const { tone, alarm } = mark.figure;
  const hasHeading = mark.pose.theta !== null;
  const step = hasHeading ? Math.round((mark.pose.theta * HEADINGS) / (2 * Math.PI)) % HEADINGS : 0;
  const look = { tone, alarm, hasHeading, theta: (step * 2 * Math.PI) / HEADINGS, isSelected: mark.isSelected };
  const key = `${tone} ${alarm} ${hasHeading} ${step} ${mark.isSelected} ${mark.scale}`;
  const draw = (sprite) => {
    sprite.scale(mark.scale, mark.scale);
    drawSymbol(sprite, look, palette);
  };
  sprites.put(context, key, { x: mark.left, y: mark.top, width: SYMBOL_PX, height: SYMBOL_PX, draw });
}

function drawOutline(context, { left, top, pose, figure, outline }, { camera, palette }) {
  const colour = palette[figure.tone] ?? palette.idle;
  context.save();
  context.translate(left, top);
  context.rotate(-pose.theta);
  context.beginPath();
  polygon(context, outline.map(([x, y]) => [x * camera.scale, -y * camera.scale]));
  context.restore();
  context.globalAlpha = 0.22;
  context.fillStyle = colour;
  context.fill();
  context.globalAlpha = 1;
  context.lineWidth = 1.5;
  context.strokeStyle = colour;
  context.stroke();
}

/** A line with an arrow's tip: where the robot is in a moment if it goes on like this. Its velocity is in its own axes. */
function drawVelocity(context, { left, top, pose, figure }, camera, palette) {
  const { velocity } = figure;
  if (velocity === null || pose.theta === null || figure.tone === "lost") return;
  const [cos, sin] = [Math.cos(pose.theta), Math.sin(pose.theta)];
  const ahead = LOOK_AHEAD_S * camera.scale;
  const [right, down] = [(velocity.vx * cos - velocity.vy * sin) * ahead, -(velocity.vx * sin + velocity.vy * cos) * ahead];
  const length = Math.hypot(right, down);
  if (length < LEAST_VECTOR_PX || length > 2_000) return;
  const [tipX, tipY] = [left + right, top + down];
  const [unitX, unitY] = [right / length, down / length];
  context.beginPath();
  context.moveTo(left, top);
  context.lineTo(tipX, tipY);
  for (const side of [1, -1]) {
    context.moveTo(tipX - 6 * unitX + 4 * side * unitY, tipY - 6 * unitY - 4 * side * unitX);
    context.lineTo(tipX, tipY);
  }
  context.lineWidth = 2;
  context.strokeStyle = palette[figure.tone] ?? palette.idle;
  context.stroke();
}
