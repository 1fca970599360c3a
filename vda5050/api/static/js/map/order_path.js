/* The way of an order in metres: pieces to drive and stops, base and horizon. Pure.
 *
 * Takes a robot view's order and actions; gives
 *   { pieces: [{ points, isBase, isOpen, mapId, actions }], stops: [{ id, x, y, theta, isBase, mapId, actions }] }
 * in the order they are driven. `isOpen`: the piece begins where the robot is, because its first node is behind it.
 * An action is { type, status }, status null until the robot tells of it. A node without a position is no stop.
 */

import { curveOf } from "./nurbs.js";

const MOST = 500; // nodes and edges of one order that are drawn

/** Work out the way; null where there is none. */
export function pathOf(order, actions) {
  const nodes = inSequence(order?.nodes);
  const edges = inSequence(order?.edges);
  if (nodes.length === 0 && edges.length === 0) return null;
  const statusOf = new Map((actions ?? []).map((action) => [action.action_id, action.status]));
  const asked = (item) => (item.actions ?? []).map((action) => actionOf(action, statusOf));
  const stops = nodes.filter(hasPlace).map((node) => ({
    id: node.node_id,
    x: node.x,
    y: node.y,
    theta: node.theta,
    isBase: node.released === true,
    mapId: node.map_id,
    actions: asked(node),
  }));
  const pieces = edges.length === 0 ? joined(nodes.filter(hasPlace)) : edges.map((edge) => pieceOf(edge, nodes, asked));
  return { pieces: pieces.filter((piece) => piece !== null), stops };
}

/** A number that changes whenever the way of an order does: comparing it is cheaper than working the way out again. */
export function fingerprintOf(order, actions) {
  let sum = 17;
  const add = (value) => {
    sum = (Math.imul(sum, 31) + (typeof value === "number" ? Math.round(value * 1e3) : Number(value ?? 7))) | 0;
  };
  for (const { x, y, released, sequence_id: number } of (order?.nodes ?? []).slice(0, MOST)) [x, y, released, number].forEach(add);
  for (const { released, sequence_id: number, trajectory } of (order?.edges ?? []).slice(0, MOST)) {
    [released, number].forEach(add);
    for (const { x, y, weight } of trajectory?.control_points ?? []) [x, y, weight].forEach(add);
  }
  for (const { status } of actions ?? []) add((status ?? "").charCodeAt(0) * 100 + (status ?? "").charCodeAt(1));
  return sum;
}

/** The part of a piece that lies ahead of a robot at `pose`: an open one begins there, a curve is cut at its nearest point. */
export function aheadOf(points, pose, isOpen) {
  if (isOpen) return [pose, ...points];
  let [nearest, least] = [0, Infinity];
  for (let index = 0; index + 1 < points.length; index += 1) {
    const distance = toSegment(pose, points[index], points[index + 1]);
    if (distance <= least) [nearest, least] = [index, distance];
  }
  return [pose, ...points.slice(nearest + 1)];
}

/** A view's trajectory as points; none where it has no usable control points. */
export function pointsOf(trajectory) {
  const points = (trajectory?.control_points ?? []).filter(hasPlace);
  return points.length < 2 ? [] : curveOf({ degree: trajectory.degree, knots: trajectory.knot_vector, points });
}

function pieceOf(edge, nodes, asked) {
  const end = nodes.find((node) => isEnd(node, edge, edge.end_node_id, 1));
  const start = nodes.find((node) => isEnd(node, edge, edge.start_node_id, -1));
  const common = { isBase: edge.released === true, mapId: (end ?? start)?.map_id ?? null, actions: asked(edge) };
  const curve = pointsOf(edge.trajectory);
  if (curve.length > 1) return { ...common, points: curve, isOpen: false };
  if (end === undefined || !hasPlace(end)) return null;
  const isOpen = start === undefined || !hasPlace(start);
  return { ...common, points: (isOpen ? [end] : [start, end]).map(({ x, y }) => ({ x, y })), isOpen };
}

/** Whether a node is that end of an edge: by the numbers that both have, else by its id. */
function isEnd(node, edge, nodeId, step) {
  const isNumbered = node.sequence_id !== null && edge.sequence_id !== null;
  if (isNumbered && node.sequence_id === edge.sequence_id + step) return nodeId === null || node.node_id === nodeId;
  return nodeId !== null && node.node_id === nodeId && !isNumbered;
}

/** Straight pieces from node to node, for a robot that names no edges. */
function joined(nodes) {
  return nodes.map((node, index) => ({
    points: (index === 0 ? [node] : [nodes[index - 1], node]).map(({ x, y }) => ({ x, y })),
    isBase: node.released === true,
    isOpen: index === 0,
    mapId: node.map_id,
    actions: [],
  }));
}

function actionOf(action, statusOf) {
  return { type: action.action_type ?? "", status: statusOf.get(action.action_id) ?? null };
}

function inSequence(items) {
  return (items ?? []).slice(0, MOST).sort((one, other) => (one.sequence_id ?? 0) - (other.sequence_id ?? 0));
}

function hasPlace({ x, y }) {
  return Number.isFinite(x) && Number.isFinite(y);
}

function toSegment(point, from, to) {
  const [across, up] = [to.x - from.x, to.y - from.y];
  const length = across * across + up * up;
  const along = length === 0 ? 0 : ((point.x - from.x) * across + (point.y - from.y) * up) / length;
  const part = Math.min(1, Math.max(0, along));
  return Math.hypot(point.x - from.x - across * part, point.y - from.y - up * part);
}
