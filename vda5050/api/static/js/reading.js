/* What a robot says, in one shape for every version of VDA 5050. Pure: no DOM, no clock.
 *
 * Takes what `fleet.js` keeps of a robot; gives a view whose members are null where the robot says nothing readable:
 *   { version, position: {x, y, theta, mapId, isLocalized}, speed, driving, paused, operatingMode,
 *     battery: {charge, isCharging}, order: {orderId, orderUpdateId, lastNodeId, nodesLeft},
 *     errors: [{level, type, description, hint}], emergencyStop, fieldViolation }
 * Never throws: a robot may send any JSON. Numbers written as text are read, wrong types count as not said.
 * Names by version: VDA 5050 1.1 to 3.0, "Implementation of the state message".
 */

import { plain } from "./words.js";

const MAX_TEXT = 300; // Characters of one text. Longer ones are no names; the raw JSON still shows them.
const MAX_ERRORS = 100; // Errors looked at in one message.
const NO_STOP = new Set(["NONE"]);

/** Read what the robot said last; `robot.messages` is a Map of payloads by topic, `robot.poseTopic` one of its keys. */
export function readRobot(robot) {
  const state = object(robot.messages.get("state"));
  const pose = object(robot.messages.get(robot.poseTopic));
  const safety = object(state.safetyState);
  const stop = upper(safety.activeEmergencyStop ?? safety.eStop);
  return {
    version: readVersion(robot),
    position: readPosition(pose) ?? readPosition(state),
    speed: readSpeed(object(pose.velocity)),
    driving: flag(state.driving),
    paused: flag(state.paused),
    operatingMode: upper(state.operatingMode),
    battery: readBattery(state),
    order: readOrder(state),
    errors: list(state.errors).slice(0, MAX_ERRORS).map(readError),
    emergencyStop: stop === null || NO_STOP.has(stop) ? null : stop,
    fieldViolation: flag(safety.fieldViolation),
  };
}

/** Tell whether a message carries a position that can be drawn. */
export function hasPosition(payload) {
  return readPosition(object(payload)) !== null;
}

/** The version the robot writes into its messages, without a leading v; guessed from 3.0's names where it writes none. */
function readVersion(robot) {
  for (const topic of ["state", "connection", "visualization", "factsheet"]) {
    const version = text(object(robot.messages.get(topic)).version);
    if (version !== null) return version.replace(/^v/i, "");
  }
  const state = object(robot.messages.get("state"));
  return "mobileRobotPosition" in state || "powerSupply" in state ? "3" : null;
}

function readPosition(message) {
  const position = object(message.mobileRobotPosition ?? message.agvPosition);
  const x = number(position.x);
  const y = number(position.y);
  if (x === null || y === null) return null;
  return {
    x,
    y,
    theta: number(position.theta),
    mapId: text(position.mapId),
    isLocalized: flag(position.localized ?? position.positionInitialized),
  };
}

function readSpeed(velocity) {
  const vx = number(velocity.vx);
  const vy = number(velocity.vy);
  return vx === null && vy === null ? null : Math.hypot(vx ?? 0, vy ?? 0);
}

function readBattery(state) {
  const power = object(state.powerSupply ?? state.batteryState);
  const charge = number(power.stateOfCharge ?? power.batteryCharge ?? power.percentage);
  const isCharging = flag(power.charging);
  return charge === null && isCharging === null ? null : { charge, isCharging };
}

function readOrder(state) {
  return {
    orderId: text(state.orderId),
    orderUpdateId: number(state.orderUpdateId),
    lastNodeId: text(state.lastNodeId),
    nodesLeft: Array.isArray(state.nodeStates) ? state.nodeStates.length : null,
  };
}

function readError(entry) {
  const error = object(entry);
  return {
    level: upper(error.errorLevel),
    type: text(error.errorType) ?? text(entry),
    description: text(error.errorDescription),
    hint: text(error.errorHint),
  };
}

/** A JSON object as it is; anything else as an object that says nothing. */
function object(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? value : {};
}

function list(value) {
  return Array.isArray(value) ? value : [];
}

/** A finite number, also where a robot writes it as text; null for anything else. */
export function number(value) {
  if (typeof value === "string" && value.trim() !== "") value = Number(value);
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** A text that says something; a number becomes its text. The standard's empty text means "none". */
function text(value) {
  if (typeof value === "number") return String(value);
  if (typeof value !== "string" || value === "") return null;
  return plain(value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value);
}

/** A word of an enumeration: 1.1 writes some in lower case. */
function upper(value) {
  return text(value)?.toUpperCase() ?? null;
}

function flag(value) {
  if (value === "true" || value === "false") return value === "true";
  return typeof value === "boolean" ? value : null;
}
