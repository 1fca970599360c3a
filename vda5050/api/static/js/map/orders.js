/* Orders on the map: the base as a solid line, the horizon dashed, stops as dots (hollow in the horizon), actions as glyphs.
 *
 * Takes ways of order_path.js with the pose of their robot. Draws on a 2D context. The selected robot's way is drawn
 * in full, all others thin: what they mean to do is seen, and what matters stands out.
 */

import { aheadOf } from "./order_path.js";
import { write } from "./labels.js";

const DASH = [7, 6];
const NEAR_SCALE = 5; // pixels a metre; from further away there are no glyphs, and lines of one pixel, which cost a tenth
const LEAST_STEP_PX = 2; // a curve's points that are nearer are left out
const NAMES_FROM_SCALE = 9;
const GLYPH_PX = 7;
const MOST_GLYPHS = 4;
const STARTED = new Set(["RUNNING", "FINISHED", "FAILED"]);

/** Draw the ways of many: `ways` are { path, pose }. */
export function drawThinWays(context, ways, { camera, palette, mapId }) {
  const isNear = camera.scale >= NEAR_SCALE;
  for (const isBase of [false, true]) {
    context.beginPath();
    for (const { path, pose } of ways) traceWay(context, { path, pose, isBase, camera, mapId });
    context.setLineDash(isBase || !isNear ? [] : DASH);
    context.lineWidth = isBase && isNear ? 2 : 1;
    context.globalAlpha = isBase ? 0.6 : isNear ? 0.6 : 0.35;
    context.strokeStyle = isBase ? palette.driving : palette.muted;
    context.stroke();
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
  if (!isNear) return;
  for (const { path } of ways) drawActions(context, path, { camera, palette, mapId, isNamed: false });
}

/** Draw one way so that it can be read. */
export function drawWay(context, { path, pose }, { camera, palette, mapId }) {
  for (const isBase of [false, true]) {
    for (const [width, colour] of [[6, palette.surface], [3, isBase ? palette.driving : palette.muted]]) {
      context.beginPath();
      traceWay(context, { path, pose, isBase, camera, mapId });
      context.setLineDash(isBase ? [] : DASH);
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.lineJoin = "round";
      context.stroke();
    }
  }
  context.setLineDash([]);
  for (const stop of path.stops) {
    if (isHere(stop, mapId)) drawStop(context, stop, { camera, palette });
  }
  drawActions(context, path, { camera, palette, mapId, isNamed: camera.scale >= NAMES_FROM_SCALE });
}

/** Draw a line through points in metres. */
export function traceLine(context, points, camera) {
  let [lastLeft, lastTop] = [0, 0];
  points.forEach((point, index) => {
    const [left, top] = [camera.toX(point.x), camera.toY(point.y)];
    if (index === 0) context.moveTo(left, top);
    else if (index < points.length - 1 && Math.abs(left - lastLeft) + Math.abs(top - lastTop) < LEAST_STEP_PX) return;
    else context.lineTo(left, top);
    [lastLeft, lastTop] = [left, top];
  });
}

function traceWay(context, { path, pose, isBase, camera, mapId }) {
  path.pieces.forEach((piece, index) => {
    if (piece.isBase !== isBase || !isHere(piece, mapId)) return;
    traceLine(context, index === 0 ? aheadOf(piece.points, pose, piece.isOpen) : piece.points, camera);
  });
}

function drawStop(context, stop, { camera, palette }) {
  const [left, top] = [camera.toX(stop.x), camera.toY(stop.y)];
  context.beginPath();
  context.arc(left, top, 4.5, 0, 2 * Math.PI);
  context.fillStyle = stop.isBase ? palette.driving : palette.surface;
  context.fill();
  context.lineWidth = 2;
  context.strokeStyle = stop.isBase ? palette.surface : palette.muted;
  context.stroke();
  if (camera.scale < NAMES_FROM_SCALE || stop.id === null) return;
  context.save();
  context.translate(left, top - 13);
  write(context, stop.id, { colour: palette.muted, halo: palette.surface });
  context.restore();
}

function drawActions(context, path, { camera, palette, mapId, isNamed }) {
  for (const stop of path.stops) {
    if (stop.actions.length > 0 && isHere(stop, mapId)) {
      drawGlyphs(context, stop.actions, { place: stop, camera, palette, isNamed });
    }
  }
  for (const piece of path.pieces) {
    if (piece.actions.length === 0 || !isHere(piece, mapId)) continue;
    const middle = piece.points[piece.points.length >> 1];
    const before = piece.points[(piece.points.length >> 1) - 1] ?? middle;
    const place = { x: (middle.x + before.x) / 2, y: (middle.y + before.y) / 2 };
    drawGlyphs(context, piece.actions, { place, camera, palette, isNamed });
  }
}

function drawGlyphs(context, actions, { place, camera, palette, isNamed }) {
  context.save();
  context.translate(camera.toX(place.x) + (isNamed ? 17 : 0), camera.toY(place.y));
  for (const action of actions.slice(0, MOST_GLYPHS)) {
    const colour = colourOf(action, palette);
    context.beginPath();
    traceGlyph(context, action.type);
    context.lineWidth = 4;
    context.lineJoin = "round";
    context.strokeStyle = palette.surface;
    context.stroke();
    context.lineWidth = 1.75;
    context.strokeStyle = colour;
    context.fillStyle = STARTED.has(action.status) ? colour : palette.surface;
    context.fill();
    context.stroke();
    context.translate(2 * GLYPH_PX + 2, 0);
  }
  if (isNamed) {
    const names = actions.map(({ type }) => type).join(", ").slice(0, 40);
    context.translate(-5, 0);
    write(context, names, { colour: colourOf(actions[0], palette), halo: palette.surface, align: "left" });
  }
  context.restore();
}

/** pick: up. drop: down. Charging: a bolt. All else: a diamond. */
function traceGlyph(context, type) {
  const g = GLYPH_PX;
  const points = /^pick/i.test(type)
    ? [[0, -g], [g, g * 0.7], [-g, g * 0.7]]
    : /^drop/i.test(type)
      ? [[0, g], [g, -g * 0.7], [-g, -g * 0.7]]
      : /charg/i.test(type)
        ? [[2, -g], [-5, 1], [-0.5, 1], [-2, g], [5, -1], [0.5, -1]]
        : [[0, -g], [g, 0], [0, g], [-g, 0]];
  points.forEach(([x, y], index) => (index === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
  context.closePath();
}

function colourOf({ status }, palette) {
  if (status === "FAILED") return palette.bad;
  if (status === "FINISHED") return palette.charging;
  if (status === "RUNNING" || status === "INITIALIZING") return palette.driving;
  if (status === "PAUSED" || status === "RETRIABLE") return palette.paused;
  return palette.muted;
}

function isHere({ mapId }, shownId) {
  return mapId === null || mapId === shownId;
}
