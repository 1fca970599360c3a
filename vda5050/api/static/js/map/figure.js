/* What the map shows of a robot, read from the store's robot (its RobotView and how it stands). Pure.
 *
 *   { key, label, pose: { x, y, theta, mapId } or null, tone, alarm, velocity: { vx, vy } or null, outline: [[x, y]] or null,
 *     path: see order_path.js or null, paths: { planned, intermediate }, zoneSets }
 * `tone` is one of symbols.js' (driving, idle, charging, paused, bad, lost), `alarm` null, "warn" or "bad". The path is worked
 * out when it is first asked for: a map that is not looked at costs little.
 */

import { plain } from "../dom.js";
import { fingerprintOf, pathOf } from "./order_path.js";

const FARTHEST_M = 1e7; // no hall is larger than the earth
const GRAVE = new Set(["CRITICAL", "FATAL"]);
const TONES = { driving: "driving", charging: "charging", error: "bad", offline: "lost" };

export class Figure {
  /** `before`: the robot's figure before this one, whose path may still hold; or undefined. */
  constructor(robot, before) {
    const { view } = robot;
    this.key = robot.key;
    this.label = plain(robot.serial);
    this.pose = poseOf(view.position);
    this.tone = TONES[robot.state] ?? (robot.reason === "paused" ? "paused" : "idle");
    this.alarm = alarmOf(robot);
    this.velocity = velocityOf(view.velocity);
    this.outline = outlineOf(view.dimensions);
    this.paths = { planned: view.planned_path, intermediate: view.intermediate_path };
    this.zoneSets = view.zones;
    this._view = robot.state === "offline" ? null : view;
    this._known = before?._known ?? { fingerprint: null, path: null }; // a path and what it was worked out from
    this._isKnown = false;
  }

  get path() {
    if (this._view === null) return null;
    if (!this._isKnown) {
      const { order, actions } = this._view;
      const fingerprint = fingerprintOf(order, actions);
      if (fingerprint !== this._known.fingerprint) this._known = { fingerprint, path: pathOf(order, actions) };
      this._isKnown = true;
    }
    return this._known.path;
  }
}

function poseOf(position) {
  if (position == null || !isNear(position.x) || !isNear(position.y)) return null;
  return { x: position.x, y: position.y, theta: position.theta, mapId: position.map_id };
}

function isNear(metres) {
  return Number.isFinite(metres) && Math.abs(metres) <= FARTHEST_M;
}

function alarmOf({ state, level }) {
  if (state === "offline" || level === null) return null;
  return GRAVE.has(level) ? "bad" : "warn";
}

function velocityOf(velocity) {
  const { vx, vy } = velocity ?? {};
  return vx == null && vy == null ? null : { vx: vx ?? 0, vy: vy ?? 0 };
}

/** The outline of the factsheet, else a box of its length and width. */
function outlineOf(dimensions) {
  const envelope = dimensions?.envelopes?.[0]?.vertices;
  const corners = (envelope ?? []).filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)).map(({ x, y }) => [x, y]);
  if (corners.length > 2) return corners;
  const [front, side] = [dimensions?.length / 2, dimensions?.width / 2];
  return front > 0 && side > 0 ? [[front, side], [-front, side], [-front, -side], [front, -side]] : null;
}
