/* One robot's row in the list.
 *
 * Takes a robot with view and status, and how long ago it was seen; writes only what differs from what the row shows.
 */

import { copyTemplate, fieldsOf, setData, setText, setTitle } from "./dom.js";
import * as words from "./words.js";

const { NOTHING } = words;
const LOW_BATTERY = 20; // %

/** A row; `node` is its element, `isVisible` is kept by the list. */
export class Row {
  constructor(robot) {
    this.key = robot.key;
    this.robot = robot;
    this.isVisible = false;
    this.node = copyTemplate("row-template");
    this._fields = fieldsOf(this.node);
    const name = words.plain(robot.key);
    setText(this._fields.serial, words.plain(robot.serialNumber));
    setText(this._fields.make, words.plain(robot.manufacturer));
    this.button.title = name;
    this.button.setAttribute("aria-label", `${name}: show its messages`);
  }

  get button() {
    return this._fields.open;
  }

  /** Mark it as the one that is open. */
  setOpen(isOpen) {
    this.node.classList.toggle("is-open", isOpen);
    this.button.setAttribute("aria-expanded", String(isOpen));
  }

  /** Write everything. */
  show(robot, age) {
    const { view, status } = robot;
    setData(this.node, "lost", status.isLost ? "yes" : null);
    setText(this._fields.version, view.version ?? "");
    this._showConnection(status, age);
    this._showActivity(view, status);
    this._showBattery(view.battery);
    this._showPosition(view.position);
    this._showOrder(view.order);
    this._showErrors(view.errors, status.level);
    this.showAge(age);
  }

  /** Write only what time changes; `age` in milliseconds or null. */
  showAge(age) {
    setText(this._fields.seen, words.ageText(age));
  }

  _showConnection({ connection }, age) {
    const { connection: badge } = this._fields;
    setText(badge, words.connectionWord(connection));
    setData(badge, "connection", connection);
    setTitle(badge, words.connectionReason(connection, words.ageText(age)));
  }

  _showActivity(view, { activity }) {
    const { activity: field, mode } = this._fields;
    setText(field, words.activityWord(activity));
    setData(field, "activity", activity);
    const isManual = view.operatingMode !== null && view.operatingMode !== "AUTOMATIC";
    const speed = activity === "driving" && view.speed !== null ? words.speedText(view.speed) : "";
    setText(mode, isManual ? words.sentence(view.operatingMode) : speed);
    setData(mode, "warn", isManual ? "yes" : null);
  }

  _showBattery(battery) {
    const { battery: field, charge, fill, bolt } = this._fields;
    const value = battery?.charge ?? null;
    setText(charge, words.percent(value));
    field.classList.toggle("is-unknown", value === null);
    setData(field, "low", value !== null && value < LOW_BATTERY ? "yes" : null);
    const part = Math.min(1, Math.max(0, (value ?? 0) / 100));
    const width = `scaleX(${part.toFixed(3)})`;
    if (fill.style.transform !== width) fill.style.transform = width;
    bolt.classList.toggle("is-shown", battery?.isCharging === true);
  }

  _showPosition(position) {
    const { pose, x, y, theta, map } = this._fields;
    setData(pose, "unknown", position === null ? "yes" : null);
    setText(x, position === null ? NOTHING : words.metres(position.x));
    setText(y, position === null ? "" : words.metres(position.y));
    setText(theta, position === null ? "" : words.degrees(position.theta));
    const isLost = position?.isLocalized === false;
    setText(map, isLost ? "not localized" : (position?.mapId ?? ""));
    setData(map, "warn", isLost ? "yes" : null);
  }

  _showOrder({ orderId, lastNodeId, nodesLeft }) {
    const { order, progress } = this._fields;
    setText(order, orderId ?? NOTHING);
    setTitle(order, orderId ?? "");
    const left = orderId !== null && nodesLeft ? `${words.plural(nodesLeft, "node")} to go` : "";
    setText(progress, left || (lastNodeId === null ? "" : `at ${lastNodeId}`));
  }

  _showErrors(errors, level) {
    const { errors: field, errorType } = this._fields;
    setText(field, level === null ? NOTHING : words.errorsText(errors, level));
    setData(field, "level", level === null ? null : level === "WARNING" || level === "URGENT" ? "warn" : "bad");
    const gravest = errors.find((error) => error.level === level) ?? errors[0];
    setText(errorType, gravest === undefined ? "" : (gravest.type ?? "without a type"));
    setTitle(errorType, errors.map(({ type, description }) => [type, description].filter(Boolean).join(": ")).join("\n"));
  }
}
