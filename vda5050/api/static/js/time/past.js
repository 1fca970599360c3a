/* The past that is shown: a moment that stands still (/robots?at=), or a stretch that is played (replay.js). No DOM.
 *
 * Fills a Fleet that the store shows. On a robot's page only that robot is asked for, and on its tab of messages those, too.
 * Calls `onLink(state)` (as of source.js: "live" where all is well), and `onEnd()` when a stretch was played.
 */

import { intervalFor } from "../feed.js";
import { Fleet } from "../fleet_data.js";
import { route } from "../router.js";
import { Replay } from "./replay.js";

const AGAIN_MS = 2_000;

export class Past {
  constructor(store, { staleAfterMs, onLink, onEnd }) {
    this._store = store;
    this._staleAfterMs = staleAfterMs;
    this._onLink = onLink;
    this._onEnd = onEnd;
    this._at = null; // where time stands; null: now is shown
    this._fleet = null;
    this._replay = null;
    this._asked = 0;
  }

  /** The moment that is shown, or null. */
  get at() {
    return this._replay?.now ?? this._at;
  }

  get isPlaying() {
    return this._replay !== null;
  }

  /** Show a moment, at which time stands. */
  show(at) {
    this._enter(at);
    this._wanted = wanted();
    this._ask();
  }

  /** Play from a moment to another one. `isContinued`: all until then is shown. */
  play({ at, to, speed, isContinued = false }) {
    this._enter(Math.round(at));
    this._stretch = { to: Math.round(to), speed };
    this._wanted = wanted();
    const robots = this._wanted.robot === null ? Math.max(this._fleet.robots.size, this._store.live.robots.size) : 1;
    const asked = { at: this._at, ...this._stretch, ...this._wanted, intervalMs: intervalFor(robots), isContinued };
    this._replay = new Replay(asked, {
      onFleet: (entries) => this._take(entries),
      onViews: (entries) => {
        this._fleet.put(entries);
        this._store.touch();
      },
      onMessage: (message) => this._store.tell(message),
      onLink: this._onLink,
      onEnd: this._onEnd,
    });
  }

  /** Show what is now. */
  leave() {
    this._stop();
    this._at = this._fleet = null;
    this._store.showLive();
  }

  /** Another robot may be shown, or its messages. */
  follow() {
    const { robot, hasMessages } = wanted();
    if (this._at === null || (robot === this._wanted.robot && hasMessages === this._wanted.hasMessages)) return;
    if (this.isPlaying) this.play({ at: this.at, ...this._stretch });
    else this.show(this._at);
  }

  _enter(at) {
    this._stop();
    this._at = at;
    if (this._fleet !== null) return;
    this._fleet = new Fleet(this._staleAfterMs);
    this._store.showPast(this._fleet, () => this.at ?? Date.now());
  }

  _stop() {
    this._asked += 1; // an answer that is on its way comes too late
    this._replay?.close();
    this._replay = null;
    this._onLink("live");
  }

  async _ask() {
    const [asked, at, { robot }] = [(this._asked += 1), this._at, this._wanted];
    const url = new URL("robots", document.baseURI);
    url.searchParams.set("at", new Date(at).toISOString());
    if (robot !== null) url.searchParams.set("robot", robot);
    const answer = await fetch(url).catch(() => null);
    const robots = answer?.ok === true ? await answer.json() : null;
    if (asked !== this._asked) return;
    this._onLink(robots === null ? "reconnecting" : "live");
    if (robots === null) setTimeout(() => asked === this._asked && this._ask(), AGAIN_MS);
    else this._take(Object.entries(robots).map(([key, { view }]) => [key, view]));
    for (const [topic, payload] of Object.entries(robots?.[robot]?.messages ?? {})) {
      this._store.tell({ robot, topic, payload, at, isLast: false, isMoment: true });
    }
  }

  /** Take all robots. */
  _take(entries) {
    this._fleet.reset();
    this._fleet.put(entries);
    this._fleet.complete();
    this._store.touch();
  }
}

/** What the route asks for beside the time. */
function wanted() {
  const { robot, params } = route();
  return { robot, hasMessages: robot !== null && params.get("tab") === "messages" };
}
