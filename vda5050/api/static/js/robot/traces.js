/* What the page saw of each robot in the last minutes, for the charts: battery, speed, errors. No DOM.
 *
 * A ring of numbers for each robot: 500 robots take about 6 MB.
 */

import { speedOf } from "../status.js";

const EVERY_MS = 1_000;
const MOST = 600; // ten minutes
export const SERIES = ["battery", "speed", "errors"];

/** The rings of all robots. */
export class Traces {
  constructor() {
    this._rings = new Map();
  }

  /** Forget all: another time is shown. */
  clear() {
    this._rings.clear();
  }

  /** Take a robot as it is now. */
  note(robot, now) {
    let ring = this._rings.get(robot.key);
    if (ring === undefined) {
      ring = { at: new Float64Array(MOST), values: SERIES.map(() => new Float32Array(MOST)), next: 0, count: 0 };
      this._rings.set(robot.key, ring);
    }
    const newest = (ring.next + MOST - 1) % MOST;
    const isNewer = ring.count === 0 || now - ring.at[newest] >= EVERY_MS;
    const place = isNewer ? ring.next : newest; // what comes within the same second replaces it
    const sample = sampleOf(robot.view);
    SERIES.forEach((name, index) => (ring.values[index][place] = sample[name] ?? NaN));
    if (!isNewer) return;
    ring.at[place] = now;
    ring.next = (ring.next + 1) % MOST;
    ring.count = Math.min(MOST, ring.count + 1);
  }

  /** A robot's samples, oldest first: [{ at, battery, speed, errors }], null where it did not say. */
  of(key) {
    const ring = this._rings.get(key);
    if (ring === undefined) return [];
    return Array.from({ length: ring.count }, (_nothing, index) => {
      const place = (ring.next + MOST - ring.count + index) % MOST;
      const sample = { at: ring.at[place] };
      SERIES.forEach((name, at) => (sample[name] = Number.isNaN(ring.values[at][place]) ? null : ring.values[at][place]));
      return sample;
    });
  }
}

/** What a view tells for the charts. */
export function sampleOf(view) {
  return { battery: view.battery?.charge ?? null, speed: speedOf(view), errors: view.errors?.length ?? null };
}
