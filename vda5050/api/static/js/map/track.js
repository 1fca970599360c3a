/* One robot's way on the map: where it is drawn now, and where it was. Pure.
 *
 * Takes positions as they come; gives a pose for any moment: it glides from the reported position before to the last one in
 * the time that lay between them, at most GLIDE_MS. So what is drawn is at most one interval old, and never a place
 * that the robot has not told of yet. A jump (another map, far away, after a pause) is not glided over. The trail is
 * bounded in time and points.
 */

const GLIDE_MS = 1_000;
const SAME_MOMENT_MS = 80; // state and visualization come in pairs
const JUMP_M = 5;
const PAUSE_MS = 5_000;
const TRAIL_MS = 30_000;
const TRAIL_POINTS = 60;
const TRAIL_STEP_M = 0.15;

export class Track {
  /** `pose`: { x, y, theta, mapId }, theta null where the robot tells none. */
  constructor(pose, now) {
    this.mapId = pose.mapId;
    this.trail = [{ x: pose.x, y: pose.y, at: now }];
    this._from = this._to = pose;
    this._drawn = { ...pose };
    this._startedAt = this._endsAt = this._movedAt = now;
  }

  /** Where the robot said it was last. */
  get reported() {
    return this._to;
  }

  /** Take in a position; `isSmooth` false: be there at once. */
  moveTo(pose, now, { isSmooth }) {
    const since = now - this._movedAt;
    const distance = Math.hypot(pose.x - this._to.x, pose.y - this._to.y);
    if (distance === 0 && pose.theta === this._to.theta && pose.mapId === this.mapId) return;
    const from = this.poseAt(now);
    this._movedAt = now;
    const isElsewhere = pose.mapId !== this.mapId || distance > JUMP_M;
    if (isElsewhere) this.trail.length = 0;
    this.mapId = pose.mapId;
    this._to = pose;
    if (isElsewhere || since > PAUSE_MS || !isSmooth) {
      this._from = pose;
      this._startedAt = this._endsAt = now;
    } else {
      this._from = { ...from };
      this._startedAt = now;
      if (since >= SAME_MOMENT_MS) this._endsAt = now + Math.min(GLIDE_MS, since);
    }
    this._leaveTrail(pose, now);
  }

  /** Where to draw it: while it glides the same object each time, as 500 new ones a frame cost memory. */
  poseAt(now) {
    const span = this._endsAt - this._startedAt;
    const part = span > 0 ? Math.min(1, (now - this._startedAt) / span) : 1;
    if (part >= 1) return this._to;
    const { _from: from, _to: to } = this;
    const drawn = this._drawn;
    drawn.x = from.x + (to.x - from.x) * part;
    drawn.y = from.y + (to.y - from.y) * part;
    drawn.theta = to.theta === null || from.theta === null ? to.theta : from.theta + turn(from.theta, to.theta) * part;
    drawn.mapId = to.mapId;
    return drawn;
  }

  /** True while the drawn pose changes by itself. */
  isGliding(now) {
    return now < this._endsAt;
  }

  /** The trail without its newest point, which may lie ahead of what is drawn; the oldest first. */
  pastTo(now) {
    return this.isGliding(now) && this.trail.at(-1)?.at === this._movedAt ? this.trail.slice(0, -1) : this.trail;
  }

  /** Forget the trail's points that are too old. */
  fade(now) {
    const kept = this.trail.findIndex((point) => now - point.at < TRAIL_MS);
    this.trail.splice(0, kept === -1 ? this.trail.length : kept);
  }

  _leaveTrail(pose, now) {
    const last = this.trail.at(-1);
    if (last !== undefined && Math.hypot(pose.x - last.x, pose.y - last.y) < TRAIL_STEP_M) {
      if (this.trail.length === 1) last.at = now; // it stands: the trail begins when it leaves
      return;
    }
    this.trail.push({ x: pose.x, y: pose.y, at: now });
    if (this.trail.length > TRAIL_POINTS) this.trail.shift();
  }
}

/** The shorter way from one angle to another. */
function turn(from, to) {
  return Math.atan2(Math.sin(to - from), Math.cos(to - from));
}
