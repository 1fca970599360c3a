/* The stream's events, reduced to what is known of the fleet. Pure: no DOM; the clock's time comes in as an argument.
 *
 * Takes the events of `/stream` in order (see DESIGN.md: snapshot, update, reset, status); gives robots by key and the
 * set of those that changed since it was last asked. Bounded by the gateway: one message per robot and topic.
 *
 * A robot: { key, manufacturer, serialNumber, connectionState, messages: Map(topic -> payload),
 *            receivedAt: Map(topic -> ms, of updates only), poseTopic, isHeard, heardAt, view, status }
 * `view` and `status` are filled in by `overview.js`. Times are this computer's, in milliseconds.
 */

import { hasPosition } from "./reading.js";

// Only these are signs of life. `connection` and `factsheet` are kept by the broker and come again, however old, whenever
// the gateway connects; `order` and `instantActions` are sent to the robot, not by it.
const SIGNS_OF_LIFE = new Set(["state", "visualization"]);

/** What is known of the fleet. */
export class Fleet {
  constructor() {
    this.robots = new Map();
    this.hasSnapshot = false;
    this.broker = "unknown"; // or "connected", "disconnected"
    this.brokerSince = null; // when it became so; null where that was before this page knew
    this.brokerDetail = ""; // in words for a person
    this.gatewayAheadMs = 0; // the gateway's clock minus this computer's
    this._changed = new Set();
    this._isReplaced = false;
  }

  /** Take one event in. Kinds that are not known are left alone: a newer gateway may send them. */
  apply(event, now) {
    if (event.type === "update") this._update(event.data, now);
    else if (event.type === "snapshot") this._replace(event.data);
    else if (event.type === "reset") this._forget();
    else if (event.type === "status") this.setBroker(event.data.broker, now);
  }

  /** Note whether the gateway's link to the broker stands, and since when (null: not known). What was heard over another
   * link is no longer news. */
  setBroker(broker, since) {
    if (broker === this.broker) return;
    const isFirst = this.broker === "unknown";
    this.broker = broker;
    this.brokerSince = since;
    for (const robot of this.robots.values()) {
      if (!isFirst || broker === "disconnected") robot.isHeard = false;
      this._changed.add(robot.key);
    }
  }

  /** When the robot itself was last heard: ms of this computer's clock, or null. */
  lastSeen(robot) {
    if (robot.heardAt !== null) return robot.heardAt;
    return robot.heardAtGateway === null ? null : robot.heardAtGateway - this.gatewayAheadMs;
  }

  /** Give the keys of the robots that changed since the last call; `isReplaced`: forget all others first. */
  takeChanges() {
    const changes = { isReplaced: this._isReplaced, changed: this._changed };
    this._isReplaced = false;
    this._changed = new Set();
    return changes;
  }

  _update({ topic: key, type, payload }, now) {
    let robot = this.robots.get(key);
    if (robot === undefined) {
      const slash = key.indexOf("/");
      robot = newRobot(key, key.slice(0, slash), key.slice(slash + 1));
      this.robots.set(key, robot);
    }
    robot.messages.set(type, payload);
    robot.receivedAt.set(type, now);
    if (type === "connection") robot.connectionState = stateOf(payload);
    if (SIGNS_OF_LIFE.has(type)) {
      robot.isHeard = true;
      robot.heardAt = now;
      if (hasPosition(payload)) robot.poseTopic = type;
    }
    this._changed.add(key);
  }

  _replace(entries) {
    this._forget();
    this.hasSnapshot = true;
    for (const [key, entry] of Object.entries(entries)) {
      const robot = newRobot(key, entry.manufacturer, entry.serial_number);
      robot.connectionState = entry.connection_state;
      for (const [topic, payload] of Object.entries(entry.messages)) robot.messages.set(topic, payload);
      robot.poseTopic = newestPose(robot.messages, entry.last_message_type);
      robot.heardAtGateway = entry.last_seen === null ? null : Date.parse(entry.last_seen);
      robot.isHeard = !entry.is_stale;
      this.robots.set(key, robot);
      this._changed.add(key);
    }
  }

  _forget() {
    this.robots.clear();
    this._changed.clear();
    this._isReplaced = true;
    this.hasSnapshot = false;
  }
}

function newRobot(key, manufacturer, serialNumber) {
  return {
    key,
    manufacturer,
    serialNumber,
    connectionState: null,
    messages: new Map(),
    receivedAt: new Map(),
    poseTopic: "state",
    isHeard: false, // over the broker link of now
    heardAt: null,
    heardAtGateway: null, // by the gateway's clock, for what a snapshot tells
    view: null,
    status: null,
  };
}

function stateOf(payload) {
  const state = payload.connectionState;
  return typeof state === "string" ? state.toUpperCase() : null;
}

/** Which topic of a snapshot tells the position: the one that came last, else by the robot's own timestamps. */
function newestPose(messages, lastTopic) {
  const topics = ["state", "visualization"].filter((topic) => hasPosition(messages.get(topic)));
  if (topics.length < 2) return topics[0] ?? "state";
  if (topics.includes(lastTopic)) return lastTopic;
  const [state, visualization] = topics.map((topic) => Date.parse(messages.get(topic).timestamp));
  return visualization > state ? "visualization" : "state";
}
