/* A layout (LIF: VDMA's Layout Interchange Format): ways, nodes and stations of one map, drawn quietly under the robots.
 *
 * `readLayout` takes the JSON that the gateway gives for a map; gives { ways, nodes, stations, points } in metres, ways that
 * are driven both ways once. Drawn on a 2D context.
 */

import { holds, meet } from "./area.js";
import { write } from "./labels.js";
import { curveOf } from "./nurbs.js";
import { traceLine } from "./orders.js";

const ARROWS_FROM_SCALE = 6; // pixels a metre
const NODES_FROM_SCALE = 3;
const STATION_NAMES_FROM_SCALE = 8;
const NODE_NAMES_FROM_SCALE = 26;

export function readLayout({ layouts }) {
  const nodes = new Map();
  for (const layout of layouts) for (const node of layout.nodes) nodes.set(node.nodeId, { id: node.nodeId, ...node.nodePosition });
  const ways = waysOf(layouts.flatMap((layout) => layout.edges), nodes);
  const stations = layouts.flatMap((layout) => layout.stations).flatMap((station) => stationOf(station, nodes));
  return { ways, nodes: [...nodes.values()], stations, points: [...nodes.values(), ...stations] };
}

export function drawLayout(context, layout, { camera, palette }) {
  const seen = camera.seen(40);
  const ways = layout.ways.filter((way) => meet(way.area, seen));
  context.beginPath();
  for (const way of ways) traceLine(context, way.points, camera);
  context.lineCap = "round";
  context.lineWidth = Math.min(14, Math.max(2, 0.9 * camera.scale)); // as wide as a robot, about
  context.strokeStyle = palette.axis;
  context.globalAlpha = 0.55;
  context.stroke();
  context.globalAlpha = 1;
  context.lineCap = "butt";
  if (camera.scale >= ARROWS_FROM_SCALE) drawArrows(context, ways, { camera, palette });
  if (camera.scale >= NODES_FROM_SCALE) drawNodes(context, layout.nodes.filter((node) => holds(seen, node)), { camera, palette });
  for (const station of layout.stations) if (holds(seen, station)) drawStation(context, station, { camera, palette });
}

function waysOf(edges, nodes) {
  const ways = new Map();
  for (const edge of edges) {
    const [start, end] = [nodes.get(edge.startNodeId), nodes.get(edge.endNodeId)];
    if (start === undefined || end === undefined) continue;
    const back = ways.get(`${edge.endNodeId}\n${edge.startNodeId}`);
    if (back !== undefined) {
      back.isTwoWay = true;
      continue;
    }
    const curve = curveIn(edge.vehicleTypeEdgeProperties);
    const points = curve.length > 1 ? curve : [start, end];
    ways.set(`${edge.startNodeId}\n${edge.endNodeId}`, { points, isTwoWay: false, area: boxOf(points) });
  }
  return [...ways.values()];
}

function curveIn(properties) {
  const trajectory = properties.find((property) => property.trajectory)?.trajectory;
  if (trajectory === undefined) return [];
  return curveOf({ degree: trajectory.degree, knots: trajectory.knotVector, points: trajectory.controlPoints });
}

function boxOf(points) {
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  return { left: Math.min(...xs), right: Math.max(...xs), bottom: Math.min(...ys), top: Math.max(...ys) };
}

/** A station where it says it is, else in the middle of the nodes it is reached from. */
function stationOf(station, nodes) {
  const near = station.interactionNodeIds.map((id) => nodes.get(id)).filter((node) => node !== undefined);
  const position = station.stationPosition;
  if (position === undefined && near.length === 0) return [];
  const mean = (axis) => near.reduce((sum, node) => sum + node[axis], 0) / near.length;
  const { x, y } = position ?? { x: mean("x"), y: mean("y") };
  return [{ id: station.stationId, name: station.stationName ?? station.stationId, x, y }];
}

function drawArrows(context, ways, { camera, palette }) {
  context.beginPath();
  for (const { points, isTwoWay } of ways) {
    if (isTwoWay) continue;
    const at = points.length >> 1;
    const [from, to] = [points[at - 1], points[at]];
    const angle = Math.atan2(-(to.y - from.y), to.x - from.x);
    const [left, top] = [camera.toX((from.x + to.x) / 2), camera.toY((from.y + to.y) / 2)];
    for (const side of [2.5, -2.5]) {
      context.moveTo(left + 7 * Math.cos(angle + side), top + 7 * Math.sin(angle + side));
      context.lineTo(left, top);
    }
  }
  context.lineWidth = 1.5;
  context.strokeStyle = palette.muted;
  context.stroke();
}

function drawNodes(context, nodes, { camera, palette }) {
  context.beginPath();
  for (const { x, y } of nodes) {
    context.moveTo(camera.toX(x) + 2.5, camera.toY(y));
    context.arc(camera.toX(x), camera.toY(y), 2.5, 0, 2 * Math.PI);
  }
  context.fillStyle = palette.muted;
  context.globalAlpha = 0.7;
  context.fill();
  context.globalAlpha = 1;
  if (camera.scale < NODE_NAMES_FROM_SCALE) return;
  for (const { id, x, y } of nodes) label(context, id, { left: camera.toX(x), top: camera.toY(y) - 10, palette });
}

function drawStation(context, station, { camera, palette }) {
  const [left, top] = [camera.toX(station.x), camera.toY(station.y)];
  const half = Math.min(16, Math.max(4, 0.7 * camera.scale));
  context.beginPath();
  context.roundRect(left - half, top - half, 2 * half, 2 * half, 3);
  context.fillStyle = palette.raised;
  context.fill();
  context.lineWidth = 1.5;
  context.strokeStyle = palette.muted;
  context.stroke();
  if (camera.scale >= STATION_NAMES_FROM_SCALE) label(context, station.name, { left, top: top + half + 9, palette });
}

function label(context, text, { left, top, palette }) {
  context.save();
  context.translate(left, top);
  write(context, text, { colour: palette.muted, halo: palette.surface });
  context.restore();
}
