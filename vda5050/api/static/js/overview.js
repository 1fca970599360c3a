/* Every robot with its view and its status, kept up to date, and the fleet's counts. Pure: no DOM.
 *
 * Takes a `Fleet` and the time; gives which robots have to be drawn again. Reading a message costs more than keeping it,
 * so it is done here, once for a drawn frame, and not for each of the messages that came between two frames.
 */

import { readRobot } from "./reading.js";
import { countFleet, isSameStatus, statusOf } from "./status.js";

/** Reads and judges a fleet. */
export class Overview {
  constructor(fleet) {
    this.fleet = fleet;
    this.counts = countFleet([]);
  }

  /** Take in what changed since the last call: { isReplaced, changed: [robot] }. */
  refresh(now) {
    const { isReplaced, changed } = this.fleet.takeChanges();
    const robots = [];
    for (const key of changed) {
      const robot = this.fleet.robots.get(key);
      robot.view = readRobot(robot);
      robot.status = statusOf(robot, this.fleet, now);
      robots.push(robot);
    }
    if (isReplaced || robots.length > 0) this._count();
    return { isReplaced, changed: robots };
  }

  /** Judge all again because time passed; after `refresh`. Gives the robots whose status is another one now. */
  tick(now) {
    const changed = [];
    for (const robot of this.fleet.robots.values()) {
      const status = statusOf(robot, this.fleet, now);
      if (isSameStatus(status, robot.status)) continue;
      robot.status = status;
      changed.push(robot);
    }
    if (changed.length > 0) this._count();
    return changed;
  }

  _count() {
    this.counts = countFleet(this.fleet.robots.values());
  }
}
