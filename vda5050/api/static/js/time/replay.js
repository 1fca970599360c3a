/* A stretch of the past, played: the gateway's /replay as an event stream, and a clock that goes with it.
 *
 * Takes the moment it begins at and the one it ends at (whole milliseconds), a speed, milliseconds between views, the key of
 * one robot or null, whether its messages are wanted, too, and whether all until then is known; calls
 *   onFleet([[key, view]])                      all robots as of now, at the start and whenever the stream was lost
 *   onViews([[key, view]])                      views that changed
 *   onMessage({ robot, topic, payload, at, isMoment })
 *   onLink(state)                               as of source.js; the clock stands unless it is "live"
 *   onEnd()
 * A stream that was lost begins anew where the clock stands, so that a long silence of the robots is not heard twice.
 */

import { Source } from "../source.js";

const LATE_MS = 300; // what comes later than this, by this machine's clock, sets the clock back

export class Replay {
  constructor({ at, to, speed, intervalMs, robot, hasMessages, isContinued }, told) {
    this._at = this._asked = at;
    this._to = to;
    this._speed = speed;
    this._robot = robot;
    this._told = told;
    this._since = null; // when `_at` was, by this machine's clock; null: the clock stands
    this._intervalMs = intervalMs;
    this._isContinued = isContinued;
    this._views = new Source(() => this._viewsUrl(), {
      onEvent: (event, id) => this._take(event, id),
      onLink: (state) => this._linked(state),
      probe: () => this._probe(),
    });
    this._messages = hasMessages ? this._openMessages() : null;
  }

  /** The moment that is shown. */
  get now() {
    return this._since === null ? this._at : Math.min(this._to, this._at + (performance.now() - this._since) * this._speed);
  }

  /** End it: nothing is told any more. */
  close() {
    this._views.close();
    this._messages?.close();
  }

  _openMessages() {
    return new Source(() => this._url({}), {
      onEvent: (event, id) => this._takeMessage(event, id),
      onLink: () => {},
      probe: () => this._probe(),
    });
  }

  _viewsUrl() {
    this._asked = this.now;
    const lastEventId = this._isContinued ? { last_event_id: `replay-${this._at * 1_000 - 1}` } : {};
    return this._url({ view: "1", interval: this._intervalMs, ...lastEventId });
  }

  _url(more) {
    const url = new URL("replay", document.baseURI);
    const [from, to] = [this.now, this._to].map((at) => new Date(at).toISOString());
    url.search = new URLSearchParams({ from, to, speed: this._speed, ...more });
    if (this._robot !== null) url.searchParams.set("robot", this._robot);
    return url;
  }

  _take({ type, data }, id) {
    if (type === "snapshot") {
      this._goOn(this._asked);
      this._told.onFleet(Object.entries(data));
    } else if (type === "update") {
      this._setBy(id);
      this._told.onViews([[data.topic, data.payload]]);
    } else if (type === "reset") this._stand();
    else if (type === "end") {
      this.close();
      this._told.onEnd();
    }
  }

  _takeMessage({ type, data }, id) {
    if (type === "snapshot") {
      for (const [robot, { messages }] of Object.entries(data)) {
        for (const [topic, payload] of Object.entries(messages)) this._tell(robot, topic, payload, this.now);
      }
    } else if (type === "update") this._tell(data.topic, data.type, data.payload, timeOf(id));
    else if (type === "end") this._messages.close();
  }

  _tell(robot, topic, payload, at) {
    this._told.onMessage({ robot, topic, payload, at, isLast: false, isMoment: true });
  }

  _linked(state) {
    if (state !== "live") this._stand();
    else if (this._isContinued) this._goOn(this._asked); // without a snapshot
    this._isContinued &&= state === "connecting";
    this._told.onLink(state);
  }

  _stand() {
    this._at = this.now;
    this._since = null;
  }

  _goOn(at) {
    this._at = at;
    this._since = performance.now();
  }

  /** The clock follows what comes: a gateway that cannot read so fast is behind it. */
  _setBy(id) {
    const at = timeOf(id);
    const ahead = this.now - at;
    if (ahead < 0 || ahead > (LATE_MS + this._intervalMs) * this._speed) this._goOn(at);
  }

  /** Ask the way EventSource did, for the status that it does not tell. */
  async _probe() {
    const asked = new AbortController();
    const answer = await fetch(this._url({}), { signal: asked.signal }).catch(() => null);
    const retryAfterS = Number(answer?.headers.get("retry-after") ?? NaN);
    asked.abort();
    return { status: answer?.status ?? 0, retryAfterMs: Number.isFinite(retryAfterS) ? retryAfterS * 1_000 : null };
  }
}

/** When what an event of a replay tells was received, in milliseconds: its id is replay-<microseconds>. */
function timeOf(id) {
  return Number(id.slice(id.indexOf("-") + 1)) / 1_000;
}
