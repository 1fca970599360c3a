/* The robots of one moment, live or past: their views, their findings, how they stand. No DOM.
 *
 * Takes views and findings as they come; `refresh(now, isTick)` judges what changed (on a tick all: time makes robots
 * stale) and gives { changed: Set of robots, isReset }. Between `reset` and `complete` the robots of before stay, so that
 * nothing flickers while new ones come in.
 */

import { findingId } from "./feed.js";
import { judge, STATES } from "./status.js";

/** Robots with their judgements; the members that store.js tells of. */
export class Fleet {
  constructor(staleAfterMs) {
    this.robots = new Map();
    this.counts = noCounts();
    this.isReady = false;
    this._staleAfterMs = staleAfterMs;
    this._next = null;
    this._findings = new Map(); // robot key -> findings
    this._dirty = new Set();
    this._isReset = false;
  }

  /** All robots are about to be told anew. */
  reset() {
    this._next = new Map();
  }

  /** They have been told. */
  complete() {
    this.isReady = true;
    if (this._next === null) return;
    this.robots = this._next;
    this._next = null;
    this._dirty = new Set(this.robots.values());
    this._isReset = true;
  }

  /** Take views: a list of [key, view]. */
  put(entries) {
    const robots = this._next ?? this.robots;
    for (const [key, view] of entries) {
      let robot = robots.get(key);
      if (robot === undefined) {
        robot = this._newRobot(key, view);
        robots.set(key, robot);
      }
      robot.view = view;
      robot.seenAt = view.last_seen === null ? null : Date.parse(view.last_seen);
      robot.isHeard = !view.is_stale;
      this._dirty.add(robot);
    }
  }

  /** Take what the doctor found; `isAll`: what is not in it is not so any more. */
  putFindings(list, { isAll }) {
    if (isAll) this._findings.clear();
    for (const finding of list) {
      let findings = this._findings.get(finding.robot);
      if (findings === undefined) this._findings.set(finding.robot, (findings = noFindings()));
      const id = findingId(finding);
      if (!findings.list.has(id)) findings[finding.severity] += 1;
      findings.list.set(id, finding);
    }
    const touched = isAll ? this.robots.keys() : new Set(list.map(({ robot }) => robot));
    for (const key of touched) {
      const robot = this.robots.get(key);
      if (robot === undefined) continue;
      robot.findings = this._findings.get(key) ?? noFindings();
      this._dirty.add(robot);
    }
  }

  /** The broker is lost: every robot is stale until it is heard again. */
  loseSight() {
    for (const robot of this.robots.values()) {
      robot.isHeard = false;
      this._dirty.add(robot);
    }
  }

  /** Judge what changed, or all on a tick. */
  refresh(now, isTick) {
    const changed = this._dirty;
    const facts = { seenAt: null, staleAfterMs: this._staleAfterMs, now, isHeard: true };
    for (const robot of isTick ? this.robots.values() : this._dirty) {
      facts.seenAt = robot.seenAt;
      facts.isHeard = robot.isHeard;
      const { state, reason, level } = judge(robot.view, facts);
      if (robot.state !== state || robot.reason !== reason || robot.level !== level) changed.add(robot);
      robot.state = state;
      robot.reason = reason;
      robot.level = level;
    }
    const isReset = this._isReset;
    if (changed.size > 0 || isReset) this._count();
    this._dirty = new Set();
    this._isReset = false;
    return { changed, isReset };
  }

  _newRobot(key, view) {
    return {
      key,
      manufacturer: view.manufacturer,
      serial: view.serial_number,
      view,
      state: null,
      reason: null,
      level: null,
      findings: this._findings.get(key) ?? noFindings(),
      seenAt: null,
      isHeard: false,
    };
  }

  _count() {
    this.counts = noCounts();
    for (const { state } of this.robots.values()) this.counts[state] += 1;
    this.counts.all = this.robots.size;
  }
}

function noFindings() {
  return { error: 0, warning: 0, info: 0, list: new Map() };
}

function noCounts() {
  return { ...Object.fromEntries(STATES.map((state) => [state, 0])), all: 0 };
}
