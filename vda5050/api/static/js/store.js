/* What the page knows, and the one place that its views read.
 *
 *   store.robots   Map of key "manufacturer/serial" -> robot
 *   store.counts   robots by state: { driving, idle, charging, error, offline, all }
 *   store.now()    the time that is shown, milliseconds by the gateway's clock
 *   store.isPast   whether that is a moment of the past
 *   store.subscribe(listener) -> unsubscribe
 *       listener({ changed: Set of robots, removed: Set of keys, isReset, isTick, live }) at most once an animation frame,
 *       and about once a second with isTick, for what only time changes. isReset: all robots are other objects than
 *       before. live: { changed, isReset } of what is now.
 *   store.onMessages(listener) -> unsubscribe
 *       every message of followed robots, { robot, topic, payload, isLast, at }
 *
 * A robot: { key, manufacturer, serial, view, state, reason, level, findings, seenAt, isHeard }
 *   view      RobotView as the gateway sent it, never changed. A robot wrote it: show it with dom.js only
 *   state     one of status.js' STATES; reason its more exact word; level the gravest error level or null
 *   findings  { error, warning, info, list: Map by id }
 *   seenAt    milliseconds or null
 *
 * Live data keeps coming in while the past is shown, for the alerts; `robots` and `counts` are those of the past.
 */

import { acknowledgementId } from "./feed.js";
import { Fleet } from "./fleet_data.js";

const TICK_MS = 1_000;

/** The store of a page. `staleAfterMs`: the gateway's setting. */
export class Store {
  constructor({ staleAfterMs }) {
    this.live = new Fleet(staleAfterMs);
    this.past = null;
    this.link = { state: "connecting", retryAt: null };
    this.isBrokerUp = null;
    this.dependencies = null;
    this.acknowledgements = new Map();
    this.aheadMs = 0;
    this.lastMessageAt = null;
    this._pastNow = () => 0;
    this._listeners = new Set();
    this._messageListeners = new Set();
    this._isTick = false;
    this._isResetDue = false;
    this._frame = 0;
    setInterval(() => {
      this._isTick = true;
      this.touch();
    }, TICK_MS);
  }

  get shown() {
    return this.past ?? this.live;
  }

  get robots() {
    return this.shown.robots;
  }

  get counts() {
    return this.shown.counts;
  }

  get isReady() {
    return this.shown.isReady;
  }

  get isPast() {
    return this.past !== null;
  }

  now() {
    return this.isPast ? this._pastNow() : Date.now() + this.aheadMs;
  }

  /** Show a moment of the past: a Fleet that somebody else fills, and its clock. */
  showPast(fleet, clock) {
    this.past = fleet;
    this._pastNow = clock;
    this._isResetDue = true;
    this.touch();
  }

  /** Show what is now. */
  showLive() {
    this.past = null;
    this._isResetDue = true;
    this.touch();
  }

  subscribe(listener) {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  }

  onMessages(listener) {
    this._messageListeners.add(listener);
    return () => this._messageListeners.delete(listener);
  }

  /** Take a message of feed.js. */
  take(message) {
    switch (message.type) {
      case "robots":
        this.lastMessageAt = Date.now();
        this.live.put(message.robots);
        break;
      case "reset":
        this.live.reset();
        break;
      case "ready":
        this.live.complete();
        break;
      case "findings":
        this.live.putFindings(message.findings, { isAll: message.isAll });
        break;
      case "acknowledgements":
        this._takeAcknowledgements(message);
        break;
      case "link":
        this.link = message;
        break;
      case "broker":
        this._takeBroker(message.isUp);
        break;
      case "gateway":
        this.dependencies = message.dependencies;
        break;
      case "clock":
        this.aheadMs = message.aheadMs;
        break;
      case "message":
        if (!this.isPast) this.tell(message);
        return;
    }
    this.touch();
  }

  /** Hand one message of a followed robot to those who look at each. */
  tell(message) {
    for (const listener of this._messageListeners) listener(message);
  }

  /** Let the listeners be called at the next frame. A hidden page has none: alerts must come all the same. */
  touch() {
    if (this._frame !== 0) return;
    if (document.hidden) this._frame = setTimeout(() => this._draw(), TICK_MS);
    else this._frame = requestAnimationFrame(() => this._draw());
  }

  _takeBroker(isUp) {
    if (this.isBrokerUp === true && !isUp) this.live.loseSight();
    this.isBrokerUp = isUp;
  }

  _takeAcknowledgements({ list, isAll }) {
    if (isAll) this.acknowledgements.clear();
    for (const acknowledgement of list) {
      if (acknowledgement.at === null) this.acknowledgements.delete(acknowledgementId(acknowledgement));
      else this.acknowledgements.set(acknowledgementId(acknowledgement), acknowledgement);
    }
  }

  _draw() {
    this._frame = 0;
    const isTick = this._isTick;
    const isReset = this._isResetDue;
    this._isTick = false;
    this._isResetDue = false;
    const live = this.live.refresh(Date.now() + this.aheadMs, isTick);
    const shown = this.isPast ? this.past.refresh(this.now(), isTick) : live;
    const changes = { ...shown, removed: new Set(), isReset: isReset || shown.isReset, isTick, live };
    if (changes.isReset) changes.changed = new Set(this.robots.values());
    for (const listener of this._listeners) {
      try {
        listener(changes);
      } catch (error) {
        reportError(error); // one view's fault must not blind the others
      }
    }
  }
}
