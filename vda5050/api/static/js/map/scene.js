/* The robots as the map holds them: each one's figure and track, and which maps there are. No DOM.
 *
 * Takes robots of the store as they change; gives the items { figure, track } of one map. A robot without a position is
 * held by nobody.
 */

import { Figure } from "./figure.js";
import { Track } from "./track.js";

export class Scene {
  constructor() {
    this.items = new Map(); // key -> { figure, track }
  }

  /** Take in a robot; `isSmooth`: let it glide to its new place. */
  show(robot, now, { isSmooth }) {
    const item = this.items.get(robot.key);
    const figure = new Figure(robot, item?.figure);
    if (figure.pose === null) this.items.delete(robot.key);
    else if (item === undefined) this.items.set(robot.key, { figure, track: new Track(figure.pose, now) });
    else {
      item.figure = figure;
      item.track.moveTo(figure.pose, now, { isSmooth });
    }
  }

  forget(key) {
    this.items.delete(key);
  }

  clear() {
    this.items.clear();
  }

  /** The items on a map. */
  on(mapId) {
    return [...this.items.values()].filter(({ track }) => track.mapId === mapId);
  }

  /** How many robots each map has: Map of map id -> number. */
  counts() {
    const counts = new Map();
    for (const { track } of this.items.values()) counts.set(track.mapId, (counts.get(track.mapId) ?? 0) + 1);
    return counts;
  }

  /** Let trails fade. */
  fade(now) {
    for (const { track } of this.items.values()) track.fade(now);
  }
}
