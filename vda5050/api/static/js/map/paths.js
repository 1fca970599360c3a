/* What a 3.0 robot means to do beside its order: the planned path in the whole, the intermediate path just ahead. */

import { pointsOf } from "./order_path.js";
import { traceLine } from "./orders.js";

const MOST_POINTS = 1_000;

/** `paths`: { planned, intermediate } of a robot's view, either may be null. */
export function drawPaths(context, paths, { camera, palette }) {
  const planned = pointsOf(paths.planned?.trajectory);
  const ahead = (paths.intermediate?.polyline ?? []).slice(0, MOST_POINTS);
  drawLine(context, planned, { camera, colour: palette.accent, width: 2, dash: [2, 5] });
  const usable = ahead.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y));
  drawLine(context, usable, { camera, colour: palette.paused, width: 3, dash: [] });
}

function drawLine(context, points, { camera, colour, width, dash }) {
  if (points.length < 2) return;
  context.beginPath();
  traceLine(context, points, camera);
  context.lineCap = "round";
  context.lineJoin = "round";
  context.setLineDash(dash);
  context.lineWidth = width;
  context.strokeStyle = colour;
  context.stroke();
  context.setLineDash([]);
  context.lineCap = "butt";
}
