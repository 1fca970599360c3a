/* One robot's way on the map: where it is drawn now, and where it was. Pure.
 *
 * Takes positions as they come; gives a pose for any moment, gliding from one reported position to the next in the time
 * that lay between the last two, at most GLIDE_MS. A jump (another map, far away, after a pause) is not glided over. The
 * trail is bounded in time and points.
 */

const GLIDE_MS = 1_000;
const SAME_MOMENT_MS = 80; // state and visualization come in pairs
const JUMP_M = 5;
const PAUSE_MS = 5_000;
const TRAIL_MS = 20_000;
const TRAIL_POINTS = 40;
const TRAIL_STEP_M = 0.15;

/** Follows one robot. */
export class Track {
  constructor(position, now) {
    this.mapId = position.mapId;
    this.trail = [{ x: position.x, y: position.y, at: now }];
    this._from = this._to = poseOf(position);
    this._startedAt = this._endsAt = this._movedAt = now;
  }

  /** Take in a position. */
  moveTo(position, now) {
    const to = poseOf(position);
    const since = now - this._movedAt;
    const here = this.poseAt(now);
    const distance = Math.hypot(to.x - this._to.x, to.y - this._to.y);
    this._movedAt = now;
    if (distance === 0 && to.theta === this._to.theta && position.mapId === this.mapId) return;
    if (position.mapId !== this.mapId || distance > JUMP_M || since > PAUSE_MS) {
      if (since <= PAUSE_MS || distance > JUMP_M || position.mapId !== this.mapId) this.trail.length = 0;
      this.mapId = position.mapId;
      this._from = this._to = to;
      this._endsAt = now;
    } else if (since < SAME_MOMENT_MS) {
      this._from = here;
      this._startedAt = now;
      this._to = to;
    } else {
      this._from = here;
      this._to = to;
      this._startedAt = now;
      this._endsAt = now + Math.min(GLIDE_MS, since);
    }
    this._leaveTrail(to, now);
  }

  /** Where to draw it: { x, y, theta }, theta null where the robot tells none. */
  poseAt(now) {
    const span = this._endsAt - this._startedAt;
    const part = span > 0 ? Math.min(1, (now - this._startedAt) / span) : 1;
    if (part >= 1) return this._to;
    const { _from: from, _to: to } = this;
    return {
      x: from.x + (to.x - from.x) * part,
      y: from.y + (to.y - from.y) * part,
      theta: to.theta === null || from.theta === null ? to.theta : from.theta + turn(from.theta, to.theta) * part,
    };
  }

  /** True while the drawn pose changes by itself. */
  isGliding(now) {
    return now < this._endsAt;
  }

  /** The trail up to where it is drawn now: points in metres, the oldest first. */
  trailTo(now) {
    const trail = this.isGliding(now) && this.trail.at(-1)?.at === this._movedAt ? this.trail.slice(0, -1) : this.trail;
    return trail.length === 0 ? trail : [...trail, this.poseAt(now)];
  }

  /** Forget the trail's points that are too old; true where some were. */
  fade(now) {
    const old = this.trail.findIndex((point) => now - point.at < TRAIL_MS);
    const count = old === -1 ? this.trail.length : old;
    this.trail.splice(0, count);
    return count > 0;
  }

  _leaveTrail(to, now) {
    const last = this.trail.at(-1);
    if (last !== undefined && Math.hypot(to.x - last.x, to.y - last.y) < TRAIL_STEP_M) {
      if (this.trail.length === 1) last.at = now; // it stands: the trail begins when it leaves
      return;
    }
    this.trail.push({ x: to.x, y: to.y, at: now });
    if (this.trail.length > TRAIL_POINTS) this.trail.shift();
  }
}

function poseOf({ x, y, theta }) {
  return { x, y, theta };
}

/** The shorter way from one angle to another. */
function turn(from, to) {
  return Math.atan2(Math.sin(to - from), Math.cos(to - from));
}
